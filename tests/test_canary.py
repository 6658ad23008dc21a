"""A bird in the mine: one word in what is hidden, one in what is masked, one in what is withdrawn.

While the opinions are shown the words are found in every kind of thing the site gives out, so the
search for them has teeth; afterwards they are found in none, whoever asks, without a recount.
"""

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import proposals, screening, submissions, summaries
from consult.decisions import Reason
from consult.originals import Span
from consult.submissions import Opinion, Submission, SubmissionState
from core import accounts, audit
from core.db import db
from core.web import local
from tests import crawl, world
from tests.databases import Databases, close

HIDDEN, MASKED, WITHDRAWN = "长颈鹿", "猫头鹰", "萤火虫"
BIRDS = (HIDDEN, MASKED, WITHDRAWN)
# What stays readable beside them, and is searched for.
BESIDE = "社区影院"
EACH = 5
PEOPLE = ("anonymous", "resident", "unit_staff", "drc_staff", "auditor")
DESK = ("screener", "administrator")
LIST = f"/consultations/{world.OPEN}/opinions"
SUMMARY = f"/consultations/{world.OPEN}/summary"


@pytest.fixture
def site(databases: Databases) -> Iterator[Flask]:
    """A copy of the world."""
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: world.NOON)
    yield app
    close(app)
    databases.discard(place)


def let_in(app: Flask) -> dict[str, list[int]]:
    """{bird: the opinions it is in}, all shown, and summaries that count them, one published."""
    made: dict[str, list[int]] = {bird: [] for bird in BIRDS}
    with app.app_context():
        consultation = world._consultation(world.OPEN)
        for bird in BIRDS:
            for n in range(EACH):
                words = f"建议修建{bird}，{bird}要靠近{BESIDE}{'一二三四五'[n]}。"
                received = submissions.receive(
                    consultation,
                    Opinion(body=words, title=f"关于{bird}", person_key=f"{bird}{n}"),
                    once_key=f"{bird}{n}",
                    by=audit.RESIDENT,
                    now=world.NOON,
                    on_day=local(world.NOON).date(),
                )
                made[bird].append(received.id)
                submission = db.session.get_one(Submission, received.id)
                screening.decide(submission, SubmissionState.SHOWN, by=audit.SYSTEM, now=world.NOON)
        for subject in (consultation, consultation.stage):
            summary = summaries.make(subject, by=audit.SYSTEM, now=world.NOON)
            if subject is consultation:
                summaries.publish(summary, by=audit.SYSTEM, now=world.NOON)
        db.session.commit()
    return made


def take_out(app: Flask, made: dict[str, list[int]]) -> None:
    """Hide, mask and withdraw them, as people do."""
    with app.app_context():
        first, second = (accounts.by_email(world.email(role)) for role in DESK)
        assert first is not None
        assert second is not None
        for each in _each(made[HIDDEN]):
            proposals.propose(each, Reason.ILLEGAL, by=first, now=world.NOON)
            proposals.confirm(each, by=second, now=world.NOON)
        for each in _each(made[MASKED]):
            spans = [
                Span(part, found.start(), found.end())
                for part, text in enumerate((each.title, each.body))
                for found in re.finditer(MASKED, text)
            ]
            assert len(spans) == 3
            screening.mask(each, spans, by=first, now=world.NOON)
        for each in _each(made[WITHDRAWN]):
            screening.withdraw(each, now=world.NOON)
        db.session.commit()


def _each(ids: list[int]) -> list[Submission]:
    return [db.session.get_one(Submission, id) for id in ids]


