"""What a person says about the stance of an opinion that the machine read (态度更正).

The person's word wins from the next count on; the machine's reading stays beside it, so that it can
be measured how often the rules are wrong. What the author ticked is the author's and is not
corrected.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult.submissions import Stance, Submission, SubmissionState
from core import audit
from core.db import Base, choice, db
from core.errors import Refused

audit.ACTIONS["submission.stance_corrected"] = _l("更正态度判读")
audit.FIELDS.update({"stance": _l("态度"), "machine": _l("系统判读")})


class StanceCorrection(Base):
    """The stance a person read, and the one the machine did."""

    __tablename__ = "stance_correction"

    submission_id: Mapped[int] = mapped_column(
        sa.ForeignKey("submission.id"), primary_key=True, autoincrement=False
    )
    stance: Mapped[Stance] = mapped_column(choice(Stance))
    machine: Mapped[str] = mapped_column(sa.String(24))
    method: Mapped[str] = mapped_column(sa.String(40))
    reason: Mapped[str] = mapped_column(sa.String(200))
    at: Mapped[dt.datetime] = mapped_column(index=True)
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    by_name: Mapped[str] = mapped_column(sa.String(120))


def correct(
    submission: Submission,
    stance: Stance,
    *,
    machine: str,
    method: str,
    reason: str,
    by: audit.Actor,
    now: dt.datetime,
) -> StanceCorrection:
    """Say what stance the opinion takes. `machine` and `method`: what the rules read, and which."""
    if submission.state is not SubmissionState.SHOWN:
        raise Refused(_("这件意见现在没有展示，不计入汇总，不用更正。"))
    if submission.stance not in (None, Stance.NONE):
        raise Refused(_("作者自己选了态度，以作者所选为准，不能更正。"))
    if not reason:
        raise Refused(_("请写明为什么更正，以后可以查。"))
    found = db.session.get(StanceCorrection, submission.id, with_for_update=True)
    before = found.stance.value if found else machine
    if found is None:
        found = StanceCorrection(submission_id=submission.id)
        db.session.add(found)
    found.stance, found.machine, found.method = stance, machine, method
    found.reason, found.at = reason, now
    found.by_id, found.by_name = by.id, by.name[:120]
    db.session.flush()
    audit.record(
        "submission.stance_corrected",
        submission,
        by=by,
        now=now,
        name=_("第%(n)d件", n=submission.number),
        before={"stance": Stance(before).title},
        after={"stance": stance.title, "machine": Stance(machine).title},
        reason=reason,
    )
    return found


def of(submission_id: int) -> StanceCorrection | None:
    """The correction of this opinion."""
    return db.session.get(StanceCorrection, submission_id)


def of_consultations(scope: Sequence[int]) -> dict[int, Stance]:
    """{submission id: the stance a person read} in these consultations."""
    query = (
        sa.select(StanceCorrection.submission_id, StanceCorrection.stance)
        .join(Submission, Submission.id == StanceCorrection.submission_id)
        .where(Submission.consultation_id.in_(scope))
    )
    return {row.submission_id: row.stance for row in db.session.execute(query)}


def since(scope: Sequence[int], moment: dt.datetime) -> sa.Select[int]:
    """The ids of the opinions of these consultations that were corrected after a moment."""
    return (
        sa.select(StanceCorrection.submission_id)
        .join(Submission, Submission.id == StanceCorrection.submission_id)
        .where(Submission.consultation_id.in_(scope), StanceCorrection.at > moment)
    )
