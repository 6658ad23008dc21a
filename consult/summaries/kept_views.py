"""Selections of a summary that somebody comes back to, under a name of their own (保留的条件).

A selection is kept with its summary, because chapters and themes are numbered there; it is one
person's and nobody else's business.
"""

import datetime as dt
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column

from consult.summaries.snapshots import Summary
from core.db import Base, db
from core.errors import Refused

LONGEST, LONGEST_QUERY, MOST = 40, 1000, 30
# Where a selection is looked at: the pages of a summary at the desk.
ROOMS = ("show", "themes", "campaigns", "contrast", "opinions", "term")


class KeptView(Base):
    """One selection of one person."""

    __tablename__ = "kept_view"
    __table_args__ = (sa.UniqueConstraint("account_id", "summary_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    summary_id: Mapped[int] = mapped_column(sa.ForeignKey("summary.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    name: Mapped[str] = mapped_column(sa.String(LONGEST))
    room: Mapped[str] = mapped_column(sa.String(20))
    # As in an address; what it asks for is looked at when it is opened.
    query: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[dt.datetime]

    @property
    def asked(self) -> str:
        """The query, written afresh."""
        return urlencode(parse_qsl(self.query, max_num_fields=40, errors="replace"))


def keep(
    summary: Summary, account_id: int, *, name: str, room: str, query: str, now: dt.datetime
) -> KeptView:
    """Keep a selection; another under the same name takes its place."""
    if room not in ROOMS or len(query) > LONGEST_QUERY:
        raise Refused(_("这组条件无法保留。"))
    mine = of(summary, account_id)
    found = next((each for each in mine if each.name == name), None)
    if found is None:
        if len(mine) >= MOST:
            raise Refused(_("每份汇总最多保留%(n)d组条件，请先删去不用的。", n=MOST))
        found = KeptView(summary_id=summary.id, account_id=account_id, name=name)
        db.session.add(found)
    found.room, found.query, found.at = room, query, now
    db.session.flush()
    return found


def drop(summary: Summary, account_id: int, view_id: int) -> None:
    """Keep it no longer."""
    gone = next((each for each in of(summary, account_id) if each.id == view_id), None)
    if gone is None:
        raise Refused(_("这组条件已经不在了。"))
    db.session.delete(gone)
    db.session.flush()


def of(summary: Summary, account_id: int) -> Sequence[KeptView]:
    """What this person keeps of a summary, by name."""
    query = sa.select(KeptView).where(
        KeptView.summary_id == summary.id, KeptView.account_id == account_id
    )
    return db.session.scalars(query.order_by(KeptView.name)).all()
