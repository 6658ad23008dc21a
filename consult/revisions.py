"""Revisions (修改): what a version changed of the published one before it, and how a changed
paragraph is told in few words. Why it changed is said in `changes`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from flask_babel import gettext as _

from consult import drafts
from consult.comparing import Kind
from consult.comparisons import Fate, Pair, compare
from consult.drafts import Outline, Version, VersionState
from core.db import db

_SENTENCE = re.compile(r"[^。！？；\n]*[。！？；\n]?")
# As much as a cell of a table needs of one passage; the whole stands on the page of changes.
LONGEST = 300
# Words that a point and a changed paragraph share are told from this length on.
LEAST_SHARED = 4


class Revision:
    """A version beside the published one before it: the pairs in which something changed."""

    def __init__(self, version_id: int, number: int, before: Outline, after: Outline) -> None:
        self.version_id, self.number = version_id, number
        self.before, self.after = before, after
        self.pairs = tuple(compare(before, after).changed)
        self._passages: dict[int, Passage] = {}
        # By the paragraph of either version.
        self.by_paragraph = {
            entry.id: pair
            for pair in self.pairs
            for entry in (pair.before, pair.after)
            if entry is not None
        }

    def address(self, pair: Pair) -> str:
        """The section in which a pair stands, in words."""
        outline = self.after if pair.after else self.before
        path = pair.entry.path
        return outline.address(path[-1]) if path else ""

    def passage(self, pair: Pair) -> "Passage":
        """The pair in few words."""
        if pair.mark not in self._passages:
            gone, came = map(_shortened, _sentences_changed(pair))
            self._passages[pair.mark] = Passage(
                self.number, pair.mark, pair.fate, pair.moved, self.address(pair), gone, came
            )
        return self._passages[pair.mark]


@dataclass(frozen=True, slots=True)
class Passage:
    """A changed paragraph told outside the comparison: the sentences that went and those that
    came, as far as a table has room for them; plain values that can be kept."""

    number: int
    mark: int
    fate: Fate
    moved: bool
    address: str
    before: str
    after: str

    def kept(self) -> dict[str, Any]:
        """As a plain value."""
        return {**asdict(self), "fate": self.fate.value}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Passage":
        """Back from the plain value."""
        return cls(**{**kept, "fate": Fate(kept["fate"])})

    @property
    def words(self) -> str:
        """One sentence: where, and what was made of what."""
        where = _("第%(n)d稿", n=self.number)
        if self.address:
            where = _("%(draft)s“%(where)s”", draft=where, where=self.address)
        return str(_("%(where)s：%(what)s", where=where, what=self._what()))

    def _what(self) -> str:
        before, after = self.before, self.after
        if self.fate is Fate.NEW:
            return str(_("新增“%(words)s”", words=after))
        if self.fate is Fate.GONE:
            return str(_("删去“%(words)s”", words=before))
        if before and after:
            return str(_("“%(before)s”改为“%(after)s”", before=before, after=after))
        if after:
            return str(_("增加“%(words)s”", words=after))
        if before:
            return str(_("删去“%(words)s”", words=before))
        return str(_("文字未改，位置调整")) if self.moved else str(_("文字未改，层级调整"))


def of(version: Version) -> Revision | None:
    """What this version changed; None for the first one."""
    earlier = drafts.before(version)
    if earlier is None:
        return None
    if version.state is not VersionState.PUBLISHED:
        return _made(version, earlier)
    # Two published versions cannot change; what follows the id tells databases apart.
    marks = (str(db.engine.url), version.source_sha256, version.published_at)
    return _kept(version.id, earlier.id, marks)


@lru_cache(maxsize=16)
def _kept(version_id: int, earlier_id: int, _marks: object) -> Revision:
    version = db.session.get_one(Version, version_id)
    return _made(version, db.session.get_one(Version, earlier_id))


def _made(version: Version, earlier: Version) -> Revision:
    return Revision(version.id, version.number, drafts.outline(earlier), drafts.outline(version))


def _sentences_changed(pair: Pair) -> tuple[str, str]:
    """The sentences of the earlier paragraph that the later one has not, and the other way."""
    if pair.before is None or pair.after is None:
        only = pair.entry.text
        return ("", only) if pair.before is None else (only, "")
    if pair.before.text == pair.after.text:
        return "", ""
    was, now = _sentences(pair.before.text), _sentences(pair.after.text)
    gone = "".join(each for each in was if each not in now).strip()
    came = "".join(each for each in now if each not in was).strip()
    return (gone, came) if gone or came else (pair.before.text, pair.after.text)


def _sentences(text: str) -> list[str]:
    return [each for each in _SENTENCE.findall(text) if each]


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def new_words(pair: Pair) -> str:
    """What came into a paragraph, run by run."""
    return "\n".join(run.text for run in pair.runs() if run.kind is Kind.NEW)


def sharing(pairs: Sequence[Pair], words: str) -> Iterator[tuple[Pair, str]]:
    """(pair, the longest words its new words share with these), where that is long enough to
    tell something."""
    pieces = _pieces(words)
    for pair in pairs:
        if pair.after is None or not pair.after.text:
            continue
        shared = _longest_shared(new_words(pair), pieces, words)
        if shared:
            yield pair, shared


def _pieces(text: str) -> set[str]:
    return {text[at : at + LEAST_SHARED] for at in range(len(text) - LEAST_SHARED + 1)}


def _longest_shared(text: str, pieces: set[str], words: str) -> str:
    best, at = "", 0
    while at <= len(text) - LEAST_SHARED:
        piece = text[at : at + LEAST_SHARED]
        if piece not in pieces or not piece.isalnum():
            at += 1
            continue
        end = at + LEAST_SHARED
        while end < len(text) and text[end].isalnum() and text[at : end + 1] in words:
            end += 1
        best = max(best, text[at:end], key=len)
        at += 1
    return best
