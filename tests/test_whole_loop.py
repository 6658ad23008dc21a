"""Real suggestions through the whole loop: brought in, taken apart, put together, given out,
answered, released, archived; after each step what is kept equals a count made another way."""

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
import pytest
import python_calamine
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import (
    adoption,
    archives,
    changes,
    imports,
    point_acts,
    points,
    response_progress,
    responses,
    revisions,
)
from consult.analysis import duplicates
from consult.archives import Variant
from consult.consultations import Consultation, Phase
from consult.point_rows import Point
from consult.readers import tables
from consult.responses import Outcome
from consult.submissions import Channel, Submission
from core.accounts import Account
from core.db import db
from core.errors import Refused
from core.units import Unit, UnitKind
from tests import people
from tests.answers_made import live
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft

SUGGESTIONS = Path(__file__).resolve().parents[2] / "shared" / "data" / "suggestions.csv"
TODAY = NOON.date()
FEEDBACK = "共收到二百余件意见，都已逐条研究，答复如下，感谢各位的参与。"
WHY = "经研究，有关内容按现行安排办理，理由已向提出人说明。"
FIRST, SECOND = (
    f"# 第一章 总则\n公交线路{words}。\n# 第二章 民生\n加装电梯{words}。\n学校布局不变。\n"
    for words in ("保持现状", "逐年增加")
)
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not SUGGESTIONS.exists(), reason="../shared/data is not here"),
]


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        made = a_consultation("loop", phase=Phase.CLOSED)
        a_published_draft(made, FIRST)
        yield made


@pytest.fixture
def officers(round_: Consultation) -> tuple[Account, Account]:
    """Two people of the office: what one proposes the other releases."""
    return people.make("drc_staff"), people.make("drc_staff")


def test_the_suggestions_go_through_the_whole_loop(
    round_: Consultation,
    officers: tuple[Account, Account],
    client: FlaskClient,
    tmp_path: Path,
) -> None:
    brought_in(round_, officers[0])
    taken_apart(round_, officers[0])
    put_together(round_, officers[0])
    given_out_and_answered(round_, officers)
    tied_to_the_next_version(round_, officers[0])
    released(round_, officers)
    every_form_says_the_same(round_, client)
    every_author_reads_the_answer(round_, client)
    the_archive_verifies(round_, officers[0], tmp_path)


def brought_in(round_: Consultation, officer: Account) -> None:
    """All but those the table itself says twice."""
    raw = SUGGESTIONS.read_bytes()
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert len(rows) == 287
    report = imports.bring_in(
        tables.read(raw, filename="suggestions.csv"),
        round_,
        channel=Channel.LETTER,
        mapping={"external_id": "id", "title": "title", "body": "body"},
        outline=None,
        secret="secret",
        by=officer,
        now=NOON,
        on_day=TODAY,
    )
    db.session.commit()
    assert report.rows == 287
    assert report.imported + report.already + len(report.errors) == 287
    assert report.imported == len({row["id"] for row in rows}) - len(report.errors)
    assert report.imported > 280
    assert number("SELECT COUNT(*) FROM submission WHERE state = 'shown'") == report.imported


def taken_apart(round_: Consultation, officer: Account) -> None:
    """Each as the proposal says; no visible character is lost and none is there twice."""
    for submission in db.session.scalars(sa.select(Submission)).all():
        point_acts.split(submission, points.propose(submission.body), by=officer, now=NOON)
        parts = [points.words(each, submission) for each in points.of(submission.id)]
        assert "".join("".join(parts).split()) == "".join(submission.body.split())
    db.session.commit()
    counted = points.counts(round_.id)
    assert counted.points == number("SELECT COUNT(*) FROM point WHERE state = 'live'")
    assert counted.points > counted.submissions == number("SELECT COUNT(*) FROM submission")


