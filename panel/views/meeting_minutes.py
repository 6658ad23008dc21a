"""The minutes at the desk: point by point, corrected until published, each turned into an opinion
by one button."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import BooleanField, SelectField
from wtforms.fields.choices import SelectChoice

from consult import drafts
from core.config import of_site
from core.db import db
from core.errors import refusals_on
from core.forms import Form, LineField, TextField, Words
from core.web import now
from panel import guests, minutes
from panel.meetings import Meeting, MeetingState
from panel.minutes import MinutePoint
from panel.views.meeting_desk import at_the_desk, meeting_at_the_desk

blueprint = Blueprint("meeting_minutes", __name__, url_prefix="/desk/meetings")


class PointForm(Form):
    """One thing that was said, and by whom."""

    member = SelectField(
        _l("发言的成员"), default="", description=_l("不是咨询团成员的，在下面填写。")
    )
    speaker = LineField(
        _l("其他发言人姓名"), [Words(least=0, most=60, missing="")], description=_l("可以不填。")
    )
    part = LineField(
        _l("身份"),
        [Words(least=0, most=60, missing="")],
        description=_l("例如“居民代表”“区统计局”。未同意公开姓名的，公开记录里只写身份。"),
    )
    name_agreed = BooleanField(_l("本人同意在公开的记录里写明姓名"))
    section = SelectField(_l("针对哪一部分"), default="0")
    body = TextField(
        _l("发言要点"),
        [Words(most=minutes.LONGEST, missing=_l("请写下发言要点。"))],
        description=_l("一条写一个意思；涉及他人个人信息的不要写入。"),
        render_kw={"rows": 5, "data-keep": ""},
    )

    def offer(self, meeting: Meeting) -> "PointForm":
        """Who was invited, and the sections of the draft."""
        self.member.choices = [
            SelectChoice("", _("不是咨询团成员")),
            *(
                SelectChoice(str(each.member_id), each.member.name)
                for each in guests.of(meeting.id)
            ),
        ]
        version = drafts.published(meeting.consultation) if meeting.consultation else None
        headings = drafts.outline(version).headings if version else []
        self.section.choices = [
            SelectChoice("0", _("全文")),
            *(
                SelectChoice(str(each.mark), "\u3000" * (each.level - 1) + each.text)
                for each in headings
            ),
        ]
        return self

    def facts(self, meeting: Meeting) -> dict[str, Any]:
        """What was filled in; a member's name comes from the register."""
        member_id = int(self.member.data) if self.member.data else None
        speaker = self.speaker.data
        if member_id is not None:
            speaker = next(
                each.member.name for each in guests.of(meeting.id) if each.member_id == member_id
            )
        return {
            "member_id": member_id,
            "speaker": speaker,
            "part": self.part.data,
            "name_agreed": self.name_agreed.data,
            "mark": int(self.section.data or 0),
        }


class PublishForm(Form):
    """Whether everybody may read it."""

    public = BooleanField(_l("向社会公开这份记录"), default=True)


@blueprint.get("/<int:meeting_id>/minutes")
def show(meeting_id: int) -> str:
    """What was written down so far."""
    meeting = meeting_at_the_desk(meeting_id)
    return _page(meeting, PointForm(formdata=None).offer(meeting))


@blueprint.post("/<int:meeting_id>/minutes")
def add(meeting_id: int) -> Response | tuple[str, int]:
    """Write down one more point."""
    meeting = meeting_at_the_desk(meeting_id)
    form = PointForm().offer(meeting)
    if not form.validate():
        return _page(meeting, form), 422
    with refusals_on(lambda sentence: _page(meeting, form, sentence)):
        minutes.add(meeting, form.body.data, **form.facts(meeting), by=current_user, now=now())
    db.session.commit()
    flash(_("已记录一条发言。"), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.get("/minutes/<int:minute_id>")
def edit(minute_id: int) -> str:
    """One point, to be corrected."""
    meeting, point = _point(minute_id)
    form = PointForm(
        formdata=None,
        member=str(point.member_id or ""),
        speaker="" if point.member_id else point.speaker,
        part=point.part,
        name_agreed=point.name_agreed,
        section=str(point.mark),
        body=point.body,
    ).offer(meeting)
    return _point_page(meeting, point, form)


def _point_page(meeting: Meeting, point: MinutePoint, form: PointForm, refusal: str = "") -> str:
    return render_template(
        "panel/meeting_desk/point.html", meeting=meeting, point=point, form=form, refusal=refusal
    )


@blueprint.post("/minutes/<int:minute_id>")
def save(minute_id: int) -> Response | tuple[str, int]:
    """Keep the correction."""
    meeting, point = _point(minute_id)
    form = PointForm().offer(meeting)
    if not form.validate():
        return _point_page(meeting, point, form), 422
    facts = form.facts(meeting)
    with refusals_on(lambda sentence: _point_page(meeting, point, form, sentence)):
        minutes.edit(meeting, point, form.body.data, **facts, by=current_user, now=now())
    db.session.commit()
    flash(_("已保存。"), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.post("/minutes/<int:minute_id>/remove")
def remove(minute_id: int) -> Response:
    """Strike a point."""
    meeting, point = _point(minute_id)
    minutes.remove(meeting, point, by=current_user, now=now())
    db.session.commit()
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.post("/minutes/<int:minute_id>/send")
def send(minute_id: int) -> Response:
    """Turn a point into an opinion, once."""
    meeting, point = _point(minute_id)
    received = minutes.send(meeting, point, secret=of_site().secret_key, by=current_user, now=now())
    db.session.commit()
    if received.again:
        flash(_("这条发言已经是第%(n)d件意见，没有重复转入。", n=received.number), "info")
    else:
        flash(_("已转为第%(n)d件意见，等待审核。", n=received.number), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.post("/<int:meeting_id>/publish")
def publish(meeting_id: int) -> Response:
    """Close the record."""
    meeting, form = meeting_at_the_desk(meeting_id), PublishForm()
    if not form.validate():
        abort(422)
    minutes.publish(meeting, public=form.public.data, by=current_user, now=now())
    db.session.commit()
    flash(_("会议记录已经定稿。"), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


def _point(minute_id: int) -> tuple[Meeting, MinutePoint]:
    at_the_desk()
    point = db.session.get(MinutePoint, minute_id) or abort(404)
    return meeting_at_the_desk(point.meeting_id), point


def _page(meeting: Meeting, form: PointForm, refusal: str = "") -> str:
    consultation = meeting.consultation
    return render_template(
        "panel/meeting_desk/minutes.html",
        meeting=meeting,
        points=[(point, minutes.said_by(point)) for point in minutes.of(meeting.id)],
        form=form,
        refusal=refusal,
        publish=PublishForm(formdata=None),
        may_write=meeting.state is MeetingState.HELD or bool(refusal),
        may_send=consultation is not None
        and minutes.takes(consultation, now())
        and meeting.state in (MeetingState.HELD, MeetingState.RECORDED),
    )
