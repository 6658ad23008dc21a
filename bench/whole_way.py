"""10,000 opinions (or as WENJI_BENCH_WHOLE says) brought in, read into the index of terms by its job,
and summarised, one after the other: by the clock, and CPU time of all processes in it. The mark is for
100,000 on two cores."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import material
from bench.importing import extract_tags_seconds
from bench.measure import say, site
from consult import summaries, term_jobs
from core import audit, jobs
from core.db import db

COUNT = int(os.environ.get("WENJI_BENCH_WHOLE", "10000"))
REFERENCE = 2_000  # opinions that stock jieba is measured on


def run() -> None:
    """Seconds of each part and of the whole, against stock jieba's for as many texts."""
    reference = extract_tags_seconds(REFERENCE) * COUNT / REFERENCE
    with site(CLOCK=lambda: material.NOW):
        made, version = material.consultation()
        with _timed("the whole way", reference, f"≤ {60 * COUNT / 100_000:g} s"):
            with _timed("brought in", reference, ""):
                material.opinions(made, version, COUNT)
            with _timed("read into the index", reference, ""):
                term_jobs.ask(by=audit.COMMAND_LINE, now=material.NOW)
                db.session.commit()
                jobs.work(worker="bench", now=lambda: material.NOW)
            with _timed("summarised", reference, ""):
                db.session.refresh(made)
                summaries.make(made, by=audit.COMMAND_LINE, now=material.NOW)
                db.session.commit()


@contextmanager
def _timed(what: str, reference: float, goal: str) -> Iterator[None]:
    begun, cpu = time.perf_counter(), _cpu()
    yield
    seconds, cpu = time.perf_counter() - begun, _cpu() - cpu
    name = f"{COUNT:,} opinions: {what} ({cpu:.1f} s CPU)"
    tags = "jieba.analyse.extract_tags"
    say(name, seconds, "s", ratio=seconds / reference, reference=tags, goal=goal)


def _cpu() -> float:
    """CPU seconds of this process and of those it has started and seen end."""
    taken = os.times()
    return taken.user + taken.system + taken.children_user + taken.children_system
