"""The public figures of screening: kept as things happen, told month by month."""

import datetime as dt

import pytest
from flask.testing import FlaskClient

from consult import appeals, proposals, screening, screening_figures
from consult.consultations import Consultation
from consult.decisions import Reason
from consult.screening_figures import median, waited
from tests import people
from tests.conftest import NOON
from tests.screenings_made import ASKED, HIDDEN, REFERRED, SHOWN, an_opinion, decide

pytestmark = pytest.mark.usefixtures("context")

HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("waits", "middle"),
    [
        ({}, None),
        ({5: 1}, 5),
        ({0: 1, 2: 1}, 1),
        ({1: 2, 9: 1}, 1),
        ({1: 1, 2: 1, 3: 1}, 2),
        ({1: 1, 8: 3}, 8),
        ({1: 2, 4: 2}, 2.5),
    ],
)
def test_the_middle_of_the_waiting_times(waits: dict[int, int], middle: float | None) -> None:
    assert median(waits) == middle


def test_waiting_is_kept_to_the_hour_then_to_the_day() -> None:
    times = [HOUR * n for n in (-1, 0.9, 71, 73, 95, 96, 24 * 400)]
    assert waited(times) == {
        "waited:0": 2,
        "waited:71": 1,
        "waited:72": 2,
        "waited:96": 1,
        "waited:8760": 1,
    }


def test_a_months_figures_are_what_happened_in_it(
    client: FlaskClient, consultation: Consultation
) -> None:
    made = [an_opinion(consultation, f"第{n}件意见") for n in range(6)]
    first, second, third = (people.make("screener") for _ in range(3))
    # Waited 2, 4 and 6 hours for their first decision.
    screening.decide(made[0], SHOWN, by=first, now=NOON + 2 * HOUR)
    screening.decide(made[1], REFERRED, by=first, now=NOON + 4 * HOUR)
    proposals.propose(made[2], Reason.ADVERTISEMENT, by=first, now=NOON + HOUR)
    proposals.confirm(made[2], by=second, now=NOON + 6 * HOUR)
    screening.decide(made[3], ASKED, told="请写明。", by=first, now=NOON)
    screening.withdraw(made[4], now=NOON)
    appeals.file(made[1], "这是建议，不是诉求。", now=NOON)
    appeals.file(made[2], "这不是广告，请再看。", now=NOON)
    appeals.uphold(made[2], "是广告。", by=third, now=NOON)
    screening.decide(made[1], SHOWN, by=third, now=NOON + 8 * HOUR)
    (month,) = screening_figures.months(12)
    assert month.month == 202010
    assert month.median_hours == 4
    assert month.hidden == {"advertisement": 1}
    assert dict(month.counts) == {
        "received": 6,
        "shown": 2,
        "referred": 1,
        "hidden:advertisement": 1,
        "asked": 1,
        "withdrawn": 1,
        "appealed": 2,
        "appeal:upheld": 1,
        "appeal:changed": 1,
        "waited:2": 1,
        "waited:4": 1,
        "waited:6": 1,
    }


def test_a_month_is_a_month_in_shanghai(consultation: Consultation) -> None:
    submission = an_opinion(consultation)
    # 31 October, 16:30 in London is November in Shanghai.
    later = dt.datetime(2020, 10, 31, 16, 30, tzinfo=dt.UTC)
    screening.decide(submission, SHOWN, by=people.make("screener"), now=later)
    assert [each.month for each in screening_figures.months(12)] == [202011, 202010]
    assert [each.month for each in screening_figures.months(1)] == [202011]


def test_everybody_reads_them(client: FlaskClient, consultation: Consultation) -> None:
    assert "还没有审核情况" in client.get("/rules/figures").text
    submission = an_opinion(consultation)
    decide(submission, HIDDEN, Reason.OFF_TOPIC)
    page = client.get("/rules/figures").text
    assert "2020年10月" in page
    assert "与本次征求意见的文稿无关 1" in page
    assert "不到1小时" in page
    assert "/rules/figures" in client.get("/rules").text
