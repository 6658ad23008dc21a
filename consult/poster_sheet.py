"""Sets the poster of one consultation: words as JSON in, a tagged PDF of one A4 sheet out.

Run as a program, so that what setting needs (some 60 MB) is given back at once and no server
carries it along. The words go to typst as data and never into its source. Fonts come from the
wheel: the same words give the same sheet on every machine.
"""

import datetime as dt
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import qrcode
import qrcode.image.svg
import typst

SOURCE = Path(__file__).parent / "data" / "poster.typ"
# The type is made smaller until all is on one sheet.
SCALES = (1.0, 0.85, 0.7)
PAGE = re.compile(rb"/Type\s*/Page\b")


def sheet(words: dict[str, Any]) -> bytes:
    """The PDF. `words` are what `data/poster.typ` names; `made` is an ISO moment."""
    made = b""
    for scale in SCALES:
        data = words | {"qr": code(words["address"]), "scale": scale}
        compiled = typst.compile(
            SOURCE,
            format="pdf",
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            font_paths=[Path(pylopdf_fonts_zh_cn.__file__).parent],
            ignore_system_fonts=True,
            timestamp=dt.datetime.fromisoformat(words["made"]),
        )
        assert isinstance(compiled, bytes)
        made = compiled
        if len(PAGE.findall(made)) == 1:
            break
    return made


def code(address: str) -> str:
    """The QR code of an address as an SVG."""
    drawn = io.BytesIO()
    qrcode.make(address, image_factory=qrcode.image.svg.SvgPathFillImage, border=2).save(drawn)
    return drawn.getvalue().decode()


if __name__ == "__main__":
    sys.stdout.buffer.write(sheet(json.load(sys.stdin)))
