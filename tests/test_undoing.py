"""An import taken out again as a whole: with all its counts, but not what somebody acted on."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import authors, import_undoing, screening, submissions, summaries, supports
from consult.consultations import Consultation, Phase
from consult.decisions import Reason
from consult.intake import Intake, IntakeState
from consult.submissions import Submission, SubmissionState
from consult.summaries import readings
from core import audit
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.imports_made import (
    DESK,
    TODAY,
    a_begun_table,
    bring_in_letters,
    brought_in,
    import_file,
    of_table,
    undo,
)
from tests.kept import events, recounted
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def consultation() -> Consultation:
    made = a_consultation()
    a_published_draft(made)
    return made


@pytest.mark.parametrize("to_queue", [False, True])
def test_a_whole_import_goes_with_all_its_counts(
    consultation: Consultation, to_queue: bool
) -> None:
    stays = brought_in(consultation, 2)
    begun = brought_in(consultation, 3, to_queue=to_queue, first=10)
    assert undo(begun) == (3, 0)
    recounted(consultation)
    assert consultation.received == 2
    assert {each.state for each in of_table(begun)} == {SubmissionState.UNDONE}
    assert {each.state for each in of_table(stays)} == {SubmissionState.SHOWN}
    assert (begun.state, begun.undone, begun.undone_why) == (IntakeState.UNDONE, 3, "选错了征集")


def test_it_is_shown_and_found_nowhere(client: FlaskClient, consultation: Consultation) -> None:
    begun = brought_in(consultation)
    listed = f"/consultations/{consultation.slug}/opinions"
    found = "/search/?q=第2封来信"
    assert "第2封来信" in client.get(listed).text
    undo(begun)
    for address in (listed, f"{listed}?q=第2封来信", found):
        assert "请多种一些树" not in client.get(address).text
    receipt = client.get(f"/receipts/{of_table(begun)[0].receipt}")
    assert "录入已经撤销" in receipt.text
    assert "请多种一些树" not in receipt.text


def test_summaries_made_before_go_on_without_it(consultation: Consultation) -> None:
    brought_in(consultation, 2)
    begun = brought_in(consultation, 3, first=10)
    summary = summaries.make(consultation, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert len(readings.read(summary, [consultation]).counted.items) == 5
    undo(begun)
    assert len(readings.read(summary, [consultation]).counted.items) == 2
    again = summaries.make(consultation, by=audit.SYSTEM, now=NOON)
    assert (again.received, again.shown) == (2, 2)
    assert readings.since(summary, [consultation]).received == 0
    # What comes now is told, though fewer have been received than were then.
    brought_in(consultation, 2, first=20)
    db.session.commit()
    assert readings.since(summary, [consultation]).received == 2
    assert len(readings.changed(summary, [consultation], "later")) == 2


def test_numbers_are_never_given_twice(consultation: Consultation) -> None:
    begun = brought_in(consultation)
    undo(begun)
    later = brought_in(consultation, 2, first=50)
    assert [each.number for each in of_table(later)] == [4, 5]
    received = submissions.receive(
        consultation,
        submissions.Opinion(body="希望多种一些树，少铺一些砖。"),
        once_key="web",
        by=audit.RESIDENT,
        now=NOON,
        on_day=TODAY,
    )
    assert received.number == 6


def test_the_same_table_comes_in_again(consultation: Consultation) -> None:
    undo(brought_in(consultation))
    again = a_begun_table(consultation)
    assert bring_in_letters(consultation, again, 3).imported == 3
    recounted(consultation)
    assert undo(again) == (3, 0)


def test_what_somebody_acted_on_stays_and_is_named(consultation: Consultation) -> None:
    begun = brought_in(consultation, 5)
    hidden, supported, claimed, scanned, _other = of_table(begun)
    screening.decide(
        hidden,
        SubmissionState.HIDDEN,
        reason=Reason.ADVERTISEMENT,
        note="广告",
        by=audit.SYSTEM,
        now=NOON,
    )
    someone = supports.Supporter(secret="secret", browser_key="a")
    supports.give(supported, consultation, someone, now=NOON)
    resident = people.make("resident")
    authors.claim(claimed, resident, secret="secret", now=NOON)
    submissions.keep_contact(scanned.id, b"sealed", days=3, now=NOON)
    db.session.commit()
    staying = {each.number: each.why for each in import_undoing.outlook(begun).staying}
    assert staying == {
        1: "已经审核处理",
        2: "已有居民支持",
        3: "作者已归入自己的账号",
        4: "留有联系方式",
    }
    assert undo(begun) == (1, 4)
    recounted(consultation)
    again = a_begun_table(consultation)
    assert bring_in_letters(consultation, again, 5).already == 4


def test_who_confirms_has_seen_what_is_done(consultation: Consultation) -> None:
    begun = brought_in(consultation)
    seen = import_undoing.outlook(begun).mark
    someone = supports.Supporter(secret="secret", browser_key="a")
    supports.give(of_table(begun)[0], consultation, someone, now=NOON)
    with pytest.raises(Refused, match="刚刚有变化"):
        import_undoing.undo(begun, reason="错", seen=seen, by=audit.SYSTEM, now=NOON)


@pytest.mark.parametrize("other", ["screener", "supporter"])
def test_somebody_acts_while_it_is_undone(
    app: Flask, consultation: Consultation, other: str
) -> None:
    """Either the act is refused, or whoever undoes is sent to look again: never both, never half."""
    begun_id = brought_in(consultation, to_queue=other == "screener").id
    seen = import_undoing.outlook(db.session.get_one(Intake, begun_id)).mark
    consultation_id = consultation.id
    db.session.rollback()

    def undo_it() -> None:
        begun = db.session.get_one(Intake, begun_id)
        import_undoing.undo(begun, reason="选错了", seen=seen, by=audit.SYSTEM, now=NOON)

    def act() -> None:
        first = db.session.scalars(
            sa.select(Submission).where(Submission.intake_id == begun_id).order_by(Submission.id)
        ).first()
        assert first is not None
        if other == "screener":
            screening.decide(first, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
        else:
            someone = supports.Supporter(secret="secret", browser_key="a")
            standing = db.session.get_one(Consultation, consultation_id)
            supports.give(first, standing, someone, now=NOON)

    def run(number: int) -> bool:
        with app.app_context():
            try:
                (undo_it, act)[number]()
                db.session.commit()
            except Refused:
                db.session.rollback()
                return False
            return True

    undone, acted = at_once(2, run)
    assert undone is not acted
    recounted(db.session.get_one(Consultation, consultation_id))
    states = {each.state for each in of_table(db.session.get_one(Intake, begun_id))}
    assert (SubmissionState.UNDONE in states) is undone


def test_what_cannot_be_undone_is_said(consultation: Consultation) -> None:
    with pytest.raises(Refused, match="还没有导入"):
        undo(a_begun_table(consultation))
    begun = brought_in(consultation)
    with pytest.raises(Refused, match="理由"):
        undo(begun, " ")
    undo(begun)
    with pytest.raises(Refused, match="已经撤销"):
        undo(begun)
    with pytest.raises(Refused, match="已经导入过"):
        bring_in_letters(consultation, begun, 1)
    answered = a_consultation("answered", phase=Phase.ANSWERED)
    with pytest.raises(Refused, match="已经公布反馈"):
        undo(brought_in(answered))


def test_it_is_one_act_on_record(consultation: Consultation) -> None:
    begun = brought_in(consultation)
    undo(begun)
    (event,) = events("submissions.import_undone")
    assert event.after == {"undone": 3, "stayed": 0}
    assert event.reason == "选错了征集"


def test_an_undone_opinion_is_nobodys_to_act_on(consultation: Consultation) -> None:
    begun = brought_in(consultation, 1)
    undo(begun)
    (gone,) = of_table(begun)
    resident = people.make("resident")
    with pytest.raises(Refused):
        screening.decide(gone, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    with pytest.raises(Refused):
        screening.withdraw(gone, now=NOON)
    with pytest.raises(Refused):
        authors.claim(gone, resident, secret="secret", now=NOON)


def test_an_officer_looks_and_confirms(client: FlaskClient, consultation: Consultation) -> None:
    begun = brought_in(consultation)
    people.sign_in(client, people.make("drc_staff").email)
    page = f"{DESK}/{begun.id}"
    assert f"{page}/undo" in client.get(page).text
    look = client.get(f"{page}/undo").text
    assert "将撤销" in look
    seen = look.split('name="seen"')[1].split('value="')[1].split('"')[0]
    data = {"reason": "选错了征集", "seen": seen}
    assert client.post(f"{page}/undo", data=data).status_code == 422
    assert client.post(f"{page}/undo", data=data | {"confirm": "y"}).status_code == 303
    assert "这次导入已经撤销" in client.get(page).text
    assert "这次导入已经撤销了。" in client.get(f"{page}/undo").text
    assert "已撤销3件" in client.get(DESK).text
    db.session.rollback()
    recounted(consultation)


def test_the_command_says_and_then_does(app: Flask, tmp_path: Any) -> None:
    consultation = a_consultation("gangyao")
    file = tmp_path / "letters.csv"
    file.write_text("编号,内容\n1,希望多种一些树\n2,希望少铺一些砖\n", encoding="utf-8")
    done = import_file(app, file, "--channel", "letter")
    assert done.exit_code == 0, done.output
    number = db.session.scalars(sa.select(Intake.id)).one()
    words = ["submissions", "undo-import", str(number), "--reason", "选错了"]
    runner = app.test_cli_runner()
    assert "将撤销2件" in runner.invoke(args=words).output
    assert "已撤销2件" in runner.invoke(args=[*words, "--yes"]).output
    db.session.rollback()
    recounted(consultation)


def test_staff_see_where_the_opinions_behind_a_figure_come_from(
    client: FlaskClient, consultation: Consultation
) -> None:
    begun = brought_in(consultation)
    summary = summaries.make(consultation, by=audit.SYSTEM, now=NOON)
    summaries.publish(summary, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    public = client.get(f"/consultations/{consultation.slug}/summary/opinions").text
    assert "来信.csv" not in public
    for role, linked in (("drc_staff", True), ("auditor", False)):
        visitor = client.application.test_client()
        people.sign_in(visitor, people.make(role).email)
        for address in ("opinions", "opinions?state=received"):
            page = visitor.get(f"/desk/summaries/{summary.id}/{address}").text
            assert "来自表格“来信.csv”" in page
            assert "第2行" in page
            assert (f"{DESK}/{begun.id}" in page) is linked
