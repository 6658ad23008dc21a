"""One site with something of everything in it, and the addresses under which it is found.

`fill` makes it with the real operations; the tests of the whole site (access, sinks, input,
pages) stand on copies of it. `addresses` knows how to fill every placeholder of every route; a
placeholder it does not know is an error, so that a new page cannot slip past those tests.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from consult import (
    adoption,
    appeals,
    attachments,
    changes,
    consultations,
    drafts,
    import_undoing,
    imports,
    inquiries,
    intake,
    kept_views,
    lexicons,
    point_merges,
    points,
    programme_files,
    programmes,
    proposals,
    provenance,
    responses,
    revisions,
    screening,
    stance_corrections,
    submissions,
    summaries,
    summary_reports,
    supports,
    theme_names,
)
from consult.appeals import Outcome
from consult.attachments import Attachment, Kind, Scan
from consult.consultations import Consultation, Phase
from consult.decisions import Reason
from consult.drafts import Version, VersionState
from consult.inquiries import Inquiry
from consult.intake import Intake
from consult.lexicons import Entry, EntryKind, LexiconVersion
from consult.originals import Span
from consult.point_merges import AlikeProposal
from consult.point_rows import Point, PointAct, SavedView
from consult.programmes import Programme, Stage
from consult.readers import tables
from consult.readers.tables import Table
from consult.responses import Outcome as Outcomes
from consult.responses import Wording
from consult.submissions import Channel, Opinion, Stance, Submission, SubmissionState
from consult.summaries import Summary
from consult.summary_reports import Sentence
from core import (
    accounts,
    audit,
    consents,
    corrections,
    outbox,
    password_links,
    sealing,
    units,
    uploads,
)
from core.accounts import Account, RoleName
from core.config import of_site
from core.corrections import Correction, CorrectionState, ErrorType, Report
from core.db import db
from core.jobs import Job, JobState
from core.outbox import Message, MessageState
from core.password_links import PasswordLink
from core.units import Unit
from core.web import local
from panel import (
    applications,
    appointments,
    calls,
    guests,
    interests,
    meetings,
    member_imports,
    member_rows,
    members,
    minutes,
    papers,
    quotas,
    remarks,
    reviews,
    round_papers,
    rounds,
    seats,
    selections,
    targets,
)
from panel.applications import Application, Refusal
from panel.appointments import Appointment, Objection
from panel.calls import Call
from panel.guests import Invitation
from panel.interests import Interest
from panel.meetings import Admission, Meeting, MeetingKind, Plan
from panel.member_imports import MemberImport
from panel.members import Member
from panel.minutes import MinutePoint
from panel.papers import AgendaItem, MeetingPaper
from panel.round_papers import ReviewPaper
from panel.rounds import Invitation as ReviewInvitation
from panel.rounds import ReviewRound
from panel.seats import SeatRequest
from panel.views.my_meetings import ticket_for
from tests import people, rounds_made
from tests.conftest import NOON
from tests.consultations_made import TEXT, a_consultation, a_prepared_draft, a_published_draft

# Everybody the access table speaks of. `deactivated` was a DRC officer and administrator and is
# still signed in with an old cookie; `unequipped` holds the same rights but has not yet set up the
# authenticator app without which no staff right counts.
ROLES = tuple(role.value for role in RoleName)
PEOPLE = ("anonymous", *ROLES, "deactivated", "unequipped")
OPEN, CLOSED, ANSWERED, UPCOMING, PREPARING = "gangyao", "silu", "jingyan", "yugao", "caoni"
# What a review round is called of which only the office and those asked may know.
SECRET = "绝密审阅轮次"
WORDS = (
    "建议在老旧小区加装电梯，方便老年人上下楼。",
    "停车位太少，晚上回家绕三圈也找不到地方停。",
    "支持15分钟养老服务圈，希望增加社区食堂。",
    "反对在小区门口设垃圾中转站，气味太大😀。",
)
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
TABLE = """\
编号,日期,内容,姓名
1,2020-10-01,希望增加绿地和口袋公园，多种树。,王小明
2,2020-10-02,,李四
"""
MAPPING = {"external_id": "编号", "received_on": "日期", "body": "内容", "author": "姓名"}
PROGRAMME = Path(programmes.__file__).parent / "data" / "jingan-14.yaml"
# What an address is nothing without. The open consultation is the first one made.
QUERIES = {"summaries.count": "?consultation=1", "summaries.term": "?term=加装电梯"}
TOKEN = "world-token-" + "x" * 31


def email(role: str) -> str:
    """The address with which this person signs in."""
    return f"{role}@example.invalid"


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
                _opinions(consultation)
        a_published_draft(_consultation(ANSWERED), SECOND)
        a_prepared_draft(_consultation(CLOSED), TEXT + "# 第三章 保障\n加强组织领导。")
        _supports(_consultation(OPEN))
        _intakes(_consultation(OPEN))
        _entries(_consultation(OPEN))
        _undone(_consultation(OPEN))
        _summaries(programme.stages[1])
        _corrections()
        _messages()
        _jobs()
        _panel(programme)
        _applications(programme)
        _meetings(programme)
        _lexicon()
        _stances()
        _reports()
        _kept_on_summaries()
        _rounds()
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


def _consultation(slug: str) -> Consultation:
    found = consultations.by_slug(slug)
    assert found is not None
    return found


def _opinions(consultation: Consultation) -> None:
    """Opinions in every state, on the whole, on a heading and on a paragraph."""
    version = drafts.published(consultation)
    assert version is not None
    entries = drafts.outline(version).entries
    places = (submissions.WHOLE, entries[0].id, entries[1].id, entries[-1].id)
    decided = {SubmissionState.HIDDEN: Reason.ADVERTISEMENT}
    stances, channels = list(Stance), list(Channel)
    for number in range(12):
        opinion = Opinion(
            body=WORDS[(number * 3 + number // 4) % 4] + "。" * (number // 8),
            title="关于民生" if number % 3 else "",
            version_id=version.id,
            place=places[number % 4],
            stance=stances[number % len(stances)],
            channel=channels[number % len(channels)],
            public_name="王**" if number % 2 else "",
            person_key=f"person{number % 5}",
            consent="2020-1",
        )
        received = submissions.receive(
            consultation,
            opinion,
            once_key=f"once-{number}",
            by=audit.RESIDENT,
            now=NOON - dt.timedelta(hours=number),
            on_day=local(NOON).date() - dt.timedelta(days=number % 4),
        )
        state = list(SubmissionState)[number % 4] if number < 10 else SubmissionState.PENDING
        if state is not SubmissionState.PENDING:
            submission = db.session.get_one(Submission, received.id)
            screening.decide(
                submission, state, reason=decided.get(state), note="已核", by=audit.SYSTEM, now=NOON
            )
    db.session.commit()
    _second_looks(consultation)


def _second_looks(consultation: Consultation) -> None:
    """Opinions whose screening took more than one step: proposed, confirmed, appealed, asked,
    completed, masked and withdrawn."""
    first, second = (accounts.by_email(email(role)) for role in ("screener", "administrator"))
    assert first is not None
    assert second is not None
    made = []
    for number in range(7):
        received = submissions.receive(
            consultation,
            Opinion(body=f"{WORDS[number % 4]}我叫王小明，电话13800138000。"),
            once_key=f"second-{number}",
            by=audit.RESIDENT,
            now=NOON,
            on_day=local(NOON).date(),
        )
        made.append(db.session.get_one(Submission, received.id))
    for each in made[:3]:
        proposals.propose(each, Reason.ADVERTISEMENT, note="疑似推广", by=first, now=NOON)
    for each in made[1:3]:
        proposals.confirm(each, note="确认", by=second, now=NOON)
    appeals.file(made[1], "这不是广告，请再看一看。", now=NOON)
    appeals.file(made[2], "这也不是广告，请再看一看。", now=NOON)
    appeals.settle([made[2].id], Outcome.UPHELD, told="是广告。", by=audit.SYSTEM, now=NOON)
    for each in made[3:5]:
        screening.decide(
            each, SubmissionState.ASKED, told="请写明是哪个小区。", by=second, now=NOON
        )
    screening.complete(made[4], "是临汾路380弄。", now=NOON)
    spans = [Span(1, len(made[5].body) - 12, len(made[5].body) - 1)]
    screening.decide(made[5], SubmissionState.SHOWN, spans=spans, by=second, now=NOON)
    screening.withdraw(made[6], now=NOON)
    db.session.commit()


def _supports(consultation: Consultation) -> None:
    """An opinion supported by a resident with an account and by a browser without one."""
    resident = accounts.by_email(email("resident"))
    assert resident is not None
    shown = submissions.shown(consultation, limit=1)[0]
    for who in (
        supports.Supporter(secret="secret", account_id=resident.id),
        supports.Supporter(secret="secret", browser_key="a-browser"),
    ):
        supports.give(shown, consultation, who, now=NOON)
    db.session.commit()


def _intakes(consultation: Consultation) -> None:
    """One table that waits for its columns, one that was brought in."""
    data = TABLE.encode()
    for done in (False, True):
        begun = intake.begin(
            consultation,
            channel=Channel.LETTER,
            filename="来信.csv",
            data=data,
            stored_as=uploads.keep(data),
            to_queue=False,
            by=audit.SYSTEM,
            now=NOON,
        )
        if done:
            rows = [line.split(",") for line in TABLE.splitlines()]
            table = Table(tuple(rows[0]), tuple(enumerate(map(tuple, rows[1:]), start=2)))
            imports.bring_in(
                table,
                consultation,
                channel=Channel.LETTER,
                mapping=MAPPING,
                outline=None,
                secret="secret",
                intake=begun,
                by=audit.SYSTEM,
                now=NOON,
                on_day=local(NOON).date(),
            )
    db.session.commit()


def _entries(consultation: Consultation) -> None:
    """A call that was typed in at the desk by each of those who may."""
    for role in ("drc_staff", "administrator"):
        person = accounts.by_email(email(role))
        assert person is not None
        received = submissions.receive(
            consultation,
            Opinion(
                body="来电：希望延长公园开放时间。", channel=Channel.HOTLINE, external_id="G-7"
            ),
            once_key=f"entry-{role}",
            by=person,
            now=NOON,
            on_day=local(NOON).date(),
        )
        provenance.note(received.id, by=person)
        scan = Scan("来信.png", Kind.PNG, b"\x89PNG\r\n\x1a\n")
        uploads.keep_by_content(scan.data)
        attachments.attach(received.id, [scan])
    db.session.commit()


def _undone(consultation: Consultation) -> None:
    """A table that was brought in by mistake and taken out again."""
    begun = intake.begin(
        consultation,
        channel=Channel.MEETING,
        filename="错表.csv",
        data=b"",
        stored_as="",
        to_queue=False,
        by=audit.SYSTEM,
        now=NOON,
    )
    imports.bring_in(
        Table(("内容",), ((2, ("本该导入另一次征集的意见。",)),)),
        consultation,
        channel=Channel.MEETING,
        mapping={"body": "内容"},
        outline=None,
        secret="secret",
        intake=begun,
        by=audit.SYSTEM,
        now=NOON,
        on_day=local(NOON).date(),
    )
    seen = import_undoing.outlook(begun).mark
    import_undoing.undo(begun, reason="选错了意见征集", seen=seen, by=audit.SYSTEM, now=NOON)
    db.session.commit()


def _summaries(stage: Stage) -> None:
    """A snapshot in each state, of consultations and of a stage."""
    published = summaries.make(_consultation(OPEN), by=audit.SYSTEM, now=NOON)
    summaries.publish(published, by=audit.SYSTEM, now=NOON)
    withdrawn = summaries.make(_consultation(CLOSED), by=audit.SYSTEM, now=NOON)
    summaries.publish(withdrawn, by=audit.SYSTEM, now=NOON)
    summaries.withdraw(withdrawn, reason="重新计算", by=audit.SYSTEM, now=NOON)
    for subject in (_consultation(OPEN), stage):
        summaries.make(subject, by=audit.SYSTEM, now=NOON)
    db.session.commit()


def _messages() -> None:
    """A message in each state that staff have something to say about."""
    sealed = sealing.seal(of_site().contact_key, "wang@example.cn")
    for state in MessageState:
        db.session.add(
            Message(
                once_key=state.value,
                sealed_address=b"" if state is MessageState.SENT else sealed,
                subject="您参与的征集已公布反馈",
                body="您好！",
                state=state,
                created_at=NOON,
                due_at=NOON,
                tried_at=NOON if state is not MessageState.WAITING else None,
                trouble="550 no such mailbox" if state in outbox.STUCK else "",
            )
        )
    db.session.commit()


def _jobs() -> None:
    """A long job in each state, an officer's and an administrator's in turn."""
    for number, state in enumerate(JobState):
        person = accounts.by_email(email(("drc_staff", "administrator")[number % 2]))
        assert person is not None
        over = state not in (JobState.WAITING, JobState.RUNNING)
        db.session.add(
            Job(
                kind="index.rebuild",
                name="全部意见",
                arguments={"lexicon": "1"},
                state=state,
                done=3,
                total=9,
                checkpoint={"last": 3},
                held_by="here:1/ab" if state is JobState.RUNNING else "",
                lease_until=NOON if state is JobState.RUNNING else None,
                heartbeat_at=NOON if state is not JobState.WAITING else None,
                attempts=2,
                error="编号重复，没有导入。" if state is JobState.FAILED else "",
                result={"words": "共9件。", "path": "/desk/"} if state is JobState.DONE else None,
                asked_by_id=person.id,
                asked_by_name=person.name,
                asked_at=NOON - dt.timedelta(hours=number),
                started_at=NOON if state is not JobState.WAITING else None,
                ended_at=NOON if over else None,
            )
        )
    db.session.commit()


def _corrections() -> None:
    """A report in each state."""
    for number, state in enumerate(CorrectionState):
        report = Report(
            kind=list(ErrorType)[number],
            page=f"/consultations/{OPEN}/",
            title="截止日期写错了",
            details="公告里写的是去年，应当是今年。",
            name="王小明",
        )
        receipt = corrections.receive(report, key=f"once-{number}", by=audit.RESIDENT, now=NOON)
        if state is not CorrectionState.WAITING:
            found = corrections.by_receipt(receipt)
            assert found is not None
            corrections.answer(
                found,
                state,
                words="已经改为今年，谢谢您。",
                public_title="公告里的日期",
                by=audit.SYSTEM,
                now=NOON,
            )
    db.session.commit()


def _panel(programme: Programme) -> None:
    """Members in every state; the account of the panel's member sits today."""
    account = accounts.by_email(email("panel_member"))
    kinds = quotas.categories(programme.id)
    unit = units.every()[0]
    day = local(NOON).date()
    made = []
    for number, name in enumerate(("李文", "王小明", "张芳", "陈刚", "单雪", "欧阳明")):
        member = members.add(
            members.Details(
                name=name,
                gender=list(members.Gender)[number % 2],
                birth_year=1960 + number * 5,
                unit_text="区建筑设计院工程师",
                contact="li@example.cn",
                is_name_public=number % 2 == 0,
            ),
            by=audit.SYSTEM,
            now=NOON,
        )
        made.append(member)
        appointment = appointments.propose(
            member,
            programme.id,
            appointments.Term(
                category=kinds[number % len(kinds)],
                term_from=day - dt.timedelta(days=100),
                term_to=day + dt.timedelta(days=1000),
                fields=("g1",),
                sub_district="彭浦镇",
                recommended_by_unit_id=unit.id,
            ),
            by=audit.SYSTEM,
            now=NOON,
        )
        if number == 5:
            continue
        if number == 4:
            appointments.refuse(
                appointment, Objection.NO_PLACE, "名额已满。", by=audit.SYSTEM, now=NOON
            )
            continue
        appointments.confirm(appointment, by=audit.SYSTEM, today=day, now=NOON)
        if number == 3:
            appointments.end(
                appointment,
                on_day=day,
                reason="工作调动",
                successor=made[2],
                by=audit.SYSTEM,
                today=day,
                now=NOON,
            )
    assert account is not None
    appointments.link(made[0], account, by=audit.SYSTEM, now=NOON)
    interests.declare(made[0], "在区内一家建筑设计单位任职。", by=audit.SYSTEM, now=NOON)
    for kind in kinds:
        quotas.plan(programme.id, kind, 4, by=audit.SYSTEM, now=NOON)
    wanted = {(targets.Way.FIELD, "g1"): 9, (targets.Way.PLACE, "彭浦镇"): 9}
    targets.plan(programme.id, wanted, by=audit.SYSTEM, now=NOON)


