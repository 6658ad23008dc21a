"""What the public learns of a stage: totals of reviews and meetings, nothing of fewer than five."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import audit
from core.db import db
from panel import guests, meetings, stage_totals
from panel.guests import Attendance
from panel.stage_totals import shielded, told
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.meetings_made import DAY, a_meeting, a_member


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        ([9, 7, 6], [9, 7, 6]),
        ([9, 7, 0], [9, 7, 0]),
        # The one left out could be taken from the sum: the next smallest goes, too.
        ([9, 7, 2], [9, None, None]),
        ([9, 2, 1], [9, None, None]),
        ([3, 0, 0], [None, 0, 0]),
        ([0, 0, 0], [0, 0, 0]),
    ],
)
def test_few_people_are_not_told_of(cells: list[int], kept: list[int | None]) -> None:
    assert shielded(cells) == kept


def test_a_figure_stands_for_the_people_behind_it() -> None:
    assert (told(40, 4), told(40, 5), told(4), told(5), told(0, 0)) == (None, 40, None, 5, 0)


def test_public_meetings_count_and_closed_ones_do_not(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        consultation = a_consultation("gangyao")
        a_published_draft(consultation)
        people = [a_member(f"成员{n}") for n in range(7)]
        for is_public in (True, False):
            meeting = a_meeting(
                starts_at=NOON - DAY,
                consultation_id=consultation.id,
                is_public=is_public,
                seats=2 if is_public else 0,
                apply_from=NOON - 9 * DAY if is_public else None,
                apply_until=NOON - 2 * DAY if is_public else None,
            )
            guests.invite(meeting, people, "全体成员", by=audit.SYSTEM, now=NOON - 8 * DAY)
            meetings.announce(meeting, delivered=[], by=audit.SYSTEM, now=NOON - 8 * DAY)
            guests.send(meeting, now=NOON - 8 * DAY)
            meetings.hold(meeting, delivered=[], by=audit.SYSTEM, now=NOON)
            for place, each in enumerate(guests.of(meeting.id)):
                came = Attendance.PRESENT if place < 5 else Attendance.ABSENT
                guests.note_attendance(each, came, by=audit.SYSTEM, now=NOON)
        db.session.commit()
        (totals,) = stage_totals.of_stages()
        assert totals.stage is not None
        assert totals.stage.id == consultation.stage_id
        assert totals.attended == stage_totals.Attended(1, 7, 5)
        assert totals.attended.rate == 71
        guests.note_attendance(
            guests.of(meeting.id - 1)[0], Attendance.ABSENT, by=audit.SYSTEM, now=NOON
        )
        db.session.commit()
        (totals,) = stage_totals.of_stages()
        assert totals.attended == stage_totals.Attended(1, 7, None)
    page = client.get("/panel/rounds/").get_data(as_text=True)
    assert "受邀到会" in page
    assert "成员" not in page.partition("<main")[2].partition("</main>")[0].replace("全体成员", "")
    assert "/panel/rounds/" in client.get("/panel/").get_data(as_text=True)
