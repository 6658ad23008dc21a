"""One site with something of everything in it, and the addresses under which it is found.

`fill` makes it with the real operations, area by area (`tests/world_parts/`); the tests of the whole
site (access, sinks, input, pages) stand on copies of it. `addresses` knows how to fill every
placeholder of every route; a placeholder it does not know is an error, so that a new page cannot
slip past those tests.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from consult import (
    adoption,
    alike_search,
    changes,
    drafts,
    inquiries,
    point_acts,
    points,
    programme_files,
    programmes,
    responses,
    revisions,
    screening,
    submissions,
    wordings,
)
from consult.attachments import Attachment
from consult.consultations import Consultation, Phase
from consult.drafts import Version, VersionState
from consult.inquiries import Inquiry
from consult.intake import Intake
from consult.lexicons import LexiconVersion
from consult.point_merges import AlikeGroups, AlikeMember, AlikeProposal
from consult.point_rows import Point, PointAct, SavedView
from consult.programmes import Programme, Stage
from consult.responses import Outcome as Outcomes
from consult.responses import Wording
from consult.submissions import Opinion, Submission, SubmissionState
from consult.summaries import Summary
from core import accounts, audit, consents, password_links, units
from core.accounts import Account, RoleName
from core.corrections import Correction
from core.db import db
from core.jobs import Job
from core.outbox import Message
from core.password_links import PasswordLink
from core.units import Unit
from core.web import local
from panel.applications import Application
from panel.appointments import Appointment
from panel.calls import Call
from panel.guests import Invitation
from panel.interests import Interest
from panel.meetings import Meeting
from panel.member_imports import MemberImport
from panel.members import Member
from panel.minutes import MinutePoint
from panel.papers import AgendaItem, MeetingPaper
from panel.round_papers import ReviewPaper
from panel.rounds import Invitation as ReviewInvitation
from panel.rounds import ReviewRound
from panel.seats import SeatRequest
from panel.views.my_meetings import ticket_for
from tests import people
from tests.conftest import NOON
from tests.consultations_made import TEXT, a_consultation, a_prepared_draft, a_published_draft
from tests.world_parts import counting, desk, opinions, panel
from tests.world_parts.known import (
    ANSWERED,
    CLOSED,
    OPEN,
    PREPARING,
    PROGRAMME,
    ROLES,
    TOKEN,
    UPCOMING,
    email,
)
from tests.world_parts.known import PEOPLE as PEOPLE
from tests.world_parts.known import SECRET as SECRET
from tests.world_parts.known import consultation_at as _consultation

# A later version of `TEXT`: one paragraph edited, one gone, one moved, one new.
SECOND = """\
# 第一章 总体要求
到2025年，城区综合实力和居民生活品质显著提升。
- 支持既有多层住宅加装电梯。
# 第二章 社会民生
## 第一节 养老服务
新增养老床位1500张。建设15分钟养老服务圈。
每个街道建设一处综合为老服务中心。
| 指标\t2025年目标
"""
# What an address is nothing without. The open consultation is the first one made.
QUERIES = {"summaries.count": "?consultation=1", "summaries.term": "?term=加装电梯"}


def fill(app: Flask) -> None:
    """Fill an empty site; all moments are around `NOON`."""
    app.config["CLOCK"] = lambda: NOON
    with app.app_context():
        programme_files.load(PROGRAMME, by=audit.SYSTEM, now=NOON)
        db.session.commit()
        programme = programmes.by_slug("jingan-14")
        unit = units.every()[0]
        for role in ROLES:
            people.make(role, email=email(role), unit=unit)
        roles = [RoleName.DRC_STAFF, RoleName.ADMINISTRATOR]
        people.make("drc_staff", email=email("deactivated"), roles=roles)
        people.make("drc_staff", email=email("unequipped"), roles=roles, is_demo=False)
        for phase, slug in (
            (Phase.OPEN, OPEN),
            (Phase.CLOSED, CLOSED),
            (Phase.ANSWERED, ANSWERED),
            (Phase.UPCOMING, UPCOMING),
            (Phase.PREPARING, PREPARING),
        ):
            consultation = a_consultation(
                slug, phase=phase, title=f"征求意见：{slug}", programme=programme
            )
            consultation.unit = unit
            if phase is Phase.PREPARING:
                a_prepared_draft(consultation)
            else:
                a_published_draft(consultation)
                opinions.fill_opinions(consultation)
        a_published_draft(_consultation(ANSWERED), SECOND)
        a_prepared_draft(_consultation(CLOSED), TEXT + "# 第三章 保障\n加强组织领导。")
        opinions.fill_supports(_consultation(OPEN))
        opinions.fill_intakes(_consultation(OPEN))
        opinions.fill_entries(_consultation(OPEN))
        opinions.fill_undone(_consultation(OPEN))
        counting.fill_summaries(programme.stages[1])
        desk.fill_corrections()
        desk.fill_messages()
        desk.fill_jobs()
        panel.fill_panel(programme)
        panel.fill_applications(programme)
        panel.fill_meetings(programme)
        counting.fill_lexicon()
        opinions.fill_stances()
        counting.fill_reports()
        counting.fill_kept_on_summaries()
        panel.fill_rounds()
        resident = accounts.by_email(email("resident"))
        assert resident is not None
        _answers(_consultation(OPEN), unit)
        _adoption()
        _changes()
        _inquiries(_consultation(OPEN), unit)
        _alike(_consultation(OPEN))
        db.session.add(
            PasswordLink(
                account_id=resident.id,
                token_hash=hashlib.sha256(TOKEN.encode()).hexdigest(),
                expires_at=NOON + password_links.VALID,
            )
        )
        db.session.commit()


def _answers(consultation: Consultation, unit: Unit) -> None:
    """Points that were split and merged, and answers in every state."""
    by = accounts.by_email(email("drc_staff"))
    second = accounts.by_email(email("administrator"))
    assert by is not None
    assert second is not None
    who: dict[str, Any] = {"by": by, "now": NOON}
    why = "文稿已写明这一安排，本条意见已经体现。"
    wordings.save("已体现", Outcomes.ALREADY, why, **who)
    screened = sa.select(Submission.id).where(Submission.state == SubmissionState.SHOWN)
    found = db.session.scalars(
        sa.select(Point)
        .where(Point.consultation_id == consultation.id, Point.submission_id.in_(screened))
        .order_by(Point.id)
    ).all()
    for point in found:
        due = NOON.date() + dt.timedelta(days=point.id % 9 - 3)
        responses.route([point], unit.id, due_on=due, **who)
        point_acts.move(point, topic_key="topic-1", field_key="经济建设", plan_key="plan-1", **who)
    submission = db.session.get_one(Submission, found[0].submission_id)
    point_acts.split(submission, [(0, 9), (9, len(submission.body))], **who)
    point_acts.merge(found[1:3], "加装电梯", **who)
    for place, point in enumerate(found[3:8]):
        responses.remark(point, "我单位有不同意见。", dissents=True, unit_id=unit.id, **who)
        for act in (
            lambda p: responses.draft(p, Outcomes.ALREADY, why, **who),
            lambda p: responses.submit(p, **who),
            lambda p: responses.approve(p, by=second, now=NOON),
        )[:place]:
            act([point])
    responses.hand_back([found[4]], "请写得更具体些。", **who)
    responses.publish(consultation, **who)
    staff = accounts.by_email(email("unit_staff"))
    assert staff is not None
    responses.assign([found[3], found[4]], staff.id, **who)
    db.session.add(SavedView(account_id=by.id, name="我的逾期", query="overdue=1"))
    unit_view = {"name": "我手上的", "query": "person=me", "of_unit": True}
    db.session.add(SavedView(account_id=staff.id, **unit_view))
    db.session.commit()


def sign_in(app: Flask, person: str) -> FlaskClient:
    """A client who is this person of the world."""
    client = app.test_client()
    if person == "anonymous":
        return client
    answer = people.sign_in(client, email(person))
    assert answer.status_code in (302, 303), f"{person} could not sign in: {answer.status_code}"
    if person == "deactivated":
        with app.app_context():
            # Not through the operation, which ends the sessions: the rights must go with the row.
            db.session.execute(
                sa.update(Account).where(Account.email == email(person)).values(active=False)
            )
            db.session.commit()
    return client


def _adoption() -> None:
    """A released table, and one that waits for the second person."""
    consultation = _consultation(ANSWERED)
    for each in (consultation, _consultation(CLOSED)):
        report = adoption.AdoptionReport(
            consultation_id=each.id,
            number=1,
            feedback="共收到十二件意见，都已研究，逐条答复如下。",
            note="第一版。",
            proposed_at=NOON,
            proposed_by_id=None,
            proposed_by_name="张三",
            content={},
        )
        db.session.add(report)
        if each is not consultation:
            continue
        shown = sa.select(Point).join(Submission, Submission.id == Point.submission_id)
        shown = shown.where(
            Point.consultation_id == each.id,
            Point.state == points.LIVE,
            Submission.state == SubmissionState.SHOWN,
        )
        some = db.session.scalars(shown.order_by(Point.id).limit(3)).all()
        why = "文稿已写明有关安排，本条意见已经体现。"
        responses.draft(some, responses.Outcome.ALREADY, why, by=audit.SYSTEM, now=NOON)
        responses.submit(some, by=audit.SYSTEM, now=NOON)
        responses.approve(some, by=audit.COMMAND_LINE, now=NOON)
        adoption.freeze(report, adoption.gather(each.id))
        report.released_at, report.released_by_name = NOON, "李四"


def _changes() -> None:
    """An adopted point whose change is in the second version, published, and one that is unmet."""
    consultation = _consultation(ANSWERED)
    version = drafts.published(consultation)
    revision = revisions.of(version) if version else None
    assert version is not None
    assert revision is not None
    some = []
    for number, pair in enumerate(revision.pairs[:2]):
        received = submissions.receive(
            consultation,
            Opinion(
                body=f"建议把目标写得更高一些{'。' * number}",
                version_id=revision.before.version_id,
                place=pair.before.id if pair.before else submissions.WHOLE,
                public_name="李**",
            ),
            once_key=f"changes-{number}",
            by=audit.RESIDENT,
            now=NOON,
            on_day=local(NOON).date(),
        )
        submission = db.session.get_one(Submission, received.id)
        screening.decide(submission, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
        some += points.of(submission.id)
    why = "已按这条意见修改了文稿的有关表述。"
    responses.draft(some, responses.Outcome.PARTLY, why, by=audit.SYSTEM, now=NOON)
    responses.submit(some, by=audit.SYSTEM, now=NOON)
    responses.approve(some, by=audit.COMMAND_LINE, now=NOON)
    responses.publish(consultation, by=audit.SYSTEM, now=NOON)
    changed = [pair.entry.id for pair in revision.pairs[:2]]
    changes.link(some[0], version, changed, by=audit.SYSTEM, now=NOON)


def _inquiries(consultation: Consultation, unit: Unit) -> None:
    """The unit of the world's people is asked, another has none, a third has given an opinion."""
    others = [each for each in units.every() if each.id != unit.id][:2]
    made = inquiries.ask(
        consultation,
        [unit, *others],
        note="请重点研究公共服务设施的布局。",
        by=audit.SYSTEM,
        now=NOON,
    )
    inquiries.say_none(made[1], on_paper=True, by=audit.COMMAND_LINE, now=NOON)
    opinion = Opinion(body="建议补充社区养老设施的建设时序。", title="关于养老设施")
    inquiries.give(
        made[2], opinion, once_key="inquiry", secret="x" * 32, by=audit.COMMAND_LINE, now=NOON
    )


