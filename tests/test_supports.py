"""Support for an opinion: one a person as far as can be told, counted apart, undone at any time."""

import re

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import authors, consultations, screening, supports
from consult.consultations import Consultation, Phase
from consult.decisions import Reason
from consult.submissions import Submission, SubmissionState
from consult.supports import Support, Supporter
from consult.views import supports as pages
from core import accounts, audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft
from tests.opinions_made import a_tree_opinion
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("context")

LIST = "/consultations/gangyao/opinions"
FORM = f"{LIST}/1/support"


@pytest.fixture
def consultation() -> Consultation:
    made = a_consultation("gangyao")
    a_published_draft(made)
    return made


@pytest.fixture
def shown(consultation: Consultation) -> Submission:
    return a_tree_opinion(consultation)


def counted(submission: Submission) -> int:
    """The kept count, which equals the rows there are."""
    db.session.rollback()
    db.session.refresh(submission, ["supports"])
    rows = sa.select(sa.func.count()).where(Support.submission_id == submission.id)
    assert submission.supports == db.session.scalar(rows)
    return submission.supports


def browser(key: str) -> Supporter:
    return Supporter(secret="secret", browser_key=key)


def main_of(client: FlaskClient, address: str = LIST) -> str:
    return client.get(address).get_data(as_text=True)


# --- the operation -------------------------------------------------------------------------------


def test_each_person_counts_once_and_may_take_it_back(
    consultation: Consultation, shown: Submission
) -> None:
    for key, fresh in (("a", True), ("b", True), ("a", False)):
        assert supports.give(shown, consultation, browser(key), now=NOON) is fresh
        db.session.commit()
    assert counted(shown) == 2
    assert supports.take_back(shown, consultation, browser("a"), now=NOON)
    db.session.commit()
    assert not supports.take_back(shown, consultation, browser("a"), now=NOON)
    assert counted(shown) == 1


def test_who_signs_in_counts_as_the_browser_that_supported_already(
    consultation: Consultation, shown: Submission
) -> None:
    person = people.make("resident")
    assert supports.give(shown, consultation, browser("a"), now=NOON)
    both = Supporter(secret="secret", browser_key="a", account_id=person.id)
    assert not supports.give(shown, consultation, both, now=NOON)
    assert supports.take_back(shown, consultation, both, now=NOON)
    db.session.commit()
    assert counted(shown) == 0


def test_the_table_does_not_say_what_else_a_browser_supports(consultation: Consultation) -> None:
    for number in (1, 2):
        supports.give(a_tree_opinion(consultation, number), consultation, browser("a"), now=NOON)
    keys = db.session.scalars(sa.select(Support.supporter_key)).all()
    assert len(set(keys)) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)


def test_ones_own_is_not_supported(consultation: Consultation) -> None:
    person = people.make("resident")
    key = authors.person_key("secret", person.id)
    who = Supporter(secret="secret", account_id=person.id, person_key=key)
    for number, fields in enumerate([{"account_id": person.id}, {"person_key": key}]):
        with pytest.raises(Refused, match="您本人提交"):
            supports.give(
                a_tree_opinion(consultation, number, **fields), consultation, who, now=NOON
            )


def test_what_is_hidden_is_not_supported_and_shows_its_count_when_it_is_shown_again(
    consultation: Consultation, shown: Submission
) -> None:
    supports.give(shown, consultation, browser("a"), now=NOON)
    hide(shown)
    with pytest.raises(Refused, match="不再展示"):
        supports.give(shown, consultation, browser("b"), now=NOON)
    assert counted(shown) == 1


def hide(shown: Submission) -> None:
    screening.decide(
        shown,
        SubmissionState.HIDDEN,
        reason=Reason.ADVERTISEMENT,
        note="广告",
        by=audit.SYSTEM,
        now=NOON,
    )
    db.session.commit()


@pytest.mark.parametrize(
    ("phase", "may"),
    [(Phase.UPCOMING, False), (Phase.OPEN, True), (Phase.CLOSED, True), (Phase.ANSWERED, False)],
)
def test_while_it_runs_and_until_it_is_answered(phase: Phase, may: bool) -> None:
    other = a_consultation("other", phase=phase)
    submission = a_tree_opinion(other)
    if may:
        assert supports.give(submission, other, browser("a"), now=NOON)
    else:
        with pytest.raises(Refused):
            supports.give(submission, other, browser("a"), now=NOON)


def test_the_record_says_that_and_never_who(consultation: Consultation, shown: Submission) -> None:
    person = people.make("resident")
    who = Supporter(secret="secret", account_id=person.id)
    supports.give(shown, consultation, who, now=NOON)
    supports.take_back(shown, consultation, who, now=NOON)
    db.session.commit()
    noted = sa.select(AuditEvent).where(AuditEvent.action.like("submission.%supported"))
    events = db.session.scalars(noted.order_by(AuditEvent.id)).all()
    assert [each.action for each in events] == ["submission.supported", "submission.unsupported"]
    assert {each.actor_name for each in events} == {audit.RESIDENT.name}
    assert {each.actor_id for each in events} == {None}
    assert shown.receipt not in {each.thing_name for each in events}


def test_counts_of_opinions_and_kept_pages_are_left_alone(
    consultation: Consultation, shown: Submission
) -> None:
    def state() -> tuple[int, int, int]:
        db.session.refresh(consultation)
        return consultation.received, consultation.shown, consultation.stamp

    before = state()
    supports.give(shown, consultation, browser("a"), now=NOON)
    db.session.commit()
    assert state() == before


