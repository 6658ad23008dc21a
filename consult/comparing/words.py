"""The words that changed between two states of one paragraph.

A Chinese text is compared character by character; a number with its decimals and its per cent
sign, a run of Chinese numerals and a Latin word are each one piece, so that a changed figure is
read whole: 1000 → 1500, never 1[0→5]00.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain

from rapidfuzz.distance import Indel

# A difference is found with a bit matrix of old × new pieces. What is longer is first cut into
# sentences, then clauses, and only what differs there is looked at more closely.
_MOST_CELLS = 4_000 * 4_000
_PIECE = re.compile(
    r"[0-9０-９]+(?:[.,．][0-9０-９]+)*[%％‰]?"
    r"|[〇零一二三四五六七八九十百千万亿两]{2,}"
    r"|[A-Za-zÀ-ÖØ-öø-ÿ]+"
    r"|.",
    re.DOTALL,
)
_JOINED = re.compile(r"[0-9０-９A-Za-zÀ-ÖØ-öø-ÿ.,．%％‰〇零一二三四五六七八九十百千万亿两]")
_PAUSES = frozenset("，。、；：！？,;:!?\n\t ")
_SENTENCE = re.compile(r"[^。！？；\n]*[。！？；\n]+|[^。！？；\n]+")
_CLAUSE = re.compile(r"[^，、：,]*[，、：,]+|[^，、：,]+")
# An unchanged island this long or shorter, between two larger changes, only breaks the reading.
_ISLAND = 3
_FARTHEST = 60
# Below this share of kept characters two states are shown one after the other, not interwoven.
_LEAST_KEPT = 0.2


class Kind(Enum):
    """What became of a stretch of words."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of words with one fate."""

    kind: Kind
    text: str


def changes(old: str, new: str) -> tuple[Run, ...]:
    """How `old` became `new`, in the order of reading; what went stands before what came.

    The SAME and GONE runs joined are `old`, the SAME and NEW runs joined are `new`, always.
    """
    if old == new:
        return (Run(Kind.SAME, old),) if old else ()
    steps = _at_pauses(_without_islands(_steps(old, new, (_sentences, _clauses, _pieces))))
    kept = sum(len(step.same) for step in steps)
    if kept < _LEAST_KEPT * max(len(old), len(new)):
        steps = [_Step("", old, new)]
    return tuple(_runs(steps))


@dataclass(slots=True)
class _Step:
    """Words that stayed, then words that went and words that came in their place."""

    same: str
    gone: str
    new: str


def _sentences(text: str) -> list[str]:
    return _SENTENCE.findall(text)


def _clauses(text: str) -> list[str]:
    return _CLAUSE.findall(text)


def _pieces(text: str) -> list[str]:
    return _PIECE.findall(text)


_Cut = Callable[[str], list[str]]


def _steps(old: str, new: str, cuts: Sequence[_Cut]) -> list[_Step]:
    """The difference with the last of `cuts`, reached by the coarser ones where it must be."""
    finest = cuts[-1]
    a, b = finest(old), finest(new)
    if len(a) * len(b) <= _MOST_CELLS:
        return list(_differing(a, b))
    if len(cuts) == 1:
        # One clause of many thousand characters on both sides: nobody reads that letter by letter.
        return [_Step("", old, new)]
    coarse = _differing(cuts[0](old), cuts[0](new))
    return list(chain.from_iterable(_closer(step, cuts[1:]) for step in coarse))


def _closer(step: _Step, cuts: Sequence[_Cut]) -> Iterator[_Step]:
    yield _Step(step.same, "", "")
    if step.gone and step.new:
        yield from _steps(step.gone, step.new, cuts)
    else:
        yield _Step("", step.gone, step.new)


def _differing(a: Sequence[str], b: Sequence[str]) -> Iterator[_Step]:
    """Steps from the longest common subsequence of the pieces."""
    same = gone = new = ""
    for step in Indel.opcodes(a, b):
        before, after = a[step.src_start : step.src_end], b[step.dest_start : step.dest_end]
        if step.tag == "equal":
            if gone or new:
                yield _Step(same, gone, new)
                same = gone = new = ""
            same += "".join(before)
        else:
            gone += "".join(before)
            new += "".join(after)
    yield _Step(same, gone, new)


def _without_islands(steps: Iterable[_Step]) -> list[_Step]:
    """Take short unchanged islands into the changes on both sides of them."""
    joined: list[_Step] = []
    for step in steps:
        last = joined[-1] if joined else None
        if last is not None and not (last.gone or last.new):
            last.same, last.gone, last.new = last.same + step.same, step.gone, step.new
        elif last is not None and _is_island(last, step):
            last.gone += step.same + step.gone
            last.new += step.same + step.new
        else:
            joined.append(_Step(step.same, step.gone, step.new))
    return joined


def _is_island(before: _Step, after: _Step) -> bool:
    """Between two replacements only: what was merely added or struck out reads well by itself."""
    around = min(max(len(s.gone), len(s.new)) for s in (before, after))
    both = all(s.gone and s.new for s in (before, after))
    return both and len(after.same) <= min(around, _ISLAND)


def _at_pauses(steps: list[_Step]) -> list[_Step]:
    """Where what was added or struck out could begin at several places, let it end at a pause.

    Of 少盐 → 少油、少盐 both 少[油、少]盐 and [少油、]少盐 are true; people write the second.
    """
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        if after is None or bool(step.gone) == bool(step.new):
            continue
        words = step.gone or step.new
        before, words, rest = _best_cut(step.same, words, after.same)
        step.same, after.same = before, rest
        step.gone, step.new = (words, "") if step.gone else ("", words)
    return steps


def _best_cut(before: str, words: str, rest: str) -> tuple[str, str, str]:
    if before[-1:] != words[-1] and rest[:1] != words[0]:
        return before, words, rest
    # As far as a cut may move; a sentence away nobody would look for it.
    head, tail = before[:-_FARTHEST], rest[_FARTHEST:]
    near = before[-_FARTHEST:] + words + rest[:_FARTHEST]
    size, here = len(words), len(before) - len(head)
    first = last = here
    while first and near[first - 1] == near[first + size - 1] and _alone(near[first - 1]):
        first -= 1
    while last + size < len(near) and near[last] == near[last + size] and _alone(near[last]):
        last += 1

    def rank(at: int) -> tuple[int, int]:
        ends, begins = near[at + size - 1] in _PAUSES, at == 0 or near[at - 1] in _PAUSES
        return 2 * ends + begins, -abs(at - here)

    at = max(range(first, last + 1), key=rank)
    return head + near[:at], near[at : at + size], near[at + size :] + tail


def _alone(character: str) -> bool:
    """Whether the character is a piece by itself: only between such may a cut move."""
    return not _JOINED.match(character)


def _runs(steps: Iterable[_Step]) -> Iterator[Run]:
    for step in steps:
        for kind, text in ((Kind.SAME, step.same), (Kind.GONE, step.gone), (Kind.NEW, step.new)):
            if text:
                yield Run(kind, text)
