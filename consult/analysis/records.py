"""JSON Lines as the engine's command reads them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn


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


def records(lines: Iterable[bytes]) -> list[Record]:
    """The input's records; a byte order mark and empty lines are passed over. Raises BadInput with
    the number of the first bad line."""
    found: list[Record] = []
    first_line: dict[tuple[type, Any], int] = {}
    for number, line in enumerate(lines, 1):
        text = _decoded(number, line)
        if not text.strip():
            continue
        record = _record(number, text)
        before = first_line.setdefault((type(record.id), record.id), number)
        if before != number:
            raise BadInput(
                f"line {number}: the id {_quoted(record.id)} stands on line {before} already"
            )
        found.append(record)
    return found


def _decoded(number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as wrong:
        raise BadInput(f"line {number} is not UTF-8: byte {wrong.start + 1} of it") from wrong


def _record(number: int, line: str) -> Record:
    try:
        row = json.loads(line, parse_constant=_no_number, parse_float=_number)
    except (ValueError, RecursionError) as wrong:
        raise BadInput(f"line {number} is not JSON: {wrong}") from wrong
    if not isinstance(row, dict) or "id" not in row or not isinstance(row.get("text"), str):
        raise BadInput(f'line {number} needs an "id" and a "text" that is a string')
    if not isinstance(row["id"], str | int | float) or isinstance(row["id"], bool):
        raise BadInput(f'line {number}: "id" must be a string or a number')
    if row.get("title") is not None and not isinstance(row["title"], str):
        raise BadInput(f'line {number}: "title" must be a string')
    return Record(
        row["id"],
        row["text"],
        row.get("title") or "",
        _named(number, "group", row.get("group")),
        _named(number, "person", row.get("person")),
    )


def _named(number: int, what: str, value: object) -> str | None:
    """Groups and people are often numbered; a number is called by its digits."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise BadInput(f'line {number}: "{what}" must be a string or a whole number')


def _number(digits: str) -> float:
    number = float(digits)
    # 1e400 is JSON, but what Python makes of it could not be written as JSON again.
    return number if math.isfinite(number) else _no_number(digits)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _quoted(id: Any) -> str:
    return json.dumps(id, ensure_ascii=True)
