"""How well the text engine reads, on the shared data: every figure beside a simple way of doing the
same, in the same run. What was fitted on part of the data is measured on the other part."""

import csv
import functools
import json
import logging
import math
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jieba
import jieba.analyse
import numpy as np
from scipy.cluster.vq import kmeans2

from bench import campaigns, new_names
from bench.measure import DATA, say
from consult.analysis import (
    contrast,
    duplicates,
    newwords,
    normal,
    phrases,
    recurring,
    routing,
    themes,
    vectors,
)
from consult.analysis.engine import Engine
from consult.analysis.keywords import g_squared
from consult.analysis.lexicon import builtin

STANCES = Path(__file__).resolve().parents[1] / "tests" / "stance_cases.txt"
FOLDS = 5
SPLITS = 6
COMPARED = 2_000  # messages in the random halves
G2_AT_5_PERCENT = 3.84


def run() -> None:
    """All of it, about four minutes; what needs the shared data is left out where there is none."""
    jieba.setLogLevel(logging.ERROR)
    stance()
    if not DATA.is_dir():
        print(
            f"keywords, duplicates, themes, routing, new words, chance: skipped, there is no {DATA}"
        )
        return
    for measure in (keywords, chance, grouping, routed, named, copies):
        begun = time.perf_counter()
        measure()
        print(f"  ({measure.__name__}: {time.perf_counter() - begun:.0f} s)", flush=True)


@functools.cache
def _engine() -> Engine:
    return Engine(builtin())


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# --- keywords of a text --------------------------------------------------------------------


