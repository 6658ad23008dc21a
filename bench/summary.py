"""The summary of 5,000 opinions: counting it and reading it, against stock jieba and a bare page."""

import time
from collections.abc import Callable

from bench import material
from bench.importing import extract_tags_seconds
from bench.measure import cpu_ms, getter, hello, say, site
from consult import summaries
from consult.consultations import Consultation
from core import audit
from core.db import db

COUNT = 5_000


def run() -> None:
    """Seconds to count, first in a process and again, and milliseconds to read the page published to
    residents: by the clock, with the CPU time in it, which says the same on a busy machine."""
    with site(CLOCK=lambda: material.NOW) as app:
        made, version = material.consultation()
        material.opinions(made, version, COUNT)
        db.session.refresh(made)
        first = _taken(lambda: _counted(made))
        again = _taken(lambda: _counted(made))
        summary = summaries.of(made)[0]
        summaries.publish(summary, by=audit.COMMAND_LINE, now=material.NOW)
        db.session.commit()
        get = getter(app, "/consultations/bench/summary")
        read = _taken(get)
        kept = cpu_ms({"bare": getter(hello(), "/"), "page": get})
    reference = extract_tags_seconds(COUNT)
    tags = "jieba.analyse.extract_tags over the same texts"
    for what, (seconds, busy) in (("first in a process", first), ("again", again)):
        name = f"{COUNT} opinions counted, {what} ({busy:.1f} s CPU)"
        say(name, seconds, "s", ratio=seconds / reference, reference=tags, goal="≤ 5 s")
    bare, page = kept["bare"], "bare Flask page"
    name, ms = f"read, first in a process ({read[1] * 1000:.0f} ms CPU)", read[0] * 1000
    say(name, ms, "ms", ratio=ms / bare, reference=page, goal="none")
    say("read", kept["page"], "ms", ratio=kept["page"] / bare, reference=page, goal="≤ 100 ms")


def _counted(made: Consultation) -> None:
    summaries.make(made, by=audit.COMMAND_LINE, now=material.NOW)
    db.session.commit()


def _taken(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of CPU."""
    begun, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begun, time.process_time() - busy
