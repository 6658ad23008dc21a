"""What is an author's own: signing in with a code, claiming, taking along, deleting."""

import datetime as dt
import json
import re

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from consult import appeals, attachments, authors, originals, proposals, screening, submissions
from consult.attachments import Kind, Scan
from consult.consultations import Consultation
from consult.decisions import Reason
from consult.originals import Span
from consult.submissions import Contact, Submission, SubmissionState
from core import accounts, consents, sealing, sign_in_codes
from core.accounts import Account
from core.audit import AuditEvent
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.outbox import Message
from core.sign_in_codes import SignInCode
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft
from tests.opinions_made import a_tree_opinion

pytestmark = pytest.mark.usefixtures("context")

ADDRESS = "wang@example.cn"


@pytest.fixture
def consultation() -> Consultation:
    made = a_consultation()
    a_published_draft(made)
    return made


def send_code(client: FlaskClient, address: str = ADDRESS) -> str:
    """Ask for a code; the words of the message that leaves the house."""
    answer = client.post("/join", data={"address": address, "consent": "y"})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return db.session.scalars(sa.select(Message).order_by(Message.id.desc())).first().body  # type: ignore[union-attr]


def the_code(body: str) -> str:
    found = re.search(r"[0-9]{6}", body)
    assert found
    return found[0]


def join(client: FlaskClient, address: str = ADDRESS) -> None:
    code = the_code(send_code(client, address))
    answer = client.post("/join/code", data={"code": code})
    assert answer.location == "/mine"


def again(submission: Submission) -> Submission:
    return db.session.get_one(Submission, submission.id, populate_existing=True)


# --- signing in ----------------------------------------------------------------------------------


def test_a_code_makes_an_account_and_signs_in(client: FlaskClient) -> None:
    join(client)
    account = accounts.by_email(ADDRESS)
    assert account is not None
    assert accounts.is_resident(account)
    assert account.password is None
    assert account.consent == consents.ACCOUNT.version
    assert client.get("/mine").status_code == 200
    assert "我的意见" in client.get("/").get_data(as_text=True)
    people.sign_out(client)
    join(client)
    assert db.session.scalar(sa.select(sa.func.count(Account.id))) == 1


def test_a_mobile_number_is_one_however_it_is_typed(client: FlaskClient) -> None:
    join(client, "138 0000 0000")
    people.sign_out(client)
    join(client, "+86-13800000000")
    assert db.session.scalar(sa.select(sa.func.count(Account.id))) == 1


@pytest.mark.parametrize("typed", ["", "王", "021-62470000", "a@b", "a b@example.cn", "1380000000"])
def test_an_address_nothing_can_be_sent_to_is_refused(client: FlaskClient, typed: str) -> None:
    answer = client.post("/join", data={"address": typed, "consent": "y"})
    assert answer.status_code == 422
    assert db.session.scalar(sa.select(sa.func.count(Message.id))) == 0


