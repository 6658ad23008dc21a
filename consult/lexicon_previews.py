"""What a change of the lexicon would do to real opinions, and which new words these propose.

Read with both lexicons, on the newest shown opinions of a consultation or of all: nothing is stored.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa

from consult import lexicons
from consult.analysis import newwords, normal
from consult.analysis.engine import Engine
from consult.analysis.lexicon import Lexicon
from consult.consultations import Consultation
from consult.submissions import Submission, SubmissionState
from consult.summary_counting import headings
from consult.summary_words import engine_for, lexicon_for
from core.db import db

# So many opinions are read for a preview; the page says when there are more.
MOST_READ = 2000
MOST_PROPOSED = 50
LEAST_TEXTS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A shown opinion with its words."""

    id: int
    number: int
    consultation_id: int
    title: str
    body: str

    @property
    def text(self) -> str:
        """Title and body."""
        return f"{self.title}\n{self.body}".strip()


@dataclass(frozen=True, slots=True)
class Changed:
    """An opinion that would be read otherwise: terms it would hold, and hold no longer."""

    row: Row
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do: opinions read, those that change, and each term's opinions before
    and after."""

    read: int
    changed: tuple[Changed, ...]
    terms: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A new word, in how many different texts it stands, and one text that shows it."""

    word: str
    texts: int
    count: int
    cohesion: float
    entropy: float
    left: str
    right: str
    row: Row


def rows_of(consultations: Sequence[Consultation], *, most: int = MOST_READ) -> list[Row]:
    """The newest shown opinions of these consultations, at most `most`."""
    columns = [getattr(Submission, name) for name in Row.__slots__]
    query = (
        sa.select(*columns)
        .where(
            Submission.consultation_id.in_([c.id for c in consultations]),
            Submission.state == SubmissionState.SHOWN,
        )
        .order_by(Submission.id.desc())
        .limit(most)
    )
    return [Row(*row) for row in db.session.execute(query)]


def preview(rows: Sequence[Row], before: Lexicon, after: Lexicon) -> Preview:
    """Read the opinions with both lexicons; about 0.3 ms an opinion and as much again."""
    old, new = engine_for(before), Engine(after)
    was: Counter[str] = Counter()
    now: Counter[str] = Counter()
    changed = []
    for row in rows:
        plain = normal.plain(row.text)
        held = {each.term for each in old.placed(plain)}
        holds = {each.term for each in new.placed(plain)}
        if held != holds:
            was.update(held - holds)
            now.update(holds - held)
            gained, lost = tuple(sorted(holds - held)), tuple(sorted(held - holds))
            changed.append(Changed(row, gained, lost))
    return Preview(len(rows), tuple(changed), _counts(rows, old, was, now))


def _counts(
    rows: Sequence[Row], old: Engine, lost: Counter[str], gained: Counter[str]
) -> tuple[tuple[str, int, int], ...]:
    wanted = lost.keys() | gained.keys()
    before: Counter[str] = Counter()
    for row in rows if wanted else ():
        terms = {each.term for each in old.placed(normal.plain(row.text))}
        before.update(terms & wanted)
    found = [(t, before[t], before[t] - lost[t] + gained[t]) for t in wanted]
    return tuple(sorted(found, key=lambda each: (-abs(each[2] - each[1]), each[0])))


def lexicon_in(consultations: Sequence[Consultation], number: int) -> Lexicon:
    """The lexicon of a version with the headings of these consultations' drafts."""
    return with_headings(consultations, lexicons.at(number))


def with_headings(consultations: Sequence[Consultation], base: Lexicon) -> Lexicon:
    """A lexicon with the headings of these consultations' drafts."""
    return lexicon_for(headings(consultations), base)


def proposals(consultations: Sequence[Consultation]) -> list[Proposed]:
    """Words no dictionary holds that several opinions use; those decided about are left out."""
    number = lexicons.newest()
    lexicon = lexicon_in(consultations, number)
    stamps = tuple((c.id, c.stamp) for c in consultations)
    found = _proposed(str(db.engine.url), stamps, lexicon)
    gone = lexicons.refused()
    return [
        each
        for each in found
        if each.word not in gone and lexicons.decided(lexicon, each.word) is None
    ]


@lru_cache(maxsize=4)
def _proposed(
    database: str, stamps: tuple[tuple[int, int], ...], lexicon: Lexicon
) -> list[Proposed]:
    consultations = db.session.scalars(
        sa.select(Consultation).where(Consultation.id.in_([id for id, _stamp in stamps]))
    ).all()
    rows = rows_of(consultations)
    segmenter = engine_for(lexicon).segmenter
    words = newwords.propose(
        [row.text for row in rows], segmenter=segmenter, minimum=LEAST_TEXTS, top=MOST_PROPOSED
    )
    plain = [(row, normal.plain(row.text).replace("\n", " ")) for row in rows]
    return [_shown(word, plain) for word in words]


def _shown(word: newwords.NewWord, rows: Sequence[tuple[Row, str]]) -> Proposed:
    row, text = next(each for each in rows if word.term in each[1])
    at = text.index(word.term)
    end = at + len(word.term)
    return Proposed(
        word.term,
        word.texts,
        word.count,
        word.cohesion,
        word.entropy,
        text[max(0, at - 16) : at],
        text[end : end + 16],
        row,
    )
