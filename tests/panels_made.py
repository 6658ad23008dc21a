"""A panel of three, and what review rounds make of it: builders for the tests of rounds."""

import datetime as dt

import sqlalchemy as sa
from flask import Flask

from consult import programme_files, programmes
from consult.consultations import Consultation, Phase
from consult.submissions import Submission
from core import audit
from core.db import db
from core.outbox import Message
from core.web import local
from panel import appointments, members, quotas, reviews, rounds
from panel.rounds import Invitation, ReviewRound
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.databases import Filling
from tests.rounds_made import a_review, an_open_round
from tests.world_parts.known import PROGRAMME

BY = audit.SYSTEM
DAY = dt.timedelta(days=1)
NAMES = ("李文", "王小明", "张芳")


def _three_members(app: Flask) -> None:
    """Three members who sit today, each with an account; the programme is the built-in one."""
    app.config["CLOCK"] = lambda: NOON
    with app.app_context():
        programme_files.load(PROGRAMME, by=BY, now=NOON)
        db.session.commit()
        programme = programmes.by_slug("jingan-14")
        assert programme is not None
        kinds = quotas.categories(programme.id)
        for number, name in enumerate(NAMES):
            account = people.make("panel_member", email=f"m{number}@example.invalid", name=name)
            member = members.add(members.Details(name=name), by=BY, now=NOON)
            term = appointments.Term(
                category=kinds[number % 2],
                term_from=local(NOON).date() - DAY,
                term_to=local(NOON).date() + 900 * DAY,
                fields=("g1",) if number == 2 else (),
            )
            appointment = appointments.propose(member, programme.id, term, by=BY, now=NOON)
            appointments.confirm(appointment, by=BY, today=local(NOON).date(), now=NOON)
            appointments.link(member, account, by=BY, now=NOON)
        db.session.commit()


def a_round(phase: Phase = Phase.OPEN, **plan: object) -> ReviewRound:
    """An open round on a published draft."""
    consultation = a_consultation("gangyao", phase=phase, programme=programmes.by_slug("jingan-14"))
    return an_open_round(a_published_draft(consultation), **plan)


def first(review_round: ReviewRound, place: int = 0) -> Invitation:
    return rounds.invitations(review_round)[place]


def signed(invitation: Invitation, *, now: dt.datetime = NOON) -> None:
    a_review(invitation, now=now)
    reviews.sign(invitation, name=invitation.name, by=BY, now=now)
    db.session.commit()


def stream(consultation: Consultation) -> list[Submission]:
    query = sa.select(Submission).where(Submission.consultation_id == consultation.id)
    return list(db.session.scalars(query.order_by(Submission.id)))


def letters() -> list[str]:
    return list(db.session.scalars(sa.select(Message.subject).order_by(Message.id)))


# The built-in programme and its three members.
THREE_MEMBERS: Filling = ("three members", _three_members)
