"""A draft page of 60 paragraphs with many opinions, against a bare Flask page."""

import itertools
import statistics
import time
from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask

from bench import material
from bench.measure import MS, cpu_ms, getter, hello, say, site
from consult.consultations import Consultation
from core.db import db


def run() -> None:
    """CPU of the page when something changed, when nothing did, and as opinions grow."""
    for count in (0, 5_000, 50_000):
        with site(CLOCK=lambda: material.NOW) as app:
            made, version = material.consultation()
            if count:
                material.opinions(made, version, count)
            _measure(app, count)


def _measure(app: Flask, count: int) -> None:
    path = "/consultations/bench/draft"
    bare = getter(hello(), "/")
    page = getter(app, path)
    page()
    etag = page.headers["ETag"]  # type: ignore[attr-defined]  # kept on the function
    unchanged = getter(app, path, {"HTTP_IF_NONE_MATCH": etag})
    stamps = itertools.count(10_000_000)

    def changed() -> None:
        # What a new opinion does to the page: its stamp moves, so it is rendered again.
        db.session.execute(sa.update(Consultation).values(stamp=next(stamps)))
        db.session.commit()

    figures = cpu_ms({"bare": bare, "kept": page, "304": unchanged})
    rendered = _median_after(changed, page)
    reference = figures["bare"]
    for what, value, goal in (
        (f"draft page, {count} opinions, after a change", rendered, "≤ 12"),
        (f"draft page, {count} opinions, kept", figures["kept"], "≤ 3"),
        (f"draft page, {count} opinions, 304", figures["304"], "≤ 3"),
    ):
        say(what, value, MS, ratio=value / reference, reference="bare Flask page", goal=goal)


def _median_after(change: Callable[[], None], call: Callable[[], object]) -> float:
    """Median CPU milliseconds of `call` right after `change`."""
    taken = []
    for _round in range(100):
        change()
        begun = time.process_time()
        call()
        taken.append((time.process_time() - begun) * 1000)
    return statistics.median(taken)
