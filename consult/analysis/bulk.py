"""Reads opinions by the thousand as `Engine.said` reads one, at several times its speed.

The texts of a batch are laid one behind the other and cut in one go; what is asked of every
character and every word is asked of all of them at once, in arrays. Only cues, of which a text has
few, are looked at one by one. tests/test_analysis_bulk.py holds the two ways to each other.
"""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from consult.analysis import cues, lattice, normal, stance, stock
from consult.analysis.cues import Cue
from consult.analysis.engine import Engine
from consult.analysis.lattice import runs

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]

# Words whose facts are kept; the guesses of a million opinions need not stay for ever.
MOST_WORDS = 300_000
# Of so many texts the words are cut by the segmenter.
FEW = 400
# Blocks cut at once.
PIECE = 20_000
_BREAK = "\n"


@dataclass(frozen=True, slots=True)
class Said:
    """What a batch says. `words` are its distinct terms, sorted; those of text `n` are
    `terms[starts[n]:starts[n + 1]]`, as places in `words`, sorted, and so for `opposed`."""

    words: tuple[str, ...]
    starts: Ints
    terms: Ints
    opposed_starts: Ints
    opposed: Ints
    stances: tuple[str, ...]


class _Placed(NamedTuple):
    """Mentions of terms in order: the number of each, and from where to where it stands."""

    terms: Ints
    starts: Ints
    ends: Ints


class Bulk:
    """An engine for many texts at once. Keep it as long as the engine; not for several threads."""

    def __init__(self, engine: Engine, *, few: int = FEW) -> None:
        """Up to `few` texts are not worth reading a dictionary of its own for."""
        self._engine = engine
        self._few = few
        self._words = _Words(engine)

    def said(self, texts: Sequence[tuple[str, str]], *, longest: int) -> Said:
        """The terms of every text (title, body), those with more than `longest` characters left
        out, and the stance read in it."""
        if len(self._words) > MOST_WORDS:
            self._words = _Words(self._engine)
        laid = _laid(texts)
        placed = self._placed(laid)
        stances, against, against_owners = _judged(laid, placed)
        words, ranks = self._words.ranked(placed.terms, longest)
        bounds = np.searchsorted(placed.starts, laid.begins)
        owners = np.repeat(np.arange(len(texts)), np.diff(bounds))
        return Said(
            words,
            *_rows(owners, ranks[placed.terms], len(texts)),
            *_rows(against_owners, ranks[against], len(texts)),
            stances,
        )

    def _placed(self, laid: _Laid) -> _Placed:
        """Every mention of a term, as `Engine.placed` finds it."""
        kinds = _KINDS[np.minimum(laid.codes, len(_KINDS) - 1)]
        starts, ends = runs(kinds > 0)
        marked = np.append(0, np.cumsum(kinds == _SPECIAL, dtype=np.int64))
        plain = (marked[ends] == marked[starts]) & (ends - starts <= lattice.LONGEST)
        if len(laid.begins) - 1 <= self._few:
            plain[:] = False
        apart = self._cut(laid.codes, starts[~plain], ends[~plain])
        if not plain.any():
            return self._words.placed(apart, laid.codes)
        return self._words.placed(
            self._together(laid, starts[plain], ends[plain], apart), laid.codes
        )

    def _cut(self, codes: Codes, starts: Ints, ends: Ints) -> _Found:
        """The words of these blocks, by the engine's segmenter."""
        cutter = self._engine.segmenter.cutter
        # Only the blocks, with a space behind each.
        sizes = ends - starts + 1
        begins = np.cumsum(sizes) - sizes
        shift = np.repeat(starts - begins, sizes)
        at = np.arange(len(shift)) + shift
        alone = codes[np.minimum(at, len(codes) - 1)]
        alone[begins + sizes - 1] = ord(" ")
        words = cutter.cut_blocks(alone.astype("<u4").tobytes().decode("utf-32-le"))
        lengths = np.fromiter(map(len, words), np.int64, count=len(words))
        special = _blocks_with(_KINDS[alone], _SPECIAL)
        if special:
            words, lengths = _mended(words, lengths, special, cutter)
        places = np.cumsum(lengths) - lengths
        # Single characters are no terms, and most of all words.
        long = lengths > 1
        numbers = self._words.numbers([word for word in words if len(word) > 1])
        found = places[long] + shift[places[long]]
        return _Found(found, found + lengths[long], numbers)

    def _together(self, laid: _Laid, starts: Ints, ends: Ints, apart: _Found) -> _Found:
        """The words of these blocks, all at once, and those that were found apart, in order."""
        dictionary = self._lattice
        found = [apart]
        # A piece at a time, so that what is worked on stays near.
        bounds = [*range(0, len(starts), PIECE), len(starts)]
        for first, last in pairwise(bounds):
            begin = int(starts[first])
            blocks = starts[first:last] - begin, ends[first:last] - begin
            cut = dictionary.cut(laid.codes[begin : int(ends[last - 1])], *blocks)
            found.append(self._words.known(cut, laid.text, begin))
        parts = [np.concatenate(part) for part in zip(*found, strict=True)]
        order = np.argsort(parts[0], kind="stable")
        return _Found(*(part[order] for part in parts))

    @functools.cached_property
    def _lattice(self) -> lattice.Lattice:
        return lattice.Lattice(self._engine.segmenter.words)


