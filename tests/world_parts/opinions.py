"""Opinions of the world: in every state, supported, brought in, typed in, taken out again."""

import datetime as dt

import sqlalchemy as sa

from consult import (
    appeals,
    attachments,
    drafts,
    import_undoing,
    imports,
    intake,
    proposals,
    provenance,
    screening,
    stance_corrections,
    submissions,
    supports,
)
from consult.appeals import Outcome
from consult.attachments import Kind, Scan
from consult.consultations import Consultation
from consult.decisions import Reason
from consult.originals import Span
from consult.readers.tables import Table
from consult.submissions import Channel, Opinion, Stance, Submission, SubmissionState
from core import accounts, audit, consents, sealing, uploads
from core.config import of_site
from core.db import db
from core.web import local
from tests.conftest import NOON
from tests.world_parts.known import email

WORDS = (
    "建议在老旧小区加装电梯，方便老年人上下楼。",
    "停车位太少，晚上回家绕三圈也找不到地方停。",
    "支持15分钟养老服务圈，希望增加社区食堂。",
    "反对在小区门口设垃圾中转站，气味太大😀。",
)
TABLE = """\
编号,日期,内容,姓名
1,2020-10-01,希望增加绿地和口袋公园，多种树。,王小明
2,2020-10-02,,李四
"""
MAPPING = {"external_id": "编号", "received_on": "日期", "body": "内容", "author": "姓名"}


def fill_opinions(consultation: Consultation) -> None:
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
    # The last that was received can be told of the answer.
    sealed = sealing.seal(of_site().contact_key, "zhang@example.cn")
    agreed = consents.CONTACT.version
    submissions.keep_contact(received.id, sealed, days=30, now=NOON, consent=agreed)
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


def fill_supports(consultation: Consultation) -> None:
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


def fill_intakes(consultation: Consultation) -> None:
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


def fill_entries(consultation: Consultation) -> None:
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


def fill_undone(consultation: Consultation) -> None:
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


def fill_stances() -> None:
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
