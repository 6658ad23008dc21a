"""Builders for the tests of reading drafts: short files in each format, and what they become."""

import pytest

from consult import readers
from consult.readers import ReadDraft, UnreadableDraft
from tests import hostile_files as files


def txt(text: str) -> ReadDraft:
    return readers.read(text.encode(), filename="稿.txt")


def md(text: str) -> ReadDraft:
    return readers.read(text.encode(), filename="稿.MD")


def word(body: str, *, styles: str = "", numbering: str = "") -> ReadDraft:
    data = files.docx(body, styles=styles, numbering=numbering)
    return readers.read(data, filename="稿.docx")


def plain_word(*lines: str) -> ReadDraft:
    return readers.read(files.docx_of(*lines), filename="稿.docx")


def outline(draft: ReadDraft) -> list[tuple[int, str]]:
    return [(block.level, block.text) for block in draft.blocks]


def texts(draft: ReadDraft) -> list[str]:
    return [block.text for block in draft.blocks]


def refusal(data: bytes, filename: str = "稿.docx") -> str:
    with pytest.raises(UnreadableDraft) as caught:
        readers.read(data, filename=filename)
    sentence = str(caught.value)
    assert sentence != readers.UNFORESEEN, caught.value.__cause__
    assert sentence.endswith("。")
    assert "请" in sentence
    assert "\n" not in sentence
    return sentence


HEADINGS = "".join(
    f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/>{more}</w:style>'
    for key, name, more in (
        ("H1", "heading 1", ""),
        ("2", "标题 2", ""),
        ("L3", "小标题", '<w:pPr><w:outlineLvl w:val="2"/></w:pPr>'),
        ("H1b", "我的样式", '<w:basedOn w:val="H1"/>'),
        ("T", "Title", ""),
        ("TOC1", "toc 1", ""),
    )
)


def styled(text: str, style: str, more: str = "") -> str:
    return files.paragraph(text, f'<w:pStyle w:val="{style}"/>{more}')


def level(depth: int, kind: str, text: str, more: str = "") -> str:
    return (
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>{more}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


NUMBERING = (
    '<w:abstractNum w:abstractNumId="0">'
    + level(0, "chineseCountingThousand", "第%1章", '<w:pStyle w:val="Chapter"/>')
    + level(1, "chineseCounting", "（%2）")
    + level(2, "decimal", "%3.")
    + level(3, "decimal", "%1.%3.%4", "<w:isLgl/>")
    + '</w:abstractNum><w:abstractNum w:abstractNumId="1">'
    + level(0, "bullet", "\uf0b7")
    + '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="0"/>'
    '<w:lvlOverride w:ilvl="2"><w:startOverride w:val="7"/></w:lvlOverride></w:num>'
)


def numbered(text: str, depth: int, num: int = 1) -> str:
    return files.paragraph(
        text, f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{num}"/></w:numPr>'
    )


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{files.paragraph(text)}</w:tc>"