def _applications(programme: Programme) -> None:
    """Calls in every state; applications and recommendations in every state."""
    kinds, unit = quotas.categories(programme.id), units.every()[0]
    made = []
    for number in range(3):
        notice = calls.Notice(
            title="公开征集社区居民代表",
            about="请熟悉社区情况、愿意参与的居民申请。",
            categories=kinds,
            places=["彭浦镇"] if number == 1 else [],
            opens_at=NOON - dt.timedelta(days=3),
            closes_at=NOON + dt.timedelta(days=20),
        )
        made.append(calls.prepare(programme.id, notice, by=audit.SYSTEM, now=NOON))
    for call in made[:2]:
        calls.open_(call, by=audit.SYSTEM, now=NOON)
    for number in range(8):
        person = applications.Person(
            name=f"申请人{number}",
            contact=f"applicant{number}@example.cn",
            birth_year=1970,
            unit_text="居委会",
        )
        wish = applications.Wish(
            category=kinds[number % len(kinds)],
            statement="在社区服务多年，熟悉养老和停车方面的情况。",
            fields=("g1",),
            sub_district="彭浦镇",
            is_adult=True,
            tie=list(applications.Tie)[number % 2],
            is_name_public=number % 2 == 0,
        )
        more: dict[str, Any] = {
            "key": f"application-{number}",
            "person_key": f"applicant{number}",
            "consent": consents.PANEL.version,
            "by": audit.RESIDENT,
            "now": NOON,
        }
        if number >= 6:
            found = applications.recommend(programme.id, unit.id, person, wish, **more)
        else:
            found = applications.receive(made[number % 2], person, wish, **more)
        if number in (1, 3, 5, 7):
            selections.shortlist(found, "专长对口。", by=audit.SYSTEM, now=NOON)
        if number == 2:
            applications.withdraw(found, by=audit.RESIDENT, now=NOON)
        if number == 4:
            selections.refuse(
                found, Refusal.OTHERS_NEARER, "本次名额有限。", by=audit.SYSTEM, now=NOON
            )
        if number in (3, 7):
            day = local(NOON).date()
            appointment = selections.propose(
                found,
                term_from=day,
                term_to=day + dt.timedelta(days=700),
                by=audit.SYSTEM,
                now=NOON,
            )
            if number == 7:
                appointments.refuse(
                    appointment, Objection.NO_PLACE, "名额已满。", by=audit.SYSTEM, now=NOON
                )
    later = made[0].closes_at + dt.timedelta(days=10)
    calls.prolong(made[0], later, "报名人数还不够。", by=audit.SYSTEM, now=NOON)
    calls.close(made[1], "名额已经招满。", by=audit.SYSTEM, now=NOON)
    _lists(programme, kinds[0])
    db.session.commit()


