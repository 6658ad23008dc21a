"""Finding and listing among 100,000 shown opinions, against SQL's own scan and a bare Flask page.

`FINDING_OPINIONS` asks for another number of opinions.
"""

import os
from collections.abc import Callable
from urllib.parse import quote

import sqlalchemy as sa

from bench import material
from bench.measure import MS, cpu_ms, getter, hello, say, site
from consult import search, search_text
from consult.search import Query
from consult.search_documents import Kind, SearchDocument
from consult.submissions import Submission, SubmissionState
from core import postings
from core.db import db

COUNT = int(os.environ.get("FINDING_OPINIONS", "100000"))
# Cut from the middle of an opinion of the material: see `_asked`.
LONG = 40


def run() -> None:
    """CPU of a search for what is frequent, rare, long, absent and awkward; and of the lists."""
    with site(CLOCK=lambda: material.NOW) as app:
        made, version = material.consultation()
        seconds = material.opinions(made, version, COUNT)
        with_index = _sizes()
        print(f"{COUNT} opinions brought in and made findable in {seconds:.1f} s; {with_index}")
        asked = _asked()
        scans = {what: _scan(words) for what, words in asked.items()}
        pages = {
            what: getter(app, f"/search?q={quote(words)}&in=opinion")
            for what, words in asked.items()
        }
        lists = {
            "public opinions": "/consultations/bench/opinions",
            "public opinions, one stance and channel": (
                "/consultations/bench/opinions?channel=letter&since=2020-10-05&until=2020-10-06"
            ),
            "public opinions, deep in the list": f"/consultations/bench/opinions?before={COUNT // 2}",
            "consultations": "/consultations/",
        }
        calls = {"bare": getter(hello(), "/")} | {
            f"list {k}": getter(app, v) for k, v in lists.items()
        }
        calls |= {f"find {k}": _finder(words) for k, words in asked.items()}
        calls |= {f"page {k}": v for k, v in pages.items()}
        found = cpu_ms(calls, rounds=7, each=3)
        scanned = cpu_ms(scans, rounds=3, each=1)
        for what in asked:
            for name, key, goal in (
                ("found and counted", "find", "≤ 10, never over 100"),
                ("the page with all kinds", "page", "≤ 100"),
            ):
                value = found[f"{key} {what}"]
                say(
                    f"{what}: {name}",
                    value,
                    MS,
                    ratio=value / scanned[what],
                    reference=f"SQL LIKE over all ({scanned[what]:.0f} ms)",
                    goal=goal,
                )
        for what in lists:
            value = found[f"list {what}"]
            say(
                f"list of {what}",
                value,
                MS,
                ratio=value / found["bare"],
                reference="bare Flask page",
                goal="≤ 20",
            )


def _asked() -> dict[str, str]:
    body = db.session.scalar(sa.select(Submission.body).where(Submission.id == COUNT // 3)) or ""
    folded = search_text.fold(body).replace(" ", "")
    return {
        "two frequent characters": "建议",
        "a word": "电梯",
        "two rare characters": "鹦鹉",
        "a long quotation": folded[10 : 10 + LONG] or "加装电梯",
        "pairs without their words": "建议建议",
        "what nobody wrote": "齉龘麤",
    }


def _scan(words: str) -> Callable[[], object]:
    """What a page without an index would do: a full scan for a page and its count."""
    query = sa.select(sa.func.count()).where(
        Submission.state == SubmissionState.SHOWN, Submission.body.contains(words)
    )
    return lambda: db.session.scalar(query)


def _finder(words: str) -> Callable[[], object]:
    """The first page of opinions with the words, and how many there are."""
    query = Query(kind=Kind.OPINION, needles=tuple(search_text.needles(words)))
    return lambda: search.begin(query, limit=20)


def _sizes() -> str:
    """How much room the index takes beside the opinions."""
    if db.engine.dialect.name == "postgresql":
        size = sa.text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
        lists, words = (
            db.session.scalar(size, {"name": name}) or 0
            for name in (postings.NAME, SearchDocument.__tablename__)
        )
        return f"words {words / 2**20:.0f} MB, lists {lists / 2**20:.0f} MB"
    pages = "SELECT sum(pgsize) FROM dbstat WHERE name LIKE :name"
    try:
        lists = db.session.scalar(sa.text(pages), {"name": "search_posting%"}) or 0
        words = db.session.scalar(sa.text(pages), {"name": SearchDocument.__tablename__}) or 0
    except sa.exc.OperationalError:
        return "sizes unknown: this SQLite has no dbstat"
    return f"words {words / 2**20:.0f} MB, lists {lists / 2**20:.0f} MB"
