"""Submissions: taken in once, known by a receipt, counted where they stand, never by name."""

import datetime as dt

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from consult import fingerprints, submissions
from consult.consultations import Consultation
from consult.submissions import WHOLE, Contact, Opinion, Received, SubmissionState
from core import audit, receipts, sealing
from core.audit import AuditEvent
from core.db import db
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.kept import events, stored

pytestmark = pytest.mark.usefixtures("context")

TODAY = dt.date(2020, 10, 20)
OPINION = Opinion(body="建议在既有多层住宅加装电梯。")


def receive(
    consultation: Consultation,
    opinion: Opinion = OPINION,
    *,
    form_key: str = "form-1",
    **more: object,
) -> Received:
    """Take an opinion in as it comes from the form with this key; committed."""
    received = submissions.receive(
        consultation,
        opinion,
        once_key=submissions.once_key(form_key, opinion),
        by=audit.RESIDENT,
        now=NOON,
        on_day=TODAY,
        **more,  # type: ignore[arg-type]
    )
    db.session.commit()
    db.session.expire_all()
    return received


# --- receiving -----------------------------------------------------------------------------------


def test_an_opinion_is_stored_as_it_was_sent_and_waits_for_screening(
    consultation: Consultation,
) -> None:
    received = receive(consultation)
    (only,) = stored()
    assert (only.id, only.receipt, only.number) == (received.id, received.receipt, 1)
    assert only.body == "建议在既有多层住宅加装电梯。"
    assert (only.state, only.place) == (SubmissionState.PENDING, WHOLE)
    assert (only.received_at, only.received_on) == (NOON, TODAY)
    assert (consultation.received, consultation.shown) == (1, 0)
    assert submissions.tallies(consultation.id) == {WHOLE: (1, 0)}


def test_sent_twice_it_is_stored_once_with_one_receipt_and_one_record(
    consultation: Consultation,
) -> None:
    before = len(events())
    first, second = receive(consultation), receive(consultation)
    assert (first.again, second.again) == (False, True)
    assert (second.id, second.receipt, second.number) == (first.id, first.receipt, first.number)
    assert (len(stored()), consultation.received, len(events())) == (1, 1, before + 1)
    assert submissions.tallies(consultation.id) == {WHOLE: (1, 0)}


@pytest.mark.parametrize(
    "changed",
    [
        Opinion(body="建议在既有多层住宅加装电梯！"),
        Opinion(body="建议在既有多层住宅加装电梯。", title="电梯"),
        Opinion(body="建议在既有多层住宅加装电梯。", place=7),
    ],
    ids=["words", "title", "place"],
)
def test_the_same_form_with_other_words_is_another_opinion(
    consultation: Consultation, changed: Opinion
) -> None:
    first, second = receive(consultation), receive(consultation, changed)
    assert not second.again
    assert first.receipt != second.receipt
    assert [each.number for each in stored()] == [1, 2]


def test_another_form_with_the_same_words_is_another_opinion(consultation: Consultation) -> None:
    receive(consultation)
    assert not receive(consultation, form_key="form-2").again


def test_the_same_form_key_in_two_consultations_is_two_opinions(consultation: Consultation) -> None:
    other = a_consultation("kuangjia")
    assert not receive(consultation).again
    assert not receive(other).again
    assert [each.number for each in stored()] == [1, 1]


def test_parts_of_a_key_cannot_be_moved_into_one_another() -> None:
    one = submissions.once_key("k", Opinion(title="甲", body="乙"))
    assert one != submissions.once_key("k", Opinion(title="甲乙", body=""))
    assert one != submissions.once_key("k0", Opinion(title="甲", body="乙"))


def test_an_opinion_that_is_shown_at_once_counts_as_shown(consultation: Consultation) -> None:
    receive(consultation, state=SubmissionState.SHOWN)
    assert (consultation.received, consultation.shown) == (1, 1)
    assert submissions.tallies(consultation.id) == {WHOLE: (1, 1)}


