"""YAML whose every value knows its line. Only the plain part of YAML is read: no anchors, aliases
or tags, no key written twice; what is not text, number or true/false stays the text it was. Knows
no Flask and no table."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from flask_babel import gettext as _
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

MOST_BYTES = 1024 * 1024
DEEPEST = 20
WHOLE = re.compile(r"-?[0-9]{1,9}")
WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in a file: its line (the first is 1) and why, as a sentence."""

    line: int
    why: str


class NotReadable(Exception):
    """The text cannot be read as YAML at all, or uses parts of it that are not accepted."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.mistake = Mistake(line, why)


@dataclass
class Located:
    """A value and the line on which each part of it begins, by its path from the top."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of `path`; of the nearest thing around it when it is not in the file."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1


def read(source: bytes) -> Located:
    """Read `source`; raises NotReadable at the first place that is not acceptable."""
    located = Located()
    events = _events(_text(source))
    begun = False
    for event in events:
        if isinstance(event, DocumentStartEvent):
            if begun:
                raise NotReadable(_line(event), _("一个文件里只能有一份内容，请去掉多余的“---”。"))
            begun = True
        elif isinstance(event, AliasEvent | MappingStartEvent | SequenceStartEvent | ScalarEvent):
            located.value = _value(event, events, (), located.lines)
    return located


def _text(source: bytes) -> str:
    if len(source) > MOST_BYTES:
        raise NotReadable(1, _("文件超过1兆字节，不像是一份规划编制工作文件。"))
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        why = _("文件不是UTF-8编码，请用UTF-8编码另存后再试。")
        raise NotReadable(line, why) from error


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise NotReadable(line, _("这里有无法识别的控制字符，请删去。")) from error
    except yaml.MarkedYAMLError as error:
        # Where something was begun is where it has to be mended, when it is never ended.
        problem = error.problem or ""
        begun = "could not find expected" in problem or "end of stream" in problem
        mark = (error.context_mark if begun else None) or error.problem_mark
        raise NotReadable(mark.line + 1 if mark else 1, _grammar(error)) from error


def _grammar(error: yaml.MarkedYAMLError) -> str:
    """What is probably wrong, in the words of somebody who edits the file."""
    problem = error.problem or ""
    begun = error.context_mark.line + 1 if error.context_mark else 0
    if "\\t" in problem:
        return str(_("缩进只能用空格，不能用制表符（Tab）。"))
    if "mapping values" in problem:
        return str(_("这里多了一个半角冒号；文字里有半角冒号时，请把整段文字放进引号。"))
    if "could not find expected ':'" in problem or "expected ':'" in problem:
        return str(_("这里缺少半角冒号和空格，应当写成“名称: 内容”。"))
    if "end of stream" in problem and "quoted" in (error.context or ""):
        return str(_("这里开始的引号没有结束。"))
    if "expected ',' or" in problem:
        return str(_("第%(line)d行开始的括号里，项目之间要用半角逗号，最后要有括号。", line=begun))
    if "expected <block end>" in problem:
        return str(_("缩进前后不一致，或者这一行不属于上面的内容。"))
    return str(_("这一行不合YAML的写法，请检查缩进、引号和冒号。"))


def _value(event: Any, events: Iterator[Any], path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, _line(event))
    if isinstance(event, AliasEvent) or event.anchor:
        raise NotReadable(_line(event), _("不能用锚点（&）和引用（*），请把内容直接写出来。"))
    if event.tag and event.tag != "!":
        raise NotReadable(_line(event), _("不能用类型标签（!）。"))
    if len(path) > DEEPEST:
        raise NotReadable(_line(event), _("层次太深，最多%(n)d层。", n=DEEPEST))
    if isinstance(event, ScalarEvent):
        return _scalar(event)
    if isinstance(event, SequenceStartEvent):
        return _sequence(events, path, lines)
    return _mapping(events, path, lines)


def _sequence(events: Iterator[Any], path: Path, lines: dict[Path, int]) -> list[Any]:
    items: list[Any] = []
    for event in events:
        if isinstance(event, SequenceEndEvent):
            break
        items.append(_value(event, events, (*path, len(items)), lines))
    return items


def _mapping(events: Iterator[Any], path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    items: dict[str, Any] = {}
    for event in events:
        if isinstance(event, MappingEndEvent):
            break
        if not isinstance(event, ScalarEvent):
            raise NotReadable(_line(event), _("名称只能是一个词，不能是列表、括号或引用。"))
        key = event.value
        if key in items:
            first = lines[(*path, key)]
            why = _("“%(key)s”写了两次，第一次在第%(line)d行。", key=key[:40], line=first)
            raise NotReadable(_line(event), why)
        lines[(*path, key)] = _line(event)
        items[key] = _value(next(events), events, (*path, key), lines)
    return items


def _scalar(event: ScalarEvent) -> Any:
    """Text stays text; only unquoted whole numbers, true, false and null are something else.

    YAML's own rules would turn 12:30 into 750 and 2019-05-01 into a date.
    """
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in WORDS:
        return WORDS[text]
    return int(text) if WHOLE.fullmatch(text) else text


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1
