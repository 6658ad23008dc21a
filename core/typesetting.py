"""Sets a paper: a typst source and its words in, a tagged PDF out.

Setting runs as a program (`python -m core.typesetting SOURCE`, words as JSON on standard input), so
that what it needs (some 60 MB) is given back at once and no server carries it along. The words go to
typst as data and never into its source. Fonts come from the wheel: the same words give the same
paper on every machine.
"""

import datetime as dt
import functools
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from core import emoji

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 30
PAGE = re.compile(rb"/Type\s*/Page\b")
# One paper at a time and process: many at once would only cost memory.
_ONE = Lock()


class NotMade(Exception):
    """The paper could not be set in time; asking again later may help."""


def pdf(source: Path, words: dict[str, Any], *, scales: Sequence[float] = ()) -> bytes:
    """The paper. `words` are what `source` names; `made` among them, an ISO moment, is written into
    the file, so that equal words are equal bytes. With `scales`, largest first, the source is given
    each as `scale` until all is on one page. Raises NotMade."""
    try:
        with _ONE:
            done = subprocess.run(
                [sys.executable, "-m", "core.typesetting", str(source), *map(str, scales)],
                input=json.dumps(words).encode(),
                capture_output=True,
                cwd=ROOT,
                timeout=PATIENCE,
                check=True,
            )
    except subprocess.SubprocessError as error:
        raise NotMade from error
    return done.stdout


def _set(source: str, words: dict[str, Any]) -> bytes:
    # What a server must not load.
    import pylopdf_fonts_zh_cn  # noqa: PLC0415
    import typst  # noqa: PLC0415

    made = typst.compile(
        Path(source),
        format="pdf",
        sys_inputs={"data": json.dumps(words, ensure_ascii=False)},
        font_paths=[Path(pylopdf_fonts_zh_cn.__file__).parent],
        ignore_system_fonts=True,
        timestamp=dt.datetime.fromisoformat(words["made"]),
    )
    assert isinstance(made, bytes)
    return made


def _printable(words: Any, has: Callable[[str], bool]) -> Any:
    """The words with what the fonts cannot print told by its name."""
    if isinstance(words, str):
        return emoji.spelled(words, has)
    if isinstance(words, list):
        return [_printable(each, has) for each in words]
    if isinstance(words, dict):
        return {name: _printable(each, has) for name, each in words.items()}
    return words


def _font_has(character: str) -> bool:
    return ord(character) in _printed()


@functools.cache
def _printed() -> frozenset[int]:
    """What the font can print; read only where a paper holds a sign that is in doubt."""
    import pylopdf_fonts_zh_cn  # noqa: PLC0415

    # It comes with wordcloud, and without types.
    fonts: Any = importlib.import_module("fontTools.ttLib")
    with fonts.TTFont(pylopdf_fonts_zh_cn.sans_path(), lazy=True) as font:
        return frozenset(font.getBestCmap())


def main(source: str, *scales: str) -> None:
    """Set what comes on standard input."""
    words = _printable(json.load(sys.stdin), _font_has)
    made = b""
    for more in [{"scale": float(each)} for each in scales] or [{}]:
        made = _set(source, words | more)
        if len(PAGE.findall(made)) == 1:
            break
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
