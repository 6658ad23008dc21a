"""What may be text, and how it is made alike.

The author's own code points are kept; only what cannot be text (NUL, other controls, half surrogate
pairs) is refused, and line ends are made alike so that page and server count the same.
"""

import re
import unicodedata
from itertools import islice

# Letters that draw nothing: a text of only these is empty.
BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Controls that reorder or hide what stands around them: never in a name or a title.
REORDERING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")

# Controls but tab and line end, half surrogates, and what is no character in any plane.
_NO_TEXT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffd"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
    )
    + "]"
)

_REORDERING = re.compile(f"[{''.join(sorted(REORDERING))}]")
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me"})
_INNER = str.maketrans("“”", "‘’")


def visible(text: str, least: int = 1) -> bool:
    """Whether `text` has at least `least` characters that a reader can see. All the space between two
    of them is one character."""
    seen, space = 0, False
    for character in text:
        if unicodedata.category(character) in _UNSEEN or character in BLANK_LETTERS:
            space |= character.isspace() and seen > 0
            continue
        seen, space = seen + 1 + space, False
        if seen >= least:
            return True
    return False


def says(text: str, least: int = 1) -> bool:
    """Whether `text` has at least `least` characters that say something: letters, digits and
    ideographs (Unicode categories L and N). Punctuation, signs, pictures and space say nothing."""
    telling = (
        character
        for character in text
        if unicodedata.category(character)[0] in "LN" and character not in BLANK_LETTERS
    )
    return sum(1 for _character in islice(telling, least)) == least


def tidy(text: str) -> str:
    """`text` with line ends as \\n and no space at either end; code points are kept."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip(" \t\n\u3000")


def tidy_line(text: str) -> str:
    """`text` as one line without reordering controls: for names and titles."""
    return " ".join(_REORDERING.sub("", text).split()) if text else ""


def unreadable(text: str) -> bool:
    """Whether `text` holds something that is not text: NUL, controls, half surrogates,
    U+FFFD, and the code points that are characters nowhere (a Word file cannot hold them)."""
    return _NO_TEXT.search(text) is not None


def within_quotes(text: str) -> str:
    """Words that will stand inside “ ”: quotation marks in them become single ones (GB/T 15834)."""
    return text.translate(_INNER)
