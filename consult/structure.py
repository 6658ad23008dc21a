"""Mending the structure of a version before it is published: levels, splits, merges, corrections.

Every act takes the version's row first, so that two officers' acts happen one after the other,
then compares what the officer had before them (`seen`) with what stands there now. Body text is
never lost except by `delete`, `correct` and `discard`, and what those remove is in the audit trail.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import drafts
from consult.drafts import DEEPEST, Entry, Paragraph, ParagraphKind, Version, fresh_mark, lock
from consult.readers import MAX_BLOCK_CHARACTERS, hygiene
from core import audit
from core.db import db
from core.errors import Refused

audit.ACTIONS.update(
    {
        "paragraph.corrected": _l("改正段落文字"),
        "paragraph.deleted": _l("删除段落"),
        "paragraph.level_changed": _l("调整标题层级"),
        "paragraph.made_body": _l("标题改为正文"),
        "paragraph.made_heading": _l("正文改为标题"),
        "paragraph.merged": _l("合并段落"),
        "paragraph.split": _l("拆分段落"),
        "version.deleted": _l("删除未发布的稿次"),
    }
)
audit.FIELDS.update(
    {
        "version": _l("稿次编号"),
        "mark": _l("段落标记"),
        "new_mark": _l("新段落标记"),
        "at": _l("拆分位置"),
        "level": _l("层级"),
        "headings": _l("标题数"),
        "kind": _l("类型"),
        "text": _l("文字"),
        "source_sha256": _l("文件校验值"),
    }
)

LONGEST_HEADING = 200
_NOTHING = "-" * 8


class Overtaken(Refused):
    """Somebody else changed the paragraph meanwhile; `current` is what stands there now."""

    def __init__(self, current: Paragraph | None) -> None:
        super().__init__(
            _("您查看期间，这一段已由他人改动，您的操作没有执行。请看过现在的内容后再决定。")
        )
        self.current = current


# --- what the officer had before them --------------------------------------------------------


def seals(entries: Sequence[Entry]) -> dict[int, str]:
    """{mark: seal} for consecutive entries of a version.

    A seal prints the paragraph and its two neighbours, because a merge touches one of those.
    """
    prints = [_NOTHING, *(_print(entry) for entry in entries), _NOTHING]
    return {entry.mark: "".join(prints[place : place + 3]) for place, entry in enumerate(entries)}


def _print(paragraph: Paragraph | Entry | None) -> str:
    if paragraph is None:
        return _NOTHING
    facts = f"{paragraph.mark}\0{paragraph.kind.value}\0{paragraph.level}\0{paragraph.text}"
    return hashlib.sha256(facts.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class _Place:
    """A paragraph of a version being prepared, between its neighbours."""

    before: Paragraph | None
    here: Paragraph
    after: Paragraph | None


def _take(version: Version, mark: int, seen: str) -> _Place:
    """Hold the version and find the paragraph; refuse when it is not what the officer saw."""
    lock(version)
    here = by_mark(version, mark)
    if here is None or _print(here) != seen[8:16]:
        raise Overtaken(here)
    return _Place(_beside(here, -1), here, _beside(here, +1))


def must_be_as_seen(version: Version, mark: int, seen: str) -> Paragraph:
    """Hold the version; the paragraph, when it is still what the officer saw."""
    return _take(version, mark, seen).here


def by_mark(version: Version, mark: int) -> Paragraph | None:
    """The paragraph of this version with this mark."""
    query = sa.select(Paragraph).where(Paragraph.version_id == version.id, Paragraph.mark == mark)
    return db.session.scalar(query.execution_options(populate_existing=True))


def _beside(paragraph: Paragraph, step: int) -> Paragraph | None:
    query = sa.select(Paragraph).where(Paragraph.version_id == paragraph.version_id).limit(1)
    query = query.execution_options(populate_existing=True)
    if step < 0:
        query = query.where(Paragraph.position < paragraph.position)
        return db.session.scalar(query.order_by(Paragraph.position.desc()))
    query = query.where(Paragraph.position > paragraph.position)
    return db.session.scalar(query.order_by(Paragraph.position))


# --- levels and kinds --------------------------------------------------------------------------


def shift_level(
    version: Version,
    mark: int,
    step: int,
    *,
    with_below: bool,
    seen: str,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Raise (-1) or lower (+1) a heading by one level, alone or with the headings under it."""
    heading = _take(version, mark, seen).here
    if not heading.level:
        raise Refused(_("正文段落没有层级，请先把它改为标题。"))
    moved = [heading, *(_headings_below(heading) if with_below else ())]
    if not all(1 <= each.level + step <= DEEPEST for each in moved):
        raise Refused(_("标题只能在第1级到第%(n)d级之间。", n=DEEPEST))
    before = heading.level
    for each in moved:
        each.level += step
    _record(
        "paragraph.level_changed",
        version,
        heading,
        before={"level": before},
        after={"level": heading.level, "headings": len(moved)},
        by=by,
        now=now,
    )


