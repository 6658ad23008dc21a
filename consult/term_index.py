"""The index of terms: for each opinion that is shown, which terms it holds, read once and kept.

An entry is made, emptied and renewed in the transaction that shows, masks or hides its opinion
(`follow`); of many at once, the entries are made and a job reads them (`term_jobs`). Every change
takes the next number of one clock, whose row is held until it is committed: whoever has read up to
a number has missed nothing below it, in any process and on either database. Counting happens in
memory (`shelf`), where each process follows by reading what has changed since.
"""

import hashlib
import itertools
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock, RLock
from typing import Any, cast

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from consult import drafts, lexicons
from consult.analysis.lexicon import Lexicon
from consult.drafts import Draft, Version, VersionState
from consult.submissions import Channel, Stance, Submission, SubmissionState
from consult.terms import reading
from consult.terms.reading import (
    LONGEST,
    STANCES,
    Batch,
    Chunk,
    Numbers,
    blobs,
    uncollected,
    version_of,
)
from consult.terms.shelf import Columns, Shelf, View
from core.db import Base, Prepared, db, insert_into, run

BATCH = 500
# So many opinions at once are read in the act itself; of more, a job reads the words.
AT_ONCE = 100
UNREAD = 0
CHANNELS = tuple(Channel)
# Shelves a process keeps, the last used; and rows of one read together.
SHELVES = 12
SHELVED = 20_000


class Term(Base):
    """A word and its number, given once."""

    __tablename__ = "term"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(sa.String(LONGEST), unique=True)


class TermReading(Base):
    """A way of reading: a method and a lexicon, by the name of both."""

    __tablename__ = "term_reading"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(sa.String(80), unique=True)


class TermEntry(Base):
    """What one opinion says, in terms. One that is no longer shown stays as an empty entry, so that
    those who follow hear of it."""

    __tablename__ = "term_entry"
    __table_args__ = (
        sa.Index(None, "consultation_id", "change"),
        sa.Index(None, "reading_id", "submission_id"),
    )

    submission_id: Mapped[int] = mapped_column(
        sa.ForeignKey("submission.id"), primary_key=True, autoincrement=False
    )
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"))
    change: Mapped[int] = mapped_column(sa.BigInteger)
    # UNREAD until its words have been read; None when it is not shown and does not count.
    reading_id: Mapped[int | None]
    # What the words say, a place in STANCES; what the author declared stands in the submission.
    stance: Mapped[int] = mapped_column(sa.SmallInteger)
    # Distinct term ids, sorted, as little-endian 32-bit numbers.
    terms: Mapped[bytes]
    opposed: Mapped[bytes]


class TermClock(Base):
    """One row: the number of the last change."""

    __tablename__ = "term_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    change: Mapped[int] = mapped_column(sa.BigInteger)


ENTRIES = cast(sa.Table, TermEntry.__table__)
TERMS = cast(sa.Table, Term.__table__)
CLOCK = cast(sa.Table, TermClock.__table__)


# --- which words are terms -----------------------------------------------------------------------


_LATEST = (
    sa.select(Draft.consultation_id, sa.func.max(Version.number).label("number"))
    .join(Version, Version.draft_id == Draft.id)
    .where(Version.state == VersionState.PUBLISHED)
    .group_by(Draft.consultation_id)
    .subquery()
)
_NEWEST = (
    sa.select(Version.id)
    .join(Draft, Version.draft_id == Draft.id)
    .join(
        _LATEST,
        sa.and_(
            _LATEST.c.consultation_id == Draft.consultation_id,
            _LATEST.c.number == Version.number,
        ),
    )
    .where(Version.state == VersionState.PUBLISHED)
    .order_by(Version.id)
)


def lexicon() -> Lexicon:
    """The lexicon in force for all opinions together: one for the whole index, so that any two
    groups can be compared: what staff decided, and the headings of every newest published draft."""
    return lexicon_over(lexicons.at(lexicons.newest()))


def lexicon_over(decided: Lexicon) -> Lexicon:
    """The same over one of the versions staff keep."""
    newest = tuple(run(_NEWEST).scalars())
    return _with(decided, _headings(newest, str(db.engine.url)))


