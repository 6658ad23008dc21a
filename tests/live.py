"""A real server for the journeys: the site with its built-in example, in processes of its own.

`python -m tests.live FOLDER PORT` serves; `started` runs that and waits until it answers. The
example is loaded as of now, because nobody can tell a browser's clock what day it is.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from app import create_app, prepare
from consult import consultations, summaries
from consult.submissions import Submission
from core import audit, serving
from core.db import db
from core.web import utc_now

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 240
OPEN = "guihua-gangyao"
CLOSED = "silu-kuangjia"
RECEIPTS = "receipts.json"


@contextmanager
def started(folder: Path, *, url: str = "", **settings: str) -> Iterator[str]:
    """The address of a server that lives as long as this context; `settings` are environment."""
    port = free_port()
    environment = {
        **os.environ,
        "COMMENTS_PER_HOUR": "100000",
        "DATABASE_URL": url,
        "PYTHONWARNINGS": "ignore",
        **settings,
    }
    log = (folder / "server.log").open("wb")
    command = [sys.executable, "-m", "tests.live", str(folder), str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/healthz", server, folder)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()


def free_port() -> int:
    """A port nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str, server: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    log = (folder / "server.log").read_text(encoding="utf-8", errors="replace")
    raise RuntimeError(f"the server did not come up:\n{log[-3000:]}")


def _write_receipts(folder: Path) -> None:
    """What the authors of the answered round hold in their hands: {their words: the receipt}."""
    consultation = consultations.by_slug(CLOSED)
    assert consultation is not None
    query = sa.select(Submission.body, Submission.receipt)
    query = query.where(Submission.consultation_id == consultation.id)
    receipts = {each.body: each.receipt for each in db.session.execute(query)}
    (folder / RECEIPTS).write_text(json.dumps(receipts), encoding="utf-8")


def main(folder: str, port: str) -> None:
    """Prepare the site in `folder` and serve it."""
    app = create_app(instance=folder)
    prepare(app)
    with app.app_context():
        # The closed round has its summary from the example.
        consultation = consultations.by_slug(OPEN)
        assert consultation is not None
        made = summaries.make(consultation, by=audit.COMMAND_LINE, now=utc_now())
        summaries.publish(made, by=audit.COMMAND_LINE, now=utc_now())
        db.session.commit()
        _write_receipts(Path(folder))
        db.session.close()
        db.engine.dispose()
    serving.serve(app, host="127.0.0.1", port=int(port), workers=2)


if __name__ == "__main__":
    main(*sys.argv[1:])
