"""Who is asked to a meeting and who came: invitations by rule, the draw of lots, the list at the
door and its code."""

from collections.abc import Sequence
from functools import partial

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as Answer
from wtforms import SelectField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from consult import topics
from consult.consultations import SHANGHAI
from consult.views.feeds import absolute
from core import audit, qr, sealing
from core.config import of_site
from core.db import db
from core.errors import refusals_on
from core.forms import Form, LineField, Telling, Words
from core.web import now
from panel import appointments, guests, lot_rows, lots, meetings, quotas, seats
from panel.guests import Attendance
from panel.meetings import Meeting, MeetingState
from panel.members import Member
from panel.seats import SeatRequest, SeatState
from panel.views.meeting_desk import MomentField, at_the_desk, meeting_at_the_desk
from panel.views.my_meetings import ticket_for

blueprint = Blueprint("meeting_guests", __name__, url_prefix="/desk/meetings")


class InviteForm(Form):
    """By which rule members are invited."""

    rule = SelectField(_l("邀请谁"), validators=[InputRequired(_l("请选择邀请谁。"))])
    named = SelectMultipleField(_l("指定成员"), choices=[], validate_choice=False)

    def offer(self, meeting: Meeting) -> "InviteForm":
        """The rules that this programme knows."""
        categories = quotas.categories(meeting.programme_id)
        fields = topics.of(meeting.programme)
        self.rule.choices = [
            SelectChoice("named", _("下面勾选的成员")),
            SelectChoice("panel", _("全体成员")),
            *(
                SelectChoice(f"category:{n}", _("类别：%(name)s", name=name))
                for n, name in enumerate(categories)
            ),
            *(
                SelectChoice(f"field:{each.key}", _("领域：%(name)s", name=each.title))
                for each in fields
            ),
        ]
        return self


class FreezeForm(Form):
    """Which public number will be the seed, said before it is known."""

    source = LineField(
        _l("种子来源"),
        [Words(most=200, missing=_l("请写明用哪一个公开数字作种子。"))],
        description=_l(
            "例如“2020年10月30日开奖的双色球第2020108期全部号码”。会公开；只有这个数字没有产生，才能改换，改换也会公开。"
        ),
        render_kw={"autocomplete": "off"},
    )
    known_at = MomentField(
        _l("这个数字什么时候公布"),
        [InputRequired(_l("请填写公布的时间。"))],
        description=_l("在现在以后、会议开始以前；到时才能输入种子抽签。"),
    )


class ReseedForm(FreezeForm):
    """Another public number, where the one that was named never came."""

    reason = LineField(
        _l("为什么改换"),
        [
            Telling(
                least=10,
                most=300,
                missing=_l("请写明原定的数字为什么没有产生。"),
            )
        ],
        description=_l("会公开，例如“因设备故障，当日停止开奖，主办方已发布公告”。"),
        render_kw={"autocomplete": "off"},
    )


class DrawForm(Form):
    """The seed, which everybody may repeat the draw with."""

    seed = LineField(
        _l("随机种子"),
        [Words(most=100, missing=_l("请填写种子。"))],
        description=_l("照已经公布的来源填写那个数字，不加空格和标点。会公开。"),
        render_kw={"autocomplete": "off"},
    )


@blueprint.get("/<int:meeting_id>/guests")
def show(meeting_id: int) -> str:
    """Who is invited, what they answered, and whom else to invite."""
    meeting = meeting_at_the_desk(meeting_id)
    return _page(meeting, InviteForm(formdata=None))


