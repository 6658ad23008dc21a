"""The English interface: its catalogue is whole, no page in English says anything of ours in
Chinese, and what is Chinese there says so."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree, html

from core import foreign_words, languages
from tests import crawl, world
from tests.databases import Databases, close

# Words are the same on every database.
pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parent.parent
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None}
HAN = re.compile(f"[{foreign_words.HAN}]")
# What the settings and the world of the tests call things, as it happens like words of ours.
NAMES = frozenset({"问计", "居民"})
PLACE = re.compile(r"%\((\w+)\)[^a-zA-Z%]*([a-zA-Z])|%%|\{\}")
# Sentences that are put on record when staff act and are shown as they were written then.
RECORDED = frozenset(
    {
        "发布公告",
        "修订公告：%(what)s",
        "征集部门改为%(name)s",
        "截止日期延长至%(year)d年%(month)d月%(day)d日24:00",
        "公布意见征集情况反馈",
        "公布文稿第%(n)d稿",
        "公布意见汇总（第%(n)d次）",
        "撤回意见汇总（第%(n)d次）",
        # What a panel member signed becomes an opinion under these words.
        "总的意见",
        "建议改为：%(words)s",
    }
)


@cache
def said() -> frozenset[str]:
    """Every msgid in the code and the templates."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found: set[str] = set()
    for folder in ("core", "consult", "panel", "templates"):
        mapping = [(pattern, method) for pattern, method in methods]
        for _name, _line, message, _comments, _context in extract_from_dir(
            ROOT / folder,
            [(pattern.removeprefix(f"{folder}/"), method) for pattern, method in mapping],
            {pattern.removeprefix(f"{folder}/"): each for pattern, each in options.items()},
            KEYWORDS,
        ):
            found.add(message if isinstance(message, str) else message[0])
    return frozenset(found)


@cache
def english() -> Catalog:
    path = languages.TRANSLATIONS / "en" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale="en", abort_invalid=True)


def places(text: str) -> list[tuple[str, ...]]:
    """The placeholders of a sentence; their flags (02d) may differ between languages."""
    return sorted(
        match.groups() if match.group(1) else (match.group(),) for match in PLACE.finditer(text)
    )


def test_the_words_are_found() -> None:
    assert len(said()) > 1400
    assert "提交意见" in said()  # a template
    assert "请写下您的意见。" in said()  # a form
    assert "意见征集动态" in said()  # an attribute


def test_every_word_has_its_english_and_no_english_is_left_over() -> None:
    translated = {str(each.id) for each in english() if each.id and each.string}
    missing, left_over = sorted(said() - translated), sorted(translated - said())
    assert not missing, "run `make words`, then put into English:\n" + "\n".join(missing)
    assert not left_over, "run `make words`:\n" + "\n".join(left_over)


def test_placeholders_are_the_same_in_both() -> None:
    wrong = [
        f"{each.id} | {each.string}"
        for each in english()
        if each.id and places(str(each.id)) != places(str(each.string))
    ]
    assert wrong == []
    assert not [each.id for each in english() if each.id and each.fuzzy]


def test_english_has_no_chinese_but_what_it_quotes() -> None:
    # Names of things that stay Chinese on the page are quoted.
    wrong = [
        str(each.string)
        for each in english()
        if each.id and HAN.search(re.sub("“[^”]*”|例如.*|For example: .*", "", str(each.string)))
    ]
    assert wrong == []


def test_no_word_of_ours_stands_outside_gettext_in_a_template() -> None:
    found = []
    for path in sorted((ROOT / "templates").rglob("*.*ml")):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = re.sub(r"_\(\s*(?:'[^']*'|\"[^\"]*\")", "", text)
        for line in text.splitlines():
            plain = re.sub(r"replace\('[^']*', '[^']*'\)|join\('[^']*'\)", "", line)
            plain = plain.replace('lang="zh-Hans">中文<', "")
            if HAN.search(plain):
                found.append(f"{path.relative_to(ROOT)}: {line.strip()[:120]}")
    assert found == []


