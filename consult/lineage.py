"""Lineage (段落沿革): which paragraph of a version continues which one of the version before, and
so where an opinion made on an earlier version stands now.

A paragraph that continues another carries its mark. Import proposes (`drafts.marks_for`), staff
correct here until the version is published, publishing freezes. An opinion stays with the version
and paragraph it was made on for ever; only where it is shown follows the marks.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from heapq import nlargest

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import drafts
from consult.comparing.alignment import likeness
from consult.drafts import Entry, Outline, Paragraph, Version, VersionState, fresh_mark
from consult.structure import by_mark, must_be_as_seen
from core import audit
from core.db import db
from core.errors import Refused

audit.ACTIONS.update(
    {
        "paragraph.lineage_set": _l("更正段落沿革"),
        "version.realigned": _l("重新对照上一稿"),
    }
)
audit.FIELDS.update({"continued": _l("接续的段落数")})

MOST_CANDIDATES = 12


# --- where earlier opinions stand ------------------------------------------------------------


class Standing(Enum):
    """How the words an opinion was made on stand in the version that is shown."""

    HERE = "here"
    UNCHANGED = "unchanged"
    EDITED = "edited"
    GONE = "gone"

    @property
    def title(self) -> str:
        """The standing in the words of the page."""
        titles: dict[Standing, str] = {
            Standing.HERE: _("针对本稿"),
            Standing.UNCHANGED: _("原文没有改动"),
            Standing.EDITED: _("原文已修改"),
            Standing.GONE: _("原段落已删去"),
        }
        return titles[self]


@dataclass(frozen=True, slots=True)
class Place:
    """The paragraph an opinion was made on: its version's number, its words, its standing now."""

    number: int
    entry: Entry
    outline: Outline
    standing: Standing


class Line:
    """The published versions of a draft up to the one that is shown."""

    def __init__(self, shown: Outline, number: int, earlier: Sequence[tuple[int, Outline]]) -> None:
        self.shown = shown
        self.number = number
        self.earlier = earlier
        # {paragraph of an earlier version: what continues it here}, None for what is gone.
        self.heirs: Mapping[int, Entry | None] = {
            entry.id: shown.by_mark.get(entry.mark)
            for _number, outline in earlier
            for entry in outline.entries
        }

    def places(self, entries: Iterable[Entry]) -> list[int]:
        """Every paragraph, of any version up to the shown one, that has become one of these."""
        own = {entry.id for entry in entries}
        carried = [id for id, heir in self.heirs.items() if heir is not None and heir.id in own]
        return [*own, *carried]

    def under(self, entry: Entry) -> list[int]:
        """The places of a paragraph, or of a heading and all that stands under it."""
        return self.places(self.shown.within(entry) if entry.level else [entry])

    def gone(self) -> list[int]:
        """The paragraphs of earlier versions that nothing continues."""
        return [id for id, heir in self.heirs.items() if heir is None]

    def place(self, paragraph_id: int) -> Place | None:
        """How this paragraph stands in the shown version; None when it is of no version here."""
        entry = self.shown.by_id.get(paragraph_id)
        if entry is not None:
            return Place(self.number, entry, self.shown, Standing.HERE)
        for number, outline in self.earlier:
            entry = outline.by_id.get(paragraph_id)
            if entry is not None:
                return Place(number, entry, outline, _standing(entry, self.heirs[entry.id]))
        return None


def _standing(entry: Entry, heir: Entry | None) -> Standing:
    if heir is None:
        return Standing.GONE
    return Standing.UNCHANGED if heir.text == entry.text else Standing.EDITED


def line(version: Version) -> Line:
    """The line that ends in this version."""
    query = sa.select(Version).where(
        Version.draft_id == version.draft_id,
        Version.state == VersionState.PUBLISHED,
        Version.number < version.number,
    )
    earlier = db.session.scalars(query.order_by(Version.number.desc())).all()
    outlines = [(each.number, drafts.outline(each)) for each in earlier]
    return Line(drafts.outline(version), version.number, outlines)


# --- correcting -------------------------------------------------------------------------------


def candidates(version: Version, mark: int) -> list[Entry]:
    """What the paragraph may continue, in the order of the version before: its present origin,
    and the most alike of those that nothing continues or something less alike does."""
    earlier = drafts.before(version)
    here = drafts.outline(version).by_mark.get(mark)
    if earlier is None or here is None:
        return []
    old = drafts.outline(earlier)
    scored = {
        entry.mark: likeness(entry.text, here.text)
        for entry in old.entries
        if entry.kind.sort == here.kind.sort
    }
    chosen = set(nlargest(MOST_CANDIDATES, scored, key=scored.__getitem__))
    chosen.add(mark)
    return [entry for entry in old.entries if entry.mark in chosen]


def set_origin(
    version: Version, mark: int, origin: int | None, *, seen: str, by: audit.Actor, now: dt.datetime
) -> int:
    """Say that the paragraph continues `origin` (a mark of the version before), or that it is new
    (None); returns its mark from now on.

    What carried that mark until now is new from now on: one paragraph continues one paragraph.
    """
    here = must_be_as_seen(version, mark, seen)
    earlier = drafts.before(version)
    known = drafts.outline(earlier).by_mark if earlier else {}
    if origin is not None and origin not in known:
        raise Refused(_("上一稿里没有这一段，请重新选择。"))
    wanted = origin or (fresh_mark(version.draft) if mark in known else mark)
    if wanted == mark:
        return mark
    holder = by_mark(version, wanted)
    if holder is not None:
        holder.mark = fresh_mark(version.draft)
        db.session.flush()
    here.mark = wanted
    audit.record(
        "paragraph.lineage_set",
        here,
        by=by,
        now=now,
        name=version.draft.title,
        before={"version": version.id, "mark": mark},
        after={"version": version.id, "mark": wanted},
    )
    return wanted


def realign(version: Version, *, by: audit.Actor, now: dt.datetime) -> int:
    """Propose anew for the whole version, from its words as they are now; how many continue one.

    Corrections made by hand are overwritten; the pages say so.
    """
    drafts.lock(version)
    earlier = drafts.before(version)
    if earlier is None:
        raise Refused(_("这是第一稿，没有上一稿可以对照。"))
    known = drafts.outline(earlier)
    paragraphs = drafts.paragraphs_of(version)
    origins = drafts.origins(paragraphs, known.entries)
    _give(version, paragraphs, origins, known)
    continued = sum(origin is not None for origin in origins)
    audit.record(
        "version.realigned",
        version,
        by=by,
        now=now,
        name=version.draft.title,
        after={"number": version.number, "continued": continued},
    )
    return continued


def _give(
    version: Version, paragraphs: Sequence[Paragraph], origins: Sequence[int | None], known: Outline
) -> None:
    """Set the marks; what was new and stays new keeps its own."""
    marks = []
    for paragraph, origin in zip(paragraphs, origins, strict=True):
        if origin is not None:
            marks.append(known.entries[origin].mark)
        elif paragraph.mark in known.by_mark:
            marks.append(fresh_mark(version.draft))
        else:
            marks.append(paragraph.mark)
    # Out of each other's way first: the database checks every row by itself.
    changed = [
        (each, mark) for each, mark in zip(paragraphs, marks, strict=True) if each.mark != mark
    ]
    for each, _mark in changed:
        each.mark = -each.mark
    db.session.flush()
    for each, mark in changed:
        each.mark = mark
    db.session.flush()