def _lists(programme: Programme, kind: str) -> None:
    """A list of members that waits for its columns, and one that was brought in."""
    data = f"姓名,类别\n赵敏,{kind}\n,{kind}\n".encode()
    day = local(NOON).date()
    for done in (False, True):
        started = member_imports.begin(
            programme.id,
            filename="名单.csv",
            data=data,
            stored_as=uploads.keep(data),
            by=audit.SYSTEM,
            now=NOON,
        )
        if done:
            member_imports.bring_in(
                started,
                tables.read(data, filename="名单.csv"),
                {"name": "姓名", "category": "类别"},
                member_rows.Known(
                    categories=[kind],
                    topics={},
                    units={},
                    term_from=day,
                    term_to=day + dt.timedelta(days=100),
                    today=day,
                ),
                by=audit.SYSTEM,
                now=NOON,
            )


def _stances() -> None:
    """An opinion whose stance the machine misread."""
    shown = sa.select(Submission).where(
        Submission.state == SubmissionState.SHOWN, Submission.stance.is_(None)
    )
    submission = db.session.scalars(shown.order_by(Submission.id).limit(1)).one()
    stance_corrections.correct(
        submission,
        Stance.OPPOSE,
        machine="suggest",
        method="1",
        reason="否定没有认出来",
        by=audit.SYSTEM,
        now=NOON,
    )
    db.session.commit()


