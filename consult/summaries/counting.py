"""How a snapshot comes about: read everything once, then count without the database.

The two steps are apart so that the seconds of counting hold up nobody who writes.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from consult import drafts, lexicons, stance_corrections, term_index
from consult.analysis.duplicates import near_groups
from consult.analysis.lexicon import Lexicon
from consult.consultations import Consultation
from consult.decisions import Decision
from consult.drafts import Draft, Outline, Version, VersionState
from consult.submissions import WHOLE as WHOLE_DRAFT
from consult.submissions import Channel, Stance, Submission, SubmissionState
from consult.summaries import sayings, themes
from consult.summaries.items import UNPLACED, WHOLE, Counted, Item, Section
from consult.summaries.sayings import Said
from consult.summaries.words import cloud, method_of, ranked, weights
from consult.terms.reading import uncollected
from core import executors
from core.db import db

# The states a snapshot tells apart: whose author was asked for more still waits.
COUNTED_STATES = tuple(
    state
    for state in SubmissionState
    if state not in (SubmissionState.ASKED, SubmissionState.UNDONE)
)
# From so many letters on they are likened in another process.
MANY = 20_000
OUTSIDE = (Section(0, 0, 0, ""), Section(0, 0, 0, ""))


@dataclass(frozen=True, slots=True)
class Row:
    """A submission that passed screening, as the database holds it."""

    id: int
    number: int
    consultation_id: int
    place: int
    own_title: str
    body: str
    stance: Stance | None
    channel: Channel
    received_on: dt.date
    person_key: str | None


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything a count needs, as plain values.

    `outlines`: of every published version of the consultations, the newest of each first;
    `newest`: {consultation id: its newest published version's id}.
    `basis` is kept with the snapshot to tell later whether anything has changed:
    {"consultations": {id: [stamp, received, newest version]}, "decision": highest decision id,
    "lexicon": number of the lexicon's version}. `base` is the lexicon of that version, `lexicon` the
    same with the headings of all drafts, with which the index is read, too; `kept` is what the index
    knows of the rows, read with it; `alike`: the group of letters of each row, where it is being found
    already.
    """

    rows: Sequence[Row]
    rest: Sequence[tuple[int, SubmissionState]]
    outlines: Sequence[tuple[int, Outline]]
    newest: Mapping[int, int]
    basis: dict[str, Any]
    base: Lexicon
    lexicon: Lexicon
    alike: Future[list[int]] | None = None
    kept: Mapping[int, Said] = field(default_factory=dict)
    corrections: Mapping[int, Stance] = field(default_factory=dict)

    @property
    def highest_id(self) -> int:
        """The last submission that was covered; 0 when there is none."""
        ids = [row.id for row in self.rows[-1:]] + [id for id, _state in self.rest[-1:]]
        return max(ids, default=0)

    def states(self) -> Counter[SubmissionState]:
        """How many submissions were in each state."""
        states = Counter(state for _id, state in self.rest)
        states[SubmissionState.SHOWN] = len(self.rows)
        return states

    @property
    def drafts(self) -> list[Outline]:
        """The newest published drafts."""
        latest = set(self.newest.values())
        return [outline for _c, outline in self.outlines if outline.version_id in latest]


@dataclass(frozen=True, slots=True)
class Result:
    """What was counted, and with what."""

    counted: Counted
    lexicon: str
    method: str


# --- reading -------------------------------------------------------------------------------


@contextmanager
def beside(consultations: Sequence[Consultation]) -> Iterator[Executor]:
    """Where the letters of these consultations are likened while everything else is read and reckoned:
    on another core, and of very many in another process, which takes the memory for it along."""
    if sum(consultation.shown for consultation in consultations) < MANY:
        with ThreadPoolExecutor(1) as where:
            yield where
    else:
        with executors.executor(1) as where:
            yield where


@uncollected()
def gather(consultations: Sequence[Consultation], where: Executor | None = None) -> Gathered:
    """Read all that a count of these consultations needs; `where`: have the letters likened there as
    soon as they are read."""
    scope = [c.id for c in consultations]
    newest = newest_versions(scope)
    # The stamps are read before the opinions: a change in between shows as newer, never as known.
    stamps = {str(c.id): [c.stamp, c.received, newest.get(c.id, 0)] for c in consultations}
    last = sa.select(sa.func.max(Decision.id)).join(
        Submission, Submission.id == Decision.submission_id
    )
    decision = db.session.scalar(last.where(Submission.consultation_id.in_(scope)))
    columns = [getattr(Submission, name) for name in Row.__slots__]
    inside = Submission.consultation_id.in_(scope)
    shown = sa.select(*columns).where(inside, Submission.state == SubmissionState.SHOWN)
    others = sa.select(Submission.id, Submission.state).where(
        inside, Submission.state.not_in((SubmissionState.SHOWN, SubmissionState.UNDONE))
    )
    number = lexicons.newest()
    base = lexicons.at(number)
    outlines = _outlines(scope, newest)
    lexicon = term_index.lexicon_over(base)
    rows = [Row(*row) for row in db.session.execute(shown.order_by(Submission.id))]
    return Gathered(
        rows=rows,
        alike=where.submit(near_groups, _words(rows)) if where is not None else None,
        rest=[(id, _counted_as(s)) for id, s in db.session.execute(others.order_by(Submission.id))],
        outlines=outlines,
        newest=newest,
        basis={"consultations": stamps, "decision": decision or 0, "lexicon": number},
        base=base,
        lexicon=lexicon,
        kept=sayings.kept(scope, lexicon),
        corrections=stance_corrections.of_consultations(scope),
    )


