"""Reading opinions again in the background: after the lexicon has changed, and what came in by the
thousand. One step is read on other cores or machines while the last one is being stored."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import term_index
from consult.analysis.lexicon import Lexicon
from consult.term_index import Piece
from consult.terms.reading import Batch, Chunk, read, version_of
from core import audit, executors, jobs

REBUILD = "index.rebuild"
# Opinions in one step: a second or so of reading, some hundredths of storing.
STEP = 4000


@jobs.kind(REBUILD, _l("更新词语索引"))
def rebuild(run: jobs.Run) -> dict[str, Any]:
    """Read every entry that was not read with the lexicon in force. What is asked again after a
    kill is only what is still outdated, so no step is done twice."""
    if not run.checkpoint:
        term_index.enter_missing()
        if run.arguments.get("all"):
            term_index.forget_readings()
    lexicon, reading = _in_force()
    # Counted anew: how many there are now, and how many this job has done before.
    done = run.checkpoint.get("done", 0)
    total = done + term_index.outdated(reading)
    run.progress(done, total, {"done": done})
    numbering = term_index.Numbering()
    with _executor(total - done) as where:
        # A second pass finds what came in behind the first.
        while term_index.any_outdated(reading):
            before = done
            for piece, batch in _read(run, where, lexicon, reading):
                term_index.store(batch, piece, reading, numbering)
                done += len(batch.ids)
                run.progress(done, max(total, done), {"done": done})
            if term_index.lexicon() != lexicon:
                # Changed meanwhile. Going on with the old one, this job and the next, in the hands of
                # another worker, would read for ever what the other has just read.
                lexicon, reading = _in_force()
                total = done + term_index.outdated(reading)
            elif done == before:
                break
        # Nor while the other processes are sent home.
        run.release()
    return {"words": _("已按现行词典读过%(n)d件意见。", n=done)}


def _in_force() -> tuple[Lexicon, int]:
    """The lexicon and the number of the way of reading with it."""
    lexicon = term_index.lexicon()
    return lexicon, term_index.reading_of(version_of(lexicon))


@contextmanager
def _executor(count: int) -> Iterator[Executor | None]:
    """Other processes when it is worth starting them."""
    if count <= STEP:
        yield None
        return
    with executors.executor() as where:
        yield where


def _read(
    run: jobs.Run, where: Executor | None, lexicon: Lexicon, reading: int
) -> Iterator[tuple[Piece, Batch]]:
    taken: list[Piece] = []

    def chunks() -> Iterator[Chunk]:
        for piece in term_index.pieces(lexicon, reading, after=0, size=STEP):
            changed = term_index.lexicon() != lexicon
            # Nobody who writes has to wait while this is read.
            run.release()
            if changed:
                return
            taken.append(piece)
            yield piece.chunk
        # Looking for more has begun a transaction, too, and what is being read takes a while yet.
        run.release()

    for batch in executors.in_order(where, read, chunks()):
        yield taken.pop(0), batch


def ask(*, whole: bool = False, by: audit.Actor, now: dt.datetime) -> jobs.Job:
    """Have the index brought up to date; `whole`: have everything read again."""
    return jobs.ask(REBUILD, {"all": True} if whole else None, by=by, now=now, once=True)


def look_after(at: dt.datetime) -> None:
    """Ask for a rebuild when anything has not been read with the lexicon in force."""
    newest = jobs.newest(REBUILD)
    if newest is not None and newest.state is not jobs.JobState.DONE:
        # Under way; or stopped, and then a person decides.
        return
    version = version_of(term_index.lexicon())
    if term_index.any_outdated(term_index.reading_of(version)):
        ask(by=audit.SYSTEM, now=at)
