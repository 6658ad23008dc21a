"""Finding (检索) by any words in drafts, shown opinions, notices, summaries and published answers.

The index proposes, the things decide: every hit is asked, in the same statement, whether it is
public at this moment and really holds the words. Work is bounded: one page looks at no more than
12,000 documents (`MOST`) and then says where to go on.
"""

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from consult import (
    adoption,
    adoption_finding,
    consultations,
    drafts,
    search_documents,
    search_opinions,
    search_text,
    summaries,
)
from consult.adoption_rows import AdoptionReport
from consult.consultations import Consultation, ConsultationState
from consult.drafts import Draft, Paragraph, Version, VersionState
from consult.point_rows import Point
from consult.search_documents import Kind, SearchDocument
from consult.submissions import Channel, Stance, Submission, SubmissionState
from consult.summaries import Summary, SummaryState, readings
from consult.summaries.items import Filters
from core import postings
from core.db import db, take_stock

# How many candidates are looked at, at first and in all: no more than 0.1 s of work.
FEW, MOST = 250, 12_000
MOST_COUNTED = 1_000
# Of what is likely to do, so much is looked at, so that it does.
AMPLE = 1.2
# When so large a part of the first candidates is of the days and places asked for, the rest is not
# looked up by them.
WIDE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for. Words that all must be there, and facts; without words, facts alone."""

    kind: Kind
    needles: tuple[str, ...] = ()
    consultation_id: int | None = None
    # Of opinions only:
    channel: Channel | None = None
    stance: Stance | None = None
    places: tuple[int, ...] | None = None
    first_day: dt.date | None = None
    last_day: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The ids of one page of hits, in order; the key after which the next begins (None: that is
    all); and whether the step ended before it had found a page full."""

    ids: Sequence[int]
    next_key: int | None
    stopped: bool


class Count(NamedTuple):
    """How many hits there are, up to MOST_COUNTED, and whether that is all of them."""

    number: int
    complete: bool


def find(query: Query, *, before: int | None = None, limit: int) -> Found:
    """The hits below the key `before`, the highest first."""
    return _page(query, *_sweep(query, before, limit + 1), limit)


def begin(query: Query, *, limit: int) -> tuple[Found, Count]:
    """The first page of hits and how many there are, in one go."""
    rows, lowest = _sweep(query, None, MOST_COUNTED + 1)
    return _page(query, rows, lowest, limit), counted(rows, lowest)


def paged(ids: Sequence[int], keys: Sequence[int], lowest: int | None, limit: int) -> Found:
    """The first `limit` of what was found, each id with its key, the highest first. `lowest`: the key
    below which the search would go on; None when there is no more."""
    more = len(ids) > limit
    key = keys[limit - 1] if more else lowest
    return Found(ids[:limit], key, stopped=not more and key is not None)


def counted(found: Sequence[Any], lowest: int | None) -> Count:
    """How many were found, and whether that is all; `lowest` as in `paged`."""
    number = min(len(found), MOST_COUNTED)
    return Count(number, lowest is None and number == len(found))


def _page(query: Query, rows: Sequence[Any], lowest: int | None, limit: int) -> Found:
    some = rows[: limit + 1]
    keys = [search_documents.rank(query.kind, row.id) for row in some]
    below = None if lowest is None else search_documents.rank(query.kind, lowest)
    return paged([row.thing_id for row in some], keys, below, limit)


def _sweep(query: Query, before: int | None, wanted: int) -> tuple[list[Any], int | None]:
    """The first `wanted` hits below `before`, and the number below which it would go on; None
    when it looked at everything there is."""
    number = search_documents.number(query.kind, before) if before is not None else None
    rows: list[Any] = []
    # Long lists of days and places cost more to go through than they keep away: the first few
    # candidates say which those are. Of other things than opinions there are no such facts.
    some = _some(query)
    listed = [] if query.kind is Kind.OPINION else some
    if number is None and query.kind is Kind.OPINION:
        # Where to begin to go down: above stand paragraphs and answers.
        number = search_documents.newest(query.kind)
    # Without any, all that is wanted is looked at at once, in case nearly all are hits.
    step = FEW if some else min(max(FEW, math.ceil(AMPLE * wanted)), MOST)
    seen = 0
    while seen < MOST:
        candidates = _candidates(query, number, step, listed)
        passing = _passing(query, candidates)
        if candidates.ids:
            hits = passing.where(*search_documents.holding(query.needles))
            rows += db.session.execute(hits.limit(wanted - len(rows))).all()
        if len(rows) >= wanted:
            return rows, rows[-1].id
        if candidates.below is None:
            return rows, None
        alike = seen + step
        if not seen and some and not listed:
            share = sa.select(sa.func.count()).select_from(passing.subquery())
            passed = db.session.scalar(share) or 0
            if passed < WIDE * step:
                listed, alike = some, passed
        first, seen, number = not seen, seen + step, candidates.below
        step = _next_step(MOST - seen, alike, len(rows), wanted) if first else MOST - seen
    return rows, number


