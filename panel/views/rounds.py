"""Review rounds at the desk: prepare, open, chase, extend, close, release, take the sheet along."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from flask import (
    Blueprint,
    abort,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import (
    Field,
    FileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    widgets,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange, ValidationError

from consult import consultations
from consult.consultations import ConsultationState
from consult.drafts import Draft, Version, VersionState
from consult.submissions import Channel
from consult.topics import Topic
from consult.views.desk import Door, Line
from consult.views.publishing import DayField
from core import audit, uploads
from core.config import of_site
from core.db import db
from core.errors import refusals_on
from core.forms import Form, LineField, NumberField, TextField, Words
from core.permissions import may, require
from core.web import as_file, keep_private, local, now, number_in
from panel import (
    appointments,
    late_remarks,
    members,
    quotas,
    remarks,
    review_ledger,
    review_reminders,
    reviews,
    round_papers,
    round_sheets,
    rounds,
    rules,
)
from panel import ledger as panel_ledger
from panel.late_remarks import Late
from panel.review_reminders import Post
from panel.rounds import Plan, ReviewRound, RoundPhase
from panel.views.meetings import paper_file

blueprint = Blueprint("rounds", __name__, url_prefix="/desk/rounds")
DOORS = (Door(_l("咨询团审阅"), "rounds.index", rules.run_rounds),)
ROUND = "/<int:round_id>"
Page = Response | str | tuple[str, int]
MOST_VERSIONS = 100
# Members on one page of a round.
AT_ONCE = 50


def lines(_at: dt.datetime) -> Iterator[Line]:
    """On the desk: remarks that came after the feedback, and what is left to do about them."""
    if not may(rules.run_rounds):
        return
    for late in late_remarks.every():
        words = _(
            "反馈公布后并入的咨询团意见，待答复和发布：%(title)s", title=late.consultation.title
        )
        yield Line(late.unpublished, _("点"), words, _next_step(late))


def _next_step(late: Late) -> str:
    """Where the office goes on: first the answers, then a further edition of the table."""
    slug = late.consultation.slug
    if late.unanswered:
        return url_for("points.index", slug=slug, channel=Channel.PANEL.value)
    return url_for("adoption.prepare", slug=slug)


@blueprint.before_request
def only_those_who_run_rounds() -> None:
    """Everything here is for the office."""
    keep_private()
    require(rules.run_rounds)


def _round(round_id: int) -> ReviewRound:
    found = rounds.by_id(round_id)
    if found is None:
        abort(404)
    return found


def _opened(round_id: int) -> ReviewRound:
    found = _round(round_id)
    if found.opened_at is None:
        abort(404)
    return found


def post() -> Post:
    """What messages need of this site."""
    settings = of_site()
    return Post(settings.site_url, settings.contact_key)


# --- the list and the ledger -----------------------------------------------------------------------


@blueprint.get("/")
def index() -> str:
    """Every round, the newest first."""
    at = now()
    found = rounds.every(before=number_in("before"), limit=21)
    return render_template(
        "panel/rounds/index.html",
        rounds=found[:20],
        phases={each.id: each.phase(at) for each in found},
        next_url=url_for(".index", before=found[19].id) if len(found) > 20 else None,
    )


@blueprint.get("/ledger")
def ledger() -> str:
    """Per category, round and member, of one stage or of all: what was asked and done."""
    stages = panel_ledger.stages()
    number = number_in("stage")
    chosen = next((each for each in stages if each.id == number), None)
    if number is not None and chosen is None:
        abort(404)
    return render_template(
        "panel/rounds/ledger.html",
        stages=stages,
        stage=chosen,
        by_category=review_ledger.by_category_in(chosen),
        by_round=review_ledger.by_round(chosen),
        by_member=panel_ledger.by_member(chosen),
    )


# --- preparing -------------------------------------------------------------------------------------


class RoundForm(Form):
    """What the office writes down about a round."""

    version = SelectField(_l("审阅的文稿"), validators=[InputRequired(_l("请选择文稿。"))])
    title = LineField(
        _l("名称"),
        [Words(most=200, missing=_l("请填写名称。"))],
        description=_l("例如：请审阅《规划纲要（草案）》。"),
    )
    explanation = TextField(
        _l("说明"),
        [Words(least=0, most=10_000, missing="")],
        description=_l("请成员看什么、重点提什么意见；成员打开文稿前先看到这段话。"),
        render_kw={"rows": 5},
    )
    questions = TextField(
        _l("要回答的问题"),
        [Words(least=0, most=10_000, missing="")],
        description=_l("每行一个，最多20个；可以不填。"),
        render_kw={"rows": 4},
    )
    due = DayField(
        _l("截止日期"),
        [InputRequired(_l("请选择日期。"))],
        description=_l("当天24:00截止。截止前可以撤回签署、修改后重新签署。"),
    )
    by_name = RadioField(
        _l("公布时"),
        choices=[SelectChoice("yes", _l("署名")), SelectChoice("no", _l("不署名"))],
        default="yes",
        description=_l("开始时就告诉成员，以后不能改。"),
    )
    quorum = NumberField(
        _l("有效人数"),
        [NumberRange(min=0, max=10_000, message=_l("请填写0到10000之间的整数。"))],
        default=0,
        description=_l("签署达到这个人数，这一轮才算有效；0表示不规定。"),
    )
    categories = SelectMultipleField(
        _l("只发给这些类别"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    fields = SelectMultipleField(
        _l("只发给熟悉这些领域的成员"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    names = TextField(
        _l("另外点名"),
        [Words(least=0, most=10_000, missing="")],
        description=_l("每行一位在任成员的姓名。类别、领域、点名都不填，就发给全体在任成员。"),
        render_kw={"rows": 3},
    )

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.versions = {str(each.id): each for each in _versions()}
        self.version.choices = [
            SelectChoice(key, _version_name(each)) for key, each in self.versions.items()
        ]
        programme_ids = {each.draft.consultation.programme_id for each in self.versions.values()}
        every = [name for each in sorted(programme_ids) for name in quotas.categories(each)]
        self.categories.choices = [SelectChoice(name, name) for name in dict.fromkeys(every)]
        topics = db.session.execute(
            sa.select(Topic.key, Topic.title)
            .where(Topic.programme_id.in_(programme_ids))
            .order_by(Topic.programme_id, Topic.ordinal)
        )
        found = {row[0]: row[1] for row in topics}
        self.fields.choices = [SelectChoice(key, title) for key, title in found.items()]

    def validate_by_name(self, field: Field) -> None:
        """One of the two."""
        if field.data not in ("yes", "no"):
            raise ValidationError(_("请选择公布时是否署名。"))

    def validate_questions(self, field: Field) -> None:
        """Not too many, each of a readable length."""
        found = _lines(field.data)
        if len(found) > rounds.MOST_QUESTIONS or any(len(each) > 300 for each in found):
            raise ValidationError(_("最多20个问题，每个最多300字。"))

    def validate_names(self, field: Field) -> None:
        """Everybody named sits, and only one is called so."""
        self.named: list[int] = []
        version = self.versions.get(self.version.data or "")
        if version is None or not field.data:
            return
        today = local(now()).date()
        by_name: dict[str, list[int]] = {}
        for appointment in appointments.sitting(version.draft.consultation.programme_id, today):
            by_name.setdefault(appointment.member.name, []).append(appointment.member_id)
        for name in _lines(field.data):
            found = by_name.get(name, [])
            if len(found) != 1:
                why = (
                    _("没有在任成员叫“%(name)s”。")
                    if not found
                    else _("不止一位成员叫“%(name)s”。")
                )
                raise ValidationError(why % {"name": name})
            self.named += found

    def plan(self) -> Plan:
        """The round as it is to be kept."""
        last: dt.date = self.due.data
        return Plan(
            title=self.title.data,
            explanation=self.explanation.data,
            questions=_lines(self.questions.data),
            due_at=consultations.window(last, last)[1],
            by_name=self.by_name.data == "yes",
            quorum=self.quorum.data,
            categories=list(self.categories.data or []),
            fields=list(self.fields.data or []),
            members=self.named,
        )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _versions() -> Sequence[Version]:
    query = sa.select(Version).join(Draft).order_by(Version.id.desc()).limit(MOST_VERSIONS)
    return db.session.scalars(query).all()


def _version_name(version: Version) -> str:
    state = _("已公布") if version.state is VersionState.PUBLISHED else _("尚未公布")
    number = _("第%(n)d稿", n=version.number)
    return f"{version.draft.title} · {number}（{state}） · {version.draft.consultation.title}"


@blueprint.route("/new", methods=["GET", "POST"])
def create() -> Page:
    """Write a new round down."""
    form = RoundForm()
    if not form.validate_on_submit():
        return _form_page(form, None), 422 if form.is_submitted() else 200
    version = form.versions[form.version.data]
    prepared = rounds.prepare(version, form.plan(), by=current_user, now=now())
    db.session.commit()
    flash(_("已准备好，还没有发给任何人。请核对后开始。"), "success")
    return redirect(url_for(".show", round_id=prepared.id))


@blueprint.route(f"{ROUND}/edit", methods=["GET", "POST"])
def edit(round_id: int) -> Page:
    """Change what was written down, before it opens."""
    found = _round(round_id)
    form = RoundForm(data=_as_form(found))
    version = rounds.version_of(found)
    form.version.choices = [
        choice for choice in form.version.choices if version and choice.value == str(version.id)
    ]
    if not form.validate_on_submit():
        return _form_page(form, found), 422 if form.is_submitted() else 200
    with refusals_on(lambda sentence: _form_page(form, _round(round_id), sentence)):
        rounds.change(found, form.plan(), by=current_user, now=now())
    db.session.commit()
    flash(_("已保存。"), "success")
    return redirect(url_for(".show", round_id=round_id))


def _as_form(found: ReviewRound) -> dict[str, Any]:
    version = rounds.version_of(found)
    named = [members.by_id(each) for each in found.audience.get("members", [])]
    return {
        "version": str(version.id) if version else "",
        "title": found.title,
        "explanation": found.explanation,
        "questions": "\n".join(found.questions),
        "due": local(found.due_at - dt.timedelta(seconds=1)).date(),
        "by_name": "yes" if found.by_name else "no",
        "quorum": found.quorum,
        "categories": found.audience.get("categories", []),
        "fields": found.audience.get("fields", []),
        "names": "\n".join(each.name for each in named if each),
    }


def _form_page(form: RoundForm, found: ReviewRound | None, refusal: str = "") -> str:
    return render_template("panel/rounds/form.html", form=form, round=found, refusal=refusal)


# --- one round ---------------------------------------------------------------------------------------


class ReasonForm(Form):
    """Why."""

    reason = LineField(_l("理由"), [Words(most=300, missing=_l("请写明理由。"))])


class AddForm(Form):
    """Whom to ask, too, and why; it stands on one page with another reason."""

    member = SelectField(_l("成员"), validators=[InputRequired(_l("请选择成员。"))])
    why = LineField(_l("增加的理由"), [Words(most=300, missing=_l("请写明理由。"))])


class PaperForm(Form):
    """One paper."""

    file = FileField(_l("文件"), description=_l("PDF、Word 或 Excel 文件，不超过20MB。"))


class ExtensionForm(ReasonForm):
    """For whom, until when, and why."""

    who = SelectField(_l("给谁延长"))
    last = DayField(
        _l("新的截止日期"),
        [InputRequired(_l("请选择日期。"))],
        description=_l("当天24:00截止。只能延长。"),
    )


@blueprint.get(ROUND)
def show(round_id: int) -> str:
    """The round with everybody asked, and what can be done now."""
    return _show_page(_round(round_id))


def _show_page(
    found: ReviewRound,
    *,
    refusal: str = "",
    add_form: AddForm | None = None,
    close_form: ReasonForm | None = None,
    paper_form: PaperForm | None = None,
) -> str:
    at = now()
    today = local(at).date()
    opened = found.opened_at is not None
    phase = found.phase(at)
    if add_form is None and phase is RoundPhase.OPEN:
        add_form = _add_form(found, formdata=None)
    after = number_in("after") or 0
    invited = rounds.page_of_invitations(found, after=after, limit=AT_ONCE + 1) if opened else []
    last = invited[AT_ONCE - 1].id if len(invited) > AT_ONCE else None
    invited = invited[:AT_ONCE]
    late = late_remarks.of(found.consultation) if found.delivered_at else None
    return render_template(
        "panel/rounds/show.html",
        round=found,
        phase=phase,
        version=rounds.version_of(found),
        is_public=rounds.is_public(found),
        held=remarks.waiting(found) if found.delivered_at else 0,
        late=late,
        late_url=_next_step(late) if late else "",
        form=Form(formdata=None),
        add_form=add_form,
        close_form=close_form or ReasonForm(formdata=None),
        paper_form=paper_form or PaperForm(formdata=None),
        papers=round_papers.of(found.id),
        audience=[] if opened else rounds.audience_of(found, today),
        invitations=invited,
        answers={each.id: reviews.answer_of(each) for each in invited},
        next_url=url_for(".show", round_id=found.id, after=last, _anchor="members") if last else "",
        first_url=url_for(".show", round_id=found.id, _anchor="members") if after else "",
        sheet=round_sheets.sheet(found, limit=1) if opened else None,
        quorum_words=round_sheets.quorum_words,
        categories=review_ledger.by_category(found),
        log=rounds.log_of(found),
        action_name=audit.action_name,
        refusal=refusal,
    )


def _add_form(found: ReviewRound, **options: Any) -> AddForm:
    form = AddForm(**options)
    form.member.choices = [
        SelectChoice(str(each.member_id), f"{each.member.name}（{each.category}）")
        for each in rounds.addable(found, local(now()).date())
    ]
    return form


@blueprint.post(f"{ROUND}/open")
def open_round(round_id: int) -> Page:
    """Begin: fix words and list, tell those asked."""
    found = _round(round_id)
    at = now()
    if not Form().validate():
        return _show_page(found), 422
    with refusals_on(_page_of(round_id)):
        invited = rounds.open_round(found, on_day=local(at).date(), by=current_user, now=at)
    review_reminders.announce(invited, post(), now=at)
    db.session.commit()
    flash(_("审阅已经开始，通知了%(n)d位成员。", n=len(invited)), "success")
    return redirect(url_for(".show", round_id=round_id))


def _page_of(round_id: int) -> Callable[[str], str]:
    """The round's page with the sentence by which something was refused."""
    return lambda sentence: _show_page(_round(round_id), refusal=sentence)


