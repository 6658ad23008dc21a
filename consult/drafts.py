"""Drafts (文稿), their versions (稿次) and paragraphs.

A version is prepared, then published; publishing freezes it. A paragraph carries a `mark` that
stays its own across versions and is what shared addresses point to (`#p12`): a paragraph of a new
version that continues one of the version before takes over its mark when it is imported, so marks
are all there is to know about what became of what (`consult/lineage.py`). Headings are
paragraphs with a level; a section is a heading and all that follows it up to the next heading of
the same or a higher level.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult import search_documents
from consult.comparing import Block, align
from consult.consultations import (
    Consultation,
    ConsultationState,
    Phase,
    log_change,
    phase_of,
    touch,
)
from consult.readers import ReadDraft
from consult.search_documents import Document, Kind, place_rank
from core import audit
from core.db import Base, Prepared, choice, db
from core.errors import Refused

audit.ACTIONS.update({"version.imported": _l("导入文稿"), "version.published": _l("发布文稿")})
audit.KINDS.update({"version": _l("文稿稿次"), "paragraph": _l("文稿段落")})
audit.FIELDS.update(
    {
        "source": _l("文件"),
        "number": _l("第几稿"),
        "sections": _l("章节数"),
        "paragraphs": _l("段落数"),
    }
)

DEEPEST = 6


class VersionState(Enum):
    """Whether a version may still be changed."""

    PREPARING = "preparing"
    PUBLISHED = "published"


class ParagraphKind(Enum):
    """What a paragraph is on the page."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE = "table"

    @property
    def sort(self) -> str:
        """What it can continue: a heading no body text, a table no running text."""
        return (
            "text" if self is ParagraphKind.LIST_ITEM else self.value.replace("paragraph", "text")
        )


class Draft(Base):
    """A text put up for comment in one consultation, through all its versions."""

    __tablename__ = "draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), unique=True)
    title: Mapped[str] = mapped_column(sa.String(200))
    # The highest paragraph mark given so far. A mark is given to one paragraph and to those that
    # continue it in later versions, never to another.
    marks: Mapped[int] = mapped_column(default=0)

    consultation: Mapped[Consultation] = relationship(lazy="joined", innerjoin=True)


