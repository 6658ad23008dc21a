"""Campaigns to measure on: form letters that many people edited, among letters of their own.

Every letter, of a campaign or not, is made of sentences of real messages under one of a few
greetings and endings, so that all share boilerplate, and at 100,000 letters each sentence stands in
several that have nothing to do with each other.
"""

import random
import re
from collections import Counter
from collections.abc import Sequence

GREETINGS = (
    "尊敬的领导：您好！",
    "各位领导好，",
    "",
    "你好，打扰了。",
    "敬爱的区政府：我是一名普通市民，现就以下问题向您反映。",
    "尊敬的书记：感谢您在百忙之中阅读我的来信。",
)
ENDINGS = (
    "谢谢！",
    "盼望答复。",
    "",
    "此致敬礼",
    "希望有关部门重视并尽快解决，万分感谢！",
    "恳请政府为老百姓办实事，给我们一个满意的答复。",
)
EDITED = (0.05, 0.10, 0.15)  # share of a campaign letter's characters that its sender changed
_SENTENCE = re.compile(r"[^。！？!?\n]{10,60}[。！？!?]")


def letters(bodies: Sequence[str], count: int, seed: int = 7) -> tuple[list[str], list[int]]:
    """`count` letters, half of them in campaigns of 5 up to a twentieth of all, and the number of
    the campaign of each; a letter of its own has a number of its own."""
    chance = random.Random(seed)
    pool = sorted({sentence for body in bodies for sentence in _SENTENCE.findall(body)})
    made: list[tuple[str, int]] = []
    campaign = 0
    while len(made) < count // 2:
        size = min(int(5 / (1 - chance.random()) ** 1.2), max(5, count // 20))
        words = "".join(chance.sample(pool, chance.randint(3, 8)))
        rate = chance.choice(EDITED)
        for _letter in range(min(size, count // 2 - len(made))):
            made.append((edited(_framed(words, chance), rate, chance), campaign))
        campaign += 1
    for number in range(campaign, campaign + count - len(made)):
        made.append((_framed("".join(chance.sample(pool, chance.randint(3, 7))), chance), number))
    chance.shuffle(made)
    return [text for text, _campaign in made], [number for _text, number in made]


def _framed(words: str, chance: random.Random) -> str:
    return chance.choice(GREETINGS) + words + chance.choice(ENDINGS)


def edited(text: str, rate: float, chance: random.Random) -> str:
    """The text with about `rate` of its characters changed: single ones replaced, dropped or put
    in, or a span cut out or moved to the end."""
    characters = list(text)
    left = round(len(text) * rate)
    while left > 0:
        at = chance.randrange(len(characters))
        span = min(left, chance.randint(3, 8))
        what = chance.randrange(5)
        if what == 0:
            characters[at] = chance.choice(text)
        elif what == 1:
            characters.insert(at, chance.choice(text))
        elif what == 2:
            del characters[at]
        elif what == 3:
            del characters[at : at + span]
        else:
            moved = characters[at : at + span]
            del characters[at : at + span]
            characters += moved
        left -= span if what > 2 else 1
    return "".join(characters)


def pairs(true: Sequence[int], found: Sequence[int]) -> tuple[float, float]:
    """Precision and recall over the pairs of letters that were put together."""
    both = _pairs(Counter(zip(true, found, strict=True)))
    return both / max(1, _pairs(Counter(found))), both / max(1, _pairs(Counter(true)))


def _pairs(sizes: Counter[int] | Counter[tuple[int, int]]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())
