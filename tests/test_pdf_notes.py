"""What a PDF notes of its making is taken out, and nothing else of it is touched."""

import contextlib
import io
import zlib
from pathlib import Path

import pytest
import typst
from flask import Flask
from flask.testing import FlaskClient

from consult.readers.pdf_notes import Unstripped, without
from core.db import db
from panel import papers
from panel.meetings import Meeting
from tests import people
from tests.meetings_made import a_meeting, announced

XMP = b"<x:xmpmeta><dc:creator>zhangsan</dc:creator></x:xmpmeta>"


def pdf(info: bytes = b"", *, trailer: bytes = b"/Info 3 0 R", more: bytes = b"") -> bytes:
    return (
        b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\n"
        + (b"3 0 obj " + info + b" endobj\n" if info else b"")
        + more
        + b"trailer <</Root 1 0 R "
        + trailer
        + b">>\n%%EOF\n"
    )


def metadata(data: bytes, entries: bytes = b"") -> bytes:
    return (
        b"9 0 obj <</Type/Metadata/Subtype/XML"
        + entries
        + b">>\nstream\n"
        + data
        + b"\nendstream endobj\n"
    )


@pytest.mark.parametrize(
    "info",
    [
        b"<</Author (zhangsan) /Producer (WPS)>>",
        rb"<< /Author (zhang\)san (of) zhangsan\\) /Title (C:\\Users\\zhangsan\\a.doc)>>",
        b"<</Author <7a68616e6773616e>/Company (zhangsan) /Trapped /False>>",
    ],
)
def test_information_is_overwritten_in_its_place(info: bytes) -> None:
    data = pdf(info)
    found = without(data)
    assert len(found) == len(data)
    assert b"zhang" not in found
    assert b"7a68" not in found
    begin = data.index(b"3 0 obj ") + 8
    assert found[:begin] == data[:begin]
    assert found[begin + len(info) :] == data[begin + len(info) :]
    assert found[begin : begin + 2] == b"<<"
    assert without(found) == found


def test_a_file_that_notes_nothing_stays_as_it_is() -> None:
    for harmless in (pdf(trailer=b""), b"%PDF-1.4 paper", pdf(b"<</Trapped /False>>")):
        assert without(harmless) == harmless


def test_what_is_signed_stays_as_it_was_signed() -> None:
    signed = pdf(b"<</Author (zhangsan)>>", more=b"5 0 obj <</ByteRange [0 9 12 40]>> endobj\n")
    assert without(signed) == signed


def test_metadata_is_overwritten_packed_or_not() -> None:
    plain = pdf(trailer=b"", more=metadata(XMP))
    assert XMP not in without(plain)
    packed = pdf(trailer=b"", more=metadata(zlib.compress(XMP * 9), b"/Filter /FlateDecode"))
    found = without(packed)
    assert len(found) == len(packed)
    stream = found[found.index(b"stream\n") + 7 : found.index(b"\nendstream")]
    assert zlib.decompressobj().decompress(stream) == b" "


@pytest.mark.parametrize(
    "data",
    [
        pdf(trailer=b"/Info 3 0 R"),
        pdf(b"<</Author 7 0 R>>"),
        pdf(b"<</Author (zhangsan>>"),
        pdf(b"(zhangsan)"),
        pdf(b"<</Author (a)>>", trailer=b"/Info 3 0 R /Encrypt 4 0 R"),
        pdf(trailer=b"", more=metadata(XMP, b"/Filter [/ASCIIHexDecode]")),
        pdf(trailer=b"", more=b"9 0 obj <</Type/Metadata>> endobj\n"),
        pdf(trailer=b"".join(b"/Info %d 0 R " % n for n in range(60))),
    ],
)
def test_what_cannot_be_taken_out_is_refused(data: bytes) -> None:
    with pytest.raises(Unstripped):
        without(data)


def test_a_paper_that_was_set_shows_the_same_and_names_nobody(tmp_path: Path) -> None:
    source = tmp_path / "a.typ"
    source.write_text('#set document(title: "T", author: "zhangsan")\n= Paper\nIts words.')
    data = typst.compile(str(source), format="pdf")
    assert b"zhangsan" in data
    found = without(data)
    assert b"zhangsan" not in found
    assert len(found) == len(data)
    # The table of objects and every page's content are the same bytes.
    assert found[data.rindex(b"xref") :] == data[data.rindex(b"xref") :]


@pytest.mark.parametrize(
    "data",
    [
        pdf(trailer=b"", more=b"/Type/Metadata stream\n" * 200_000),
        pdf(trailer=b"", more=b"/Type/Metadata stream\n" * 200_000 + b"endstream"),
        pdf(b"<<" + b"(" * 5_000_000),
        pdf(b"<</Author (a)>>" * 1, more=b"3 0 obj " * 500_000),
    ],
)
def test_hostile_files_are_done_with(data: bytes) -> None:
    # Anything that goes through these more than a few times does not end within the run.
    with contextlib.suppress(Unstripped):
        assert len(without(data)) == len(data)


# --- the papers of meetings ------------------------------------------------------------------------


def test_the_public_is_given_a_paper_without_its_notes_and_the_desk_the_file(
    app: Flask, client: FlaskClient
) -> None:
    data = pdf(b"<</Author (zhangsan)>>")
    with app.app_context():
        a_meeting()
        people.sign_in(client, people.make("drc_staff"))
    sent = {"file": (io.BytesIO(data), "材料.pdf"), "is_public": "y"}
    assert client.post("/desk/meetings/1/papers", data=sent).status_code == 302
    with app.app_context():
        announced(db.session.get_one(Meeting, 1))
    assert app.test_client().get("/meetings/papers/1").data == without(data) != data
    assert client.get("/desk/meetings/papers/1").data == data


def test_a_public_paper_whose_notes_stay_is_refused_and_an_inner_one_is_not(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        a_meeting()
        people.sign_in(client, people.make("drc_staff"))
    for public, status in (("y", 422), ("", 302)):
        sent = {"file": (io.BytesIO(pdf()), "材料.pdf"), "is_public": public}
        answer = client.post("/desk/meetings/1/papers", data=sent)
        assert answer.status_code == status
        assert ("系统去不掉" in answer.text) is (status == 422)
    with app.app_context():
        assert [each.is_public for each in papers.papers_of(1)] == [False]
