"""The public reader of a draft: contents, paragraphs, how many opinions stand on each."""

import datetime as dt
import re
from collections.abc import Hashable

import sqlalchemy as sa
from flask import Blueprint, Response, abort, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup, escape

from consult import drafts, lineage, submissions
from consult.comparisons import Pair, compare
from consult.consultations import Consultation, Phase
from consult.drafts import Entry, Outline
from consult.lineage import Line
from consult.submissions import Tally
from consult.views import loading
from core import foreign_words
from core.languages import is_english
from core.pages import Live, Reader, live
from core.web import SHANGHAI, keep_private, now, number_in

blueprint = Blueprint("drafts", __name__, url_prefix="/consultations/<slug>/draft")

# What may have changed since the page was rendered: the edition decides about its words.
STAMP = sa.select(Consultation.edition, Consultation.stamp, Consultation.shown).where(
    Consultation.id == sa.bindparam("id")
)
TALLIES = sa.select(Tally.place, Tally.shown).where(
    Tally.consultation_id == sa.bindparam("id"), Tally.shown > 0
)
# Where a count belongs in the rendered words. \x02 and \x03 are never in a draft's text.
SLOT = re.compile("\x02([a-z])([0-9]*)\x03")


@blueprint.get("")
def read(slug: str) -> Response | str:
    """The draft, whole or one chapter of it (`?chapter=12`), newest version or `?v=1`."""
    consultation = loading.consultation(slug)
    version = loading.version(consultation)
    if version is None:
        abort(404)
    outline = drafts.outline(version)
    chapter = _chapter(outline, number_in("chapter"))
    line = lineage.line(version)
    earlier, changed = _since(line)
    at = now()
    rendered = render_template(
        "consult/drafts/read.html",
        consultation=consultation,
        version=version,
        newest=drafts.published(consultation),
        outline=outline,
        entries=outline.within(chapter) if chapter else outline.entries,
        chapter=chapter,
        commentable=consultation.phase(at) is Phase.OPEN,
        phase=consultation.phase(at),
        now=at,
        slot=_slot,
        earlier=earlier,
        changed=changed,
    )
    counted = Counted(rendered, line, consultation)
    if current_user.is_authenticated or not consultation.is_public:
        keep_private()
        return counted.filled(
            {place: n for place, (_r, n) in submissions.tallies(consultation.id).items()},
            consultation.shown,
        )
    return live(
        Live(
            stamp=counted.stamp,
            edition=lambda stamp: stamp[0],
            rendered=consultation.edition,
            fill=counted.fill,
            until=_true_until(consultation, at),
        )
    )


class Counted:
    """A rendered page cut at the places where counts go."""

    def __init__(self, rendered: str, line: Line, consultation: Consultation) -> None:
        pieces = SLOT.split(rendered)
        # pieces: words, kind, id, words, kind, id, …, words
        self._words = pieces[0::3]
        self._slots = [
            (kind, int(id or 0)) for kind, id in zip(pieces[1::3], pieces[2::3], strict=True)
        ]
        self._line = line
        self._consultation_id = consultation.id
        base = url_for("opinions.index", slug=consultation.slug, v=line.number)
        unit, of = _("件意见"), _("：")
        # Everything of the link but the number, made once.
        self._links = {
            entry.id: (
                Markup('<a href="{}&amp;on={}">').format(Markup(escape(base)), entry.mark),
                Markup('{}<span class="visually-hidden">{}{}</span></a>').format(
                    unit, of, _said(entry.text[:20])
                ),
            )
            for entry in line.shown.entries
        }
        self._gone = (
            Markup('<a href="{}&amp;gone=1">{}').format(Markup(escape(base)), _("原段落已删去：")),
            Markup("{}</a>").format(unit),
        )

    def stamp(self, reader: Reader) -> Hashable:
        """(edition, stamp, shown) of the consultation."""
        return tuple(reader.rows(STAMP, id=self._consultation_id)[0])

    def fill(self, reader: Reader) -> bytes:
        """The page with the counts of this moment."""
        shown = reader.rows(STAMP, id=self._consultation_id)[0][2]
        tallies: dict[int, int] = dict(map(tuple, reader.rows(TALLIES, id=self._consultation_id)))
        return self.filled(tallies, shown).encode()

    def filled(self, tallies: dict[int, int], shown: int) -> str:
        """The page with these counts; a heading also carries what stands under it, and every
        paragraph what was said on it in earlier versions."""
        counts, gone = _rolled_up(tallies, self._line)
        parts = [self._words[0]]
        for (kind, id), words in zip(self._slots, self._words[1:], strict=True):
            count = shown if kind == "s" else counts.get(id, 0)
            if kind == "g":
                begin, end = self._gone
                parts.append(f"{begin}{gone}{end}" if gone else "")
            elif kind == "l" and count:
                begin, end = self._links[id]
                parts.append(f"{begin}{count}{end}")
            elif kind != "l" and (count or kind == "s"):
                parts.append(str(count))
            parts.append(words)
        return "".join(parts)


def _said(words: str) -> Markup:
    """Words of the draft as they stand in a page: marked where the page is English."""
    plain = escape(words)
    return Markup(foreign_words.marked(f"<i>{plain}")[3:]) if is_english() else plain


def _rolled_up(tallies: dict[int, int], line: Line) -> tuple[dict[int, int], int]:
    """({paragraph: opinions on it and under it}, opinions on what is no longer there)."""
    counts: dict[int, int] = {}
    gone = 0
    for place, shown in tallies.items():
        entry = line.shown.by_id.get(place) or line.heirs.get(place)
        if entry is None:
            gone += shown if place in line.heirs else 0
            continue
        for each in (entry.id, *entry.path):
            counts[each] = counts.get(each, 0) + shown
    return counts, gone


def _since(line: Line) -> tuple[int, dict[int, Pair]]:
    """(number of the version before, {mark: what happened to the paragraph since}), or (0, {})."""
    if not line.earlier:
        return 0, {}
    number, before = line.earlier[0]
    changed = compare(before, line.shown).changed
    return number, {pair.mark: pair for pair in changed if pair.after is not None}


def _slot(kind: str, entry: Entry | None = None) -> Markup:
    """A place for a count: `l` a link to the opinions, `n` the bare number, `s` all shown, `g` a
    link to those whose paragraph is gone."""
    return Markup(f"\x02{kind}{entry.id if entry else ''}\x03")


def _chapter(outline: Outline, mark: int | None) -> Entry | None:
    if mark is None:
        return None
    entry = outline.by_mark.get(mark)
    if entry is None or not entry.level:
        abort(404)
    return entry


def _true_until(consultation: Consultation, at: dt.datetime) -> dt.datetime:
    """When the page stops being true by itself: the next midnight, opening or closing."""
    tomorrow = at.astimezone(SHANGHAI).date() + dt.timedelta(days=1)
    moments: list[dt.datetime | None] = [dt.datetime.combine(tomorrow, dt.time(), tzinfo=SHANGHAI)]
    moments += [consultation.opens_at, consultation.closes_at]
    return min(moment for moment in moments if moment is not None and moment > at)
