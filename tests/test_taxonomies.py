"""A point's field and special plan: the programme's data, chosen, filtered by, shown, undone."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consult import point_acts, point_lists, programme_files, programmes, taxonomies
from consult.consultations import Consultation, Phase
from consult.point_lists import Filter
from consult.programmes import DiscussionField
from consult.submissions import Submission
from core import audit
from core.db import db
from core.errors import Refused
from tests import people
from tests.answers_made import live
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.opinions_made import a_shown_opinion
from tests.programmes_made import SMALL

PLANS = [{"key": "jiaoyu", "title": "教育发展专项规划", "lead": None}]


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        consultation = a_consultation("jingan", phase=Phase.CLOSED)
        programme = consultation.programme
        programme.facts = {**programme.facts, "special_plans": PLANS}
        for ordinal, name in enumerate(("经济建设", "社会民生"), 1):
            db.session.add(DiscussionField(programme=programme, ordinal=ordinal, name=name))
        a_shown_opinion(consultation, "建议多建学校。建议多种树。")
        a_shown_opinion(consultation, "建议增加停车位，方便居民。")
        db.session.commit()
        yield consultation


def test_what_a_point_is_filed_under_goes_on_and_comes_back(round_: Consultation) -> None:
    who = {"by": audit.SYSTEM, "now": NOON}
    first, second = live(round_)
    act = point_acts.move(first, field_key="社会民生", plan_key="jiaoyu", by=audit.SYSTEM, now=NOON)
    assert act is not None
    again = point_acts.move(first, field_key="社会民生", by=audit.SYSTEM, now=NOON)
    assert again is None

    def found(wanted: Filter) -> list[int]:
        return [p.id for p, _s, _r in point_lists.page(round_.id, wanted, limit=9)]

    assert found(Filter(field="社会民生")) == found(Filter(plan="jiaoyu")) == [first.id]
    assert found(Filter(field="经济建设")) == []
    # Parts of a point stay where the whole was.
    whole = db.session.get_one(Submission, first.submission_id)
    split = point_acts.split(whole, [(0, 7), (7, len(whole.body))], **who)
    assert split is not None
    assert len(found(Filter(field="社会民生", plan="jiaoyu"))) == 2
    point_acts.undo(split, **who)
    point_acts.undo(act, **who)
    assert found(Filter(field="社会民生")) == []
    # An act of the first days said nothing of fields: it can be undone, and changes none.
    point_acts.move(second, field_key="经济建设", **who)
    old = point_acts.move(second, topic_key="g1", **who)
    assert old is not None
    for name in ("before", "after"):
        told = dict(getattr(old, name))
        setattr(old, name, {key: told[key] for key in told if key not in ("field", "plan")})
    point_acts.undo(old, **who)
    assert (second.topic_key, second.field_key) == ("", "经济建设")
    with pytest.raises(Refused):
        point_acts.undo(old, **who)


def test_the_workbench_files_shows_and_filters(round_: Consultation, client: FlaskClient) -> None:
    people.make("drc_staff", email="a@example.invalid")
    first = live(round_)[0].id
    db.session.commit()
    people.sign_in(client, "a@example.invalid")
    at = f"/desk/consultations/jingan/points/{first}"
    wanted = {"act": "move", "topic": "", "field": "社会民生", "plan": "jiaoyu", "seen": "0"}
    done = client.post(at, data={**people.token(client, at), **wanted})
    assert done.status_code == 303
    page = client.get(at).text
    assert "社会民生、教育发展专项规划" in page
    wrong = {**people.token(client, at), **wanted, "field": "别处"}
    assert client.post(at, data=wrong).status_code == 422
    page = client.get("/desk/consultations/jingan/points?field=社会民生&plan=jiaoyu").text
    assert page.count('<article class="comment"') == 1
    assert "· 社会民生 · 教育发展专项规划" in page


def test_fields_and_plans_are_the_programme_files(app: Flask) -> None:
    text = SMALL + (
        "discussion_fields: [经济建设, 城市建设]\n"
        "special_plans:\n  - {key: jiaoyu, title: 教育发展专项规划, lead: fgw}\n"
    )
    with app.app_context():
        file = programme_files.read(text.encode(), name="file.yaml")
        programme_files.take_in(file, example=False, by=audit.COMMAND_LINE, now=NOON)
        db.session.commit()
        programme = programmes.by_slug("moujiu-15")
        assert programme is not None
        found = taxonomies.of(programme)
        assert [title for _key, title in found.fields] == ["经济建设", "城市建设"]
        assert found.plans == [("jiaoyu", "教育发展专项规划")]
        assert found.holds("城市建设", "")
        assert not found.holds("", "mingri")
    for wrong in ("lead: nobody", "lead: fgw}\n  - {key: jiaoyu, title: 另一项"):
        with pytest.raises(Refused):
            programme_files.read(text.replace("lead: fgw", wrong).encode(), name="file.yaml")
