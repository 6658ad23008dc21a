"""One plain spelling for what people type in many: compatibility forms, case, invisible marks."""

from __future__ import annotations

import hashlib
import re
import unicodedata

# Zero-width and direction marks, soft hyphen: invisible, yet they split words.
_INVISIBLE = "Cf"
_NOT_WORD = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """The text after NFKC, character by character, without invisible format characters."""
    return text if text.isascii() else text.translate(_PLAIN)


def plain_with_places(text: str) -> tuple[str, list[int]]:
    """`plain(text)` and, for each of its characters, the place in the text it came from.

    One more place, the length of the text, closes the list.
    """
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        changed = _plain_character(character)
        characters.append(changed)
        places.extend([place] * len(changed))
    places.append(len(text))
    return "".join(characters), places


def bare(text: str) -> str:
    """Letters, digits and signs of the text only: no case, no punctuation, no space.

    A text without any letter or digit keeps all it has but space, so that 👍 is not ！！！.
    """
    folded = plain(text).casefold()
    return _NOT_WORD.sub("", folded) or "".join(folded.split())


def fingerprint(text: str) -> str:
    """32 hexadecimal digits, equal for texts that are equal when `bare` (BLAKE2b, 128 bits)."""
    return hashlib.blake2b(bare(text).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _plain_character(character: str) -> str:
    if unicodedata.category(character) == _INVISIBLE:
        return ""
    return unicodedata.normalize("NFKC", character)


class _Plain(dict[int, str]):
    """For str.translate: each character worked out once, then looked up at C speed."""

    def __missing__(self, code: int) -> str:
        self[code] = changed = _plain_character(chr(code))
        return changed


_PLAIN = _Plain()
