"""The example's closed round is answered whole, truly and once."""

import re

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask

import panel.example
from consult import (
    adoption,
    changes,
    consultations,
    drafts,
    example,
    example_answers,
    example_summaries,
    revisions,
    summaries,
)
from consult.adoption import Part
from consult.changes import Met
from consult.consultations import ConsultationState
from consult.responses import SHORTEST_REASON, Outcome
from consult.summaries import readings
from core.db import db
from tests.conftest import NOON

TOLD = yaml.safe_load((example_answers.DATA / "silu-kuangjia.yaml").read_text(encoding="utf-8"))
# What nobody asked for: a figure, a full stop that became a semicolon, a heading.
OWN = ["加装电梯完成台数", "一处能配常用药", "怎样继续参与"]


@pytest.mark.parametrize("each", TOLD["answers"], ids=lambda each: each["to"][0][:12])
def test_an_answer_has_what_the_rules_ask_for(each: dict[str, object]) -> None:
    outcome, reason = Outcome(each["outcome"]), str(each["reason"])
    assert len(reason) >= SHORTEST_REASON
    assert not re.search(r"[A-Za-z]{4,}|,|;", reason)
    # Only what was adopted changed the text.
    assert "changed" not in each or outcome in changes.MADE


def test_the_round_is_answered_and_its_changes_have_their_points(app: Flask) -> None:
    with app.app_context():
        example.load(now=NOON)
        panel.example.load(now=NOON)
        assert example_answers.is_missing(NOON)
        example_answers.load(now=NOON)
        db.session.commit()
        assert not example_answers.is_missing(NOON)
        consultation = consultations.by_slug("silu-kuangjia")
        assert consultation is not None
        assert consultation.state is ConsultationState.ANSWERED
        (report,) = adoption.released(consultation.id)
        rows = adoption.frozen(report)
        live = "SELECT COUNT(*) FROM point WHERE consultation_id = :c AND state = 'live'"
        count = db.session.execute(sa.text(live), {"c": consultation.id}).scalar_one()
        totals = adoption.sums(report).totals
        assert totals.points == count
        assert totals.of_part(Part.PANEL) > 10
        # Units were asked: one has an opinion, one has none, one has not answered.
        assert totals.of_part(Part.UNITS) == 1
        heard = sorted(each.answer.value for each in adoption.asked(report))
        assert heard == ["none", "opinions", "silent"]
        assert all(totals.of_outcome(outcome) for outcome in Outcome)
        # Nothing fell to the answer for what the file does not name.
        assert not any(row.reason.startswith("已收到，留待") for row in rows)
        # Every point lies with a unit; not all with the office that runs the round.
        leads = "SELECT DISTINCT lead_unit_id FROM point WHERE consultation_id = :c"
        units = db.session.scalars(sa.text(f"{leads} AND state = 'live'"), {"c": consultation.id})
        assert len(found := set(units)) > 3
        assert None not in found
        # What was said is summarised for everybody to read, and nothing is newer than the summary.
        assert example_summaries.is_missing(NOON)
        example_summaries.load()
        db.session.commit()
        assert not example_summaries.is_missing(NOON)
        (summary,) = summaries.published(consultation)
        assert summary.shown > 150
        assert not readings.since(summary, [consultation])
        met = adoption.sums(report).met
        assert met[Met.UNMET] == changes.unmet_count(consultation.id) == 3
        assert met[Met.LINKED] > 40
        version = drafts.published(consultation)
        revision = revisions.of(version) if version else None
        assert revision is not None
        asked = changes.wanted(revision)
        own = [pair.entry.text for pair in revision.pairs if pair.mark not in asked]
        assert len(revision.pairs) == 18
        assert [next(w for w in OWN if w in text) for text in own] == OWN