def addresses(app: Flask) -> list[str]:
    """Every GET of the access table once, each summary's pages and the birds' own, and the lists
    and searches that would bring them up. What stands elsewhere, of other consultations and other
    opinions, the birds were never in."""
    found = [
        world.addresses(app, rule)[0]
        for method, rule in world.routes(app)
        if method == "GET" and rule.endpoint not in ("receipts.show",)
    ]
    with app.app_context():
        consultation = world._consultation(world.OPEN)
        shown = summaries.of(consultation, limit=5)
        others = summaries.of(consultation.stage, limit=2)
        birds = Submission.person_key.in_([f"{bird}{n}" for bird in BIRDS for n in range(EACH)])
        for each in db.session.scalars(sa.select(Submission).where(birds)):
            found.append(f"{LIST}/{each.number}/support")
            found += [f"/desk/summaries/{one.id}/stance/{each.id}" for one in shown[:2]]
        staff = [f"/desk/summaries/{each.id}" for each in (*shown, *others)]
        public = [f"{SUMMARY}?snapshot={each.number}" for each in shown]
    for each in staff:
        found += [each, f"{each}/opinions", f"{each}/document", f"{each}/term?term={BESIDE}"]
    found += public
    found += [f"/search?q={BESIDE}", f"{LIST}?q={BESIDE}", LIST, f"{LIST}?before=99999"]
    return list(dict.fromkeys(found))


def seen(client: FlaskClient, app: Flask) -> dict[str, set[str]]:
    """{bird: the addresses at which it is read}, by following every page of the lists too."""
    client.checks = False  # type: ignore[attr-defined]
    where: dict[str, set[str]] = {bird: set() for bird in BIRDS}
    waiting, known = addresses(app), set[str]()
    while waiting:
        address = waiting.pop(0)
        if address in known:
            continue
        known.add(address)
        answer = client.get(address)
        words = crawl.words_of(answer)
        for bird in BIRDS:
            if bird in words:
                where[bird].add(address.split("?")[0])
        # What the page itself leads to of opinions and summaries, further pages among them.
        waiting += [
            link
            for link in crawl.links(answer, address)
            if "/opinions" in link or "/summar" in link
            if len(known) + len(waiting) < 220
        ]
    return where


def test_what_is_taken_out_is_nowhere(site: Flask) -> None:
    made = let_in(site)
    clients = {person: world.sign_in(site, person) for person in (*PEOPLE, *DESK)}
    before = {person: seen(clients[person], site) for person in ("anonymous", "drc_staff")}
    # The search has teeth: each is read in the list, by search, in the summary and its documents.
    for bird in BIRDS:
        assert {LIST, "/search", SUMMARY} <= before["anonymous"][bird], bird
        documents = {each for each in before["drc_staff"][bird] if each.endswith("/document")}
        assert len(documents) >= 2, bird
    take_out(site, made)
    for person in PEOPLE:
        assert seen(clients[person], site) == {bird: set() for bird in BIRDS}, person
    # Those who screen read what was hidden, and nothing of the others without opening it.
    for person in DESK:
        found = seen(clients[person], site)
        assert found[HIDDEN] <= {"/desk/screening"}, person
        assert (found[MASKED], found[WITHDRAWN]) == (set(), set()), person
    # Counted anew and published, they are not in it either.
    with site.app_context():
        again = summaries.make(world._consultation(world.OPEN), by=audit.SYSTEM, now=world.NOON)
        summaries.publish(again, by=audit.SYSTEM, now=world.NOON)
        db.session.commit()
    for person in ("anonymous", "drc_staff"):
        assert seen(clients[person], site) == {bird: set() for bird in BIRDS}, person


def test_their_authors_pages(site: Flask) -> None:
    made = let_in(site)
    take_out(site, made)
    with site.app_context():
        receipt = {bird: _each(made[bird])[0].receipt for bird in BIRDS}
    client = site.test_client()
    pages = {
        bird: client.get(f"/receipts/{receipt[bird]}").get_data(as_text=True) for bird in BIRDS
    }
    # Only its author holds the number: what was hidden may still be read there.
    assert HIDDEN in pages[HIDDEN]
    assert MASKED not in pages[MASKED]
    assert "■■■" in pages[MASKED]
    assert WITHDRAWN not in pages[WITHDRAWN]


def test_nobody_finds_them_by_their_names(site: Flask) -> None:
    made = let_in(site)
    client = site.test_client()
    for bird in BIRDS:
        for address in (f"/search?q={bird}", f"{LIST}?q={bird}"):
            assert f"{BESIDE}一" in client.get(address).get_data(as_text=True), (bird, address)
    take_out(site, made)
    for bird in BIRDS:
        for address in (f"/search?q={bird}", f"{LIST}?q={bird}"):
            assert f"{BESIDE}" not in client.get(address).get_data(as_text=True), (bird, address)
