"""Counting in memory at 10,000 and 100,000 opinions (1,000,000 with WENJI_BENCH_MOST), without a
database: what any selection, table, co-occurrence and comparison cost one process. Real opinions are
read once and stand many times over, each time on other days, places and people. CPU time, so that a
busy machine says the same."""

import datetime as dt
import itertools
import os
import resource
import time
from collections.abc import Callable, Iterator

import numpy as np

from bench import material
from bench.measure import say, site
from consult import term_index
from consult.analysis import contrast
from consult.terms import reading
from consult.terms.reading import Batch, Chunk
from consult.terms.shelf import Filters, Row, Shelf, View, top

SIZES = (10_000, 100_000, 1_000_000)
READ, STEP, PLACES, DAYS = 10_000, 20_000, 60, 45
FIRST = dt.date(2020, 10, 1).toordinal()


def run() -> None:
    """The table, by size."""
    with site():
        lexicon = term_index.lexicon()
        texts = material.texts(READ)
    begun = time.process_time()
    batch = reading.read(Chunk(lexicon, [(n, "", text) for n, text in enumerate(texts)]))
    taken = time.process_time() - begun
    print(
        f"{READ:,} opinions read in {taken:.1f} s of CPU, dictionaries and words new to the process"
    )
    most = int(os.environ.get("WENJI_BENCH_MOST", SIZES[1]))
    for size in SIZES:
        if size <= most:
            _measure(size, batch)


def _measure(size: int, batch: Batch) -> None:
    shelf, begun = Shelf(), time.process_time()
    for rows in _rows(batch, size):
        shelf.put(rows)
    view = shelf.view()
    filled = (time.process_time() - begun) * 1000
    every = _ms(lambda: sum(int(block.by_row.indices.sum()) for block in view.terms.blocks))
    for what, milliseconds, goal in (
        ("filled in a new process", filled, ""),
        *_reads(view, batch.words),
    ):
        name = f"{size:,}: {what}"
        reference = "every term id once"
        say(name, milliseconds, "ms", ratio=milliseconds / every, reference=reference, goal=goal)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{size:,}: {view.terms.size:,} postings, peak memory {peak:,.0f} MB (goal ≤ 1,500 at 1,000,000)"
    )


def _rows(batch: Batch, size: int) -> Iterator[list[Row]]:
    ids = np.arange(1, len(batch.words) + 1, dtype=np.uint32)
    terms = reading.blobs(batch.starts, batch.terms, ids)
    against = reading.blobs(batch.opposed_starts, batch.opposed, ids)
    random = np.random.default_rng(1)
    for first in range(0, size, STEP):
        numbers = range(first, min(first + STEP, size))
        facts = zip(
            numbers,
            random.integers(0, PLACES, len(numbers)).tolist(),
            random.integers(0, 5, len(numbers)).tolist(),
            random.integers(0, DAYS, len(numbers)).tolist(),
            # One in five comes from somebody who has written before.
            random.integers(0, max(1, size * 4 // 5), len(numbers)).tolist(),
            strict=True,
        )
        yield [
            Row(
                id=n + 1,
                place=place,
                channel=channel,
                stance=batch.stances[n % READ],
                declared=False,
                day=FIRST + day,
                person=person,
                terms=terms[n % READ],
                opposed=against[n % READ],
            )
            for n, place, channel, day, person in facts
        ]


def _reads(view: View, words: tuple[str, ...]) -> list[tuple[str, float, str]]:
    terms = [id for id, _count in top(view.counts(), 50)]
    middle = dt.date.fromordinal(FIRST + DAYS // 2)
    half = Filters(places=range(0, PLACES, 2), channels=(1, 2))

    def compared() -> object:
        masks = [
            view.select(chosen)
            for chosen in (Filters(last=middle), Filters(first=middle + dt.timedelta(days=1)))
        ]
        early, late = view.people_of_two(*masks)
        return contrast.compare_arrays(
            lambda found: [words[n - 1] for n in found],
            early,
            view.people(masks[0]),
            late,
            view.people(masks[1]),
        )

    groups = [[place] for place in range(PLACES)]
    goal = "≤ 100 ms"
    return [
        ("keyword table", _ms(lambda: top(view.counts(), 100)), "≤ 10 ms"),
        ("trend by day", _ms(lambda: view.days()), "≤ 10 ms"),
        ("keywords of a selection", _ms(lambda: view.counts(view.select(half))), goal),
        ("what goes with a term", _ms(lambda: view.counts(view.select(_of(terms[0])))), goal),
        ("section × 50 terms", _ms(lambda: view.table(groups, terms)), goal),
        ("two periods compared, by people", _ms(compared, 5), goal),
    ]


def _of(term: int) -> Filters:
    return Filters(terms=(term,))


def _ms(call: Callable[[], object], times: int = 12) -> float:
    """The second worst of so many, in CPU milliseconds."""
    call()
    taken = []
    for _time in itertools.repeat(None, times):
        begun = time.process_time()
        call()
        taken.append((time.process_time() - begun) * 1000)
    return sorted(taken)[-2]