def test_no_sentence_is_looked_up_when_a_module_is_read() -> None:
    """`_()` outside a function would fix the language of whoever came first."""
    for package in ("core", "consult", "panel"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in _outside_functions(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
                    raise AssertionError(f"{path}:{node.lineno}: use _l() here")


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _outside_functions(child)


# --- choosing ------------------------------------------------------------------------------


def test_the_language_is_chosen_in_the_footer_and_remembered(client: FlaskClient) -> None:
    page = client.get("/rules").get_data(as_text=True)
    assert '<html lang="zh-Hans">' in page
    assert '<button name="lang" value="en" lang="en">English</button>' in page
    assert client.post("/view", data={"lang": "en", "next": "/rules"}).location == "/rules"
    page = client.get("/rules").get_data(as_text=True)
    assert '<html lang="en">' in page
    assert "Who can comment" in page
    client.post("/view", data={"lang": "zh", "next": "/rules"})
    assert client.get_cookie("lang") is None
    assert "谁可以提意见" in client.get("/rules").get_data(as_text=True)


def test_hints_of_a_form_are_english_too(client: FlaskClient) -> None:
    client.set_cookie("lang", "en")
    page = client.post("/corrections/new", data={}).get_data(as_text=True)
    assert "Please choose a kind" in page
    assert "Not sent yet" in page
    assert "请" not in page


@pytest.fixture(scope="module")
def site(databases: Databases) -> Iterator[Flask]:
    """The world, to be read."""
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: world.NOON)
    yield app
    close(app)
    databases.discard(place)


def test_readers_of_both_languages_share_no_page(site: Flask) -> None:
    chinese, reader = site.test_client(), site.test_client()
    reader.set_cookie("lang", "en")
    for path in ("", "draft", "summary", "opinions"):
        address = f"/consultations/{world.OPEN}/{path}"
        for _round in range(2):
            assert '<html lang="zh-Hans"' in chinese.get(address).get_data(as_text=True)
            assert '<html lang="en"' in reader.get(address).get_data(as_text=True)


def test_at_the_desk_everything_is_chinese(site: Flask) -> None:
    client = world.sign_in(site, "administrator")
    client.set_cookie("lang", "en")
    page = client.get("/desk/").get_data(as_text=True)
    assert '<html lang="zh-Hans"' in page
    assert "意见待审核" in page
    assert 'value="en"' not in page


@pytest.mark.parametrize("path", ["feed.atom", "deadlines.ics"])
def test_what_programs_subscribe_to_has_one_language(site: Flask, path: str) -> None:
    chinese, reader = site.test_client(), site.test_client()
    reader.set_cookie("lang", "en")
    address = f"/consultations/{path}"
    assert chinese.get(address).data == reader.get(address).data


# --- the pages -----------------------------------------------------------------------------


def _patterns() -> re.Pattern[str]:
    """What our sentences look like in Chinese once their placeholders are filled."""
    telling = []
    for each in said() - RECORDED - NAMES:
        fixed = PLACE.sub("", each)
        if len(HAN.findall(fixed)) >= (2 if fixed == each else 4):
            parts = [re.escape(part) for part in PLACE.sub("\0", each).split("\0")]
            telling.append(".+?".join(parts).replace("%%", "%"))
    return re.compile("|".join(telling), re.DOTALL)


def _texts(page: html.HtmlElement) -> Iterator[tuple[str, str, bool]]:
    """(where, text, says that it is Chinese) for everything one can read on a page."""
    for element in page.iter(etree.Element):
        if element.tag in ("script", "style"):
            continue
        inside = _says_chinese(element)
        if element.text and HAN.search(element.text):
            yield f"<{element.tag}>", element.text, inside or element.tag in _MIXED
        if element.tail and HAN.search(element.tail):
            yield f"after <{element.tag}>", element.tail, _says_chinese(element.getparent())
        for name in ("aria-label", "alt", "title", "placeholder", "content", "data-copied"):
            if HAN.search(element.get(name, "")):
                yield f"<{element.tag} {name}>", element.get(name), True


# These hold plain text only, where Chinese words among English ones cannot be marked.
_MIXED = foreign_words.TEXT_ONLY


def _says_chinese(element: html.HtmlElement | None) -> bool:
    while element is not None:
        if said := element.get("lang"):
            return bool(said.startswith("zh"))
        element = element.getparent()
    return False


def test_no_page_in_english_says_anything_of_ours_in_chinese(site: Flask) -> None:
    client = site.test_client()
    client.set_cookie("lang", "en")
    client.collects = True
    ours = _patterns()
    wrong: dict[str, str] = {}
    pages = 0
    for address, answer in crawl.walk(site, client):
        if answer.mimetype != "text/html" or not answer.data or address.startswith("/desk"):
            continue
        page = html.document_fromstring(answer.data)
        if page.get("lang") != "en":
            # A redirect's few words, or a file that could not be made.
            assert answer.status_code in (301, 302, 308) or Path(address).suffix, address
            continue
        pages += 1
        for where, text, is_marked in _texts(page):
            plain = " ".join(text.split())
            if ours.fullmatch(plain):
                wrong.setdefault(f"in Chinese: {plain} {where}", address)
            elif not is_marked:
                wrong.setdefault(f"not marked: {plain} {where}", address)
    assert pages > 40
    assert not client.found, "\n".join(client.found)
    assert not wrong, "\n".join(f"{why} at {address}" for why, address in wrong.items())


# --- marking -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "marked"),
    [
        ("<p>Hello</p>", "<p>Hello</p>"),
        ("<p>停车位</p>", '<p><bdi lang="zh-Hans">停车位</bdi></p>'),
        (
            "<p>On 《静安区“十四五”规划》 as a whole</p>",
            '<p>On <bdi lang="zh-Hans">《静安区“十四五”规划》</bdi> as a whole</p>',
        ),
        (
            "<p>2020年10月 &amp; 中</p>",
            '<p>2020<bdi lang="zh-Hans">年10月</bdi> &amp; <bdi lang="zh-Hans">中</bdi></p>',
        ),
        ("<option value=甲>停车</option>", '<option value=甲 lang="zh-Hans">停车</option>'),
        ("<option>停车 A</option>", "<option>停车 A</option>"),
        ('<b lang="zh-Hans">中文</b>', '<b lang="zh-Hans">中文</b>'),
        ("<script>停车</script>", "<script>停车</script>"),
        ('<p title="停车">x</p>', '<p title="停车">x</p>'),
        ("<!-- 停车 --><p>x</p>", "<!-- 停车 --><p>x</p>"),
        ("<svg><text x=1>一季度</text></svg>", '<svg><text x=1 lang="zh-Hans">一季度</text></svg>'),
        ("𠮷", '<bdi lang="zh-Hans">𠮷</bdi>'),
    ],
)
def test_chinese_is_marked(page: str, marked: str) -> None:
    # Text before the first tag is none of a page's; it stands for a text after one.
    whole = page if page.startswith("<") else f"<p>{page}"
    assert foreign_words.marked(whole) == (marked if whole == page else f"<p>{marked}")


def test_slots_of_kept_pages_stay_whole() -> None:
    text = "<p>共\x02s\x03件意见</p>"
    assert "\x02s\x03" in foreign_words.marked(text)
