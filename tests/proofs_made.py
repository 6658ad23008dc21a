"""Proofs of work, as a browser finds them for the challenge of a page."""

import base64
import json
import re
from html import unescape
from typing import Any

from altcha import v1 as altcha
from flask.testing import FlaskClient


def challenge_of(client: FlaskClient, address: str) -> dict[str, Any]:
    """What the page asks the browser to work on."""
    page = client.get(address).text
    found = re.search(r'data-proof="([^"]*)"', page)
    assert found is not None
    asked: dict[str, Any] = json.loads(unescape(found[1]))
    return asked


def solved(asked: dict[str, Any], **changed: Any) -> str:
    """The payload a browser sends for this challenge."""
    solution = altcha.solve_challenge(
        asked["challenge"], asked["salt"], asked["algorithm"], asked["maxnumber"]
    )
    assert solution is not None
    names = ("algorithm", "challenge", "salt", "signature")
    payload = {name: asked[name] for name in names} | {"number": solution.number} | changed
    return packed(payload)


def packed(payload: object) -> str:
    """A payload as the form carries it."""
    return base64.b64encode(json.dumps(payload).encode()).decode()