def _kept_on_summaries() -> None:
    """A theme that was given a name, and a selection somebody keeps."""
    summary = db.session.scalars(sa.select(Summary).order_by(Summary.id).limit(1)).one()
    theme_names.give(
        summary, 1, "停车和电梯", machine="停车位、加装电梯", by=audit.SYSTEM, now=NOON
    )
    keeper = accounts.by_email(email("drc_staff"))
    assert keeper is not None
    kept_views.keep(
        summary, keeper.id, name="只看来信", room="themes", query="channel=letter", now=NOON
    )
    db.session.commit()


def _reports() -> None:
    """A report that was composed, rewritten and signed, on the first snapshot."""
    summary = db.session.scalars(sa.select(Summary).order_by(Summary.id).limit(1)).one()
    composed = [
        Sentence("一、总体情况", "共收到意见若干件。", "共收到意见若干件。", {"channel": "web"}),
        Sentence("二、主要意见", "关于停车的意见。", "关于停车的意见。", {"term": "停车位"}, 1),
    ]
    summary_reports.compose(summary, composed, seen=0, by=audit.SYSTEM, now=NOON)
    written = summary_reports.Edit(["居民意见踊跃。", "关于停车的意见。"], ["以上。"])
    summary_reports.edit(summary, written, seen=1, by=audit.SYSTEM, now=NOON)
    summary_reports.sign(summary, seen=2, by=audit.SYSTEM, now=NOON)
    db.session.commit()


