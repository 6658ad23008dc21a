"""The built-in example's closed round, answered: what became of every point, which paragraphs of the
second version changed because of it, and the released adoption table. It only arranges; everything
goes through the operations, after the panel's remarks have joined the round."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _

from consult import (
    adoption,
    changes,
    consultations,
    drafts,
    example_files,
    inquiries,
    point_acts,
    point_lists,
    points,
    responses,
    revisions,
    screening,
    submissions,
    topics,
)
from consult.consultations import SHANGHAI, Consultation, ConsultationState, Phase
from consult.points import Point
from consult.responses import Outcome, Response
from consult.submissions import Opinion, Submission, SubmissionState
from core import accounts, units
from core.accounts import Account, RoleName
from core.config import of_site
from core.db import batches, db
from core.errors import Refused

DATA = Path(__file__).parent / "data" / "answers"
SLUG = "silu-kuangjia"
# Units were asked while the round was open, and answered, as far as they did.
ASKED, HEARD = dt.date(2019, 11, 18), dt.date(2019, 12, 2)
# Drafted, approved before the second version came out; linked, proposed and released after it.
DRAFTED, APPROVED = dt.date(2019, 12, 11), dt.date(2019, 12, 18)
LINKED, PROPOSED = dt.date(2019, 12, 23), dt.date(2019, 12, 25)
RELEASED = dt.date(2019, 12, 27)
MOST_HELPING = 2


def is_missing(now: dt.datetime) -> bool:
    """Whether the example's closed round is here with its second version, and nobody has begun to
    answer it."""
    consultation = consultations.by_slug(SLUG)
    if consultation is None or not consultation.is_demonstration:
        return False
    if consultation.phase(now) is not Phase.CLOSED or not all(_two()):
        return False
    version = drafts.published(consultation)
    begun = sa.select(Response.point_id).join(Point, Point.id == Response.point_id)
    begun = begun.where(Point.consultation_id == consultation.id).limit(1)
    return (
        consultation.state is not ConsultationState.ANSWERED
        and version is not None
        and version.number == 2
        and db.session.scalar(begun) is None
    )


def load(*, now: dt.datetime) -> None:
    """Answer every point of the round and release its table."""
    consultation = consultations.by_slug(SLUG)
    first, second = _two()
    assert consultation is not None
    assert first is not None
    assert second is not None
    told = example_files.read(DATA / f"{SLUG}.yaml")
    _ask_units(consultation, told["asked"], first)
    _screen_the_rest(consultation)
    _split(consultation, told["split"], first)
    _merge(consultation, told["answers"], first)
    _give_out(consultation, first)
    answered = _answer(consultation, told["answers"], first, second)
    _link(consultation, told["answers"], answered, first)
    _release(consultation, first, second)


def _two() -> tuple[Account | None, Account | None]:
    """Who drafts, and who approves."""
    roles = RoleName.DRC_STAFF, RoleName.ADMINISTRATOR
    first, second = (accounts.demonstration_account(role) for role in roles)
    return first, second


def _at(day: dt.date, hour: int = 10) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), SHANGHAI).astimezone(dt.UTC)


def _ask_units(consultation: Consultation, told: Iterable[dict[str, Any]], by: Account) -> None:
    """Ask units for their opinion: one has some, one has none, one does not answer."""
    said = {each["unit"]: each for each in told}
    found = units.by_slug(said)
    secret = current_app.config["SECRET_KEY"]
    note = _("（演示）请结合本单位职责研究提出意见。")
    for each in inquiries.ask(consultation, list(found.values()), note=note, by=by, now=_at(ASKED)):
        answer = said[each.unit.slug]
        if answer.get("none"):
            inquiries.say_none(each, on_paper=True, by=by, now=_at(HEARD))
        if "body" in answer:
            opinion = Opinion(title=answer["title"], body=answer["body"].strip())
            key = submissions.once_key(f"example-unit-{each.unit.slug}", opinion)
            inquiries.give(
                each, opinion, once_key=key, secret=secret, on_paper=True, by=by, now=_at(HEARD)
            )


def _screen_the_rest(consultation: Consultation) -> None:
    """Show what still waits: of the panel's remarks some were held for a look at their words."""
    screener = accounts.demonstration_account(RoleName.SCREENER)
    assert screener is not None
    waiting = sa.select(Submission).where(
        Submission.consultation_id == consultation.id, Submission.state == SubmissionState.PENDING
    )
    for each in db.session.scalars(waiting).all():
        screening.decide(each, SubmissionState.SHOWN, by=screener, now=_at(DRAFTED, 9))


def _live(consultation: Consultation) -> Sequence[tuple[Point, str]]:
    """The live points with what they say."""
    query = (
        sa.select(Point, Submission)
        .join(Submission, Submission.id == Point.submission_id)
        .where(Point.consultation_id == consultation.id, responses.needs_answer())
        .order_by(Point.id)
    )
    return [(point, points.words(point, said)) for point, said in db.session.execute(query)]