def test_the_day_of_a_letter_is_kept(consultation: Consultation) -> None:
    receive(consultation, Opinion(body="来信", received_on=dt.date(2020, 10, 1)))
    assert stored()[0].received_on == dt.date(2020, 10, 1)


def test_each_opinion_raises_the_stamp_and_not_the_edition(consultation: Consultation) -> None:
    stamp, edition = consultation.stamp, consultation.edition
    receive(consultation)
    assert (consultation.stamp, consultation.edition) == (stamp + 1, edition)
    receive(consultation)
    assert consultation.stamp == stamp + 1


def test_the_record_says_nothing_of_the_words(consultation: Consultation) -> None:
    receive(consultation, Opinion(body="我叫王小明，住某路1号", title="我的电话13800000000"))
    event = db.session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, event.thing_kind) == ("submission.received", "submission")
    assert event.after == {"state": "pending"}
    assert "王小明" not in str(vars(event))
    assert "138" not in str(vars(event))


def test_what_is_shown_is_listed_newest_first_by_place_and_page(consultation: Consultation) -> None:
    for number in range(1, 6):
        receive(
            consultation,
            Opinion(body=f"第{number}件", place=number % 2),
            state=SubmissionState.SHOWN,
        )
    receive(consultation, Opinion(body="还没有审核"))

    def said(**options: object) -> list[str]:
        return [each.body for each in submissions.shown(consultation, **options)]  # type: ignore[arg-type]

    assert said() == ["第5件", "第4件", "第3件", "第2件", "第1件"]
    assert said(limit=2) == ["第5件", "第4件"]
    fourth = stored()[3].id
    assert said(before=fourth, limit=2) == ["第3件", "第2件"]
    assert said(places=[1]) == ["第5件", "第3件", "第1件"]
    assert said(places=[]) == []


# --- receipts ------------------------------------------------------------------------------------


def test_a_receipt_carries_the_day_and_ten_letters_nobody_confuses() -> None:
    receipt = submissions.new_receipt(NOON)
    day, first, second = receipt.split("-")
    assert day == "201020"
    assert len(first) == len(second) == 5
    assert not set(first + second) - set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert len({submissions.new_receipt(NOON) for _ in range(500)}) == 500


@pytest.mark.parametrize(
    "typed",
    [
        "201020-7K301-QPDXW",
        "201020-7k301-qpdxw",
        "2010207K301QPDXW",
        " 201020 - 7k3o1 - qpdxw ",
        "２０１０２０－７Ｋ３０１－ＱＰＤＸＷ",
        "20102O7K3OIQPDXW",
        "2olo2o7k3olqpdxw",
        "受理编号：201020-7K301-QPDXW。",
        "201020—7K301—QPDXW",
        "201020\t7K301\u200bQPDXW",
    ],
)
def test_a_receipt_is_understood_however_it_is_typed(typed: str) -> None:
    assert submissions.as_receipt(typed) == "201020-7K301-QPDXW"


@pytest.mark.parametrize(
    "typed", ["", "201020", "201020-7K301-QPDX", "201020-7K301-QPDXW1", "没有编号", "U" * 16]
)
def test_what_cannot_be_a_receipt_is_none(typed: str) -> None:
    assert submissions.as_receipt(typed) == ""
    assert submissions.by_receipt(typed) is None


@given(letters=st.text(receipts.LETTERS, min_size=16, max_size=16))
def test_a_receipt_stays_itself_when_read_again(letters: str) -> None:
    written = submissions.as_receipt(letters)
    assert written.replace("-", "") == letters
    assert submissions.as_receipt(written.lower()) == written


@given(typed=st.text(max_size=60))
def test_no_typing_breaks_the_look_up(typed: str) -> None:
    assert len(submissions.as_receipt(typed)) in (0, 18)