def _lexicon() -> None:
    """A lexicon of two versions, and a word somebody refused."""
    entries = (
        Entry("社区食堂", EntryKind.TERM),
        Entry("食堂", EntryKind.SYNONYM, "社区食堂"),
        Entry("晚上", EntryKind.STOP),
    )
    for number, entry in enumerate(entries[1:]):
        lexicons.change(
            put=[entries[0], entry], seen=number, reason="居民的说法", by=audit.SYSTEM, now=NOON
        )
    lexicons.refuse("三圈也找", by=audit.SYSTEM, now=NOON)
    db.session.commit()


def _answers(consultation: Consultation, unit: Unit) -> None:
    """Points that were split and merged, and answers in every state."""
    by = accounts.by_email(email("drc_staff"))
    second = accounts.by_email(email("administrator"))
    assert by is not None
    assert second is not None
    who: dict[str, Any] = {"by": by, "now": NOON}
    why = "文稿已写明这一安排，本条意见已经体现。"
    responses.save_wording("已体现", Outcomes.ALREADY, why, **who)
    screened = sa.select(Submission.id).where(Submission.state == SubmissionState.SHOWN)
    found = db.session.scalars(
        sa.select(Point)
        .where(Point.consultation_id == consultation.id, Point.submission_id.in_(screened))
        .order_by(Point.id)
    ).all()
    for point in found:
        due = NOON.date() + dt.timedelta(days=point.id % 9 - 3)
        responses.route([point], unit.id, due_on=due, **who)
        points.move(point, topic_key="topic-1", field_key="经济建设", plan_key="plan-1", **who)
    submission = db.session.get_one(Submission, found[0].submission_id)
    points.split(submission, [(0, 9), (9, len(submission.body))], **who)
    points.merge(found[1:3], "加装电梯", **who)
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
    db.session.add(SavedView(account_id=by.id, name="我的逾期", query="overdue=1"))
    db.session.commit()