class _Found(NamedTuple):
    """Words of two characters and more in order: from where to where each stands, and its number."""

    starts: Ints
    ends: Ints
    numbers: Ints


class _Laid(NamedTuple):
    """Texts in their plain spelling, one behind the other, with a break behind each: all of them,
    the same as numbers, and where each begins, and one more would."""

    text: str
    codes: Codes
    begins: Ints


def _laid(texts: Sequence[tuple[str, str]]) -> _Laid:
    whole = [f"{title}{_BREAK}{body}" if title else body for title, body in texts]
    begins = np.zeros(len(whole) + 1, dtype=np.int64)
    np.cumsum([len(text) + 1 for text in whole], out=begins[1:])
    codes, ends = _plain(_codes("".join(t + _BREAK for t in whole)))
    if ends is not None:
        begins[1:] = ends[begins[1:] - 1]
    return _Laid(codes.tobytes().decode("utf-32-le", "surrogatepass"), codes, begins)


def _plain(codes: Codes) -> tuple[Codes, Ints | None]:
    """`normal.plain` for the code points of any number of characters, and where what each became ends;
    None where each became one."""
    changed = _ONES[codes]
    unknown = codes[changed == _UNKNOWN]
    if len(unknown):
        for code in np.unique(unknown).tolist():
            became = normal.plain(chr(code))
            _ONES[code] = ord(became) if len(became) == 1 else _SEVERAL
        changed = _ONES[codes]
    several = np.flatnonzero(changed == _SEVERAL)
    if not len(several):
        return changed, None
    parts = [normal.plain(chr(code)) for code in codes[several].tolist()]
    sizes = np.fromiter(map(len, parts), np.int64, count=len(parts))
    lengths = np.ones(len(codes), dtype=np.int64)
    lengths[several] = sizes
    ends = np.cumsum(lengths)
    result = np.repeat(changed, lengths)
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    result[np.repeat(ends[several] - sizes, sizes) + within] = _codes("".join(parts))
    return result, ends


