"""The index of terms at 1,000, 10,000 and 100,000 opinions (1,000,000 with WENJI_BENCH_BIG): what a
read costs, what one more opinion costs, and how long reading again takes with one process and with
two. The reference of a read is going once through every term id that is held."""

import datetime as dt
import itertools
import os
import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from bench import material
from bench.measure import say, site
from consult import screening, submissions, term_index, term_jobs, term_reading, term_shelf
from consult.analysis import contrast
from consult.consultations import Consultation
from consult.submissions import Opinion, Submission, SubmissionState
from consult.term_reading import Chunk
from consult.term_shelf import Filters, View
from core import audit, executors, jobs
from core.db import db

SIZES = (1_000, 10_000, 100_000)
BIG = 1_000_000
# {what: {opinions: milliseconds}}, for the table of growth.
GROWTH: dict[str, dict[int, float]] = {}
PIECES, PIECE = 8, 1_000


def run() -> None:
    """The table of cost, then one process against two."""
    sizes = (*SIZES, BIG) if os.environ.get("WENJI_BENCH_BIG") else SIZES
    if asked := os.environ.get("WENJI_BENCH_SIZES"):
        sizes = tuple(map(int, asked.split(",")))
    for size in sizes:
        with site(CLOCK=lambda: material.NOW):
            made, version = material.consultation()
            material.opinions(made, version, size)
            _of(size, made)
    _table(sizes)
    _two_processes()


def _table(sizes: tuple[int, ...]) -> None:
    """Every cost by size, and by how much it grew for each tenfold."""
    print("\nmilliseconds, and growth from size to size")
    for what, costs in GROWTH.items():
        known = [(size, costs[size]) for size in sizes if size in costs]
        grown = [f"×{b / a:.1f}" for (_n, a), (_m, b) in itertools.pairwise(known) if a]
        said = "  ".join(f"{size:,}: {cost:,.2f}" for size, cost in known)
        print(f"  {what:28} {said}   {' '.join(grown)}")


def _peak() -> float:
    """The most memory this process, or one it started, has held, in MB."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(each).ru_maxrss for each in who) / 1024


def _of(size: int, made: Consultation) -> None:
    term_jobs.ask(by=audit.COMMAND_LINE, now=material.NOW)
    db.session.commit()
    begun = time.perf_counter()
    jobs.work(worker="bench", now=lambda: material.NOW)
    rebuilt = time.perf_counter() - begun
    begun = time.perf_counter()
    view = term_index.shelf(made.id)
    first = (time.perf_counter() - begun) * 1000
    every = _ms(lambda: int(view.terms.indices.sum()))
    for what, milliseconds, goal in (
        ("all read again, by the job", rebuilt * 1000, "≤ 120 s at 1,000,000"),
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
    terms = [id for id, _count in term_shelf.top(view.counts(), 50)]
    places = sorted(view.division("place"))
    half = Filters(places=places[::2])
    together = Filters(terms=(terms[0],))

    days = sorted(view.days())
    middle = days[len(days) // 2]
    early, late = Filters(last=middle), Filters(first=middle + dt.timedelta(days=1))

    def compared() -> object:
        by_number, _by_word = term_index.vocabulary()
        sides = []
        for chosen in (early, late):
            mask = view.select(chosen)
            counts = view.people_by_term(mask)
            held = np.flatnonzero(counts).tolist()
            sides.append((Counter({by_number[n]: int(counts[n]) for n in held}), view.people(mask)))
        (a, n_a), (b, n_b) = sides
        return contrast.compare_counts(a, n_a, b, n_b)

    def keywords() -> object:
        return term_shelf.top(term_index.shelf(made.id).counts(), 100)

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
        begun = time.perf_counter()
        term_index.follow([received.id])
        taken.append((time.perf_counter() - begun) * 1000)
        db.session.commit()
    return statistics.median(taken)


def _two_processes() -> None:
    lexicon = _lexicon()
    texts = material.texts(PIECES * PIECE)
    chunks = [
        Chunk(lexicon, [(n, "", texts[n]) for n in range(first, first + PIECE)])
        for first in range(0, len(texts), PIECE)
    ]
    taken = {}
    for workers in (1, 2):
        with site(), executors.executor(workers, scheduler="") as pool:
            # Each process first reads its dictionary.
            list(pool.map(term_reading.read, chunks[:1] * workers * 2))
            begun = time.perf_counter()
            list(executors.in_order(pool, term_reading.read, chunks, ahead=2 * workers))
            taken[workers] = time.perf_counter() - begun
    say(
        f"{len(texts):,} texts read with 2 processes",
        taken[2],
        "s",
        ratio=taken[1] / taken[2],
        reference="as fast as with one",
        goal="≥ 1.7",
    )


def _lexicon() -> term_index.Lexicon:
    """The lexicon of an empty site."""
    with site():
        return term_index.lexicon()


def _ms(call: Callable[[], object], times: int = 20) -> float:
    """The 95th percentile of its milliseconds: the second worst of twenty."""
    call()
    taken = []
    for _time in range(times):
        begun = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begun) * 1000)
    return sorted(taken)[int(len(taken) * 0.95) - 1]
