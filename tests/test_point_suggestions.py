"""Suggested topics and units: learned from what people confirmed, said with a reason, checked live."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consult import point_acts, point_suggestions, points, responses, topics
from consult.analysis.routing import Router, Suggestion
from consult.consultations import Consultation, Phase
from consult.point_suggestions import About
from consult.stances import Stance
from consult.submissions import Submission, SubmissionState
from core import audit
from core.db import db
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.opinions_made import a_point

WHO = {"by": audit.SYSTEM, "now": NOON}
LIFTS = [f"建议第{n}号楼加装电梯，老人上下楼不方便" for n in "一二三四五六七八九"]
BUSES = [f"公交{n}路班次太少，车站也没有座椅" for n in "一二三四五六七八九"]


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        yield a_consultation(phase=Phase.CLOSED)


def teach(consultation: Consultation, unit_id: int | None = None) -> None:
    for body, key in [(b, "lifts") for b in LIFTS] + [(b, "buses") for b in BUSES]:
        point = a_point(consultation, body)
        point_acts.move(point, topic_key=key, **WHO)
        if unit_id is not None and key == "lifts":
            day = NOON.date()
            responses.route([point], unit_id, due_on=day, **WHO)


def test_before_anything_is_confirmed_nothing_is_learned(round_: Consultation) -> None:
    a_point(round_, LIFTS[0])
    programme = round_.programme_id
    assert point_suggestions.suggest(programme, About.TOPIC, "加装电梯") is None
    found = point_suggestions.accuracy(programme, About.TOPIC)
    assert (found.confirmed, found.whole.checked, found.by_label) == (0, 0, ())


def test_a_topic_is_suggested_with_the_points_own_words(round_: Consultation) -> None:
    teach(round_)
    found = point_suggestions.suggest(round_.programme_id, About.TOPIC, "能不能给我们楼加装电梯？")
    assert found is not None
    assert (found.label, found.taught) == ("lifts", 18)
    assert "加装电梯" in found.because
    other = point_suggestions.suggest(round_.programme_id, About.TOPIC, "公交车站的座椅坏了")
    assert other is not None
    assert other.label == "buses"
    assert point_suggestions.suggest(round_.programme_id, About.TOPIC, "👍") is None


def test_without_a_reason_nothing_is_suggested(
    round_: Consultation, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(round_)
    commonest = Suggestion("lifts", 0.1, "buses", ())
    monkeypatch.setattr(Router, "suggest", lambda _router, _opinion: commonest)
    assert point_suggestions.suggest(round_.programme_id, About.TOPIC, "加装电梯") is None


def test_what_is_confirmed_otherwise_is_learned_anew(round_: Consultation) -> None:
    teach(round_)
    said = "希望加装电梯"
    assert _label(round_, said) == "lifts"
    for body in LIFTS:
        (point,) = points.of(_id_of(body))
        point_acts.move(point, topic_key="homes", **WHO)
    assert _label(round_, said) == "homes"


def test_copies_teach_once_and_what_was_taken_back_not_at_all(round_: Consultation) -> None:
    for n in range(4):
        point_acts.move(a_point(round_, LIFTS[0], key=f"copy-{n}"), topic_key="lifts", **WHO)
    assert len(point_suggestions.confirmed(round_.programme_id, About.TOPIC)) == 1
    gone = a_point(round_, BUSES[0])
    point_acts.move(gone, topic_key="buses", **WHO)
    submission = db.session.get_one(Submission, gone.submission_id)
    submission.state = SubmissionState.WITHDRAWN
    db.session.flush()
    assert len(point_suggestions.confirmed(round_.programme_id, About.TOPIC)) == 1


def test_accuracy_is_that_of_texts_left_out_and_adds_up(round_: Consultation) -> None:
    teach(round_)
    found = point_suggestions.accuracy(round_.programme_id, About.TOPIC)
    assert found.confirmed == found.whole.checked == 18
    assert found.usual == 9
    assert sum(score.checked for _label, score in found.by_label) == 18
    assert sum(score.right for _label, score in found.by_label) == found.whole.right >= 16
    assert found.macro_f1 == pytest.approx(sum(s.f1 for _l, s in found.by_label) / 2)
    point_acts.move(points.of(_id_of(LIFTS[0]))[0], topic_key="homes", **WHO)
    after = point_suggestions.accuracy(round_.programme_id, About.TOPIC)
    assert (after.whole.checked, after.labels_too_few) == (17, 1)


def test_the_page_of_a_point_suggests_and_leads_to_how_good_that_is(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        consultation = a_consultation(phase=Phase.CLOSED)
        unit = people.make_unit()
        lead = topics.TopicUnit(unit=unit, part=topics.Part.LEAD, ordinal=0)
        db.session.add(
            topics.Topic(
                programme=consultation.programme,
                ordinal=1,
                key="lifts",
                group_key="g",
                number=1,
                title="旧住房改造",
                division="",
                units=[lead],
            )
        )
        teach(consultation, unit.id)
        point = a_point(consultation, "五楼的老人盼着加装电梯")
        db.session.commit()
        slug, id = consultation.slug, point.id
        staff = people.make("drc_staff")
    people.sign_in(client, staff)
    page = client.get(f"/desk/consultations/{slug}/points/{id}").get_data(as_text=True)
    assert "建议类别：旧住房改造。据已确认的18条意见点学得" in page
    assert "加装电梯" in page
    figures = client.get(f"/desk/consultations/{slug}/points/suggestions").get_data(as_text=True)
    assert "已确认18条不同的文字" in figures
    assert "旧住房改造" in figures
    # All that was given to a unit went to one: there is nothing to tell apart yet.
    assert "已确认9条不同的文字，还不够核对" in figures


def _label(consultation: Consultation, words: str) -> str:
    found = point_suggestions.suggest(consultation.programme_id, About.TOPIC, words)
    assert found is not None
    return found.label


def _id_of(body: str) -> int:
    found = db.session.query(Submission.id).filter(Submission.body == body).scalar()
    assert isinstance(found, int)
    return found


def test_a_points_page_tells_what_stance_its_words_show_beside_what_a_person_chose(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        consultation = a_consultation(phase=Phase.CLOSED)
        body = "支持修路。不建议在楼间距小的楼栋加装电梯。"
        point = a_point(consultation, body)
        point_acts.move(point, stance=Stance.SUGGEST, **WHO)
        db.session.commit()
        slug, id = consultation.slug, point.id
        staff = people.make("drc_staff")
    people.sign_in(client, staff)
    page = client.get(f"/desk/consultations/{slug}/points/{id}").get_data(as_text=True)
    assert "系统判读：反对，依据的词：不建议。以人所选的为准。" in page
    assert '<option value="suggest" selected>' in page