def keywords() -> None:
    """F1@5, exact match with the authors' keywords, on the odd half; the even half was fitted on."""
    lines = (DATA / "keywords_csl_dev.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    odd = rows[1::2]
    named = [set(row["keywords"]) for row in odd]
    for what, titled, goal in (
        ("the abstract", False, "0.26"),
        ("title and abstract", True, "0.28"),
    ):
        texts = [(row["abstract"], row["title"] if titled else "") for row in rows]
        found = phrases.keywords(texts, segmenter=_engine().segmenter, top=5)[1::2]
        ours = _f1(named, [{phrase.term for phrase in five} for five in found])
        whole = [f"{title}\n{text}" for text, title in texts[1::2]]
        for reference, rank in (
            ("jieba extract_tags", jieba.analyse.extract_tags),
            ("jieba textrank", jieba.analyse.textrank),
        ):
            theirs = _f1(named, [set(rank(text, topK=5)) for text in whole])
            _said(f"keywords from {what}, {len(odd)} texts", ours, "F1@5", theirs, reference, goal)


def _f1(named: Sequence[set[str]], found: Sequence[set[str]]) -> float:
    hits = sum(len(a & b) for a, b in zip(named, found, strict=True))
    return 2 * hits / (sum(map(len, named)) + sum(map(len, found)))


# --- stance --------------------------------------------------------------------------------


def stance() -> None:
    """Accuracy on the hand-written cases, all of which the rules have met by now, and what the rules
    had when they first met each set is in docs/text-engine.md."""
    lines = STANCES.read_text(encoding="utf-8").splitlines()
    cases = [line.split("|")[:2] for line in lines if line and not line.startswith("#")]
    truth = [(wanted.strip(" ?"), text.strip()) for wanted, text in cases]
    ours = _share(_engine().analyse(text).stance == wanted for wanted, text in truth)
    theirs = _share(_by_first_word(text) == wanted for wanted, text in truth)
    what = f"stance of {len(truth)} hard cases (rules have met them)"
    _said(what, ours, "right", theirs, "the first cue word", "1")


_CUES = (
    ("oppose", "反对|不同意|不支持|不赞成"),
    ("support", "支持|赞成|同意|赞同"),
    ("appeal", "投诉|举报|请求|要求|求助"),
    ("suggest", "建议|希望|应该|应当"),
    ("question", "吗|什么|是否|能否|[?？]"),
)


def _by_first_word(text: str) -> str:
    return next((name for name, cue in _CUES if re.search(cue, text)), "none")


# --- chance --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    terms: tuple[str, ...]
    person: str
    mentions: Mapping[str, int]


def chance() -> None:
    """Random halves of one crowd: what is called a difference though there is none."""
    said = []
    for row in _rows("messages.csv")[:COMPARED]:
        mentions = {t: int(times) for t, times in _engine().mentions(row["body"]).items()}
        said.append(_Said(tuple(sorted(mentions)), row["user"], mentions))
    people = sorted({one.person for one in said})
    ours = theirs = compared = counted = 0
    for seed in range(SPLITS):
        random.Random(seed).shuffle(people)
        half = set(people[::2])
        a = [one for one in said if one.person in half]
        b = [one for one in said if one.person not in half]
        found = contrast.compare(a, b)
        ours, compared = ours + len(found.findings), compared + found.compared
        significant, tested = _by_mentions(a, b)
        theirs, counted = theirs + significant, counted + tested
    _said(
        f"false findings in {SPLITS} random halves, {compared:,} tests",
        100 * ours / compared,
        "%",
        100 * theirs / counted,
        "G² of word counts",
        "0",
    )


def _by_mentions(a: Sequence[_Said], b: Sequence[_Said]) -> tuple[int, int]:
    in_a, in_b = _mentioned(a), _mentioned(b)
    n_a, n_b = in_a.total(), in_b.total()
    tested = [term for term in in_a | in_b if in_a[term] + in_b[term] >= contrast.MINIMUM]
    significant = (
        sum(g_squared(in_a[term], in_b[term], n_a, n_b)) > G2_AT_5_PERCENT for term in tested
    )
    return sum(significant), len(tested)


def _mentioned(said: Sequence[_Said]) -> Counter[str]:
    times: Counter[str] = Counter()
    for one in said:
        times.update(one.mentions)
    return times


# --- themes and routing --------------------------------------------------------------------


def _subjects() -> tuple[list[dict[str, float]], list[str], list[str]]:
    """Messages with hand-given subjects: their terms, their words, the subject."""
    rows = _rows("messages_by_subject.csv")
    return (
        [_engine().mentions(row["body"], title=row["title"]) for row in rows],
        [f"{row['title']}\n{row['body']}" for row in rows],
        [row["label"] for row in rows],
    )


def grouping() -> None:
    """Normalised mutual information of themes and hand-given subjects; no label is seen."""
    opinions, texts, labels = _subjects()
    found = themes.group(opinions)
    ours = _nmi(labels, _placed(found, len(labels)))
    rows = vectors.weighted(opinions).toarray()
    _centres, cluster = kmeans2(rows, len(set(labels)), minit="++", rng=1)
    tags = [next(iter(jieba.analyse.extract_tags(text, topK=1)), "") for text in texts]
    what = f"themes of {len(labels):,} messages, {len(found.themes)} themes"
    _said(what, ours, "NMI", _nmi(labels, [int(c) for c in cluster]), "k-means", "0.50")
    # Nearly a theme for each message, which flatters it: mutual information grows with the parts.
    _said(what, ours, "NMI", _nmi(labels, tags), "extract_tags' first word", "0.50")


def _placed(found: themes.Grouping, count: int) -> list[int]:
    place = {member: n for n, theme in enumerate(found.themes) for member in theme.members}
    return [place.get(number, -1) for number in range(count)]


def _nmi(a: Sequence[object], b: Sequence[object]) -> float:
    """Mutual information over the mean of both entropies; those in no theme are one group."""
    n = len(a)
    in_a, in_b, both = Counter(a), Counter(b), Counter(zip(a, b, strict=True))
    shared = sum(
        times / n * math.log(times * n / (in_a[x] * in_b[y])) for (x, y), times in both.items()
    )
    return 2 * shared / (_entropy(in_a, n) + _entropy(in_b, n))


def _entropy(times: Mapping[object, int], n: int) -> float:
    return -sum(each / n * math.log(each / n) for each in times.values())


def routed() -> None:
    """Macro-F1 of the suggested subject, five folds, against naive Bayes and the commonest."""
    opinions, _texts, labels = _subjects()
    order = list(range(len(labels)))
    random.Random(7).shuffle(order)
    ours, theirs, commonest = ([""] * len(labels) for _way in range(3))
    for fold in range(FOLDS):
        held_out = set(order[fold::FOLDS])
        rest = [n for n in range(len(labels)) if n not in held_out]
        taught, known = [opinions[n] for n in rest], [labels[n] for n in rest]
        router, bayes = routing.learn(taught, known), _naive_bayes(taught, known)
        usual = Counter(known).most_common(1)[0][0]
        for n in held_out:
            found = router.suggest(opinions[n]) if router else None
            ours[n], theirs[n] = found.label if found else "", bayes(opinions[n])
            commonest[n] = usual
    what = f"subject suggested, {FOLDS} folds of {len(labels):,} messages"
    figure = _macro_f1(labels, ours)
    _said(what, figure, "macroF1", _macro_f1(labels, theirs), "naive Bayes", "0.85")
    _said(what, figure, "macroF1", _macro_f1(labels, commonest), "the commonest subject", "0.85")


def _naive_bayes(
    taught: Sequence[Mapping[str, float]], labels: Sequence[str]
) -> Callable[[Mapping[str, float]], str]:
    """Multinomial, smoothed by one."""
    mentions: dict[str, Counter[str]] = {}
    for opinion, label in zip(taught, labels, strict=True):
        mentions.setdefault(label, Counter()).update(opinion.keys())
    vocabulary = len({term for opinion in taught for term in opinion})
    share, total = Counter(labels), {label: m.total() for label, m in mentions.items()}

    def suggest(opinion: Mapping[str, float]) -> str:
        def likely(label: str) -> float:
            times, base = mentions[label], total[label] + vocabulary
            return math.log(share[label]) + sum(math.log((times[t] + 1) / base) for t in opinion)

        return max(sorted(mentions), key=likely)

    return suggest


def _macro_f1(true: Sequence[str], given: Sequence[str]) -> float:
    hits = Counter(t for t, g in zip(true, given, strict=True) if t == g)
    said, is_so = Counter(given), Counter(true)
    return float(np.mean([2 * hits[name] / (said[name] + is_so[name]) for name in is_so]))


# --- new words -----------------------------------------------------------------------------


def named() -> None:
    """Invented names among the proposals from the odd half of the messages (the weights were set on
    the even half, with other names), against plain cohesion × entropy. The real names of a whole town
    stand among them, so that not all can be first."""
    letters = new_names.planted(
        [f"{row['title']}\n{row['body']}" for row in _rows("messages.csv")[1::2]]
    )
    names, segmenter = set(new_names.names()), _engine().segmenter
    ours = [word.term for word in newwords.propose(letters, segmenter=segmenter, top=500)]
    theirs = _by_cohesion_and_entropy(letters)
    for first, goal in ((100, "20"), (300, "34"), (500, "38")):
        what = f"invented names, of {len(names)}, in the first {first} new words"
        hits, others = len(names & set(ours[:first])), len(names & set(theirs[:first]))
        _said(what, hits, "names", others, "cohesion × entropy", goal)


def _by_cohesion_and_entropy(letters: Sequence[str]) -> list[str]:
    """What jieba's dictionary lacks, ordered by pointwise mutual information × entropy alone."""
    distinct = list(dict.fromkeys(map(normal.plain, letters)))
    segmenter = _engine().segmenter
    found = recurring.strings(
        distinct,
        range(len(distinct)),
        segmenter.tokens,
        segmenter.knows,
        longest=8,
        minimum=3,
        cohesion=3.0,
        entropy=0.6,
    )
    worth = {
        each.string: each.cohesion * min(each.left, each.right)
        for each in found
        if not segmenter.knows(each.string)
    }
    return sorted(worth, key=lambda term: (-worth[term], term))


# --- same and nearly same ------------------------------------------------------------------


def copies() -> None:
    """Resubmitted messages, then generated campaigns at 1,000 and at 100,000 letters."""
    body = {row["msg_id"]: row["body"] for row in _rows("messages.csv")}
    known: dict[str, list[str]] = {}
    for row in _rows("messages_resubmitted.csv"):
        known.setdefault(row["group"], []).append(row["msg_id"])
    near = dict(zip(body, duplicates.near_groups(list(body.values())), strict=True))
    found = sum(len({near[id] for id in ids}) == 1 for ids in known.values())
    exact = sum(len({body[id] for id in ids}) == 1 for ids in known.values())
    _said("resubmitted groups found, of 108", found, "groups", exact, "equal strings", "108")
    for count in (1_000, 100_000):
        letters, true = campaigns.letters(list(body.values()), count)
        ours = campaigns.pairs(true, duplicates.near_groups(letters))
        theirs = campaigns.pairs(true, duplicates.exact_groups(letters))
        for what, at, goal in (("precision", 0, "≥ 0.98"), ("recall", 1, "≥ 0.95")):
            name = f"campaigns among {count:,} letters, {what}"
            _said(name, ours[at], "share", theirs[at], "equal but for form", goal)


def _share(right: Iterator[bool]) -> float:
    return float(np.mean(list(right)))


def _said(what: str, ours: float, unit: str, theirs: float, reference: str, goal: str) -> None:
    ratio = ours / theirs if theirs else math.inf if ours else 1.0
    say(what, ours, unit, ratio=ratio, reference=f"{reference} ({theirs:.3f})", goal=goal)