def _that_begins(words: str, live: Sequence[tuple[Point, str]]) -> Point:
    found = [point for point, said in live if said.startswith(words)]
    if len(found) != 1:
        raise Refused(_("示例答复所指的“%(words)s”在意见里找不到。", words=words))
    return found[0]


def _split(consultation: Consultation, openings: Iterable[str], by: Account) -> None:
    live = _live(consultation)
    for words in openings:
        submission = db.session.get_one(Submission, _that_begins(words, live).submission_id)
        point_acts.split(submission, points.propose(submission.body), by=by, now=_at(DRAFTED))


def _merge(consultation: Consultation, told: Iterable[dict[str, Any]], by: Account) -> None:
    live = _live(consultation)
    for each in told:
        if "group" in each:
            chosen = [_that_begins(words, live) for words in each["to"]]
            point_acts.merge(chosen, each["group"], by=by, now=_at(DRAFTED))


def _give_out(consultation: Consultation, by: Account) -> None:
    """File each point under the topic its words speak of and give it to the unit that leads there,
    with those that cooperate; what speaks of none goes to the office that runs the round."""
    programme = consultation.programme
    subjects = point_lists.subjects(programme)
    of_topic = {each.key: each for each in topics.of(programme)}
    given: dict[str, list[Point]] = {}
    groups: dict[int | None, str] = {}
    for point, words in _live(consultation):
        found = point_lists.suggested(words, subjects)
        key = found.subject.key if found else ""
        if point.group_id is not None:
            # One group, one unit: that of its first point.
            key = groups.setdefault(point.group_id, key)
        given.setdefault(key, []).append(point)
        if key:
            point_acts.move(point, topic_key=key, by=by, now=_at(DRAFTED, 11))
    for key, some in given.items():
        topic = of_topic.get(key)
        lead = topic.lead.id if topic else consultation.unit_id
        assert lead is not None
        helping = [unit.id for unit in topic.cooperating[:MOST_HELPING]] if topic else []
        due_on, at = responses.due_day(DRAFTED), _at(DRAFTED, 12)
        responses.route(some, lead, cooperating=helping, due_on=due_on, by=by, now=at)


def _answer(
    consultation: Consultation, told: Iterable[dict[str, Any]], first: Account, second: Account
) -> list[list[Point]]:
    """The points of each answer, in the order of the file; what the file does not name is kept for
    study, so that nothing stays open."""
    live = _live(consultation)
    answered, left = [], {point.id: point for point, _words in live}
    for each in told:
        chosen = [_that_begins(words, live) for words in each["to"]]
        outcome = Outcome(each["outcome"])
        responses.draft(chosen, outcome, each["reason"], by=first, now=_at(DRAFTED, 15))
        answered.append(chosen)
        for point in chosen:
            left.pop(point.id)
    rest = list(left.values())
    if rest:
        reason = _("已收到，留待《纲要》编制时一并研究，研究的结果向社会说明。")
        responses.draft(rest, Outcome.KEPT_FOR_STUDY, reason, by=first, now=_at(DRAFTED, 16))
    every = [point for point, _words in live]
    for some in batches(every, responses.MOST_AT_ONCE):
        responses.submit(some, by=first, now=_at(DRAFTED, 17))
        responses.approve(some, by=second, now=_at(APPROVED))
    return answered


def _link(
    consultation: Consultation,
    told: Iterable[dict[str, Any]],
    answered: Sequence[Sequence[Point]],
    by: Account,
) -> None:
    version = drafts.published(consultation)
    revision = revisions.of(version) if version else None
    assert version is not None
    assert revision is not None
    for each, chosen in zip(told, answered, strict=True):
        paragraphs = []
        for words in each.get("changed", ()):
            found = [
                pair.entry.id
                for pair in revision.pairs
                if any(e and words in e.text for e in (pair.before, pair.after))
            ]
            if len(found) != 1:
                raise Refused(_("示例答复所指的“%(words)s”在文稿里找不到。", words=words))
            paragraphs += found
        # Those of a group are linked together.
        one_of_each = {point.group_id or -point.id: point for point in chosen}
        for point in one_of_each.values() if paragraphs else ():
            changes.link(point, version, paragraphs, by=by, now=_at(LINKED))


def _release(consultation: Consultation, first: Account, second: Account) -> None:
    counts = points.counts(consultation.id)
    feedback = _(
        "征集期间共收到意见%(n)d件，整理为%(m)d点，逐点研究，结果和理由见采纳情况表。"
        "因意见而改动的文字，见“修改与意见”；采纳而这一稿没有来得及改的，表里写明尚未落实，下一稿落实。"
        "感谢各位的参与。\n本页及意见、答复均为演示而编写，不是正式的反馈。",
        n=counts.submissions,
        m=counts.points,
    )
    report = adoption.propose(consultation, feedback=feedback, by=first, now=_at(PROPOSED))
    site = of_site().site_url
    adoption.release(report, consultation, site=site, by=second, now=_at(RELEASED))
