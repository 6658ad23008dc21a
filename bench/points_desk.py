"""The workbench of ten thousand points at every stage of being answered: its list, filtered and not,
and one point, against a bare Flask page. The CPU is that of the whole answer."""

import datetime as dt

import sqlalchemy as sa

from bench import material
from bench.measure import MS, apart, cpu_ms, getter, hello, say, site
from consult import responses
from consult.consultations import Consultation
from consult.points import Point
from consult.responses import MOST_AT_ONCE, Outcome
from core import audit
from core.db import db
from core.units import Unit, UnitKind

POINTS, UNITS = 10_000, 20
BY = audit.COMMAND_LINE
HERE = "/desk/consultations/bench/points"
ASKED = {
    "list": HERE,
    "list, what is to do": f"{HERE}?state=todo",
    "list, one unit": f"{HERE}?unit=3",
    "list, nobody named": f"{HERE}?person=none",
    "list, mine": f"{HERE}?person=me",
    "list, overdue": f"{HERE}?overdue=1",
    "one point": f"{HERE}/5000",
}


def run() -> None:
    """CPU of the pages."""
    with site(CLOCK=lambda: material.NOW) as app:
        made, version = material.consultation()
        material.opinions(made, version, POINTS)
        _half_answered(made)
        headers = material.in_the_office(app)
        calls = {what: getter(app, path, headers) for what, path in ASKED.items()}
        figures = cpu_ms(apart({"bare": getter(hello(), "/"), **calls}), rounds=5, each=2)
    for what in ASKED:
        say(
            f"points' workbench of {POINTS}: {what}",
            figures[what],
            MS,
            ratio=figures[what] / figures["bare"],
            reference="bare Flask page",
            goal="≤ 200",
        )


def _half_answered(made: Consultation) -> None:
    """A quarter lies with nobody; of the others each batch stands somewhere else."""
    units = [Unit(slug=f"u{n}", name=f"第{n}局", kind=UnitKind.DEPARTMENT) for n in range(UNITS)]
    db.session.add_all(units)
    db.session.commit()
    query = sa.select(Point).where(Point.consultation_id == made.id).order_by(Point.id)
    every = db.session.scalars(query.limit(POINTS * 3 // 4)).all()
    today = material.NOW.date()
    for place, begin in enumerate(range(0, len(every), MOST_AT_ONCE)):
        some = every[begin : begin + MOST_AT_ONCE]
        due_on = today + dt.timedelta(days=30 if place % 2 else -1)
        lead, help_ = units[place % UNITS], units[(place + 1) % UNITS]
        responses.route(
            some, lead.id, cooperating=[help_.id], due_on=due_on, by=BY, now=material.NOW
        )
        if place % 3:
            outcome = list(Outcome)[place % len(Outcome)]
            responses.draft(some, outcome, "理由写在这里，请放心。", by=BY, now=material.NOW)
        if place % 3 == 2:
            responses.submit(some, by=BY, now=material.NOW)
    db.session.commit()
