"""Builders: consultations with every point answered, and their adoption tables."""

import re

from flask.testing import FlaskClient

from consult import adoption, point_acts, points, responses
from consult.consultations import Consultation
from consult.responses import Outcome
from consult.submissions import Channel
from core import audit
from core.db import db
from tests import people
from tests.answers_made import all_final
from tests.conftest import NOON
from tests.opinions_made import a_shown_opinion, an_opinion
from tests.summaries_made import hide

FEEDBACK = "共收到若干件意见，都已研究，逐条答复如下，感谢各位的参与。"


def answered(consultation: Consultation) -> None:
    """Five opinions from three parts, two of them put together, one of them hidden."""
    same = [a_shown_opinion(consultation, f"建议多种行道树，第{n}封信。") for n in range(2)]
    a_shown_opinion(consultation, "=建议社区食堂延长营业时间。", Channel.UNIT)
    a_shown_opinion(consultation, "建议加强基础教育的布局。", Channel.PANEL)
    hide(an_opinion(consultation, "隐去的一件，不应公开展示。", Channel.LETTER))
    together = [p for each in same for p in points.of(each.id)]
    point_acts.merge(together, "行道树", by=audit.SYSTEM, now=NOON)
    responses.draft(together, Outcome.ADOPTED, "", by=audit.SYSTEM, now=NOON)
    responses.submit(together, by=audit.SYSTEM, now=NOON)
    responses.approve(together, by=audit.COMMAND_LINE, now=NOON)
    all_final(consultation)


def released(consultation: Consultation) -> adoption.AdoptionReport:
    """The table of a consultation, proposed by one and released by another; committed."""
    report = adoption.propose(consultation, feedback=FEEDBACK, by=audit.SYSTEM, now=NOON)
    adoption.release(report, consultation, site="http://localhost", by=audit.COMMAND_LINE, now=NOON)
    db.session.commit()
    return report


def decision(client: FlaskClient, at: str) -> dict[str, str]:
    """What the button on the page sends that releases what is shown there."""
    shown = re.search(r'name="proposal" value="([^"]+)"', client.get(at).text)
    assert shown is not None
    return {**people.token(client, at), "act": "release", "proposal": shown[1]}