def _counted_as(state: SubmissionState) -> SubmissionState:
    return SubmissionState.PENDING if state is SubmissionState.ASKED else state


def newest_versions(scope: Sequence[int]) -> dict[int, int]:
    """{consultation id: its newest published version's id}."""
    return {consultation: version.id for consultation, version in reversed(_versions(scope))}


def _versions(scope: Sequence[int]) -> list[tuple[int, Version]]:
    query = (
        sa.select(Draft.consultation_id, Version)
        .join(Version, Version.draft_id == Draft.id)
        .where(Draft.consultation_id.in_(scope), Version.state == VersionState.PUBLISHED)
        .order_by(Draft.consultation_id, Version.number.desc())
    )
    return [(consultation, version) for consultation, version in db.session.execute(query)]


def _outlines(scope: Sequence[int], newest: Mapping[int, int]) -> list[tuple[int, Outline]]:
    found = [(c, drafts.outline(version)) for c, version in _versions(scope)]
    return sorted(found, key=lambda pair: pair[1].version_id not in newest.values())


# --- counting ------------------------------------------------------------------------------


def count(gathered: Gathered) -> Result:
    """Count what was read; takes about 0.3 s for a thousand opinions, and no database."""
    # What is made stays, and looking for what does not would cost a quarter of the time.
    with uncollected():
        return _counted(gathered)


def _counted(gathered: Gathered) -> Result:
    lexicon = gathered.lexicon
    sections, place_of = _sections(gathered.outlines)
    rows = gathered.rows
    heard = _said(gathered)
    paragraphs = [("", entry.text) for outline in gathered.drafts for entry in outline.body]
    held = Counter(term for said in sayings.read(lexicon, paragraphs) for term in said.terms)
    groups = gathered.alike.result() if gathered.alike else near_groups(_words(rows))
    people: dict[str, int] = {}
    items = []
    for row, group, said in zip(rows, groups, heard, strict=True):
        # Nobody can be shown to be one person with another unless both carry the same key.
        person = row.person_key or f"alone:{row.id}"
        section = WHOLE if row.place == WHOLE_DRAFT else place_of.get(row.place, UNPLACED)
        number = people.setdefault(person, len(people))
        items.append(_item(row, said, group, number, section, gathered.corrections.get(row.id)))
    placed, grouped = themes.find(items)
    counted = Counted(
        items=placed,
        themes=grouped,
        sections=sections,
        draft=dict(held),
        draft_size=len(paragraphs),
        heading_terms=tuple(sorted(lexicon.terms.keys() - gathered.base.terms.keys())),
        rest=tuple((id, state.value) for id, state in gathered.rest),
    )
    found = ranked(counted, counted.items, gathered.base)
    heaviest = weights(counted.items, found)
    whole = replace(counted, keywords=tuple(found), cloud=cloud(heaviest) if heaviest else None)
    return Result(whole, lexicon.version, method_of(lexicon))


def _words(rows: Sequence[Row]) -> list[str]:
    return [f"{row.own_title}\n{row.body}".strip() for row in rows]


def _said(gathered: Gathered) -> list[Said]:
    """What each row says; those are read of which the index does not know."""
    unknown = [row for row in gathered.rows if row.id not in gathered.kept]
    texts = [(row.own_title, row.body) for row in unknown]
    read = zip(unknown, sayings.read(gathered.lexicon, texts), strict=True)
    found = {**gathered.kept, **{row.id: said for row, said in read}}
    return [found[row.id] for row in gathered.rows]


def _item(
    row: Row, said: Said, group: int, person: int, section: int, corrected: Stance | None
) -> Item:
    declared = row.stance not in (None, Stance.NONE)
    read = corrected.value if corrected else said.stance
    return Item(
        id=row.id,
        number=row.number,
        consultation=row.consultation_id,
        group=group,
        person=person,
        section=section,
        channel=row.channel.value,
        stance=row.stance.value if row.stance and declared else read,
        declared=declared,
        day=row.received_on,
        terms=said.terms,
        opposed=said.opposed,
        corrected=corrected is not None and not declared,
    )


def _sections(
    outlines: Iterable[tuple[int, Outline]],
) -> tuple[tuple[Section, ...], dict[int, int]]:
    """The headings of all versions, equal ones once, and {paragraph id: its section}.

    Two headings are one section when they and all headings above them read alike in two versions
    of one draft. Headings come in the order of the newest version, dropped ones after them.
    """
    sections = list(OUTSIDE)
    known: dict[tuple[object, ...], int] = {}
    place_of: dict[int, int] = {}
    for consultation, outline in outlines:
        seen: Counter[tuple[object, ...]] = Counter()
        for entry in outline.entries:
            above = tuple(place_of[id] for id in entry.path)
            if not entry.level:
                place_of[entry.id] = above[-1] if above else UNPLACED
                continue
            name = (consultation, above, entry.text)
            seen[name] += 1
            key = (*name, seen[name])
            if key not in known:
                known[key] = len(sections)
                sections.append(Section(consultation, entry.mark, entry.level, entry.text, above))
            place_of[entry.id] = known[key]
    return tuple(sections), place_of
