"""The register of the panel's members, at the desk."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse
from wtforms.fields.choices import SelectChoice

from consult import programmes
from consult.programmes import Programme
from consult.views.desk import Door
from core.config import of_site
from core.db import db
from core.forms import Form
from core.permissions import require
from core.sheets import XLSX
from core.web import as_file, choice_in, keep_private, local, now, number_in, whole_number, words_in
from panel import (
    appointments,
    composition,
    interests,
    invitations,
    letters,
    members,
    quotas,
    registers,
    rosters,
    rules,
    selections,
    targets,
)
from panel.appointments import Appointment, AppointmentState, Objection
from panel.interests import Interest
from panel.members import Member
from panel.views import loading
from panel.views.member_forms import (
    DetailsForm,
    InterestForm,
    LeaveForm,
    NewMemberForm,
    ObjectionForm,
    TermForm,
    told,
)

blueprint = Blueprint("members", __name__, url_prefix="/desk/panel/members")
DOORS = (Door(_l("公众咨询团成员"), "members.index", rules.read_register),)
AT_ONCE = 50
MOST_SEATS = 999
SHOWN = {
    "sitting": _l("在任"),
    "proposed": _l("待确认"),
    "former": _l("曾任"),
    "refused": _l("未聘任"),
    "all": _l("全部"),
}
ORDERS = {"stroke": _l("姓氏笔画"), "pinyin": _l("拼音")}
Answer = BaseResponse | str | tuple[str, int]


@blueprint.before_request
def _those_who_read_it() -> None:
    keep_private()
    require(rules.read_register)


# --- reading -------------------------------------------------------------------------------


@blueprint.get("")
def index() -> str:
    """Who sits, who sat and who is proposed, by name."""
    programme = programmes.newest()
    if programme is None:
        return render_template("panel/members/none.html")
    kinds = quotas.categories(programme.id)
    fields = loading.fields(programme)
    places = registers.sub_districts(programme.id)
    chosen: dict[str, Any] = {
        "shown": choice_in("shown", frozenset(SHOWN), "sitting"),
        "order": choice_in("order", frozenset(ORDERS), "stroke"),
        "category": _one_of("category", kinds),
        "field": _one_of("field", list(fields)),
        "sub_district": _one_of("sub_district", places),
        "words": words_in("q", most=60),
    }
    after = number_in("after")
    last = appointments.by_id(after) if after else None
    if after and last is None:
        abort(404)
    today = _today()
    found = registers.page(programme.id, today, **chosen, after=last, limit=AT_ONCE + 1)
    more, found = len(found) > AT_ONCE, found[:AT_ONCE]
    kept = {"q" if name == "words" else name: value or None for name, value in chosen.items()}
    return render_template(
        "panel/members/index.html",
        programme=programme,
        found=found,
        chosen=chosen,
        kept=kept,
        shown=SHOWN,
        orders=ORDERS,
        kinds=kinds,
        fields=fields,
        places=places,
        figures=registers.figures(programme.id, today),
        today=today,
        next_url=url_for(".index", **kept, after=found[-1].id) if more else None,
        first_url=url_for(".index", **kept) if after else None,
        rules=rules,
    )


@blueprint.get("/<int:member_id>")
def show(member_id: int) -> str:
    """One member: every term there was, and what they declared."""
    return _member_page(_member(member_id))


@blueprint.get("/appointments/<int:appointment_id>/letter")
def letter(appointment_id: int) -> BaseResponse:
    """The letter of appointment as a Word document, or with `?as=pdf` as a PDF."""
    appointment = _appointment(appointment_id)
    programme = db.session.get_one(Programme, appointment.programme_id)
    written = letters.letter(
        appointment, programme, loading.fields(programme), owner=of_site().site_owner
    )
    name = _("聘书 %(name)s", name=appointment.member.name)
    if choice_in("as", {"pdf", "docx"}) == "pdf":
        made = Response(letters.pdf(written), mimetype=letters.PDF)
        return as_file(made, name, ".pdf", plain="letter")
    answer = Response(letters.word(written).getvalue(), mimetype=letters.DOCX)
    return as_file(answer, name, ".docx", plain="letter")


@blueprint.get("/list.<kind>")
def roster(kind: str) -> Response:
    """Who sits today, as the official list: for print, or to go on with. With `public=1` it is
    the list that may leave the house."""
    if kind not in ("docx", "xlsx"):
        abort(404)
    programme, today = loading.programme(), _today()
    public = choice_in("public", {"1"}) == "1"
    seated, fields = appointments.sitting(programme.id, today), loading.fields(programme)
    facts = programme.facts.get("panel") or {}
    name = str(facts.get("title") or _("公众咨询团"))
    if kind == "docx":
        written = rosters.document(name, seated, fields, public=public, on_day=today)
    else:
        written = rosters.workbook(seated, fields, public=public)
    answer = make_response(written)
    answer.mimetype = rosters.DOCX if kind == "docx" else XLSX
    # Told apart where they lie side by side: only one of them may leave the house.
    if public:
        as_file(
            answer, _("%(name)s成员名单（公开）", name=name), f".{kind}", plain="members-public"
        )
    else:
        as_file(answer, _("%(name)s成员名单（内部）", name=name), f".{kind}", plain="members")
    return answer


# --- entering and changing -----------------------------------------------------------------


@blueprint.get("/add")
def add() -> str:
    """The form for a new member."""
    require(rules.keep_register)
    programme = loading.programme()
    form = NewMemberForm(formdata=None, data=usual_term())
    form.offer(programme)
    return render_template("panel/members/add.html", form=form)


@blueprint.post("/add")
def create() -> Answer:
    """Enter a person and propose them; somebody else confirms."""
    require(rules.keep_register)
    programme = loading.programme()
    form, at = NewMemberForm(), now()
    form.offer(programme)
    if not form.validate():
        return render_template("panel/members/add.html", form=form), 422
    member = members.add(form.details, by=current_user, now=at)
    appointments.propose(member, programme.id, form.term, by=current_user, now=at)
    return _done(member.id, _("已登记并提名，请另一位工作人员确认。"))


@blueprint.get("/<int:member_id>/change")
def edit(member_id: int) -> str:
    """The form for what is known of a member."""
    require(rules.keep_register)
    member = _member(member_id)
    form = DetailsForm(formdata=None, data=told(member))
    return render_template("panel/members/change.html", form=form, member=member)


@blueprint.post("/<int:member_id>/change")
def change(member_id: int) -> Answer:
    """Correct it; terms and decisions stay as they are."""
    require(rules.keep_register)
    member = _member(member_id)
    form = DetailsForm().about(member)
    if not form.validate():
        return render_template("panel/members/change.html", form=form, member=member), 422
    members.change(member, form.details, by=current_user, now=now())
    return _done(member.id, _("资料已经保存。"))


@blueprint.get("/<int:member_id>/term")
def new_term(member_id: int) -> str:
    """The form for another term: going on, coming back, or another category."""
    require(rules.keep_register)
    member, programme = _member(member_id), loading.programme()
    data = usual_term()
    if member.appointments:
        last = member.appointments[0]
        data |= {
            "category": last.category,
            "expertise": last.fields,
            "sub_district": last.sub_district,
            "recommended_by": str(last.recommended_by_unit_id or ""),
        }
        if last.sits(_today()):
            begins = last.term_to + dt.timedelta(days=1)
            data |= {"term_from": begins, "term_to": _years_later(begins)}
    form = TermForm(formdata=None, data=data)
    form.offer(programme)
    return render_template("panel/members/term.html", form=form, member=member)


@blueprint.post("/<int:member_id>/term")
def propose(member_id: int) -> Answer:
    """Propose a member for another term."""
    require(rules.keep_register)
    member, programme, form = _member(member_id), loading.programme(), TermForm()
    form.offer(programme)
    if not form.validate():
        return render_template("panel/members/term.html", form=form, member=member), 422
    appointments.propose(member, programme.id, form.term, by=current_user, now=now())
    return _done(member.id, _("已提名，请另一位工作人员确认。"))


# --- deciding ------------------------------------------------------------------------------


@blueprint.post("/appointments/<int:appointment_id>/decide")
def decide(appointment_id: int) -> Answer:
    """Appoint, as the second person, or refuse with the reason."""
    require(rules.keep_register)
    appointment, act, at = _appointment(appointment_id), request.form.get("act", ""), now()
    if act == "confirm":
        selections.appoint(appointment, by=current_user, today=_today(), now=at)
        said = _("已聘任，立即生效；本人和推荐单位会收到通知。")
    elif act == "refuse":
        form = ObjectionForm().offer()
        if not form.validate():
            return _member_page(appointment.member, objecting=form), 422
        selections.object_to(
            appointment,
            Objection(form.objection.data),
            form.reason.data,
            by=current_user,
            now=at,
        )
        said = _("已记为未聘任。")
    else:
        abort(400)
    return _done(appointment.member_id, said)


@blueprint.get("/appointments/<int:appointment_id>/leave")
def leave(appointment_id: int) -> str:
    """The form for the end of a term."""
    require(rules.keep_register)
    appointment = _appointment(appointment_id)
    follows = str(appointment.successor_id or "")
    form = LeaveForm(formdata=None, data={"on_day": _today(), "successor": follows})
    return _leave_page(appointment, form)


@blueprint.post("/appointments/<int:appointment_id>/leave")
def end(appointment_id: int) -> Answer:
    """End a term; the rights go at once."""
    require(rules.keep_register)
    appointment, form = _appointment(appointment_id), LeaveForm()
    form.successor.choices = _successors(appointment)
    if not form.validate():
        return _leave_page(appointment, form), 422
    chosen = form.successor.data
    appointments.end(
        appointment,
        on_day=form.on_day.data,
        reason=form.reason.data,
        successor=members.by_id(int(chosen)) if chosen else None,
        by=current_user,
        today=_today(),
        now=now(),
    )
    return _done(appointment.member_id, _("已办理离任。"))


@blueprint.post("/<int:member_id>/invite")
def invite(member_id: int) -> Answer:
    """Send the link to the member's own account to the member's own address."""
    require(rules.keep_register)
    member = _member(member_id)
    site = of_site().site_url.rstrip("/")

    def address_of(token: str) -> str:
        return site + url_for("accounts.password_link", token=token)

    invitations.send(member, address_of=address_of, by=current_user, now=now())
    return _done(member.id, _("邀请已经发往成员登记的地址，链接48小时内有效，只能使用一次。"))


# --- interests -----------------------------------------------------------------------------


@blueprint.post("/<int:member_id>/interests")
def declare(member_id: int) -> Answer:
    """Note what a member has declared to the office."""
    require(rules.keep_register)
    member, form = _member(member_id), InterestForm()
    if not form.validate():
        return _member_page(member, interest=form), 422
    interests.declare(member, form.words.data, by=current_user, now=now())
    return _done(member.id, _("已记下。"))


@blueprint.post("/interests/<int:interest_id>/withdraw")
def withdraw_interest(interest_id: int) -> Answer:
    """Note that it is no longer so."""
    require(rules.keep_register)
    interest = db.session.get(Interest, interest_id) or abort(404)
    member = _member(interest.member_id)
    interests.withdraw(interest, member, by=current_user, now=now())
    return _done(member.id, _("已记为撤销，原来的申报仍可查看。"))


# --- composition ---------------------------------------------------------------------------


@blueprint.get("/composition")
def shares() -> str:
    """Who sits against the plan, and what is missing."""
    return _composition_page()


@blueprint.post("/composition")
def plan() -> Answer:
    """Say how many seats each category is to have."""
    require(rules.keep_register)
    programme, form, at = loading.programme(), Form(), now()
    if not form.validate():
        return _composition_page(), 422
    wanted: dict[str, int] = {}
    wrong: list[str] = []
    for place, kind in enumerate(quotas.categories(programme.id)):
        typed = request.form.get(f"seats-{place}", "").strip()
        if not typed:
            continue
        number = whole_number(typed, most=999)
        if number is None:
            wrong.append(kind)
        else:
            wanted[kind] = number
    if wrong:
        return _composition_page(wrong), 422
    for kind, number in wanted.items():
        quotas.plan(programme.id, kind, number, by=current_user, now=at)
    db.session.commit()
    flash(_("计划名额已经保存。"), "success")
    return redirect(url_for(".shares"), 303)


def _composition_page(wrong: list[str] | None = None) -> str:
    programme, today = loading.programme(), _today()
    return render_template(
        "panel/members/composition.html",
        shares=composition.of(
            appointments.sitting(programme.id, today),
            categories=quotas.categories(programme.id),
            planned=quotas.planned(programme.id),
            fields=loading.fields(programme),
            on_day=today,
            targets=targets.planned(programme.id),
        ),
        programme=programme,
        kinds=quotas.categories(programme.id),
        planned=quotas.planned(programme.id),
        plain=Form(formdata=None),
        wrong=wrong or [],
        most=MOST_SEATS,
        rules=rules,
    )


# --- parts ---------------------------------------------------------------------------------


def _done(member_id: int, said: str) -> BaseResponse:
    """Keep what was done, say so, and go back to the member."""
    db.session.commit()
    flash(said, "success")
    return redirect(url_for(".show", member_id=member_id), 303)


def _today() -> dt.date:
    return local(now()).date()


def _one_of(name: str, allowed: list[str]) -> str:
    """A value of the list, as a link of ours carries it; another one is as good as none."""
    words = words_in(name, most=120)
    return words if words in allowed else ""


def usual_term() -> dict[str, Any]:
    """From today on, for as long as a plan runs."""
    today = _today()
    return {"term_from": today, "term_to": _years_later(today)}


def _years_later(day: dt.date) -> dt.date:
    """The last day of a term of five years, which is how long a plan runs."""
    try:
        later = day.replace(year=day.year + 5)
    except ValueError:  # the 29th of February
        later = day.replace(year=day.year + 5, day=28)
    return later - dt.timedelta(days=1)


def _member(member_id: int) -> Member:
    return members.by_id(member_id) or abort(404)


def _appointment(appointment_id: int) -> Appointment:
    return appointments.by_id(appointment_id) or abort(404)


def _successors(appointment: Appointment) -> list[SelectChoice]:
    """Those of the same category who sit or are proposed, apart from the one who leaves."""
    query = (
        sa.select(Member.id, Member.name)
        .join(Appointment, Appointment.member_id == Member.id)
        .where(
            Appointment.programme_id == appointment.programme_id,
            Appointment.category == appointment.category,
            Appointment.state.in_([AppointmentState.APPOINTED, AppointmentState.PROPOSED]),
            Member.id != appointment.member_id,
        )
        .group_by(Member.id, Member.name, Member.by_stroke)
        .order_by(Member.by_stroke)
    )
    found = [SelectChoice(str(number), name) for number, name in db.session.execute(query)]
    return [SelectChoice("", _("（无）")), *found]


def _leave_page(appointment: Appointment, form: LeaveForm) -> str:
    form.successor.choices = _successors(appointment)
    return render_template("panel/members/leave.html", form=form, appointment=appointment)


def _member_page(
    member: Member,
    *,
    objecting: ObjectionForm | None = None,
    interest: InterestForm | None = None,
) -> str:
    programme = programmes.newest()
    return render_template(
        "panel/members/show.html",
        member=member,
        fields=loading.fields(programme) if programme else {},
        contact=members.contact(member),
        today=_today(),
        objecting=objecting or ObjectionForm(formdata=None).offer(),
        interest=interest or InterestForm(formdata=None),
        plain=Form(formdata=None),
        me=current_user.id,
        rules=rules,
    )