@blueprint.post(f"{ROUND}/delete")
def delete(round_id: int) -> Page:
    """Take a round away that never began."""
    found = _round(round_id)
    if not Form().validate():
        return _show_page(found), 422
    with refusals_on(_page_of(round_id)):
        rounds.delete(found, by=current_user, now=now())
    db.session.commit()
    flash(_("已删除，没有人看到过它。"), "success")
    return redirect(url_for(".index"))


@blueprint.post(f"{ROUND}/chase")
def chase(round_id: int) -> Page:
    """Remind everybody who has not signed."""
    found = _round(round_id)
    if not Form().validate():
        return _show_page(found), 422
    with refusals_on(_page_of(round_id)):
        reached = review_reminders.chase(found, post(), by=current_user, now=now())
    db.session.commit()
    flash(_("已催办%(n)d位还没有签署的成员，同一天内每人只发一次。", n=reached), "success")
    return redirect(url_for(".show", round_id=round_id))


@blueprint.post(f"{ROUND}/members")
def add(round_id: int) -> Page:
    """Ask one more member."""
    found = _round(round_id)
    form = _add_form(found)
    at = now()
    if not form.validate():
        return _show_page(found, add_form=form), 422
    with refusals_on(_page_of(round_id)):
        invitation = rounds.add(
            found,
            int(form.member.data),
            reason=form.why.data,
            on_day=local(at).date(),
            by=current_user,
            now=at,
        )
    review_reminders.announce([invitation], post(), now=at)
    db.session.commit()
    flash(_("已增加%(name)s。", name=invitation.name), "success")
    return redirect(url_for(".show", round_id=round_id))


