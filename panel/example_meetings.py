"""The built-in example's meetings: one of each kind, past and coming. It only arranges; everything
goes through the operations."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from consult import (
    consultations,
    drafts,
    example_files,
    official_paper,
    screening,
    submissions,
    topics,
)
from consult.consultations import SHANGHAI, Consultation
from consult.drafts import Version
from consult.programmes import Programme
from consult.submissions import Submission, SubmissionState
from core import accounts, audit, consents, sealing, uploads
from core.accounts import RoleName
from core.audit import COMMAND_LINE, Actor
from core.config import of_site
from core.db import db
from core.errors import Refused
from panel import appointments, guests, meetings, minutes, papers, seats
from panel.guests import Answer, Attendance
from panel.meetings import Admission, Meeting, MeetingKind, MeetingState, Plan
from panel.seats import SeatState

DATA = Path(__file__).parent / "data" / "example-meetings.yaml"
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def load(programme: Programme, *, now: dt.datetime) -> None:
    """Arrange the meetings the file names, where the consultations they are about are."""
    for told in example_files.read(DATA):
        consultation = None
        if slug := told.get("consultation"):
            consultation = consultations.by_slug(slug)
            if consultation is None or drafts.published(consultation) is None:
                continue
        _Arranging(programme, consultation, told, now).all()


class _Arranging:
    """One meeting, from its plan to its record."""

    def __init__(
        self,
        programme: Programme,
        consultation: Consultation | None,
        told: dict[str, Any],
        now: dt.datetime,
    ) -> None:
        self.programme, self.consultation, self.told, self.now = programme, consultation, told, now
        self.by: Actor = accounts.demonstration_account(RoleName.DRC_STAFF) or COMMAND_LINE
        self.version: Version | None = drafts.published(consultation) if consultation else None
        starts = told["starts"]
        self.starts = self._at(starts.get("date", starts.get("day")), starts["hour"])
        self.ends = self.starts + told["hours"] * HOUR
        self.public: dict[str, Any] = told.get("public", {})
        self.announced = (
            self._at(self.public["from"], 9)
            if self.public
            else min(self.starts - 4 * DAY, now - 3 * DAY)
        )

    def all(self) -> None:
        """Plan, invite, announce; and if it is over, hold it and write it up."""
        meeting = self._plan()
        self._agenda(meeting)
        self._paper(meeting)
        self._invite(meeting)
        delivered = papers.delivered(meeting.id)
        meetings.announce(meeting, delivered=delivered, by=self.by, now=self.announced)
        guests.send(meeting, now=self.announced)
        self._answers(meeting)
        self._applications(meeting)
        if self.ends < self.now:
            meetings.hold(meeting, delivered=delivered, by=self.by, now=self.ends)
            self._attended(meeting)
            self._minutes(meeting)

    def _plan(self) -> Meeting:
        told, public = self.told, self.public
        field = next(
            (each for each in self.programme.discussion_fields if each.name == told.get("field")),
            None,
        )
        plan = Plan(
            kind=MeetingKind(told["kind"]),
            title=told["title"],
            starts_at=self.starts,
            ends_at=self.ends,
            field_id=field.id if field else None,
            topic=told.get("topic", ""),
            consultation_id=self.consultation.id if self.consultation else None,
            about=told.get("about", "").strip(),
            place=told.get("place", ""),
            link=told.get("link", ""),
            chair=told.get("chair", ""),
            is_public=bool(public),
            admission=Admission(public.get("admission", "first_come")),
            seats=public.get("seats", 0),
            apply_from=self._at(public["from"], 9) if public else None,
            apply_until=self._at(public["until"], 18) if public else None,
        )
        return meetings.create(self.programme, plan, by=self.by, now=self.announced - DAY)

    def _agenda(self, meeting: Meeting) -> None:
        for each in self.told["agenda"]:
            mark = self._mark(each.get("at"))
            papers.add_item(
                meeting,
                each["title"],
                version=self.version if mark else None,
                mark=mark,
                by=self.by,
                now=self.announced,
            )

    def _paper(self, meeting: Meeting) -> None:
        told = self.told.get("paper")
        if told is None:
            return
        document = official_paper.blank()
        official_paper.title(document, told["name"].removesuffix(".docx"))
        for line in told["lines"]:
            official_paper.body(document, line)
        data = official_paper.saved(document)
        papers.add_paper(
            meeting,
            told["name"],
            data,
            delivered_on=self.announced.astimezone(SHANGHAI).date(),
            is_public=told.get("public", False),
            by=self.by,
            now=self.announced,
        )
        uploads.keep_by_content(data)

    def _invite(self, meeting: Meeting) -> None:
        day = self.starts.astimezone(SHANGHAI).date()
        titles = {topic.key: topic.title for topic in topics.of(self.programme)}
        chosen: dict[str, Sequence[str]] = self.told.get("invite", {})
        rules = [
            *((name, _("类别：%(name)s", name=name)) for name in chosen.get("categories", ())),
            *(
                (key, _("领域：%(name)s", name=titles.get(key, key)))
                for key in chosen.get("fields", ())
            ),
        ]
        for key, basis in rules:
            narrowed = {"categories": [key]} if "categories" in chosen else {"fields": [key]}
            sitting = appointments.sitting(self.programme.id, day, **narrowed)
            people = [appointment.member for appointment in sitting]
            guests.invite(meeting, people, basis, by=self.by, now=self.announced)

    def _answers(self, meeting: Meeting) -> None:
        invited = {each.member.name: each for each in guests.of(meeting.id)}
        for given, names in self.told.get("answers", {}).items():
            for name in names:
                if name in invited:
                    at = self.announced + 20 * HOUR
                    guests.answer(invited[name], Answer(given), by=COMMAND_LINE, now=at)

    def _applications(self, meeting: Meeting) -> None:
        settings = of_site()
        for number in range(1, self.told.get("applicants", 0) + 1):
            contact = f"resident{number}@example.invalid"
            name = _("居民%(n)d（演示）", n=number)
            seats.apply(
                meeting,
                sealed_name=sealing.seal(settings.contact_key, name),
                sealed_contact=sealing.seal(settings.contact_key, contact),
                person_key=submissions.person_key(settings.secret_key, "meeting", contact),
                key=hashlib.sha256(f"example-seat:{meeting.id}:{number}".encode()).hexdigest(),
                consent=consents.MEETING.version,
                by=audit.RESIDENT,
                now=min(self.announced + number * HOUR, self.now),
            )

    def _attended(self, meeting: Meeting) -> None:
        invited = {each.member.name: each for each in guests.of(meeting.id)}
        for came, names in self.told.get("attended", {}).items():
            for name in names:
                if name in invited:
                    guests.note_attendance(
                        invited[name], Attendance(came), by=self.by, now=self.ends
                    )
        seated = [each for each in seats.of(meeting.id) if each.state is SeatState.SEATED]
        for place, seat in enumerate(seated):
            seats.note_came(seat, place > 0, by=self.by, now=self.ends)

    def _minutes(self, meeting: Meeting) -> None:
        invited = {each.member.name: each.member_id for each in guests.of(meeting.id)}
        at = min(self.ends + 20 * HOUR, self.now)
        for told in self.told["minutes"]:
            speaker = told.get("member", "")
            point = minutes.add(
                meeting,
                told["body"],
                speaker=speaker,
                part=told["part"],
                member_id=invited.get(speaker),
                name_agreed=told.get("agreed", False),
                mark=self._mark(told.get("at")),
                by=self.by,
                now=at,
            )
            if told.get("send"):
                self._send(meeting, point, at)
        if "public_record" in self.told:
            minutes.publish(meeting, public=self.told["public_record"], by=self.by, now=at + HOUR)
        assert meeting.state in (MeetingState.HELD, MeetingState.RECORDED)

    def _send(self, meeting: Meeting, point: minutes.MinutePoint, at: dt.datetime) -> None:
        received = minutes.send(meeting, point, secret=of_site().secret_key, by=self.by, now=at)
        screener = accounts.demonstration_account(RoleName.SCREENER)
        if screener is not None:
            submission = db.session.get_one(Submission, received.id)
            screening.decide(submission, SubmissionState.SHOWN, by=screener, now=at + HOUR)

    def _mark(self, heading: str | None) -> int:
        if heading is None or self.version is None:
            return 0
        for entry in drafts.outline(self.version).headings:
            if entry.text == heading:
                return entry.mark
        raise Refused(_("示例会议所指的“%(words)s”在文稿里找不到。", words=heading))

    def _at(self, said: int | dt.date, hour: int) -> dt.datetime:
        """An hour of a date, or of so many days after the day of loading."""
        day = said
        if not isinstance(day, dt.date):
            day = self.now.astimezone(SHANGHAI).date() + dt.timedelta(days=day)
        return dt.datetime.combine(day, dt.time(hour), SHANGHAI).astimezone(dt.UTC)
