"""The static files of the site, and their scripts run outside a browser."""

import shutil
import subprocess
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parent.parent / "static"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")


def node(script: str) -> str:
    """What node prints for this script."""
    done = subprocess.run(
        ["node", "-e", script], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout
