"""The draft page as the WSGI layer answers it: always what the view would have said."""

import datetime as dt
import io
from collections.abc import Callable, Iterator
from typing import Any

import brotli
import flask
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consult import consultation_acts, decisions, drafts, screening
from consult.consultations import Consultation, Phase
from consult.drafts import Version
from consult.submissions import Submission, SubmissionState
from consult.views import drafts as drafts_view
from core import audit, pages
from core.db import aside, db
from core.pages import Live, Page, PageStore, Reader
from tests import opinions_made, people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft
from tests.people import make_unit

pytestmark = pytest.mark.usefixtures("context")

DRAFT = "/consultations/gangyao/draft"
TODAY = dt.date(2020, 10, 20)


@pytest.fixture
def asked(app: Flask) -> Iterator[list[str]]:
    """The addresses that came through to Flask: what the layer answers is not among them."""
    seen: list[str] = []

    def note(_app: Flask, **_more: Any) -> None:
        seen.append(flask.request.full_path.rstrip("?"))

    with flask.request_started.connected_to(note, app):
        yield seen


def forget_pages(app: Flask) -> None:
    app.extensions["pages"] = store = PageStore()
    app.wsgi_app._store = store  # type: ignore[attr-defined]


def plain(response: TestResponse) -> bytes:
    packed = response.headers.get("Content-Encoding") == "br"
    return brotli.decompress(response.data) if packed else response.data


def an_opinion(
    version: Version, mark: int = 0, *, state: SubmissionState = SubmissionState.SHOWN
) -> Submission:
    """One more opinion on the paragraph with this mark; committed."""
    outline = drafts.outline(version)
    count = db.session.scalar(sa.select(sa.func.count(Submission.id)))
    made = opinions_made.an_opinion(
        version.draft.consultation,
        f"第{count}件意见，请考虑。",
        key=f"key-{count}",
        state=state,
        version_id=version.id,
        place=outline.by_mark[mark].id if mark else 0,
    )
    db.session.commit()
    return made


# --- the same words ------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [DRAFT, f"{DRAFT}?chapter=4", f"{DRAFT}?v=1"])
def test_the_layer_says_byte_for_byte_what_the_view_says(
    app: Flask, client: FlaskClient, version: Version, asked: list[str], address: str
) -> None:
    client.get(address)
    for mark in (2, 2, 5, 6, 7, 0, 1):
        an_opinion(version, mark)
        by_layer = client.get(address)
        assert asked == [address]
        forget_pages(app)
        by_view = client.get(address)
        assert len(asked) == 2
        asked.pop()
        assert by_layer.data == by_view.data
        assert sorted(by_layer.headers.items()) == sorted(by_view.headers.items())


def test_counts_follow_every_opinion_and_every_decision(
    client: FlaskClient, version: Version, asked: list[str]
) -> None:
    assert "（0件）" in client.get(DRAFT).text
    first = an_opinion(version, 2)
    page = client.get(DRAFT).text
    assert "（1件）" in page
    assert 'on=2">1件意见' in page
    # A heading carries what stands under it.
    assert 'on=1">1件意见' in page
    assert 'on=4">' not in page.replace("comment?v=1&amp;on=4", "")
    waiting = an_opinion(version, 2, state=SubmissionState.PENDING)
    assert "（1件）" in client.get(DRAFT).text
    screening.decide(waiting, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    assert 'on=2">2件意见' in client.get(DRAFT).text
    for each in (first, waiting):
        screening.decide(
            each,
            SubmissionState.HIDDEN,
            reason=decisions.Reason.OFF_TOPIC,
            by=audit.SYSTEM,
            now=NOON,
        )
    page = client.get(DRAFT).text
    assert "（0件）" in page
    assert "件意见" not in page
    assert asked == [DRAFT]


def test_a_change_that_was_not_kept_is_not_shown(client: FlaskClient, version: Version) -> None:
    before = client.get(DRAFT).data
    opinions_made.an_opinion(
        version.draft.consultation, "没有保存下来的意见", state=SubmissionState.SHOWN
    )
    db.session.rollback()
    assert client.get(DRAFT).data == before


# --- how it is sent ------------------------------------------------------------------------------


def test_a_reader_who_has_the_page_gets_304_from_view_and_layer(
    client: FlaskClient, version: Version, asked: list[str]
) -> None:
    mark = client.get(DRAFT).headers["ETag"]
    for known in (mark, f'"other", {mark}', mark.removeprefix("W/") and f"{mark}, *"):
        answer = client.get(DRAFT, headers={"If-None-Match": known})
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["ETag"] == mark
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "Content-Security-Policy" in answer.headers
    assert client.get(DRAFT, headers={"If-None-Match": '"other"'}).status_code == 200
    an_opinion(version, 2)
    answer = client.get(DRAFT, headers={"If-None-Match": mark})
    assert answer.status_code == 200
    assert answer.headers["ETag"] != mark
    assert asked == [DRAFT]


def test_the_view_answers_304_too(app: Flask, client: FlaskClient, version: Version) -> None:
    mark = client.get(DRAFT).headers["ETag"]
    forget_pages(app)
    answer = client.get(DRAFT, headers={"If-None-Match": mark})
    assert (answer.status_code, answer.data) == (304, b"")
    # What the layer keeps from that request is whole all the same.
    whole = client.get(DRAFT)
    assert whole.status_code == 200
    assert whole.headers["Content-Type"] == "text/html; charset=utf-8"
    assert whole.headers["ETag"] == mark


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [
        ("gzip, deflate, br", True),
        ("br", True),
        ("BR;q=0.5, gzip", True),
        ("gzip;q=1.0,br;q=1.0", True),
        ("", False),
        ("gzip", False),
        ("br;q=0", False),
        ("gzip, br; q=0.000", False),
        ("brotli, vibrant", False),
        ("identity", False),
    ],
)
def test_it_is_packed_only_for_those_who_can_unpack_it(
    client: FlaskClient, version: Version, accepts: str, packed: bool
) -> None:
    words = client.get(DRAFT).data
    client.checks = False  # type: ignore[attr-defined]  # it reads only what is not packed
    headers = {"Accept-Encoding": accepts}
    # Quickly packed at first, thoroughly once the page has lasted.
    for _ in range(4):
        answer = client.get(DRAFT, headers=headers)
        assert (answer.headers.get("Content-Encoding") == "br") is packed
        assert plain(answer) == words
        assert answer.headers["Content-Length"] == str(len(answer.data))
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_head_says_what_get_would_and_sends_nothing(client: FlaskClient, version: Version) -> None:
    client.checks = False  # type: ignore[attr-defined]  # it would look for words
    first = client.head(DRAFT)
    page = client.get(DRAFT)
    again = client.head(DRAFT)
    for answer in (first, again):
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["ETag"] == page.headers["ETag"]
        assert answer.headers["Content-Length"] == str(len(page.data))


def test_posting_to_the_page_is_refused(client: FlaskClient, version: Version) -> None:
    client.get(DRAFT)
    assert client.post(DRAFT).status_code == 405


# --- what makes it untrue ------------------------------------------------------------------------


def notice(consultation: Consultation) -> None:
    consultation_acts.write_notice(
        consultation,
        title="改过的标题",
        explanation=consultation.explanation,
        ways=consultation.ways,
        contact=consultation.contact,
        by=audit.SYSTEM,
        now=NOON,
    )


def extension(consultation: Consultation) -> None:
    assert consultation.last_day is not None
    consultation_acts.extend(
        consultation,
        last=consultation.last_day + dt.timedelta(days=7),
        reason="应公众要求",
        by=audit.SYSTEM,
        now=NOON,
    )


def unit(consultation: Consultation) -> None:
    consultation_acts.entrust(consultation, make_unit(), by=audit.SYSTEM, now=NOON)


def new_version(consultation: Consultation) -> None:
    a_published_draft(consultation, "新的一稿只有这一段。")


@pytest.mark.parametrize("change", [notice, extension, unit, new_version])
def test_a_change_of_words_or_window_or_text_asks_the_view_again(
    app: Flask,
    client: FlaskClient,
    consultation: Consultation,
    version: Version,
    asked: list[str],
    change: Callable[[Consultation], None],
) -> None:
    client.get(DRAFT)
    client.get(DRAFT)
    assert len(asked) == 1
    change(consultation)
    changed = client.get(DRAFT)
    assert len(asked) == 2
    assert client.get(DRAFT).data == changed.data
    assert len(asked) == 2
    forget_pages(app)
    assert client.get(DRAFT).data == changed.data
    said = {extension: "11月21日", new_version: "新的一稿只有这一段。"}
    assert said.get(change, "") in changed.text


def test_an_older_version_stays_readable_beside_the_newest(
    client: FlaskClient, consultation: Consultation, version: Version
) -> None:
    client.get(DRAFT)
    new_version(consultation)
    for _ in range(2):
        assert "新的一稿只有这一段。" in client.get(DRAFT).text
        assert "坚持人民城市人民建" in client.get(f"{DRAFT}?v=1").text


