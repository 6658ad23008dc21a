"""Narrative reports (文字报告) on a snapshot: what the rules composed and what people made of it.

Each saving is a version of its own and none is changed, so the machine's and the person's words are
both kept. A report counts as finished when a named person has signed that version.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from itertools import product
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult.summaries.items import Counted, Filters, Item, select
from consult.summaries.snapshots import Summary
from core import audit
from core.db import Base, choice, db
from core.errors import Refused

audit.KINDS["summary_report"] = _l("汇总报告")
audit.ACTIONS.update(
    {
        "report.composed": _l("生成汇总报告"),
        "report.edited": _l("修改汇总报告"),
        "report.signed": _l("签发汇总报告"),
    }
)
audit.FIELDS.update({"number": _l("版本"), "rewritten": _l("改写的句数")})

LONGEST = 2000
# What a sentence's selection may be made of; `state` is what was received in whatever state.
QUERY = frozenset(
    {
        *("theme", "channel", "section", "group", "term", "stance", "consultation"),
        *("declared", "corrected", "state"),
    }
)
Part = str | int | bool
# Each part one value, or several of which any will do.
Selection = Mapping[str, Part | Sequence[Part]]


class ReportKind(StrEnum):
    """Who wrote a version."""

    COMPOSED = "composed"
    EDITED = "edited"


class SummaryReport(Base):
    """One version of the report on one snapshot."""

    __tablename__ = "summary_report"
    __table_args__ = (
        sa.UniqueConstraint("summary_id", "number"),
        sa.CheckConstraint("(signed_at IS NULL) = (signed_name IS NULL)", name="signed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    summary_id: Mapped[int] = mapped_column(sa.ForeignKey("summary.id"))
    number: Mapped[int]
    kind: Mapped[ReportKind] = mapped_column(choice(ReportKind))
    # {"sentences": [Sentence as a mapping, …]}
    content: Mapped[dict[str, Any]]
    made_at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    by_name: Mapped[str] = mapped_column(sa.String(120))
    signed_at: Mapped[dt.datetime | None]
    signed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    signed_name: Mapped[str | None] = mapped_column(sa.String(120))

    @property
    def sentences(self) -> list["Sentence"]:
        """The report, sentence by sentence."""
        return [Sentence.of(each) for each in self.content.get("sentences", [])]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement under its heading: the words that stand, those the machine composed ("" where
    a person added it), the selection of opinions behind it (None: it tells of what is not there,
    {}: all), and the opinion it quotes, which is read afresh each time so that nothing hidden or
    masked is printed. `count`: of how many opinions it told when it was composed (None: of none, or
    kept before this was)."""

    section: str
    text: str
    machine: str = ""
    query: Selection | None = None
    quote: int | None = None
    count: int | None = None

    @property
    def selections(self) -> list[Filters]:
        """The selections of opinions behind it; it tells of all in any of them."""
        if self.query is None or "state" in self.query:
            return []
        several = [value if isinstance(value, list) else [value] for value in self.query.values()]
        return [
            Filters(**dict(zip(self.query, values, strict=True))) for values in product(*several)
        ]

    @property
    def by_machine(self) -> bool:
        """Whether the words are the machine's, unchanged."""
        return bool(self.machine) and self.text == self.machine

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Sentence":
        """The sentence that was stored."""
        query = plain.get("query")
        return cls(
            str(plain.get("section", "")),
            str(plain.get("text", "")),
            str(plain.get("machine", "")),
            {k: v for k, v in query.items() if k in QUERY} if query is not None else None,
            plain.get("quote"),
            plain.get("count"),
        )


