"""Fingerprints (指纹): what is equal for texts that differ only in form, case, punctuation or space."""

import hashlib
import re
import unicodedata

# What is no letter and no digit, as str.isalnum tells them.
_NOT_WORD = re.compile(r"[\W_]+")


def of(text: str) -> str:
    """32 hexadecimal digits."""
    return of_folded(unicodedata.normalize("NFKC", text).casefold())


def of_folded(folded: str) -> str:
    """`of` a text that is in NFKC without case already."""
    kept = _NOT_WORD.sub("", folded)
    return hashlib.sha256((kept or folded).encode()).hexdigest()[:32]
