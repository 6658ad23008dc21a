"""Two versions of 100,000 characters: aligned and compared word by word, against difflib; taken in
and shown side by side, against a bare Flask page."""

import difflib
import random
import time
from collections.abc import Callable

from bench import material
from bench.measure import cpu_ms, getter, hello, say, site
from consult import drafts, readers
from consult.comparing import Block, align, changes
from core import audit
from core.db import db

SIZE = 100_000
MAKES = (
    ("paragraphs of 100, a third edited", 100, 0.33, 0.1),
    ("paragraphs of 100, all edited heavily", 100, 1.0, 0.3),
    ("paragraphs of 1,000, all edited", 1_000, 1.0, 0.1),
    ("paragraphs of 10,000, all edited", 10_000, 1.0, 0.1),
)


def run() -> None:
    """CPU seconds of one whole comparison for drafts of different make, and of its page."""
    chance = random.Random(14)
    letters = [chr(0x4E00 + number) for number in range(3_000)]
    for what, length, share, rate in MAKES:
        old = ["".join(chance.choices(letters, k=length)) for _number in range(SIZE // length)]
        new = [
            _edited(text, rate, chance, letters) if chance.random() < share else text
            for text in old
        ]
        taken = _cpu(lambda old=old, new=new: _compare(old, new))  # type: ignore[misc]  # bound now, by default values
        # The standard library on the same paragraphs, told which belong together.
        reference = _cpu(lambda old=old, new=new: _difflib(old, new))  # type: ignore[misc]  # bound now, by default values
        say(what, taken, "s CPU", ratio=taken / reference, reference="difflib", goal="≤ 1 s")
        _show(what, old, new)


def _show(what: str, old: list[str], new: list[str]) -> None:
    """The page of both, side by side with all that did not change, when nothing is kept yet."""
    with site(CLOCK=lambda: material.NOW) as app:
        made, _version = material.consultation()
        for words in (old, new):
            read = readers.ReadDraft(
                "某区规划纲要", tuple(readers.Block(0, "paragraph", text) for text in words), ()
            )
            version = drafts.take_in(
                made,
                read,
                title="某区规划纲要",
                source_name="x.txt",
                source=b"x",
                by=audit.COMMAND_LINE,
                now=material.NOW,
            )
            drafts.publish(version, by=audit.COMMAND_LINE, now=material.NOW)
        db.session.commit()
        page = getter(app, "/consultations/bench/compare?from=2&to=3&all=1")
        bare = cpu_ms({"bare": getter(hello(), "/")})["bare"]
        getter(app, "/consultations/bench/draft")()
        size = 0

        def show() -> None:
            nonlocal size
            size = len(page())

        for name, goal in (("shown the first time", "≤ 1 s"), ("shown again", "≤ 0.005 s")):
            taken = _cpu(show)
            say(
                f"… {name} ({size / 1024:.0f} KB)",
                taken,
                "s CPU",
                ratio=taken * 1000 / bare,
                reference="bare Flask page",
                goal=goal,
            )


def _edited(text: str, rate: float, chance: random.Random, letters: list[str]) -> str:
    kept = (letter for letter in text if chance.random() >= rate / 2)
    return "".join(
        letter + (chance.choice(letters) if chance.random() < rate / 2 else "") for letter in kept
    )


def _compare(old: list[str], new: list[str]) -> None:
    for text, origin in zip(
        new, align([Block(t) for t in old], [Block(t) for t in new]), strict=True
    ):
        if origin is not None:
            changes(old[origin], text)


def _difflib(old: list[str], new: list[str]) -> None:
    for before, after in zip(old, new, strict=True):
        difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()


def _cpu(call: Callable[[], None]) -> float:
    begun = time.process_time()
    call()
    return time.process_time() - begun
