"""The keywords of one opinion of a snapshot, each with the named parts of its score.

What is usual is told by other opinions of the same snapshot: a spread sample of those that are shown
now, read once and kept with the snapshot for as long as it is looked at.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from consult import lexicons
from consult.analysis import phrases
from consult.analysis.lexicon import Lexicon
from consult.analysis.phrases import Background, Phrase, Reader, Text
from consult.submissions import Submission, SubmissionState
from consult.summaries.items import Item
from consult.summaries.readings import Key, Reading
from consult.summaries.words import lexicon_of
from consult.terms.reading import engine_for
from core.db import db

SHOWN = 10
# So many opinions tell what is usual: half a second of reading, once.
MOST_BESIDE = 200
_ONCE = "once_"


@dataclass(frozen=True, slots=True)
class _Beside:
    """Opinions of a snapshot, read: what one more is judged against."""

    reader: Reader
    texts: tuple[tuple[int, Text], ...]


def of(reading: Reading, submission: Submission) -> tuple[list[Phrase], int]:
    """The keywords of one opinion, best first, and beside how many others it was read."""
    lexicon = lexicon_of(reading.covered, lexicons.at(reading.key.lexicon))
    beside = _beside(reading.key, lexicon, _sample(reading.counted.items))
    read = beside.reader.read(submission.body, submission.own_title)
    others = [text for id, text in beside.texts if id != submission.id]
    found = phrases.best(read, Background([*others, read]), beside.reader, SHOWN)
    return found, len(others)


def _sample(items: Sequence[Item]) -> tuple[int, ...]:
    """Opinions from everywhere in the snapshot, one of each group of alike letters."""
    firsts = list({item.group: item.id for item in reversed(items)}.values())[::-1]
    count = min(len(firsts), MOST_BESIDE)
    return tuple(firsts[n * len(firsts) // count] for n in range(count))


@lru_cache(maxsize=4)
def _beside(key: Key, lexicon: Lexicon, ids: tuple[int, ...]) -> _Beside:
    reader = Reader(engine_for(lexicon).segmenter)
    query = sa.select(Submission).where(
        Submission.id.in_(ids), Submission.state == SubmissionState.SHOWN
    )
    found = db.session.scalars(query.order_by(Submission.id))
    return _Beside(reader, tuple((s.id, reader.read(s.body, s.own_title)) for s in found))


# What a part says stands in consult/data/phrase_weights.txt.
_TITLES = {
    "constant": _l("起点，每个词相同"),
    "times": _l("提到的次数"),
    "once": _l("只提到一次"),
    "absorbed": _l("多半是更长词语的一部分"),
    "word_times": _l("其中各词出现的次数"),
    "word_times_most": _l("其中最常见的词出现的次数"),
    "word_sentences": _l("其中的词出现在几句话里"),
    "pair_times": _l("其中的字在文中也这样连用"),
    "own": _l("自身次数、少见程度和边界合计"),
    "title": _l("在标题里"),
    "first": _l("第一次提到的位置"),
    "last_sentence": _l("在最后一句里"),
    "text_length": _l("全文的长短"),
    "rarity": _l("在其他意见里少见"),
    "rarity_squared": _l("在其他意见里很少见"),
    "rarity_single": _l("单个词少见"),
    "only_here": _l("其他意见都没有提到"),
    "repeated_elsewhere": _l("其他意见提到时反复提"),
    "word_rarity_least": _l("其中最常见的词少见的程度"),
    "word_weight_least": _l("其中分量最轻的词的分量"),
    "opens": _l("其他意见在第一句就提到"),
    "ordinary": _l("在日常语言中的常见程度"),
    "ordinary_least": _l("其中最少见的词在日常语言中的常见程度"),
    "cohesion": _l("各词结合紧密"),
    "boundary": _l("左右相邻的字多变"),
    "boundary_open": _l("左右可以断开"),
    "free_left": _l("左边独立"),
    "free_right": _l("右边独立"),
    "neighbours": _l("在文中左右相邻的词多变"),
    "letters_before": _l("在文中左边相邻的字多变"),
    "letters_after": _l("在文中右边相邻的字多变"),
    "cut_otherwise": _l("在文中别处分词不同"),
    "head": _l("许多词语以它的末词结尾"),
    "letters_2": _l("两个字"),
    "letters_4": _l("四个字"),
    "letters_5": _l("五个字"),
    "words_3": _l("三个词组成"),
    "words_4": _l("四个词组成"),
    "ends_noun": _l("以名词结尾"),
    "ends_adjective": _l("以形容词结尾"),
    "ends_latin": _l("以外文字母结尾"),
    "ends_other": _l("以其他词类结尾"),
    "begins_verb": _l("以动词开头"),
    "single_verb": _l("单个动词"),
    "single_other": _l("单个其他词"),
    "stop_words": _l("含停用词"),
    "begins_stop_word": _l("以停用词开头"),
}


def parts(phrase: Phrase) -> list[tuple[str, float]]:
    """The parts of a score in the words of the page, the greatest first; what a trait counts
    further in a phrase mentioned once is told with it."""
    summed: defaultdict[str, float] = defaultdict(float)
    for name, value in phrase.parts.items():
        summed[name.removeprefix(_ONCE)] += value
    ordered = sorted(summed.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(str(_TITLES[name]), value) for name, value in ordered]