def _codes(text: str) -> Codes:
    """The characters of a text as numbers."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32)


def _mended(
    words: list[str], lengths: Ints, blocks: Sequence[tuple[int, int]], cutter: stock.Cutter
) -> tuple[list[str], Ints]:
    """The words and their lengths with those of these blocks mended, as they need it."""
    starts = np.cumsum(lengths) - lengths
    whole: list[str] = []
    parts: list[Ints] = []
    done = 0
    for first, last in np.searchsorted(starts, np.array(blocks)).tolist():
        cut = words[first:last]
        mended = cutter.mended(cut)
        if mended != cut:
            whole += words[done:first]
            whole += mended
            parts += (lengths[done:first], np.array([len(word) for word in mended]))
            done = last
    if not done:
        return words, lengths
    return whole + words[done:], np.concatenate((*parts, lengths[done:]))


# --- stance --------------------------------------------------------------------------------------


class _Cues(NamedTuple):
    """The cues of all texts in order: where they stand, what they do as places in `_EACH_KIND`, and
    how firmly."""

    starts: Ints
    ends: Ints
    kinds: npt.NDArray[np.int8]
    weights: npt.NDArray[np.float64]


class _Cut(NamedTuple):
    """The clauses of all texts: the place of the mark that ends each, and its sentence; and the
    first of each text, and one more."""

    at: Ints
    sentences: Ints
    of_text: Ints


def _judged(laid: _Laid, placed: _Placed) -> tuple[tuple[str, ...], Ints, Ints]:
    """By text its stance; and the terms spoken against with the texts that do."""
    found = _found(laid)
    marks = _MARKS[np.minimum(laid.codes, len(_MARKS) - 1)]
    at = np.flatnonzero(marks)
    sentences = np.cumsum(marks[at] == _SENTENCE)
    sentences[1:] = sentences[:-1]
    sentences[:1] = 0
    cut = _Cut(at, sentences, np.searchsorted(at, laid.begins))
    clauses = np.searchsorted(at, found.starts)
    owners = np.searchsorted(laid.begins, found.starts, side="right") - 1
    found, held = _settled(found, cut, clauses, laid)
    stances = _decided(found, cut, clauses, owners, len(laid.begins) - 1)
    return stances, *_against(found, held, cut, clauses, placed)


def _found(laid: _Laid) -> _Cues:
    """`cues.find` for all texts."""
    at, openings = _openings(laid.codes)
    said_at, said_ends, said_meanings = _said(laid.codes, at)
    told_at, told_ends, told_meanings = _told(laid, at, openings)
    # Where both are found the longer counts, and of equal ones the phrase.
    starts = np.concatenate((said_at, told_at))
    ends = np.concatenate((said_ends, told_ends))
    meanings = np.concatenate((said_meanings, told_meanings))
    kind = np.repeat([0, 1], [len(said_at), len(told_at)])
    order = np.lexsort((kind, -ends, starts))
    starts, ends, meanings = starts[order], ends[order], meanings[order]
    kept = np.append(True, starts[1:] != starts[:-1])[: len(starts)]
    starts, ends, meanings = starts[kept], ends[kept], meanings[kept]
    free = _free(starts, ends)
    kinds, weights = (each[meanings] for each in _meant())
    free &= kinds != _NEUTRAL
    return _Cues(starts[free], ends[free], kinds[free], weights[free])


def _said(codes: Codes, at: Ints) -> tuple[Ints, Ints, Ints]:
    """The longest phrase at each of these places, taken from the left without overlapping: where,
    to where, and its meaning."""
    ends = np.zeros(len(at), dtype=np.int64)
    meanings = np.zeros(len(at), dtype=np.int64)
    letters, steps, whole = _phrases()
    going, length = np.arange(len(at)), 0
    node: npt.NDArray[np.integer[Any]] = np.zeros(len(at), dtype=np.int64)
    # The break behind the last text is in no phrase, so none goes on behind the end.
    while len(going):
        node = steps[node, letters[np.minimum(codes[at[going] + length], len(letters) - 1)]]
        on = node > 0
        going, node, length = going[on], node[on], length + 1
        hit = whole[node] >= 0
        ends[going[hit]] = at[going[hit]] + length
        meanings[going[hit]] = whole[node[hit]]
    hits = np.flatnonzero(ends)
    hits = hits[_free(at[hits], ends[hits])]
    return at[hits], ends[hits], meanings[hits]


def _told(laid: _Laid, at: Ints, openings: Ints) -> tuple[Ints, Ints, Ints]:
    """What patterns find at these places, text by text, because they look around themselves."""
    matches, meanings, phrases = _patterns()
    some = np.flatnonzero(np.array([match is not None for match in matches])[openings])
    places, bounds = _by_text(at[some], laid.begins)
    numbers = openings[some].tolist()
    begins = laid.begins.tolist()
    found: list[tuple[int, int, int]] = []
    for number, begin in enumerate(begins[:-1]):
        first, last = bounds[number : number + 2]
        if first == last:
            continue
        text = laid.text[begin : begins[number + 1] - 1]
        told = 0
        for start, opening in zip(places[first:last], numbers[first:last], strict=True):
            if start >= told and (match := matches[opening](text, start)):
                told = match.end()
                meaning = meanings[opening][match.lastindex - 1]
                meaning = phrases.get(text[start:told], meaning)
                found.append((begin + start, begin + told, meaning))
    columns = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return columns[0], columns[1], columns[2]


def _free(starts: Ints, ends: Ints) -> npt.NDArray[np.bool_]:
    """Which of these are taken when one takes them from the left, none overlapping."""
    kept = np.ones(len(starts), dtype=np.bool_)
    if len(starts) < 2:
        return kept
    reach = np.maximum.accumulate(ends)
    doubtful = np.append(False, starts[1:] < reach[:-1])
    # Each run of those that may be in the way of one another, with the one before it, by hand.
    for first, last in zip(*(each.tolist() for each in runs(doubtful)), strict=True):
        end = ends[first - 1]
        for place in range(first, last):
            if starts[place] < end:
                kept[place] = False
            else:
                end = ends[place]
    return kept


def _settled(found: _Cues, cut: _Cut, clauses: Ints, laid: _Laid) -> tuple[_Cues, _Held]:
    """The cues after those of one clause have spoken to each other; what came to nothing is
    neutral. Where none supports or opposes they have nothing to say."""
    held = _Held(found, cut, clauses, laid)
    kinds, weights = found.kinds.copy(), found.weights.copy()
    for number in np.unique(clauses[_SETTLING[found.kinds]]).tolist():
        first, last = held.of_clause(number)
        clause = held.clause(number, first, last)
        stance.settle(clause, laid.text)
        kinds[first:last] = _NEUTRAL
        places = {held.starts[n]: n for n in range(first, last)}
        for cue in clause.cues:
            place = places[cue.start]
            kinds[place], weights[place] = found.kinds[place], cue.weight
    return found._replace(kinds=kinds, weights=weights), held


class _Held:
    """Clauses as `stance` has them, made when they are asked for; places are those in all texts."""

    def __init__(self, found: _Cues, cut: _Cut, clauses: Ints, laid: _Laid) -> None:
        self._text = laid.text
        self._columns = [column.tolist() for column in found]
        self.starts: list[int] = self._columns[0]
        self._clauses: list[int] = clauses.tolist()
        ends = cut.at + 1
        # The break behind a text closes its last clause and is none of it.
        ends[cut.of_text[1:] - 1] -= 1
        self.cut = stance.Clauses(ends.tolist(), cut.sentences.tolist())
        self._at: list[int] = cut.at.tolist()
        self._made: dict[int, stance.Clause] = {}

    def of_clause(self, number: int) -> tuple[int, int]:
        """From where to where its cues stand among all."""
        return bisect_left(self._clauses, number), bisect_right(self._clauses, number)

    def near(self, number: int) -> stance.Clause | None:
        """The clause of a number where it holds a cue."""
        made = self._made.get(number)
        if made is not None:
            return made
        first, last = self.of_clause(number)
        return self.clause(number, first, last) if first < last else None

    def clause(self, number: int, first: int, last: int) -> stance.Clause:
        """The clause of a number with these of all cues."""
        starts, ends, kinds, weights = self._columns
        made = self._made[number] = stance.Clause(
            number,
            self._at[number - 1] + 1 if number else 0,
            self.cut.ends[number],
            self.cut.sentences[number],
            [
                Cue(
                    _EACH_KIND[kinds[n]],
                    weights[n],
                    starts[n],
                    ends[n],
                    self._text[starts[n] : ends[n]],
                )
                for n in range(first, last)
            ],
        )
        return made


def _against(
    found: _Cues, held: _Held, cut: _Cut, clauses: Ints, placed: _Placed
) -> tuple[Ints, Ints]:
    """The terms spoken against, and by which text each."""
    acting = np.unique(clauses[_ACTING[found.kinds]])
    owners = np.searchsorted(cut.of_text, acting, side="right") - 1
    places = stance.Places(*(column.tolist() for column in placed))
    terms: list[Any] = []
    texts: list[int] = []
    pairs = zip(owners.tolist(), map(held.near, acting.tolist()), strict=True)
    for owner, those in groupby(pairs, key=itemgetter(0)):
        made = [clause for _owner, clause in those if clause is not None]
        against = stance.opposed(made, held.near, held.cut, places)
        terms += against
        texts += [owner] * len(against)
    return np.array(terms, dtype=np.int64), np.array(texts, dtype=np.int64)


def _decided(found: _Cues, cut: _Cut, clauses: Ints, owners: Ints, count: int) -> tuple[str, ...]:
    """By text the stance its cues show most firmly, as `stance.read` decides it."""
    weights = found.weights * _factors(found, cut, clauses, owners)
    shown = _SHOWN[found.kinds]
    telling = np.flatnonzero((shown >= 0) & (found.weights != 0))
    group = owners[telling] * len(stance.ORDER) + shown[telling]
    order = np.lexsort((-weights[telling], group))
    group = group[order]
    # The four firmest of each stance, and nothing where there are fewer.
    sorted_weights = np.append(weights[telling][order], np.zeros(3))
    firsts = np.flatnonzero(np.append(True, group[1:] != group[:-1])[: len(group)])
    sizes = np.diff(np.append(firsts, len(group)))
    top, second, third, fourth = (
        np.where(sizes > n, sorted_weights[firsts + n], 0.0) for n in range(4)
    )
    strength = top + stance.REPEATED * (second + third + fourth)
    owner, which = np.divmod(group[firsts], len(stance.ORDER))
    best = np.lexsort((which, -strength, owner))
    owner, which = owner[best], which[best]
    kept = np.append(True, owner[1:] != owner[:-1])[: len(owner)]
    stances = np.full(count, len(stance.ORDER))
    stances[owner[kept]] = which[kept]
    names = (*stance.ORDER, _SILENT)
    return tuple(names[n] for n in stances.tolist())


def _factors(found: _Cues, cut: _Cut, clauses: Ints, owners: Ints) -> npt.NDArray[np.float64]:
    """Of each cue: less before a 但 of its sentence or opening the next, more after."""
    turns = np.flatnonzero(found.kinds == _CONTRAST)
    sentences = cut.sentences
    where = sentences[clauses[turns]]
    opens = np.append(True, sentences[1:] != sentences[:-1])[clauses[turns]]
    first_of_text = sentences[cut.of_text[owners[turns]]]
    size = int(sentences.max(initial=0)) + 1
    last_turn = np.full(size, -1, dtype=np.int64)
    last_turn[where] = found.starts[turns]
    turned = np.zeros(size, dtype=np.bool_)
    turned[where[opens & (where > first_of_text)] - 1] = True
    own = sentences[clauses]
    turn = last_turn[own]
    factors = np.where(found.starts > turn, stance.AFTER_BUT, stance.BEFORE_BUT)
    factors[turn < 0] = 1.0
    factors[turned[own]] = stance.BEFORE_BUT
    return factors


def _openings(codes: Codes) -> tuple[Ints, Ints]:
    """Where cues may begin, and which opening stands there: at few places of all."""
    first, second, begins = _cue_tables()
    known = np.minimum(codes, len(first) - 1)
    found = np.flatnonzero(first[known])
    after = np.append(known, 0)[found + 1]
    number = begins[first[known[found]], second[after]]
    kept = np.flatnonzero(number >= 0)
    return found[kept], number[kept].astype(np.int64)


@functools.cache
def _cue_tables() -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16], npt.NDArray[np.int32]]:
    """Numbers for the characters with which cues begin and go on, by code point; and for each two
    of those numbers the opening, or -1."""
    table = cues.builtin()
    numbered = []
    for place in (0, 1):
        numbers = np.zeros(0x10000, dtype=np.uint16)
        found = sorted({head[place] for head in table.begins if len(head) > place})
        numbers[list(map(ord, found))] = np.arange(1, len(found) + 1)
        numbered.append(numbers)
    first, second = numbered
    begins = np.full((int(first.max()) + 1, int(second.max()) + 1), -1, dtype=np.int32)
    # What needs no second character comes before those that name one.
    for head in sorted(table.begins, key=len):
        column = second[ord(head[1])] if len(head) > 1 else slice(None)
        begins[first[ord(head[0])], column] = table.begins[head]
    return first, second, begins


class _Phrases(NamedTuple):
    """The phrases of cues as a tree. `letters`: by code point the number of a character in them;
    `steps`: by node and such a number the next node, 0 for none; `whole`: by node the meaning of
    the phrase that ends there, or -1."""

    letters: npt.NDArray[np.uint16]
    steps: npt.NDArray[np.int32]
    whole: Ints


@functools.cache
def _phrases() -> _Phrases:
    table, ids = cues.builtin(), _meanings()
    letters = np.zeros(0x10000, dtype=np.uint16)
    found = sorted({letter for phrase in table.phrases for letter in phrase})
    letters[list(map(ord, found))] = np.arange(1, len(found) + 1)
    nodes = {"": 0}
    for phrase in table.phrases:
        for size in range(1, len(phrase) + 1):
            nodes.setdefault(phrase[:size], len(nodes))
    steps = np.zeros((len(nodes), len(found) + 1), dtype=np.int32)
    whole = np.full(len(nodes), -1, dtype=np.int64)
    for said, node in nodes.items():
        if said:
            steps[nodes[said[:-1]], letters[ord(said[-1])]] = node
        if said in table.phrases:
            whole[node] = ids[table.phrases[said]]
    return _Phrases(letters, steps, whole)


class _Patterns(NamedTuple):
    """By opening: what matches the patterns that may begin there, None for none, and the meaning of
    each of them; and of phrases, which a pattern may find, too, theirs."""

    match: Sequence[Any]
    meanings: Sequence[Sequence[int]]
    phrases: Mapping[str, int]


@functools.cache
def _patterns() -> _Patterns:
    table, ids = cues.builtin(), _meanings()
    return _Patterns(
        [each.patterns and each.patterns.match for each in table.openings],
        [[ids[meaning] for meaning in each.meanings] for each in table.openings],
        {phrase: ids[meaning] for phrase, meaning in table.phrases.items()},
    )


@functools.cache
def _meanings() -> dict[cues.Meaning, int]:
    """What cues mean, numbered."""
    table = cues.builtin()
    found = [*table.phrases.values(), *(m for each in table.openings for m in each.meanings)]
    return {meaning: number for number, meaning in enumerate(dict.fromkeys(found))}


@functools.cache
def _meant() -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float64]]:
    """By number of a meaning its kind, as a place in `_EACH_KIND`, and its weight."""
    kinds = np.array([_EACH_KIND.index(kind) for kind, _weight in _meanings()], dtype=np.int8)
    return kinds, np.array([weight for _kind, weight in _meanings()])


# --- words ---------------------------------------------------------------------------------------


def _by_text(places: Ints, begins: Ints) -> tuple[list[int], list[int]]:
    """Places in all texts as places in their own, and where those of each text begin."""
    bounds = np.searchsorted(places, begins)
    own = places - np.repeat(begins[:-1], np.diff(bounds))
    return own.tolist(), bounds.tolist()


def _rows(owners: Ints, ranks: Ints, count: int) -> tuple[Ints, Ints]:
    """The distinct ranks of each owner, sorted: where each begins, and all. Below 0 is none."""
    kept = ranks >= 0
    width = int(ranks.max(initial=0)) + 1
    pairs = np.sort(owners[kept] * width + ranks[kept])
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
    return np.searchsorted(pairs, np.arange(count + 1) * width), pairs % width


def _blocks_with(kinds: npt.NDArray[np.uint8], kind: int) -> list[tuple[int, int]]:
    """From where to where every block goes that holds a character of this kind."""
    hits = np.flatnonzero(kinds == kind)
    if not len(hits):
        return []
    outside = np.concatenate(([-1], np.flatnonzero(kinds == 0), [len(kinds)]))
    number = np.unique(np.searchsorted(outside, hits))
    begins, ends = (outside[number - 1] + 1).tolist(), outside[number].tolist()
    return list(zip(begins, ends, strict=True))


class _Words:
    """Every word met so far, with what the engine thinks of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._numbers = _Numbers()
        self._terms: dict[str, int] = {}
        self._names: list[str] = []
        # The numbers of the names, sorted by name.
        self._sorted: list[int] = []
        self._sizes = np.zeros(0, dtype=np.int64)
        # By word: the number of its term or -1, and two of `Engine.placed`'s questions.
        kinds: tuple[Any, ...] = (np.int32, np.bool_, np.bool_)
        # By number in the dictionary the number of the word, -1 before it was met.
        self._by_node: Ints = np.zeros(0, dtype=np.int64)
        self._facts: list[npt.NDArray[Any]] = [np.zeros(0, dtype=kind) for kind in kinds]

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, words: Sequence[str]) -> Ints:
        """The numbers of these words."""
        found = np.fromiter(map(self._numbers.__getitem__, words), np.int64, count=len(words))
        self._learn()
        return found

    def known(self, cut: lattice.Words, text: str, begin: int) -> _Found:
        """Words by their numbers in a dictionary, told by how they are written where it has none;
        they stand so far from the beginning of this text."""
        starts, ends = cut.starts + begin, cut.ends + begin
        top = int(cut.nodes.max(initial=0)) + 1
        if top > len(self._by_node):
            more = np.full(top - len(self._by_node), -1)
            self._by_node = np.concatenate((self._by_node, more))
        numbers = self._by_node.take(cut.nodes)
        new = np.flatnonzero((numbers < 0) & (cut.nodes > 0))
        if len(new):
            fresh, first = np.unique(cut.nodes[new], return_index=True)
            self._by_node[fresh] = self.numbers(
                _written(text, starts[new[first]], ends[new[first]])
            )
            numbers = self._by_node.take(cut.nodes)
        other = np.flatnonzero(cut.nodes == 0)
        numbers[other] = self.numbers(_written(text, starts[other], ends[other]))
        return _Found(starts, ends, numbers)

    def placed(self, found: _Found, codes: Codes) -> _Placed:
        """The terms among these words of a text of these code points."""
        starts, ends, numbers = found
        terms, code, guess = (fact[numbers] for fact in self._facts)
        # After a number or letter a guess is the tail of a name. A word of one character is told by
        # its letter.
        coded = _CODE[np.minimum(codes[np.maximum(starts - 1, 0)], len(_CODE) - 1)] & (starts > 0)
        behind = np.flatnonzero(ends[:-1] == starts[1:]) + 1
        coded[behind] = code[behind - 1]
        kept = np.flatnonzero((terms >= 0) & ~(coded & guess))
        return _Placed(terms[kept].astype(np.int64), starts[kept], ends[kept])

    def ranked(self, used: Ints, longest: int) -> tuple[tuple[str, ...], Ints]:
        """The names of these terms, sorted, and by number of a term its place among them."""
        held = np.zeros(len(self._names), dtype=np.bool_)
        held[used] = True
        held &= self._sizes <= longest
        order = np.array(self._sorted, dtype=np.int64)
        kept = order[held[order]]
        ranks = np.full(len(self._names), -1, dtype=np.int64)
        ranks[kept] = np.arange(len(kept))
        return tuple(map(self._names.__getitem__, kept.tolist())), ranks

    def _learn(self) -> None:
        """Ask the engine about the words that have come."""
        named = len(self._names)
        more = [self._fact(word) for word in self._numbers.fresh]
        self._numbers.fresh.clear()
        if not more:
            return
        self._facts = [
            np.concatenate((held, np.array(new, dtype=held.dtype)))
            for held, new in zip(self._facts, zip(*more, strict=True), strict=True)
        ]
        sizes = np.array([len(name) for name in self._names[named:]], dtype=np.int64)
        self._sizes = np.concatenate((self._sizes, sizes))
        # Two sorted runs are merged in one pass.
        self._sorted += sorted(range(named, len(self._names)), key=self._names.__getitem__)
        self._sorted.sort(key=self._names.__getitem__)

    def _fact(self, word: str) -> tuple[int, bool, bool]:
        term = self._engine.term_of(word)
        code = word.isascii() and word.isalnum()
        if term is None:
            return -1, code, False
        number = self._terms.setdefault(term, len(self._names))
        if number == len(self._names):
            self._names.append(term)
        return number, code, self._engine.guessed(term)


