"""The window and its clock: phases to the second, thirty days, later but never earlier."""

import datetime as dt
from collections.abc import Callable

import pytest

from consult import consultation_acts, consultations
from consult.consultations import Consultation, Phase
from core import audit
from core.db import db
from core.errors import Refused
from core.units import Unit, UnitKind
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_programme
from tests.kept import events

pytestmark = pytest.mark.usefixtures("context")

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
SECOND = dt.timedelta(seconds=1)
# NOON is 12:00 on 20 October 2020 in Shanghai.


def at(month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> dt.datetime:
    """A moment of 2020 on the clocks of Shanghai."""
    return dt.datetime(2020, month, day, hour, minute, second, tzinfo=SHANGHAI)


def prepared(
    first: dt.date = dt.date(2020, 11, 1), last: dt.date = dt.date(2020, 11, 30), reason: str = ""
) -> Consultation:
    """A consultation that lacks nothing, with this window."""
    consultation = a_consultation(phase=Phase.PREPARING)
    consultation_acts.set_window(
        consultation, first=first, last=last, short_reason=reason, by=audit.SYSTEM, now=NOON
    )
    return consultation


def announce(
    consultation: Consultation, *, now: dt.datetime = NOON, has_draft: bool = True
) -> None:
    consultation_acts.announce(consultation, has_draft=has_draft, by=audit.SYSTEM, now=now)


@pytest.mark.parametrize(
    ("moment", "phase"),
    [
        (at(10, 31, 23, 59, 59), Phase.UPCOMING),
        (at(11, 1, 0, 0, 0), Phase.OPEN),
        (at(11, 30, 23, 59, 59), Phase.OPEN),
        (at(12, 1, 0, 0, 0), Phase.CLOSED),
    ],
)
def test_a_window_opens_at_midnight_and_closes_at_24_00_of_its_last_day(
    moment: dt.datetime, phase: Phase
) -> None:
    consultation = prepared()
    announce(consultation)
    assert consultation.phase(moment) is phase
    # The same moment said in UTC is the same moment.
    assert consultation.phase(moment.astimezone(dt.UTC)) is phase


def test_the_stored_moments_are_midnight_in_shanghai_said_in_utc() -> None:
    consultation = prepared()
    assert consultation.opens_at == dt.datetime(2020, 10, 31, 16, 0, tzinfo=dt.UTC)
    assert consultation.closes_at == dt.datetime(2020, 11, 30, 16, 0, tzinfo=dt.UTC)
    assert consultation.days == 30
    assert consultation.first_day == dt.date(2020, 11, 1)
    assert consultation.last_day == dt.date(2020, 11, 30)


def test_opinions_are_taken_until_the_last_second_and_not_after() -> None:
    consultation = prepared()
    announce(consultation)
    consultations.must_be_open(consultation, now=at(12, 1) - SECOND)
    with pytest.raises(Refused) as refusal:
        consultations.must_be_open(consultation, now=at(12, 1), kept_text="我的意见")
    assert refusal.value.kept_text == "我的意见"


def test_the_builder_makes_every_phase() -> None:
    for phase in Phase:
        assert a_consultation(slug=phase.value, phase=phase).phase(NOON) is phase


# --- thirty days ---------------------------------------------------------------------------------


def test_thirty_days_need_no_reason_and_twenty_nine_do() -> None:
    assert prepared(dt.date(2020, 11, 1), dt.date(2020, 11, 30)).short_reason == ""
    consultation = consultations.by_slug("gangyao")
    assert consultation is not None
    short = {"first": dt.date(2020, 11, 1), "last": dt.date(2020, 11, 29)}
    with pytest.raises(Refused, match="不足30天"):
        consultation_acts.set_window(
            consultation, **short, short_reason="", by=audit.SYSTEM, now=NOON
        )
    consultation_acts.set_window(
        consultation, **short, short_reason="市里要求12月上旬上报", by=audit.SYSTEM, now=NOON
    )
    assert consultation.days == 29
    assert consultation.short_reason == "市里要求12月上旬上报"


def test_the_reason_for_a_short_window_is_shown_in_the_log() -> None:
    consultation = prepared(dt.date(2020, 11, 1), dt.date(2020, 11, 15), "时间紧")
    announce(consultation)
    assert [(c.what, c.reason) for c in consultations.changes(consultation)] == [
        ("发布公告", "时间紧")
    ]


def test_days_before_the_announcement_do_not_count() -> None:
    # 1 to 30 November, but it is already the 5th: 26 days are left.
    consultation = prepared()
    with pytest.raises(Refused, match="从今天算起"):
        announce(consultation, now=at(11, 5, 9))
    consultation_acts.set_window(
        consultation,
        first=dt.date(2020, 11, 1),
        last=dt.date(2020, 12, 4),
        short_reason="",
        by=audit.SYSTEM,
        now=at(11, 5, 9),
    )
    announce(consultation, now=at(11, 5, 9))
    assert consultation.first_day == dt.date(2020, 11, 5)
    assert consultation.days == 30
    assert consultation.phase(at(11, 5, 9)) is Phase.OPEN


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (dt.date(2020, 11, 30), dt.date(2020, 11, 1)),
        (dt.date(2020, 11, 1), dt.date(2021, 11, 2)),
        (dt.date(1, 1, 1), dt.date(1, 2, 28)),
        (dt.date(9999, 11, 1), dt.date(9999, 12, 31)),
    ],
)
def test_an_impossible_window_is_refused(first: dt.date, last: dt.date) -> None:
    consultation = a_consultation(phase=Phase.PREPARING)
    before = consultation.closes_at
    with pytest.raises(Refused):
        consultation_acts.set_window(
            consultation, first=first, last=last, short_reason="急", by=audit.SYSTEM, now=NOON
        )
    assert consultation.closes_at == before


