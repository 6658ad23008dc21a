"""What is suggested for a point, topic and unit, learned from what people confirmed for other points
of the programme; and how often such a suggestion was right for those.

Nothing is decided here. A point counts as confirmed once a person saved its topic, or gave it to a
unit; each distinct text teaches once, so that a campaign does not outvote everybody. What was
learned is kept in the process beside what it was learned from, and learned anew when more than one
in fifty of those changed: a page says from how many it was. While too few are confirmed, the words
of the topics themselves suggest (`point_lists.suggested`).
"""

import importlib
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from consult import responses, term_index
from consult.analysis import normal
from consult.analysis.engine import Engine
from consult.consultations import Consultation
from consult.points import Point
from consult.submissions import Submission
from consult.terms.reading import engine_for
from core.db import db

# The newest so many distinct texts teach: half a second of learning, once.
MOST_TAUGHT = 1_000
# Of those, the newest so many are checked, each by what the others teach.
MOST_CHECKED = 600
FOLDS = 3
# From this margin on a suggestion was right in 97 of 100 real messages, below the lower one in 63.
SURE, UNSURE = 1.0, 0.5
_CHANGED = 0.02


class About(StrEnum):
    """What is suggested."""

    TOPIC = "topic"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class Learned:
    """A label (a topic's key, or a unit's id as text), how far it lies before the next, the point's
    own words that speak for it, and from how many texts it was learned."""

    label: str
    margin: float
    because: tuple[str, ...]
    taught: int

    @property
    def sure(self) -> bool:
        """Whether suggestions with such a margin were nearly always right."""
        return self.margin >= SURE

    @property
    def unsure(self) -> bool:
        """Whether suggestions with such a margin were often wrong."""
        return self.margin < UNSURE


@dataclass(frozen=True, slots=True)
class Score:
    """Of `checked` confirmed texts of a label (or of all), how many were suggested right, and how
    many were said to have the label at all."""

    checked: int
    right: int
    said: int

    @property
    def f1(self) -> float:
        """2 · right / (checked + said), 0-1."""
        return 2 * self.right / (self.checked + self.said) if self.checked + self.said else 0.0


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How suggestions fare on confirmed texts, each left out of the learning when it was asked.

    `confirmed` distinct texts are known; `labels_too_few` labels have fewer than 8; `by_label` has the others,
    the largest first; `usual` is how many were right if one always said the commonest.
    """

    confirmed: int
    labels_too_few: int
    whole: Score
    usual: int
    macro_f1: float
    by_label: tuple[tuple[str, Score], ...]


Confirmed = Mapping[str, str]
_kept: dict[tuple[str, int, About], tuple[Confirmed, Any]] = {}
_scores: dict[tuple[str, int, About], tuple[Confirmed, Accuracy]] = {}
_learning = threading.Lock()


def suggest(programme_id: int, about: About, words: str, title: str = "") -> Learned | None:
    """What people's confirmations suggest for a text; None while they teach too little, or none of
    its words speaks for the label."""
    engine = engine_for(term_index.lexicon())
    taught = confirmed(programme_id, about)
    with _learning:
        router = _router((str(db.engine.url), programme_id, about), taught, engine)
    found = router.suggest(engine.mentions(words, title=title)) if router else None
    # What no word of the text speaks for is only what is commonest: a person need not be told that.
    if found is None or not found.because:
        return None
    because = tuple(term for term, _part in found.because)
    return Learned(found.label, found.margin, because, len(taught))


def confirmed(programme_id: int, about: About) -> Confirmed:
    """{text: label} of the newest confirmed points, each distinct text once: the newest counts."""
    label = Point.topic_key if about is About.TOPIC else Point.lead_unit_id
    has = Point.topic_key != "" if about is About.TOPIC else Point.lead_unit_id.is_not(None)
    query = (
        sa.select(Point.start, Point.end, Submission.title, Submission.body, label)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Consultation, Consultation.id == Point.consultation_id)
        .where(responses.needs_answer(), Consultation.programme_id == programme_id, has)
        .order_by(Point.id.desc())
        .limit(2 * MOST_TAUGHT)
    )
    found: dict[str, str] = {}
    seen: set[str] = set()
    for start, end, title, body, label_of in db.session.execute(query):
        words = body[start:end].strip()
        bare = normal.bare(words)
        if bare not in seen and len(found) < MOST_TAUGHT:
            seen.add(bare)
            found[f"{title or ''}\n{words}"] = str(label_of)
    return found


def accuracy(programme_id: int, about: About) -> Accuracy:
    """How suggestions fare on what is confirmed now. Some two seconds, then kept until that
    changes."""
    key = (str(db.engine.url), programme_id, about)
    known = confirmed(programme_id, about)
    kept = _scores.get(key)
    if kept is not None and kept[0] == known:
        return kept[1]
    engine = engine_for(term_index.lexicon())
    with _learning:
        found = _checked(known, engine)
    _scores[key] = (known, found)
    return found


def _checked(known: Confirmed, engine: Engine) -> Accuracy:
    routing = importlib.import_module("consult.analysis.routing")
    held = Counter(known.values())
    # Without the third that is asked about, a label must still have enough to teach.
    enough = {
        label for label, count in held.items() if count - -(-count // FOLDS) >= routing.FEWEST
    }
    texts = [text for text, label in known.items() if label in enough][:MOST_CHECKED]
    true = [known[text] for text in texts]
    given = _given_by_others(texts, true, engine) if len(enough) > 1 else []
    true = true[: len(given)]
    right = Counter(t for t, g in zip(true, given, strict=True) if t == g)
    checked, said = Counter(true), Counter(given)
    by_label = [
        (label, Score(count, right[label], said[label])) for label, count in checked.most_common()
    ]
    return Accuracy(
        confirmed=len(known),
        labels_too_few=len(held) - len(enough),
        whole=Score(len(true), right.total(), len(true)),
        usual=max(checked.values(), default=0),
        macro_f1=sum(s.f1 for _label, s in by_label) / len(by_label) if by_label else 0.0,
        by_label=tuple(by_label),
    )


def _given_by_others(texts: Sequence[str], true: Sequence[str], engine: Engine) -> list[str]:
    """What each text is given by a third of which it was no part. The thirds are dealt out label by
    label, so that every third has some of each."""
    opinions = [_mentions(engine, text) for text in texts]
    order = sorted(range(len(texts)), key=lambda n: (true[n], texts[n]))
    given = [""] * len(texts)
    for fold in range(FOLDS):
        out = set(order[fold::FOLDS])
        rest = [n for n in range(len(texts)) if n not in out]
        router = _learn([opinions[n] for n in rest], [true[n] for n in rest])
        for n in out:
            found = router.suggest(opinions[n]) if router else None
            given[n] = found.label if found else ""
    return given


def _router(key: tuple[str, int, About], taught: Confirmed, engine: Engine) -> Any:
    kept = _kept.get(key)
    if kept is not None:
        changed = len(set(kept[0].items()) ^ set(taught.items()))
        if changed <= _CHANGED * len(taught):
            return kept[1]
    router = _learn([_mentions(engine, text) for text in taught], list(taught.values()))
    _kept[key] = (taught, router)
    return router


def _learn(opinions: Sequence[Mapping[str, float]], labels: Sequence[str]) -> Any:
    # It needs numpy, which nothing else on these pages does.
    return importlib.import_module("consult.analysis.routing").learn(opinions, labels)


@lru_cache(maxsize=2 * MOST_TAUGHT)
def _mentions(engine: Engine, text: str) -> dict[str, float]:
    title, _break, words = text.partition("\n")
    return engine.mentions(words, title=title)
