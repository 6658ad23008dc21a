"""The index of terms at 1,000 and 10,000 opinions (or as WENJI_BENCH_SIZES says, with commas): what a
read costs, what one more opinion costs, and how long reading again takes with one process and with
two. The reference of a read is going once through every term id that is held. CPU time, so that a
busy machine says the same."""

import datetime as dt
import itertools
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench import material
from bench.measure import say, site, spent
from consult import screening, submissions, term_index, term_jobs
from consult.analysis import contrast
from consult.analysis.lexicon import Lexicon
from consult.consultations import Consultation
from consult.submissions import Opinion, Submission, SubmissionState
from consult.terms.reading import Batch, Chunk, read
from consult.terms.shelf import Filters, View, top
from core import audit, executors, jobs
from core.db import db

SIZES = tuple(map(int, os.environ.get("WENJI_BENCH_SIZES", "1000,10000").split(",")))
# {what: {opinions: milliseconds}}, for the table of growth.
GROWTH: dict[str, dict[int, float]] = {}
# {opinions: milliseconds an opinion costs the process that stores what others read}.
STORING: dict[int, float] = {}
# So many that a look for cycles, a tenth of a second in each process, does not decide.
PIECES, PIECE = 48, 1_000


def run() -> None:
    """The table of cost, then one process against two."""
    for size in SIZES:
        with site(CLOCK=lambda: material.NOW):
            made, version = material.consultation()
            material.opinions(made, version, size)
            _of(size, made)
    _table()
    _two_processes()


def _table() -> None:
    """Every cost by size, and by how much it grew for each tenfold."""
    print("\nmilliseconds, and growth from size to size")
    for what, costs in GROWTH.items():
        known = [(size, costs[size]) for size in SIZES if size in costs]
        grown = [f"×{b / a:.1f}" for (_n, a), (_m, b) in itertools.pairwise(known) if a]
        said = "  ".join(f"{size:,}: {cost:,.2f}" for size, cost in known)
        print(f"  {what:28} {said}   {' '.join(grown)}")


