"""Which characters may be stored. Keeps the author's code points otherwise.

Holds no knowledge of formats or of headings.
"""

from __future__ import annotations

import re

_OTHER_BREAKS = "\v\x85\u2028\u2029"
_BREAKS = re.compile(f"\r\n?|[{_OTHER_BREAKS}]")
# A form feed marks the end of a page, often in mid-sentence: it goes without a trace.
_NOT_TEXT = "\x00-\x08\f\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff"
_FORBIDDEN = re.compile(f"[{_NOT_TEXT}]")
_UNCLEAN = re.compile(f"[\r{_OTHER_BREAKS}{_NOT_TEXT}]")
# They can make a heading read differently from what is stored.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Letters by category, but nothing can be seen.
_INVISIBLE = re.compile(
    "[\\s\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)


def clean(text: str) -> str:
    """Line ends become "\\n"; NUL, other controls and lone surrogates go; tabs stay."""
    # Nearly every cell of a table is; what is printable holds none of these signs.
    if text.isprintable() or _UNCLEAN.search(text) is None:
        return text
    return _FORBIDDEN.sub("", _BREAKS.sub("\n", text))


def one_line(text: str) -> str:
    """A heading, title or table cell: cleaned, no bidi controls, white space folded.

    A lone ideographic space is kept: it is how 第一章　总则 is set.
    """
    text = re.sub("[\\t\\n ]+", " ", _BIDI.sub("", clean(text)))
    return text.strip()


def paragraph(text: str) -> str:
    """Body text: cleaned, each line without its indent, no empty lines."""
    lines = (line.strip() for line in clean(text).replace("\t", " ").split("\n"))
    return "\n".join(line for line in lines if is_visible(line))


def table(rows: list[list[str]]) -> str:
    """Cells by tab, rows by line end; rows with nothing to see are dropped."""
    lines = ("\t".join(one_line(cell) for cell in row).rstrip("\t") for row in rows)
    return "\n".join(line for line in lines if is_visible(line))


def is_visible(text: str) -> bool:
    return bool(_INVISIBLE.sub("", text[:1000]) or _INVISIBLE.sub("", text))


def squeezed(text: str) -> str:
    """For comparing headings: no white space at all."""
    return "".join(text.split())
