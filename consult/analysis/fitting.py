"""Fits the weights of `phrases` to texts whose authors named their keywords.

    python -m consult.analysis.fitting keywords.jsonl > weights

reads JSON Lines with `abstract`, `title` and `keywords`, fits on the texts at even places, once
without and once with their titles, measures on those at odd places, and prints both columns of
weights with their measures. L2-penalised logistic regression by Newton's method (McCullagh and Nelder,
Generalized Linear Models, 1989, §2.5).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from consult.analysis.lexicon import builtin
from consult.analysis.phrases import Background, Reader, features
from consult.analysis.segment import Segmenter

_PENALTY = 40.0
_STEPS = 12
Floats = npt.NDArray[np.float64]
Candidates = list[tuple[list[str], Floats]]


def fitted(values: Floats, chosen: Floats) -> tuple[Floats, float]:
    """Weights and constant of a logistic regression; `values` is rows × features, `chosen` 0/1."""
    mean, spread = values.mean(0), values.std(0) + 1e-9
    rows = np.c_[(values - mean) / spread, np.ones(len(values))]
    penalty = np.r_[np.full(values.shape[1], _PENALTY), 1e-9]
    weights = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        odds = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (odds - chosen) + penalty * weights
        bend = (rows.T * (odds * (1 - odds))) @ rows + np.diag(penalty)
        weights -= np.linalg.solve(bend, slope)
    plain = weights[:-1] / spread
    return plain, float(weights[-1] - plain @ mean)


def f1_at_5(
    candidates: Candidates, keywords: Sequence[Collection[str]], weights: Floats
) -> tuple[float, float]:
    """F1 of the five best against the authors' keywords, exact match: over all texts together
    (micro), and as the mean of the texts' own (macro)."""
    hits = found = wanted = 0
    own = []
    for (phrases, values), named in zip(candidates, keywords, strict=True):
        scores = values @ weights
        best = sorted(range(len(phrases)), key=lambda n: (-scores[n], phrases[n]))[:5]
        hit = len({phrases[n] for n in best} & set(named))
        hits, found, wanted = hits + hit, found + len(best), wanted + len(set(named))
        own.append(2 * hit / (len(best) + len(set(named))))
    return 2 * hits / (found + wanted), float(np.mean(own))


def candidates_of(texts: Sequence[tuple[str, str]]) -> tuple[list[str], Candidates]:
    """Names of the features, and for each (text, title) its phrases with rows of their values."""
    reader = Reader(Segmenter(builtin()))
    read = [reader.read(text, title) for text, title in texts]
    background = Background(read)
    names: list[str] = []
    candidates: Candidates = []
    for text in read:
        phrases, rows = [], []
        for phrase, values in features(text, background, reader):
            names = names or list(values)
            phrases.append(phrase)
            rows.append(list(values.values()))
        candidates.append((phrases, np.array(rows, dtype=np.float64).reshape(len(rows), -1)))
    return names, candidates


def main(path: str) -> None:
    """Prints weights fitted on half of the file and what they reach on the other half."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    keywords = [set(row["keywords"]) for row in rows]
    bare = candidates_of([(row["abstract"], "") for row in rows])
    titled = candidates_of([(row["abstract"], row["title"]) for row in rows])
    columns = []
    for name, (_, candidates) in (("without", bare), ("with", titled)):
        values = np.vstack([rows_of for _, rows_of in candidates[::2]])
        pairs = zip(candidates[::2], keywords[::2], strict=True)
        chosen = [float(phrase in named) for (phrases, _), named in pairs for phrase in phrases]
        weights, constant = fitted(values, np.array(chosen))
        micro, macro = f1_at_5(candidates[1::2], keywords[1::2], weights)
        print(f"# F1@5 on the other half, {name} title: micro {micro:.3f}, macro {macro:.3f}")
        columns.append([*weights, constant])
    names = [*bare[0], "constant"]
    for name, without, with_title in zip(names, *columns, strict=True):
        print(f"{name} {without:.4f} {with_title:.4f}")


if __name__ == "__main__":
    main(sys.argv[1])
