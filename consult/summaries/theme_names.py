"""What people call the themes of a summary (主题名称).

The machine names a theme by its words; a person may say it better. Each naming is a row of its own
and the last one counts, so the machine's name and every earlier one stay beside it.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult.consultations import touch
from consult.summaries.snapshots import Summary, consultations_of
from core import audit
from core.db import Base, db
from core.errors import Refused

audit.ACTIONS["summary.theme_named"] = _l("给汇总的主题改名")
audit.FIELDS["theme_name"] = _l("主题名称")

LONGEST = 40


class ThemeName(Base):
    """One naming; an empty name gives the machine's back."""

    __tablename__ = "theme_name"

    id: Mapped[int] = mapped_column(primary_key=True)
    summary_id: Mapped[int] = mapped_column(sa.ForeignKey("summary.id"), index=True)
    # The number of the theme in its summary, from 1.
    theme: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(LONGEST))
    machine: Mapped[str] = mapped_column(sa.String(200))
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    by_name: Mapped[str] = mapped_column(sa.String(120))


def give(
    summary: Summary, theme: int, name: str, *, machine: str, by: audit.Actor, now: dt.datetime
) -> ThemeName:
    """Call a theme `name`; "" lets it be called as the machine does (`machine`) again."""
    before = {row.theme: row.name for row in of(summary.id)}.get(theme, "") or machine
    if (name or machine) == before:
        raise Refused(_("名称没有变化。"))
    made = ThemeName(
        summary_id=summary.id,
        theme=theme,
        name=name[:LONGEST],
        machine=machine[:200],
        at=now,
        by_id=by.id,
        by_name=by.name[:120],
    )
    db.session.add(made)
    db.session.flush()
    audit.record(
        "summary.theme_named",
        summary,
        by=by,
        now=now,
        name=summary.subject.title,
        before={"theme_name": before},
        after={"theme_name": name or machine},
    )
    # Where the summary is public its page says the new name at once.
    for consultation in consultations_of(summary.subject):
        touch(consultation)
    return made


def of(summary_id: int) -> Sequence[ThemeName]:
    """Every naming of the themes of a summary, the latest last."""
    query = sa.select(ThemeName).where(ThemeName.summary_id == summary_id)
    return db.session.scalars(query.order_by(ThemeName.id)).all()
