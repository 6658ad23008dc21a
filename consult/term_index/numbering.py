"""The number of each word, given once and the same in every process."""

from collections.abc import Sequence
from threading import Lock

import numpy as np
import sqlalchemy as sa

from consult.term_index.rows import TERMS, Term
from consult.terms.reading import Numbers
from core.db import batches, db, run

_KNOWN = sa.select(Term.word, Term.id).where(Term.word.in_(sa.bindparam("words", expanding=True)))
_GIVE = sa.insert(TERMS)
_LEARN = sa.select(Term.id, Term.word).where(Term.id > sa.bindparam("known")).order_by(Term.id)
_vocabularies: dict[str, tuple[list[str], dict[str, int]]] = {}
_lock = Lock()


def numbers_of(wanted: Sequence[str]) -> Numbers:
    """The number of each of these words; new ones get theirs. The clock's row must be held."""
    known = numbers_known(wanted)
    missing = [word for word in wanted if word not in known]
    if missing:
        run(_GIVE, [{"word": word} for word in missing])
        known |= numbers_known(missing)
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


def numbers_known(wanted: Sequence[str]) -> dict[str, int]:
    """The numbers of those of these words that have one."""
    found: dict[str, int] = {}
    for some in batches(wanted):
        found |= {row.word: row.id for row in run(_KNOWN, {"words": list(some)})}
    return found


def is_known(word: str) -> bool:
    """Whether an opinion was ever read to hold this term."""
    return bool(numbers_known([word]))


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