@blueprint.route(f"{ROUND}/extend", methods=["GET", "POST"])
def extend(round_id: int) -> Page:
    """Give everybody or one member more time."""
    found = _opened(round_id)
    form = ExtensionForm()
    invited = {str(each.id): each for each in rounds.invitations(found)}
    form.who.choices = [
        SelectChoice("", _("全体成员")),
        *(
            SelectChoice(key, f"{each.name}（{each.category}）")
            for key, each in invited.items()
            if each.signed_at is None
        ),
    ]
    if not form.validate_on_submit():
        return _extend_page(form, found), 422 if form.is_submitted() else 200
    at = now()
    one = invited.get(form.who.data or "")
    with refusals_on(lambda sentence: _extend_page(form, _opened(round_id), sentence)):
        rounds.extend(
            found,
            consultations.window(form.last.data, form.last.data)[1],
            invitation=one,
            reason=form.reason.data,
            by=current_user,
            now=at,
        )
    review_reminders.tell_extended([one] if one else list(invited.values()), post(), now=at)
    db.session.commit()
    flash(_("期限已经延长，理由记入办理记录。"), "success")
    return redirect(url_for(".show", round_id=round_id))


def _extend_page(form: ExtensionForm, found: ReviewRound, refusal: str = "") -> str:
    return render_template(
        "panel/rounds/extend.html",
        form=form,
        round=found,
        phase=found.phase(now()),
        refusal=refusal,
    )