def put_together(round_: Consultation, officer: Account) -> None:
    """What the duplicate analysis finds to say the same becomes one, and the numbers stay."""
    every = {each.id: each for each in live(round_)}
    bodies = dict(db.session.execute(sa.select(Submission.id, Submission.body)).all())
    words = {each.id: bodies[each.submission_id][each.start : each.end] for each in every.values()}
    before = points.counts(round_.id).points
    texts = {key: text for key, text in words.items() if len(text) >= 20}
    together: dict[int, list[int]] = {}
    for key, group in zip(texts, duplicates.near_groups(list(texts.values())), strict=True):
        together.setdefault(group, []).append(key)
    for some in together.values():
        if len(some) > 1:
            point_acts.merge(
                [every[key] for key in some], texts[some[0]][:30], by=officer, now=NOON
            )
    db.session.commit()
    assert points.counts(round_.id).points == before
    assert number("SELECT COUNT(*) FROM point_group") > 0


def given_out_and_answered(round_: Consultation, officers: tuple[Account, Account]) -> None:
    """To three units by turns; every outcome occurs; what is declined needs another person."""
    units = [Unit(slug=f"unit-{n}", name=f"第{n}局", kind=UnitKind.DEPARTMENT) for n in range(3)]
    db.session.add_all(units)
    db.session.commit()
    staff = [people.make("unit_staff", unit=unit) for unit in units]
    heads: dict[int, Point] = {}
    for point in live(round_):
        heads.setdefault(point.group_id or -point.id, point)
    turns: dict[int, list[Point]] = {n: [] for n in range(len(Outcome))}
    for place, point in enumerate(heads.values()):
        turns[place % len(Outcome)].append(point)
    for turn, (outcome, chosen) in enumerate(zip(Outcome, turns.values(), strict=True)):
        unit, writer = units[turn % 3], staff[turn % 3]
        due = responses.due_day(TODAY)
        responses.route(chosen, unit.id, due_on=due, by=officers[0], now=NOON)
        responses.draft(chosen, outcome, WHY, by=writer, now=NOON)
        responses.submit(chosen, by=writer, now=NOON)
        if outcome is Outcome.DECLINED:
            with pytest.raises(Refused):
                responses.approve(chosen, by=writer, now=NOON)
        with pytest.raises(Refused, match="没有定稿的答复"):
            adoption.propose(round_, feedback=FEEDBACK, by=officers[0], now=NOON)
        responses.approve(chosen, by=officers[1], now=NOON)
        db.session.commit()
    assert response_progress.open_count(round_.id) == 0
    assert points.counts(round_.id).points == sum(
        number("SELECT COUNT(*) FROM response WHERE state = 'final' AND outcome = :o", o=o.value)
        for o in Outcome
    )


def tied_to_the_next_version(round_: Consultation, officer: Account) -> None:
    """What is adopted stands out until it is linked to words that changed."""
    version = a_published_draft(round_, SECOND)
    revision = revisions.of(version)
    assert revision is not None
    adopted = number("SELECT COUNT(*) FROM response WHERE outcome IN ('adopted', 'partly')")
    assert changes.unmet_count(round_.id) == adopted
    one = next(
        each
        for each in live(round_)
        if (answer := responses.of(each.id)) and answer.outcome is Outcome.ADOPTED
    )
    made = changes.link(one, version, [revision.pairs[0].entry.id], by=officer, now=NOON)
    db.session.commit()
    assert changes.unmet_count(round_.id) == adopted - made


def released(round_: Consultation, officers: tuple[Account, Account]) -> None:
    """By two: nobody releases what they have proposed."""
    report = adoption.propose(round_, feedback=FEEDBACK, by=officers[0], now=NOON)
    db.session.commit()
    with pytest.raises(Refused, match="不能自己批准"):
        adoption.release(report, round_, site="http://localhost", by=officers[0], now=NOON)
    db.session.rollback()
    adoption.release(report, round_, site="http://localhost", by=officers[1], now=NOON)
    db.session.commit()
    assert round_.phase(NOON) is Phase.ANSWERED


