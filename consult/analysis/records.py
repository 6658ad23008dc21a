"""JSON Lines as the engine's command reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """One input line."""

    id: Any
    text: str
    title: str
    group: str | None
    person: str | None

    @property
    def whole(self) -> str:
        """Title and text."""
        return f"{self.title}\n{self.text}" if self.title else self.text


class BadInput(Exception):
    """What is wrong with the input, in a sentence."""


def records(lines: Iterable[str]) -> list[Record]:
    """The input's records. Raises BadInput with the number of the first bad line."""
    return [_record(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _record(number: int, line: str) -> Record:
    try:
        row = json.loads(line)
    except ValueError as wrong:
        raise BadInput(f"line {number} is not JSON: {wrong}") from wrong
    if not isinstance(row, dict) or "id" not in row or not isinstance(row.get("text"), str):
        raise BadInput(f'line {number} needs an "id" and a "text" that is a string')
    for name in ("title", "group", "person"):
        if row.get(name) is not None and not isinstance(row[name], str):
            raise BadInput(f'line {number}: "{name}" must be a string')
    return Record(
        row["id"], row["text"], row.get("title") or "", row.get("group"), row.get("person")
    )
