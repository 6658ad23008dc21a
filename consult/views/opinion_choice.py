"""Choosing among the shown opinions of one consultation by words and facts."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from consult import search_terms, submissions
from consult.consultations import Consultation
from consult.search import Query
from consult.search_documents import Kind
from consult.submissions import Submission
from consult.views.search import said
from consult.views.search_forms import FilterForm
from core.db import db


@dataclass(frozen=True, slots=True)
class Chosen:
    """One page of a list, the key below which it goes on, and how many there are in words."""

    opinions: Sequence[Submission]
    next_key: int | None
    count_text: str = ""
    stopped: bool = False


def choose(
    form: FilterForm,
    consultation: Consultation,
    *,
    places: Sequence[int] | None,
    before: int | None,
    limit: int,
) -> Chosen:
    """The newest shown opinions the form lets through; all of them when it asks for nothing."""
    if not form.chosen:
        found = submissions.shown(consultation, places=places, before=before, limit=limit + 1)
        page = found[:limit]
        return Chosen(page, page[-1].id if len(found) > limit else None)
    query = Query(
        kind=Kind.OPINION,
        needles=form.needles,
        consultation_id=consultation.id,
        places=tuple(places) if places is not None else None,
        **form.facts,
    )
    step, counted = search_terms.begin(query, form.term.data, limit=limit)
    if before is not None:
        step = search_terms.find(query, form.term.data, before=before, limit=limit)
    by_id = sa.select(Submission).where(Submission.id.in_(step.ids)).order_by(Submission.id.desc())
    return Chosen(db.session.scalars(by_id).all(), step.next_key, said(counted), step.stopped)
