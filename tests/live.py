"""A real server for the journeys: the site with its built-in example, in processes of its own.

`python -m tests.live FOLDER PORT` fills the site where it is empty, and serves; `started` runs that
and waits until it answers. The example is loaded as of now, because nobody can tell a browser's
clock what day it is. Beside it stands a small round that is closed and waits to be answered. All of
this takes half a minute, so that on SQLite it is filled once a run (`filled`) and copied.
"""

import datetime as dt
import fcntl
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from app import create_app, prepare
from consult import consultation_acts, consultations, drafts, submissions, summaries
from consult.consultations import Consultation
from consult.readers import Block, ReadDraft
from consult.submissions import Opinion, Submission, SubmissionState
from core import audit, serving
from core.db import db
from core.web import local, utc_now

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 240
OPEN = "guihua-gangyao"
CLOSED = "silu-kuangjia"
TO_ANSWER = "wuzhangai"
# What somebody wrote there, two matters in one letter.
LETTER = (
    "一是人行道上的盲道常被共享单车占住，请写明由谁清理。"
    "二是图书馆门口的台阶没有坡道，轮椅进不去，请列入改造计划。"
)
RECEIPTS = "receipts.json"
PID = "server.pid"


def filled(beside: Path) -> Path:
    """The folder of a site that is filled and that nobody serves. One for all processes of a run:
    `beside` is the temporary folder of any of them, the first fills it and the others wait."""
    top = beside.parent if "PYTEST_XDIST_WORKER" in os.environ else beside
    folder = top / "example"
    with (top / "example.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            being_made = top / "example-in-the-making"
            shutil.rmtree(being_made, ignore_errors=True)
            being_made.mkdir()
            done = subprocess.run(
                [sys.executable, "-m", "tests.live", str(being_made)],
                cwd=ROOT,
                env=_environment(""),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"the example was not filled:\n{done.stderr[-3000:]}")
            being_made.rename(folder)
    return folder


@contextmanager
def started(
    folder: Path, *, like: Path | None = None, url: str = "", **settings: str
) -> Iterator[str]:
    """The address of a server that lives as long as this context; a copy of the site in the folder
    `like`, else one that fills itself. `settings` are environment."""
    if like is not None:
        shutil.copytree(like, folder, dirs_exist_ok=True)
    port = free_port()
    environment = _environment(url) | settings
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


def _environment(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "COMMENTS_PER_HOUR": "100000",
        "DATABASE_URL": url,
        "PYTHONWARNINGS": "ignore",
    }


def free_port() -> int:
    """A port nobody listens at, from below those the machine itself gives to whoever calls out:
    what asks for one later cannot be given it before the server has it."""
    for port in random.SystemRandom().sample(range(12000, 32000), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise RuntimeError("somebody listens at each of a hundred ports")


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


def _round_to_answer() -> None:
    """A round that is over, on a draft of three paragraphs whose second version has changed one."""
    beside = consultations.by_slug(CLOSED)
    assert beside is not None
    by, now = audit.COMMAND_LINE, utc_now()
    begun, today = now - dt.timedelta(days=60), local(now).date()
    title = "无障碍环境建设方案公开征求意见"
    made = consultation_acts.create(
        slug=TO_ANSWER, title=title, stage=beside.stage, unit=beside.unit, by=by, now=begun
    )
    consultation_acts.write_notice(
        made, title=title, explanation="起草说明。", ways="网上", contact="021-0", by=by, now=begun
    )
    first, last = (today - dt.timedelta(days=days) for days in (50, 10))
    consultation_acts.set_window(made, first=first, last=last, short_reason="", by=by, now=begun)
    version = _draft(made, "盲道由各单位分别管理，发现占用的要及时清理。", at=begun)
    consultation_acts.announce(made, has_draft=True, by=by, now=begun)
    submissions.receive(
        made,
        Opinion(body=LETTER, version_id=version.id, consent="1"),
        once_key="letter",
        state=SubmissionState.SHOWN,
        by=by,
        now=now - dt.timedelta(days=20),
        on_day=today - dt.timedelta(days=20),
    )
    _draft(made, "盲道由街道统一管理，发现占用的要在当天清理。", at=now)


def _draft(made: Consultation, words: str, *, at: dt.datetime) -> drafts.Version:
    texts = ("无障碍设施要成系统。", words, "公共建筑的出入口逐步改造。")
    blocks = (Block(1, "heading", "第一章 出行"), *(Block(0, "paragraph", t) for t in texts))
    version = drafts.take_in(
        made,
        ReadDraft("无障碍环境建设方案", blocks, ()),
        title="无障碍环境建设方案",
        source_name="plan.txt",
        source=words.encode(),
        by=audit.COMMAND_LINE,
        now=at,
    )
    drafts.publish(version, by=audit.COMMAND_LINE, now=at)
    return version


def _write_receipts(folder: Path) -> None:
    """What the authors of the closed rounds hold in their hands: {their words: the receipt}."""
    query = sa.select(Submission.body, Submission.receipt)
    query = query.join(Consultation, Consultation.id == Submission.consultation_id)
    query = query.where(Consultation.slug.in_((CLOSED, TO_ANSWER)))
    receipts = {each.body: each.receipt for each in db.session.execute(query)}
    (folder / RECEIPTS).write_text(json.dumps(receipts), encoding="utf-8")


def _fill(app: Flask, folder: str) -> None:
    prepare(app)
    with app.app_context():
        # The closed round has its summary from the example.
        consultation = consultations.by_slug(OPEN)
        assert consultation is not None
        made = summaries.make(consultation, by=audit.COMMAND_LINE, now=utc_now())
        summaries.publish(made, by=audit.COMMAND_LINE, now=utc_now())
        _round_to_answer()
        db.session.commit()
        _write_receipts(Path(folder))
        db.session.close()
        db.engine.dispose()


def main(folder: str, port: str = "") -> None:
    """Fill the site in `folder` unless it is; serve it where a port is given."""
    app = create_app(instance=folder)
    if not (Path(folder) / RECEIPTS).exists():
        _fill(app, folder)
    if not port:
        return
    (Path(folder) / PID).write_text(str(os.getpid()), encoding="ascii")
    serving.serve(app, host="127.0.0.1", port=int(port), workers=2)


if __name__ == "__main__":
    main(*sys.argv[1:])