def test_an_account_takes_its_support_along_and_away(
    consultation: Consultation, shown: Submission
) -> None:
    person = people.make("resident")
    who = Supporter(secret="secret", account_id=person.id)
    supports.give(shown, consultation, who, now=NOON)
    supports.give(shown, consultation, browser("a"), now=NOON)
    db.session.commit()
    data = authors.data_of(person, contact_key="")
    assert [(each["opinion"], each["consultation"]) for each in data["supports"]] == [
        (1, consultation.title)
    ]
    authors.erase(person, now=NOON)
    db.session.commit()
    assert counted(shown) == 1
    assert accounts.by_email("resident@example.invalid") is None


def test_two_presses_at_once_are_one(app: Flask, shown: Submission) -> None:
    number = shown.id
    db.session.rollback()

    def press(_number: int) -> bool:
        with app.app_context():
            submission = db.session.get_one(Submission, number)
            consultation = consultations.by_slug("gangyao")
            assert consultation is not None
            given = supports.give(submission, consultation, browser("a"), now=NOON)
            db.session.commit()
            return given

    assert sorted(at_once(8, press)) == [False] * 7 + [True]
    assert counted(shown) == 1


def test_many_people_at_once_are_many(app: Flask, shown: Submission) -> None:
    number = shown.id
    db.session.rollback()

    def press(turn: int) -> None:
        with app.app_context():
            submission = db.session.get_one(Submission, number)
            consultation = consultations.by_slug("gangyao")
            assert consultation is not None
            supports.give(submission, consultation, browser(f"b{turn}"), now=NOON)
            db.session.commit()

    at_once(8, press)
    assert counted(shown) == 8


# --- the pages -----------------------------------------------------------------------------------


def cookies(client: FlaskClient) -> set[str]:
    return {cookie.key for cookie in client._cookies.values()}  # type: ignore[union-attr]


def test_reading_writes_no_cookie_and_pressing_writes_a_signed_one(
    client: FlaskClient, shown: Submission
) -> None:
    page = main_of(client)
    assert "0人支持" in page
    assert "/opinions/1/support?next=" in page
    assert cookies(client) == set()
    client.get(FORM)
    assert pages.COOKIE not in cookies(client)
    answer = client.post(FORM, data={"next": f"{LIST}?on=1"})
    assert answer.status_code == 303
    assert answer.location == f"{LIST}?on=1#opinion-1"
    set_cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("supporter="))
    assert "HttpOnly" in set_cookie
    assert "SameSite=Lax" in set_cookie
    assert counted(shown) == 1
    page = main_of(client)
    assert "1人支持" in page
    assert "您已支持" in page
    assert f"{FORM}/undo" in page


def test_pressing_again_changes_nothing_and_undoing_does(
    client: FlaskClient, shown: Submission
) -> None:
    for _ in range(2):
        client.post(FORM)
    assert counted(shown) == 1
    assert "已撤销您对第1件意见的支持" in client.post(
        f"{FORM}/undo", follow_redirects=True
    ).get_data(as_text=True)
    assert counted(shown) == 0


def test_other_readers_see_the_count_and_another_browser_adds_to_it(
    app: Flask, client: FlaskClient, shown: Submission
) -> None:
    client.post(FORM)
    other = app.test_client()
    assert "1人支持" in main_of(other)
    assert "您已支持" not in main_of(other)
    other.post(FORM)
    assert counted(shown) == 2


@pytest.mark.parametrize("cookie", ["", "x", '"a".b', "a" * 300])
def test_a_cookie_that_is_not_ours_is_a_new_browser(
    client: FlaskClient, shown: Submission, cookie: str
) -> None:
    client.set_cookie(pages.COOKIE, cookie)
    assert client.post(FORM).status_code == 303
    assert counted(shown) == 1


@pytest.mark.parametrize(
    "wanted", ["", "//elsewhere.example", "https://elsewhere.example", "/desk", "/\\x", LIST]
)
def test_it_leads_back_to_the_list_and_nowhere_else(
    client: FlaskClient, shown: Submission, wanted: str
) -> None:
    where = client.post(FORM, data={"next": wanted}).location
    assert where.startswith(LIST)
    assert where.endswith("#opinion-1")
    assert 'id="opinion-1"' in main_of(client, where)


def test_new_browsers_from_one_network_are_held_back(
    app: Flask, clock: Clock, shown: Submission
) -> None:
    codes = [app.test_client().post(FORM).status_code for _ in range(pages.NEW_BROWSERS + 1)]
    assert codes == [303] * pages.NEW_BROWSERS + [429]
    assert counted(shown) == pages.NEW_BROWSERS


def test_a_resident_is_told_whats_their_own(
    client: FlaskClient, consultation: Consultation
) -> None:
    person = people.make("resident")
    a_tree_opinion(consultation, account_id=person.id)
    people.sign_in(client, person.email)
    assert "这是您提交的意见" in main_of(client)
    assert "不能自己支持" in main_of(client, FORM)
    assert client.post(FORM).status_code == 409


def test_staff_do_not_count(client: FlaskClient, shown: Submission) -> None:
    people.sign_in(client, people.make("screener").email)
    assert "/support" not in main_of(client)
    assert "工作人员的账号不参与支持" in main_of(client, FORM)
    assert client.post(FORM).status_code == 409
    assert counted(shown) == 0


def test_what_is_hidden_or_unknown_is_not_there(client: FlaskClient, shown: Submission) -> None:
    assert client.get(f"{LIST}/2/support").status_code == 404
    client.post(FORM)
    hide(shown)
    for method in ("GET", "POST"):
        assert client.open(FORM, method=method).status_code == 404
    assert "人支持" not in main_of(client)