def behind(sentence: Sentence, counted: Counted) -> list[Item]:
    """The opinions a sentence tells of, by number, as far as they are counted and still shown."""
    found: dict[int, Item] = {}
    for each in sentence.selections:
        found.update((item.id, item) for item in select(counted, each))
    return [item for _id, item in sorted(found.items())]


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person made of each sentence ("" leaves it out), and what was added at the end."""

    texts: Sequence[str]
    added: Sequence[str] = field(default_factory=tuple)


def over(
    before: Sequence[Sentence], typed: Mapping[int, str], last: Sequence[Sentence]
) -> tuple[dict[int, str], dict[int, str], list[str]]:
    """Words typed over the sentences `before`, laid over the `last` ones, which somebody else may have
    written meanwhile: ({place: words}, {place: the other's words, where both changed the sentence},
    words that have no place there any more, because the report was composed anew)."""
    changed = {n: text for n, text in typed.items() if n < len(before) and text != before[n].text}
    # An edit keeps every sentence in its place and adds at the end.
    if [each.machine for each in last[: len(before)]] != [each.machine for each in before]:
        return {}, {}, [text for text in changed.values() if text]
    both = {
        n: last[n].text for n, text in changed.items() if last[n].text not in (before[n].text, text)
    }
    return changed, both, []


def newest(summary: Summary) -> SummaryReport | None:
    """The last version of the report on a snapshot."""
    return next(iter(versions(summary)), None)


def versions(summary: Summary) -> Sequence[SummaryReport]:
    """All versions of the report on a snapshot, the newest first."""
    query = sa.select(SummaryReport).where(SummaryReport.summary_id == summary.id)
    return db.session.scalars(query.order_by(SummaryReport.number.desc())).all()


def compose(
    summary: Summary,
    sentences: Sequence[Sentence],
    *,
    seen: int,
    by: audit.Actor,
    now: dt.datetime,
) -> SummaryReport:
    """Keep what the rules composed as a new version. `seen`: the last version the page showed."""
    _hold(summary, seen)
    made = _keep(summary, ReportKind.COMPOSED, sentences, seen, by=by, now=now)
    audit.record(
        "report.composed",
        made,
        by=by,
        now=now,
        name=summary.subject.title,
        after={"number": made.number},
    )
    return made


def edit(
    summary: Summary, edit: Edit, *, seen: int, by: audit.Actor, now: dt.datetime
) -> SummaryReport:
    """Keep what a person made of the last version as a new one."""
    last = _hold(summary, seen)
    if last is None:
        raise Refused(_("还没有生成报告。"))
    before = last.sentences
    if len(edit.texts) != len(before):
        raise Refused(_("报告刚刚有了新的一版，请刷新页面，看过以后再改。"))
    for text in (*edit.texts, *edit.added):
        if len(text) > LONGEST:
            raise Refused(_("一句最多%(n)d字，请缩短后再保存。", n=LONGEST))
    after = [
        replace(sentence, text=text) for sentence, text in zip(before, edit.texts, strict=True)
    ]
    section = before[-1].section if before else ""
    after += [Sentence(section, text) for text in edit.added if text]
    if after == before:
        raise Refused(_("与现在的一版没有不同，没有需要保存的。"))
    made = _keep(summary, ReportKind.EDITED, after, seen, by=by, now=now)
    audit.record(
        "report.edited",
        made,
        by=by,
        now=now,
        name=summary.subject.title,
        after={"number": made.number, "rewritten": sum(not s.by_machine for s in after)},
    )
    return made


def sign(summary: Summary, *, seen: int, by: audit.Actor, now: dt.datetime) -> None:
    """Stand for the last version with one's name; a later change is unsigned again."""
    last = _hold(summary, seen)
    if last is None:
        raise Refused(_("还没有生成报告。"))
    if last.signed_at is not None:
        raise Refused(_("这一版已由%(name)s签发。", name=last.signed_name))
    last.signed_at, last.signed_by_id, last.signed_name = now, by.id, by.name[:120]
    audit.record(
        "report.signed",
        last,
        by=by,
        now=now,
        name=summary.subject.title,
        after={"number": last.number},
    )


def _hold(summary: Summary, seen: int) -> SummaryReport | None:
    """The last version, which must be the one that was seen; others wait meanwhile."""
    db.session.execute(sa.select(Summary.id).where(Summary.id == summary.id).with_for_update())
    last = newest(summary)
    if (last.number if last else 0) != seen:
        raise Refused(_("报告刚刚有了新的一版，请刷新页面，看过以后再改。"))
    return last


def _keep(
    summary: Summary,
    kind: ReportKind,
    sentences: Sequence[Sentence],
    seen: int,
    *,
    by: audit.Actor,
    now: dt.datetime,
) -> SummaryReport:
    made = SummaryReport(
        summary_id=summary.id,
        number=seen + 1,
        kind=kind,
        content={"sentences": [asdict(sentence) for sentence in sentences]},
        made_at=now,
        by_id=by.id,
        by_name=by.name[:120],
    )
    db.session.add(made)
    db.session.flush()
    return made
