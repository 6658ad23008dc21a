"""Opinions that are the same, or nearly: resubmissions, campaigns, letters under new greetings.

Nothing is dropped here; texts get group numbers, and what a group means is for people to say.

The work on thousands of texts is done by `sketches`, loaded at the first call: it needs numpy.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from consult.analysis import normal

# Similarity (weighted Jaccard of trigrams, 0-1) with the profile of the group above which a text
# belongs to it. Unrelated letters of one genre lie below 0.05, a copy with every seventh character
# changed around 0.35.
NEAR = 0.25
_SHORT = 10  # texts with fewer letters, courtesies aside, are only ever the same, never nearly so
# One word makes 保留旱冰场 another matter than 保留篮球场: where texts of fewer letters than this say several
# things, each of them so often and in this share of the group, these stay apart.
_ONE_WORD = 20
_OFTEN, _OFTEN_SHARE = 3, 0.1
# So short a text may be with its courtesies.
_COURTEOUS = 40
# From so many letters on one may be dropped or put in: a slip of the hand …
_SLIPS = 8
# … unless it tells one place, number or wish from another, or a question: 延长路 and 延长中路.
_TELLING = frozenset(
    "东西南北中上下前后左右内外新老大小高低多少加减增一二三四五六七八九十百千两双单半0123456789不未没非无勿别停反吗呢"
)
# What people put before a request and behind it without changing it.
_BEFORE = re.compile(
    "^(?:尊敬的|敬爱的|各位|领导|代表|同志|你们|[您你]们?好|大家好|打扰了|请|恳请|敬请|我们?|本人|强烈|坚决|一致|再次|十分|非常"
    "|希望|建议|要求|呼吁)+"
)
_BEHIND = re.compile(
    "(?:谢谢[您你]?们?|感谢|万分感谢|非常感谢|多谢|辛苦了|拜托了?|请?(?:领导|政府|有关部门)?(?:予以)?重视|望采纳|盼[望复]?答?复?"
    "|期待[您你]?的?回复|此致敬礼|吧|啊|呀|哦|了)+$"
)

_MANY = 500  # texts worth loading numpy for, to fold their spelling at once

_AGAINST = re.compile(r"反对|抵制|不(?:赞成|赞同|同意|支持|建议)")
_FOR = re.compile(r"支持|赞成|赞同|同意|拥护")


def exact_groups(texts: Sequence[str]) -> list[int]:
    """A group number per text, equal where texts are equal after NFKC, case, punctuation and space
    folding. Groups are numbered from 0 in the order of their first text."""
    return _numbered(_bare(texts))


def near_groups(texts: Sequence[str], *, threshold: float = NEAR) -> list[int]:
    """A group number per text, equal for near-duplicates too, numbered as in `exact_groups`.

    `threshold` is the weighted Jaccard similarity of character trigrams, 0-1, with the profile of
    the group. Of short texts the courtesies before and behind (请, 希望, 谢谢) are left aside; with fewer
    than 10 letters they are grouped only if equal but for a letter dropped or put in, and with fewer
    than 20 what is often said is a group of its own. A text that objects is never put
    with one that agrees. The same texts give the same groups in any order. Raises ValueError for a
    threshold outside 0-1. About 0.11-0.17 ms a text; 0.5 GB at 100,000.
    """
    if not 0 < threshold <= 1:
        raise ValueError("the threshold lies between 0 and 1")
    matters = [_matter(text) for text in _bare(texts)]
    # Sorted, so that the order of arrival decides nothing.
    distinct = sorted(set(matters))
    same = _without_slips([matter for matter in distinct if len(matter) < _ONE_WORD])
    letters = [matter for matter in distinct if len(matter) >= _SHORT]
    group_of = {matter: matter for matter in distinct}
    if len(letters) > 1:
        grouped = importlib.import_module("consult.analysis.sketches").grouped
        found: list[int] = grouped(letters, threshold)
        sides = _sides(found, letters)
        together: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
        for matter, key in zip(letters, zip(found, sides, strict=True), strict=True):
            together[key].append(matter)
        times = Counter(same.get(matter, matter) for matter in matters)
        for members in together.values():
            group_of |= _by_matter(members, same, times)
    return _numbered([group_of[same.get(matter, matter)] for matter in matters])


def _by_matter(
    members: Sequence[str], same: Mapping[str, str], times: Mapping[str, int]
) -> dict[str, str]:
    """By member of a group what stands for it: one for all, or each of the short things that are said
    often with whatever is likest to it."""
    said = {same.get(member, member) for member in members}
    least = max(_OFTEN, _OFTEN_SHARE * sum(times[each] for each in said))
    often = sorted(each for each in said if times[each] >= least)
    # What only leaves out some words of another says no other thing.
    heads = [
        head
        for head in often
        if head in same and not any(_leaves_out(head, other) for other in often)
    ]
    if len(heads) < 2:
        return dict.fromkeys(members, members[0])
    pairs = {head: _pairs(head) for head in heads}

    def likest(member: str) -> str:
        held = _pairs(same.get(member, member))
        return max(
            heads, key=lambda head: (len(held & pairs[head]) / len(held | pairs[head]), head)
        )

    return {member: likest(member) for member in members}


def _leaves_out(text: str, longer: str) -> bool:
    """Whether a text is another without some letters; of one letter `_without_slips` has judged."""
    rest = iter(longer)
    return len(longer) - len(text) > 1 and all(letter in rest for letter in text)


def _pairs(text: str) -> set[str]:
    return {one + other for one, other in pairwise(text)}


def _matter(text: str) -> str:
    """A text (`normal.bare`) without the courtesies around it where it is short; all of it where
    nothing else is left."""
    if len(text) >= _COURTEOUS:
        return text
    return _BEHIND.sub("", _BEFORE.sub("", text)) or text


def _without_slips(texts: Sequence[str]) -> dict[str, str]:
    """By text (distinct, sorted) the one that stands for it and for all that differ by a slip."""
    stands_for = {text: text for text in texts}

    def first(text: str) -> str:
        while stands_for[text] != text:
            text = stands_for[text]
        return text

    for text in texts:
        for at in range(len(text) if len(text) > _SLIPS else 0):
            shorter = text[:at] + text[at + 1 :]
            if shorter in stands_for and text[at] not in _TELLING:
                # The longest, so that what may be sketched stands for what may not.
                one, other = sorted((first(text), first(shorter)), key=lambda t: (-len(t), t))
                stands_for[other] = one
    return {text: first(text) for text in texts}


def _bare(texts: Sequence[str]) -> list[str]:
    if len(texts) < _MANY:
        return [normal.bare(text) for text in texts]
    found: list[str] = importlib.import_module("consult.analysis.folding").bare_all(texts)
    return found


def _numbered(keys: Sequence[object]) -> list[int]:
    numbers: dict[object, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _sides(groups: Sequence[int], texts: Sequence[str]) -> list[int]:
    """Per text -1 if it objects, 1 if it agrees; who shows neither goes with the more of the two.

    Of a text alone in its group nobody asks: 0."""
    sizes = Counter(groups)
    own = [
        _side(text) if sizes[group] > 1 else 0 for group, text in zip(groups, texts, strict=True)
    ]
    lean: Counter[int] = Counter()
    for group, side in zip(groups, own, strict=True):
        lean[group] += side
    return [side or (-1 if lean[group] < 0 else 1) for group, side in zip(groups, own, strict=True)]


def _side(text: str) -> int:
    if _AGAINST.search(text) is None:
        return _FOR.search(text) is not None
    return (_FOR.search(_AGAINST.sub("", text)) is not None) - 1
