"""Comparing two versions (稿次对照): the fate of every paragraph, and the words that changed.

Pure: outlines in, plain values out. Which paragraph became which is read off their marks.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from flask_babel import gettext as _

from consult.comparing import Kind, Run, changes, displaced
from consult.drafts import Entry, Outline, ParagraphKind


class Fate(Enum):
    """What became of a paragraph between two versions."""

    SAME = "same"
    EDITED = "edited"
    NEW = "new"
    GONE = "gone"

    @property
    def title(self) -> str:
        """The fate in the words of the page."""
        titles: dict[Fate, str] = {
            Fate.SAME: _("未改动"),
            Fate.EDITED: _("有修改"),
            Fate.NEW: _("新增"),
            Fate.GONE: _("删去"),
        }
        return titles[self]


@dataclass(frozen=True, slots=True)
class Pair:
    """A paragraph of the earlier version beside what it became; one of the two may be missing."""

    fate: Fate
    moved: bool
    before: Entry | None
    after: Entry | None
    # What it stood behind in the earlier version; for what moved.
    followed: Entry | None = None

    @property
    def entry(self) -> Entry:
        """The later of the two."""
        entry = self.after or self.before
        assert entry is not None
        return entry

    @property
    def mark(self) -> int:
        """The mark both carry."""
        return self.entry.mark

    @property
    def changed(self) -> bool:
        """Whether there is anything to see: other words, another place, or another level."""
        return self.fate is not Fate.SAME or self.moved or self.relevelled

    @property
    def relevelled(self) -> bool:
        """Whether it is a heading of another level now, or body text that was a heading."""
        before, after = self.before, self.after
        return before is not None and after is not None and before.level != after.level

    def runs(self) -> tuple[Run, ...]:
        """The words of both with what went and what came."""
        return changes(
            self.before.text if self.before else "", self.after.text if self.after else ""
        )

    @property
    def is_table(self) -> bool:
        """Whether it is shown in cells."""
        return self.entry.kind is ParagraphKind.TABLE

    def tables(self, runs: Sequence[Run], sides: Container[str]) -> list[Table]:
        """The cells of what is to be shown: one table, or the earlier and the later one where the
        two cannot be interwoven because cells came or went."""
        chosen = [run for run in runs if run.kind.value in sides]
        both = {Kind.GONE, Kind.NEW} <= {run.kind for run in chosen}
        if both and any(run.kind is not Kind.SAME and _EDGE.search(run.text) for run in chosen):
            before = [run for run in chosen if run.kind is not Kind.NEW]
            after = [run for run in chosen if run.kind is not Kind.GONE]
            return [_cells(before), _cells(after)]
        return [_cells(chosen)]


# Rows of cells of words.
Table = list[list[list[Run]]]
_EDGE = re.compile(r"[\t\n]")


def _cells(runs: Iterable[Run]) -> Table:
    rows: Table = [[[]]]
    for run in runs:
        for number, line in enumerate(run.text.split("\n")):
            if number:
                rows.append([[]])
            for place, words in enumerate(line.split("\t")):
                if place:
                    rows[-1].append([])
                if words:
                    rows[-1][-1].append(Run(run.kind, words))
    return rows


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions, paragraph by paragraph, in the order of the later one; what is gone stands
    after what it followed."""

    pairs: tuple[Pair, ...]

    @property
    def counts(self) -> Mapping[Fate, int]:
        """How many paragraphs met each fate."""
        counts = dict.fromkeys(Fate, 0)
        for pair in self.pairs:
            counts[pair.fate] += 1
        return counts

    @property
    def moved(self) -> int:
        """How many paragraphs stand elsewhere."""
        return sum(pair.moved for pair in self.pairs)

    @property
    def changed(self) -> list[Pair]:
        """The pairs in which there is something to see."""
        return [pair for pair in self.pairs if pair.changed]


def compare(before: Outline, after: Outline) -> Comparison:
    """What became of the paragraphs of `before` in `after`."""
    stayed = [entry for entry in after.entries if entry.mark in before.by_mark]
    places = {entry.mark: place for place, entry in enumerate(before.entries)}
    order = [places[entry.mark] for entry in stayed]
    away = displaced(order, [len(entry.text) for entry in stayed])
    moved = {stayed[position].mark for position in away}
    gone = _gone_after(before.entries, after)
    pairs = list(gone.get(0, ()))
    for entry in after.entries:
        followed = None
        if entry.mark in moved and places[entry.mark]:
            followed = before.entries[places[entry.mark] - 1]
        earlier = before.by_mark.get(entry.mark)
        pairs.append(_pair(earlier, entry, entry.mark in moved, followed))
        pairs += gone.get(entry.mark, ())
    return Comparison(tuple(pairs))


def _pair(before: Entry | None, after: Entry, moved: bool, followed: Entry | None) -> Pair:
    if before is None:
        return Pair(Fate.NEW, False, None, after)
    fate = Fate.SAME if before.text == after.text else Fate.EDITED
    return Pair(fate, moved, before, after, followed)


def _gone_after(entries: Sequence[Entry], after: Outline) -> dict[int, list[Pair]]:
    """{mark of the paragraph it followed, 0 at the beginning: what is gone there}."""
    found: dict[int, list[Pair]] = {}
    last = 0
    for entry in entries:
        if entry.mark in after.by_mark:
            last = entry.mark
        else:
            found.setdefault(last, []).append(Pair(Fate.GONE, False, entry, None))
    return found


def in_sections(
    pairs: Sequence[Pair], before: Outline, after: Outline
) -> Iterator[tuple[str, list[Pair]]]:
    """Consecutive pairs under the address of the section they stand in."""
    address, together = "", list[Pair]()
    for pair in pairs:
        outline = after if pair.after else before
        path = pair.entry.path
        here = outline.address(path[-1]) if path else ""
        if together and here != address:
            yield address, together
            together = []
        address = here
        together.append(pair)
    if together:
        yield address, together