def every_form_says_the_same(round_: Consultation, client: FlaskClient) -> None:
    """Page, Word, Excel, CSV, JSON and a count written here, to the unit."""
    counted = Counter(
        dict(
            db.session.execute(
                sa.text(
                    "SELECT r.outcome, COUNT(*) FROM point p"
                    " JOIN response r ON r.point_id = p.id AND r.state = 'published'"
                    " WHERE p.state = 'live' GROUP BY r.outcome"
                )
            ).all()
        )
    )
    place = "/consultations/loop/adoption"
    data = json.loads(client.get(f"{place}/json").data)
    said: Counter[str] = Counter()
    for row in data["rows"]:
        said[row["outcome"]] += row["count"]
    assert said == counted
    assert data["totals"]["points"] == counted.total()
    sheet = csv.DictReader(io.StringIO(client.get(f"{place}/csv").data.decode("utf-8-sig")))
    assert sum(int(row["count"]) for row in sheet) == counted.total()
    sums = [counted[each.value] for each in Outcome] + [counted.total()]
    book = python_calamine.CalamineWorkbook.from_filelike(
        io.BytesIO(client.get(f"{place}/xlsx").data)
    )
    assert book.get_sheet_by_index(0).to_python()[-1] == ["合计", *sums]
    paper = docx.Document(io.BytesIO(client.get(f"{place}/docx").data))
    assert [cell.text for cell in paper.tables[0].rows[-1].cells] == ["合计", *map(str, sums)]
    page = client.get(f"{place}/").text
    assert re.search(rf'<td class="num"[^>]*>{counted.total()}</td>', page)


def every_author_reads_the_answer(round_: Consultation, client: FlaskClient) -> None:
    """By receipt number, all points of it (a few authors stand for all)."""
    receipts = db.session.scalars(sa.select(Submission.receipt).order_by(Submission.id)).all()
    for receipt in receipts[::40]:
        page = client.get(f"/receipts/{receipt}").text
        wanted = number(
            "SELECT COUNT(*) FROM point p JOIN submission s ON s.id = p.submission_id"
            " WHERE s.receipt = :r AND p.state = 'live'",
            r=receipt,
        )
        assert wanted > 0
        assert page.count(WHY) == wanted


def the_archive_verifies(round_: Consultation, officer: Account, folder: Path) -> None:
    """On its own, without a site; one changed byte is named."""
    path = folder / "loop.zip"
    archives.make(round_, Variant.MASKED, path, by=officer, now=NOON)
    db.session.commit()
    assert verified(path).returncode == 0
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("06-decisions/points.csv").decode("utf-8-sig")
        acts = archive.read("08-record/acts.jsonl").decode().splitlines()
    outcomes = Counter(
        row["outcome"] for row in csv.DictReader(io.StringIO(sheet)) if row["state"] == "live"
    )
    for outcome in Outcome:
        assert outcomes[outcome.value] == number(
            "SELECT COUNT(*) FROM response r JOIN point p ON p.id = r.point_id"
            " WHERE p.state = 'live' AND r.outcome = :o",
            o=outcome.value,
        )
    done = Counter(json.loads(act)["action"] for act in acts)
    assert (done["adoption.proposed"], done["adoption.released"]) == (1, 1)
    assert done["points.split"] == number("SELECT COUNT(*) FROM point_act WHERE kind = 'split'")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    spoilt = verified(path)
    assert spoilt.returncode == 1
    assert "/" in spoilt.stderr


def verified(path: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "consult.archiving", str(path)]
    root = Path(__file__).resolve().parents[1]
    return subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)


def number(query: str, **values: Any) -> int:
    """The one number a query gives."""
    found = db.session.execute(sa.text(query), values).scalar_one()
    assert isinstance(found, int)
    return found
