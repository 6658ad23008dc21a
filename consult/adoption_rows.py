"""The rows of adoption reports: an edition and what is kept with it, one line of the table, and what
is counted of it. What `adoption` releases, `adoption_papers` writes and the pages show."""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column

from consult.changes import Met
from consult.responses import Outcome
from consult.revisions import Passage
from consult.submissions import Channel
from core.db import Base


class Part(Enum):
    """From whom the opinions of a part came."""

    UNITS = "units"
    PUBLIC = "public"
    PANEL = "panel"
    EXPERTS = "experts"

    @property
    def title(self) -> str:
        """The part in the words of the page."""
        titles: dict[Part, str] = {
            Part.UNITS: _("征询部门街镇"),
            Part.PUBLIC: _("社会公众"),
            Part.PANEL: _("公众咨询团"),
            Part.EXPERTS: _("专家论证"),
        }
        return titles[self]


PART_OF = {
    Channel.UNIT: Part.UNITS,
    Channel.PANEL: Part.PANEL,
    Channel.MEETING: Part.EXPERTS,
}


class AdoptionReport(Base):
    """One edition: proposed by one person, released by another, never changed after that."""

    __tablename__ = "adoption_report"
    __table_args__ = (
        sa.UniqueConstraint("consultation_id", "number"),
        sa.CheckConstraint("(released_at IS NULL) = (released_by_name IS NULL)", name="released"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"))
    number: Mapped[int]
    # What the notice will say when this edition answers the round.
    feedback: Mapped[str] = mapped_column(sa.Text, default="")
    # Why there is a further edition.
    note: Mapped[str] = mapped_column(sa.Text, default="")
    proposed_at: Mapped[dt.datetime]
    proposed_by_id: Mapped[int | None]
    proposed_by_name: Mapped[str] = mapped_column(sa.String(120))
    released_at: Mapped[dt.datetime | None]
    released_by_id: Mapped[int | None]
    released_by_name: Mapped[str | None] = mapped_column(sa.String(120))
    # {"sums": Sums.kept(), "asked": [AskedUnit.kept(), …]}; empty until it is released.
    content: Mapped[dict[str, Any]] = mapped_column(deferred=True)

    @property
    def proposal(self) -> str:
        """What tells this proposal, and its words, from one made after it was taken back."""
        said = f"{self.id}\n{self.proposed_at.isoformat()}\n{self.feedback}\n{self.note}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]


class AdoptionRow(Base):
    """One row of a released edition (Row.kept()), without a word of the opinions. `number` is its
    place in the table, from 1, so that a page reads only its own."""

    __tablename__ = "adoption_row"

    report_id: Mapped[int] = mapped_column(sa.ForeignKey("adoption_report.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a point, or points put together, with their answer."""

    part: Part
    points: tuple[int, ...]
    outcome: Outcome
    reason: str
    place: str
    # Whether the text was changed as the answer says, and how.
    met: Met = Met.NOT_DUE
    passages: tuple[Passage, ...] = ()
    # The field and the special plan its points are filed under, in words.
    filed: tuple[str, ...] = ()
    # From how many opinions (件) its points come, and from how many people.
    opinions: int = 1
    people: int = 1
    # On what it was said, where a table holds several consultations; not kept.
    draft: str = ""

    @property
    def changed(self) -> str:
        """修改后文字: what was made of what, or that it is still to come."""
        return self.told or self.met.title

    @property
    def told(self) -> str:
        """What was made of what; "" when nothing was."""
        return "\n".join(each.words for each in self.passages)

    def kept(self) -> dict[str, Any]:
        """As a plain value."""
        return {
            "part": self.part.value,
            "points": list(self.points),
            "outcome": self.outcome.value,
            "reason": self.reason,
            "place": self.place,
            "met": self.met.value,
            "passages": [each.kept() for each in self.passages],
            "filed": list(self.filed),
            "opinions": self.opinions,
            "people": self.people,
        }

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Row":
        """Back from the plain value."""
        return cls(
            Part(kept["part"]),
            tuple(kept["points"]),
            Outcome(kept["outcome"]),
            kept["reason"],
            kept["place"],
            # Editions of the first days have none of these.
            Met(kept.get("met", "")),
            tuple(Passage.of(each) for each in kept.get("passages", ())),
            tuple(kept.get("filed", ())),
            # Earlier editions took each point for an opinion, and did not ask who.
            kept.get("opinions", len(kept["points"])),
            kept.get("people", 1),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it is read: with the words, as far as they may be read."""

    number: int
    part: Part
    who: str
    channel: str
    place: str
    words: str
    outcome: Outcome
    reason: str
    changed: str
    # 条数, how many points; 件数, from how many opinions they come.
    count: int
    opinions: int = 1
    filed: str = ""
    draft: str = ""

    @property
    def spot(self) -> str:
        """对应章节, after the consultation where there are several."""
        return f"{self.draft}　{self.place}" if self.draft else self.place

    @property
    def pieces(self) -> str:
        """件数 as one cell; an opinion that says the same twice is told apart."""
        if self.count == self.opinions:
            return str(self.opinions)
        return str(_("%(n)d（%(m)d条）", n=self.opinions, m=self.count))

    @property
    def where(self) -> str:
        """`spot` with what it is filed under, as one cell."""
        return f"{self.spot}\n{self.filed}" if self.filed else self.spot


@dataclass(frozen=True, slots=True)
class Totals:
    """How many points ended how, in each part."""

    counts: Counter[tuple[Part, Outcome]]

    @property
    def points(self) -> int:
        """All of them."""
        return self.counts.total()

    def of_part(self, part: Part) -> int:
        """All of a part."""
        return sum(n for (each, _outcome), n in self.counts.items() if each is part)

    def of_outcome(self, outcome: Outcome) -> int:
        """All that ended so."""
        return sum(n for (_part, each), n in self.counts.items() if each is outcome)


@dataclass(frozen=True, slots=True)
class Sums:
    """What is counted of a table: how many rows each part has, how many points ended how, and how
    many of those that were to change the text did."""

    totals: Totals
    met: Counter[Met]
    parts: Counter[Part]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.parts.total()

    @property
    def empty(self) -> list[Part]:
        """The parts in which nothing was said."""
        return [part for part in Part if not self.parts[part]]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Sums":
        """Counted from the rows: points, so that a row of several counts as several."""
        counts: Counter[tuple[Part, Outcome]] = Counter()
        met: Counter[Met] = Counter()
        parts: Counter[Part] = Counter()
        for row in rows:
            counts[row.part, row.outcome] += len(row.points)
            parts[row.part] += 1
            if row.met is not Met.NOT_DUE:
                met[row.met] += len(row.points)
        return cls(Totals(counts), met, parts)

    @classmethod
    def together(cls, several: Iterable["Sums"]) -> "Sums":
        """Those of several tables as one."""
        found = cls(Totals(Counter()), Counter(), Counter())
        for each in several:
            found.totals.counts.update(each.totals.counts)
            found.met.update(each.met)
            found.parts.update(each.parts)
        return found

    def kept(self) -> dict[str, Any]:
        """As a plain value."""
        points: dict[str, dict[str, int]] = {}
        for (part, outcome), number in self.totals.counts.items():
            points.setdefault(part.value, {})[outcome.value] = number
        return {
            "points": points,
            "met": {each.value: number for each, number in self.met.items()},
            "rows": {part.value: number for part, number in self.parts.items()},
        }

    @classmethod
    def from_kept(cls, kept: dict[str, Any]) -> "Sums":
        """Back from the plain value."""
        counts = {
            (Part(part), Outcome(outcome)): number
            for part, outcomes in kept["points"].items()
            for outcome, number in outcomes.items()
        }
        met = {Met(value): number for value, number in kept["met"].items()}
        parts = {Part(value): number for value, number in kept["rows"].items()}
        return cls(Totals(Counter(counts)), Counter(met), Counter(parts))
