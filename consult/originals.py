"""Originals (原文): what an author wrote, kept apart once it is no longer what may be read.

`Submission.title` and `.body` are the words that may be read. When something is masked or added,
the words as they were received move here, and those are composed from them: the received words,
the additions under them, the masked spans blanked. So whatever reads a submission, also code that
is written tomorrow, reads the words that may be read.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult.submissions import Submission
from core import audit
from core.db import Base, db

audit.ACTIONS.update({"submission.looked_at": _l("查看意见原文")})
BLANK = "■"
TITLE, BODY = 0, 1


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From where to where something is masked, in the title (part 0) or the body (part 1)."""

    part: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Words:
    """A title and a body."""

    title: str
    body: str

    @property
    def parts(self) -> tuple[str, str]:
        """The texts that spans count in, by part."""
        return (self.title, self.body)


class Original(Base):
    """The words as they were received, and what of them and of the additions is masked."""

    __tablename__ = "original"

    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(200))
    body: Mapped[str] = mapped_column(sa.Text)
    spans: Mapped[list[list[int]]] = mapped_column(sa.JSON)
    # The consultation's stamp when the masked spans were last changed: what was counted before
    # that was counted with other words.
    stamp: Mapped[int]


class Addition(Base):
    """What an author added when asked to."""

    __tablename__ = "addition"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), index=True)
    at: Mapped[dt.datetime]
    body: Mapped[str] = mapped_column(sa.Text)


def add(submission: Submission, body: str, *, now: dt.datetime) -> None:
    """Put words of the author's under those that are there."""
    original = db.session.get(Original, submission.id) or _set_aside(submission)
    db.session.add(Addition(submission_id=submission.id, at=now, body=body))
    db.session.flush()
    _compose(submission, original, additions_to([submission.id])[submission.id])


def mask(submissions: Sequence[Submission], spans: Iterable[Span], *, stamp: int) -> None:
    """Mask exactly these spans of the whole words of each."""
    wanted = [[s.part, s.begin, s.end] for s in sorted(set(spans))]
    ids = [each.id for each in submissions]
    query = sa.select(Original).where(Original.submission_id.in_(ids))
    known = {each.submission_id: each for each in db.session.scalars(query)}
    added = additions_to(list(known))
    for each in submissions:
        original = known.get(each.id)
        if wanted == (original.spans if original else []):
            continue
        original = original or _set_aside(each)
        original.spans, original.stamp = wanted, stamp
        _compose(each, original, added.get(each.id, ()))
    db.session.flush()


def whole(submission: Submission) -> Words:
    """Everything the author wrote, nothing masked. For what shows it to somebody: `look`."""
    original = db.session.get(Original, submission.id)
    if original is None:
        return Words(submission.title, submission.body)
    return _whole(original, additions_to([submission.id]).get(submission.id, ()))


def look(submission: Submission, *, why: str, by: audit.Actor, now: dt.datetime) -> Words:
    """Everything the author wrote, for the eyes of `by`; the look is recorded."""
    audit.record(
        "submission.looked_at",
        submission,
        by=by,
        now=now,
        name=_("第%(n)d件", n=submission.number),
        reason=why,
    )
    return whole(submission)


def spans_of(submission: Submission) -> list[Span]:
    """What is masked."""
    original = db.session.get(Original, submission.id)
    return [Span(*each) for each in original.spans] if original else []


def forget(ids: Sequence[int]) -> None:
    """Leave of these submissions only the words that may be read."""
    for table in (Original, Addition):
        db.session.execute(
            sa.delete(table).where(table.submission_id.in_(ids)),
            execution_options={"synchronize_session": False},
        )


def is_set_aside() -> sa.ColumnElement[bool]:
    """Whether a submission's words are no longer those that were received."""
    return Submission.id.in_(sa.select(Original.submission_id))


def masked_among(ids: Sequence[int]) -> set[int]:
    """Which of these submissions have anything masked."""
    query = sa.select(Original).where(Original.submission_id.in_(ids))
    return {each.submission_id for each in db.session.scalars(query) if each.spans}


def additions_to(ids: Sequence[int]) -> dict[int, list[Addition]]:
    """{submission id: what was added, the oldest first}."""
    query = sa.select(Addition).where(Addition.submission_id.in_(ids)).order_by(Addition.id)
    found: dict[int, list[Addition]] = {}
    for each in db.session.scalars(query):
        found.setdefault(each.submission_id, []).append(each)
    return found


def blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """`text` with each character of the spans blanked; line ends stay."""
    characters = list(text)
    for begin, end in spans:
        for place in range(max(begin, 0), min(end, len(characters))):
            if characters[place] != "\n":
                characters[place] = BLANK
    return "".join(characters)


def _set_aside(submission: Submission) -> Original:
    """The words as they are, kept from now on."""
    original = Original(
        submission_id=submission.id,
        title=submission.title,
        body=submission.body,
        spans=[],
        stamp=0,
    )
    db.session.add(original)
    return original


def _whole(original: Original, added: Sequence[Addition]) -> Words:
    return Words(original.title, "\n".join([original.body, *(each.body for each in added)]))


def _compose(submission: Submission, original: Original, added: Sequence[Addition]) -> None:
    texts = _whole(original, added).parts
    submission.title, submission.body = (
        blanked(text, [(begin, end) for of, begin, end in original.spans if of == part])
        for part, text in enumerate(texts)
    )
