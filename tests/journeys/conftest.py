"""A real browser on a real server: what every journey begins with.

Each page visited is checked with axe at the width of the journey and once more at the other; each
step is photographed where JOURNEY_SHOTS names a folder for the pictures.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from axe_playwright_python.sync_playwright import DEFAULT_OPTIONS, Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from core.accounts import DEMO_PASSWORD
from tests import live
from tests.databases import Databases, SqliteDatabases
from tests.mail_server import listening

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
# axe, which reads the few colours of a page anew for every word on it: with what it has read kept,
# it says the same in two thirds of the time.
AXE = (
    Axe().axe_script
    + """
;(() => {
  const colour = axe.commons.color.Color.prototype, read = colour.parseString, known = new Map();
  colour.parseString = function (words) {
    if (!known.has(words)) {
      read.call(this, words);
      known.set(words, [this.r, this.g, this.b, this.alpha]);
    }
    [this.r, this.g, this.b, this.alpha] = known.get(words);
    return this;
  };
})();
"""
)
expect.set_options(timeout=30_000)


# What a browser says of a page that goes or comes while somebody looks at it, and for how many
# seconds it may: between a page's first byte and its first element a busy machine can take its time.
IN_THE_MIDDLE = (
    "context was destroyed|Unable to capture|axe is not defined"
    "|Cannot read properties of null .reading 'scrollWidth'"
)

PATIENCE = 30

# Bootstrap's pictures, which our policy refuses and our style sheet takes away: whoever looks at a
# page while it comes can meet Bootstrap's sheet before ours. What is there in the end is looked at.
PICTURE = r"image 'data:image/svg.*Content Security Policy"
DRAWN = """() => [...document.querySelectorAll('*')].flatMap(each => [null, '::before', '::after']
  .filter(part => getComputedStyle(each, part).backgroundImage.includes('data:'))
  .map(part => each.tagName + '.' + each.className + (part || '')))"""


class Post:
    """The mail server of the town: keeps what the site sends."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str]] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep a letter."""
        assert isinstance(envelope.content, bytes)
        letter: Any = message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append((envelope.rcpt_tos[0], letter.get_content()))
        return "250 OK"

    def wait_for(self, to: str, wanted: str, *, patience: float = 60) -> re.Match[str]:
        """What is wanted in the newest letter to this address that holds it, as soon as there is
        one; other letters may come before it."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            for address, words in reversed(self.letters):
                if address == to and (found := re.search(wanted, words)):
                    return found
            time.sleep(0.1)
        raise AssertionError(f"no letter with {wanted} to {to} within {patience} s")


@pytest.fixture(scope="session")
def post() -> Iterator[tuple[Post, int]]:
    """The mail server, and at which port it listens."""
    kept = Post()
    controller = listening(kept)
    yield kept, controller.port
    controller.stop()


@pytest.fixture(scope="session")
def address(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, post: tuple[Post, int]
) -> Iterator[str]:
    """Where the site answers."""
    folder = tmp_path_factory.mktemp("live")
    mail = {"MAIL_SENDER": "smtp", "SMTP_PORT": str(post[1]), "MAIL_FROM": "wenji@example.invalid"}
    if isinstance(databases, SqliteDatabases):
        like = live.filled(tmp_path_factory.getbasetemp())
        with live.started(folder, like=like, **mail) as address:
            yield address
        return
    place = databases.empty()
    with live.started(folder, url=place.url, **mail) as address:
        yield address
    databases.discard(place)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, when the machine has one."""
    found = shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(found).exists():
        pytest.skip("no Chromium on this machine (looked for `chromium` and /usr/bin/chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shots() -> Path | None:
    """Where the photographs go, if somebody wants them: they take their time."""
    folder = os.environ.get("JOURNEY_SHOTS")
    if not folder:
        return None
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path


class Traveller:
    """A person at a browser. What the page's script or the network complained of is a fault."""

    def __init__(
        self,
        context: BrowserContext,
        address: str,
        shots: Path | None,
        name: str,
        *,
        script: bool = True,
    ) -> None:
        self.page: Page = context.new_page()
        self.address, self._shots, self._name = address, shots, name
        self._steps = 0
        self._script = script
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("console", lambda line: self._hear(line.type, line.text))
        self.page.on("request", lambda request: self._watch(request.url))

    def _hear(self, kind: str, text: str) -> None:
        # A refused form is answered 4xx, which Chromium also writes down as an error.
        if kind == "error" and not re.search(rf"status of 4(09|22|03|04)|{PICTURE}", text):
            self.complaints.append(f"console: {text}")

    def _watch(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.complaints.append(f"asks a stranger: {url}")

    def go(self, path: str) -> None:
        """Type an address."""
        self.page.goto(self.address + path)

    def sign_in(self, role: str) -> None:
        """Sign in with one of the example's accounts."""
        self.go("/sign-in")
        self.page.get_by_label("邮箱").fill(f"{role}@example.invalid")
        self.page.get_by_label("密码").fill(DEMO_PASSWORD)
        self.page.locator("main form button").click()
        expect(self.page.get_by_role("button", name="退出")).to_be_visible()

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """What is done in it leads to another page, which is there at its end: a tap alone comes
        back before the browser has as much as asked, and the page looked at next is the old one."""
        with self.page.expect_navigation():
            yield

    def look(self, step: str, *, both: bool = True) -> None:
        """Photograph the page and let axe look at it; nothing may stick out sideways."""
        self._steps += 1
        here = self.page.viewport_size
        assert here is not None
        other = DESK if here["width"] == PHONE["width"] else PHONE
        for size in (here, other) if both else (here,):
            self.page.set_viewport_size({"width": size["width"], "height": size["height"]})
            self._look_at_last(step, size["width"])
        self.page.set_viewport_size({"width": here["width"], "height": here["height"]})

    def _look_at_last(self, step: str, width: int) -> None:
        """Look; anew, if the page went or came in the middle of it."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self._look_once(step, width)
            except PlaywrightError as error:
                if not re.search(IN_THE_MIDDLE, str(error)) or time.monotonic() > until:
                    raise
            self.page.wait_for_timeout(100)
            self.page.wait_for_load_state()

    def _look_once(self, step: str, width: int) -> None:
        if self._shots is not None:
            name = f"{self._name}-{self._steps:02}-{step}-{width}.png"
            self.page.screenshot(path=self._shots / name, full_page=True)
        self._inspect(f"{step} at {width} px")

    def _inspect(self, where: str) -> None:
        width = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{where}: {self.page.url} is {width} px wider than the screen"
        if not self._script:
            # axe is a script, too.
            return
        drawn = self.page.evaluate(DRAWN)
        assert not drawn, f"{where}: {self.page.url} draws what the policy refuses: {drawn}"
        if self.page.evaluate("window.axe === undefined"):
            self.page.evaluate(AXE)
        found = self.page.evaluate(f"axe.run({json.dumps(DEFAULT_OPTIONS)})")["violations"]
        assert not found, f"{where}: {self.page.url}\n" + "\n".join(
            f"  {each['id']}: {each['help']}\n    {each['nodes'][0]['html'][:200]}"
            for each in found
        )


Travel = Callable[..., Traveller]


@pytest.fixture
def travel(
    browser: Browser, address: str, shots: Path | None, request: pytest.FixtureRequest
) -> Iterator[Travel]:
    """`travel(PHONE)` sends somebody on the way; further options are the browser context's."""
    contexts: list[BrowserContext] = []
    travellers: list[Traveller] = []
    name = re.sub(r"\W+", "-", request.node.name).strip("-")

    def start(size: dict[str, int] = PHONE, **options: object) -> Traveller:
        phone = size is PHONE
        context = browser.new_context(
            viewport=size, has_touch=phone, locale="zh-CN", reduced_motion="reduce", **options
        )
        contexts.append(context)
        script = options.get("java_script_enabled") is not False
        path = f"{name}-{len(contexts)}"
        travellers.append(Traveller(context, address, shots, path, script=script))
        return travellers[-1]

    yield start
    for context in contexts:
        context.close()
    for traveller in travellers:
        assert not traveller.complaints, traveller.complaints
