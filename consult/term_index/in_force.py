"""The lexicon in force: which words are terms, for all opinions together."""

from functools import lru_cache

import sqlalchemy as sa

from consult import drafts, lexicons
from consult.analysis.lexicon import Lexicon
from consult.drafts import Draft, Version, VersionState
from consult.term_index.rows import TermReading
from core.db import db, insert_into, run

_LATEST = (
    sa.select(Draft.consultation_id, sa.func.max(Version.number).label("number"))
    .join(Version, Version.draft_id == Draft.id)
    .where(Version.state == VersionState.PUBLISHED)
    .group_by(Draft.consultation_id)
    .subquery()
)
_NEWEST = (
    sa.select(Version.id)
    .join(Draft, Version.draft_id == Draft.id)
    .join(
        _LATEST,
        sa.and_(
            _LATEST.c.consultation_id == Draft.consultation_id,
            _LATEST.c.number == Version.number,
        ),
    )
    .where(Version.state == VersionState.PUBLISHED)
    .order_by(Version.id)
)
READING = sa.select(TermReading.id).where(TermReading.version == sa.bindparam("version"))


def lexicon() -> Lexicon:
    """The lexicon in force for all opinions together: one for the whole index, so that any two
    groups can be compared: what staff decided, and the headings of every newest published draft."""
    return lexicon_over(lexicons.at(lexicons.newest()))


def lexicon_over(decided: Lexicon) -> Lexicon:
    """The same over one of the versions staff keep."""
    newest = tuple(run(_NEWEST).scalars())
    return _with(decided, _headings(newest, str(db.engine.url)))


@lru_cache(maxsize=8)
def _headings(version_ids: tuple[int, ...], _url: str) -> tuple[str, ...]:
    # A published version cannot change.
    query = sa.select(Version).where(Version.id.in_(version_ids))
    outlines = [drafts.outline(version) for version in db.session.scalars(query)]
    return tuple(sorted({entry.text for each in outlines for entry in each.headings}))


@lru_cache(maxsize=8)
def _with(decided: Lexicon, headings: tuple[str, ...]) -> Lexicon:
    return decided.extended(headings)


def reading_of(version: str) -> int:
    """The number of a way of reading, given when it is first asked for."""
    known: int | None = run(READING, {"version": version}).scalar()
    if known is None:
        made = insert_into(TermReading).values(version=version).on_conflict_do_nothing()
        db.session.execute(made)
        known = run(READING, {"version": version}).scalar_one()
    return known
