"""The units that were asked, as they stand in part one of the adoption table: each with what it
said, so that 无意见 and 未反馈 can be told apart. Kept with an edition as it was at the release."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from consult import inquiries
from consult.inquiries import Answer


@dataclass(frozen=True, slots=True)
class AskedUnit:
    """One unit: its name, what it said, and how many of the points in the table are its own."""

    unit: str
    answer: Answer
    points: int
    # On what it was asked, where a table holds several consultations; not kept.
    draft: str = ""

    def kept(self) -> dict[str, Any]:
        """As a plain value."""
        return {"unit": self.unit, "answer": self.answer.value, "points": self.points}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "AskedUnit":
        """Back from the plain value."""
        return cls(kept["unit"], Answer(kept["answer"]), kept["points"])


def gather(consultation_id: int) -> list[AskedUnit]:
    """The units as they stand now."""
    return [
        AskedUnit(each.inquiry.unit.name, each.answer, each.points)
        for each in inquiries.of(consultation_id)
    ]


def frozen(content: dict[str, Any]) -> list[AskedUnit]:
    """The units of a released edition; editions of the first days have none."""
    return [AskedUnit.of(each) for each in content.get("asked", ())]


def summed(asked: Sequence[AskedUnit]) -> str:
    """In a sentence: how many were asked and what they said; "" when none was."""
    if not asked:
        return ""
    numbers = counts(asked)
    return str(
        _(
            "征询%(n)d个单位：有意见%(a)d个，无意见%(b)d个，未反馈%(c)d个。",
            n=len(asked),
            a=numbers[Answer.OPINIONS],
            b=numbers[Answer.NONE],
            c=numbers[Answer.SILENT],
        )
    )


def counts(asked: Iterable[AskedUnit]) -> dict[Answer, int]:
    """How many units said what."""
    return inquiries.counts(each.answer for each in asked)