@lru_cache(maxsize=8)
def _headings(version_ids: tuple[int, ...], _url: str) -> tuple[str, ...]:
    # A published version cannot change.
    query = sa.select(Version).where(Version.id.in_(version_ids))
    outlines = [drafts.outline(version) for version in db.session.scalars(query)]
    return tuple(sorted({entry.text for each in outlines for entry in each.headings}))


@lru_cache(maxsize=8)
def _with(decided: Lexicon, headings: tuple[str, ...]) -> Lexicon:
    return decided.extended(headings)


def reading_of(version: str) -> int:
    """The number of a way of reading, given when it is first asked for."""
    known: int | None = run(_READING, {"version": version}).scalar()
    if known is None:
        made = insert_into(TermReading).values(version=version).on_conflict_do_nothing()
        db.session.execute(made)
        known = run(_READING, {"version": version}).scalar_one()
    return known


# --- following what is shown ---------------------------------------------------------------------


def follow(ids: Sequence[int]) -> None:
    """Bring the entries of these opinions in line with what is shown of them now."""
    db.session.flush()
    for start in range(0, len(ids), BATCH):
        _follow(list(ids[start : start + BATCH]), read=len(ids) <= AT_ONCE)


# Following one opinion is part of the act that shows it, so its statements are built once and sent
# past the ORM, which takes several times as long as the database.
_SEEN = (
    sa.select(
        Submission.id,
        Submission.consultation_id,
        Submission.own_title,
        Submission.body,
        (Submission.state == SubmissionState.SHOWN).label("shown"),
        TermEntry.submission_id.is_not(None).label("entered"),
    )
    .outerjoin(TermEntry, TermEntry.submission_id == Submission.id)
    .where(Submission.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(Submission.id)
)
_KNOWN = sa.select(Term.word, Term.id).where(Term.word.in_(sa.bindparam("words", expanding=True)))
_DROP = sa.delete(ENTRIES).where(ENTRIES.c.submission_id.in_(sa.bindparam("ids", expanding=True)))
_ENTER = Prepared(sa.insert(ENTRIES))
_GIVE = sa.insert(TERMS)
_RAISE = sa.update(CLOCK).values(change=CLOCK.c.change + 1).returning(CLOCK.c.change)
_LEARN = sa.select(Term.id, Term.word).where(Term.id > sa.bindparam("known")).order_by(Term.id)
_READING = sa.select(TermReading.id).where(TermReading.version == sa.bindparam("version"))


class Entering:
    """Entries for opinions that are stored now and were read before: with the lexicon in force when
    this was made. Of no use any more after a transaction that was rolled back."""

    def __init__(self) -> None:
        self.lexicon = lexicon()
        self._reading = reading_of(version_of(self.lexicon))
        self._numbering = Numbering()

    def enter(
        self, ids: Sequence[int], consultation_id: int, batch: Batch, places: Sequence[int]
    ) -> None:
        """Opinions that are shown and have no entries yet, and the place of each in the batch."""
        change = _next_change()
        numbers = self._numbering.of(batch.words)
        with uncollected():
            terms = blobs(batch.starts, batch.terms, numbers)
            opposed = blobs(batch.opposed_starts, batch.opposed, numbers)
            _ENTER.many(
                db.session.connection(),
                {
                    "submission_id": ids,
                    "consultation_id": itertools.repeat(consultation_id),
                    "change": itertools.repeat(change),
                    "reading_id": itertools.repeat(self._reading),
                    "stance": [batch.stances[place] for place in places],
                    "terms": [terms[place] for place in places],
                    "opposed": [opposed[place] for place in places],
                },
            )


def heed(ids: Sequence[int]) -> None:
    """Let it be seen that something about these opinions has changed, though not their words."""
    here = TermEntry.submission_id.in_(ids)
    if db.session.scalar(sa.select(TermEntry.submission_id).where(here).limit(1)) is None:
        return
    stirred = sa.update(TermEntry).where(here).values(change=_next_change())
    db.session.execute(stirred, execution_options={"synchronize_session": False})


def _follow(ids: Sequence[int], *, read: bool) -> None:
    seen = run(_SEEN, {"ids": ids}).all()
    shown = [row for row in seen if row.shown]
    known = {row.id for row in seen if row.entered}
    gone = known - {row.id for row in shown}
    if not shown and not gone:
        return
    chunk = Chunk(lexicon(), [(row.id, row.own_title, row.body) for row in shown]) if read else None
    batch = reading.read(chunk) if chunk and shown else None
    change = _next_change()
    if gone:
        emptied = sa.update(TermEntry).where(TermEntry.submission_id.in_(gone))
        values = {"change": change, "reading_id": None, "stance": 0, "terms": b"", "opposed": b""}
        db.session.execute(emptied.values(values), execution_options={"synchronize_session": False})
    if not shown:
        return
    if chunk and batch:
        way = reading_of(version_of(chunk.lexicon))
        rows = _rows(batch, _numbers(batch.words), way, change)
    else:
        rows = [
            {"submission_id": row.id, "change": change, "reading_id": UNREAD, "stance": 0}
            | {"terms": b"", "opposed": b""}
            for row in shown
        ]
    of = {row.id: row.consultation_id for row in shown}
    _renew([row | {"consultation_id": of[row["submission_id"]]} for row in rows], known)


def _renew(rows: list[dict[str, Any]], known: set[int] | None = None) -> None:
    """Put these entries in the place of what is there under their numbers."""
    ids = [row["submission_id"] for row in rows]
    replaced = [id for id in ids if known is None or id in known]
    for start in range(0, len(replaced), BATCH):
        some = replaced[start : start + BATCH]
        run(_DROP, {"ids": some})
    if rows:
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        _ENTER.many(db.session.connection(), columns)


def _next_change() -> int:
    """The next number of the clock. Its row is held until the transaction ends, and with it the
    right to give out numbers for words: writers of the index come one after the other."""
    change: int | None = run(_RAISE).scalar()
    if change is None:
        begun = insert_into(TermClock).values(id=1, change=0).on_conflict_do_nothing()
        db.session.execute(begun)
        change = run(_RAISE).scalar_one()
    return change


def _rows(batch: Batch, ids: Numbers, reading: int, change: int) -> list[dict[str, Any]]:
    """The entries of a batch, without their consultations."""
    terms = blobs(batch.starts, batch.terms, ids)
    opposed = blobs(batch.opposed_starts, batch.opposed, ids)
    return [
        {
            "submission_id": id,
            "change": change,
            "reading_id": reading,
            "stance": stance,
            "terms": said,
            "opposed": against,
        }
        for id, stance, said, against in zip(batch.ids, batch.stances, terms, opposed, strict=True)
    ]


def _numbers(wanted: Sequence[str]) -> Numbers:
    """The number of each of these words; new ones get theirs. The clock's row must be held."""
    known = _known(wanted)
    missing = [word for word in wanted if word not in known]
    if missing:
        run(_GIVE, [{"word": word} for word in missing])
        known |= _known(missing)
    return np.array([known[word] for word in wanted], dtype=np.uint32)


class Numbering:
    """The numbers of all words, for whoever stores one batch after the other: read once, and from
    then on only what has come. Of no use any more after a transaction that was rolled back."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._last = 0

    def of(self, wanted: Sequence[str]) -> Numbers:
        """The number of each of these words, new ones given theirs. The clock's row must be held."""
        self._learn()
        numbers = list(map(self._known.get, wanted))
        if None in numbers:
            given = [word for word, number in zip(wanted, numbers, strict=True) if number is None]
            run(_GIVE, [{"word": word} for word in given])
            self._learn()
            numbers = list(map(self._known.get, wanted))
        return np.array(numbers, dtype=np.uint32)

    def _learn(self) -> None:
        more = run(_LEARN, {"known": self._last}).all()
        self._known.update((row.word, row.id) for row in more)
        if more:
            self._last = more[-1].id


def _known(wanted: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(wanted), BATCH):
        some = list(wanted[start : start + BATCH])
        found |= {row.word: row.id for row in run(_KNOWN, {"words": some})}
    return found


# --- reading again -------------------------------------------------------------------------------


def enter_missing() -> int:
    """Make entries for opinions that are shown and have none; how many."""
    shown = (
        sa.select(
            Submission.id,
            Submission.consultation_id,
            sa.literal(_next_change(), sa.BigInteger),
            sa.literal(UNREAD),
            sa.literal(0),
            sa.literal(b"", sa.LargeBinary),
            sa.literal(b"", sa.LargeBinary),
        )
        .outerjoin(TermEntry, TermEntry.submission_id == Submission.id)
        .where(Submission.state == SubmissionState.SHOWN, TermEntry.submission_id.is_(None))
    )
    names = ("submission_id", "consultation_id", "change", "reading_id", "stance")
    made = sa.insert(ENTRIES).from_select([*names, "terms", "opposed"], shown)
    result = db.session.execute(made)
    return result.rowcount  # type: ignore[attr-defined,no-any-return]  # a CursorResult


def forget_readings() -> None:
    """Have every entry read again; what was read before counts until then."""
    every = sa.update(TermEntry).where(TermEntry.reading_id.is_not(None))
    values = {"reading_id": UNREAD, "change": _next_change()}
    db.session.execute(every.values(values), execution_options={"synchronize_session": False})


@dataclass(frozen=True, slots=True)
class Piece:
    """Opinions whose words have to be read: the chunk, and by id the change it was taken at."""

    chunk: Chunk
    seen: dict[int, int]


def outdated(reading: int) -> int:
    """How many entries have not been read this way."""
    return sum(
        db.session.scalar(sa.select(sa.func.count()).where(each)) or 0
        for each in _otherwise(reading)
    )


def any_outdated(reading: int) -> bool:
    """Whether an entry has not been read this way; asked often, answered by the ends of an index."""
    return any(
        db.session.scalar(sa.select(TermEntry.submission_id).where(each).limit(1)) is not None
        for each in _otherwise(reading)
    )


def is_behind() -> bool:
    """Whether an entry has not been read with the lexicon in force."""
    version = version_of(lexicon())
    reading: int | None = run(_READING, {"version": version}).scalar()
    return any_outdated(reading) if reading is not None else any_outdated(-1)


def _otherwise(reading: Any) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return TermEntry.reading_id < reading, TermEntry.reading_id > reading


_OUTDATED = (
    sa.select(TermEntry.submission_id, TermEntry.change, Submission.own_title, Submission.body)
    .join(Submission, Submission.id == TermEntry.submission_id)
    .where(
        TermEntry.submission_id > sa.bindparam("after"),
        sa.or_(*_otherwise(sa.bindparam("reading"))),
    )
    .order_by(TermEntry.submission_id)
    .limit(sa.bindparam("size"))
)
_RENEW = Prepared(
    sa.update(ENTRIES).where(
        ENTRIES.c.submission_id == sa.bindparam("id"), ENTRIES.c.change == sa.bindparam("seen")
    )
)


def pieces(wanted: Lexicon, reading: int, *, after: int, size: int) -> Iterator[Piece]:
    """What has to be read, by id, `size` opinions at a time. The transaction may be ended between
    any two."""
    while True:
        found = run(_OUTDATED, {"after": after, "reading": reading, "size": size})
        rows = found.all()
        if not rows:
            return
        after = rows[-1].submission_id
        texts = [(row.submission_id, row.own_title, row.body) for row in rows]
        yield Piece(Chunk(wanted, texts), {row.submission_id: row.change for row in rows})


def store(batch: Batch, piece: Piece, reading: int, numbering: Numbering) -> None:
    """Keep what was read; what has changed since its words were taken is left for the next time."""
    change = _next_change()
    with uncollected():
        numbers = numbering.of(batch.words)
        seen = piece.seen
        _RENEW.many(
            db.session.connection(),
            {
                "id": batch.ids,
                "seen": [seen[id] for id in batch.ids],
                "change": itertools.repeat(change),
                "reading_id": itertools.repeat(reading),
                "stance": batch.stances,
                "terms": blobs(batch.starts, batch.terms, numbers),
                "opposed": blobs(batch.opposed_starts, batch.opposed, numbers),
            },
        )


# --- counting ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the index is: what a page says beside its figures."""

    version: str
    entries: int
    outdated: int

    @property
    def whole(self) -> bool:
        """Whether every opinion has been read with the lexicon in force."""
        return not self.outdated


def standing() -> Standing:
    """How far the index is now."""
    version = version_of(lexicon())
    find = sa.select(TermReading.id).where(TermReading.version == version)
    reading = db.session.scalar(find) or 0
    counted = sa.select(sa.func.count()).where(TermEntry.reading_id.is_not(None))
    entries = db.session.scalar(counted) or 0
    behind = outdated(reading) if reading else entries
    return Standing(version, entries, behind)


@dataclass(slots=True)
class _Kept:
    shelf: Shelf
    change: int
    lock: Any


_shelves: "OrderedDict[tuple[str, int], _Kept]" = OrderedDict()
_vocabularies: dict[str, tuple[list[str], dict[str, int]]] = {}
_lock = Lock()


def shelf(consultation_id: int) -> View:
    """The opinions of a consultation, as the database has them now."""
    key = (str(db.engine.url), consultation_id)
    with _lock:
        kept = _shelves.setdefault(key, _Kept(Shelf(), 0, RLock()))
        _shelves.move_to_end(key)
        while len(_shelves) > SHELVES:
            _shelves.popitem(last=False)
    with kept.lock:
        kept.change = _follow_shelf(kept.shelf, consultation_id, kept.change)
        return kept.shelf.view()


# Past the ORM, and choices as they are stored: a first reading is of all there is.
_CHANGED = (
    sa.select(
        TermEntry.submission_id,
        TermEntry.change,
        TermEntry.reading_id,
        TermEntry.stance,
        TermEntry.terms,
        TermEntry.opposed,
        Submission.place,
        sa.type_coerce(Submission.channel, sa.String),
        sa.type_coerce(Submission.stance, sa.String),
        Submission.received_on,
        Submission.person_key,
    )
    .join(Submission, Submission.id == TermEntry.submission_id)
    .where(
        TermEntry.consultation_id == sa.bindparam("consultation_id"),
        TermEntry.change > sa.bindparam("change"),
    )
)
_CHANNEL_NUMBERS = {channel.value: number for number, channel in enumerate(CHANNELS)}
# By what an author declared the place in STANCES; "none" and nothing declare nothing.
_DECLARED = {each.value: STANCES.index(each.value) for each in Stance if each is not Stance.NONE}


def _follow_shelf(shelf: Shelf, consultation_id: int, since: int) -> int:
    """Bring a shelf to what the database has now, `SHELVED` rows at a time; the last change."""
    with uncollected():
        values = {"consultation_id": consultation_id, "change": since}
        found = run(_CHANGED, values)
        for rows in iter(lambda: found.fetchmany(SHELVED), []):
            since = max(since, _shelve(shelf, rows))
    return since


def _shelve(shelf: Shelf, rows: Sequence[Any]) -> int:
    ids, changes, readings, said, terms, opposed, *rest = zip(*rows, strict=True)
    places, channels, stances, days, persons = rest
    ordinals = {day: day.toordinal() for day in set(days)}
    shelf.take(
        Columns(
            id=ids,
            place=places,
            channel=[_CHANNEL_NUMBERS[channel] for channel in channels],
            stance=[_DECLARED.get(s, read) for s, read in zip(stances, said, strict=True)],
            declared=[stance in _DECLARED for stance in stances],
            day=[ordinals[day] for day in days],
            # Nobody can be shown to be one person with another unless both carry the same key.
            person=[
                _number_of(person) if person else -id
                for person, id in zip(persons, ids, strict=True)
            ],
            terms=[
                said_terms if reading is not None else None
                for said_terms, reading in zip(terms, readings, strict=True)
            ],
            opposed=opposed,
        )
    )
    last: int = max(changes)
    return last


def _number_of(person_key: str) -> int:
    return int.from_bytes(hashlib.blake2b(person_key.encode(), digest_size=7).digest())


def is_known(word: str) -> bool:
    """Whether an opinion was ever read to hold this term."""
    return bool(_known([word]))


def holding(ids: Sequence[int], word: str) -> set[int]:
    """Which of these opinions hold a term, as they were read last."""
    number = _known([word]).get(word)
    if number is None:
        return set()
    found: set[int] = set()
    query = sa.select(TermEntry.submission_id, TermEntry.terms)
    for start in range(0, len(ids), BATCH):
        some = query.where(TermEntry.submission_id.in_(ids[start : start + BATCH]))
        found.update(
            id
            for id, terms in db.session.execute(some)
            if number in np.frombuffer(terms, dtype="<u4")
        )
    return found


def vocabulary() -> tuple[Sequence[str], dict[str, int]]:
    """(word by number, number by word); each process reads what has been added since."""
    url = str(db.engine.url)
    with _lock:
        by_number, by_word = _vocabularies.setdefault(url, ([""], {}))
        query = sa.select(Term.id, Term.word).where(Term.id >= len(by_number)).order_by(Term.id)
        for id, word in db.session.execute(query):
            by_number.extend([""] * (id + 1 - len(by_number)))
            by_number[id] = word
            by_word[word] = id
        return by_number, by_word
