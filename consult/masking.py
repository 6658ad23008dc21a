"""Masking (隐去): what is offered to be masked in an opinion, and the spans a screener chooses."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from consult.analysis import personal
from consult.analysis.personal import Kind
from consult.originals import Span, Words, blanked

MOST_SPANS = 200
# What a screener typed to be masked as well is cut at these.
_BETWEEN = re.compile(r"[\s、，,；;]+")


@dataclass(frozen=True, slots=True)
class Offer:
    """A span that may be masked, its words, what it is, and whether it is ticked to begin with."""

    span: Span
    text: str
    title: str
    ticked: bool

    @property
    def key(self) -> str:
        """The span as a form carries it."""
        return f"{self.span.part}:{self.span.begin}:{self.span.end}"


def kind_title(kind: Kind) -> str:
    """What a kind of personal information is called."""
    titles = {
        Kind.ID_NUMBER: _("证件号码"),
        Kind.EMAIL: _("电子邮箱"),
        Kind.PLATE: _("车牌号"),
        Kind.PHONE: _("电话号码"),
        Kind.ADDRESS: _("门牌住址"),
        Kind.ACCOUNT: _("网络账号"),
        Kind.NAME: _("姓名"),
    }
    return str(titles[kind])


def offers(words: Words, masked: Sequence[Span] = ()) -> list[Offer]:
    """What is found in the words, and what is masked of them already, in order."""
    found = [
        Offer(span, words.parts[span.part][span.begin : span.end], _("已隐去"), ticked=True)
        for span in masked
    ]
    for part, text in enumerate(words.parts):
        for each in personal.find(text):
            span = Span(part, each.begin, each.end)
            if not any(_overlap(span, other) for other in masked):
                words_found = text[each.begin : each.end]
                found.append(Offer(span, words_found, kind_title(each.kind), each.certain))
    return sorted(found, key=lambda offer: offer.span)[:MOST_SPANS]


def chosen(keys: Iterable[str], typed: str, words: Words) -> list[Span]:
    """The spans with these keys, and every place where one of the typed words stands. A key that
    does not fit the words is left out: it can only come from a form that was tampered with."""
    spans = {span for key in list(keys)[:MOST_SPANS] if (span := _span(key, words)) is not None}
    for word in filter(None, _BETWEEN.split(typed)):
        for part, text in enumerate(words.parts):
            spans |= {Span(part, m.start(), m.end()) for m in re.finditer(re.escape(word), text)}
    return sorted(spans)


def deidentified(text: str) -> str:
    """`text` with everything blanked that certainly is personal information."""
    found = personal.find(text)
    return blanked(text, [(each.begin, each.end) for each in found if each.certain])


def _span(key: str, words: Words) -> Span | None:
    if re.fullmatch(r"[01]:[0-9]{1,6}:[0-9]{1,6}", key, re.ASCII) is None:
        return None
    part, begin, end = map(int, key.split(":"))
    return Span(part, begin, end) if begin < end <= len(words.parts[part]) else None


def _overlap(one: Span, other: Span) -> bool:
    return one.part == other.part and one.begin < other.end and other.begin < one.end
