"""Hostile text in every text column, then every page, export and picture read as everybody.

The columns are found in the models, so one that is added tomorrow is tried tomorrow. What is kept
for machines (keys, hashes, enumerations) is named below and left alone.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from lxml import etree, html
from markupsafe import escape
from werkzeug.test import TestResponse

from core.db import Base, db
from core.sheets import inert
from tests import crawl, world
from tests.databases import Databases, close

# Columns that no person and no file can fill with words of their choice. Everything else that
# holds text is filled, also what is only meant for machines but comes from a file.
FOR_MACHINES = frozenset(
    {
        "account.consent",
        "account.email",
        "account.fs_uniquifier",
        "account.mf_recovery_codes",
        "account.password",
        "account.tf_primary_method",
        "account.tf_totp_secret",
        "attachment.sha256",
        "audit_event.action",
        "audit_event.thing_kind",
        "browser_session.id_hash",
        "consultation.slug",
        "correction.month",
        "correction.once_key",
        "correction.receipt",
        "intake.header",
        "intake.sha256",
        "intake.stored_as",
        "job.held_by",
        "job.kind",
        "lexicon_version.digest",
        "meeting_paper.sha256",
        "message.once_key",
        "moment.key",
        "moment.nodes",
        "output.key",
        "password_link.token_hash",
        "programme.slug",
        "review_invitation.digest",
        "review_signature.digest",
        "round_text.sha256",
        "screening_figure.kind",
        "sign_in_code.address_hash",
        "sign_in_code.code_hash",
        "seat_draw.algorithm",
        "seat_draw.drawn",
        "seat_draw.pool",
        "seat_pool.numbers",
        "seat_pool.sha256",
        "seat_request.consent",
        "seat_request.once_key",
        "seat_request.person_key",
        "seat_request.receipt",
        "stage.key",
        "stance_correction.machine",
        "stance_correction.method",
        "submission.consent",
        "submission.fingerprint",
        "submission.once_key",
        "submission.person_key",
        "submission.receipt",
        "summary.basis",
        "summary.lexicon",
        "member_import.proposed",
        "member_import.sha256",
        "member_import.stored_as",
        "panel_application.consent",
        "panel_application.once_key",
        "panel_application.person_key",
        "panel_application.receipt",
        "panel_member.by_pinyin",
        "panel_member.by_stroke",
        "summary.method",
        # Made by the segmenter from words that stand in the table in full elsewhere.
        "term.word",
        "term_reading.version",
        "throttle_count.key_hash",
        "support.supporter_key",
        "topic.group_key",
        "topic.key",
        "unit.slug",
        "used_proof.signature",
        "version.source_sha256",
    }
)
# Sites own words for machines: never shown, or checked to be one of a closed list where they are.
PAYLOADS = (
    "<script src=//hostile.example>hostile()</script>",
    "\"'><img src=x data-hostile=1 onerror=hostile()>",
    "</textarea></title></script><b data-hostile=2>{{7**11}}",
    "javascript:hostile(){{7**11}}<hr data-hostile=3>",
    "'-hostile()-'<svg onload=hostile() data-hostile=4>${7**11}",
    "\u202e<a href=javascript:hostile()>\ufeff&lt;i data-hostile=5&gt;",
)
# Ten digits, which no key or digest in a page holds by chance.
CALCULATED = str(7**11)
FORMULAS = (
    '=HYPERLINK("http://hostile.example")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    "\ufeff=1",
)


@pytest.fixture
def site(databases: Databases) -> Iterator[Flask]:
    """A copy of the world as it is on a real site."""
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: world.NOON, WTF_CSRF_ENABLED=True, TESTING=False)
    yield app
    close(app)
    databases.discard(place)


def text_columns() -> Iterator[tuple[sa.Table, sa.Column[Any]]]:
    """Every column that can hold words somebody chose."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            kind = column.type
            wordy = isinstance(kind, sa.String | sa.JSON) and not isinstance(kind, sa.Enum)
            if wordy and f"{table.name}.{column.name}" not in FOR_MACHINES:
                yield table, column