def _next_step(left: int, alike: int, hits: int, wanted: int) -> int:
    """How many candidates to look at after the first, `left` at most: enough for what is still wanted, if of
    the next as many are hits as of those, `hits` of the `alike` ones; if it is not likely to be enough, all
    that may be looked at."""
    likely = AMPLE * (wanted - hits) * alike / hits if hits else math.inf
    return left if likely > left / 2 else math.ceil(likely)


def _some(query: Query) -> list[list[str]]:
    """The places and days that are asked for: facts, one of each group of which a hit has."""
    some: list[list[str]] = []
    if query.places is not None:
        some.append(search_opinions.places(query.places))
    if query.first_day is not None or query.last_day is not None:
        some.append(search_opinions.days(query.first_day, query.last_day))
    return some


def _candidates(
    query: Query, before: int | None, limit: int, some: Sequence[Sequence[str]]
) -> postings.Candidates:
    opinions = query.kind is Kind.OPINION
    marks = search_opinions.marks(
        consultation_id=query.consultation_id,
        channel=query.channel if opinions else None,
        stance=query.stance if opinions else None,
    )
    return search_documents.candidates(
        query.kind, query.needles, marks=marks, some=some, before=before, limit=limit
    )


def _passing(query: Query, candidates: postings.Candidates) -> sa.Select[*tuple[Any, ...]]:
    """Those of the candidates that are public and pass the filters, whatever words they hold: (id: the
    key, thing_id), the highest key first."""
    documents = sa.select(SearchDocument.id, SearchDocument.thing_id).where(
        SearchDocument.kind == query.kind
    )
    passing = postings.among(documents, SearchDocument, candidates.ids)
    return _PUBLIC[query.kind](passing, query)


# --- what is public of each kind -------------------------------------------------------------


def _public_opinions(
    hits: sa.Select[*tuple[Any, ...]], query: Query
) -> sa.Select[*tuple[Any, ...]]:
    hits = hits.join(Submission, Submission.id == SearchDocument.thing_id).where(
        Submission.state == SubmissionState.SHOWN
    )
    hits = hits.join(Consultation, Consultation.id == Submission.consultation_id)
    if query.channel is not None:
        hits = hits.where(Submission.channel == query.channel)
    if query.stance is not None:
        hits = hits.where(Submission.stance == query.stance)
    if query.places is not None:
        hits = hits.where(Submission.place.in_(query.places))
    if query.first_day is not None:
        hits = hits.where(Submission.received_on >= query.first_day)
    if query.last_day is not None:
        hits = hits.where(Submission.received_on <= query.last_day)
    return _of_public_consultations(hits, query)


def _public_paragraphs(
    hits: sa.Select[*tuple[Any, ...]], query: Query
) -> sa.Select[*tuple[Any, ...]]:
    """Of each draft the newest published version, which is the one that counts."""
    newer = aliased(Version)
    later = sa.exists().where(
        newer.draft_id == Version.draft_id,
        newer.state == VersionState.PUBLISHED,
        newer.number > Version.number,
    )
    hits = (
        hits.join(Paragraph, Paragraph.id == SearchDocument.thing_id)
        .join(Version, Version.id == Paragraph.version_id)
        .join(Draft, Draft.id == Version.draft_id)
        .join(Consultation, Consultation.id == Draft.consultation_id)
        .where(Version.state == VersionState.PUBLISHED, ~later)
    )
    return _of_public_consultations(hits, query)


def _public_notices(hits: sa.Select[*tuple[Any, ...]], query: Query) -> sa.Select[*tuple[Any, ...]]:
    hits = hits.join(Consultation, Consultation.id == SearchDocument.thing_id)
    return _of_public_consultations(hits, query)