def _written(text: str, starts: Ints, ends: Ints) -> list[str]:
    """What stands from here to there."""
    return [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


class _Numbers(dict[str, int]):
    """The number of every word; one that is asked for the first time gets the next."""

    def __init__(self) -> None:
        super().__init__()
        self.fresh: list[str] = []

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        self.fresh.append(word)
        return number


_SILENT = "none"
_BLOCK, _SPECIAL = 1, 2
_CLAUSE, _SENTENCE = 1, 2


def _table(size: int, *kinds: tuple[int, Iterable[str]]) -> npt.NDArray[np.uint8]:
    """By code point, of what kind a character is; of the last and all beyond it 0."""
    table = np.zeros(size, dtype=np.uint8)
    for kind, characters in kinds:
        table[list(map(ord, characters))] = kind
    return table


_EVERY = "".join(map(chr, range(0x10000)))
_KINDS = _table(
    0x10000,
    (_BLOCK, "".join(stock.HAN_BLOCK.findall(_EVERY))),
    (_SPECIAL, stock.SPECIAL.findall(_EVERY[:128])),
)
_CODE = np.array([chr(code).isalnum() for code in range(128)] + [False])
_MARKS = _table(
    0x10000, (_CLAUSE, sorted(stance.CLAUSE_END)), (_SENTENCE, sorted(stance.SENTENCE_END))
)

_EACH_KIND = tuple(cues.Kind)
_NEUTRAL, _CONTRAST = map(_EACH_KIND.index, (cues.Kind.NEUTRAL, cues.Kind.CONTRAST))
# By kind: whether its clause has something to settle, and whether terms stand in its scope.
_SETTLING = np.array([kind in stance.ATTITUDES for kind in _EACH_KIND])
_ACTING = np.array([kind in stance.ACTING for kind in _EACH_KIND])
# By kind: the place in `stance.ORDER` of what it shows, or -1.
_SHOWN = np.array(
    [stance.ORDER.index(stance.SHOWN[k]) if k in stance.SHOWN else -1 for k in _EACH_KIND]
)

# What each code point becomes, so far as anybody has asked: one other, or something else.
_UNKNOWN, _SEVERAL = 0xFFFFFFFF, 0xFFFFFFFE
_ONES = np.full(0x110000, _UNKNOWN, dtype=np.uint32)
