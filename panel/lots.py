"""Lots for the seats of a public meeting (席位抽签): the list is fixed, then a seed drawn upon.

The list is fixed first, and with it is said which public number of a coming hour will be the seed:
whoever types the seed could not have chosen it. Where that number never comes, another that is
still to come is named in its place, and both stay readable with the reason.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core import audit
from core.db import db
from core.errors import Refused
from panel import meetings, seats
from panel.lot_rows import SeatDraw, SeatPool, SeedChange, draw_of, pool_of
from panel.meetings import Admission, Meeting, MeetingState
from panel.seats import SeatRequest, SeatState

audit.ACTIONS.update(
    {
        "seat_pool.frozen": _l("固定抽签名单"),
        "seat_pool.reseeded": _l("改换种子来源"),
        "seat_draw.made": _l("会议席位抽签"),
    }
)
audit.KINDS.update({"seat_draw": _l("会议席位抽签"), "seat_pool": _l("抽签名单")})
audit.FIELDS.update(
    {
        "numbers": _l("名单人数"),
        "sha256": _l("名单校验值"),
        "seed_source": _l("种子来源"),
        "known_at": _l("种子公布时间"),
        "seed": _l("种子"),
    }
)

ALGORITHM = "sha256-1"


def ranked(seed: str, pool: Sequence[str]) -> list[str]:
    """The pool in the order of the draw: by the SHA-256 of `seed:number`, in hexadecimal."""
    return sorted(
        sorted(pool, key=int), key=lambda n: hashlib.sha256(f"{seed}:{n}".encode()).hexdigest()
    )


def digest(numbers: Sequence[str]) -> str:
    """The SHA-256 of a list, in hexadecimal: of its numbers joined by commas."""
    return hashlib.sha256(",".join(numbers).encode()).hexdigest()


def freeze(
    meeting: Meeting, source: str, known_at: dt.datetime, *, by: audit.Actor, now: dt.datetime
) -> SeatPool:
    """Fix among whom lots will be drawn, and say which public number will be the seed and when it
    comes out: it must not be known yet."""
    _must_be_for_lots(meeting, now)
    if pool_of(meeting.id) is not None:
        raise Refused(_("抽签名单已经固定，不能再改。"))
    _must_be_to_come(known_at, meeting, now)
    numbers = sorted(_standing(meeting), key=int)
    if not numbers:
        raise Refused(_("没有人报名，不用抽签。"))
    pool = SeatPool(
        meeting_id=meeting.id,
        numbers=numbers,
        sha256=digest(numbers),
        source=source,
        known_at=known_at,
        frozen_at=now,
        by_name=by.name,
    )
    db.session.add(pool)
    db.session.flush()
    after = {
        "numbers": len(numbers),
        "sha256": pool.sha256,
        "seed_source": source,
        "known_at": known_at.isoformat(),
    }
    audit.record("seat_pool.frozen", pool, by=by, now=now, name=meeting.title, after=after)
    return pool


def reseed(
    meeting: Meeting,
    source: str,
    known_at: dt.datetime,
    reason: str,
    *,
    by: audit.Actor,
    now: dt.datetime,
) -> SeedChange:
    """Name another public number where the one that was named never came: as the first, it must
    not be known yet. The list stays as it is; what was named before, and `reason`, are public."""
    _must_be_for_lots(meeting, now)
    pool = _fixed(meeting)
    _must_be_to_come(known_at, meeting, now)
    if (source, known_at) == (pool.source, pool.known_at):
        raise Refused(_("种子来源和公布时间都没有变化。"))
    change = SeedChange(
        former_source=pool.source,
        former_known_at=pool.known_at,
        new_source=source,
        new_known_at=known_at,
        reason=reason,
        changed_at=now,
        by_name=by.name,
    )
    pool.changes.append(change)
    pool.source, pool.known_at = source, known_at
    db.session.flush()
    audit.record(
        "seat_pool.reseeded",
        pool,
        by=by,
        now=now,
        name=meeting.title,
        before={
            "seed_source": change.former_source,
            "known_at": change.former_known_at.isoformat(),
        },
        after={"seed_source": source, "known_at": known_at.isoformat()},
        reason=reason,
    )
    return change


def _must_be_for_lots(meeting: Meeting, now: dt.datetime) -> None:
    meetings.lock(meeting)
    if meeting.admission is not Admission.DRAW or meeting.state is not MeetingState.ANNOUNCED:
        raise Refused(_("这次会议现在不能抽签。"))
    if meeting.apply_until is None or now < meeting.apply_until:
        raise Refused(_("报名还没有截止，截止以后才能抽签。"))
    if draw_of(meeting.id) is not None:
        raise Refused(_("已经抽过签，结果不能重抽。"))


def _must_be_to_come(known_at: dt.datetime, meeting: Meeting, now: dt.datetime) -> None:
    if not now < known_at < meeting.starts_at:
        raise Refused(_("种子公布的时间应当在现在以后、会议开始以前。"))


def _fixed(meeting: Meeting) -> SeatPool:
    pool = pool_of(meeting.id)
    if pool is None:
        raise Refused(_("请先固定抽签名单，写明种子的来源。"))
    return pool


def _standing(meeting: Meeting) -> dict[str, SeatRequest]:
    """{number: the application} of those who applied and did not withdraw."""
    asked = sa.select(SeatRequest).where(
        SeatRequest.meeting_id == meeting.id, SeatRequest.state == SeatState.APPLIED
    )
    return {str(seat.number): seat for seat in db.session.scalars(asked)}


def draw(meeting: Meeting, seed: str, *, by: audit.Actor, now: dt.datetime) -> SeatDraw:
    """Draw lots among those of the fixed list who did not withdraw since; who is not drawn waits in
    the order of the draw."""
    _must_be_for_lots(meeting, now)
    pool = _fixed(meeting)
    if now < pool.known_at:
        raise Refused(_("种子还没有公布，公布以后才能抽签。"))
    fixed = set(pool.numbers)
    by_number = {number: seat for number, seat in _standing(meeting).items() if number in fixed}
    if not by_number:
        raise Refused(_("没有人报名，不用抽签。"))
    order = ranked(seed, list(by_number))
    free = meeting.seats - meeting.taken
    for place, number in enumerate(order):
        seat = by_number[number]
        seat.rank = place + 1
        seat.state = SeatState.SEATED if place < free else SeatState.WAITING
        meeting.taken += place < free
        subject = (
            _("您已抽中会议席位：%(title)s", title=meeting.title)
            if place < free
            else _("会议席位抽签结果：您排在候补第%(n)d位", n=place + 1 - free)
        )
        seats.tell(seat, "drawn", subject, meeting, now)
    made = SeatDraw(
        meeting_id=meeting.id,
        seed=seed,
        algorithm=ALGORITHM,
        pool=sorted(by_number, key=int),
        drawn=order[:free],
        seats=free,
        drawn_at=now,
        by_name=by.name,
    )
    db.session.add(made)
    db.session.flush()
    audit.record(
        "seat_draw.made",
        made,
        by=by,
        now=now,
        name=meeting.title,
        after={"seats": len(made.drawn), "seed": seed, "sha256": pool.sha256},
    )
    return made