def _meetings(programme: Programme) -> None:
    """A public meeting that is announced, with everything; one held by draw and recorded; one that
    nobody outside the desk knows of; one that was called off."""
    hour, day = dt.timedelta(hours=1), dt.timedelta(days=1)

    def planned(title: str, starts_at: dt.datetime, **more: object) -> Meeting:
        facts: dict[str, object] = {
            "kind": MeetingKind.DISCUSSION,
            "title": title,
            "starts_at": starts_at,
            "ends_at": starts_at + 2 * hour,
            "field_id": programme.discussion_fields[0].id,
            "topic": "社区养老",
            "consultation_id": _consultation(OPEN).id,
            "about": "请大家谈谈社区养老怎么办。",
            "place": "区机关会议中心",
            "link": "https://meeting.example.invalid/1",
            "chair": "王主任",
            "is_public": True,
            "seats": 1,
            "apply_from": NOON - 20 * day,
            "apply_until": starts_at - hour,
        }
        plan = Plan(**{**facts, **more})
        return meetings.create(programme, plan, by=audit.SYSTEM, now=NOON - 20 * day)

    def asks(meeting: Meeting, number: int, now: dt.datetime) -> SeatRequest:
        key = of_site().contact_key
        return seats.apply(
            meeting,
            sealed_name=sealing.seal(key, "王小明"),
            sealed_contact=sealing.seal(key, f"wang{number}@example.cn"),
            person_key=f"{meeting.id}-{number}",
            key=f"seat-{meeting.id}-{number}",
            consent=consents.MEETING.version,
            by=audit.RESIDENT,
            now=now,
        )

    member = members.of_account(accounts.by_email(email("panel_member")).id)
    assert member is not None
    coming = planned("养老服务座谈会", NOON + 5 * day, kind=MeetingKind.ROUND_TABLE)
    was = planned("发展大讨论", NOON - 5 * day, admission=Admission.DRAW)
    hidden = planned("筹备中的会", NOON + 9 * day)
    off = planned("不开了的会", NOON + 8 * day)
    for meeting in (coming, was, hidden, off):
        version = drafts.published(_consultation(OPEN))
        papers.add_item(meeting, "讨论第二章", version=version, mark=4, by=audit.SYSTEM, now=NOON)
        data = b"%PDF-1.4 paper"
        uploads.keep_by_content(data)
        papers.add_paper(
            meeting,
            "材料.pdf",
            data,
            delivered_on=(NOON - 19 * day).date(),
            is_public=True,
            by=audit.SYSTEM,
            now=NOON,
        )
        guests.invite(meeting, [member], "全体成员", by=audit.SYSTEM, now=NOON)
        if meeting is hidden:
            continue
        told = papers.delivered(meeting.id)
        began = NOON - 20 * day
        meetings.announce(meeting, delivered=told, by=audit.SYSTEM, now=began)
        guests.send(meeting, now=began)
        asks(meeting, 1, began)
        asks(meeting, 2, began)
    answered = guests.of(coming.id)[0]
    guests.answer(
        answered,
        guests.Answer.SUBSTITUTE,
        substitute="李四",
        note="出差",
        by=audit.SYSTEM,
        now=NOON,
    )
    meetings.cancel(off, "场地不能用。", by=audit.SYSTEM, now=NOON)
    seats.draw(was, "2020", by=audit.SYSTEM, now=NOON - 5 * day - hour)
    meetings.hold(was, delivered=papers.delivered(was.id), by=audit.SYSTEM, now=NOON)
    for agreed in (True, False):
        point = minutes.add(
            was,
            "建议增加社区食堂，方便老年人就餐。",
            speaker="赵敏",
            part="居民代表",
            member_id=None if agreed else member.id,
            name_agreed=agreed,
            by=audit.SYSTEM,
            now=NOON,
        )
        if agreed:
            minutes.send(was, point, by=audit.SYSTEM, now=NOON)
    minutes.publish(was, public=True, by=audit.SYSTEM, now=NOON)
    db.session.commit()


