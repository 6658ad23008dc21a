"""What a change of the lexicon would do to real opinions, and which new words these propose.

Read with both lexicons, on the newest shown opinions of a consultation or of all: nothing is stored.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa

from consult import lexicons, term_index
from consult.analysis import newwords, normal
from consult.analysis.engine import Engine
from consult.analysis.lexicon import Lexicon
from consult.consultations import Consultation
from consult.submissions import Submission, SubmissionState
from consult.terms.reading import engine_for
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
    own_title: str
    body: str

    @property
    def text(self) -> str:
        """Its author's title and body: what is counted."""
        return f"{self.own_title}\n{self.body}".strip()


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
    """A new word, the first opinion of each different text it stands in, and how it stands in one."""

    word: str
    rows: tuple[Row, ...]
    count: int
    cohesion: float
    entropy: float
    left: str
    right: str

    @property
    def texts(self) -> int:
        """In how many different texts it stands."""
        return len(self.rows)


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
    """Read the opinions with both lexicons: about 0.3 ms an opinion, and once as much again."""
    texts = tuple(row.text for row in rows)
    new = Engine(after)
    was: Counter[str] = Counter()
    now: Counter[str] = Counter()
    changed = []
    for row, held in zip(rows, _held(texts, before), strict=True):
        holds = _terms(new, row.text)
        was.update(held)
        now.update(holds)
        if held != holds:
            gained, lost = tuple(sorted(holds - held)), tuple(sorted(held - holds))
            changed.append(Changed(row, gained, lost))
    moved = {term for each in changed for term in (*each.gained, *each.lost)}
    terms = sorted(
        ((term, was[term], now[term]) for term in moved),
        key=lambda each: (-abs(each[2] - each[1]), each[0]),
    )
    return Preview(len(rows), tuple(changed), tuple(terms))


@lru_cache(maxsize=1)
def _held(texts: tuple[str, ...], lexicon: Lexicon) -> tuple[frozenset[str], ...]:
    """What the texts hold now: who tries one change after the other asks for it again and again."""
    engine = engine_for(lexicon)
    return tuple(_terms(engine, text) for text in texts)


def _terms(engine: Engine, text: str) -> frozenset[str]:
    return frozenset(each.term for each in engine.placed(normal.plain(text)))


def proposals(consultations: Sequence[Consultation]) -> list[Proposed]:
    """Words no dictionary holds that several opinions use; those decided about are left out."""
    lexicon = term_index.lexicon()
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
    plain: dict[str, Row] = {}
    for row in rows:
        plain.setdefault(normal.plain(row.text).replace("\n", " "), row)
    return [_shown(word, plain) for word in words]


def _shown(word: newwords.NewWord, rows: Mapping[str, Row]) -> Proposed:
    using = {text: row for text, row in rows.items() if word.term in text}
    text = next(iter(using))
    at = text.index(word.term)
    end = at + len(word.term)
    return Proposed(
        word.term,
        tuple(using.values()),
        word.count,
        word.cohesion,
        word.entropy,
        text[max(0, at - 16) : at],
        text[end : end + 16],
    )
