"""The round sheet (汇总表): members × sections with the verdicts, their totals, the quorum; on the
page by fifty members at a time, as a workbook whole, as a Word document for signature."""

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from consult.official_paper import blank, body, centred, saved, table, title
from core import sheets
from core.db import db
from core.sheets import inert
from core.web import closing
from panel import rounds
from panel.reviews import Answer, SectionReview, Verdict, answer_of
from panel.round_texts import Section, text_of
from panel.rounds import Invitation, ReviewRound

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ROWS = 50


@dataclass(frozen=True, slots=True)
class Count:
    """How a section, or everything, was judged: the verdicts, interests, and no answer."""

    verdicts: dict[Verdict, int]
    interests: int
    silent: int

    @property
    def numbers(self) -> list[int]:
        """The figures in the order of `columns`."""
        return [*(self.verdicts[each] for each in Verdict), self.interests, self.silent]


@dataclass(frozen=True, slots=True)
class Kind:
    """A category beside the others: how many were asked, and their figures of all sections
    together."""

    name: str
    invited: int
    count: Count


@dataclass(frozen=True, slots=True)
class Row:
    """One member's line: a mark for each section."""

    invitation: Invitation
    marks: list[str]

    @property
    def answer(self) -> Answer:
        """有意见, 无意见 or 未反馈."""
        return answer_of(self.invitation)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of the sheet, or all of it, under the totals of the whole round."""

    sections: tuple[Section, ...]
    counts: list[Count]
    rows: list[Row]
    answers: dict[Answer, int]
    invited: int
    # The id after which the next page begins; None on the last.
    last: int | None

    @property
    def signed(self) -> int:
        """How many signed."""
        return self.invited - self.answers[Answer.SILENT]

    @property
    def whole(self) -> list[int]:
        """The figures of all sections together."""
        return [sum(column) for column in zip(*(each.numbers for each in self.counts), strict=True)]


def marks() -> dict[Verdict, str]:
    """The one character by which the sheet writes each verdict."""
    return {
        Verdict.AGREE: str(_("同")),
        Verdict.AMEND: str(_("改")),
        Verdict.DISAGREE: str(_("否")),
        Verdict.NONE: str(_("无")),
    }


def columns() -> list[str]:
    """What the figures of a `Count` are called."""
    return [*(verdict.title for verdict in Verdict), str(_("回避")), Answer.SILENT.title]


def sheet(review_round: ReviewRound, *, after: int = 0, limit: int | None = ROWS) -> Sheet:
    """The sheet of an opened round; the rows of `limit` members after id `after`."""
    sections = text_of(review_round).sections
    answers = _answers(review_round)
    invited = sum(answers.values())
    query = sa.select(Invitation).where(
        Invitation.round_id == review_round.id, Invitation.id > after
    )
    query = query.order_by(Invitation.id)
    if limit is not None:
        query = query.limit(limit + 1)
    found = list(db.session.scalars(query))
    more = limit is not None and len(found) > limit
    shown = found[:limit] if limit is not None else found
    return Sheet(
        sections,
        _counts(review_round, sections, invited),
        _rows(shown, sections),
        answers,
        invited,
        shown[-1].id if more else None,
    )


def _answers(review_round: ReviewRound) -> dict[Answer, int]:
    query = (
        sa.select(Invitation.signed_at.is_not(None), Invitation.has_remarks, sa.func.count())
        .where(Invitation.round_id == review_round.id)
        .group_by(Invitation.signed_at.is_not(None), Invitation.has_remarks)
    )
    counted = dict.fromkeys(Answer, 0)
    for signed, spoken, number in db.session.execute(query):
        kind = Answer.REMARKS if spoken else Answer.NO_REMARKS
        counted[kind if signed else Answer.SILENT] += number
    return counted


def _counts(review_round: ReviewRound, sections: Sequence[Section], invited: int) -> list[Count]:
    query = (
        sa.select(
            SectionReview.section, SectionReview.verdict, SectionReview.interest, sa.func.count()
        )
        .join(Invitation, Invitation.id == SectionReview.invitation_id)
        .where(Invitation.round_id == review_round.id, Invitation.signed_at.is_not(None))
        .group_by(SectionReview.section, SectionReview.verdict, SectionReview.interest)
    )
    verdicts = {section.mark: dict.fromkeys(Verdict, 0) for section in sections}
    interests = dict.fromkeys(verdicts, 0)
    for mark, verdict, interest, number in db.session.execute(query):
        if interest:
            interests[mark] += number
        elif verdict is not None:
            verdicts[mark][verdict] += number
    return [
        Count(found, interests[mark], invited - interests[mark] - sum(found.values()))
        for mark, found in verdicts.items()
    ]


def kinds(review_round: ReviewRound) -> list[Kind]:
    """The categories beside one another, in the order of asking."""
    # Counted by member, whose sections the index keeps together.
    given = [
        sa.func.count(sa.case((sa.and_(~SectionReview.interest, SectionReview.verdict == one), 1)))
        for one in Verdict
    ]
    away = sa.func.count(sa.case((SectionReview.interest, 1)))
    query = (
        sa.select(SectionReview.invitation_id, *given, away)
        .join(Invitation, Invitation.id == SectionReview.invitation_id)
        .where(Invitation.round_id == review_round.id, Invitation.signed_at.is_not(None))
        .group_by(SectionReview.invitation_id)
    )
    said = {row[0]: row[1:] for row in db.session.execute(query)}
    asked = sa.select(Invitation.id, Invitation.category).where(
        Invitation.round_id == review_round.id
    )
    none = [0] * (len(Verdict) + 1)
    members: dict[str, list[Sequence[int]]] = {}
    for invitation_id, category in db.session.execute(asked.order_by(Invitation.id)):
        members.setdefault(category, []).append(said.get(invitation_id, none))
    sections = len(text_of(review_round).sections)
    return [_kind(name, lines, sections) for name, lines in members.items()]


def _kind(name: str, lines: Sequence[Sequence[int]], sections: int) -> Kind:
    """A category from the figures of its members."""
    sums = [sum(column) for column in zip(*lines, strict=True)]
    count = Count(
        dict(zip(Verdict, sums, strict=False)), sums[-1], len(lines) * sections - sum(sums)
    )
    return Kind(name, len(lines), count)


def _rows(shown: Sequence[Invitation], sections: Sequence[Section]) -> list[Row]:
    signed = [each.id for each in shown if each.signed_at is not None]
    query = sa.select(
        SectionReview.invitation_id,
        SectionReview.section,
        SectionReview.verdict,
        SectionReview.interest,
    ).where(SectionReview.invitation_id.in_(signed))
    said = marks()
    away = str(_("避"))
    given = {
        (invitation_id, section): away if interest else said[verdict] if verdict else ""
        for invitation_id, section, verdict, interest in db.session.execute(query)
    }
    return [
        Row(each, [given.get((each.id, section.mark), "") for section in sections])
        for each in shown
    ]


def quorum_words(review_round: ReviewRound, made: Sheet) -> str:
    """The quorum line."""
    if not review_round.quorum:
        return str(
            _("应反馈%(all)d人，已签署%(n)d人；没有规定有效人数。", all=made.invited, n=made.signed)
        )
    reached = made.signed >= review_round.quorum
    return str(
        _(
            "应反馈%(all)d人，已签署%(n)d人，有效人数%(quorum)d人：%(reached)s。",
            all=made.invited,
            n=made.signed,
            quorum=review_round.quorum,
            reached=_("已达到") if reached else _("未达到"),
        )
    )


# --- files --------------------------------------------------------------------------------------


def workbook(review_round: ReviewRound, *, now: dt.datetime) -> io.BytesIO:
    """The whole sheet as a workbook: members × sections, and the sections with their totals."""
    made = sheet(review_round, limit=None)
    out = io.BytesIO()
    book = sheets.workbook(out, strings_to_urls=False)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    grid = book.add_worksheet(str(_("成员与章节")))
    grid.write_string(0, 0, inert(review_round.title), bold)
    grid.write_string(1, 0, inert(f"{quorum_words(review_round, made)}{_made_at(now)}"))
    legend = [f"{mark}：{verdict.title}" for verdict, mark in marks().items()]
    away = str(_("避：回避；空：未反馈"))
    grid.write_string(2, 0, inert("；".join([*legend, away])))
    head = [_("姓名"), _("类别"), _("反馈"), _("签署时间")]
    for column, words in enumerate([*head, *(section.title for section in made.sections)]):
        grid.write_string(3, column, inert(words), bold)
    for line, row in enumerate(made.rows, start=4):
        who = row.invitation
        signed = rounds.said(who.signed_at) if who.signed_at else ""
        cells = [who.name, who.category, row.answer.title, signed, *row.marks]
        for column, words in enumerate(cells):
            if words:
                grid.write_string(line, column, inert(words))
    grid.freeze_panes(4, 1)
    grid.set_column(0, 3, 14)
    totals = book.add_worksheet(str(_("各节合计")))
    for column, words in enumerate([_("章节"), *columns()]):
        totals.write_string(0, column, inert(words), bold)
    for line, (section, count) in enumerate(zip(made.sections, made.counts, strict=True), start=1):
        totals.write_string(line, 0, inert(section.address or section.title))
        for column, number in enumerate(count.numbers, start=1):
            totals.write_number(line, column, number)
    totals.set_column(0, 0, 60)
    beside = book.add_worksheet(str(_("各类别比较")))
    for column, words in enumerate([_("类别"), _("受邀"), *columns()]):
        beside.write_string(0, column, inert(words), bold)
    for line, kind in enumerate(kinds(review_round), start=1):
        beside.write_string(line, 0, inert(kind.name))
        for column, number in enumerate([kind.invited, *kind.count.numbers], start=1):
            beside.write_number(line, column, number)
    beside.set_column(0, 0, 24)
    book.close()
    out.seek(0)
    return out


def document(review_round: ReviewRound, *, now: dt.datetime) -> io.BytesIO:
    """The sheet as an official paper with a column to sign in."""
    made = sheet(review_round, limit=None)
    paper = blank()
    title(paper, _("公众咨询团审阅情况表"))
    centred(paper, review_round.title)
    body(
        paper,
        _(
            "审阅文稿：%(draft)s（第%(n)d稿）。审阅期限至%(due)s。",
            draft=review_round.draft_title,
            n=review_round.version_number,
            due=closing(review_round.closes_at),
        ),
    )
    body(paper, quorum_words(review_round, made))
    answers = [f"{answer.title}{number}" for answer, number in made.answers.items()]
    body(paper, _("其中：%(answers)s（人）。", answers="，".join(answers)))
    rows = [
        (section.address or section.title, *(str(number) for number in count.numbers))
        for section, count in zip(made.sections, made.counts, strict=True)
    ]
    rows.append((str(_("合计")), *(str(number) for number in made.whole or [0] * 6)))
    table(
        paper, _("表1　各节意见（人）"), (_("章节"), *columns()), rows, (66, 15, 15, 15, 15, 15, 15)
    )
    own = marks()
    members = []
    for number, row in enumerate(made.rows, start=1):
        counted = [str(row.marks.count(own[verdict])) for verdict in Verdict]
        who = row.invitation
        answer = row.answer.title
        members.append((str(number), who.name, who.category, answer, *counted, ""))
    head = (
        _("序号"),
        _("姓名"),
        _("类别"),
        _("反馈"),
        *(verdict.title for verdict in Verdict),
        _("签名"),
    )
    table(paper, _("表2　成员反馈"), head, members, (12, 20, 28, 18, 12, 14, 14, 12, 26))
    body(paper, _made_at(now))
    return io.BytesIO(saved(paper))


def _made_at(now: dt.datetime) -> str:
    return str(_("本表生成于%(at)s。", at=closing(now)))
