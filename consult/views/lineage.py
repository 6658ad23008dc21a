"""The lineage desk: how a version continues the one before, looked over and corrected."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import HiddenField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from consult import drafts, lineage, rules, structure, submissions
from consult.comparisons import compare
from consult.drafts import Entry, Version, VersionState
from consult.lineage import Line
from consult.structure import Overtaken
from core.db import db
from core.errors import Refused
from core.forms import Form
from core.permissions import require
from core.web import keep_private, now, number_in

blueprint = Blueprint(
    "lineage", __name__, url_prefix="/desk/drafts/<int(max=2147483647):version_id>/lineage"
)
MARK = "/<int(max=2147483647):mark>"
PAGE = 50
NEW = "0"
Page = Response | str | tuple[str, int]


class OriginForm(Form):
    """Which paragraph of the version before this one continues."""

    seen = HiddenField(validators=[Length(min=24, max=24)])
    origin = RadioField(_l("接续上一稿的哪一段"))

    def offer(self, entries: list[Entry], current: int) -> None:
        """Offer these paragraphs, and that it is new."""
        self.origin.choices = [
            SelectChoice(NEW, _l("都不是，这一段是新增的")),
            *(SelectChoice(str(entry.mark), entry.text[:120]) for entry in entries),
        ]
        if not self.is_submitted():
            marks = {entry.mark for entry in entries}
            self.origin.data = str(current) if current in marks else NEW


@blueprint.before_request
def only_those_who_prepare() -> None:
    """Everything here is for those who prepare consultations."""
    keep_private()
    require(rules.prepare_consultations)


@blueprint.get("")
def show(version_id: int) -> str:
    """What became of every paragraph of the version before, with the opinions that stand on it."""
    version, earlier = _versions(version_id)
    before, after = drafts.outline(earlier), drafts.outline(version)
    comparison = compare(before, after)
    pairs = comparison.changed
    page = min(number_in("page") or 1, max(1, -(-len(pairs) // PAGE)))
    page = max(page, 1)
    return render_template(
        "consult/lineage/show.html",
        version=version,
        earlier=earlier,
        consultation=version.draft.consultation,
        comparison=comparison,
        pairs=pairs[(page - 1) * PAGE : page * PAGE],
        page=page,
        pages=max(1, -(-len(pairs) // PAGE)),
        received=_received(version, lineage.line(version)),
        changeable=version.state is VersionState.PREPARING,
        before=before,
        after=after,
    )


def _versions(version_id: int) -> tuple[Version, Version]:
    version = drafts.version_by_id(version_id)
    earlier = drafts.before(version) if version else None
    if version is None or earlier is None:
        return abort(404)
    return version, earlier


def _received(version: Version, line: Line) -> dict[int, int]:
    """{mark: opinions received on the paragraph in this and all earlier versions}."""
    received: dict[int, int] = {}
    tallies = submissions.tallies(version.draft.consultation_id)
    for place, (count, _shown) in tallies.items():
        found = line.place(place)
        if found is not None:
            received[found.entry.mark] = received.get(found.entry.mark, 0) + count
    return received


@blueprint.post("")
def realign(version_id: int) -> Page:
    """Propose anew for all paragraphs."""
    version, _earlier = _versions(version_id)
    form = Form()
    if not form.validate():
        return redirect(url_for(".show", version_id=version_id))
    try:
        continued = lineage.realign(version, by=current_user, now=now())
    except Refused as refusal:
        db.session.rollback()
        flash(refusal.sentence, "danger")
        return redirect(url_for(".show", version_id=version_id))
    db.session.commit()
    flash(_("已按现在的文字重新对照，%(n)d段接续上一稿。", n=continued), "success")
    return redirect(url_for(".show", version_id=version_id))


@blueprint.get(MARK)
def edit(version_id: int, mark: int) -> Page:
    """One paragraph: what it may continue."""
    version, _earlier = _versions(version_id)
    return _edit_page(OriginForm(formdata=None), version, mark)


@blueprint.post(MARK)
def correct(version_id: int, mark: int) -> Page:
    """Say what it continues."""
    version, earlier = _versions(version_id)
    form = OriginForm()
    form.offer(list(drafts.outline(earlier).entries), mark)
    if not form.validate():
        return _edit_page(form, version, mark), 422
    given: dict[str, Any] = {"seen": form.seen.data, "by": current_user, "now": now()}
    try:
        wanted = int(form.origin.data) or None
        new_mark = lineage.set_origin(version, mark, wanted, **given)
    except Overtaken as overtaken:
        db.session.rollback()
        flash(overtaken.sentence, "danger")
        return redirect(url_for(".show", version_id=version_id))
    except Refused as refusal:
        db.session.rollback()
        return _edit_page(form, _versions(version_id)[0], mark, refusal.sentence), 409
    db.session.commit()
    flash(_("段落沿革已更正。"), "success")
    return redirect(url_for(".show", version_id=version_id, _anchor=f"p{new_mark}"))


def _edit_page(form: OriginForm, version: Version, mark: int, refusal: str = "") -> str:
    outline = drafts.outline(version)
    entry = outline.by_mark.get(mark)
    if entry is None:
        abort(404)
    form.offer(lineage.candidates(version, mark), mark)
    form.seen.data = structure.seals(outline.entries)[mark]
    return render_template(
        "consult/lineage/edit.html",
        form=form,
        version=version,
        entry=entry,
        address=outline.address(entry.id),
        changeable=version.state is VersionState.PREPARING,
        refusal=refusal,
    )
