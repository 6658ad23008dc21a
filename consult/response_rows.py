"""The rows of answers (答复): what `responses` works with, and what `point_acts` asks before
it takes a point apart. They stand below `points`, so that all know them.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult.point_rows import Cooperation, Point, PointState
from consult.submissions import GONE, Submission
from core import audit
from core.accounts import Account
from core.db import Base, choice, db

LONGEST_REASON = 2000
SHORTEST_REASON = 10


class ResponseState(Enum):
    """How far the answer to a point has come. A point without a row is TODO."""

    TODO = "todo"
    DRAFTED = "drafted"
    IN_REVIEW = "in_review"
    FINAL = "final"
    PUBLISHED = "published"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[ResponseState, str] = {
            ResponseState.TODO: _("待办"),
            ResponseState.DRAFTED: _("拟复"),
            ResponseState.IN_REVIEW: _("复核"),
            ResponseState.FINAL: _("定稿"),
            ResponseState.PUBLISHED: _("公布"),
        }
        return titles[self]


DONE = (ResponseState.FINAL, ResponseState.PUBLISHED)


class Outcome(Enum):
    """采纳情况: what becomes of a point."""

    ADOPTED = "adopted"
    PARTLY = "partly"
    ALREADY = "already"
    DECLINED = "declined"
    KEPT_FOR_STUDY = "kept_for_study"
    OUT_OF_SCOPE = "out_of_scope"

    @property
    def title(self) -> str:
        """The outcome in the words of the adoption table."""
        titles: dict[Outcome, str] = {
            Outcome.ADOPTED: _("采纳"),
            Outcome.PARTLY: _("部分采纳"),
            Outcome.ALREADY: _("已体现"),
            Outcome.DECLINED: _("未采纳"),
            Outcome.KEPT_FOR_STUDY: _("留作研究"),
            Outcome.OUT_OF_SCOPE: _("不属本规划"),
        }
        return titles[self]

    @property
    def tag(self) -> str:
        """The kind of `status_tag` it is shown with."""
        return {
            Outcome.ADOPTED: "ok",
            Outcome.PARTLY: "part",
            Outcome.ALREADY: "info",
            Outcome.DECLINED: "stop",
            Outcome.KEPT_FOR_STUDY: "wait",
            Outcome.OUT_OF_SCOPE: "none",
        }[self]


audit.VALUES.setdefault("answer", {}).update(
    {
        "todo": _l("待办"),
        "drafted": _l("拟复"),
        "in_review": _l("复核"),
        "final": _l("定稿"),
        "published": _l("公布"),
    }
)
audit.VALUES.setdefault("outcome", {}).update(
    {
        "adopted": _l("采纳"),
        "partly": _l("部分采纳"),
        "already": _l("已体现"),
        "declined": _l("未采纳"),
        "kept_for_study": _l("留作研究"),
        "out_of_scope": _l("不属本规划"),
    }
)
audit.FIELDS.update({"answer": _l("答复进度"), "outcome": _l("采纳情况")})


class Wording(Base):
    """Words that can be used again for answers of one kind."""

    __tablename__ = "wording"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(100))
    outcome: Mapped[Outcome] = mapped_column(choice(Outcome))
    reason: Mapped[str] = mapped_column(sa.Text)
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None]
    retired: Mapped[bool] = mapped_column(default=False)


class Response(Base):
    """The answer to one point, as it stands. `revision` rises with every change of any kind."""

    __tablename__ = "response"
    __table_args__ = (
        sa.CheckConstraint("state = 'todo' OR outcome IS NOT NULL", name="says_something"),
        sa.CheckConstraint(
            "(published_at IS NOT NULL) = (state = 'published')", name="published_once"
        ),
        sa.Index(None, "unit_id", "state"),
    )

    point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"), primary_key=True)
    state: Mapped[ResponseState] = mapped_column(choice(ResponseState))
    outcome: Mapped[Outcome | None] = mapped_column(choice(Outcome))
    reason: Mapped[str] = mapped_column(sa.Text, default="")
    # Whose turn it is: the lead unit, or the one it was given to.
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    due_on: Mapped[dt.date | None] = mapped_column(index=True)
    # Who wrote the words last, and who found them good.
    by_id: Mapped[int | None]
    approved_by_id: Mapped[int | None]
    # Why it was handed back, until it is drafted anew.
    handed_back: Mapped[str] = mapped_column(sa.Text, default="")
    wording_id: Mapped[int | None] = mapped_column(sa.ForeignKey("wording.id"), index=True)
    revision: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[dt.datetime]
    published_at: Mapped[dt.datetime | None]


class Assignment(Base):
    """Who of the lead unit was named to answer a point. It counts only while that person may answer
    for the unit, which `officers` reads; so nothing has to follow when somebody leaves."""

    __tablename__ = "assignment"

    point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        sa.ForeignKey("account.id", ondelete="CASCADE"), index=True
    )


class ResponseVersion(Base):
    """One version of an answer's words. Rows are never changed or removed."""

    __tablename__ = "response_version"
    __table_args__ = (sa.UniqueConstraint("point_id", "revision"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"))
    revision: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(choice(Outcome))
    reason: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(sa.String(120))


class Remark(Base):
    """What a unit says about a point (各方意见): kept also where units do not agree."""

    __tablename__ = "remark"

    id: Mapped[int] = mapped_column(primary_key=True)
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    # Whether it speaks against the answer that is drafted.
    dissents: Mapped[bool] = mapped_column(default=False)
    body: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(sa.String(120))


def begun(ids: Sequence[int]) -> bool:
    """Whether any of these points is being answered."""
    query = sa.select(Response.point_id).where(
        Response.point_id.in_(ids), Response.state != ResponseState.TODO
    )
    return db.session.scalar(query.limit(1)) is not None


def assigned(ids: Sequence[int]) -> dict[int, int]:
    """{point id: the account that was named}, whether it may still answer or not."""
    query = sa.select(Assignment.point_id, Assignment.account_id).where(
        Assignment.point_id.in_(ids)
    )
    return {row.point_id: row.account_id for row in db.session.execute(query)}


def assign(persons: Mapping[int, int | None]) -> None:
    """{point: the account that shall answer it, or None}, in place of who was named. An account
    that is gone is nobody."""
    db.session.flush()
    db.session.execute(
        sa.delete(Assignment).where(Assignment.point_id.in_(list(persons))),
        execution_options={"synchronize_session": False},
    )
    named = {id for id in persons.values() if id is not None}
    known = set(db.session.scalars(sa.select(Account.id).where(Account.id.in_(named))))
    rows = [{"point_id": p, "account_id": person} for p, person in persons.items()]
    if rows := [row for row in rows if row["account_id"] in known]:
        db.session.execute(sa.insert(Assignment), rows)


def inherit(sources: dict[int, int], *, now: dt.datetime) -> None:
    """{new point: the one whose words it takes}: what was said about who answers by when goes on."""
    query = sa.select(Response).where(Response.point_id.in_(set(sources.values())))
    known = {each.point_id: each for each in db.session.scalars(query)}
    for fresh, source in sources.items():
        if (was := known.get(source)) is not None:
            db.session.add(
                Response(
                    point_id=fresh,
                    state=ResponseState.TODO,
                    unit_id=was.unit_id,
                    due_on=was.due_on,
                    changed_at=now,
                )
            )
    named = assigned(list(set(sources.values())))
    assign({fresh: named[source] for fresh, source in sources.items() if source in named})


# --- conditions --------------------------------------------------------------------------------


def needs_answer() -> sa.ColumnElement[bool]:
    """Points that somebody must answer: all live ones but those whose author took them back and
    those of an import that was undone. For queries that join Submission."""
    return sa.and_(Point.state == PointState.LIVE, Submission.state.not_in(GONE))


def is_open() -> sa.ColumnElement[bool]:
    """Whether the answer is not final; for queries that outer-join Response."""
    return sa.or_(Response.state.is_(None), Response.state.not_in(DONE))


def is_overdue(today: dt.date) -> sa.ColumnElement[bool]:
    """Whether the day by which a unit should have answered is over."""
    return sa.and_(
        Response.due_on < today, Response.state.in_((ResponseState.TODO, ResponseState.DRAFTED))
    )


def is_with(unit_id: int) -> sa.ColumnElement[bool]:
    """Whether a point was given to this unit, to answer or to help."""
    helps = sa.select(Cooperation.point_id).where(Cooperation.unit_id == unit_id)
    return sa.or_(Point.lead_unit_id == unit_id, Point.id.in_(helps))
