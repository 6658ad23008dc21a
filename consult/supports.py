"""Support (支持): residents who stand behind an opinion that is shown. Counted apart from opinions.

One a person, as far as can be told: an account is known by itself, a browser by a random key that it
keeps in a cookie. Only a keyed hash of either is stored, another one for every opinion, so that the
table does not say what else the same browser supported. Who is signed in and uses a browser that has
supported before counts as that browser too.

No page that is kept shows these counts, and no summary counts them; so the consultation's stamp
does not rise with them, and nothing has to be rendered or counted again because somebody agrees.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult.consultations import Consultation, Phase
from consult.submissions import Submission, SubmissionState
from core import audit
from core.db import Base, batches, db, insert_into
from core.errors import Refused

audit.ACTIONS.update(
    {"submission.supported": _l("支持意见"), "submission.unsupported": _l("撤销支持")}
)
# While it is open, and until it has been answered: then the figures are part of the record.
WHILE = frozenset({Phase.OPEN, Phase.CLOSED})


class Support(Base):
    """That one person supports one opinion."""

    __tablename__ = "support"
    __table_args__ = (sa.UniqueConstraint("submission_id", "supporter_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"))
    supporter_key: Mapped[str] = mapped_column(sa.String(64))
    # Whose it is when they were signed in, so that they can see, take along and delete it.
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    at: Mapped[dt.datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supporter:
    """Whoever presses the button, by all that is known of them."""

    secret: str
    account_id: int | None = None
    # What this account's opinions are known by, so that nobody supports what they sent themselves.
    person_key: str | None = None
    # The random key in the browser's cookie; "" when it has none.
    browser_key: str = ""

    @property
    def is_known(self) -> bool:
        """Whether anything tells this person from others."""
        return self.account_id is not None or bool(self.browser_key)

    def keys(self, submission_id: int) -> list[str]:
        """The keys under which this person may have supported the opinion; the first is the one
        to support it under from now on."""
        told = [f"account:{self.account_id}"] if self.account_id is not None else []
        told += [f"browser:{self.browser_key}"] if self.browser_key else []
        return [self._hashed(f"support:{submission_id}:{each}") for each in told]

    def _hashed(self, said: str) -> str:
        return hmac.new(self.secret.encode(), said.encode(), hashlib.sha256).hexdigest()


# --- acts ----------------------------------------------------------------------------------


def give(
    submission: Submission, consultation: Consultation, who: Supporter, *, now: dt.datetime
) -> bool:
    """Support an opinion; False when this person did already."""
    must_be_time(consultation, now=now)
    if is_own(submission, who):
        raise Refused(_("这是您本人提交的意见，不能自己支持自己。"))
    _hold(submission)
    keys = who.keys(submission.id)
    if _held_by(submission.id, keys):
        return False
    stored = insert_into(Support).values(
        submission_id=submission.id, supporter_key=keys[0], account_id=who.account_id, at=now
    )
    given = db.session.execute(stored.on_conflict_do_nothing().returning(Support.id)).scalar()
    if given is None:
        return False
    _count(submission.id, 1)
    _record("submission.supported", submission, now)
    return True


def take_back(
    submission: Submission, consultation: Consultation, who: Supporter, *, now: dt.datetime
) -> bool:
    """Support it no longer; False when this person did not."""
    must_be_time(consultation, now=now)
    _hold(submission)
    theirs = _theirs(submission.id, who.keys(submission.id))
    gone = db.session.execute(sa.delete(Support).where(*theirs).returning(Support.id)).all()
    if not gone:
        return False
    _count(submission.id, -len(gone))
    _record("submission.unsupported", submission, now)
    return True


def must_be_time(consultation: Consultation, *, now: dt.datetime) -> None:
    """Refuse once the consultation has been answered, and before it begins."""
    phase = consultation.phase(now)
    if phase is Phase.ANSWERED:
        raise Refused(_("这次征集已经公布反馈，支持数不再变动。"))
    if phase not in WHILE:
        raise Refused(_("这次征集还没有开始。"))


def is_own(submission: Submission, who: Supporter) -> bool:
    """Whether this person is known to have sent the opinion."""
    if who.account_id is not None and submission.account_id == who.account_id:
        return True
    return who.person_key is not None and submission.person_key == who.person_key


def _hold(submission: Submission) -> None:
    """Hold the opinion, so that presses and screeners take turns; refuse what is not shown."""
    db.session.refresh(submission, ["state"], with_for_update=True)
    if submission.state is not SubmissionState.SHOWN:
        raise Refused(_("这件意见已经不再展示。"))


def _theirs(submission_id: int, keys: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    return [Support.submission_id == submission_id, Support.supporter_key.in_(keys)]


def _held_by(submission_id: int, keys: Sequence[str]) -> bool:
    query = sa.select(Support.id).where(*_theirs(submission_id, keys))
    return db.session.scalar(query.limit(1)) is not None


def _count(submission_id: int, change: int) -> None:
    db.session.execute(
        sa.update(Submission)
        .where(Submission.id == submission_id)
        .values(supports=Submission.supports + change)
        .execution_options(synchronize_session=False)
    )


def _record(action: str, submission: Submission, now: dt.datetime) -> None:
    """That it happened, never who: what somebody agrees with is not kept for ever by their name."""
    name = _("第%(n)d件", n=submission.number)
    audit.record(action, submission, by=audit.RESIDENT, now=now, name=name)


# --- reading -------------------------------------------------------------------------------


def given_by(who: Supporter, submission_ids: Sequence[int]) -> frozenset[int]:
    """Those of these opinions that this person supports."""
    if not who.is_known or not submission_ids:
        return frozenset()
    keys = [key for id in submission_ids for key in who.keys(id)]
    query = sa.select(Support.submission_id).where(
        Support.submission_id.in_(submission_ids), Support.supporter_key.in_(keys)
    )
    return frozenset(db.session.scalars(query))


def of_account(account_id: int) -> Sequence[sa.Row[str, int, dt.datetime]]:
    """(consultation, number of the opinion, when) for all that an account supports."""
    query = (
        sa.select(Consultation.title, Submission.number, Support.at)
        .select_from(Support)
        .join(Submission, Submission.id == Support.submission_id)
        .join(Consultation, Consultation.id == Submission.consultation_id)
        .where(Support.account_id == account_id)
        .order_by(Support.id)
    )
    return db.session.execute(query).all()


# --- ending --------------------------------------------------------------------------------


def forget_account(account_id: int) -> int:
    """Take an account's support out of the table and the counts; from how many opinions."""
    gone = sa.delete(Support).where(Support.account_id == account_id)
    ids = db.session.scalars(gone.returning(Support.submission_id)).all()
    for some in batches(ids):
        # An account supports an opinion once, so that each loses one.
        db.session.execute(
            sa.update(Submission)
            .where(Submission.id.in_(some))
            .values(supports=Submission.supports - 1)
            .execution_options(synchronize_session=False)
        )
    return len(ids)
