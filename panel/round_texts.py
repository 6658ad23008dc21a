"""The words of a review round and their sections, as they were when it was opened.

They are kept apart from the draft, so that a version that is still being mended, or deleted, takes
nothing from what was read.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column

from consult import drafts
from consult.drafts import Entry, Outline, Paragraph, ParagraphKind, Version
from core.db import Base, db
from core.errors import Refused
from panel.rounds import ReviewRound

# The section of what stands before the first heading.
TOP = 0


class RoundText(Base):
    """The words a round is about, as they were when it was opened."""

    __tablename__ = "round_text"

    round_id: Mapped[int] = mapped_column(sa.ForeignKey("review_round.id"), primary_key=True)
    # {"entries": [[mark, kind, level, text], …]}
    paragraphs: Mapped[dict[str, Any]]
    sha256: Mapped[str] = mapped_column(sa.String(64))


@dataclass(frozen=True, slots=True)
class Section:
    """What gets one verdict: a heading with the text right under it, up to the next heading."""

    mark: int
    heading: Entry | None
    entries: tuple[Entry, ...]
    address: str

    @property
    def title(self) -> str:
        """The section's own heading."""
        return self.heading.text if self.heading else str(_("第一个标题之前的文字"))


@dataclass(frozen=True, slots=True)
class Text:
    """The words of a round. An entry's id is its mark."""

    outline: Outline
    sections: tuple[Section, ...]
    sha256: str

    @property
    def by_mark(self) -> dict[int, Section]:
        """{mark of the section: the section}."""
        return {section.mark: section for section in self.sections}


def text_of(review_round: ReviewRound) -> Text:
    """The words of an opened round; they cannot change and are kept."""
    assert review_round.opened_at is not None
    return _kept_text(review_round.id, str(db.engine.url), review_round.opened_at)


@lru_cache(maxsize=16)
def _kept_text(round_id: int, *_marks: object) -> Text:
    kept = db.session.get_one(RoundText, round_id)
    outline = _outline(kept.paragraphs["entries"])
    return Text(outline, tuple(_sections(outline)), kept.sha256)


def fix(review_round: ReviewRound, version: Version) -> None:
    """Keep the words of the version for the round that opens."""
    entries = [_plain(entry) for entry in drafts.outline(version).entries]
    if not any(not level for _mark, _kind, level, _text in entries):
        raise Refused(_("文稿里还没有正文段落，不能开始审阅。"))
    kept = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    db.session.add(
        RoundText(
            round_id=review_round.id,
            paragraphs={"entries": entries},
            sha256=hashlib.sha256(kept.encode()).hexdigest(),
        )
    )


def _plain(entry: Entry) -> list[Any]:
    return [entry.mark, entry.kind.value, entry.level, entry.text]


def _outline(entries: Iterable[Sequence[Any]]) -> Outline:
    paragraphs = [
        Paragraph(id=mark, mark=mark, kind=ParagraphKind(kind), level=level, text=text)
        for mark, kind, level, text in entries
    ]
    return Outline(0, paragraphs)


def _sections(outline: Outline) -> Iterable[Section]:
    heading: Entry | None = None
    body: list[Entry] = []
    for entry in (*outline.entries, None):
        if entry is not None and not entry.level:
            body.append(entry)
            continue
        if body:
            mark = heading.mark if heading else TOP
            yield Section(mark, heading, tuple(body), outline.address(mark))
        heading, body = entry, []
