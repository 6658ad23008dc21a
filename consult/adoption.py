"""The adoption table (采纳情况表): what was said, and what became of it, one row a thing said.

Made from the live points and their answers, never kept beside them: so it always reconciles with
the counts. Points that were merged are one row with its 件数. Masked, a row names its author only
as far as they agreed to it, and holds only words that may be shown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import drafts, points, responses
from consult.consultations import Consultation
from consult.points import Point, PointGroup
from consult.response_rows import Outcome, Response, ResponseState
from consult.submissions import WHOLE, Channel, Submission, SubmissionState
from core import audit
from core.db import db

audit.ACTIONS.update({"consultation.table_taken": _l("下载采纳情况表（含不公开展示的文字）")})

DONE = frozenset({ResponseState.FINAL, ResponseState.PUBLISHED})


class Part(Enum):
    """The parts of the table, in the order in which they are read."""

    UNITS = "units"
    PUBLIC = "public"
    PANEL = "panel"
    EXPERTS = "experts"

    @property
    def title(self) -> str:
        """The part in the words of the table."""
        titles: dict[Part, str] = {
            Part.UNITS: _("征询部门、街镇"),
            Part.PUBLIC: _("社会公众"),
            Part.PANEL: _("公众咨询团"),
            Part.EXPERTS: _("专家论证和会议"),
        }
        return titles[self]


# By the channel an opinion came through; every other channel is the public's.
PART_OF = {
    Channel.UNIT: Part.UNITS,
    Channel.PANEL: Part.PANEL,
    Channel.MEETING: Part.EXPERTS,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was said. `pieces`: how many submissions say it; `points`: how many points.

    `outcome` None: not answered yet. `receipts` are the numbers of the submissions, 第N件.
    """

    number: int
    part: Part
    who: str
    channel: str
    section: str
    words: str
    pieces: int
    points: int
    outcome: Outcome | None
    reason: str
    cited: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The whole table. Every number in it is a sum over its rows."""

    rows: Sequence[Row]
    withdrawn: int
    pieces: int
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)

    @property
    def points(self) -> int:
        """All points that had to be answered."""
        return sum(row.points for row in self.rows)

    @property
    def open(self) -> int:
        """Points without a final answer."""
        return sum(row.points for row in self.rows if row.outcome is None)

    def of(self, part: Part) -> list[Row]:
        """The rows of one part."""
        return [row for row in self.rows if row.part is part]


def table(consultation: Consultation, *, full: bool = False) -> Table:
    """The adoption table of a consultation as it stands. `full`: also the words of opinions that
    are not shown; for those who answer, never for a page of the public."""
    found = _gathered(consultation.id)
    titles = _group_titles(consultation.id)
    sections = _Sections()
    together: dict[tuple[Part, int, int], list[_Gathered]] = {}
    for each in found:
        part = PART_OF.get(each[1].channel, Part.PUBLIC)
        # A group that several parts share is a row in each, so that the parts add up.
        key = (part, each[0].group_id or 0, 0 if each[0].group_id else each[0].id)
        together.setdefault(key, []).append(each)
    order = list(Part)
    rows: list[Row] = []
    for key in sorted(together, key=lambda key: order.index(key[0])):
        rows.append(_row(len(rows) + 1, key, together[key], titles, sections, full=full))
    outcomes = Counter[Outcome]()
    for row in rows:
        if row.outcome is not None:
            outcomes[row.outcome] += row.points
    return Table(
        rows,
        withdrawn=_withdrawn(consultation.id),
        pieces=len({submission.id for _point, submission, _response in found}),
        outcomes=outcomes,
    )


_Gathered = tuple[Point, Submission, Response | None]


def _gathered(consultation_id: int) -> list[_Gathered]:
    query = (
        sa.select(Point, Submission, Response)
        .join(Submission, Submission.id == Point.submission_id)
        .outerjoin(Response, Response.point_id == Point.id)
        .where(Point.consultation_id == consultation_id, responses.needs_answer())
        .order_by(Submission.number, Point.start, Point.id)
    )
    return [(point, piece, response) for point, piece, response in db.session.execute(query)]


def _group_titles(consultation_id: int) -> dict[int, str]:
    query = sa.select(PointGroup.id, PointGroup.title).where(
        PointGroup.consultation_id == consultation_id
    )
    return {row.id: row.title for row in db.session.execute(query)}


def _withdrawn(consultation_id: int) -> int:
    query = sa.select(sa.func.count(Submission.id)).where(
        Submission.consultation_id == consultation_id,
        Submission.state == SubmissionState.WITHDRAWN,
    )
    return db.session.execute(query).scalar_one()


def _row(
    number: int,
    key: tuple[Part, int, int],
    found: Sequence[_Gathered],
    titles: Mapping[int, str],
    sections: "_Sections",
    *,
    full: bool,
) -> Row:
    part, group_id, _alone = key
    point, submission, _response = found[0]
    answered = [r for _p, _s, r in found if r is not None and r.state in DONE]
    # One answer for the group; while any of its points is open, so is the row.
    response = answered[0] if len(answered) == len(found) else None
    pieces = {each.id: each for _p, each, _r in found}
    channels = dict.fromkeys(each.channel.title for each in pieces.values())
    return Row(
        number=number,
        part=part,
        who=_who(submission) if len(pieces) == 1 else _("%(n)d件", n=len(pieces)),
        channel="、".join(channels),
        section=sections.of(point),
        words=titles[group_id] if group_id else _words(point, submission, full=full),
        pieces=len(pieces),
        points=len(found),
        outcome=response.outcome if response else None,
        reason=response.reason if response else "",
        cited=tuple(sorted(each.number for each in pieces.values())),
    )


def _who(submission: Submission) -> str:
    if submission.channel in PART_OF:
        return submission.channel.title
    return submission.public_name or str(_("匿名"))


def _words(point: Point, submission: Submission, *, full: bool) -> str:
    if not full and submission.state is not SubmissionState.SHOWN:
        return str(_("（按审核规则不公开展示）"))
    return points.words(point, submission)


class _Sections:
    """Where points stand in the draft, in words; each version's outline is asked for once."""

    def __init__(self) -> None:
        self._outlines: dict[int, drafts.Outline | None] = {}

    def of(self, point: Point) -> str:
        """The section's address, or the whole draft."""
        if point.place == WHOLE or point.version_id is None:
            return str(_("全文"))
        if point.version_id not in self._outlines:
            version = drafts.version_by_id(point.version_id)
            self._outlines[point.version_id] = drafts.outline(version) if version else None
        outline = self._outlines[point.version_id]
        known = outline is not None and point.place in outline.by_id
        return outline.address(point.place) if outline and known else str(_("全文"))
