"""Bringing in a table of 5,000 opinions, against segmenting the same texts with stock jieba."""

import logging
import time

import jieba.analyse

from bench import material
from bench.measure import say, site

COUNT = 5_000


def run() -> None:
    """Seconds for the import, everything durable, and its ratio."""
    with site(CLOCK=lambda: material.NOW):
        made, version = material.consultation()
        seconds = material.opinions(made, version, COUNT)
    reference = extract_tags_seconds(COUNT)
    say(
        f"import of {COUNT} opinions",
        seconds,
        "s",
        ratio=seconds / reference,
        reference="jieba.analyse.extract_tags over the same texts",
        goal="≤ 1",
    )


def extract_tags_seconds(count: int) -> float:
    """Seconds stock jieba takes to extract the tags of as many texts."""
    jieba.setLogLevel(logging.ERROR)
    jieba.initialize()
    jieba.analyse.extract_tags("规划", topK=5)
    texts = material.texts(count)
    begun = time.perf_counter()
    for text in texts:
        jieba.analyse.extract_tags(text, topK=5)
    return time.perf_counter() - begun