def _headings_below(heading: Paragraph) -> list[Paragraph]:
    query = sa.select(Paragraph).where(
        Paragraph.version_id == heading.version_id,
        Paragraph.position > heading.position,
        Paragraph.level > 0,
    )
    below = []
    for each in db.session.scalars(query.order_by(Paragraph.position)):
        if each.level <= heading.level:
            break
        below.append(each)
    return below


def make_heading(
    version: Version, mark: int, level: int, *, seen: str, by: audit.Actor, now: dt.datetime
) -> None:
    """Turn a body paragraph into a heading of `level`."""
    paragraph = _take(version, mark, seen).here
    if paragraph.level or paragraph.kind is ParagraphKind.TABLE:
        raise Refused(_("只有正文段落可以改为标题。"))
    if not 1 <= level <= DEEPEST:
        raise Refused(_("标题只能在第1级到第%(n)d级之间。", n=DEEPEST))
    _must_suit_heading(paragraph.text)
    before = paragraph.kind
    paragraph.kind, paragraph.level = ParagraphKind.HEADING, level
    _record(
        "paragraph.made_heading",
        version,
        paragraph,
        before={"kind": before.value},
        after={"level": level},
        by=by,
        now=now,
    )


def make_body(version: Version, mark: int, *, seen: str, by: audit.Actor, now: dt.datetime) -> None:
    """Turn a heading into a body paragraph."""
    heading = _take(version, mark, seen).here
    if not heading.level:
        raise Refused(_("这一段已经是正文。"))
    before = heading.level
    heading.kind, heading.level = ParagraphKind.PARAGRAPH, 0
    _record(
        "paragraph.made_body",
        version,
        heading,
        before={"level": before},
        after={"kind": heading.kind.value},
        by=by,
        now=now,
    )


def _must_suit_heading(text: str) -> None:
    if "\n" in text:
        raise Refused(_("标题只能是一行，请先把这一段拆分。"))
    if len(text) > LONGEST_HEADING:
        raise Refused(_("标题不能超过%(n)d字，请先把这一段拆分。", n=LONGEST_HEADING))


# --- splitting and merging ---------------------------------------------------------------------


def split(
    version: Version, mark: int, at: int, *, seen: str, by: audit.Actor, now: dt.datetime
) -> Paragraph:
    """Split a paragraph before its character `at`; returns the new, second part.

    The first part keeps mark and kind; what is split off a heading is body text. A table is split
    between two rows: `at` is then where the lower row begins.
    """
    first = _take(version, mark, seen).here
    is_table = first.kind is ParagraphKind.TABLE
    head, tail = first.text[:at], first.text[at:]
    if is_table and not head.endswith("\n"):
        raise Refused(_("表格只能在两行之间拆分。"))
    head = head[:-1] if is_table else head
    if not (0 < at < len(first.text) and hygiene.is_visible(head) and hygiene.is_visible(tail)):
        raise Refused(_("拆分后两边都要有文字，请另选一处。"))
    following = (Paragraph.version_id == version.id, Paragraph.position > first.position)
    db.session.execute(
        sa.update(Paragraph).where(*following).values(position=Paragraph.position + 1)
    )
    second = Paragraph(
        version_id=version.id,
        mark=fresh_mark(version.draft),
        position=first.position + 1,
        kind=ParagraphKind.PARAGRAPH if first.level else first.kind,
        level=0,
        text=tail,
    )
    first.text = head
    db.session.add(second)
    _record(
        "paragraph.split", version, first, after={"new_mark": second.mark, "at": at}, by=by, now=now
    )
    return second


def merge_with_previous(
    version: Version, mark: int, *, seen: str, by: audit.Actor, now: dt.datetime
) -> Paragraph:
    """Append a paragraph to the one before it, which is returned."""
    place = _take(version, mark, seen)
    if place.before is None:
        raise Refused(_("这是第一段，前面没有可以合并的内容。"))
    if _print(place.before) != seen[:8]:
        raise Overtaken(place.here)
    return _merge(version, place.before, place.here, by=by, now=now)


def merge_with_next(
    version: Version, mark: int, *, seen: str, by: audit.Actor, now: dt.datetime
) -> Paragraph:
    """Append the following paragraph to this one, which is returned."""
    place = _take(version, mark, seen)
    if place.after is None:
        raise Refused(_("这是最后一段，后面没有可以合并的内容。"))
    if _print(place.after) != seen[16:]:
        raise Overtaken(place.here)
    return _merge(version, place.here, place.after, by=by, now=now)


