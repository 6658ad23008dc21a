"""What a snapshot says to a reader now: unpacked once, without what is no longer shown.

Everything here is immutable and kept for the last few snapshots a process was asked for. The
stamps of the consultations are part of every key: they rise in the transaction that hides an
opinion, so the very next reading is made without it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import sqlalchemy as sa

from consult import author_groups, lexicons, stance_corrections
from consult.analysis.cloud import Cloud
from consult.analysis.keywords import Keyword
from consult.consultations import Consultation
from consult.decisions import Decision
from consult.originals import Original
from consult.submissions import Submission, SubmissionState
from consult.summaries import campaigns, theme_names, themes
from consult.summaries.counting import newest_versions
from consult.summaries.counts import FEW, Figures, Term, by_term, figures
from consult.summaries.items import Counted, Filters, Item, Theme, select
from consult.summaries.payload import unpack
from consult.summaries.snapshots import Summary, consultations_of
from consult.summaries.theme_names import ThemeName
from consult.summaries.words import cloud, ranked, weights
from core.db import db


@dataclass(frozen=True, slots=True)
class Key:
    """Names one reading of one snapshot, in whichever database (tests run many)."""

    database: str
    summary_id: int
    highest_id: int
    consultations: tuple[int, ...]
    stamps: tuple[int, ...]
    # The stamps when it was counted.
    then: tuple[int, ...]
    # The number of the lexicon's version it was counted with.
    lexicon: int
    # What people call its themes: (number, name).
    names: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A snapshot as it was (`covered`), and without the opinions hidden and the words masked after
    it (`counted`)."""

    key: Key
    covered: Counted
    counted: Counted

    @property
    def removed(self) -> int:
        """How many opinions are shown no longer."""
        return len(self.covered.items) - len(self.counted.items)

    @property
    def few(self) -> bool:
        """Whether there are too few opinions to compare anything."""
        return len(self.counted.items) < FEW


@dataclass(frozen=True, slots=True)
class View:
    """A selection of a reading with every figure about it."""

    items: tuple[Item, ...]
    figures: Figures
    keywords: tuple[Keyword, ...]
    terms: Mapping[str, Term]
    # How many groups of alike letters came all at once.
    bursts: int


def read(summary: Summary, consultations: Sequence[Consultation]) -> Reading:
    """The snapshot as it may be read now."""
    known = summary.basis["consultations"]
    return _reading(
        Key(
            str(db.engine.url),
            summary.id,
            summary.highest_id,
            tuple(c.id for c in consultations),
            tuple(c.stamp for c in consultations),
            tuple(known[str(c.id)][0] if str(c.id) in known else 0 for c in consultations),
            lexicon_of(summary),
            tuple(sorted({row.theme: row.name for row in theme_names.of(summary.id)}.items())),
        )
    )


def lexicon_of(summary: Summary) -> int:
    """The number of the lexicon's version a snapshot was counted with."""
    return int(summary.basis.get("lexicon", 0))


def given_names(consultation_id: int) -> dict[int, str]:
    """{opinion: what a person calls the theme it belongs to}, in the last snapshot of a consultation
    whose themes somebody named, and for the rest in that of its whole stage."""
    stage_id = db.session.get_one(Consultation, consultation_id).stage_id
    own, wider = Summary.consultation_id == consultation_id, Summary.stage_id == stage_id
    return _names_given(wider) | _names_given(own)


def _names_given(scope: sa.ColumnElement[bool]) -> dict[int, str]:
    named = sa.exists().where(ThemeName.summary_id == Summary.id)
    query = sa.select(Summary).where(scope, named)
    summary = db.session.scalars(query.order_by(Summary.number.desc()).limit(1)).first()
    if summary is None:
        return {}
    names = {row.theme: row.name for row in theme_names.of(summary.id)}
    items = _counted(str(db.engine.url), summary.id).items
    return {item.id: name for item in items if (name := names.get(item.theme))}


@lru_cache(maxsize=8)
def _reading(key: Key) -> Reading:
    covered = _counted(key.database, key.summary_id).called(dict(key.names))
    covered = replace(covered, author_groups=author_groups.titles(key.consultations))
    gone = sa.select(Submission.id).where(
        Submission.consultation_id.in_(key.consultations),
        Submission.state != SubmissionState.SHOWN,
        Submission.id <= key.highest_id,
    )
    # What was masked after the count was counted with words that nobody may read any more.
    masked = (
        sa.select(Original.submission_id)
        .join(Submission, Submission.id == Original.submission_id)
        .where(
            sa.or_(
                sa.false(),
                *(
                    sa.and_(Submission.consultation_id == consultation, Original.stamp > stamp)
                    for consultation, stamp in zip(key.consultations, key.then, strict=True)
                ),
            )
        )
    )
    counted = covered.without(frozenset(db.session.scalars(gone)))
    return Reading(key, covered, counted.unspoken(frozenset(db.session.scalars(masked))))


