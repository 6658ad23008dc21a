"""The only module that touches jieba and rjieba: loads them late, quietly, and gives them types.

Importing either reads a dictionary of 349,046 words (0.1-0.9 s, 25-80 MB), so both are loaded by
name at first use; a page that segments nothing pays nothing.
"""

from __future__ import annotations

import importlib
import logging
import re
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Protocol, cast

# jieba's own two rules: which characters go through the dictionary, and where the rest breaks.
HAN_BLOCK = re.compile(r"([\u4E00-\u9FD5a-zA-Z0-9+#&\._%\-]+)")
SPACE = re.compile(r"(\r\n|\s)")
# Sum of the frequencies in dict.txt of jieba 0.42.1: a word's ordinary rate is its frequency / this.
ORDINARY_TOTAL = 60_101_967

_ASCII_WORD = re.compile(r"([a-zA-Z0-9]+(?:\.\d+)?%?)")
SPECIAL = re.compile(r"[+#&._%\-]")
# What jieba and rjieba take for parts of words differently; of a text without, all is cut at once.
UNEVEN = re.compile(
    r"[+#&._%\-\u3400-\u4DBF\u9FD6-\u9FFF\uD800-\uDFFF\uF900-\uFAFF\U00010000-\U0010FFFF]"
)
_ASCII_RUN = re.compile(r"[!-~]+")
_STOCK_ASCII = ("AT&T", "c#", "C#", "c++", "C++")


class Cutter(Protocol):
    """What cuts one block that jieba would send through its dictionary."""

    def cut(self, block: str) -> list[str]:
        """Words of one block; joined they are the block."""

    def cutting(self, text: str) -> Callable[[str], list[str]]:
        """The fastest `cut` that is right for the blocks of this text."""

    def cut_blocks(self, text: str) -> list[str]:
        """The words of many blocks, and each character of what lies between, of which none is in
        `UNEVEN`. What holds one of `SPECIAL` is still to be mended, block by block."""

    def mended(self, words: Sequence[str]) -> list[str]:
        """The words of one block as `cut` gives them, from those of `cut_blocks`."""

    def has(self, word: str) -> bool:
        """Whether the word stands in the dictionary with a frequency above 0."""

    def frequency(self, word: str) -> int:
        """jieba's frequency of the word (within 1), counted on `ORDINARY_TOTAL`; 0 if absent."""


class _RustJieba(Protocol):
    def cut(self, text: str, hmm: bool = True) -> list[str]: ...
    def add_word(self, word: str, freq: int, tag: None) -> int: ...
    def has_word(self, word: str) -> bool: ...
    def suggest_freq(self, segment: str) -> int: ...


class _PythonJieba(Protocol):
    FREQ: Mapping[str, int]
    tmp_dir: str

    def initialize(self) -> None: ...
    def cut(self, sentence: str) -> Iterator[str]: ...
    def add_word(self, word: str, freq: int) -> None: ...


class RustCutter:
    """rjieba, which agrees with jieba on Han blocks, mended where it does not.

    jieba's rule for runs of letters, digits and `+#&._%-` is `[a-zA-Z0-9]+(?:\\.\\d+)?%?`; the
    Rust port leaves the point unescaped and so keeps `80-90` whole. Those runs are cut again here.
    """

    def __init__(self, rust: _RustJieba, words: Mapping[str, int]) -> None:
        self._rust = rust
        replaced = 0
        for word, frequency in words.items():
            replaced += rust.suggest_freq(word) if rust.has_word(word) else 0
            rust.add_word(word, frequency, None)
        if replaced:
            # jieba leaves the old frequency of a replaced word in its total, rjieba takes it out;
            # a word no text can hold puts it back, else close calls would fall differently.
            rust.add_word("\ue000\ue001", replaced, None)
        ascii_words = {*_STOCK_ASCII, *(word for word in words if _ASCII_RUN.fullmatch(word))}
        longest_first = sorted(ascii_words, key=lambda word: (-len(word), word))
        self._ascii_words = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")

    def cut(self, block: str) -> list[str]:
        """See `Cutter.cut`."""
        words = self._rust.cut(block)
        return self.mended(words) if SPECIAL.search(block) else words

    def cutting(self, text: str) -> Callable[[str], list[str]]:
        """See `Cutter.cutting`."""
        return self.cut if SPECIAL.search(text) else self._rust.cut

    def cut_blocks(self, text: str) -> list[str]:
        """See `Cutter.cut_blocks`."""
        return self._rust.cut(text)

    def mended(self, words: Sequence[str]) -> list[str]:
        """See `Cutter.mended`."""
        return list(self._mended(words))

    def has(self, word: str) -> bool:
        """See `Cutter.has`."""
        return self._rust.has_word(word)

    def frequency(self, word: str) -> int:
        """See `Cutter.frequency`. rjieba has no getter; its suggestion for a known word is it."""
        return self._rust.suggest_freq(word) if self._rust.has_word(word) else 0

    def _mended(self, words: Iterable[str]) -> Iterator[str]:
        run = ""
        for word in words:
            # Of ASCII a block has nothing but letters, digits and marks.
            if word.isascii():
                run += word
                continue
            if run:
                yield from self._ascii(run)
                run = ""
            yield word
        if run:
            yield from self._ascii(run)

    def _ascii(self, run: str) -> Iterator[str]:
        for part in self._ascii_words.split(run):
            if self._ascii_words.fullmatch(part):
                yield part
            else:
                yield from filter(None, _ASCII_WORD.split(part))