def _alike(consultation: Consultation) -> None:
    """Points that may be merged into one, and some that somebody said are not the same."""
    for number in range(4):
        received = submissions.receive(
            consultation,
            Opinion(body=("希望延长公园的开放时间。", "请在学校门口设护学岗。")[number // 2]),
            once_key=f"alike-{number}",
            by=audit.RESIDENT,
            now=NOON,
            on_day=local(NOON).date(),
        )
        submission = db.session.get_one(Submission, received.id)
        screening.decide(submission, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
        if number == 3:
            point_acts.keep_apart(points.of(submission.id), by=audit.SYSTEM, now=NOON)
    alike_search.search(consultation.id, now=NOON)
    _of_themes(consultation)


def _of_themes(consultation: Consultation) -> None:
    """What a search among many finds besides: points of one theme, and two groups that may be one."""
    free = sa.select(Point).where(
        Point.consultation_id == consultation.id,
        Point.state == points.LIVE,
        Point.group_id.is_(None),
    )
    some = db.session.scalars(free.order_by(Point.id.desc()).limit(6)).all()
    groups = [
        point_acts.merge(some[n : n + 2], f"公园的第{n}组", by=audit.SYSTEM, now=NOON).after[
            "group"
        ]
        for n in (0, 2)
    ]
    proposal = AlikeProposal(
        consultation_id=consultation.id,
        central_point_id=some[4].id,
        into_group_id=groups[0],
        theme="公园、开放、时间",
        terms="公园、开放、时间",
    )
    db.session.add(proposal)
    db.session.flush()
    db.session.add(AlikeMember(proposal_id=proposal.id, point_id=some[4].id, text=0))
    pair = {"one_group_id": groups[0], "other_group_id": groups[1]}
    db.session.add(AlikeGroups(consultation_id=consultation.id, theme="公园", **pair))
    db.session.flush()


@contextmanager
def undone() -> Iterator[None]:
    """Let nothing be committed, so that a deed that is allowed can be tried again and again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "commit", Session.flush)
        yield


def addresses(app: Flask, rule: Rule, *, every: bool = False) -> list[str]:
    """Addresses of `rule` that name things of the world: one, or with `every` all that differ."""
    names = sorted(rule.arguments)
    with app.app_context():
        values = [_values(name, rule) for name in names]
    if not every:
        values = [found[:1] for found in values]
    adapter = app.url_map.bind("localhost")
    chosen: list[str] = []
    for each in _belonging(app, names, list(product(*values))):
        path = adapter.build(rule.endpoint, dict(zip(names, each, strict=True)))
        chosen.append(path + QUERIES.get(rule.endpoint, ""))
    return chosen


# What stands under another thing: the ways in which both are named together.
UNDER: dict[tuple[str, str], sa.Select[Any]] = {
    ("slug", "point_id"): sa.select(Consultation.slug, Point.id).join(
        Point, Point.consultation_id == Consultation.id
    ),
    ("summary_id", "submission_id"): sa.select(Summary.id, Submission.id)
    .join(Submission, sa.true())
    .join(Consultation, Consultation.id == Submission.consultation_id)
    .where(
        (Summary.consultation_id == Consultation.id) | (Summary.stage_id == Consultation.stage_id),
        Submission.state == SubmissionState.SHOWN,
    ),
    ("round_id", "review_id"): sa.select(ReviewInvitation.round_id, ReviewInvitation.id),
}


def _belonging(
    app: Flask, names: list[str], chosen: list[tuple[object, ...]]
) -> list[tuple[object, ...]]:
    """Those whose parts belong together, and the first whose do not: it stands for all others."""
    for pair, query in UNDER.items():
        if len(chosen) > 1 and set(pair) <= set(names):
            at = [names.index(name) for name in pair]
            with app.app_context():
                together = {tuple(row) for row in db.session.execute(query)}
            belongs = [tuple(each[place] for place in at) in together for each in chosen]
            strangers = [each for each, fits in zip(chosen, belongs, strict=True) if not fits]
            chosen = [each for each, fits in zip(chosen, belongs, strict=True) if fits]
            chosen += strangers[:1]
    return chosen


def _values(name: str, rule: Rule) -> list[object]:
    """What may stand for a placeholder, the most telling first."""
    if name == "slug" and rule.endpoint.startswith("programmes."):
        return list(db.session.scalars(sa.select(Programme.slug).order_by(Programme.id)))
    if name == "version_id":
        versions = db.session.scalars(sa.select(Version).order_by(Version.id)).all()
        if rule.endpoint.startswith("lineage."):
            versions = [version for version in versions if version.number > 1]
        # A version that may still be changed tells more than one that is published.
        return [v.id for v in sorted(versions, key=lambda v: v.state is VersionState.PUBLISHED)]
    known: dict[str, list[object]] = {
        "slug": [OPEN, CLOSED, ANSWERED, UPCOMING, PREPARING],
        "mark": [1, 2, 4],
        "token": [TOKEN],
        "version": list(consents.EVERY),
        "filename": ["icon.svg"],
        "kind": ["docx", "xlsx"],
        "ticket": [ticket_for(1)],
        "section": [1],
        "theme": [1],
    }
    if name == "round_id":
        # The one that goes on tells most; what others said is only there after a release.
        found = list(db.session.scalars(sa.select(ReviewRound.id).order_by(ReviewRound.id)))
        return found[1:] + found[:1] if rule.endpoint == "reviews.others" else list(found)
    if name == "review_id":
        signed = sa.select(ReviewInvitation.id).where(ReviewInvitation.signed_at.is_not(None))
        return list(db.session.scalars(signed.order_by(ReviewInvitation.id)))
    columns = {
        "submission_id": Submission.id,
        "receipt": Submission.receipt,
        "intake_id": Intake.id,
        "attachment_id": Attachment.id,
        "point_id": Point.id,
        "wording_id": Wording.id,
        "act_id": PointAct.id,
        "alike_id": AlikeProposal.id,
        "pair_id": AlikeGroups.id,
        "account_id": Account.id,
        "summary_id": Summary.id,
        "message_id": Message.id,
        "job_id": Job.id,
        "lexicon_number": LexiconVersion.number,
        "correction_id": Correction.id,
        "number": Correction.receipt,
        "member_id": Member.id,
        "meeting_id": Meeting.id,
        "item_id": AgendaItem.id,
        "file_id": ReviewPaper.id,
        "paper_id": MeetingPaper.id,
        "invitation_id": Invitation.id,
        "minute_id": MinutePoint.id,
        "seat_receipt": SeatRequest.receipt,
        "appointment_id": Appointment.id,
        "interest_id": Interest.id,
        "call_id": Call.id,
        "import_id": MemberImport.id,
        "application_id": Application.id,
        "application_receipt": Application.receipt,
        "recommendation_id": Application.id,
        "programme": Programme.slug,
        "inquiry_id": Inquiry.id,
    }
    if name == "stage":
        used = sa.select(Consultation.stage_id)
        stages = sa.select(Stage.key).where(Stage.id.in_(used)).order_by(Stage.id)
        return list(db.session.scalars(stages))
    if name in ("application_receipt", "recommendation_id"):
        # A resident's has its number, a unit's its page.
        own = Application.unit_id.is_(None) if "receipt" in name else Application.unit_id > 0
        query = sa.select(columns[name]).where(own).order_by(Application.id)
        return list(db.session.scalars(query))
    if name in columns:
        # The first ones have every state and kind.
        column = columns[name]
        if name == "point_id":
            # Those that somebody answers first.
            routed = sa.select(Point.id).order_by(Point.lead_unit_id.is_(None), Point.id).limit(19)
            return list(db.session.scalars(routed))
        # In the order in which they were made: receipts are drawn by lot.
        of_table = column.class_.__table__.primary_key
        return list(db.session.scalars(sa.select(column).order_by(*of_table).limit(19)))
    if name == "item":
        # An opinion that is shown, for only those can be supported.
        shown = sa.select(Submission.number).where(
            Submission.consultation_id == 1, Submission.state == SubmissionState.SHOWN
        )
        return list(db.session.scalars(shown.order_by(Submission.id).limit(3)))
    if name not in known:
        raise LookupError(f"tests/world.py does not know what to put for <{name}> in {rule.rule}")
    return known[name]


def routes(app: Flask) -> Iterator[tuple[str, Rule]]:
    """(method, rule) for everything the site answers, files of style and script aside."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: (each.rule, each.endpoint)):
        if rule.endpoint.endswith("static"):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule
