"""The languages of the interface: Chinese, in which it is written, and English.

The English catalogue is read from `translations/` as text when a process first needs it; nothing
compiled lies in the repository. A server keeps what it has read in its instance folder. At the desk everything is Chinese: what staff do is
put on record in sentences, and the record has one language. Why: `docs/decisions/0007-english.md`.
"""

import hashlib
import os
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request
from flask.templating import Environment
from flask_babel import Babel, Domain, get_locale
from jinja2 import Template

from core import foreign_words, preferences

CHINESE, ENGLISH = "zh_Hans_CN", "en"
AS_WRITTEN = NullTranslations()
TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"
WORDS = TRANSLATIONS / ENGLISH / "LC_MESSAGES" / "messages.po"
DESK = "/desk"
_READ: dict[str, Translations] = {}


def chosen() -> str:
    """The language of this request: English for who asked for it, where it is spoken."""
    if not has_request_context() or g.get("only_chinese") or at_the_desk():
        return CHINESE
    return ENGLISH if preferences.of(request.cookies).lang == "en" else CHINESE


def at_the_desk() -> bool:
    """Whether this request is for a page of the staff's."""
    return request.path == DESK or request.path.startswith(DESK + "/")


def only_chinese() -> None:
    """Before a request whose answer is kept for everybody or put up in the street."""
    g.only_chinese = True


def is_english() -> bool:
    """Whether words come out in English now."""
    locale = get_locale()
    return locale is not None and locale.language == ENGLISH


def catalogue() -> Translations:
    """The English words."""
    found = _READ.get(ENGLISH)
    if found is None:
        found = _READ[ENGLISH] = Translations(BytesIO(_compiled(WORDS.read_bytes())))
    return found


def warm(folder: Path) -> None:
    """Have the words ready. They are kept in `folder`, because to read the text takes 0.2 s."""
    text = WORDS.read_bytes()
    kept = folder / f"{hashlib.sha256(text).hexdigest()[:32]}.mo"
    if not kept.exists():
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(_compiled(text))
        fresh.replace(kept)
    _READ[ENGLISH] = Translations(BytesIO(kept.read_bytes()))


def _compiled(text: bytes) -> bytes:
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(text), locale=ENGLISH))
    return compiled.getvalue()


class Words(Domain):  # type: ignore[misc]  # flask_babel is untyped
    """Where gettext looks: nowhere for Chinese, which is the language of the source."""

    def get_translations(self) -> NullTranslations:
        """The catalogue of the language in force."""
        return catalogue() if is_english() else AS_WRITTEN


class PageTemplate(Template):
    """A template whose finished English pages say which of their words are Chinese."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        """The page; only the outermost template passes here, parts of it do not."""
        page = super().render(*args, **kwargs)
        if (self.name or "").endswith(".html") and is_english():
            return foreign_words.marked(page)
        return page


def init_languages(app: Flask) -> None:
    """Let every page speak the reader's language."""
    Babel(app, locale_selector=chosen)
    app.extensions["babel"].instance.domain_instance = Words()
    environment: Environment = app.jinja_env
    environment.template_class = PageTemplate
    environment.globals.update(is_english=is_english, at_the_desk=at_the_desk)
