"""Two versions of 100,000 characters: aligned and compared word by word, against difflib."""

import difflib
import random
import time
from collections.abc import Callable

from bench.measure import say
from consult.comparing import Block, align, changes

SIZE = 100_000


def run() -> None:
    """CPU seconds of one whole comparison for drafts of different make."""
    chance = random.Random(14)
    letters = [chr(0x4E00 + number) for number in range(3_000)]
    for what, length, share, rate in (
        ("paragraphs of 100, a third edited", 100, 0.33, 0.1),
        ("paragraphs of 100, all edited heavily", 100, 1.0, 0.3),
        ("paragraphs of 1,000, all edited", 1_000, 1.0, 0.1),
        ("paragraphs of 10,000, all edited", 10_000, 1.0, 0.1),
    ):
        old = ["".join(chance.choices(letters, k=length)) for _number in range(SIZE // length)]
        new = [
            _edited(text, rate, chance, letters) if chance.random() < share else text
            for text in old
        ]
        taken = _cpu(lambda old=old, new=new: _compare(old, new))  # type: ignore[misc]  # bound now, by default values
        # The standard library on the same paragraphs, told which belong together.
        reference = _cpu(lambda old=old, new=new: _difflib(old, new))  # type: ignore[misc]  # bound now, by default values
        say(what, taken, "s CPU", ratio=taken / reference, reference="difflib", goal="≤ 1 s")


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
