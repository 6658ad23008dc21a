"""Finding what an address names: the thing if this person may know of it, else 404."""

from flask import abort

from consult import consultations, drafts, rules
from consult.consultations import Consultation
from consult.drafts import Entry, Version
from consult.points import Point
from consult.submissions import GONE, Submission
from core.db import db
from core.permissions import may
from core.web import number_in


def consultation(slug: str) -> Consultation:
    """The consultation at this address; one that is not public does not exist for outsiders."""
    found = consultations.by_slug(slug)
    if found is None or not may(rules.read_notice, found):
        abort(404)
    return found


def version(found: Consultation) -> Version | None:
    """The published version the address asks for (`?v=2`), else the newest; None before any."""
    wanted = number_in("v")
    if wanted is None:
        return drafts.published(found)
    for each in drafts.versions(found):
        if each.number == wanted and each.state is drafts.VersionState.PUBLISHED:
            return each
    return abort(404)


def entry(version: Version, name: str = "on") -> Entry | None:
    """The paragraph whose mark the address gives (`?on=12`); None for the whole draft."""
    mark = number_in(name)
    if not mark:
        return None
    found = drafts.outline(version).by_mark.get(mark)
    if found is None:
        abort(404)
    return found


def point(found: Consultation, id: int) -> Point:
    """A point of the consultation; one of an opinion that was taken back is there for nobody."""
    point = db.session.get(Point, id)
    if point is None or point.consultation_id != found.id:
        return abort(404)
    if db.session.get_one(Submission, point.submission_id).state in GONE:
        abort(404)
    return point