@blueprint.post("/<int:meeting_id>/guests")
def invite(meeting_id: int) -> Answer | tuple[str, int]:
    """Invite by a rule."""
    meeting = meeting_at_the_desk(meeting_id)
    form = InviteForm().offer(meeting)
    if not form.validate():
        return _page(meeting, form), 422
    people, basis = _chosen(meeting, form)
    if not people:
        form.rule.errors = [_("按这个条件没有在任的成员。")]
        return _page(meeting, form), 422
    count = guests.invite(meeting, people, basis, by=current_user, now=now())
    db.session.commit()
    flash(_("新邀请%(n)d人；已在名单上的没有重复邀请。", n=count), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.post("/guests/<int:invitation_id>/remove")
def remove(invitation_id: int) -> Answer:
    """Take back an invitation that was not sent."""
    at_the_desk()
    found = guests.by_id(invitation_id) or abort(404)
    meeting_id = found.meeting_id
    guests.remove(found, by=current_user, now=now())
    db.session.commit()
    return redirect(url_for(".show", meeting_id=meeting_id))


@blueprint.get("/<int:meeting_id>/attendance")
def attendance(meeting_id: int) -> str:
    """The list at the door, to be ticked or printed."""
    meeting = meeting_at_the_desk(meeting_id)
    return _list_page(meeting, names={})


@blueprint.post("/<int:meeting_id>/attendance")
def note(meeting_id: int) -> Answer:
    """Keep what was ticked."""
    meeting, at = meeting_at_the_desk(meeting_id), now()
    if not _may_note(meeting):
        abort(409)
    for each in guests.of(meeting.id):
        said = request.form.get(f"member-{each.id}", "")
        if said in {kind.value for kind in Attendance}:
            guests.note_attendance(each, Attendance(said), by=current_user, now=at)
    for seat in _seated(meeting):
        said = request.form.get(f"seat-{seat.id}", "")
        if said in ("present", "absent"):
            seats.note_came(seat, said == "present", by=current_user, now=at)
    db.session.commit()
    flash(_("到会情况已保存。"), "success")
    return redirect(url_for(".attendance", meeting_id=meeting.id))


@blueprint.post("/<int:meeting_id>/names")
def names(meeting_id: int) -> str:
    """The list at the door with the names of those who applied; that they were read is on record."""
    meeting, key = meeting_at_the_desk(meeting_id), of_site().contact_key
    found = {
        seat.id: sealing.unseal(key, seat.sealed_name)
        for seat in _seated(meeting)
        if seat.sealed_name
    }
    audit.record("seat_request.names_read", meeting, by=current_user, now=now(), name=meeting.title)
    db.session.commit()
    return _list_page(meeting, names=found)


@blueprint.get("/<int:meeting_id>/code.svg")
def code(meeting_id: int) -> Response:
    """The code at the door as a picture."""
    meeting = meeting_at_the_desk(meeting_id)
    address = absolute("my_meetings.door", ticket=ticket_for(meeting.id))
    return Response(qr.svg(address), mimetype="image/svg+xml")


@blueprint.post("/<int:meeting_id>/pool")
def freeze(meeting_id: int) -> Answer | tuple[str, int]:
    """Fix among whom lots will be drawn, before anybody knows the seed."""
    meeting, form = meeting_at_the_desk(meeting_id), FreezeForm()
    if not form.validate():
        return _page(meeting, InviteForm(formdata=None), freezing=form), 422
    source, known_at = form.source.data, form.known_at.data
    page = partial(_page, meeting, InviteForm(formdata=None), freezing=form)
    with refusals_on(lambda sentence: page(refusal=sentence)):
        pool = lots.freeze(meeting, source, known_at, by=current_user, now=now())
    db.session.commit()
    flash(
        _("抽签名单已经固定，共%(n)d人，校验值和种子来源已经公开。", n=len(pool.numbers)), "success"
    )
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.post("/<int:meeting_id>/seed")
def reseed(meeting_id: int) -> Answer | tuple[str, int]:
    """Name another public number where the one that was named never came."""
    meeting, form = meeting_at_the_desk(meeting_id), ReseedForm()
    if not form.validate():
        return _page(meeting, InviteForm(formdata=None), reseeding=form), 422
    source, known_at, reason = form.source.data, form.known_at.data, form.reason.data
    page = partial(_page, meeting, InviteForm(formdata=None), reseeding=form)
    with refusals_on(lambda sentence: page(refusal=sentence)):
        lots.reseed(meeting, source, known_at, reason, by=current_user, now=now())
    db.session.commit()
    flash(_("种子来源已经改换，原来的来源和改换的理由一并公开。"), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.post("/<int:meeting_id>/draw")
def draw(meeting_id: int) -> Answer | tuple[str, int]:
    """Draw lots for the seats."""
    meeting, form = meeting_at_the_desk(meeting_id), DrawForm()
    if not form.validate():
        return _page(meeting, InviteForm(formdata=None), form), 422
    made = lots.draw(meeting, form.seed.data, by=current_user, now=now())
    db.session.commit()
    flash(_("抽签完成，%(n)d人取得席位，结果已经通知。", n=len(made.drawn)), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


def _chosen(meeting: Meeting, form: InviteForm) -> tuple[list[Member], str]:
    """Whom the rule means on the day of the meeting, and the rule in words."""
    kind, _colon, which = form.rule.data.partition(":")
    day = meeting.starts_at.astimezone(SHANGHAI).date()
    categories: list[str] | None = None
    fields: list[str] | None = None
    basis = str({c.value: c.label for c in form.rule.choices}.get(form.rule.data, ""))
    if kind == "category":
        categories = [quotas.categories(meeting.programme_id)[int(which)]]
    elif kind == "field":
        fields = [which]
    found = appointments.sitting(meeting.programme_id, day, categories=categories, fields=fields)
    people = [each.member for each in found]
    if kind == "named":
        basis = _("指定")
        wanted = set(form.named.data or [])
        people = [each for each in people if str(each.id) in wanted]
    return people, basis[:120]


def _seated(meeting: Meeting) -> Sequence[SeatRequest]:
    return [seat for seat in seats.of(meeting.id) if seat.state is SeatState.SEATED]


def _may_note(meeting: Meeting) -> bool:
    begun = now() >= meeting.starts_at - guests.DOOR
    return begun and meeting.state in (MeetingState.ANNOUNCED, MeetingState.HELD)


def _page(
    meeting: Meeting,
    form: InviteForm,
    draw: DrawForm | None = None,
    *,
    freezing: FreezeForm | None = None,
    reseeding: ReseedForm | None = None,
    refusal: str = "",
) -> str:
    form.offer(meeting)
    day = meeting.starts_at.astimezone(SHANGHAI).date()
    sitting = appointments.sitting(meeting.programme_id, day)
    found = guests.of(meeting.id)
    invited = {each.member_id for each in found}
    asked, pool = seats.of(meeting.id), lot_rows.pool_of(meeting.id)
    over = (
        meeting.admission is meetings.Admission.DRAW
        and meeting.state is MeetingState.ANNOUNCED
        and meeting.apply_until is not None
        and now() >= meeting.apply_until
        and any(seat.state is SeatState.APPLIED for seat in asked)
    )
    return render_template(
        "panel/meeting_desk/guests.html",
        meeting=meeting,
        form=form,
        found=found,
        others=[each for each in sitting if each.member_id not in invited],
        clashes=guests.conflicts(meeting, [each.member_id for each in sitting]),
        unreached=guests.unreached(found),
        asked=asked,
        made=lot_rows.draw_of(meeting.id),
        draw=draw or DrawForm(formdata=None),
        may_invite=meeting.state in (MeetingState.PREPARED, MeetingState.ANNOUNCED),
        pool=pool,
        freezing=freezing or FreezeForm(formdata=None),
        reseeding=reseeding or ReseedForm(formdata=None),
        refusal=refusal,
        may_freeze=over and pool is None,
        may_draw=over and pool is not None and now() >= pool.known_at,
        may_reseed=over and pool is not None and now() < meeting.starts_at,
        is_draw=meeting.is_public and meeting.admission is meetings.Admission.DRAW,
    )


def _list_page(meeting: Meeting, *, names: dict[int, str]) -> str:
    return render_template(
        "panel/meeting_desk/attendance.html",
        meeting=meeting,
        found=guests.of(meeting.id),
        seated=_seated(meeting),
        names=names,
        kinds=list(Attendance),
        form=Form(formdata=None),
        may_note=_may_note(meeting),
        door=absolute("my_meetings.door", ticket=ticket_for(meeting.id)),
    )
