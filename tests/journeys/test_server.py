"""What only shows between processes: the live server has two, each with several threads."""

import os
import re
import signal
import socket
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from http.cookiejar import CookieJar
from pathlib import Path
from threading import Barrier

import pytest

from tests.live import OPEN, PID

PATH = f"/consultations/{OPEN}/comment"
BODY = "建议在每个小区门口装一个可以坐下来等车的凳子。"


class _Stay(urllib.request.HTTPRedirectHandler):
    """Where an answer leads is what is asked for; nobody goes there."""

    def redirect_request(self, *_args: object) -> None:
        return None


def _form(address: str) -> tuple[urllib.request.OpenerDirector, dict[str, str]]:
    """A browser without script that has opened the form, and the hidden fields of the form."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(CookieJar()), _Stay(), urllib.request.ProxyHandler({})
    )
    with opener.open(address + PATH) as answer:
        page = answer.read().decode()
    hidden = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page)
    named = [
        (re.search(r'name="([^"]*)"', each), re.search(r'value="([^"]*)"', each)) for each in hidden
    ]
    return opener, {n.group(1): v.group(1) if v else "" for n, v in named if n}


def _send(opener: urllib.request.OpenerDirector, url: str, data: dict[str, str]) -> tuple[int, str]:
    try:
        answer = opener.open(url, urllib.parse.urlencode(data).encode(), timeout=60)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Location", "")
    with answer:
        return answer.status, ""


@pytest.mark.parametrize("different", [False, True])
def test_twenty_at_once_through_two_processes(address: str, different: bool) -> None:
    opener, hidden = _form(address)
    barrier = Barrier(20)

    def send(number: int) -> tuple[int, str]:
        barrier.wait(timeout=120)
        body = f"{BODY}第{number}次说" if different else BODY
        return _send(opener, address + PATH, {**hidden, "body": body, "consent": "y"})

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    assert {code for code, _ in answers} == {302}
    assert len({where for _, where in answers}) == (20 if different else 1)


def _workers(folder: Path) -> list[int]:
    """The processes that answer: forks of the server, unlike the worker for long jobs beside it."""
    server = int((folder / PID).read_text(encoding="ascii"))
    line = Path(f"/proc/{server}/cmdline").read_bytes()
    children = Path(f"/proc/{server}/task/{server}/children").read_text(encoding="ascii").split()
    return [int(each) for each in children if Path(f"/proc/{each}/cmdline").read_bytes() == line]


def test_what_was_acknowledged_outlives_a_killed_worker(
    address: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "live0"
    opener, hidden = _form(address)
    barrier = Barrier(7)

    def send(number: int) -> list[str]:
        """Three opinions, each sent until it is acknowledged: what a person does."""
        barrier.wait(timeout=120)
        return [_until_acknowledged(f"{BODY}第{number}人第{each}次说") for each in range(3)]

    def _until_acknowledged(body: str) -> str:
        for _again in range(50):
            try:
                code, where = _send(
                    opener, address + PATH, {**hidden, "body": body, "consent": "y"}
                )
            except (OSError, HTTPException):
                continue
            if code == 302:
                return where
            assert code == 503, code
        raise AssertionError(f"never acknowledged: {body}")

    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(send, number) for number in range(6)]
        barrier.wait(timeout=120)
        os.kill(_workers(folder)[0], signal.SIGKILL)
        acknowledged = [where for each in running for where in each.result(timeout=120)]
    assert len(set(acknowledged)) == 18
    for where in acknowledged:
        with opener.open(urllib.parse.urljoin(address, where), timeout=60) as answer:
            assert answer.status == 200
    # Sent once more it is the same one.
    assert _send(
        opener, address + PATH, {**hidden, "body": f"{BODY}第0人第0次说", "consent": "y"}
    ) == (
        302,
        acknowledged[0],
    )


def test_an_unfinished_request_holds_nobody_up(address: str) -> None:
    """Slow senders take threads, not the site: others are still answered at once."""
    host, port = address.removeprefix("http://").split(":")
    head = f"POST {PATH} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 1000\r\n\r\nbody="
    slow = [socket.create_connection((host, int(port))) for _ in range(3)]
    try:
        for each in slow:
            each.sendall(head.encode())
        for _ in range(5):
            with urllib.request.urlopen(address + "/", timeout=60) as answer:
                assert answer.status == 200
    finally:
        for each in slow:
            each.close()
