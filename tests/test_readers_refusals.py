"""What is no draft is refused in one sentence, and no file can do harm."""

import random
import time
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult import readers
from consult.readers import UnreadableDraft
from tests import hostile_files as files
from tests.drafts_read import HEADINGS, NUMBERING, cell, numbered, refusal, styled

# Refusals


@pytest.mark.parametrize(
    ("data", "filename", "says"),
    [
        (b"", "a.docx", "空"),
        (b" \r\n", "a.txt", "空"),
        (b"a" * (readers.MAX_BYTES + 1), "a.txt", "20MB"),
        (files.old_doc(), "a.docx", "旧版Word"),
        (files.old_doc(), "a.txt", "旧版Word"),
        (files.protected_docx(), "a.docx", "密码"),
        (b"%PDF-1.7 ...", "a.docx", "PDF"),
        (b"%PDF-1.7 ...", "a.pdf", "PDF"),
        (b"<!DOCTYPE html><p>x", "a.docx", "网页"),
        (b"\n <HTML><body>x", "a.txt", "网页"),
        (b"<svg onload=alert(1)>", "a.md", "网页"),
        (b"MZ\x90\0\x03\0\0\0", "a.docx", "程序"),
        (b"\x89PNG\r\n\x1a\n", "a.txt", "图片"),
        (b"{\\rtf1 x}", "a.docx", "RTF"),
        (b"plain words", "a.docx", "不是Word文档"),
        (files.docx_of("正文。"), "a.txt", "扩展名"),
        (files.docx_of("正文。"), "a.docm", "宏"),
        (files.macro_docx(), "a.docx", "宏"),
        (files.macro_type_docx(), "a.docx", "宏"),
        (files.docx_of("正文。"), "a.xyz", "只能读取"),
        (files.docx_of("正文。"), "docx", "只能读取"),
        (files.docx_of("", "\u200b\u3164"), "a.docx", "没有可读的正文"),
        (files.packed({"a.txt": "x"}), "a.docx", "压缩文件"),
        (files.packed({"xl/workbook.xml": "x"}), "a.docx", "Excel"),
        (bytes(range(256)) * 9, "a.txt", "不是文字"),
        (random.Random(1).randbytes(5000).replace(b"\0", b""), "a.txt", "不是文字"),
        ("正文一段。\n".encode("utf-16-le"), "a.txt", "不是文字"),
        ("字\n".encode() * 6_000, "a.txt", "5000段"),
        ("字\n\n".encode() * 6_000, "a.md", "5000段"),
        ("字".encode() * 60_000, "a.txt", "过长"),
        (("字" * 1000 + "\n").encode() * 2_100, "a.txt", "200万字"),
    ],
)
def test_what_cannot_be_a_draft_is_refused_in_one_sentence(
    data: bytes, filename: str, says: str
) -> None:
    assert says in refusal(data, filename)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (files.zip_bomb, "安全"),
        (partial(files.crowded_zip, 20_000), "安全"),
        (files.lying_zip, "损坏"),
        (files.climbing_zip, "安全"),
        (files.locked_zip, "密码"),
        (files.billion_laughs, "安全"),
        (files.outside_entity, "安全"),
        (partial(files.outside_entity, encoding="utf-16"), "安全"),
        (partial(files.outside_entity, part="word/settings.xml"), "安全"),
        (files.deep_xml, "复杂"),
        (partial(files.nested_tables, 60), "复杂"),
        (partial(files.docx_with, {"word/document.xml": "<w:document>"}), "损坏"),
        (partial(files.docx_with, {"word/document.xml": ""}), "损坏"),
        (lambda: files.docx_of("正文。")[:-40], "损坏"),
        (lambda: files.docx_of("正文。")[:200], "损坏"),
    ],
)
def test_a_hostile_or_broken_word_file_is_refused(build: Callable[[], bytes], says: str) -> None:
    assert says in refusal(build())


def test_a_flood_of_elements_is_refused() -> None:
    assert "复杂" in refusal(files.many_elements())


def test_a_word_file_without_its_main_part_is_refused() -> None:
    files_without = files.parts("")
    del files_without["word/document.xml"]
    assert "缺少正文" in refusal(files.packed(files_without))


def test_odd_but_harmless_word_files_are_read() -> None:
    for data in (files.wide_table(), files.circular_styles(), files.nested_tables(5)):
        assert readers.read(data, filename="a.docx").blocks