@lru_cache(maxsize=8)
def _counted(database: str, summary_id: int) -> Counted:
    payload = db.session.scalar(sa.select(Summary.payload).where(Summary.id == summary_id))
    assert payload is not None
    return unpack(payload)


def view(reading: Reading, filters: Filters) -> View:
    """The figures of a selection."""
    return _view(reading.key, filters)


@lru_cache(maxsize=48)
def _view(key: Key, filters: Filters) -> View:
    reading = _reading(key)
    counted = reading.counted
    items = tuple(select(counted, filters))
    whole = not filters.active and counted is reading.covered
    found = counted.keywords if whole else tuple(ranked(counted, items, lexicons.at(key.lexicon)))
    terms = by_term(counted, items, [keyword.term for keyword in found])
    bursts = sum(each.is_burst for each in campaigns.find(items))
    return View(items, figures(counted, items), found, terms, bursts)


def within(reading: Reading, filters: Filters) -> tuple[tuple[Item, ...], tuple[Theme, ...]]:
    """The opinions of a selection, one theme's say, with their own finer themes: found when somebody
    asks, and the same for the same selection."""
    return _within(reading.key, filters)


@lru_cache(maxsize=16)
def _within(key: Key, filters: Filters) -> tuple[tuple[Item, ...], tuple[Theme, ...]]:
    return themes.find(_view(key, filters).items)


def cloud_of(reading: Reading, view: View) -> Cloud | None:
    """The word cloud of a selection; None where nothing is compared.

    The one drawn at the count serves as long as nothing is left out, so that a process that only
    reads need not load what draws.
    """
    heaviest = weights(view.items, view.keywords)
    if heaviest and view.items == reading.covered.items:
        return reading.covered.cloud
    return cloud(heaviest) if heaviest else None


# --- since then ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Since:
    """What has happened since a snapshot was counted."""

    received: int
    decided: int
    draft: bool
    lexicon: bool = False
    corrected: int = 0

    def __bool__(self) -> bool:
        return bool(self.received or self.decided or self.draft or self.lexicon or self.corrected)


# Named one by one, an index goes straight to the new ones of each state.
_RECEIVED = tuple(state for state in SubmissionState if state is not SubmissionState.UNDONE)


def _later(summary: Summary, scope: Sequence[int]) -> sa.Select[int]:
    return sa.select(Submission.id).where(
        Submission.consultation_id.in_(scope),
        Submission.state.in_(_RECEIVED),
        Submission.id > summary.highest_id,
    )


def _decided(summary: Summary, scope: Sequence[int]) -> sa.Select[int]:
    return (
        sa.select(Decision.submission_id)
        .distinct()
        .join(Submission, Submission.id == Decision.submission_id)
        .where(
            Submission.consultation_id.in_(scope),
            Submission.id <= summary.highest_id,
            Decision.id > summary.basis["decision"],
        )
    )


def _corrected(summary: Summary, scope: Sequence[int]) -> sa.Select[int]:
    return stance_corrections.since(scope, summary.counted_at)


# What happened to single opinions since a snapshot was counted: which of them.
CHANGES: Mapping[str, Callable[[Summary, Sequence[int]], sa.Select[int]]] = {
    "later": _later,
    "decided": _decided,
    "corrected": _corrected,
}


def changed(summary: Summary, consultations: Sequence[Consultation], what: str) -> list[int]:
    """The ids of the opinions to which one of `CHANGES` happened, as many as `since` says."""
    query = CHANGES[what](summary, [c.id for c in consultations])
    return sorted(db.session.scalars(query))


def received_since(summary: Summary) -> int:
    """How many opinions have come since a snapshot was counted."""
    return _number(_later(summary, [c.id for c in consultations_of(summary.subject)]))


def _number(query: sa.Select[int]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0


def since(summary: Summary, consultations: Sequence[Consultation]) -> Since:
    """Opinions received, screening decisions changed, drafts published, words decided about and
    stances corrected since then."""
    then = summary.basis["consultations"]
    known = {key: tuple(values) for key, values in then.items()}
    now = {str(c.id): (c.stamp, c.received) for c in consultations}
    lexicon = lexicons.newest() != lexicon_of(summary)
    scope = [c.id for c in consultations]
    corrected = _number(_corrected(summary, scope))
    if {key: values[:2] for key, values in known.items()} == now:
        return Since(0, 0, draft=False, lexicon=lexicon, corrected=corrected)
    versions = {values[2] for values in known.values() if values[2]}
    draft = versions != set(newest_versions(scope).values())
    return Since(
        _number(_later(summary, scope)),
        _number(_decided(summary, scope)),
        draft=draft,
        lexicon=lexicon,
        corrected=corrected,
    )