@blueprint.post(f"{ROUND}/close")
def close(round_id: int) -> Page:
    """End it before its time."""
    found = _round(round_id)
    form = ReasonForm()
    if not form.validate():
        return _show_page(found, close_form=form), 422
    with refusals_on(_page_of(round_id)):
        rounds.close(found, reason=form.reason.data, by=current_user, now=now())
    db.session.commit()
    flash(_("审阅已经结束。"), "success")
    return redirect(url_for(".show", round_id=round_id))


@blueprint.post(f"{ROUND}/release")
def release(round_id: int) -> Page:
    """Show the members what the others said, and let the remarks join the public stream."""
    found = _round(round_id)
    if not Form().validate():
        return _show_page(found), 422
    with refusals_on(_page_of(round_id)):
        number = remarks.release(found, secret=of_site().secret_key, by=current_user, now=now())
    db.session.commit()
    if number is None:
        told = _("结果已向成员公布。这一稿还没有公开，意见等它公开以后再进入公众意见。")
    else:
        told = _("结果已经公布，%(n)d条意见进入公众意见，可以汇总和答复。", n=number)
    flash(told, "success")
    if held := remarks.waiting(found):
        flash(_("其中%(n)d条可能含有个人信息，审核以后才展示。", n=held), "warning")
    if number and found.consultation.state is ConsultationState.ANSWERED:
        flash(_("这次征集已经公布反馈：请逐点答复这些意见，再发布新一版采纳情况表。"), "warning")
    return redirect(url_for(".show", round_id=round_id))