class PythonCutter:
    """jieba itself: some eleven times slower, and the measure of what is right."""

    def __init__(self, jieba: _PythonJieba, words: Mapping[str, int]) -> None:
        self._jieba = jieba
        for word, frequency in words.items():
            jieba.add_word(word, frequency)

    def cut(self, block: str) -> list[str]:
        """See `Cutter.cut`."""
        return list(self._jieba.cut(block))

    def cutting(self, text: str) -> Callable[[str], list[str]]:  # noqa: ARG002 - one way for all
        """See `Cutter.cutting`."""
        return self.cut

    def cut_blocks(self, text: str) -> list[str]:
        """See `Cutter.cut_blocks`."""
        return self.cut(text)

    def mended(self, words: Sequence[str]) -> list[str]:
        """See `Cutter.mended`; there is nothing to mend."""
        return list(words)

    def has(self, word: str) -> bool:
        """See `Cutter.has`."""
        return bool(self._jieba.FREQ.get(word))

    def frequency(self, word: str) -> int:
        """See `Cutter.frequency`."""
        return self._jieba.FREQ.get(word) or 0


def python_cutter(words: Mapping[str, int]) -> Cutter:
    """A fresh jieba with these words and frequencies added (0.6 s, 80 MB)."""
    jieba = _module("jieba")
    # Its logger prints to stderr at every load; a library has no business there.
    logging.getLogger("jieba").setLevel(logging.CRITICAL)
    tokenizer = cast(_PythonJieba, jieba.Tokenizer())
    # By default the cache goes to the shared /tmp, where another user could plant a marshal file.
    tokenizer.tmp_dir = tempfile.mkdtemp(prefix="wenji-jieba-")
    try:
        tokenizer.initialize()
    finally:
        shutil.rmtree(tokenizer.tmp_dir, ignore_errors=True)
    return PythonCutter(tokenizer, words)


def cutter(words: Mapping[str, int]) -> Cutter:
    """A fresh cutter with these words: rjieba (0.1 s, 25 MB), or jieba where that is missing."""
    try:
        rust = _module("rjieba")
    except ImportError:
        return python_cutter(words)
    return RustCutter(cast(_RustJieba, rust.Jieba()), words)


class Ordinary:
    """jieba's unaltered dictionary: which words are ordinary, how frequent, and of what kind."""

    def __init__(self) -> None:
        self._cutter: Cutter | None = None
        self._kinds: Callable[[str], str] | None = None
        self._lock = threading.Lock()

    def knows(self, word: str) -> bool:
        """Whether jieba's own dictionary holds the word."""
        return self._loaded().has(word)

    def rate(self, word: str) -> float:
        """Share of the word among the tokens of ordinary language, 0-1 (0 if unknown)."""
        return self._loaded().frequency(word) / ORDINARY_TOTAL

    def kind(self, word: str) -> str:
        """The part of speech of a word the dictionary holds (n, v, m, …; "" if unknown)."""
        if not self.knows(word):
            return ""
        with self._lock:
            if self._kinds is None:
                self._kinds = _kinds()
        return self._kinds(word)

    def _loaded(self) -> Cutter:
        with self._lock:
            if self._cutter is None:
                self._cutter = _stock()
            return self._cutter


def _stock() -> Cutter:
    try:
        # rjieba makes this one when imported; nothing here ever adds a word to it.
        return RustCutter(cast(_RustJieba, _module("rjieba")._DEFAULT_JIEBA), {})
    except ImportError:
        return python_cutter({})


def _kinds() -> Callable[[str], str]:
    try:
        rust = _module("rjieba")._DEFAULT_JIEBA
    except ImportError:
        kinds: Mapping[str, str] = _module("jieba.posseg").dt.word_tag_tab
        return lambda word: kinds.get(word, "")

    def of(word: str) -> str:
        # A word of the dictionary that is cut all the same has no kind of its own.
        tagged = rust.tag(word)
        return str(tagged[0][1]) if len(tagged) == 1 else ""

    return of


def _module(name: str) -> ModuleType:
    with warnings.catch_warnings():
        # jieba 0.42.1 has invalid escapes and asks for pkg_resources; neither is ours to mend.
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


ordinary = Ordinary()