def _public_summaries(
    hits: sa.Select[*tuple[Any, ...]], query: Query
) -> sa.Select[*tuple[Any, ...]]:
    hits = (
        hits.join(Summary, Summary.id == SearchDocument.thing_id)
        .join(Consultation, Consultation.id == Summary.consultation_id)
        .where(Summary.state == SummaryState.PUBLISHED)
    )
    return _of_public_consultations(hits, query)


def _of_public_consultations(
    hits: sa.Select[*tuple[Any, ...]], query: Query
) -> sa.Select[*tuple[Any, ...]]:
    if query.consultation_id is not None:
        hits = hits.where(Consultation.id == query.consultation_id)
    return hits.where(Consultation.state != ConsultationState.PREPARING)


def _public_answers(hits: sa.Select[*tuple[Any, ...]], query: Query) -> sa.Select[*tuple[Any, ...]]:
    """Those of the newest edition of a table of answers that is out."""
    out = sa.exists().where(
        AdoptionReport.consultation_id == Consultation.id, AdoptionReport.released_at.is_not(None)
    )
    hits = (
        hits.join(Point, Point.id == SearchDocument.thing_id)
        .join(Consultation, Consultation.id == Point.consultation_id)
        .where(out)
    )
    return _of_public_consultations(hits, query)


_PUBLIC = {
    Kind.ANSWER: _public_answers,
    Kind.OPINION: _public_opinions,
    Kind.PARAGRAPH: _public_paragraphs,
    Kind.NOTICE: _public_notices,
    Kind.SUMMARY: _public_summaries,
}


# --- reports ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    """A published summary and those of its keywords that were looked for."""

    summary: Summary
    terms: Sequence[str]


def reports(ids: Sequence[int], needles: Sequence[str]) -> list[Report]:
    """The summaries that still say what was looked for: a keyword that only opinions hidden
    later had is not told."""
    found = []
    summaries = db.session.scalars(sa.select(Summary).where(Summary.id.in_(ids)))
    for summary in sorted(summaries, key=lambda each: ids.index(each.id)):
        consultation = summary.consultation
        assert consultation is not None
        reading = readings.read(summary, [consultation])
        told = [each.term for each in readings.view(reading, Filters()).keywords]
        title, folded = search_text.fold(consultation.title), map(search_text.fold, told)
        terms = [
            term
            for term, said in zip(told, folded, strict=True)
            if any(needle in said for needle in needles)
        ]
        said = "\n".join([title, *map(search_text.fold, terms)])
        if all(needle in said for needle in needles):
            found.append(Report(summary, terms))
    return found


# --- rebuilding ------------------------------------------------------------------------------


def is_empty() -> bool:
    """Whether nothing can be found although something has been published."""
    published = sa.select(Version.id).where(Version.state == VersionState.PUBLISHED).limit(1)
    return not search_documents.any_exist() and db.session.scalar(published) is not None


def to_rebuild() -> int:
    """Of how many opinions and published versions a rebuilding will read the words."""
    shown = sa.select(sa.func.coalesce(sa.func.sum(Consultation.shown), 0))
    versions = sa.select(sa.func.count()).where(Version.state == VersionState.PUBLISHED)
    return (db.session.scalar(shown) or 0) + (db.session.scalar(versions) or 0)


def rebuild() -> Iterator[int]:
    """Make everything public findable anew. After each number it gives, of things done since the
    last, whoever drives it commits: nobody has to wait for the whole, and what is changed
    meanwhile follows as always."""
    search_documents.clear()
    yield 0
    for consultation in consultations.every(public_only=True):
        search_documents.put(Kind.NOTICE, [consultations.findable(consultation)])
    for summary in db.session.scalars(
        sa.select(Summary).where(Summary.state == SummaryState.PUBLISHED)
    ).all():
        search_documents.put(Kind.SUMMARY, [summaries.findable(summary)])
    yield 0
    editions = sa.select(AdoptionReport).where(AdoptionReport.id.in_(adoption_finding.newest()))
    for report in db.session.scalars(editions).all():
        adoption_finding.follow(report, adoption.frozen(report))
        yield 0
    for version in db.session.scalars(
        sa.select(Version).where(Version.state == VersionState.PUBLISHED).order_by(Version.id)
    ).all():
        search_documents.put(Kind.PARAGRAPH, drafts.findable(version))
        yield 1
    last: int | None = 0
    while last is not None:
        done, last = search_opinions.follow_after(last)
        yield done
    postings.tend()
    take_stock()
    yield 0