# --- the papers -----------------------------------------------------------------------------------


@blueprint.post(f"{ROUND}/papers")
def add_paper(round_id: int) -> Page:
    """Put a paper beside the draft, for those who are asked."""
    found, form = _round(round_id), PaperForm()
    sent = request.files.get("file")
    data = sent.read() if sent is not None else b""
    valid = form.validate()
    if not valid or sent is None or not data:
        form.file.errors = form.file.errors or [_("请选择要上传的文件。")]
        return _show_page(found, paper_form=form), 422
    with refusals_on(_page_of(round_id)):
        round_papers.add(found, sent.filename or "", data, by=current_user, now=now())
    # On disk before it is acknowledged.
    uploads.keep_by_content(data)
    db.session.commit()
    flash(_("已添加材料。"), "success")
    return redirect(url_for(".show", round_id=round_id, _anchor="papers"))


@blueprint.post("/papers/<int:file_id>/remove")
def remove_paper(file_id: int) -> Page:
    """Take a paper away before anybody was shown it."""
    paper = _paper(file_id)
    found = _round(paper.round_id)
    with refusals_on(_page_of(found.id)):
        round_papers.remove(found, paper, by=current_user, now=now())
    db.session.commit()
    return redirect(url_for(".show", round_id=found.id, _anchor="papers"))


@blueprint.get("/papers/<int:file_id>")
def paper(file_id: int) -> Response:
    """A paper as a file."""
    return paper_file(_paper(file_id))


def _paper(file_id: int) -> round_papers.ReviewPaper:
    return round_papers.by_id(file_id) or abort(404)


# --- what came of it ------------------------------------------------------------------------------


@blueprint.get(f"{ROUND}/sheet")
def sheet(round_id: int) -> str:
    """Members × sections, fifty members at a time."""
    found = _opened(round_id)
    made = round_sheets.sheet(found, after=number_in("after") or 0)
    last = made.last
    return render_template(
        "panel/rounds/sheet.html",
        round=found,
        sheet=made,
        kinds=round_sheets.kinds(found),
        columns=round_sheets.columns(),
        legend=round_sheets.marks(),
        quorum_words=round_sheets.quorum_words(found, made),
        next_url=url_for(".sheet", round_id=round_id, after=last) if last else None,
    )


@blueprint.get(f"{ROUND}/sheet.xlsx")
def workbook(round_id: int) -> Response:
    """The whole sheet as a workbook."""
    found = _opened(round_id)
    made = send_file(round_sheets.workbook(found, now=now()), mimetype=round_sheets.XLSX)
    return as_file(made, found.title, ".xlsx", plain=f"round-{round_id}")


@blueprint.get(f"{ROUND}/sheet.docx")
def document(round_id: int) -> Response:
    """The sheet for signature."""
    found = _opened(round_id)
    made = send_file(round_sheets.document(found, now=now()), mimetype=round_sheets.DOCX)
    return as_file(made, found.title, ".docx", plain=f"round-{round_id}")


@blueprint.get(f"{ROUND}/reviews/<int:review_id>")
def review(round_id: int, review_id: int) -> str:
    """What one member signed; what is not signed is the member's own."""
    found = _opened(round_id)
    invitation = rounds.invitation(review_id)
    if invitation is None or invitation.round_id != found.id or invitation.signed_at is None:
        abort(404)
    return render_template(
        "panel/rounds/review.html",
        round=found,
        invitation=invitation,
        answer=reviews.answer_of(invitation),
        told=reviews.told_by(invitation),
        signatures=reviews.signatures_of(invitation),
    )