class Version(Base):
    """One state of a draft's text. Immutable once published."""

    __tablename__ = "version"
    __table_args__ = (sa.UniqueConstraint("draft_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(sa.ForeignKey("draft.id"))
    number: Mapped[int]
    state: Mapped[VersionState] = mapped_column(choice(VersionState))
    source_name: Mapped[str] = mapped_column(sa.String(200), default="")
    source_sha256: Mapped[str] = mapped_column(sa.String(64), default="")
    warnings: Mapped[list[str]]
    created_at: Mapped[dt.datetime]
    published_at: Mapped[dt.datetime | None]

    draft: Mapped[Draft] = relationship(lazy="joined", innerjoin=True)


class Paragraph(Base):
    """A heading or a piece of body text, in its place in one version."""

    __tablename__ = "paragraph"
    __table_args__ = (
        sa.UniqueConstraint("version_id", "mark"),
        sa.Index(None, "version_id", "position"),
        sa.CheckConstraint("(kind = 'heading') = (level > 0)", name="level_of_headings"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("version.id"))
    mark: Mapped[int]
    position: Mapped[int]
    kind: Mapped[ParagraphKind] = mapped_column(choice(ParagraphKind))
    level: Mapped[int] = mapped_column(default=0)
    text: Mapped[str] = mapped_column(sa.Text)

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table, row by row."""
        return [line.split("\t") for line in self.text.split("\n")]


# --- reading -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A paragraph in its place: a plain value that outlives the session."""

    id: int
    mark: int
    kind: ParagraphKind
    level: int
    text: str
    # Ids of the headings above it, outermost first.
    path: tuple[int, ...]

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table, row by row."""
        return [line.split("\t") for line in self.text.split("\n")]


class Outline:
    """The paragraphs of one version in order, and what belongs to which section."""

    def __init__(self, version_id: int, paragraphs: Iterable[Paragraph]) -> None:
        self.version_id = version_id
        self.entries = tuple(_placed(paragraphs))
        self.by_id = {entry.id: entry for entry in self.entries}
        self.by_mark = {entry.mark: entry for entry in self.entries}

    @property
    def headings(self) -> list[Entry]:
        """The headings in order."""
        return [entry for entry in self.entries if entry.level]

    @property
    def body(self) -> list[Entry]:
        """Everything that is not a heading, in order."""
        return [entry for entry in self.entries if not entry.level]

    def section_of(self, paragraph_id: int | None) -> Entry | None:
        """The outermost heading that `paragraph_id` is or stands under: its chapter."""
        entry = self.by_id.get(paragraph_id or 0)
        if entry is None:
            return None
        if entry.path:
            return self.by_id[entry.path[0]]
        return entry if entry.level else None

    def within(self, heading: Entry) -> list[Entry]:
        """The heading and all that stands under it."""
        return [e for e in self.entries if e.id == heading.id or heading.id in e.path]

    def address(self, paragraph_id: int | None) -> str:
        """Where a paragraph stands, in words: 第一章 总则 › 第二节 … ."""
        entry = self.by_id.get(paragraph_id or 0)
        if entry is None:
            return ""
        ids = entry.path + ((entry.id,) if entry.level else ())
        return " › ".join(self.by_id[i].text for i in ids)


def _placed(paragraphs: Iterable[Paragraph]) -> Iterable[Entry]:
    above: list[tuple[int, int]] = []
    for paragraph in paragraphs:
        if paragraph.level:
            above = [(level, id) for level, id in above if level < paragraph.level]
        path = tuple(id for _level, id in above)
        yield Entry(
            paragraph.id, paragraph.mark, paragraph.kind, paragraph.level, paragraph.text, path
        )
        if paragraph.level:
            above.append((paragraph.level, paragraph.id))


def paragraphs_of(version: Version) -> Sequence[Paragraph]:
    """The paragraphs of a version in order."""
    query = sa.select(Paragraph).where(Paragraph.version_id == version.id)
    return db.session.scalars(query.order_by(Paragraph.position, Paragraph.id)).all()


def outline(version: Version) -> Outline:
    """The outline of a version; that of a published version, which cannot change, is kept."""
    if version.state is not VersionState.PUBLISHED:
        return Outline(version.id, paragraphs_of(version))
    # What follows the id only tells versions of different databases in one process apart.
    return _kept_outline(
        version.id, str(db.engine.url), version.source_sha256, version.published_at
    )


@lru_cache(maxsize=64)
def _kept_outline(version_id: int, *_marks: object) -> Outline:
    version = db.session.get_one(Version, version_id)
    return Outline(version_id, paragraphs_of(version))


@dataclass(frozen=True, slots=True)
class Target:
    """What a comment that is being sent needs to know of its consultation and version, read at
    once: during a rush this is the most frequent read that has to be made under the writers'
    queue."""

    id: int
    state: ConsultationState
    opens_at: dt.datetime | None
    closes_at: dt.datetime | None
    version_id: int
    outline: Outline

    def phase(self, now: dt.datetime) -> Phase:
        """Where the consultation stands at `now`."""
        return phase_of(self.state, self.opens_at, self.closes_at, now)


_TARGET = Prepared(
    sa.select(
        Consultation.id,
        Consultation.state,
        Consultation.opens_at,
        Consultation.closes_at,
        Version.id.label("version_id"),
        Version.source_sha256,
        Version.published_at,
    )
    .join(Draft, Draft.consultation_id == Consultation.id)
    .join(Version, Version.draft_id == Draft.id)
    .where(
        Consultation.slug == sa.bindparam("slug"),
        Version.state == VersionState.PUBLISHED,
        sa.or_(Version.number == sa.bindparam("number"), sa.bindparam("any")),
    )
    .order_by(Version.number.desc())
    .limit(1)
)


def target(slug: str, number: int | None) -> Target | None:
    """The consultation at this address with its published version `number`, or the newest."""
    values = {"slug": slug, "number": number or 0, "any": number is None}
    found = _TARGET.first(db.session.connection(), values)
    if found is None:
        return None
    id, state, opens_at, closes_at, version_id, source_sha256, published_at = found
    return Target(
        id=id,
        state=state,
        opens_at=opens_at,
        closes_at=closes_at,
        version_id=version_id,
        outline=_kept_outline(version_id, str(db.engine.url), source_sha256, published_at),
    )


def of(consultation: Consultation) -> Draft | None:
    """The draft this consultation is about."""
    return db.session.scalar(sa.select(Draft).where(Draft.consultation_id == consultation.id))


def version_by_id(version_id: int) -> Version | None:
    """The version with this id."""
    return db.session.get(Version, version_id)


def versions(consultation: Consultation) -> Sequence[Version]:
    """All versions of the consultation's draft, newest first."""
    query = sa.select(Version).join(Draft).where(Draft.consultation_id == consultation.id)
    return db.session.scalars(query.order_by(Version.number.desc())).all()


def published(consultation: Consultation) -> Version | None:
    """The newest published version of the consultation's draft."""
    query = (
        sa.select(Version)
        .join(Draft)
        .where(Draft.consultation_id == consultation.id, Version.state == VersionState.PUBLISHED)
        .order_by(Version.number.desc())
        .limit(1)
    )
    return db.session.scalar(query)


def before(version: Version) -> Version | None:
    """The published version before this one."""
    query = sa.select(Version).where(
        Version.draft_id == version.draft_id,
        Version.state == VersionState.PUBLISHED,
        Version.number < version.number,
    )
    return db.session.scalar(query.order_by(Version.number.desc()).limit(1))


def prepared(consultation: Consultation) -> Version | None:
    """The version that is imported but not yet published; there is at most one."""
    newest = next(iter(versions(consultation)), None)
    return newest if newest and newest.state is VersionState.PREPARING else None


# --- changing ------------------------------------------------------------------------------


def take_in(
    consultation: Consultation,
    read: ReadDraft,
    *,
    title: str,
    source_name: str,
    source: bytes,
    by: audit.Actor,
    now: dt.datetime,
) -> Version:
    """Make a new version, still to be checked, from a document that was read."""
    draft = of(consultation)
    if draft is None:
        draft = Draft(consultation_id=consultation.id, title=title)
        db.session.add(draft)
        db.session.flush()
    # Held, so that two imports at once cannot both find no other version.
    db.session.refresh(draft, with_for_update={"of": Draft})
    must_have_none_prepared(consultation)
    newest = next(iter(versions(consultation)), None)
    draft.title = title
    version = Version(
        draft_id=draft.id,
        number=newest.number + 1 if newest else 1,
        state=VersionState.PREPARING,
        source_name=source_name[:200],
        source_sha256=hashlib.sha256(source).hexdigest(),
        warnings=list(read.warnings),
        created_at=now,
    )
    db.session.add(version)
    db.session.flush()
    paragraphs = [
        Paragraph(
            version_id=version.id,
            position=place,
            kind=ParagraphKind(block.kind),
            level=block.level,
            text=block.text,
        )
        for place, block in enumerate(read.blocks)
    ]
    marks = marks_for(draft, paragraphs, outline(newest).entries if newest else ())
    for paragraph, mark in zip(paragraphs, marks, strict=True):
        paragraph.mark = mark
    db.session.add_all(paragraphs)
    audit.record(
        "version.imported",
        version,
        by=by,
        now=now,
        name=title,
        after={"source": source_name[:200], "paragraphs": len(read.blocks)},
    )
    return version


def marks_for(draft: Draft, paragraphs: Sequence[Paragraph], earlier: Sequence[Entry]) -> list[int]:
    """A mark for each paragraph: that of the earlier one whose words it continues, else a fresh
    one."""
    return [
        fresh_mark(draft) if origin is None else earlier[origin].mark
        for origin in origins(paragraphs, earlier)
    ]


def origins(paragraphs: Sequence[Paragraph], earlier: Sequence[Entry]) -> list[int | None]:
    """For each paragraph the place in `earlier` of the one its words continue, if any."""
    old = [Block(entry.text, entry.kind.sort) for entry in earlier]
    return align(old, [Block(each.text, each.kind.sort) for each in paragraphs])


def fresh_mark(draft: Draft) -> int:
    """A mark that no paragraph of the draft ever had."""
    draft.marks += 1
    return draft.marks


def must_have_none_prepared(consultation: Consultation) -> None:
    """Refuse a new version while another one is being prepared."""
    if prepared(consultation) is not None:
        raise Refused(_("上一稿还没有发布。请先发布或删除它，再导入新的一稿。"))


def publish(version: Version, *, by: audit.Actor, now: dt.datetime) -> None:
    """Freeze the version: from now on comments can be made on its words."""
    lock(version)
    headings, body = count(version)
    if not body:
        raise Refused(_("文稿里还没有正文段落，不能发布。"))
    version.state = VersionState.PUBLISHED
    version.published_at = now
    consultation = version.draft.consultation
    search_documents.put(Kind.PARAGRAPH, findable(version), fresh=True)
    touch(consultation)
    if consultation.is_public:
        log_change(consultation, _("公布文稿第%(n)d稿", n=version.number), now=now)
    audit.record(
        "version.published",
        version,
        by=by,
        now=now,
        name=version.draft.title,
        after={"number": version.number, "sections": headings, "paragraphs": body},
    )


def findable(version: Version) -> Iterator[Document]:
    """By which words the paragraphs of a published version are found."""
    mark = f"c{version.draft.consultation_id}"
    for place, paragraph in enumerate(paragraphs_of(version)):
        rank = place_rank(version.id, place)
        yield Document(paragraph.id, (paragraph.text,), (mark,), rank)


def lock(version: Version) -> None:
    """Hold the version's row so that changes of its text happen one after the other; refuse
    when it has been published."""
    db.session.flush()
    db.session.refresh(version, with_for_update={"of": Version})
    must_be_preparing(version)


def must_be_preparing(version: Version) -> None:
    """Refuse a change of what is published."""
    if version.state is not VersionState.PREPARING:
        raise Refused(_("这一稿已经发布，文字和结构不能再改。需要修改时，请导入新的一稿。"))


def count(version: Version) -> tuple[int, int]:
    """(headings, body paragraphs) of a version."""
    query = sa.select(
        sa.func.count().filter(Paragraph.level > 0), sa.func.count().filter(Paragraph.level == 0)
    ).where(Paragraph.version_id == version.id)
    headings, body = db.session.execute(query).one()
    return headings, body