def test_opening_closing_and_midnight_change_the_page_by_the_clock_alone(
    client: FlaskClient, clock: Clock, asked: list[str]
) -> None:
    coming = a_consultation(phase=Phase.UPCOMING)
    a_published_draft(coming)
    assert coming.opens_at is not None
    assert coming.closes_at is not None
    moment = dt.timedelta(microseconds=1)
    for at, open_ in (
        (coming.opens_at - moment, False),
        (coming.opens_at, True),
        (coming.closes_at - moment, True),
        (coming.closes_at, False),
    ):
        clock.at = at
        before = len(asked)
        for _ in range(2):
            assert ("评论此段" in client.get(DRAFT).text) is open_
        assert len(asked) == before + 1


def test_it_is_asked_again_after_midnight_in_shanghai(
    client: FlaskClient, clock: Clock, version: Version, asked: list[str]
) -> None:
    client.get(DRAFT)
    clock.at = dt.datetime(2020, 10, 20, 15, 59, 59, tzinfo=dt.UTC)
    client.get(DRAFT)
    assert len(asked) == 1
    clock.at = dt.datetime(2020, 10, 20, 16, 0, tzinfo=dt.UTC)
    client.get(DRAFT)
    assert len(asked) == 2


def test_words_that_changed_while_they_were_rendered_are_not_kept(
    client: FlaskClient,
    consultation: Consultation,
    version: Version,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, id = drafts_view._true_until, consultation.id

    def meanwhile(consultation: Consultation, at: dt.datetime) -> dt.datetime:
        later = {"closes_at": NOON + dt.timedelta(days=90)}
        change = later | {"edition": Consultation.edition + 1}
        with aside() as connection:
            table = Consultation.__table__
            connection.execute(sa.update(Consultation).where(table.c.id == id).values(change))
        return old(consultation, at)

    monkeypatch.setattr(drafts_view, "_true_until", meanwhile)
    client.checks = False  # type: ignore[attr-defined]  # here a GET writes, in another's name
    client.get(DRAFT)
    monkeypatch.undo()
    assert "2021年1月18日" in client.get(DRAFT).text
    client.get(DRAFT)
    assert len(asked) == 2


# --- for whom ------------------------------------------------------------------------------------


def test_somebody_signed_in_never_gets_and_never_leaves_a_kept_page(
    app: Flask, client: FlaskClient, version: Version, asked: list[str]
) -> None:
    officer = app.test_client()
    people.sign_in(officer, people.make("drc_staff"))
    asked.clear()
    own = officer.get(DRAFT)
    assert own.headers["Cache-Control"] == "no-store"
    assert "退出" in own.text
    strangers = client.get(DRAFT)
    assert "退出" not in strangers.text
    assert "no-store" not in strangers.headers["Cache-Control"]
    assert "退出" in officer.get(DRAFT).text
    assert "退出" not in client.get(DRAFT).text
    assert asked == [DRAFT] * 3


def test_a_visitor_with_a_session_cookie_is_answered_by_the_view(
    app: Flask, client: FlaskClient, version: Version, asked: list[str]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client.get("/consultations/gangyao/comment")
    assert client.get_cookie("wenji") is not None
    asked.clear()
    for _ in range(2):
        client.get(DRAFT)
    assert asked == [DRAFT] * 2
    reader = app.test_client()
    answer = reader.get(DRAFT)
    assert "Set-Cookie" not in answer.headers
    assert "Set-Cookie" not in reader.get(DRAFT).headers


def test_the_elder_view_is_a_page_of_its_own(
    app: Flask, client: FlaskClient, version: Version, asked: list[str]
) -> None:
    elder = app.test_client()
    elder.set_cookie("view", "elder")
    for _ in range(2):
        assert '<html lang="zh-Hans">' in client.get(DRAFT).text
        assert '<html lang="zh-Hans" class="elder">' in elder.get(DRAFT).text
    assert len(asked) == 2
    for odd in ("plain", "ELDER", "x" * 500):
        other = app.test_client()
        other.set_cookie("view", odd)
        assert other.get(DRAFT).data == client.get(DRAFT).data
    assert len(asked) == 2


def test_what_is_not_public_is_never_answered_to_outsiders(app: Flask, client: FlaskClient) -> None:
    hidden = a_consultation(phase=Phase.PREPARING)
    a_published_draft(hidden)
    officer = app.test_client()
    people.sign_in(officer, people.make("drc_staff"))
    for _ in range(2):
        assert client.get(DRAFT).status_code == 404
        seen = officer.get(DRAFT)
        assert seen.status_code == 200
        assert seen.headers["Cache-Control"] == "no-store"


def test_a_draft_that_was_not_there_yet_is_not_missing_for_ever(
    client: FlaskClient, consultation: Consultation
) -> None:
    assert client.get(DRAFT).status_code == 404
    a_published_draft(consultation)
    assert client.get(DRAFT).status_code == 200
    assert client.get(f"{DRAFT}?chapter=2").status_code == 404
    assert client.get(f"{DRAFT}?chapter=99").status_code == 404
    assert client.get(f"{DRAFT}?v=9").status_code == 404
    assert client.get(f"{DRAFT}?v=x").status_code == 400


def test_another_host_neither_gets_nor_poisons_the_page(
    client: FlaskClient, version: Version
) -> None:
    own = client.get(DRAFT)
    strange = client.get(DRAFT, headers={"Host": "evil.example"})
    assert strange.status_code == 200
    assert b"evil.example" not in client.get(DRAFT).data
    assert client.get(DRAFT).data == own.data


def test_a_host_that_is_not_trusted_is_refused_also_when_the_page_is_kept(
    app: Flask, client: FlaskClient, version: Version
) -> None:
    app.config["TRUSTED_HOSTS"] = ["localhost"]
    assert client.get(DRAFT).status_code == 200
    for host in ("evil.example", "localhost.evil.example", "localhost:99999x", "a b"):
        answer = client.get(DRAFT, headers={"Host": host})
        assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert client.get(DRAFT).status_code == 200


@pytest.mark.parametrize("query", ["?%ff", "?v=%00", "?" + "x" * 4001])
def test_odd_addresses_are_refused_although_the_page_is_kept(
    client: FlaskClient, version: Version, query: str
) -> None:
    client.get(DRAFT)
    assert client.get(DRAFT + query).status_code == 400


# --- when the database does not answer -----------------------------------------------------------


def test_a_database_that_does_not_answer_is_said_in_words_and_forgotten(
    client: FlaskClient, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get(DRAFT)

    def lost(*_: object, **__: object) -> list[object]:
        raise sa.exc.OperationalError("SELECT", None, Exception("gone"))

    monkeypatch.setattr(Reader, "rows", lost)
    answer = client.get(DRAFT)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "SELECT" not in answer.text
    monkeypatch.undo()
    assert client.get(DRAFT).status_code == 200


def test_the_drivers_own_errors_are_told_like_the_sessions() -> None:
    reader = Reader(db.engine)
    try:
        with pytest.raises(sa.exc.OperationalError):
            reader.rows(sa.select(sa.column("x")).select_from(sa.table("no_such_table")))
    finally:
        reader.close()


def test_reading_leaves_no_connection_behind(client: FlaskClient, version: Version) -> None:
    client.get(DRAFT)
    for number in range(30):
        if number % 3 == 0:
            an_opinion(version, 2)
        client.get(DRAFT)
    db.session.commit()
    assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


# --- how much is kept ----------------------------------------------------------------------------


def a_page(words: str) -> Page:
    return Page(1, words.encode())


def test_the_page_that_was_read_longest_ago_goes_first() -> None:
    store = PageStore(most=2)
    for name in ("a", "b"):
        store.keep(name, a_page(name))
    assert store.get("a") is not None
    store.keep("c", a_page("c"))
    assert store.get("b") is None
    assert store.get("a") is not None
    assert store.get("c") is not None


def test_pages_are_dropped_by_size_too() -> None:
    store = PageStore(most=100, most_bytes=100)
    for name in "abcd":
        store.keep(name, a_page(name * 40))
    assert [name for name in "abcd" if store.get(name)] == ["c", "d"]
    # One that grew counts with its new size, one that shrank with its own.
    store.keep("c", a_page("c" * 10))
    store.keep("e", a_page("e" * 50))
    assert [name for name in "cde" if store.get(name)] == ["c", "d", "e"]
    store.keep("d", a_page("d" * 99))
    assert [name for name in "cde" if store.get(name)] == ["d"]
    store.keep("f", a_page("f" * 101))
    assert store.get("f") is None
    store.keep("g", a_page("g"))
    assert store.get("g") is not None


def test_endless_addresses_of_one_page_take_no_endless_room(
    app: Flask, client: FlaskClient, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(client.get(DRAFT).data)
    store = PageStore(most_bytes=5 * size)
    app.wsgi_app._store = store  # type: ignore[attr-defined]
    for number in range(20):
        client.get(f"{DRAFT}?from=chat{number}")
    kept = [page for page in store._pages.values() if isinstance(page, Live)]
    assert 1 <= len(kept) <= 5
    assert all(page.page is not None for page in kept)


def test_every_kept_read_works_without_flask_at_all(
    app: Flask, client: FlaskClient, version: Version
) -> None:
    """The layer is plain WSGI: asked directly, it answers with what the client got."""
    expected = client.get(DRAFT)
    heard: list[Any] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": DRAFT,
        "QUERY_STRING": "",
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
    }
    body = b"".join(app.wsgi_app(environ, lambda *said: heard.append(said)))
    assert body == expected.data
    assert heard[0][0] == "200 OK"
    assert "wenji.live" not in environ
    assert pages.MOST_PAGES == 200
