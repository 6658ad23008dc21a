"""A summary as plain values: for other programs and for the archive."""

from typing import Any

from flask_babel import gettext as _

from consult.summaries import readings
from consult.summaries.counts import by_day, outermost
from consult.summaries.items import WHOLE, Filters
from consult.summaries.readings import Reading, View
from consult.summaries.snapshots import Summary, consultations_of


def of(summary: Summary, name: str) -> dict[str, Any]:
    """A summary as plain values for other programs."""
    reading = readings.read(summary, consultations_of(summary.subject))
    view = readings.view(reading, Filters())
    figures, counted = view.figures, reading.counted
    return {
        "consultation": name,
        "counted_at": summary.counted_at.isoformat(),
        "lexicon": summary.lexicon,
        "counts": {
            "submissions": figures.numbers.submissions,
            "distinct": figures.numbers.distinct,
            "people": figures.numbers.people,
        },
        "keywords": [
            {
                "term": keyword.term,
                "count": keyword.count,
                "people": keyword.people,
                "share": round(keyword.share, 4),
                "score": round(keyword.score, 4),
            }
            for keyword in view.keywords
        ],
        "sections": [
            {
                "section": counted.sections[place].title
                or (_("针对全文") if place == WHOLE else _("未编入章节的段落")),
                "count": figures.sections[place],
            }
            for place in outermost(counted)
            if place in figures.sections
        ],
        "themes": _themes(reading, view),
        "stances": {part.key: part.count for part in figures.stances},
        "channels": {part.key: part.count for part in figures.channels},
        "days": {day.isoformat(): count for day, count in by_day(view.items).items()},
    }


def _themes(reading: Reading, view: View) -> list[dict[str, Any]]:
    """The themes as they may be called now, each with how many opinions are of it."""
    told = []
    for number, theme in enumerate(reading.counted.themes, 1):
        held = [item for item in view.items if item.theme == number]
        name = theme.named({term for item in held for term in item.terms})
        if held and name:
            told.append({"theme": name, "count": len(held)})
    return told
