"""Review rounds at the desk: prepare, open, chase, extend, close, release, take the sheet along."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any

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
from wtforms.fields.choices import SelectChoice

from consult import consultations
from consult.consultations import ConsultationState
from consult.submissions import Channel
from consult.views.desk import Door, Line
from core import audit, sheets, uploads
from core.config import of_site
from core.db import db
from core.errors import refusals_on
from core.forms import Form
from core.outbox import Post
from core.permissions import may, require
from core.web import as_file, keep_private, local, now, number_in
from panel import (
    late_remarks,
    namesakes,
    remarks,
    review_ledger,
    review_reminders,
    reviews,
    round_papers,
    round_running,
    round_sheets,
    rounds,
    rules,
)
from panel import ledger as panel_ledger
from panel.appointments import Appointment
from panel.late_remarks import Late
from panel.namesakes import Person
from panel.rounds import ReviewRound, RoundPhase
from panel.views.meetings import paper_file
from panel.views.round_forms import (
    AddForm,
    ExtensionForm,
    PaperForm,
    ReasonForm,
    RoundForm,
    as_form,
)

blueprint = Blueprint("rounds", __name__, url_prefix="/desk/rounds")
DOORS = (Door(_l("咨询团审阅"), "rounds.index", rules.run_rounds),)
ROUND = "/<int:round_id>"
Page = Response | str | tuple[str, int]
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
    form = RoundForm(data=as_form(found))
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


def _form_page(form: RoundForm, found: ReviewRound | None, refusal: str = "") -> str:
    return render_template("panel/rounds/form.html", form=form, round=found, refusal=refusal)


# --- one round ---------------------------------------------------------------------------------------


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
    audience = [] if opened else round_running.audience_of(found, today)
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
        audience=list(namesakes.told(namesakes.seated(audience)).values()),
        unreached=_unreached(found, phase, audience),
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


def _unreached(
    found: ReviewRound, phase: RoundPhase, audience: Sequence[Appointment]
) -> list[tuple[int, str]]:
    """Who is asked, or would be, and cannot be reached, as long as that can be helped."""
    if phase is RoundPhase.PREPARED:
        return review_reminders.unreachable(audience)
    return review_reminders.unreached(found) if phase is RoundPhase.OPEN else []


def _add_form(found: ReviewRound, **options: Any) -> AddForm:
    form = AddForm(**options)
    addable = round_running.addable(found, local(now()).date())
    form.member.choices = [
        SelectChoice(str(number), name)
        for number, name in namesakes.told(namesakes.seated(addable)).items()
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
        invited = round_running.open_round(found, on_day=local(at).date(), by=current_user, now=at)
    reached = review_reminders.announce(invited, Post.of(of_site()), now=at)
    db.session.commit()
    flash(_("审阅已经开始，受邀%(n)d位，通知了%(m)d位。", n=len(invited), m=reached), "success")
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
        reached = review_reminders.chase(found, Post.of(of_site()), by=current_user, now=now())
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
        invitation = round_running.add(
            found,
            int(form.member.data),
            reason=form.why.data,
            on_day=local(at).date(),
            by=current_user,
            now=at,
        )
    review_reminders.announce([invitation], Post.of(of_site()), now=at)
    db.session.commit()
    flash(_("已增加%(name)s。", name=invitation.name), "success")
    return redirect(url_for(".show", round_id=round_id))


@blueprint.route(f"{ROUND}/extend", methods=["GET", "POST"])
def extend(round_id: int) -> Page:
    """Give everybody or one member more time."""
    found = _opened(round_id)
    form = ExtensionForm()
    invited = {str(each.id): each for each in rounds.invitations(found)}
    told = namesakes.told(
        [Person(each.member_id, each.name, each.category) for each in invited.values()]
    )
    form.who.choices = [
        SelectChoice("", _("全体成员")),
        *(
            SelectChoice(key, told[each.member_id])
            for key, each in invited.items()
            if each.signed_at is None
        ),
    ]
    if not form.validate_on_submit():
        return _extend_page(form, found), 422 if form.is_submitted() else 200
    at = now()
    one = invited.get(form.who.data or "")
    with refusals_on(lambda sentence: _extend_page(form, _opened(round_id), sentence)):
        round_running.extend(
            found,
            consultations.window(form.last.data, form.last.data)[1],
            invitation=one,
            reason=form.reason.data,
            by=current_user,
            now=at,
        )
    review_reminders.tell_extended(
        [one] if one else list(invited.values()), Post.of(of_site()), now=at
    )
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
        round_running.close(found, reason=form.reason.data, by=current_user, now=now())
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
    made = send_file(round_sheets.workbook(found, now=now()), mimetype=sheets.XLSX)
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
