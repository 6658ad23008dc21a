"""Arrivals (来件): opinions about to be stored, and all that is read of their words: by what equal ones
are known, by what they are found, what they say. Pure, and fit to be handed to another process, which
reads the next thousand while this one is being stored.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from consult import fingerprints, search_tokens
from consult.analysis import folding
from consult.analysis import personal as personal_information
from consult.analysis.lexicon import Lexicon
from consult.search_tokens import Findable
from consult.terms import reading
from consult.terms.reading import Batch, Chunk, uncollected

# The fact that a document is an opinion: its kind among `search_documents`, which need a database.
OPINION = "opinion"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Opinions as they will be stored: (title, body).

    `told`: {place: the words whose fingerprint counts} where those are not the body. `marks`: by what
    each is found besides its words; empty when nobody is to find them yet. `lexicon`: with which to
    read what they say; None when that is not asked. `look_through`: for personal information, too.
    """

    texts: Sequence[tuple[str, str]]
    told: dict[int, str]
    marks: Sequence[tuple[str, ...]]
    lexicon: Lexicon | None
    look_through: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """What was read of arrivals, each by its place; `findable` and `said` where they were asked;
    `personal`: the places of those that hold what certainly is personal information."""

    fingerprints: list[str]
    findable: Findable | None
    said: Batch | None
    personal: frozenset[int] = frozenset()


def read(arrivals: Arrivals) -> Words:
    """Read them: some 0.25 ms each with a lexicon, 0.04 without; to look them through takes 0.1 more."""
    if not arrivals.texts:
        return Words([], None, None)
    with uncollected():
        # The words of an opinion are brought to one spelling once for all who need it.
        plain = folding.compatible_all(list(itertools.chain.from_iterable(arrivals.texts)))
        bodies = plain[1::2]
        for place, words in arrivals.told.items():
            bodies[place] = folding.compatible_all([words])[0]
        prints = list(map(fingerprints.of_folded, bodies))
        sizes = [2] * len(arrivals.texts)
        facts = [(OPINION, *marks) for marks in arrivals.marks]
        findable = search_tokens.read_plain(iter(plain), sizes, facts) if facts else None
        personal = _personal(arrivals.texts) if arrivals.look_through else frozenset()
    if arrivals.lexicon is None:
        return Words(prints, findable, None, personal)
    numbered = [(place, *text) for place, text in enumerate(arrivals.texts)]
    said = reading.read(Chunk(arrivals.lexicon, numbered))
    return Words(prints, findable, said, personal)


def _personal(texts: Sequence[tuple[str, str]]) -> frozenset[int]:
    return frozenset(
        place
        for place, text in enumerate(texts)
        if any(found.certain for part in text for found in personal_information.find(part))
    )