# --- announcing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blank", "sentence"),
    [
        ({"explanation": ""}, "还没有起草说明。"),
        ({"ways": ""}, "还没有写明参与方式。"),
        ({"contact": ""}, "还没有联系方式。"),
        ({"opens_at": None, "closes_at": None}, "还没有定下起止日期。"),
    ],
)
def test_nothing_is_announced_while_something_is_missing(
    blank: dict[str, object], sentence: str
) -> None:
    consultation = prepared()
    for key, value in blank.items():
        setattr(consultation, key, value)
    with pytest.raises(Refused, match=sentence):
        announce(consultation)
    assert consultation.phase(NOON) is Phase.PREPARING


def test_without_a_published_draft_nothing_is_announced() -> None:
    with pytest.raises(Refused, match="还没有发布文稿。"):
        announce(prepared(), has_draft=False)


def test_a_window_that_is_over_is_not_announced() -> None:
    with pytest.raises(Refused, match="截止时间已经过去"):
        announce(prepared(), now=at(12, 1))


def test_nothing_is_announced_twice_and_the_window_is_fixed_afterwards() -> None:
    consultation = prepared()
    announce(consultation)
    with pytest.raises(Refused):
        announce(consultation)
    with pytest.raises(Refused, match="只能延长"):
        consultation_acts.set_window(
            consultation,
            first=dt.date(2020, 11, 1),
            last=dt.date(2020, 12, 20),
            short_reason="",
            by=audit.SYSTEM,
            now=NOON,
        )


# --- extending -----------------------------------------------------------------------------------


def extend(consultation: Consultation, last: dt.date, reason: str = "应居民要求") -> None:
    consultation_acts.extend(
        consultation, last=last, reason=reason, by=audit.SYSTEM, now=at(11, 20)
    )


def test_a_window_is_extended_to_24_00_of_the_new_day_with_its_reason_in_the_log() -> None:
    consultation = prepared()
    announce(consultation)
    db.session.commit()
    stamp = consultation.stamp
    extend(consultation, dt.date(2020, 12, 10))
    db.session.commit()
    assert consultation.closes_at == dt.datetime(2020, 12, 10, 16, 0, tzinfo=dt.UTC)
    assert consultation.stamp == stamp + 1
    assert [(c.what, c.reason) for c in consultations.changes(consultation)][1:] == [
        ("截止日期延长至2020年12月10日24:00", "应居民要求")
    ]
    (event,) = events("consultation.extended")
    assert event.reason == "应居民要求"
    assert event.before is not None
    assert event.before["closes_at"] == "2020-11-30T16:00:00+00:00"
    assert event.after is not None
    assert event.after["closes_at"] == "2020-12-10T16:00:00+00:00"


@pytest.mark.parametrize("last", [dt.date(2020, 11, 29), dt.date(2020, 11, 30)])
def test_a_window_is_never_shortened_nor_extended_by_nothing(last: dt.date) -> None:
    consultation = prepared()
    announce(consultation)
    with pytest.raises(Refused, match="只能延长"):
        extend(consultation, last)
    assert consultation.last_day == dt.date(2020, 11, 30)


def test_an_extension_needs_a_reason() -> None:
    consultation = prepared()
    announce(consultation)
    with pytest.raises(Refused, match="理由"):
        extend(consultation, dt.date(2020, 12, 10), reason="")


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.CLOSED, Phase.ANSWERED])
def test_only_what_is_announced_and_not_over_is_extended(phase: Phase) -> None:
    consultation = a_consultation(phase=phase)
    with pytest.raises(Refused, match="只有预告中或征集中"):
        consultation_acts.extend(
            consultation, last=dt.date(2021, 3, 1), reason="急", by=audit.SYSTEM, now=NOON
        )


# --- telling what came of it ---------------------------------------------------------------------


def answered(consultation: Consultation, *, waiting: int = 0, feedback: str = "都已研究。") -> None:
    consultation_acts.answer(
        consultation, feedback=feedback, waiting=waiting, by=audit.SYSTEM, now=NOON
    )