def _rounds() -> None:
    """A review round in every state: one that goes on, with a signed review and drafts; one that
    is released; one on a version that nobody else knows of; one that is only prepared."""
    made = {}
    for slug, days in ((OPEN, 5), (CLOSED, -20)):
        version = drafts.published(_consultation(slug))
        assert version is not None
        at = NOON + dt.timedelta(days=min(days, 0))
        made[slug] = rounds_made.an_open_round(version, due_at=at + dt.timedelta(days=8), now=at)
        for invitation in rounds.invitations(made[slug]):
            rounds_made.a_review(invitation, now=at)
            if invitation.name != "李文" or slug == CLOSED:
                reviews.sign(invitation, name=invitation.name, by=audit.SYSTEM, now=at)
    remarks.release(made[CLOSED], secret="secret", by=audit.SYSTEM, now=NOON)
    secret = drafts.prepared(_consultation(PREPARING))
    assert secret is not None
    others = [each.member_id for each in rounds.addable(made[OPEN], local(NOON).date())]
    others += [each.member_id for each in rounds.invitations(made[OPEN]) if each.name != "李文"]
    hidden = rounds_made.an_open_round(secret, title=SECRET, members=others)
    rounds_made.a_prepared_round(secret, title=SECRET)
    for each, name in ((made[OPEN], "测算说明.pdf"), (hidden, f"{SECRET}.pdf")):
        data = b"%PDF-1.4 review"
        uploads.keep_by_content(data)
        round_papers.add(each, name, data, by=audit.SYSTEM, now=NOON)
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
            content={"rows": []},
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
        report.content = {"rows": [row.kept() for row in adoption.gather(each.id)]}
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
            points.keep_apart(points.of(submission.id), by=audit.SYSTEM, now=NOON)
    point_merges.search(consultation.id, now=NOON)


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
        return list(db.session.scalars(sa.select(Programme.slug)))
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
        return list(db.session.scalars(sa.select(Stage.key).where(Stage.id.in_(used))))
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
        return list(db.session.scalars(sa.select(column).order_by(column).limit(19)))
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
