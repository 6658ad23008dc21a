"""The security log: who tried to sign in from where. The only place that keeps an address.

One file a month in `instance/security/`, readable by the site alone; a year is kept and no more.
"""

import contextlib
import datetime as dt
import os
from pathlib import Path

from flask import current_app

MONTHS_KEPT = 12


def note(what: str, *, account_id: int | None, address: str | None, now: dt.datetime) -> None:
    """Add one line. A full disk must not keep anybody from signing in."""
    folder = Path(current_app.instance_path, "security")
    path = folder / f"{now:%Y-%m}.log"
    shown = "".join(letter for letter in address or "-" if letter.isalnum() or letter in ".:%-")
    line = f"{now:%Y-%m-%dT%H:%M:%SZ} {what} account={account_id or '-'} address={shown[:64]}\n"
    with contextlib.suppress(OSError):
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _drop_old(folder)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="ascii", errors="replace") as file:
            file.write(line)


def _drop_old(folder: Path) -> None:
    for path in sorted(folder.glob("????-??.log"))[: -MONTHS_KEPT + 1]:
        path.unlink()
