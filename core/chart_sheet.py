"""Turns charts into pictures for programs that cannot draw SVG: a JSON list of SVG files in, a JSON
list of PNG files in base64 out.

Run as a program, like the poster: what drawing needs (some 60 MB) is given back at once. Fonts come
from the wheel: the same chart gives the same picture on every machine.
"""

import base64
import json
import sys
from pathlib import Path

import pylopdf_fonts_zh_cn
import typst

SOURCE = Path(__file__).with_suffix(".typ")
# Pixels an inch: on paper the picture is 156 mm wide.
SHARPNESS = 220


def png(svg: str) -> bytes:
    """One picture."""
    made = typst.compile(
        SOURCE,
        format="png",
        ppi=SHARPNESS,
        sys_inputs={"svg": svg},
        font_paths=[Path(pylopdf_fonts_zh_cn.__file__).parent],
        ignore_system_fonts=True,
    )
    assert isinstance(made, bytes)
    return made


if __name__ == "__main__":
    drawn = [base64.b64encode(png(svg)).decode() for svg in json.load(sys.stdin)]
    json.dump(drawn, sys.stdout)
