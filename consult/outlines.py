"""Looking over an outline: numbering that does not add up, places to split, sheets to page by.

Pure: entries and text in, plain values out.
"""

import re
import unicodedata
from collections.abc import Sequence

from flask_babel import gettext as _

from consult.drafts import Entry, ParagraphKind
from consult.readers import marks
from consult.readers.marks import Rank

SHEET = 80
MOST_PLACES = 200
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "○": 0,
    "两": 2,
}
_SENTENCE = re.compile("[。！？!?；;…]+[”’」』）)】]*[ \t\u3000\n]*|\n[ \t\u3000\n]*")
_PAUSE = re.compile("[。！？!?；;…：]+[”’」』）)】]*[ \t\u3000\n]*|[ \t\u3000\n]+")


def doubts(entries: Sequence[Entry]) -> dict[int, str]:
    """{mark of a heading: what looks wrong about its number or level}.

    A number may follow the last of its kind anywhere above, or begin again at one under a new
    heading of a higher level: chapters count on through the parts in some plans and start anew
    in each part in others.
    """
    found: dict[int, str] = {}
    last: dict[Rank, tuple[int, int, str]] = {}
    fresh: set[Rank] = set()
    above = 0
    for entry in entries:
        if not entry.level:
            continue
        fresh |= {rank for rank, (_n, level, _said) in last.items() if level > entry.level}
        rank, said = marks.rank_of(entry.text), marks.number_of(entry.text)
        number = figure(said)
        if rank is not None and number is not None:
            before = last.get(rank)
            if not (number == 1 and (before is None or rank in fresh)):
                doubt = _number_doubt(number, before)
                if doubt:
                    found[entry.mark] = doubt
            last[rank] = (number, entry.level, said)
            fresh.discard(rank)
        if entry.level > above + 1 and entry.mark not in found:
            found[entry.mark] = (
                _("层级比上一个标题低了不止一级。") if above else _("第一个标题不是第1级。")
            )
        above = entry.level
    return found


def _number_doubt(number: int, before: tuple[int, int, str] | None) -> str:
    if before is None:
        return str(_("编号不是从一开始，前面可能有标题没有认出来。"))
    last, _level, said = before
    if number == last + 1:
        return ""
    if number == last:
        return str(_("编号重复，上一个也是“%(said)s”。", said=said.strip()))
    if number < last:
        return str(_("编号变小了，上一个是“%(said)s”。", said=said.strip()))
    return str(_("编号不连续，上一个是“%(said)s”，中间可能有标题没有认出来。", said=said.strip()))


def figure(number: str) -> int | None:
    """The figure in 第十二章, （三）, 1.2 (its last place), 4. — None when there is none."""
    plain = unicodedata.normalize("NFKC", number)
    digits = re.findall("[0-9]+", plain)
    if digits:
        return int(digits[-1])
    han = [c for c in number if c in _DIGITS or c in "十百"]
    if not han:
        return None
    if not {"十", "百"} & set(han):
        return int("".join(str(_DIGITS[c]) for c in han))
    total, waiting = 0, 0
    for character in han:
        if character in _DIGITS:
            waiting = _DIGITS[character]
        else:
            total += (waiting or 1) * (10 if character == "十" else 100)
            waiting = 0
    return total + waiting


def places_to_split(entry: Entry) -> list[tuple[int, str]]:
    """(offset, the words from there to the next place) for every place an entry may be split.

    Sentences, and the shorter pauses too unless there are very many; the rows of a table.
    """
    text = entry.text
    if entry.kind is ParagraphKind.TABLE:
        offsets = [place.end() for place in re.finditer("\n", text)]
    else:
        offsets = [place.end() for place in _PAUSE.finditer(text)]
        if len(offsets) > MOST_PLACES:
            offsets = [place.end() for place in _SENTENCE.finditer(text)]
    offsets = [at for at in offsets if text[:at].strip() and text[at:].strip()][:MOST_PLACES]
    ends = [*offsets[1:], len(text)]
    return [(at, text[at:end].strip()) for at, end in zip(offsets, ends, strict=False)]


def sheets(entries: Sequence[Entry], most: int = SHEET) -> list[list[Entry]]:
    """The entries cut into sheets of about `most`, between chapters wherever that is possible."""
    top = min((entry.level for entry in entries if entry.level), default=0)
    chapters: list[list[Entry]] = []
    for entry in entries:
        is_new = not chapters or (entry.level and entry.level == top)
        if is_new or len(chapters[-1]) >= most:
            chapters.append([])
        chapters[-1].append(entry)
    cut: list[list[Entry]] = []
    for chapter in chapters:
        if cut and len(cut[-1]) + len(chapter) <= most:
            cut[-1].extend(chapter)
        else:
            cut.append(list(chapter))
    return cut