def test_a_round_that_is_over_is_answered_once_and_for_everybody_to_read() -> None:
    consultation = a_consultation(phase=Phase.CLOSED)
    answered(consultation)
    db.session.commit()
    assert consultation.phase(NOON) is Phase.ANSWERED
    assert consultation.feedback == "都已研究。"
    assert consultations.changes(consultation)[-1].what == "公布意见征集情况反馈"
    assert len(events("consultation.answered")) == 1
    with pytest.raises(Refused):
        answered(consultation)


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.UPCOMING, Phase.OPEN])
def test_nothing_is_answered_before_it_is_over(phase: Phase) -> None:
    with pytest.raises(Refused):
        answered(a_consultation(phase=phase))


def test_nothing_is_answered_while_an_opinion_waits_or_without_words() -> None:
    consultation = a_consultation(phase=Phase.CLOSED)
    with pytest.raises(Refused, match="还有3件意见没有审核"):
        answered(consultation, waiting=3)
    with pytest.raises(Refused, match="反馈内容"):
        answered(consultation, feedback="")
    assert consultation.phase(NOON) is Phase.CLOSED


# --- each change once ----------------------------------------------------------------------------


def test_every_act_leaves_one_audit_event() -> None:
    unit = Unit(slug="fgw", name="区发展改革委", kind=UnitKind.DEPARTMENT)
    db.session.add(unit)
    (_research, drafting) = a_programme().stages
    made = consultation_acts.create(
        slug="s-1", title="征求意见", stage=drafting, unit=None, by=audit.SYSTEM, now=NOON
    )
    words = {"title": "征求意见", "explanation": "说明", "ways": "来信", "contact": "电话"}
    acts: list[Callable[[], object]] = [
        lambda: consultation_acts.write_notice(made, **words, by=audit.SYSTEM, now=NOON),
        lambda: consultation_acts.entrust(made, unit, by=audit.SYSTEM, now=NOON),
        lambda: consultation_acts.set_window(
            made,
            first=dt.date(2020, 11, 1),
            last=dt.date(2020, 11, 30),
            short_reason="",
            by=audit.SYSTEM,
            now=NOON,
        ),
        lambda: announce(made),
        lambda: extend(made, dt.date(2020, 12, 10)),
    ]
    for number, act in enumerate(acts, start=2):
        act()
        db.session.flush()
        assert len(events()) == number
    assert [event.action for event in events()] == [
        "consultation.created",
        "consultation.notice_written",
        "consultation.entrusted",
        "consultation.window_set",
        "consultation.announced",
        "consultation.extended",
    ]
    assert {event.thing_id for event in events()} == {made.id}


def test_saving_what_has_not_changed_is_no_act() -> None:
    consultation = a_consultation(phase=Phase.OPEN)
    words = {key: getattr(consultation, key) for key in consultations.NOTICE}
    before, changes = len(events()), len(consultations.changes(consultation))
    consultation_acts.write_notice(consultation, **words, by=audit.SYSTEM, now=NOON)
    consultation_acts.entrust(consultation, None, by=audit.SYSTEM, now=NOON)
    db.session.flush()
    assert (len(events()), len(consultations.changes(consultation))) == (before, changes)


def test_a_correction_after_announcing_says_publicly_what_was_corrected() -> None:
    consultation = a_consultation(phase=Phase.OPEN)
    words = {key: getattr(consultation, key) for key in consultations.NOTICE}
    words |= {"ways": "也可以发电子邮件。", "contact": "电话：021-11111111"}
    consultation_acts.write_notice(consultation, **words, by=audit.SYSTEM, now=NOON)
    assert consultations.changes(consultation)[-1].what == "修订公告：参与方式、联系方式"
    words["contact"] = ""
    with pytest.raises(Refused, match="不能留空"):
        consultation_acts.write_notice(consultation, **words, by=audit.SYSTEM, now=NOON)


def test_two_officers_do_not_write_over_each_other() -> None:
    consultation = a_consultation(phase=Phase.PREPARING)
    seen = consultation_acts.notice_seal(consultation)
    words = {key: getattr(consultation, key) for key in consultations.NOTICE}
    first, second = words | {"ways": "甲写的"}, words | {"ways": "乙写的"}
    consultation_acts.write_notice(consultation, **first, seen=seen, by=audit.SYSTEM, now=NOON)
    with pytest.raises(Refused, match="已由他人修改"):
        consultation_acts.write_notice(consultation, **second, seen=seen, by=audit.SYSTEM, now=NOON)
    assert consultation.ways == "甲写的"


@pytest.mark.parametrize("slug", ["", "Gang", "a--b", "-a", "a-", "纲要", "a b", "a/b", "a" * 65])
def test_a_slug_that_is_no_address_is_refused(slug: str) -> None:
    stage = a_programme().stages[0]
    with pytest.raises(Refused, match="网址短名"):
        consultation_acts.create(
            slug=slug, title="x", stage=stage, unit=None, by=audit.SYSTEM, now=NOON
        )


def test_a_slug_is_used_once() -> None:
    stage = a_consultation("gangyao").stage
    with pytest.raises(Refused, match="已经用过"):
        consultation_acts.create(
            slug="gangyao", title="x", stage=stage, unit=None, by=audit.SYSTEM, now=NOON
        )
