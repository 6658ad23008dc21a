"""The adoption table of a stage (阶段采纳情况表): the released tables of its consultations as one.

It has no release of its own, because every line in it was released by two persons already. It is
composed of one released edition of each consultation and names those it is made of; what has no
released edition yet is named, too, and not counted. Naming the editions freezes it: the same
editions give the same table, whatever is released later.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import sqlalchemy as sa

from consult import adoption
from consult.adoption import AdoptionReport, Part, Row, Sums
from consult.asked_units import AskedUnit
from consult.consultations import Consultation, ConsultationState
from consult.programmes import Programme, Stage
from core.db import db


@dataclass(frozen=True, slots=True)
class Standing:
    """A consultation of the stage and the edition that stands for it; None: not released yet."""

    consultation: Consultation
    edition: AdoptionReport | None


@dataclass(frozen=True, slots=True)
class StageReport:
    """The table of a stage, made of these editions."""

    stage: Stage
    standings: Sequence[Standing]

    @property
    def made_of(self) -> list[tuple[Consultation, AdoptionReport]]:
        """The editions it is made of."""
        return [(each.consultation, each.edition) for each in self.standings if each.edition]

    @property
    def missing(self) -> list[Consultation]:
        """The consultations that have no released edition."""
        return [each.consultation for each in self.standings if each.edition is None]

    @property
    def is_demonstration(self) -> bool:
        """Whether anything in it comes with the built-in example."""
        return any(consultation.is_demonstration for consultation, _edition in self.made_of)

    @property
    def key(self) -> str:
        """By which the same table is found again: the editions' ids, 3.17."""
        return ".".join(str(edition.id) for _consultation, edition in self.made_of)

    def sums(self) -> Sums:
        """What is counted of all of them."""
        return Sums.together(adoption.sums(edition) for _consultation, edition in self.made_of)

    def rows(self, *, after: int = 0, limit: int | None = None) -> list[Row]:
        """The rows, part by part, in each the consultations in their order: those after a number,
        up to so many. Only those are read."""
        found: list[Row] = []
        for consultation, edition, first, number in self._stretches():
            left = None if limit is None else limit - len(found)
            if left == 0:
                break
            skipped = min(after, number)
            after -= skipped
            if taken := number - skipped if left is None else min(left, number - skipped):
                rows = adoption.frozen(edition, after=first + skipped, limit=taken)
                found += [replace(row, draft=consultation.title) for row in rows]
        return found

    def _stretches(self) -> Iterator[tuple[Consultation, AdoptionReport, int, int]]:
        """(consultation, edition, after which of its rows, how many): each part of each edition."""
        parts = [(each, edition, adoption.sums(edition).parts) for each, edition in self.made_of]
        begun = dict.fromkeys((edition.id for _c, edition, _p in parts), 0)
        for part in Part:
            for consultation, edition, numbers in parts:
                yield consultation, edition, begun[edition.id], numbers[part]
                begun[edition.id] += numbers[part]

    def asked(self) -> list[AskedUnit]:
        """The units that were asked, in each consultation."""
        return [
            replace(each, draft=consultation.title)
            for consultation, edition in self.made_of
            for each in adoption.asked(edition)
        ]


def stage_by_key(programme_slug: str, key: str) -> Stage | None:
    """The stage of a programme with this key."""
    query = sa.select(Stage).join(Programme, Programme.id == Stage.programme_id)
    return db.session.scalar(query.where(Programme.slug == programme_slug, Stage.key == key))


def of(stage: Stage, key: str = "", *, public_only: bool = True) -> StageReport | None:
    """The table of a stage: of the newest editions, or of those that `key` names. None when it
    names what is not released, not of this stage, or twice of one consultation."""
    consultations = _consultations(stage, public_only=public_only)
    editions = _released([each.id for each in consultations])
    if key:
        wanted = set(key.split("."))
        chosen = {
            consultation_id: [each for each in every if str(each.id) in wanted]
            for consultation_id, every in editions.items()
        }
        found = [each for some in chosen.values() for each in some]
        if len(found) != len(wanted) or any(len(some) > 1 for some in chosen.values()):
            return None
        editions = chosen
    return StageReport(
        stage,
        [Standing(each, next(iter(editions.get(each.id, ())), None)) for each in consultations],
    )


def has_any(stage_ids: Iterable[int]) -> set[int]:
    """Those of these stages of which something is released."""
    query = (
        sa.select(Consultation.stage_id)
        .join(AdoptionReport, AdoptionReport.consultation_id == Consultation.id)
        .where(Consultation.stage_id.in_(stage_ids), AdoptionReport.released_at.is_not(None))
    )
    return set(db.session.scalars(query.distinct()))


def _consultations(stage: Stage, *, public_only: bool) -> Sequence[Consultation]:
    """Those of the stage in the order in which they opened."""
    query = sa.select(Consultation).where(Consultation.stage_id == stage.id)
    if public_only:
        query = query.where(Consultation.state != ConsultationState.PREPARING)
    order = (Consultation.opens_at.nulls_last(), Consultation.id)
    return db.session.scalars(query.order_by(*order)).all()


def _released(consultation_ids: Sequence[int]) -> dict[int, list[AdoptionReport]]:
    """{consultation: its released editions, the newest first}."""
    query = sa.select(AdoptionReport).where(
        AdoptionReport.consultation_id.in_(consultation_ids),
        AdoptionReport.released_at.is_not(None),
    )
    order = (AdoptionReport.consultation_id, AdoptionReport.number.desc())
    found = db.session.scalars(query.order_by(*order))
    return {id: list(some) for id, some in groupby(found, key=lambda each: each.consultation_id)}
