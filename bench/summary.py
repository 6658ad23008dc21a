"""The summary of 5,000 opinions: counting it and reading it, against stock jieba and a bare page."""

import time

from bench import material
from bench.importing import extract_tags_seconds
from bench.measure import cpu_ms, getter, hello, say, site
from consult import summaries
from core import audit
from core.db import db

COUNT = 5_000


def run() -> None:
    """Seconds to count, milliseconds to read the page published to residents."""
    with site(CLOCK=lambda: material.NOW) as app:
        made, version = material.consultation()
        material.opinions(made, version, COUNT)
        db.session.refresh(made)
        begun = time.perf_counter()
        summary = summaries.make(made, by=audit.COMMAND_LINE, now=material.NOW)
        db.session.commit()
        counted = time.perf_counter() - begun
        summaries.publish(summary, by=audit.COMMAND_LINE, now=material.NOW)
        db.session.commit()
        reading = _reading(app, "/consultations/bench/summary")
        kept = cpu_ms(
            {"bare": getter(hello(), "/"), "page": getter(app, "/consultations/bench/summary")}
        )
    reference = extract_tags_seconds(COUNT)
    tags = "jieba.analyse.extract_tags over the same texts"
    say(
        f"count {COUNT} opinions",
        counted,
        "s",
        ratio=counted / reference,
        reference=tags,
        goal="≤ 5 s",
    )
    bare = kept["bare"]
    page = "bare Flask page"
    say("read it, first in a process", reading, "ms", ratio=reading / bare, reference=page, goal="")
    say("read it", kept["page"], "ms", ratio=kept["page"] / bare, reference=page, goal="≤ 100 ms")


def _reading(app: "object", path: str) -> float:
    begun = time.perf_counter()
    getter(app, path)()  # type: ignore[arg-type]  # a Flask application
    return (time.perf_counter() - begun) * 1000
