"""The words that changed between two states of one paragraph.

A Chinese text is compared character by character; a number with its decimals and its per cent
sign, a run of Chinese numerals and a Latin word are each one piece, so that a changed figure is
read whole: 1000 → 1500, never 1[0→5]00.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate

from rapidfuzz.distance import Indel, Postfix, Prefix

from consult.comparing.alignment import displaced

# A difference is found with a bit matrix of old × new pieces. What is longer is first cut where
# both have the same words, and only what lies between is looked at more closely.
_MOST_CELLS = 4_000 * 4_000
# So many pieces that both texts hold once, in the same order, are the same words.
_TELLING = 8
# What is one piece though it is of several characters; every other character is one by itself.
_WHOLE = re.compile(
    r"[0-9０-９]+(?:[.,．][0-9０-９]+)*[%％‰]?"
    r"|[〇零一二三四五六七八九十百千万亿两]{2,}"
    r"|[A-Za-zÀ-ÖØ-öø-ÿ]+"
)
# Characters for private use, one of which stands for each such piece while texts are compared.
_SPARE = range(0xF0000, 0x110000)
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
    steps = _at_pauses(_without_islands(_steps(old, new)))
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


def _steps(old: str, new: str) -> Iterator[_Step]:
    """The steps from `old` to `new`, from the longest common subsequence of their pieces."""
    pieces = _Pieces(old + new)
    a, b = pieces.of(old), pieces.of(new)
    same, i, j = "", 0, 0
    for stretch in (*_common(a, b, _WAYS), (len(a), len(b), 0)):
        at, bt, size = stretch
        if at > i or bt > j:
            yield _Step(pieces.read(same), pieces.read(a[i:at]), pieces.read(b[j:bt]))
            same = ""
        i, j = at + size, bt + size
        same += a[at:i]
    yield _Step(pieces.read(same), "", "")


class _Pieces:
    """A text with one character for each of its pieces, and back."""

    def __init__(self, texts: str) -> None:
        used = set(texts)
        self._spare = (chr(code) for code in _SPARE if chr(code) not in used)
        self._standing: dict[str, str] = {}
        self._meaning: dict[int, str] = {}

    def of(self, text: str) -> str:
        return _WHOLE.sub(lambda found: self._stand_in(found[0]), text)

    def _stand_in(self, piece: str) -> str:
        if len(piece) > 1 and piece not in self._standing:
            # Where a hundred thousand different ones have used up the spare, letters do.
            character = next(self._spare, piece)
            self._standing[piece] = character
            if len(character) == 1:
                self._meaning[ord(character)] = piece
        return self._standing.get(piece, piece)

    def read(self, pieces: str) -> str:
        return pieces.translate(self._meaning) if self._meaning else pieces


# A stretch that two texts have in common: where it begins in either, and its length.
_Stretch = tuple[int, int, int]
_Way = Callable[[str, str], Iterable[_Stretch]]


def _common(a: str, b: str, ways: Sequence[_Way]) -> list[_Stretch]:
    """What stayed, in order; of what is too long for the matrix by the coarser `ways` first."""
    if len(a) * len(b) <= _MOST_CELLS:
        return _matched(a, b)
    if not ways:
        # Many thousand characters without a word in common: nobody reads that letter by letter.
        return []
    found: list[_Stretch] = []
    i = j = 0
    for at, bt, size in (*ways[0](a, b), (len(a), len(b), 0)):
        between = _common(a[i:at], b[j:bt], ways[1:])
        found += ((i + x, j + y, length) for x, y, length in between)
        found.append((at, bt, size))
        i, j = at + size, bt + size
    return found


def _matched(a: Sequence[str], b: Sequence[str]) -> list[_Stretch]:
    blocks = Indel.opcodes(a, b).as_matching_blocks()
    return [(block.a, block.b, block.size) for block in blocks]


def _ends(a: str, b: str) -> Iterator[_Stretch]:
    """How both begin and how both end."""
    begin = Prefix.similarity(a, b)
    end = Postfix.similarity(a[begin:], b[begin:])
    yield 0, 0, begin
    yield len(a) - end, len(b) - end, end


def _told(a: str, b: str) -> Iterator[_Stretch]:
    """Stretches that begin with words that stand once in both."""
    there = _once(b)
    stretches: list[_Stretch] = []
    end = 0
    for words, at in _once(a).items():
        bt = there.get(words, -1)
        if at < end or bt < 0:
            continue
        # In steps while both go on alike, then letter by letter.
        size = len(words)
        while a[at + size : at + size + 64] == b[bt + size : bt + size + 64] != "":
            size += 64
        size = min(size, len(a) - at, len(b) - bt)
        size += Prefix.similarity(a[at + size : at + size + 64], b[bt + size : bt + size + 64])
        stretches.append((at, bt, size))
        end = at + size
    away = displaced([bt for _at, bt, _size in stretches], [size for _at, _bt, size in stretches])
    end = 0
    for number, (at, bt, size) in enumerate(stretches):
        # The first words of a stretch may be the last of the one before it.
        shared = max(0, end - bt)
        if number not in away and shared < size:
            yield at + shared, bt + shared, size - shared
            end = bt + size


def _once(text: str) -> dict[str, int]:
    """{words that stand in the text once: where}, in the order of reading."""
    places: dict[str, int] = {}
    for at in range(len(text) - _TELLING + 1):
        words = text[at : at + _TELLING]
        places[words] = -1 if words in places else at
    return {words: at for words, at in places.items() if at >= 0}


def _parts_with(cut: re.Pattern[str]) -> _Way:
    """Whole sentences, or whole clauses, that stayed."""

    def parts(a: str, b: str) -> Iterator[_Stretch]:
        ours, theirs = cut.findall(a), cut.findall(b)
        if len(ours) * len(theirs) > _MOST_CELLS:
            return
        begin = [0, *accumulate(map(len, ours))]
        began = [0, *accumulate(map(len, theirs))]
        for at, bt, size in _matched(ours, theirs):
            yield begin[at], began[bt], begin[at + size] - begin[at]

    return parts


_WAYS = (_ends, _told, _parts_with(_SENTENCE), _parts_with(_CLAUSE))


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
    if len(after.same) > _ISLAND or not (before.gone and before.new and after.gone and after.new):
        return False
    smaller = min(max(len(step.gone), len(step.new)) for step in (before, after))
    return len(after.same) <= smaller


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
