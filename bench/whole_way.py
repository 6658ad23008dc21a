"""10,000 opinions (or as WENJI_BENCH_WHOLE says) on their whole way: handed in as tables, brought in by
the jobs, the index of terms brought up to date by its job, and summarised; by the clock, and CPU time of
this process and of those it starts. The mark is for 100,000 on two cores."""

import csv
import io
import multiprocessing
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import material
from bench.importing import extract_tags_seconds
from bench.measure import say, site
from consult import drafts, import_jobs, intake, summaries, term_jobs
from consult.consultations import Consultation
from consult.drafts import Version
from consult.intake import IntakeState
from consult.readers import tables
from consult.submissions import Channel
from core import audit, executors, jobs, uploads
from core.db import db

COUNT = int(os.environ.get("WENJI_BENCH_WHOLE", "10000"))
REFERENCE = 2_000  # opinions that stock jieba is measured on
TABLE = 20_000  # rows of one: a file may have 25 MB


def run() -> None:
    """Seconds of each part and of the whole, against stock jieba's for as many texts."""
    reference = extract_tags_seconds(REFERENCE) * COUNT / REFERENCE
    with site(CLOCK=lambda: material.NOW, SECRET_KEY="bench"):
        made, version = material.consultation()
        files = list(_files(version))
        # As the worker has it: what was started for one job is there for the next.
        with (
            _timed("the whole way", reference, f"≤ {60 * COUNT / 100_000:g} s"),
            executors.staying() as stay,
        ):
            with _timed("brought in", reference, "none"):
                for file in files:
                    _bring_in(file, made, version)
            with _timed("read into the index", reference, "none"):
                term_jobs.ask(by=audit.COMMAND_LINE, now=material.NOW)
                db.session.commit()
                assert jobs.work(worker="bench", now=lambda: material.NOW)
            stay.end()
            with _timed("summarised", reference, "none"):
                db.session.refresh(made)
                assert made.shown == COUNT
                summaries.make(made, by=audit.COMMAND_LINE, now=material.NOW)
                db.session.commit()
        peaks = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        most = [resource.getrusage(each).ru_maxrss // 1024 for each in peaks]
        print(f"most memory: {most[0]} MB here, {most[1]} MB in one that was started")


def _files(version: Version) -> Iterator[bytes]:
    """The opinions as tables, spread over the chapters of the draft."""
    chapters = [heading.text for heading in drafts.outline(version).headings]
    texts = material.texts(COUNT)
    for start in range(0, COUNT, TABLE):
        file = io.StringIO()
        table = csv.writer(file)
        table.writerow(("body", "section", "day"))
        for place, body in enumerate(texts[start : start + TABLE], start):
            day = f"2020-10-{place % 20 + 1:02d}"
            table.writerow((body, chapters[place % len(chapters)], day))
        yield file.getvalue().encode()


def _bring_in(file: bytes, made: Consultation, version: Version) -> None:
    by, now = audit.COMMAND_LINE, material.NOW
    begun = intake.begin(
        made,
        channel=Channel.LETTER,
        filename="letters.csv",
        data=file,
        stored_as=uploads.keep(file),
        to_queue=False,
        by=by,
        now=now,
    )
    import_jobs.start(
        tables.read(file, filename=begun.filename),
        begun,
        made,
        mapping={"body": "body", "section": "section", "received_on": "day"},
        version_id=version.id,
        on_day=now.date(),
        by=by,
        now=now,
    )
    db.session.commit()
    assert jobs.work(worker="bench", now=lambda: now)
    db.session.refresh(begun)
    assert begun.state is IntakeState.DONE, begun.errors


@contextmanager
def _timed(what: str, reference: float, goal: str) -> Iterator[None]:
    begun, cpu = time.perf_counter(), _cpu()
    yield
    seconds, cpu = time.perf_counter() - begun, [b - a for a, b in zip(cpu, _cpu(), strict=True)]
    name = f"{COUNT:,} opinions: {what} ({cpu[0]:.1f} + {cpu[1]:.1f} s CPU)"
    tags = "jieba.analyse.extract_tags"
    say(name, seconds, "s", ratio=seconds / reference, reference=tags, goal=goal)


def _cpu() -> tuple[float, float]:
    """CPU seconds of this process, and of those it has started."""
    taken = os.times()
    living = sum(_taken_by(each.pid) for each in multiprocessing.active_children())
    return taken.user + taken.system, living + taken.children_user + taken.children_system


def _taken_by(pid: int | None) -> float:
    """CPU seconds of a process that runs yet."""
    after_its_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, after_its_name[11:13])) / os.sysconf("SC_CLK_TCK")
