"""For whom an author spoke, as it was given when the opinion was received: a title, e.g. 政协委员.

Whoever brings opinions in may say so (`keep`); consult only compares by it. It is not a person's
attribute: who speaks for another group later does so in later opinions.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from consult.submissions import Submission
from core.db import Base, db

LONGEST = 120


class AuthorGroup(Base):
    """The group for which the author of one submission spoke."""

    __tablename__ = "author_group"

    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(LONGEST))


def keep(submission_id: int, title: str) -> None:
    """Note for whom its author spoke, in the transaction that receives the submission: its stamp
    is what readers' kept figures follow."""
    db.session.add(AuthorGroup(submission_id=submission_id, title=title[:LONGEST]))


def forget(submissions: Sequence[int]) -> None:
    """Take it away from the opinions of somebody whose name is to lead nowhere any more."""
    gone = sa.delete(AuthorGroup).where(AuthorGroup.submission_id.in_(submissions))
    db.session.execute(gone, execution_options={"synchronize_session": False})


def titles(consultations: Sequence[int]) -> dict[int, str]:
    """{submission: for whom its author spoke} of these consultations, where it is known."""
    query = (
        sa.select(AuthorGroup.submission_id, AuthorGroup.title)
        .join(Submission, Submission.id == AuthorGroup.submission_id)
        .where(Submission.consultation_id.in_(consultations))
    )
    return {row[0]: row[1] for row in db.session.execute(query)}