def _peak() -> float:
    """The most memory this process, or one it started, has held, in MB."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(each).ru_maxrss for each in who) / 1024


def _cpu() -> float:
    """CPU seconds of this process and of those it has started and seen end."""
    taken = os.times()
    return taken.user + taken.system + taken.children_user + taken.children_system


@contextmanager
def _watched(size: int) -> Iterator[None]:
    """Notes in `STORING` what each opinion after the first step costs the process that stores."""
    stores, seen = term_index.store, list[tuple[int, float]]()

    def store(batch: Batch, *rest: Any) -> None:
        stores(batch, *rest)
        seen.append((len(batch.ids), time.process_time()))

    term_index.store = store  # type: ignore[assignment]  # looser in its arguments: it hands them on
    try:
        yield
    finally:
        term_index.store = stores
    if len(seen) > 1:
        later = sum(count for count, _at in seen[1:])
        STORING[size] = (seen[-1][1] - seen[0][1]) * 1000 / later


def _of(size: int, made: Consultation) -> None:
    term_jobs.ask(by=audit.COMMAND_LINE, now=material.NOW)
    db.session.commit()
    begun = _cpu()
    with _watched(size):
        jobs.work(worker="bench", now=lambda: material.NOW)
    rebuilt = _cpu() - begun
    begun = spent()
    view = term_index.shelf(made.id)
    first = (spent() - begun) * 1000
    every = _ms(lambda: sum(int(block.by_row.indices.sum()) for block in view.terms.blocks))
    for what, milliseconds, goal in (
        ("all read again, by the job", rebuilt * 1000, "≤ 240 s of CPU at 1,000,000"),
        ("first read in a process", first, ""),
        *_reads(view, made),
        ("one more shown, in the act", _adding(made), "≤ 5 ms"),
    ):
        name = f"{size:,} opinions: {what}"
        GROWTH.setdefault(what, {})[size] = milliseconds
        reference = "every term id once"
        say(name, milliseconds, "ms", ratio=milliseconds / every, reference=reference, goal=goal)
    GROWTH.setdefault("peak memory, MB", {})[size] = _peak()


def _reads(view: View, made: Consultation) -> list[tuple[str, float, str]]:
    terms = [id for id, _count in top(view.counts(), 50)]
    places = sorted(view.division("place"))
    half = Filters(places=places[::2])
    together = Filters(terms=(terms[0],))

    days = sorted(view.days())
    middle = days[len(days) // 2]
    early, late = Filters(last=middle), Filters(first=middle + dt.timedelta(days=1))

    def compared() -> object:
        by_number, _by_word = term_index.vocabulary()
        masks = [view.select(chosen) for chosen in (early, late)]
        before, after = view.people_of_two(*masks)
        return contrast.compare_arrays(
            lambda found: [by_number[n] for n in found],
            before,
            view.people(masks[0]),
            after,
            view.people(masks[1]),
        )

    def keywords() -> object:
        return top(term_index.shelf(made.id).counts(), 100)

    return [
        ("keyword table", _ms(keywords), "≤ 10 ms"),
        ("trend by day", _ms(lambda: term_index.shelf(made.id).days()), "≤ 10 ms"),
        ("keywords of a selection", _ms(lambda: view.counts(view.select(half))), "≤ 100 ms"),
        ("what goes with a term", _ms(lambda: view.counts(view.select(together))), "≤ 100 ms"),
        ("two periods compared", _ms(compared), "≤ 100 ms"),
        ("section × 50 terms", _ms(lambda: view.table([[p] for p in places], terms)), "≤ 100 ms"),
    ]


def _adding(made: Consultation) -> float:
    """What following one opinion adds to the act that shows it."""
    taken = []
    for number in range(20):
        received = submissions.receive(
            made,
            Opinion(body=f"建议在老旧小区加装电梯，方便老年人上下楼（{number}）。"),
            once_key=f"bench-{number}",
            by=audit.COMMAND_LINE,
            now=material.NOW,
            on_day=material.NOW.date(),
        )
        opinion = db.session.get_one(Submission, received.id)
        screening.decide(opinion, SubmissionState.SHOWN, by=audit.COMMAND_LINE, now=material.NOW)
        begun = spent()
        term_index.follow([received.id])
        taken.append((spent() - begun) * 1000)
        db.session.commit()
    return statistics.median(taken)


def _two_processes() -> None:
    """Reading with one process and with two: by the clock, which says as much of who else is at work
    on the machine, and by CPU time: what the asking process takes and half of what the others take,
    as if nothing of the two went on at once, against all of both."""
    lexicon = _lexicon()
    texts = material.texts(PIECES * PIECE)
    chunks = [
        Chunk(lexicon, [(n, "", texts[n]) for n in range(first, first + PIECE)])
        for first in range(0, len(texts), PIECE)
    ]
    clock, asking, reading = {}, {}, {}
    for workers in (1, 2):
        with site(), executors.executor(workers, scheduler="") as pool:
            # Each process first reads its dictionary and meets the words.
            list(pool.map(_read, chunks[:5] * workers))
            begun, busy = time.perf_counter(), time.process_time()
            each = list(executors.in_order(pool, _read, chunks, ahead=2 * workers))
            clock[workers] = time.perf_counter() - begun
            asking[workers] = time.process_time() - busy
            reading[workers] = sum(taken for _batch, taken in each)
    for what, one, two in (
        ("by the clock", clock[1], clock[2]),
        ("by CPU", asking[2] + reading[2], asking[2] + reading[2] / 2),
    ):
        say(
            f"{len(texts):,} texts read with 2 processes, {what}",
            two,
            "s",
            ratio=one / two,
            reference="as fast as with one",
            goal="≥ 1.7",
        )
    each_read = min(reading.values()) * 1000 / len(texts)
    print(f"  of that an opinion: asking {asking[2] * 1000 / len(texts):.3f} ms CPU, ", end="")
    print(f"reading {each_read:.3f} ms; words known")
    if STORING:
        kept = STORING[max(STORING)]
        say(
            "the job, an opinion more, fetched, read and stored",
            kept + each_read,
            "ms CPU",
            ratio=(kept + each_read) / (kept + each_read / 2),
            reference="as fast with 2 processes as with 1",
            goal="≤ 0.24 ms, ≥ 1.7",
        )
        print(f"  of that in the process that stores: {kept:.3f} ms")


def _read(chunk: Chunk) -> tuple[Batch, float]:
    """What a chunk says, and the CPU seconds that took where it was done."""
    begun = time.process_time()
    batch = read(chunk)
    return batch, time.process_time() - begun


def _lexicon() -> Lexicon:
    """The lexicon of an empty site."""
    with site():
        return term_index.lexicon()


def _ms(call: Callable[[], object], times: int = 20) -> float:
    """The 95th percentile of its milliseconds: the second worst of twenty."""
    call()
    taken = []
    for _time in range(times):
        begun = time.process_time()
        call()
        taken.append((time.process_time() - begun) * 1000)
    return sorted(taken)[int(len(taken) * 0.95) - 1]
