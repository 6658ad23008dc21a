"""Tables of many columns on a phone: rows become cards, so every cell says what its column is."""

import pytest
import sqlalchemy as sa
from flask import Flask
from lxml import html

from consult.submissions import Submission, SubmissionState
from consult.summaries import Summary
from core.db import db
from panel import rounds
from tests import world
from tests.databases import Databases, close


@pytest.fixture(scope="module")
def site(databases: Databases) -> Flask:  # type: ignore[misc]
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: world.NOON)
    yield app  # type: ignore[misc]
    close(app)
    databases.discard(place)


def tables(app: Flask, address: str) -> list[html.HtmlElement]:
    """The tables of a page whose figures stand beside each other on a phone."""
    answer = world.sign_in(app, "drc_staff").get(address)
    assert answer.status_code == 200
    found: list[html.HtmlElement] = html.fromstring(answer.text).find_class("dense")
    assert all("cards" in each.classes for each in found)
    return found


def told_by_their_cells(table: html.HtmlElement) -> None:
    columns = [head.text_content() for head in table.findall("thead/tr/th")]
    rows = table.findall("tbody/tr")
    assert rows
    for row in rows:
        cells = list(row)
        assert len(cells) == len(columns)
        for column, cell in zip(columns, cells, strict=True):
            # What the row is of heads the card; an empty corner is left out.
            assert cell.tag == "th" or "nothing" in cell.classes or cell.get("data-label") == column


@pytest.mark.parametrize("name", [world.OPEN, world.ANSWERED])
def test_the_totals_of_an_adoption_table(site: Flask, name: str) -> None:
    desk = f"/desk/consultations/{name}/adoption"
    (table,) = tables(site, desk)
    told_by_their_cells(table)
    assert len(table.findall("thead/tr/th")) >= 7


def test_the_sheet_of_a_round(site: Flask) -> None:
    with site.app_context():
        opened = next(each.id for each in rounds.every() if each.opened_at)
    found = tables(site, f"/desk/rounds/{opened}/sheet")
    assert len(found) == 3
    for table in found:
        told_by_their_cells(table)


def test_the_keywords_of_an_opinion(site: Flask) -> None:
    with site.app_context():
        summary = db.session.scalars(sa.select(Summary).order_by(Summary.id)).first()
        assert summary is not None
        opinion = db.session.scalar(
            sa.select(sa.func.min(Submission.id)).where(
                Submission.consultation_id == summary.consultation_id,
                Submission.state == SubmissionState.SHOWN,
            )
        )
        at = f"/desk/summaries/{summary.id}/words/{opinion}"
    (table,) = tables(site, at)
    told_by_their_cells(table)