def test_an_opinion_is_found_by_its_receipt(consultation: Consultation) -> None:
    received = receive(consultation)
    found = submissions.by_receipt(received.receipt.lower().replace("-", " "))
    assert found is not None
    assert found.id == received.id


# --- fingerprints, people, names -----------------------------------------------------------------


@pytest.mark.parametrize(
    "alike",
    [
        "加装电梯要快！",
        "加装电梯，要快",
        " 加装 电梯\n要快。",
        "加装电梯要快👍",
        "加装电梯\u200b要快",
    ],
)
def test_texts_that_differ_only_in_form_have_one_fingerprint(alike: str) -> None:
    assert fingerprints.of(alike) == fingerprints.of("加装电梯要快")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("建议加装电梯", "不建议加装电梯"),
        ("加装1部电梯", "加装2部电梯"),
        ("😀", "😡"),
        ("！！！", "？？？"),
        ("𠮷", "吉"),
    ],
)
def test_texts_that_say_something_else_have_another(one: str, other: str) -> None:
    assert fingerprints.of(one) != fingerprints.of(other)


def test_full_width_and_case_do_not_change_a_fingerprint() -> None:
    assert fingerprints.of("ＰＭ２．５太高") == fingerprints.of("pm2.5太高")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小明", "王**"),
        (" 王小明 ", "王**"),
        ("欧阳修", "欧**"),
        ("𠮷田", "𠮷**"),
        ("John", "J**"),
        ("王", "王**"),
        ("\u200b王小明", "王**"),
        ("\u202e\u3164王", "王**"),
        ("", ""),
        ("　", ""),
        ("\u200b\u2800", ""),
    ],
)
def test_only_the_first_visible_character_of_a_name_is_shown(name: str, shown: str) -> None:
    assert submissions.masked(name) == shown


def test_a_person_key_is_equal_for_one_person_and_keyed() -> None:
    key = submissions.person_key("secret", "contact", "A@Example.com")
    assert key == submissions.person_key("secret", "contact", " a@example.com ")
    assert key == submissions.person_key("secret", "contact", "Ａ@example.com")
    assert key != submissions.person_key("other", "contact", "a@example.com")
    assert key != submissions.person_key("secret", "letter", "a@example.com")
    assert len(key) == 32


# --- contacts ------------------------------------------------------------------------------------


def contacts() -> dict[int, Contact]:
    db.session.expire_all()
    return {each.submission_id: each for each in db.session.scalars(sa.select(Contact))}


def test_a_contact_is_kept_sealed_until_its_day_and_then_goes(consultation: Consultation) -> None:
    first, second = receive(consultation), receive(consultation, form_key="form-2")
    submissions.keep_contact(first.id, b"sealed", days=365, now=NOON)
    db.session.commit()
    assert contacts()[first.id].keep_until == dt.date(2021, 10, 20)
    last_day = NOON + dt.timedelta(days=365)
    submissions.keep_contact(second.id, b"sealed", days=365, now=last_day)
    db.session.commit()
    assert submissions.end_contacts(last_day) == 0
    assert set(contacts()) == {first.id, second.id}
    assert submissions.end_contacts(last_day + dt.timedelta(days=1)) == 1
    assert set(contacts()) == {second.id}


def test_a_contact_that_is_given_again_is_kept_once(consultation: Consultation) -> None:
    received = receive(consultation)
    for sealed in (b"first", b"second"):
        submissions.keep_contact(received.id, sealed, days=365, now=NOON)
        db.session.commit()
    assert [each.sealed for each in contacts().values()] == [b"first"]


def test_what_is_sealed_is_read_with_any_of_the_keys_and_no_other() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = sealing.seal(old, "13800000000")
    assert b"138" not in sealed
    assert sealing.seal(old, "13800000000") != sealed
    assert sealing.unseal(f"{new}, {old}", sealed) == "13800000000"
    for unreadable in (sealed, b"", b"damaged"):
        with pytest.raises(sealing.Unreadable):
            sealing.unseal(new, unreadable)