def _merge(
    version: Version, first: Paragraph, second: Paragraph, *, by: audit.Actor, now: dt.datetime
) -> Paragraph:
    tables = [each.kind is ParagraphKind.TABLE for each in (first, second)]
    if any(tables) and not all(tables):
        raise Refused(_("表格不能与文字合并。"))
    if bool(first.level) != bool(second.level):
        raise Refused(_("标题不能与正文合并，请先把标题改为正文。"))
    text = first.text + _joint(first, second) + second.text
    if len(text) > MAX_BLOCK_CHARACTERS:
        raise Refused(_("合并后这一段太长，不便于逐段评论。"))
    if first.level:
        _must_suit_heading(text)
    before = {"text_length": len(first.text), "merged_mark": second.mark}
    first.text = text
    db.session.delete(second)
    db.session.flush()
    if _continues(version, second.mark) and not _continues(version, first.mark):
        first.mark = second.mark
    _record("paragraph.merged", version, first, before=before, by=by, now=now)
    return first


def _continues(version: Version, mark: int) -> bool:
    """Whether a paragraph with this mark stood in the version before."""
    earlier = drafts.before(version)
    return earlier is not None and mark in drafts.outline(earlier).by_mark


def _joint(first: Paragraph, second: Paragraph) -> str:
    """What stands between two texts that are joined: Chinese needs nothing, Latin a blank."""
    if first.kind is ParagraphKind.TABLE:
        return "\n"
    if first.level:
        return "　"
    between = first.text[-1:] + second.text[:1]
    return " " if between.isascii() and between.isalnum() else ""


# --- words ---------------------------------------------------------------------------------------


def correct(
    version: Version, mark: int, text: str, *, seen: str, by: audit.Actor, now: dt.datetime
) -> bool:
    """Correct the words of a paragraph; whether anything changed."""
    paragraph = _take(version, mark, seen).here
    text = _cleaned(paragraph, text)
    if not hygiene.is_visible(text):
        raise Refused(_("文字不能为空。不要这一段时，请用“删除”。"))
    if len(text) > MAX_BLOCK_CHARACTERS:
        raise Refused(_("这一段太长，不便于逐段评论，请先拆分。"))
    if paragraph.level:
        _must_suit_heading(text)
    if text == paragraph.text:
        return False
    before = paragraph.text
    paragraph.text = text
    _record(
        "paragraph.corrected",
        version,
        paragraph,
        before={"text": before},
        after={"text": text},
        by=by,
        now=now,
    )
    return True


def _cleaned(paragraph: Paragraph, text: str) -> str:
    if paragraph.kind is ParagraphKind.TABLE:
        rows = [line.split("\t") for line in hygiene.clean(text).rstrip("\n").split("\n")]
        if [len(row) for row in rows] != [len(row) for row in paragraph.rows]:
            raise Refused(_("表格的行数和每行的格数要与原来一致，请只改格子里的文字。"))
        return "\n".join("\t".join(hygiene.one_line(cell) for cell in row) for row in rows)
    return hygiene.one_line(text) if paragraph.level else hygiene.paragraph(text)


def delete(
    version: Version, mark: int, *, seen: str, by: audit.Actor, now: dt.datetime
) -> Paragraph | None:
    """Delete a paragraph; returns the one that now stands in its place, or before it."""
    place = _take(version, mark, seen)
    gone = place.here
    _record(
        "paragraph.deleted",
        version,
        gone,
        before={"kind": gone.kind.value, "level": gone.level, "text": gone.text},
        by=by,
        now=now,
    )
    db.session.delete(gone)
    return place.after or place.before


def discard(version: Version, *, by: audit.Actor, now: dt.datetime) -> None:
    """Delete a whole version that has not been published."""
    lock(version)
    db.session.execute(sa.delete(Paragraph).where(Paragraph.version_id == version.id))
    audit.record(
        "version.deleted",
        version,
        by=by,
        now=now,
        name=version.draft.title,
        before={"number": version.number, "source_sha256": version.source_sha256},
    )
    db.session.delete(version)


def _record(
    action: str,
    version: Version,
    paragraph: Paragraph,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """One event an act; `mark` says which paragraph, because ids of deleted rows come again."""
    facts = {"version": version.id, "mark": paragraph.mark}
    audit.record(
        action,
        paragraph,
        by=by,
        now=now,
        name=version.draft.title,
        before=dict(before) if before else None,
        after={**facts, **(after or {})},
    )
