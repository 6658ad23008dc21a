"""Many at once: acts that begin at the same moment, each in a thread of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """What `act(0)` … `act(count - 1)` return when they all start at the same moment."""
    barrier = Barrier(count)

    def run(number: int) -> T:
        barrier.wait(timeout=30)
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
