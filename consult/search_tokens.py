"""The folded words and the tokens of many texts at once, in numpy: the same as `search_text` gives
one by one. Pure, and fit to be handed to another process."""

import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from consult import search_text
from consult.analysis import folding

_BATCH = 500  # texts packed at a time: what is sorted stays in the processor's cache


class Findable(NamedTuple):
    """By what each of some documents is found: its folded words, and its tokens as `packed` gives
    them."""

    folded: list[str]
    tokens: list[bytes]

    def at(self, places: Sequence[int]) -> "Findable":
        """Of the documents at these places."""
        return Findable([self.folded[n] for n in places], [self.tokens[n] for n in places])


def read(documents: Sequence[Sequence[str]], facts: Sequence[Iterable[str]]) -> Findable:
    """What documents of these words are found by, and the names of the facts about each."""
    plain = folding.compatible_all(list(itertools.chain.from_iterable(documents)))
    return read_plain(iter(plain), [len(words) for words in documents], facts)


def read_plain(
    plain: Iterable[str], sizes: Sequence[int], facts: Sequence[Iterable[str]]
) -> Findable:
    """`read`, of words that are in NFKC without case already: so many for each document."""
    spaced = map(search_text.spaced, plain)
    folded = [search_text.joined(itertools.islice(spaced, size)) for size in sizes]
    marks = [[_mark(name) for name in names] for names in facts]
    tokens: list[bytes] = []
    for start in range(0, len(folded), _BATCH):
        tokens += packed(folded[start : start + _BATCH], marks[start : start + _BATCH])
    return Findable(folded, tokens)


@functools.lru_cache(maxsize=10_000)
def _mark(name: str) -> int:
    return search_text.mark(name) - search_text.LOWEST


def packed(texts: Sequence[str], facts: Sequence[Iterable[int]]) -> list[bytes]:
    """Of each folded text its pairs of neighbouring characters and its facts: numbers of 32 bits
    without a sign, each once, in order, the highest byte first."""
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    # A character beyond the first plane counts by its lower half, as in `pairs`.
    codes = np.frombuffer(joined, dtype=np.uint32).astype(np.uint64) & np.uint64(0xFFFF)
    places = np.arange(len(texts), dtype=np.uint64)
    text = np.repeat(places, np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
    keys = (text[1:] << np.uint64(32)) | (codes[:-1] << np.uint64(16)) | codes[1:]
    stated = [place << 32 | fact for place, each in enumerate(facts) for fact in each]
    keys = np.concatenate((keys[text[1:] == text[:-1]], np.array(stated, dtype=np.uint64)))
    keys.sort()
    keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))[: len(keys)]]
    ends = 4 * np.searchsorted(keys, (places + np.uint64(1)) << np.uint64(32))
    written = keys.astype(np.uint32).astype(">u4").tobytes()
    return [written[begin:end] for begin, end in itertools.pairwise([0, *ends.tolist()])]
