"""What every page owes its readers, looked up in its HTML and its headers.

`faults(answer)` is pure: it opens nothing and knows no application. The test client in
`tests/visitor.py` asks it about every page that any test opens.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from lxml import etree, html
from werkzeug.test import TestResponse

PERSONAL = re.compile(r"/(desk|account|sign-in|sign-out|receipts)(/|$)|/comment$")
# Controls that need no label: they have words of their own or nobody sees them.
WORDLESS = frozenset({"hidden", "submit", "button", "reset", "image"})
# Elements that load something by themselves.
LOADING = (
    ("img", "src"),
    ("script", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("audio", "src"),
    ("object", "data"),
    ("embed", "src"),
    ("use", "href"),
)
# Links of the head that load nothing.
ONLY_SAID = frozenset({"canonical", "alternate", "next", "prev"})
# Scripts that only carry data.
DATA_SCRIPTS = frozenset({"application/json", "application/ld+json"})
CSP_NEEDS = (
    "default-src 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
    "base-uri 'none'",
)


def faults(answer: TestResponse, *, signed_in: bool = False, had_cookie: bool = True) -> list[str]:
    """What is wrong with an answer, in sentences; nothing for what is not a page.

    `signed_in`: whether the person who asked is; `had_cookie`: whether their browser already had
    the site's session cookie.
    """
    if answer.mimetype != "text/html" or answer.status_code in (204, 304):
        return []
    if 300 <= answer.status_code < 400 and "<main" not in answer.get_data(as_text=True):
        return list(_headers(answer, None, signed_in, had_cookie))
    if not answer.get_data().strip():
        return ["an empty page"]
    page = html.document_fromstring(answer.get_data())
    return [
        *_head(page),
        *_identifiers(page),
        *_labels(page),
        *_pictures(page),
        *_inline(page),
        *_strangers(page),
        *_tables(page),
        *_headers(answer, page, signed_in, had_cookie),
    ]


def _head(page: html.HtmlElement) -> Iterator[str]:
    titles = [(each.text or "").strip() for each in page.iterfind(".//head/title")]
    if len(titles) != 1 or not titles[0] or titles[0].startswith("·"):
        yield f"one title with words is needed, found {titles}"
    if not page.get("lang"):
        yield "<html> has no lang"
    mains = page.findall(".//main")
    if len(mains) != 1:
        yield f"one <main> is needed, found {len(mains)}"
    headings = page.findall(".//h1")
    if len(headings) != 1 or not words(headings[0]):
        yield f"one <h1> with words is needed, found {[words(each) for each in headings]}"
    level = 0
    for heading in page.iter("h1", "h2", "h3", "h4", "h5", "h6"):
        if not words(heading):
            yield f"an empty <{heading.tag}>"
        level = int(heading.tag[1])
    if level and page.find(".//meta[@name='viewport']") is None:
        yield "no viewport"


def _identifiers(page: html.HtmlElement) -> Iterator[str]:
    counted = Counter(each.get("id") for each in page.iter() if each.get("id") is not None)
    for name, count in counted.items():
        if count > 1:
            yield f"the id {name!r} stands {count} times"
        if not name or re.search(r"\s", name):
            yield f"{name!r} is no id"
    for attribute in ("for", "aria-describedby", "aria-labelledby", "aria-controls"):
        for each in page.iterfind(f".//*[@{attribute}]"):
            for name in each.get(attribute).split():
                if name not in counted:
                    yield f"{attribute}={name!r} points nowhere"


def _labels(page: html.HtmlElement) -> Iterator[str]:
    labelled = {each.get("for") for each in page.iter("label") if words(each)}
    for control in page.iter("input", "select", "textarea"):
        if control.tag == "input" and control.get("type", "text") in WORDLESS:
            continue
        wrapped = any(each.tag == "label" and words(each) for each in control.iterancestors())
        if not (wrapped or control.get("id") in labelled or _named_by_attribute(control)):
            yield f"no label for {_shown(control)}"
    for control in page.iter("button", "a", "summary"):
        if control.tag == "a" and control.get("href") is None:
            continue
        pictured = any(each.get("alt") for each in control.iter("img"))
        if not (words(control) or pictured or _named_by_attribute(control)):
            yield f"nothing to read on {_shown(control)}"
    for control in page.iterfind(".//input"):
        if control.get("type") in ("submit", "button", "image") and not (
            control.get("value") or control.get("alt")
        ):
            yield f"nothing to read on {_shown(control)}"


def _pictures(page: html.HtmlElement) -> Iterator[str]:
    for picture in page.iter("img"):
        if picture.get("alt") is None:
            yield f"no alt on {_shown(picture)}"


def _inline(page: html.HtmlElement) -> Iterator[str]:
    for element in page.iter(etree.Element):
        if element.tag == "style":
            yield "an inline <style>"
        if (
            element.tag == "script"
            and not element.get("src")
            and element.get("type") not in DATA_SCRIPTS
        ):
            yield "an inline <script>"
        for name, value in element.attrib.items():
            if name == "style" or name.lower().startswith("on"):
                yield f"an inline {name}= on {_shown(element)}"
            if name in ("href", "src", "action", "formaction") and _is_code(value):
                yield f"code in {name}= on {_shown(element)}"


def _strangers(page: html.HtmlElement) -> Iterator[str]:
    for tag, attribute in LOADING:
        for element in page.iter(tag):
            if tag == "link" and element.get("rel") in ONLY_SAID:
                continue
            address = element.get(attribute) or ""
            if urlsplit(address).netloc or address.startswith("data:"):
                yield f"{tag} loads from elsewhere: {address[:80]}"
    for form in page.iter("form"):
        if urlsplit(form.get("action") or "").netloc:
            yield f"a form is sent elsewhere: {form.get('action')}"


def _tables(page: html.HtmlElement) -> Iterator[str]:
    for table in page.iter("table"):
        if table.find(".//th") is None:
            yield "a table without header cells"


def _headers(
    answer: TestResponse, page: html.HtmlElement | None, signed_in: bool, had_cookie: bool
) -> Iterator[str]:
    headers = answer.headers
    policy = headers.get("Content-Security-Policy", "")
    for need in CSP_NEEDS:
        if need not in policy:
            yield f"the Content-Security-Policy lacks {need}"
    if "unsafe" in policy:
        yield f"the Content-Security-Policy is unsafe: {policy}"
    if headers.get("X-Content-Type-Options") != "nosniff":
        yield "no nosniff"
    if "Cookie" not in headers.get("Vary", ""):
        yield "Vary does not name Cookie"
    cache = headers.get("Cache-Control", "")
    token = page is not None and page.find(".//input[@name='csrf_token']") is not None
    desk = answer.status_code not in (404, 405) and PERSONAL.search(answer.request.path)
    personal = signed_in or token or desk
    if page is not None and personal and "no-store" not in cache:
        yield f"a personal page may be stored: Cache-Control is {cache!r}"
    if answer.request.method in ("GET", "HEAD") and not had_cookie and not token:
        cookies = headers.getlist("Set-Cookie")
        if cookies:
            yield f"a reader without a form gets a cookie: {cookies[0][:60]}"


def words(element: html.HtmlElement) -> str:
    """What can be read in an element."""
    return " ".join("".join(element.itertext()).split())


def _named_by_attribute(element: html.HtmlElement) -> bool:
    return bool(element.get("aria-label") or element.get("aria-labelledby"))


def _is_code(address: str) -> bool:
    plain = "".join(address.split()).lower()
    return plain.startswith(("javascript:", "data:text", "vbscript:"))


def _shown(element: html.HtmlElement) -> str:
    attributes = " ".join(f'{name}="{value[:40]}"' for name, value in element.attrib.items())
    return f"<{element.tag} {attributes}>"


def in_words(found: Iterable[str]) -> str:
    """Faults as a list to print."""
    return "".join(f"\n  * {fault}" for fault in dict.fromkeys(found))
