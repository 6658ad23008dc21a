"""The text engine alone: cutting against jieba on the same texts in the same run, laying out a word
cloud, and with WENJI_BENCH_BIG bringing 100,000 opinions in, indexing and summarising them."""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable

import jieba

from bench import material
from bench.measure import say, site
from consult import summaries
from consult.analysis import cloud
from consult.analysis.engine import Engine
from consult.analysis.lexicon import Lexicon, builtin
from consult.analysis.segment import Segmenter
from core import audit
from core.db import db

TEXTS, SOME, WORDS, ROUNDS = 1_000, 200, 200, 3
BIG = 100_000


def run() -> None:
    """Print all of it."""
    texts = material.texts(TEXTS)
    ours, jiebas = _segmentation(texts)
    _cloud(texts, jiebas)
    print(f"{'MB a second':52} {_megabytes(texts) / ours:10.3f} MB/s")
    if os.environ.get("WENJI_BENCH_BIG"):
        _everything(jiebas / TEXTS)


def _segmentation(texts: list[str]) -> tuple[float, float]:
    """CPU seconds of ours and of jieba, in turn; the same dictionary, and so the same words."""
    jieba.setLogLevel(logging.ERROR)
    jieba.initialize()
    plain = Segmenter(Lexicon({}, {}, frozenset()))
    alike = sum(plain.tokens(text) == jieba.lcut(text) for text in texts[:SOME])
    taken = _cpu(lambda: [plain.tokens(text) for text in texts])
    reference = _cpu(lambda: [jieba.lcut(text) for text in texts])
    say(
        "cut 1,000 texts",
        taken,
        "s",
        ratio=reference / taken,
        reference="faster than jieba.lcut",
        goal="≥ 10 ×",
    )
    print(f"{'texts cut exactly as jieba does':52} {100 * alike / SOME:10.1f} %       (goal 100)")
    return taken, reference


def _cloud(texts: list[str], reference: float) -> None:
    engine = Engine(builtin())
    weights = Counter(term for text in texts for term in engine.analyse(text).terms)
    heaviest = {term: float(count) for term, count in weights.most_common(WORDS)}
    font = cloud.default_font()
    taken = _cpu(lambda: cloud.svg(cloud.layout(heaviest, font_path=font), links={}, labels={}))
    say(
        f"a word cloud of {len(heaviest)} words, laid out and drawn",
        taken,
        "s",
        ratio=taken / reference,
        reference="jieba cutting 1,000 texts",
        goal="≤ 0.25 s",
    )


def _everything(reference: float) -> None:
    """From a table to the summary; the import keeps the index in the same act."""
    with site(CLOCK=lambda: material.NOW):
        made, version = material.consultation()
        begun = time.perf_counter()
        brought = material.opinions(made, version, BIG)
        db.session.refresh(made)
        summaries.make(made, by=audit.COMMAND_LINE, now=material.NOW)
        db.session.commit()
        taken = time.perf_counter() - begun
    say(
        f"{BIG} opinions imported, indexed and summarised",
        taken,
        "s",
        ratio=taken / (reference * BIG),
        reference="jieba.lcut over as many texts",
        goal="≤ 60 s",
    )
    print(f"{'  of which import and index':52} {brought:10.3f} s")


def _cpu(call: Callable[[], object]) -> float:
    """The least CPU seconds of some rounds: a busy machine only adds."""
    taken = []
    for _round in range(ROUNDS):
        begun = time.process_time()
        call()
        taken.append(time.process_time() - begun)
    return min(taken)


def _megabytes(texts: list[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6
