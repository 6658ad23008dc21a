"""What people add to a summary at the desk: names for themes, and selections they come back to."""

from flask import abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import HiddenField
from wtforms.validators import Length, NumberRange

from consult import rules
from consult.summaries import kept_views, theme_names
from consult.views.summary_pages import opened_at_desk
from core.db import db
from core.errors import Refused
from core.forms import Form, LineField, NumberField, Words
from core.permissions import require
from core.web import now, whole_number


class ThemeForm(Form):
    """What a theme is to be called; nothing for what the machine calls it."""

    theme = NumberField(validators=[NumberRange(1, 1000)])
    name = LineField(
        _l("主题名称"),
        [Length(max=theme_names.LONGEST, message=_l("名称最多40字，请缩短。"))],
    )


class KeepForm(Form):
    """A name for the selection on the page it is sent from."""

    name = LineField(
        _l("给这组条件起个名称"),
        [Words(most=kept_views.LONGEST, missing=_l("请给这组条件起个名称。"))],
    )
    room = HiddenField()
    query = HiddenField()


def rename(summary_id: int) -> Response:
    """Call a theme by another name, or as the machine does again."""
    page = opened_at_desk(summary_id)
    require(rules.make_summaries)
    form = ThemeForm()
    here = url_for("summaries.themes", summary_id=summary_id)
    if not form.validate():
        flash(_first(form), "danger")
        return redirect(here, 303)
    number, themes = form.theme.data, page.reading.covered.themes
    if not 1 <= number <= len(themes):
        abort(404)
    try:
        theme_names.give(
            page.summary,
            number,
            form.name.data or "",
            machine=themes[number - 1].name,
            by=current_user,
            now=now(),
        )
    except Refused as refusal:
        db.session.rollback()
        flash(refusal.sentence, "danger")
        return redirect(here, 303)
    db.session.commit()
    flash(_("主题名称已更改，系统给的名称一并保留。"), "success")
    return redirect(f"{here}#theme-{number}", 303)


def keep(summary_id: int) -> Response:
    """Keep the selection of the page this is sent from, or drop one that was kept."""
    page = opened_at_desk(summary_id)
    at = url_for("summaries.show", summary_id=summary_id)
    try:
        if request.form.get("act") == "drop":
            number = whole_number(request.form.get("view")) or 0
            kept_views.drop(page.summary, current_user.id, number)
            said = _("已删去。")
        else:
            form = KeepForm()
            if not form.validate():
                raise Refused(_first(form))
            kept = kept_views.keep(
                page.summary,
                current_user.id,
                name=form.name.data,
                room=form.room.data or "",
                query=form.query.data or "",
                now=now(),
            )
            at = url_for(f"summaries.{kept.room}", summary_id=summary_id) + f"?{kept.asked}"
            said = _("已保留为“%(name)s”，只有您自己看得到。", name=kept.name)
    except Refused as refusal:
        db.session.rollback()
        flash(refusal.sentence, "danger")
        return redirect(at, 303)
    db.session.commit()
    flash(said, "success")
    return redirect(at, 303)


def _first(form: Form) -> str:
    return str(next((each[0] for each in form.errors.values() if each), _("请检查填写的内容。")))
