"""How a reader wants the pages: the elder-friendly view, light or dark,
the language of the interface.

Each preference is a cookie of its own with one of a few known values, says nothing about who the
reader is, and anything else in it counts as the usual. Pages that are kept for all readers are
kept once for each combination; why so: `docs/decisions/0006-reading-preferences.md`.
"""

from collections.abc import Mapping
from typing import NamedTuple

LASTS = 365 * 86400
# {cookie: its values, the usual one first}
CHOICES: dict[str, tuple[str, ...]] = {
    "view": ("plain", "elder"),
    "look": ("system", "light", "dark"),
    "lang": ("zh", "en"),
}


class Preferences(NamedTuple):
    """What shapes a page beside its address; equal for equal pages."""

    view: str = CHOICES["view"][0]
    look: str = CHOICES["look"][0]
    lang: str = CHOICES["lang"][0]

    @property
    def elder(self) -> bool:
        """Whether it is the elder-friendly view (适老版)."""
        return self.view == "elder"


USUAL = Preferences()


def of(cookies: Mapping[str, str]) -> Preferences:
    """The preferences that stand in a browser's cookies."""
    if not cookies:
        return USUAL
    return Preferences(**{name: known(name, cookies.get(name, "")) for name in CHOICES})


def known(name: str, value: str) -> str:
    """`value` if this preference knows it, else the usual one."""
    choices = CHOICES[name]
    return value if value in choices else choices[0]