def test_what_this_site_cannot_send_is_not_promised(
    client: FlaskClient, consultation: Consultation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who set up no text messages must not let anybody wait for one."""
    monkeypatch.setattr(of_site(), "text_sender", "none")
    sent = a_tree_opinion(consultation)
    for address, name in (("/join", "address"), (f"/receipts/{sent.receipt}/contact", "contact")):
        answer = client.post(address, data={name: "138 0000 1234", "consent": "y"})
        assert answer.status_code == 422
        assert "不能发短信，请填写邮箱" in answer.get_data(as_text=True)
    assert db.session.scalar(sa.select(sa.func.count(Message.id))) == 0
    join(client)
    monkeypatch.setattr(of_site(), "mail_sender", "none")
    answer = client.post("/join", data={"address": ADDRESS, "consent": "y"})
    assert "不能发邮件，请填写手机号" in answer.get_data(as_text=True)


def test_without_consent_nothing_is_sent(client: FlaskClient) -> None:
    assert client.post("/join", data={"address": ADDRESS}).status_code == 422
    assert db.session.scalar(sa.select(sa.func.count(Message.id))) == 0


def test_a_code_counts_once_for_ten_minutes_and_five_tries(
    client: FlaskClient, clock: Clock
) -> None:
    code = the_code(send_code(client))
    for _try in range(4):
        assert client.post("/join/code", data={"code": "x"}).status_code == 422
    assert client.post("/join/code", data={"code": code}).status_code == 303
    people.sign_out(client)
    # Used up.
    assert not sign_in_codes.accept(ADDRESS, code, now=NOON)
    code = the_code(send_code(client))
    for _try in range(5):
        assert client.post("/join/code", data={"code": "x"}).status_code == 422
    assert client.post("/join/code", data={"code": code}).status_code == 422, "the sixth try"
    code = the_code(send_code(client))
    wide = code.translate({ord("0") + n: ord("０") + n for n in range(10)})
    assert client.post("/join/code", data={"code": f"{wide[:3]} {wide[3:]}"}).status_code == 303
    people.sign_out(client)
    code = the_code(send_code(client))
    clock.forward(minutes=10)
    assert client.post("/join/code", data={"code": code}).status_code == 422, "too late"


def test_a_new_code_voids_the_one_before(client: FlaskClient) -> None:
    first = sign_in_codes.make(ADDRESS, now=NOON)
    second = sign_in_codes.make(ADDRESS, now=NOON)
    if first != second:
        assert not sign_in_codes.accept(ADDRESS, first, now=NOON)
    assert sign_in_codes.accept(ADDRESS, second, now=NOON)


def test_neither_address_nor_code_is_kept_in_clear() -> None:
    code = sign_in_codes.make(ADDRESS, now=NOON)
    row = db.session.scalars(sa.select(SignInCode)).one()
    assert ADDRESS not in row.address_hash
    assert code not in (row.code_hash, row.address_hash)


def test_codes_are_not_sent_without_end(client: FlaskClient) -> None:
    for _time in range(5):
        send_code(client)
    answer = client.post("/join", data={"address": ADDRESS, "consent": "y"})
    assert answer.status_code == 429
    assert db.session.scalar(sa.select(sa.func.count(Message.id))) == 5


def test_staff_cannot_sign_in_by_code(client: FlaskClient) -> None:
    officer = people.make("drc_staff", email="drc@example.cn")
    body = send_code(client, officer.email)
    assert "请用密码登录" in body
    assert not re.search(r"[0-9]{6}", body)
    for guess in ("000000", "123456"):
        assert client.post("/join/code", data={"code": guess}).status_code == 422
    assert client.get("/mine").status_code in (302, 303, 401, 403)


def test_the_page_does_not_tell_whether_an_address_is_known(
    client: FlaskClient, app: Flask
) -> None:
    join(client)
    stranger = app.test_client()
    pages = []
    for address in (ADDRESS, "nobody@example.cn"):
        send_code(stranger, address)
        page = stranger.get("/join/code").get_data(as_text=True)
        pages.append(re.sub(r"[wn]\*\*\*|value=\"[^\"]*\"", "", page))
    assert pages[0] == pages[1]


def test_a_resident_changes_the_address_by_a_code_sent_to_the_new_one(client: FlaskClient) -> None:
    join(client)
    number = accounts.by_email(ADDRESS).id  # type: ignore[union-attr]
    join(client, "13800000000")
    changed = db.session.get_one(Account, number, populate_existing=True)
    assert changed.email == "13800000000"


def test_an_address_somebody_else_has_cannot_be_taken(client: FlaskClient, app: Flask) -> None:
    join(app.test_client(), "li@example.cn")
    join(client)
    code = the_code(send_code(client, "li@example.cn"))
    answer = client.post("/join/code", data={"code": code})
    assert answer.location == "/join"
    assert "已经有账号" in client.get("/join").get_data(as_text=True)


# --- claiming ----------------------------------------------------------------------------------


def test_what_was_sent_without_signing_in_is_claimed_by_its_receipt(
    client: FlaskClient, consultation: Consultation
) -> None:
    sent = a_tree_opinion(consultation)
    stamp = consultation.stamp
    join(client)
    assert sent.receipt not in client.get("/mine").get_data(as_text=True)
    typed = sent.receipt.lower().replace("-", " ")
    assert client.post("/mine/claims", data={"receipt": typed}).status_code == 303
    assert sent.receipt in client.get("/mine").get_data(as_text=True)
    claimed = again(sent)
    person = accounts.by_email(ADDRESS)
    assert person is not None
    assert claimed.account_id == person.id
    assert claimed.person_key == authors.person_key(of_site().secret_key, person.id)
    fresh = db.session.get_one(Consultation, consultation.id, populate_existing=True)
    assert fresh.stamp > stamp, "how many people there are has changed"
    # Again changes nothing.
    client.post("/mine/claims", data={"receipt": typed})
    assert again(sent).account_id == person.id


def test_what_belongs_to_another_account_cannot_be_claimed(
    client: FlaskClient, app: Flask, consultation: Consultation
) -> None:
    sent = a_tree_opinion(consultation)
    first = app.test_client()
    join(first, "li@example.cn")
    first.post("/mine/claims", data={"receipt": sent.receipt})
    join(client)
    answer = client.post("/mine/claims", data={"receipt": sent.receipt})
    assert answer.status_code == 409
    assert "另一个账号" in answer.get_data(as_text=True)


@pytest.mark.parametrize("typed", ["", "x", "201020-00000-00000", "'; drop table"])
def test_an_unknown_receipt_is_a_sentence(client: FlaskClient, typed: str) -> None:
    join(client)
    assert client.post("/mine/claims", data={"receipt": typed}).status_code == 422


def test_a_known_person_stays_that_person(consultation: Consultation) -> None:
    sent = a_tree_opinion(consultation, person_key="contact-key")
    person = people.make("resident")
    authors.claim(sent, person, secret="secret", now=NOON)
    assert sent.person_key == "contact-key"


# --- taking along and deleting ----------------------------------------------------------------


def owned(consultation: Consultation, account: Account) -> list[Submission]:
    """Two opinions of the account, one with a contact, and one of somebody else's."""
    made = [
        a_tree_opinion(consultation, 1, account_id=account.id, person_key="me", public_name="王**"),
        a_tree_opinion(consultation, 2, account_id=account.id, person_key="me"),
        a_tree_opinion(consultation, 3, person_key="other", public_name="李**"),
    ]
    for each in (made[0], made[2]):
        sealed = sealing.seal(of_site().contact_key, f"contact{each.number}@example.cn")
        submissions.keep_contact(each.id, sealed, days=365, now=NOON)
    db.session.commit()
    return made


def test_everything_that_is_kept_can_be_taken_along(
    client: FlaskClient, consultation: Consultation
) -> None:
    join(client)
    person = accounts.by_email(ADDRESS)
    assert person is not None
    made = owned(consultation, person)
    answer = client.get("/mine/data.json")
    assert answer.headers["Cache-Control"] == "no-store"
    kept = json.loads(answer.get_data())
    assert kept["account"]["address"] == ADDRESS
    assert [each["receipt"] for each in kept["opinions"]] == [m.receipt for m in made[:2]]
    assert kept["opinions"][0]["contact"] == "contact1@example.cn"
    assert kept["opinions"][0]["contact_kept_until"] == "2021-10-20"
    assert kept["opinions"][0]["contact_consent"] == ""
    assert kept["opinions"][1]["contact"] is None
    assert kept["opinions"][0]["body"] == "第1件意见，希望多种一些树。"


def test_contacts_alone_can_be_deleted(client: FlaskClient, consultation: Consultation) -> None:
    join(client)
    person = accounts.by_email(ADDRESS)
    assert person is not None
    owned(consultation, person)
    client.post("/mine/contacts")
    left = db.session.scalars(sa.select(Contact.submission_id)).all()
    assert [again_number(id) for id in left] == [3]
    client.post("/mine/contacts")
    action = AuditEvent.action == "account.contacts_forgotten"
    (event,) = db.session.scalars(sa.select(AuditEvent).where(action))
    assert event.after == {"submissions": 1}


def again_number(id: int) -> int:
    return db.session.get_one(Submission, id).number


def shown_on(client: FlaskClient, submission: Submission) -> str:
    """The page of its author."""
    return client.get(f"/receipts/{submission.receipt}").get_data(as_text=True)


def kept_contact(submission: Submission) -> tuple[str, dt.date] | None:
    db.session.expire_all()
    kept = db.session.get(Contact, submission.id)
    return kept and (sealing.unseal(of_site().contact_key, kept.sealed), kept.keep_until)


def acts_on(submission: Submission) -> list[str]:
    query = sa.select(AuditEvent).order_by(AuditEvent.id)
    events = [each for each in db.session.scalars(query) if each.thing_kind == "submission"]
    assert submission.receipt not in "".join(str(vars(each)) for each in events)
    return [each.action for each in events if each.thing_id == submission.id][1:]


def test_by_the_receipt_alone_a_contact_is_left_corrected_and_deleted(
    client: FlaskClient, consultation: Consultation, clock: Clock
) -> None:
    sent = a_tree_opinion(consultation)
    at = f"/receipts/{sent.receipt}/contact"
    assert "留下联系方式" in shown_on(client, sent)
    refused = client.post(at, data={"contact": "138 0000 123"})
    assert refused.status_code == 422
    assert "11位手机号" in refused.get_data(as_text=True)
    assert kept_contact(sent) is None
    unread = client.post(at, data={"contact": "138-0000-1234"})
    assert unread.status_code == 422
    assert "请阅读并勾选同意" in unread.get_data(as_text=True)
    assert 'value="13800001234"' in unread.get_data(as_text=True), "what was typed is kept"
    assert kept_contact(sent) is None
    agreed = {"consent": "y"}
    assert client.post(at, data=agreed | {"contact": "138-0000-1234"}).status_code == 303
    assert kept_contact(sent) == ("13800001234", dt.date(2021, 10, 20))
    assert "加密保存到2021年10月20日" in shown_on(client, sent)
    assert "13800001234" not in shown_on(client, sent), "whoever holds the number is not told it"
    clock.forward(days=1)
    assert client.post(at, data=agreed | {"contact": "Wang@Example.cn"}).status_code == 303
    assert kept_contact(sent) == ("wang@example.cn", dt.date(2021, 10, 21))
    assert client.post(f"{at}/forget").status_code == 303
    assert kept_contact(sent) is None
    client.post(f"{at}/forget")
    changed, forgotten = "submission.contact_changed", "submission.contact_forgotten"
    assert acts_on(sent) == [changed, changed, forgotten], "and no act where nothing changed"


def test_a_contact_left_later_says_to_which_text_its_owner_agreed(
    client: FlaskClient, consultation: Consultation
) -> None:
    """A letter that was typed in brought no consent of its own, and gets none by this."""
    letter = a_tree_opinion(consultation, consent="")
    at = f"/receipts/{letter.receipt}"
    assert "/consents/contact-1" in shown_on(client, letter)
    client.post(f"{at}/contact", data={"contact": ADDRESS, "consent": "y"})
    db.session.expire_all()
    kept = db.session.get(Contact, letter.id)
    assert kept is not None
    assert (kept.consent, again(letter).consent) == ("contact-1", "")
    query = sa.select(AuditEvent).where(AuditEvent.action == "submission.contact_changed")
    assert [each.after for each in db.session.scalars(query)] == [{"consent": "contact-1"}]
    page = shown_on(client, letter)
    assert re.search(r'href="/consents/contact-1">当时同意的内容', page)
    text = client.get("/consents/contact-1").get_data(as_text=True)
    assert "加密保存，不公开" in text


def test_the_consent_to_a_name_is_taken_back_everywhere_in_the_same_act(
    client: FlaskClient, consultation: Consultation
) -> None:
    sent = a_tree_opinion(consultation, public_name="王**")
    opinions = f"/consultations/{consultation.slug}/opinions"
    assert "王**" in client.get(opinions).get_data(as_text=True)
    assert "改为匿名" in shown_on(client, sent)
    stamp = consultation.stamp
    assert client.post(f"/receipts/{sent.receipt}/name").status_code == 303
    db.session.expire_all()
    assert (again(sent).public_name, again(sent).state) == ("", SubmissionState.SHOWN)
    assert db.session.get_one(Consultation, consultation.id).stamp == stamp + 1
    page = client.get(opinions).get_data(as_text=True)
    assert "王**" not in page
    assert sent.body in page
    assert "改为匿名" not in shown_on(client, sent)
    client.post(f"/receipts/{sent.receipt}/name")
    assert acts_on(sent) == ["submission.name_withdrawn"]


def test_an_appeal_sent_too_late_is_there_once_more(
    app: Flask, client: FlaskClient, consultation: Consultation
) -> None:
    sent = a_tree_opinion(consultation)
    proposals.propose(sent, Reason.OFF_TOPIC, by=people.make("screener"), now=NOON)
    proposals.confirm(sent, by=people.make("screener"), now=NOON)
    db.session.commit()
    app.config["WTF_CSRF_ENABLED"] = True
    words, at = "我说的就是第三章，请再看一遍。", f"/receipts/{sent.receipt}"
    late = client.post(f"{at}/appeal", data={"words": words})
    assert late.status_code == 400
    assert re.search(rf'<textarea[^>]*name="words"[^>]*>\s*{words}</textarea>', late.text)
    token = re.search(r'name="csrf_token" value="([^"]+)"', late.text)
    assert token
    assert appeals.of(sent) == []
    again = {"words": words, "csrf_token": token[1]}
    assert client.post(f"{at}/appeal", data=again).status_code == 302
    assert [each.words for each in appeals.of(sent)] == [words]


def test_what_was_taken_back_leaves_no_contact_and_takes_none(
    client: FlaskClient, consultation: Consultation
) -> None:
    sent = a_tree_opinion(consultation)
    at = f"/receipts/{sent.receipt}"
    agreed = {"contact": ADDRESS, "consent": "y"}
    assert client.post(f"{at}/contact", data=agreed).status_code == 303
    client.post(f"{at}/withdraw", data={"confirm": "y"})
    assert kept_contact(sent) is None
    for act, data in (("contact", agreed), ("contact/forget", {}), ("name", {})):
        assert client.post(f"{at}/{act}", data=data).status_code == 409
    assert kept_contact(sent) is None
    assert "更改称呼和联系方式" not in shown_on(client, sent)


def test_deleting_leaves_words_and_nobody(client: FlaskClient, consultation: Consultation) -> None:
    join(client)
    person = accounts.by_email(ADDRESS)
    assert person is not None
    number = person.id
    made = owned(consultation, person)
    assert client.post("/mine/erase", data={}).status_code == 422, "not without saying so"
    answer = client.post("/mine/erase", data={"confirm": "y"})
    assert answer.status_code == 303
    db.session.expire_all()
    assert accounts.by_email(ADDRESS) is None
    assert db.session.get(Account, number) is None
    assert client.get("/mine").status_code in (302, 303, 401, 403)
    first, second, other = (again(each) for each in made)
    assert first.body == "第1件意见，希望多种一些树。"
    assert first.state is SubmissionState.SHOWN
    for each in (first, second):
        assert each.account_id is None
        assert each.public_name == ""
        assert each.person_key != "me"
    assert first.person_key == second.person_key, "still one person's among themselves"
    assert (other.public_name, other.person_key) == ("李**", "other")
    assert [again_number(id) for id in db.session.scalars(sa.select(Contact.submission_id))] == [3]
    # Nothing in any table leads back to the address.
    for table in (Message, SignInCode):
        for row in db.session.scalars(sa.select(table)):
            assert ADDRESS not in str(vars(row))


def test_deleting_leaves_nothing_personal_in_what_nobody_looked_through(
    consultation: Consultation,
) -> None:
    person = people.make("resident")
    body = "我叫王小明，电话13800138000，希望多种树。"
    said = f"为什么不展示？{body}"
    shown, hidden = (
        a_tree_opinion(consultation, n, body=body, account_id=person.id) for n in (1, 2)
    )
    first, second = people.make("screener"), people.make("screener")
    proposals.propose(hidden, Reason.PERSONAL_INFORMATION, by=first, now=NOON)
    proposals.confirm(hidden, by=second, now=NOON)
    appeals.file(hidden, said, now=NOON)
    kept = authors.data_of(person, contact_key=of_site().contact_key)["opinions"][1]["appeals"]
    assert kept == [{"at": NOON.isoformat(), "words": said, "outcome": None, "told": ""}]
    authors.erase(person, now=NOON)
    db.session.commit()
    left = "我叫■■■，电话■■■■■■■■■■■，希望多种树。"
    assert again(shown).body == body, "what a screener let stand"
    assert again(hidden).body == left
    assert [each.words for each in appeals.of(again(hidden))] == [f"为什么不展示？{left}"]


def test_deleting_leaves_nothing_of_what_was_masked(consultation: Consultation) -> None:
    person = people.make("resident")
    sent = a_tree_opinion(consultation, body="我叫王小明，希望多种树。", account_id=person.id)
    originals.mask([sent], [Span(1, 2, 5)], stamp=1)
    kept = authors.data_of(person, contact_key=of_site().contact_key)
    assert kept["opinions"][0]["body"] == "我叫王小明，希望多种树。", "one's own words, whole"
    scan = Scan("来信.png", Kind.PNG, b"\x89PNG")
    other = a_tree_opinion(consultation, 2)
    attachments.attach(sent.id, [scan, Scan("同.png", Kind.PNG, b"shared")])
    attachments.attach(other.id, [Scan("同.png", Kind.PNG, b"shared")])
    db.session.commit()
    assert authors.erase(person, now=NOON) == [scan.sha256], "what another letter has, too, stays"
    db.session.commit()
    assert attachments.of([again(sent), other]) == {other.id: attachments.of([other])[other.id]}
    assert again(sent).body == "我叫■■■，希望多种树。"
    assert originals.whole(again(sent)).body == "我叫■■■，希望多种树。"


def test_a_scan_is_not_looked_at_once_its_author_took_the_opinion_back(
    consultation: Consultation,
) -> None:
    sent = a_tree_opinion(consultation)
    attachments.attach(sent.id, [Scan("来信.png", Kind.PNG, b"\x89PNG")])
    db.session.commit()
    (scan,) = attachments.of([sent])[sent.id]
    assert attachments.by_id(scan.id) is scan
    screening.withdraw(sent, now=NOON)
    db.session.commit()
    assert attachments.by_id(scan.id) is None
    assert attachments.of([again(sent)]) == {}


def test_who_holds_an_office_is_closed_by_an_administrator() -> None:
    officer = people.make("drc_staff")
    with pytest.raises(Refused):
        authors.erase(officer, now=NOON)
    both = people.make("resident", roles=["resident", "panel_member"])
    with pytest.raises(Refused):
        authors.erase(both, now=NOON)


def test_a_lost_key_does_not_keep_anybody_from_their_data(consultation: Consultation) -> None:
    person = people.make("resident")
    owned(consultation, person)
    kept = authors.data_of(person, contact_key=Fernet.generate_key().decode())
    assert kept["opinions"][0]["contact"] is None


def test_consent_texts_stay_readable(client: FlaskClient) -> None:
    for version, consent in consents.EVERY.items():
        page = client.get(f"/consents/{version}").get_data(as_text=True)
        assert str(consent.words[0]) in page
    assert client.get("/consents/none").status_code == 404


def test_codes_that_are_over_go(clock: Clock) -> None:
    sign_in_codes.make(ADDRESS, now=NOON)
    sign_in_codes.make("li@example.cn", now=NOON + dt.timedelta(minutes=5))
    sign_in_codes.end_expired(NOON + dt.timedelta(minutes=10))
    assert db.session.scalar(sa.select(sa.func.count(SignInCode.address_hash))) == 1
