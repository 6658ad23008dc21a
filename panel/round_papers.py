"""The papers of a review round (审阅材料): what the office puts beside the draft for those asked.

Seen by the office and, from the opening on, by those who were asked; never public. Kept under the
hash of its content and told by its content, like the papers of a meeting.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from core import audit
from core.db import Base, db
from core.errors import Refused
from panel import paper_files, rounds
from panel.paper_files import PaperFile
from panel.rounds import ReviewRound, RoundState

audit.ACTIONS.update(
    {
        "review_paper.added": _l("添加审阅材料"),
        "review_paper.removed": _l("删去审阅材料"),
    }
)
audit.KINDS.update({"review_paper": _l("审阅材料")})

MOST = 10


class ReviewPaper(PaperFile, Base):
    """One paper of one round."""

    __tablename__ = "review_paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(
        sa.ForeignKey("review_round.id", ondelete="CASCADE"), index=True
    )
    added_at: Mapped[dt.datetime]


def of(round_id: int) -> Sequence[ReviewPaper]:
    """The papers of a round in the order in which they came."""
    query = sa.select(ReviewPaper).where(ReviewPaper.round_id == round_id)
    return db.session.scalars(query.order_by(ReviewPaper.id)).all()


def by_id(file_id: int) -> ReviewPaper | None:
    """The paper with this number."""
    return db.session.get(ReviewPaper, file_id)


def add(
    review_round: ReviewRound, name: str, data: bytes, *, by: audit.Actor, now: dt.datetime
) -> ReviewPaper:
    """Put a paper, whose content is stored by the caller, beside a round that is not over."""
    facts = paper_files.facts(name, data)
    rounds.lock(review_round)
    if review_round.state is not RoundState.PREPARED:
        rounds.must_be_open(review_round, now)
    if len(of(review_round.id)) >= MOST:
        raise Refused(_("一轮审阅最多%(n)d份材料。", n=MOST))
    paper = ReviewPaper(round_id=review_round.id, **facts, added_at=now)
    db.session.add(paper)
    db.session.flush()
    audit.record("review_paper.added", paper, by=by, now=now, name=paper.name)
    return paper


def remove(
    review_round: ReviewRound, paper: ReviewPaper, *, by: audit.Actor, now: dt.datetime
) -> None:
    """Take a paper away that nobody was shown yet."""
    rounds.lock(review_round)
    if review_round.state is not RoundState.PREPARED:
        raise Refused(_("审阅已经开始，材料不能再删去。"))
    audit.record("review_paper.removed", paper, by=by, now=now, name=paper.name)
    db.session.delete(paper)
    db.session.flush()
