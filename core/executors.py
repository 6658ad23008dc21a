"""Where heavy computing is done: on this machine's cores, or on as many machines as wanted.

What is handed over is a function of a module and plain values, nothing of the database: a pool of
processes by default, the workers of a Dask scheduler when DASK_SCHEDULER names one. The results
come in the order of the pieces, so that both give the same.
"""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from core import children
from core.config import of_site

Piece = TypeVar("Piece")
Result = TypeVar("Result")
# Pieces under way for each worker: enough that none waits while a result is being stored.
AHEAD = 2
# How long a scheduler of other machines may take to answer.
PATIENCE = "15s"


@contextmanager
def executor(workers: int | None = None, *, scheduler: str | None = None) -> Iterator[Executor]:
    """Somewhere to compute, for as long as this context lives.

    `workers`: so many processes of this machine; left out, one a core. `scheduler`: the address of
    a Dask scheduler; left out, the site's setting. A Dask worker needs this code to import.
    """
    address = of_site().dask_scheduler if scheduler is None else scheduler
    if address:
        with _of_dask(address) as there:
            yield there
        return
    count = workers or os.cpu_count() or 1
    stay: Stay | None = getattr(_here, "stay", None)
    if stay is None:
        with _pool(count) as pool:
            yield pool
        return
    try:
        yield stay.pool(count)
    except BrokenExecutor:
        stay.end()
        raise


def _pool(count: int) -> ProcessPoolExecutor:
    # Spawned, not forked: whoever asks has threads and a database open.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=context, initializer=children.end_with_parent)


class Stay:
    """A pool of processes that is there for one task after the other: to begin one takes as long as
    reading thousands of opinions."""

    def __init__(self) -> None:
        self._kept: tuple[int, ProcessPoolExecutor] | None = None

    def pool(self, count: int) -> ProcessPoolExecutor:
        """A pool of so many processes: the last one, if it has as many."""
        if self._kept is None or self._kept[0] != count:
            self.end()
            self._kept = (count, _pool(count))
        return self._kept[1]

    def end(self) -> None:
        """Send the processes home, when nothing is left to do."""
        if self._kept is not None:
            self._kept[1].shutdown()
            self._kept = None


_here = threading.local()


@contextmanager
def staying() -> Iterator[Stay]:
    """Keep the processes that are begun in this thread from one task to the next until this is left,
    or the stay is ended."""
    _here.stay = stay = Stay()
    try:
        yield stay
    finally:
        del _here.stay
        stay.end()


@contextmanager
def _of_dask(address: str) -> Iterator[Executor]:
    """A scheduler that does not answer, or goes away, is broken like a pool whose process was killed:
    that passes, and who asked tries again."""
    # Only those who use several machines have it installed.
    import distributed  # noqa: PLC0415

    client_of: Any = distributed.Client
    try:
        client = client_of(address, set_as_default=False, timeout=PATIENCE)
    except OSError as silence:
        raise BrokenExecutor(f"{address} does not answer") from silence
    with client:
        try:
            yield client.get_executor(pure=False)
        except (CancelledError, distributed.KilledWorker) as gone:
            raise BrokenExecutor(f"{address} is gone, or its workers are") from gone


def in_order(
    where: Executor | None,
    function: Callable[[Piece], Result],
    pieces: Iterable[Piece],
    *,
    ahead: int | None = None,
) -> Iterator[Result]:
    """What `function` gives for each piece, in their order; so many pieces under way at most. In
    this process, one after the other, where nobody else is to do it."""
    if where is None:
        yield from map(function, pieces)
        return
    most = ahead or AHEAD * (os.cpu_count() or 1)
    under_way: deque[Future[Any]] = deque()
    try:
        for piece in pieces:
            under_way.append(where.submit(function, piece))
            if len(under_way) >= most:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()
