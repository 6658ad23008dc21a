"""The poster of a consultation: one A4 sheet for notice boards, with its address as a QR code."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from core import qr, typesetting

SHEET = Path(__file__).parent / "data" / "poster.typ"
# The type is made smaller until all is on one sheet.
SCALES = (1.0, 0.85, 0.7)
# Of a part, by the length of the title: the sheet is one. The whole stands behind the QR code.
MOST, MOST_UNDER_A_LONG_TITLE, LONG_TITLE = 160, 70, 60
MOST_LINES, MOST_LINES_UNDER_A_LONG_TITLE = 4, 2


@dataclass(frozen=True, slots=True)
class Poster:
    """Every word on the sheet. `parts` are (heading, text); `made`, an ISO moment, is written
    into the file, so that equal posters are equal bytes."""

    kicker: str
    title: str
    closing: str
    period: str
    parts: tuple[tuple[str, str], ...]
    scan: str
    address: str
    other_ways: str
    foot: str
    owner: str
    qr_alt: str
    made: str


@lru_cache(maxsize=16)
def pdf(poster: Poster) -> bytes:
    """The sheet as a PDF; the last few are kept by their words. Raises typesetting.NotMade."""
    words = asdict(poster) | {"qr": qr.svg(poster.address)}
    long = len(poster.title) > LONG_TITLE
    words["parts"] = [(heading, shortened(text, long=long)) for heading, text in poster.parts]
    return typesetting.pdf(SHEET, words, scales=SCALES)


def shortened(text: str, *, long: bool) -> str:
    """The beginning of `text`, to the end of a sentence where there is one."""
    most = MOST_UNDER_A_LONG_TITLE if long else MOST
    lines = MOST_LINES_UNDER_A_LONG_TITLE if long else MOST_LINES
    whole = [line.strip() for line in text.split("\n") if line.strip()]
    begun = "\n".join(whole[:lines])
    if len(begun) <= most:
        return begun
    begun = begun[:most]
    end = max(begun.rfind(sign) for sign in "。！？\n")
    return begun[: end + 1].strip() if end > most // 3 else begun + "……"
