"""Asking units: the office's list for a consultation, and a unit's answer, given by itself or entered
from paper. A unit sees only what it was asked itself."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import SelectField, SelectMultipleField, widgets
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange

from consult import drafts, inquiries, inquiry_letters, intake, rules, submissions
from consult.consultations import Consultation
from consult.drafts import Outline
from consult.inquiries import Inquiry
from consult.submissions import Opinion
from consult.views import loading
from core import units
from core.config import of_site
from core.db import db
from core.errors import Refused, refusals_on
from core.forms import Form, LineField, NumberField, OnceForm, TextField, Words
from core.outbox import Post
from core.permissions import may, require
from core.units import UnitKind
from core.web import keep_private, local, now, number_in, whole_number

blueprint = Blueprint("inquiries", __name__, url_prefix="/desk")
HERE = "/consultations/<slug>/units"
AT_ONCE = 30
Page = Response | str | tuple[str, int]
# Committees and bodies above the district are not asked as departments and sub-districts are.
ASKED = (UnitKind.DEPARTMENT, UnitKind.PARTY_DEPARTMENT, UnitKind.SUBDISTRICT, UnitKind.OTHER)


class AskForm(Form):
    """Whom to ask, and until when."""

    units = SelectMultipleField(
        _l("征询哪些单位"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    days = NumberField(
        _l("期限（工作日）"),
        [
            InputRequired(_l("请填写期限。")),
            NumberRange(1, inquiries.MOST_DAYS, message=_l("期限请填1到60个工作日。")),
        ],
        default=inquiries.USUAL_DAYS,
        description=_l("从今天的下一个工作日算起，按放假安排含调休。"),
    )
    note = TextField(
        _l("请重点研究的内容"),
        [Words(least=0, most=inquiries.LONGEST_NOTE, missing="")],
        description=_l("可以不填。"),
        render_kw={"rows": 3},
    )


class OpinionForm(OnceForm):
    """One opinion of a unit."""

    section = SelectField(_l("针对哪一部分"))
    title = LineField(
        _l("标题"), [Words(least=0, most=200, missing="")], description=_l("可以不填。")
    )
    body = TextField(
        _l("意见内容"),
        [Words(most=intake.LONGEST_BODY, missing=_l("请写下意见内容。"))],
        description=_l("一件可以写几条，编制单位逐条答复。"),
        render_kw={"rows": 7, "data-keep": ""},
    )

    def offer(self, outline: Outline | None) -> None:
        """Let the section be chosen."""
        headings = outline.headings if outline else []
        self.section.choices = [
            SelectChoice("", _("全文")),
            *(
                SelectChoice(str(each.mark), "\u3000" * (each.level - 1) + each.text)
                for each in headings
            ),
        ]


@blueprint.before_request
def _privately() -> None:
    keep_private()


# --- the office --------------------------------------------------------------------------------


@blueprint.get(HERE)
def index(slug: str) -> str:
    """The units that were asked, what they said, and the form to ask more."""
    require(rules.prepare_consultations)
    return _index(AskForm(formdata=None), loading.consultation(slug))


@blueprint.post(HERE)
def ask(slug: str) -> Page:
    """Ask units, and tell those who may answer for them."""
    require(rules.prepare_consultations)
    consultation, form = loading.consultation(slug), AskForm()
    _offer(form, consultation)
    if not form.validate():
        return _index(form, consultation), 422
    chosen = [each for each in units.every() if str(each.id) in (form.units.data or [])]
    with refusals_on(lambda sentence: _index(form, loading.consultation(slug), sentence)):
        made = inquiries.ask(
            consultation,
            chosen,
            days=form.days.data,
            note=form.note.data,
            by=current_user,
            now=now(),
        )
    told = inquiry_letters.announce(made, Post.of(of_site()), now=now())
    db.session.commit()
    flash(_("已征询%(n)d个单位，其中%(m)d个已发通知。", n=len(made), m=told), "success")
    return redirect(url_for(".index", slug=slug), 303)


@blueprint.post(f"{HERE}/act")
def act(slug: str) -> Response:
    """Remind the units that have not answered, or give them longer."""
    require(rules.prepare_consultations)
    consultation = loading.consultation(slug)
    at = now()
    if request.form.get("act") == "extend":
        days = whole_number(request.form.get("days"), most=999)
        if days is None:
            raise Refused(_("期限请填1到%(n)d个工作日。", n=inquiries.MOST_DAYS))
        changed = inquiries.extend(consultation, days=days, by=current_user, now=at)
        said = _("已延长%(n)d个单位的期限。", n=len(changed))
    elif request.form.get("act") == "chase":
        told = inquiry_letters.chase(consultation, Post.of(of_site()), by=current_user, now=at)
        said = _("已向%(n)d个单位发出催办通知；同一天只发一次。", n=told)
    else:
        abort(400)
    db.session.commit()
    flash(said, "success")
    return redirect(url_for(".index", slug=slug), 303)


def _offer(form: AskForm, consultation: Consultation) -> None:
    known = {each.inquiry.unit_id for each in inquiries.of(consultation.id)}
    form.units.choices = [
        SelectChoice(str(each.id), each.name)
        for each in units.every()
        if each.kind in ASKED and each.id not in known
    ]


def _index(form: AskForm, consultation: Consultation, refusal: str = "") -> str:
    _offer(form, consultation)
    asked = inquiries.of(consultation.id)
    return render_template(
        "consult/inquiries/index.html",
        form=form,
        consultation=consultation,
        asked=asked,
        counts=inquiries.counts(each.answer for each in asked),
        takes=inquiries.takes(consultation, now()),
        today=local(now()).date(),
        days=inquiries.USUAL_DAYS,
        most=inquiries.MOST_DAYS,
        refusal=refusal,
    )


# --- a unit ------------------------------------------------------------------------------------


@blueprint.get("/inquiries")
def mine() -> str:
    """What my unit was asked, the newest first."""
    require(rules.answer_inquiries)
    before, unit_id = number_in("before"), current_user.unit_id
    found = inquiries.of_unit(unit_id, before=before, limit=AT_ONCE + 1) if unit_id else []
    more, found = len(found) > AT_ONCE, found[:AT_ONCE]
    return render_template(
        "consult/inquiries/mine.html",
        found=found,
        unit=current_user.unit,
        today=local(now()).date(),
        next_url=url_for(".mine", before=found[-1].inquiry.id) if more else None,
        first_url=url_for(".mine") if before else None,
    )


@blueprint.get("/inquiries/<int:inquiry_id>")
def show(inquiry_id: int) -> str:
    """One inquiry: what was asked, what was said, and the form to say it."""
    return _show(OpinionForm(formdata=None), _own(inquiry_id))


@blueprint.post("/inquiries/<int:inquiry_id>")
def answer(inquiry_id: int) -> Page:
    """无意见, an opinion, or (for the office) that the unit was asked by mistake."""
    inquiry = _own(inquiry_id)
    office, at = may(rules.prepare_consultations), now()
    wanted = request.form.get("act")
    if wanted == "opinion":
        return _give(inquiry, office)
    if wanted == "none":
        inquiries.say_none(inquiry, on_paper=office, by=current_user, now=at)
        said, there = _("已记下“无意见”。"), url_for(".show", inquiry_id=inquiry.id)
    elif wanted == "take-back" and office:
        there = url_for(".index", slug=inquiry.consultation.slug)
        inquiries.take_back(inquiry, by=current_user, now=at)
        said = _("已取消征询。")
    else:
        abort(400)
    db.session.commit()
    flash(said, "success")
    return redirect(there, 303)


def _give(inquiry: Inquiry, office: bool) -> Page:
    form = OpinionForm()
    version = drafts.published(inquiry.consultation)
    outline = drafts.outline(version) if version else None
    form.offer(outline)
    if not form.validate():
        return _show(form, inquiry), 422
    mark = form.section.data
    entry = outline.by_mark.get(int(mark)) if outline and mark else None
    opinion = Opinion(
        body=form.body.data,
        title=form.title.data,
        version_id=outline.version_id if outline else None,
        place=entry.id if entry else submissions.WHOLE,
    )
    inquiry_id = inquiry.id
    with refusals_on(lambda sentence: _show(form, _own(inquiry_id), sentence)):
        received = inquiries.give(
            inquiry,
            opinion,
            once_key=submissions.once_key(form.form_key.data, opinion),
            secret=of_site().secret_key,
            on_paper=office,
            by=current_user,
            now=now(),
        )
    db.session.commit()
    if received.again:
        flash(_("这一件刚才已经提交过，没有重复登记。"), "info")
    else:
        flash(_("意见已收到，编为第%(n)d件。", n=received.number), "success")
    return redirect(url_for(".show", inquiry_id=inquiry_id), 303)


def _own(inquiry_id: int) -> Inquiry:
    """The inquiry, for the office and for the unit that was asked; for others it does not exist."""
    require(rules.answer_inquiries)
    found = inquiries.by_id(inquiry_id)
    if found is None:
        abort(404)
    if not may(rules.prepare_consultations) and found.unit_id != current_user.unit_id:
        abort(404)
    return found


def _show(form: OpinionForm, inquiry: Inquiry, refusal: str = "") -> str:
    consultation = inquiry.consultation
    version = drafts.published(consultation)
    form.offer(drafts.outline(version) if version else None)
    facts: dict[str, Any] = {"office": may(rules.prepare_consultations)}
    return render_template(
        "consult/inquiries/show.html",
        form=form,
        asked=inquiries.one(inquiry),
        inquiry=inquiry,
        consultation=consultation,
        opinions=inquiries.opinions(inquiry.id),
        takes=inquiries.takes(consultation, now()),
        today=local(now()).date(),
        refusal=refusal,
        **facts,
    )
