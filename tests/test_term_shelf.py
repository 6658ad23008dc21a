"""Counting in memory equals counting one by one, however few rows are looked at together."""

import numpy as np
import pytest

from consult import term_shelf
from consult.term_shelf import Row, Shelf


def shelf_of(
    size: int, random: np.random.Generator
) -> tuple[Shelf, dict[int, tuple[int, set[int]]]]:
    """A shelf, and of each opinion that counts its place and terms."""
    shelf, told = Shelf(), {}
    for id in range(1, size + 1):
        terms = np.unique(random.integers(1, 30, random.integers(0, 9))).astype("<u4")
        place, counts = int(random.integers(0, 6)), random.random() > 0.1
        kept = terms.tobytes() if counts else None
        shelf.put([Row(id, place, 0, 0, False, 737_000, id, kept, b"")])
        if counts:
            told[id] = place, set(terms.tolist())
    return shelf, told


@pytest.mark.parametrize("size", [0, 1, 40, 90])
def test_tables_and_counts_of_any_selection(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term_shelf, "_NEAR", 7)
    random = np.random.default_rng(size)
    shelf, told = shelf_of(size, random)
    view = shelf.view()
    for share in (0.0, 0.05, 0.6, 1.0):
        mask = view.alive & (random.random(len(view.alive)) < share)
        chosen = [told[id] for id in view.facts["ids"][mask].tolist()]
        counts = view.counts(mask)
        for term in range(len(counts)):
            assert counts[term] == sum(term in terms for _place, terms in chosen)
        for groups in ([], [[0, 2], [3], [99], []]):
            for wanted in ([], [5, 7, 1000, 2]):
                table = view.table(groups, wanted, mask)
                assert table.shape == (len(groups), len(wanted))
                for group, row in zip(groups, table.tolist(), strict=True):
                    expected = [
                        sum(place in group and term in terms for place, terms in chosen)
                        for term in wanted
                    ]
                    assert row == expected