def poison(app: Flask, payloads: tuple[str, ...]) -> int:
    """Put a payload into every text column of every row; how many cells."""
    cells = 0
    with app.app_context(), db.engine.begin() as connection:
        for table, column in text_columns():
            key = list(table.primary_key.columns)
            for row in connection.execute(sa.select(*key, column)).all():
                *identity, value = row
                if value is None:
                    continue
                new = _hostile(value, column, cells, payloads)
                where = [each == part for each, part in zip(key, identity, strict=True)]
                connection.execute(sa.update(table).where(*where).values({column: new}))
                cells += 1
    return cells


def _hostile(value: Any, column: sa.Column[Any], turn: int, payloads: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {
            key: _hostile(each, column, turn + place, payloads)
            for place, (key, each) in enumerate(value.items())
        }
    if isinstance(value, list):
        return [_hostile(each, column, turn + place, payloads) for place, each in enumerate(value)]
    if not isinstance(value, str):
        return value
    if isinstance(column.type, sa.JSON) and value.isascii():
        return value  # a date, a slug, a colour: the files' readers hold these to their form
    if column.name in ("filename", "source_name"):
        return f"<hr data-hostile=7>{turn}{value[value.rfind('.') :]}"
    unique = column.unique or any(column.name in each.columns for each in _uniques(column))
    text = payloads[turn % len(payloads)] + (f"{turn}" if unique else "")
    length = getattr(column.type, "length", None)
    if length and len(text) > length:
        shorter = [
            each for each in ("<hr data-hostile=6>", "<b onclick=h>", "<q>") if len(each) <= length
        ]
        return (shorter[0] if shorter else "<"[:length])[:length]
    # Rows of tables and lists of paragraphs keep their shape.
    return text.join(["", "\n"]) + text if column.name in ("body", "text") else text


def _uniques(column: sa.Column[Any]) -> list[sa.UniqueConstraint]:
    return [each for each in column.table.constraints if isinstance(each, sa.UniqueConstraint)]


@pytest.mark.once
@pytest.mark.parametrize(
    "person", ["anonymous", "resident", "screener", "auditor", "administrator"]
)
def test_no_text_becomes_more_than_text(site: Flask, person: str) -> None:
    client = world.sign_in(site, person)
    assert poison(site, PAYLOADS) > 300
    client.collects = True
    seen = 0
    for address, answer in crawl.walk(site, client):
        if answer.status_code >= 500:
            client.found.append(f"{address}: {answer.status_code}")
        client.found += [f"{address}: {why}" for why in _alive(answer)]
        seen += "hostile" in answer.get_data(as_text=True) if answer.mimetype == "text/html" else 0
    assert not client.found, "\n".join(["", *dict.fromkeys(client.found)])
    assert seen > 5, "the hostile text did not even reach the pages"


def _alive(answer: TestResponse) -> Iterator[str]:
    """What of the hostile text has come to life in an answer."""
    body = answer.get_data()
    for name, value in answer.headers:
        if "\n" in value or "\r" in value or "<script" in value:
            yield f"hostile text in the header {name}"
    if CALCULATED.encode() in body:
        yield "a template was filled with text of a person"
    if answer.mimetype == "text/html" and body.strip():
        yield from _alive_in_page(html.document_fromstring(body))
    elif answer.mimetype == "image/svg+xml":
        yield from _alive_in_page(etree.fromstring(body))
    elif answer.mimetype == "text/csv":
        yield from _alive_in_csv(body)
    elif "openxmlformats" in answer.mimetype:
        yield from _alive_in_archive(body)


def _alive_in_page(page: Any) -> Iterator[str]:
    for element in page.iter(etree.Element):
        tag = etree.QName(element).localname
        if tag == "script" and "hostile" in "".join([*element.values(), element.text or ""]):
            yield "a script of a person's"
        for name, value in element.attrib.items():
            if name.startswith(("data-hostile", "on")):
                yield f"an element of a person's: <{tag} {name}>"
            plain = re.sub(r"[\s\x00-\x20]", "", value).lower()
            if name.endswith(("href", "src", "action")) and plain.startswith(
                ("javascript:", "data:", "vbscript:", "//hostile", "http://hostile")
            ):
                yield f"an address of a person's: {name}={value[:60]}"


def _alive_in_csv(body: bytes) -> Iterator[str]:
    for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")):
        for cell in row:
            start = cell.lstrip(" \u00a0\u3000\u200b\ufeff\u2060")
            if start and start[0] in "=+-@\t\r＝＋－＠" and not re.fullmatch(r"-?[\d.]+", cell):
                yield f"a formula in a table: {cell[:40]!r}"


def _alive_in_archive(body: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        for name in archive.namelist():
            if not name.endswith((".xml", ".rels")):
                continue
            tree = etree.fromstring(archive.read(name))
            if name.startswith("xl/worksheets") and tree.findall(".//{*}f"):
                yield f"a formula in {name}"
            if name.endswith(".rels"):
                for each in tree.iter("{*}Relationship"):
                    if each.get("TargetMode") == "External":
                        yield f"{name} points outside: {each.get('Target')}"
            if any(
                etree.QName(each).localname == "instrText" and "hostile" in (each.text or "")
                for each in tree.iter(etree.Element)
            ):
                yield f"a field code of a person's in {name}"


@pytest.mark.once
@pytest.mark.parametrize("person", ["auditor", "administrator"])
def test_no_cell_of_a_table_becomes_a_formula(site: Flask, person: str) -> None:
    client = world.sign_in(site, person)
    poison(site, FORMULAS)
    client.checks = False
    found, tables = [], 0
    for address, answer in crawl.walk(site, client):
        if answer.mimetype != "text/html":
            tables += answer.mimetype == "text/csv" or "openxml" in answer.mimetype
            found += [f"{address}: {why}" for why in _alive(answer)]
    assert not found, "\n".join(["", *dict.fromkeys(found)])
    assert tables


def test_every_text_column_is_filled_somewhere(site: Flask) -> None:
    """The world has a row with words for every column, or the columns are named here."""
    empty = {"used_proof", "throttle_count", "browser_session"}
    missing = []
    with site.app_context():
        for table, column in text_columns():
            if table.name not in empty and not db.session.scalar(
                sa.select(sa.func.count()).select_from(table).where(column.is_not(None))
            ):
                missing.append(f"{table.name}.{column.name}")
    assert missing == [], "let tests/world.py make something of this kind"


def test_every_name_kept_for_machines_is_a_column(app: Flask) -> None:
    there = {f"{t.name}.{c.name}" for t in Base.metadata.sorted_tables for c in t.columns}
    assert there >= FOR_MACHINES, sorted(FOR_MACHINES - there)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_check_sees_text_that_came_to_life(app: Flask, payload: str) -> None:
    for page in (f"<main>{payload}</main>", f'<a href="{payload}">x</a>', f"<p title='{payload}'>"):
        found = list(_alive(app.response_class(f"<html><body>{page}", mimetype="text/html")))
        escaped = app.response_class(f"<p>{escape(payload)}</p>", mimetype="text/html")
        assert list(_alive(escaped)) == []
        if found:
            return
    raise AssertionError("nothing was seen")


@pytest.mark.parametrize("cell", FORMULAS)
def test_the_check_sees_a_formula(app: Flask, cell: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(["x", cell])
    assert list(_alive(app.response_class(out.getvalue(), mimetype="text/csv")))
    out = io.StringIO(newline="")
    csv.writer(out).writerow(["x", inert(cell)])
    assert not list(_alive(app.response_class(out.getvalue(), mimetype="text/csv")))
