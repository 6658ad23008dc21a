"""Sets a letter of appointment: words as JSON in, a tagged PDF in the look of an official paper out.

Run as a program, like the poster: what setting needs is given back at once. The words go to typst
as data and never into its source.
"""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst

SOURCE = Path(__file__).parent / "data" / "letter.typ"


def sheet(words: dict[str, Any]) -> bytes:
    """The PDF. `words` are what `data/letter.typ` names; `made` is an ISO moment."""
    compiled = typst.compile(
        SOURCE,
        format="pdf",
        sys_inputs={"data": json.dumps(words, ensure_ascii=False)},
        font_paths=[Path(pylopdf_fonts_zh_cn.__file__).parent],
        ignore_system_fonts=True,
        timestamp=dt.datetime.fromisoformat(words["made"]),
    )
    assert isinstance(compiled, bytes)
    return compiled


if __name__ == "__main__":
    sys.stdout.buffer.write(sheet(json.load(sys.stdin)))
