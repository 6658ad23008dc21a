"""The tokens of many texts at once, in numpy: the same as `search_text.pairs` one by one."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np


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