@pytest.mark.parametrize("filename", ["a.md", "a.txt"])
@pytest.mark.parametrize(
    "atom",
    ["[", "![", "*a", "**a", "[a](", "`", "> ", "- a\n", "1. a\n", "|a", "a\n=\n", "a|b\n-|-\n",
     "<a", "&#", "第一章", "（", "一、", "#", "　", "\t", "甲\t3\n", "中" * 30 + "\n"],
)  # fmt: skip
def test_repetition_takes_no_time(atom: str, filename: str) -> None:
    text = atom * (400_000 // len(atom))
    chopped = "\n\n".join(text[at : at + 9_000] for at in range(0, len(text), 9_000))
    for source in (text, chopped):
        started = time.process_time()
        read_or_refuse(source.encode(), filename)
        assert time.process_time() - started < 3


def test_even_a_mistake_of_ours_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consult.readers.sniff.format_of", lambda *_: 1 / 0)
    with pytest.raises(UnreadableDraft, match="无法读取") as caught:
        readers.read(b"x", filename="a.txt")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


# Any bytes at all


def read_or_refuse(data: bytes, filename: str) -> None:
    try:
        draft = readers.read(data, filename=filename)
    except UnreadableDraft as refused:
        if str(refused) == readers.UNFORESEEN:
            raise
        return
    assert draft.blocks
    for block in draft.blocks:
        assert block.text.strip()
        assert (block.kind == "heading") == (1 <= block.level <= 6)
        block.text.encode()
        assert not set(map(chr, [*range(9), 11, 12, 13, *range(14, 32), 127])) & set(block.text)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["a.docx", "a.md", "a.txt", ""]))
def test_any_bytes_are_read_or_refused(data: bytes, filename: str) -> None:
    read_or_refuse(data, filename)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["a.md", "a.txt"]))
def test_any_text_is_read_or_refused(text: str, filename: str) -> None:
    read_or_refuse(text.encode("utf-8", "surrogatepass"), filename)


HONEST = files.docx(
    numbered("总则", 0)
    + styled("目标", "H1")
    + f"<w:tbl><w:tr>{cell('甲')}{cell('乙')}</w:tr></w:tbl>",
    styles=HEADINGS,
    numbering=NUMBERING,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(HONEST) - 1), st.integers(0, 255)), max_size=8),
    st.integers(0, len(HONEST)),
)
def test_a_damaged_package_is_read_or_refused(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(HONEST)
    for at, value in changes:
        data[at] = value
    read_or_refuse(bytes(data), "a.docx")
    read_or_refuse(bytes(data[:cut]), "a.docx")


TAGS = ["w:p", "w:r", "w:t", "w:tbl", "w:tr", "w:tc", "w:pPr", "w:rPr", "w:numPr", "w:ilvl",
        "w:numId", "w:pStyle", "w:ins", "w:del", "w:sdt", "w:fldChar", "w:instrText", "w:sym",
        "w:drawing", "w:txbxContent", "mc:AlternateContent", "mc:Choice", "w:lvl", "w:num",
        "w:abstractNum", "w:abstractNumId", "w:lvlText", "w:start", "w:style", "w:vMerge",
        "w:tcPr", "w:gridSpan", "m:oMath", "w:ruby", "w:rubyBase", "w:outlineLvl"]  # fmt: skip


ATTRIBUTES = [
    "w:val",
    "w:ilvl",
    "w:numId",
    "w:abstractNumId",
    "w:styleId",
    "w:fldCharType",
    "w:char",
]


VALUES = [
    "0",
    "1",
    "9",
    "-1",
    "99999999999999",
    "x",
    "",
    "²",
    "begin",
    "end",
    "%1%9",
    "第%1章",
    "F052",
]


leaves = st.sampled_from(["", "文字", "一、", "TOC"])


trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda tag, key, value, below: f'<{tag} {key}="{value}">{"".join(below)}</{tag}>',
        st.sampled_from(TAGS),
        st.sampled_from(ATTRIBUTES),
        st.sampled_from(VALUES),
        st.lists(inner, max_size=4),
    ),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(trees, trees, trees)
def test_elements_in_any_order_are_read_or_refused(body: str, styles: str, numbering: str) -> None:
    data = files.docx(
        body + numbered("编号", 0) + styled("正文", "1"),
        styles=HEADINGS + styles,
        numbering=NUMBERING + numbering,
    )
    read_or_refuse(data, "a.docx")
