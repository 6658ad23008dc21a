"""The lexicon staff keep (词典): what is decided about words beyond the built-in files, in versions.

A version holds every decision there is, so that any of them can be read again whole: an old summary
is ranked with the lexicon it was counted with. No version is ever changed; going back makes a new
one. Number 0 is the built-in lexicon alone. Every process asks for the newest number when it counts
or reads, so a change works at once and everywhere.
"""

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from consult.analysis import lexicon as words
from consult.analysis.lexicon import Lexicon, frequency_of
from core import audit
from core.db import Base, choice, db, run
from core.errors import Refused

audit.KINDS.update({"lexicon_version": _l("词典"), "refused_word": _l("新词建议")})
audit.ACTIONS.update(
    {
        "lexicon.changed": _l("修改词典"),
        "lexicon.imported": _l("导入词典"),
        "lexicon.rolled_back": _l("恢复旧版词典"),
        "new_word.refused": _l("不采纳新词"),
    }
)
audit.FIELDS.update({"words": _l("词"), "count": _l("个数")})

LONGEST, MOST_ENTRIES, MOST_REASON = 20, 5000, 200
NAMED_IN_RECORD = 20
_WORD = re.compile(r"[\u3400-\u9fffA-Za-z0-9][\u3400-\u9fffA-Za-z0-9·+.%&-]*")


class EntryKind(StrEnum):
    """What is decided about a word."""

    TERM = "term"
    SYNONYM = "synonym"
    STOP = "stop"
    PLAIN = "plain"

    @property
    def title(self) -> str:  # type: ignore[override]  # a name of ours, where str has a method
        """The decision in the words of the page."""
        titles: dict[EntryKind, str] = {
            EntryKind.TERM: _("规划用语：整体计数，不拆开"),
            EntryKind.SYNONYM: _("同义词：并入另一个词计数"),
            EntryKind.STOP: _("停用词：不计数"),
            EntryKind.PLAIN: _("普通词：按一般词语切分计数"),
        }
        return titles[self]

    @property
    def short(self) -> str:
        """The decision in one word."""
        titles: dict[EntryKind, str] = {
            EntryKind.TERM: _("规划用语"),
            EntryKind.SYNONYM: _("同义词"),
            EntryKind.STOP: _("停用词"),
            EntryKind.PLAIN: _("普通词"),
        }
        return titles[self]


class LexiconVersion(Base):
    """One state of the lexicon: who made it, when and why."""

    __tablename__ = "lexicon_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    by_name: Mapped[str] = mapped_column(sa.String(120))
    reason: Mapped[str] = mapped_column(sa.Text)
    # Of the entries: equal digests read equal texts alike, so what is built is kept under it.
    digest: Mapped[str] = mapped_column(sa.String(16), index=True)
    entries: Mapped[int]


class LexiconEntry(Base):
    """What one version says about one word; it says everything, over the built-in files."""

    __tablename__ = "lexicon_entry"
    __table_args__ = (
        sa.UniqueConstraint("version_id", "word"),
        sa.CheckConstraint("(kind = 'synonym') = (counts_as IS NOT NULL)", name="counts_as"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("lexicon_version.id"))
    word: Mapped[str] = mapped_column(sa.String(80))
    kind: Mapped[EntryKind] = mapped_column(choice(EntryKind))
    counts_as: Mapped[str | None] = mapped_column(sa.String(80))


class RefusedWord(Base):
    """A proposed word that somebody decided against; it is not proposed again."""

    __tablename__ = "refused_word"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(sa.String(80), unique=True)
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    by_name: Mapped[str] = mapped_column(sa.String(120))


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A decision as a plain value; `counts_as` for a synonym only."""

    word: str
    kind: EntryKind
    counts_as: str = ""


# --- values --------------------------------------------------------------------------------


def tidy_word(typed: str) -> str:
    """A word as it is kept. Refuses what the engine could not find in a text."""
    word = unicodedata.normalize("NFKC", typed).strip()
    if not 2 <= len(word) <= LONGEST or not _WORD.fullmatch(word) or word.isdigit():
        raise Refused(
            _(
                "“%(word)s”不能作为词：应当是2至%(most)d个汉字、字母或数字，中间没有空格。",
                word=typed.strip()[:LONGEST],
                most=LONGEST,
            )
        )
    return word


def overlaid(base: Lexicon, entries: Iterable[Entry]) -> Lexicon:
    """`base` with these decisions over it. A synonym of what has itself become a synonym counts
    as the last in the line; what no text could hold decides nothing."""
    terms, synonyms, stops = dict(base.terms), dict(base.synonyms), set(base.stop_words)
    for entry in entries:
        if not _WORD.fullmatch(entry.word):
            continue
        terms.pop(entry.word, None)
        synonyms.pop(entry.word, None)
        stops.discard(entry.word)
        if entry.kind is EntryKind.TERM:
            terms[entry.word] = base.terms.get(entry.word) or frequency_of(entry.word)
        elif entry.kind is EntryKind.STOP:
            stops.add(entry.word)
        elif entry.kind is EntryKind.SYNONYM and _WORD.fullmatch(entry.counts_as):
            synonyms[entry.word] = entry.counts_as
    return Lexicon(terms, _to_the_end(synonyms), frozenset(stops))


def _to_the_end(synonyms: Mapping[str, str]) -> dict[str, str]:
    ended = {}
    for form, counted in synonyms.items():
        seen = {form}
        while counted in synonyms and counted not in seen:
            seen.add(counted)
            counted = synonyms[counted]
        if counted not in seen:
            ended[form] = counted
    # A ring was cut: none of its words is a synonym of another.
    return {form: counted for form, counted in ended.items() if counted not in ended}


def decided(lexicon: Lexicon, word: str) -> Entry | None:
    """What a lexicon says about a word; None for a word it leaves to the dictionary."""
    if word in lexicon.synonyms:
        return Entry(word, EntryKind.SYNONYM, lexicon.synonyms[word])
    if word in lexicon.stop_words:
        return Entry(word, EntryKind.STOP)
    return Entry(word, EntryKind.TERM) if word in lexicon.terms else None


def all_of(lexicon: Lexicon) -> list[Entry]:
    """Everything a lexicon decides, by word."""
    every = {*lexicon.terms, *lexicon.synonyms, *lexicon.stop_words}
    found = (decided(lexicon, word) for word in every)
    return sorted(entry for entry in found if entry is not None)


def differences(before: Sequence[Entry], after: Sequence[Entry]) -> list[tuple[str, str, str]]:
    """(word, what was decided about it, what is now) for every word that differs, by word."""
    was = {entry.word: entry for entry in before}
    now = {entry.word: entry for entry in after}
    return [
        (word, described(was.get(word)), described(now.get(word)))
        for word in sorted(was.keys() | now.keys())
        if was.get(word) != now.get(word)
    ]


def described(entry: Entry | None) -> str:
    """A decision in words."""
    if entry is None:
        return str(_("按内置词典"))
    if entry.kind is EntryKind.SYNONYM:
        return str(_("并入“%(word)s”", word=entry.counts_as))
    return entry.kind.short


# --- as text -------------------------------------------------------------------------------

_HEADS = {
    "[terms]": EntryKind.TERM,
    "[synonyms]": EntryKind.SYNONYM,
    "[stop words]": EntryKind.STOP,
    "[plain words]": EntryKind.PLAIN,
}


def as_text(entries: Sequence[Entry]) -> str:
    """The decisions as a file that `parse` reads back."""
    lines = []
    for head, kind in _HEADS.items():
        lines.append(head)
        mine = [entry for entry in sorted(entries) if entry.kind is kind]
        if kind is EntryKind.SYNONYM:
            into: dict[str, list[str]] = {}
            for entry in mine:
                into.setdefault(entry.counts_as, []).append(entry.word)
            lines += [f"{counted}: {' '.join(into[counted])}" for counted in sorted(into)]
        else:
            lines += [entry.word for entry in mine]
        lines.append("")
    return "\n".join(lines)


def parse(text: str) -> list[Entry]:
    """The decisions a file holds: under `[terms]`, `[stop words]` and `[plain words]` one word a
    line or several with spaces, under `[synonyms]` lines of `counted: form form`; # begins a
    comment line. Refuses with the number of the first line it cannot read."""
    found: dict[str, Entry] = {}
    kind: EntryKind | None = None
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.lower() in _HEADS:
            kind = _HEADS[line.lower()]
            continue
        try:
            for entry in _line(line, kind):
                if found.setdefault(entry.word, entry) != entry:
                    raise Refused(_("“%(word)s”前面已有另一种规定。", word=entry.word))
        except Refused as refusal:
            raise Refused(_("第%(n)d行：%(why)s", n=number, why=str(refusal.sentence))) from refusal
    return sorted(found.values())


def _line(line: str, kind: EntryKind | None) -> list[Entry]:
    if kind is None:
        raise Refused(
            _("词的前面应当先有一行“[terms]”“[synonyms]”“[stop words]”或“[plain words]”。")
        )
    if kind is not EntryKind.SYNONYM:
        return [Entry(tidy_word(word), kind) for word in line.split()]
    counted, colon, forms = line.replace("：", ":").partition(":")
    if not colon or not forms.split():
        raise Refused(_("同义词应当写作“计数的词: 并入的词 并入的词”。"))
    return [Entry(tidy_word(form), kind, tidy_word(counted)) for form in forms.split()]


# --- reading -------------------------------------------------------------------------------


_NEWEST = sa.select(sa.func.max(LexiconVersion.number))
_DIGEST = sa.select(LexiconVersion.digest).where(
    LexiconVersion.number == sa.bindparam("number", type_=sa.Integer)
)


def newest() -> int:
    """The number of the version in force; 0 while there is only the built-in lexicon."""
    # Asked whenever an opinion is shown.
    return run(_NEWEST).scalar() or 0


def at(number: int) -> Lexicon:
    """The lexicon as version `number` has it; an unknown number gives the built-in one."""
    digest = run(_DIGEST, {"number": number}).scalar() if number else None
    return _built(digest) if digest else words.builtin()


@lru_cache(maxsize=8)
def _built(digest: str) -> Lexicon:
    query = sa.select(LexiconVersion.number).where(LexiconVersion.digest == digest)
    number = db.session.scalar(query.order_by(LexiconVersion.number).limit(1))
    return overlaid(words.builtin(), entries_of(number or 0))


def entries_of(number: int) -> list[Entry]:
    """The decisions of a version, by word."""
    query = (
        sa.select(LexiconEntry.word, LexiconEntry.kind, LexiconEntry.counts_as)
        .join(LexiconVersion, LexiconVersion.id == LexiconEntry.version_id)
        .where(LexiconVersion.number == number)
    )
    return sorted(Entry(r.word, r.kind, r.counts_as or "") for r in db.session.execute(query))


def by_number(number: int) -> LexiconVersion | None:
    """The version with this number."""
    return db.session.scalar(sa.select(LexiconVersion).where(LexiconVersion.number == number))


def versions(*, before: int | None = None, limit: int = 20) -> Sequence[LexiconVersion]:
    """The newest versions, or those before number `before`."""
    query = sa.select(LexiconVersion).order_by(LexiconVersion.number.desc()).limit(limit)
    if before is not None:
        query = query.where(LexiconVersion.number < before)
    return db.session.scalars(query).all()


def refused() -> frozenset[str]:
    """The proposed words somebody decided against."""
    return frozenset(db.session.scalars(sa.select(RefusedWord.word)))


# --- changing ------------------------------------------------------------------------------


def changed(entries: Sequence[Entry], put: Iterable[Entry], drop: Iterable[str]) -> list[Entry]:
    """These decisions with some put over them and some dropped. Refuses a synonym that would count
    as nothing, as itself, or as a word that is folded into another."""
    put, gone = list(put), set(drop)
    every = {entry.word: entry for entry in entries if entry.word not in gone}
    every.update((entry.word, entry) for entry in put)
    after = overlaid(words.builtin(), every.values())
    for entry in put:
        if entry.kind is not EntryKind.SYNONYM:
            continue
        if entry.counts_as == entry.word:
            raise Refused(_("一个词不能并入它自己。"))
        if entry.counts_as in after.synonyms or entry.word not in after.synonyms:
            raise Refused(
                _(
                    "“%(into)s”本身并入了另一个词，请直接并入那个词，或者先改“%(into)s”。",
                    into=entry.counts_as,
                )
            )
        if entry.counts_as in after.stop_words:
            raise Refused(
                _("“%(into)s”是停用词，并入它就不计数了；请改设为停用词。", into=entry.counts_as)
            )
    return sorted(every.values())


def says_already(entries: Sequence[Entry], put: Iterable[Entry], drop: Iterable[str]) -> bool:
    """Whether with these decisions everything stands already as it would be put, by them or by the
    built-in files, and there is none to drop."""
    lexicon = overlaid(words.builtin(), entries)
    # A plain word is one about which nothing is decided.
    stands = (
        decided(lexicon, entry.word) == (None if entry.kind is EntryKind.PLAIN else entry)
        for entry in put
    )
    return all(stands) and not {entry.word for entry in entries} & set(drop)


def change(
    *,
    put: Sequence[Entry] = (),
    drop: Sequence[str] = (),
    seen: int,
    reason: str,
    by: audit.Actor,
    now: dt.datetime,
) -> LexiconVersion:
    """Decide about some words: a new version. `seen` is the number the page was made with. Refuses
    what stands so already."""
    _hold(seen)
    before = entries_of(seen)
    if says_already(before, put, drop):
        raise _nothing_new()
    after = changed(before, put, drop)
    return _keep("lexicon.changed", before, after, seen, reason, by=by, now=now)


def bring_in(
    entries: Sequence[Entry], *, seen: int, reason: str, by: audit.Actor, now: dt.datetime
) -> LexiconVersion:
    """Put these decisions in the place of all there are: a new version. Refuses none at all: an empty
    file is more likely a slip than a decision about every word."""
    _hold(seen)
    if not entries:
        raise Refused(
            _("文本里没有一条规定，没有导入。要撤销全部规定，请在“历次版本”里恢复第0版。")
        )
    after = changed([], entries, ())
    return _keep("lexicon.imported", entries_of(seen), after, seen, reason, by=by, now=now)


def roll_back(
    number: int, *, seen: int, reason: str, by: audit.Actor, now: dt.datetime
) -> LexiconVersion:
    """Decide as version `number` did (0: nothing beyond the built-in files): a new version."""
    _hold(seen)
    before, after = entries_of(seen), entries_of(number)
    return _keep("lexicon.rolled_back", before, after, seen, reason, by=by, now=now)


def refuse(typed: str, *, by: audit.Actor, now: dt.datetime) -> None:
    """Decide against a proposed word; it is not proposed again."""
    word = tidy_word(typed)
    if db.session.scalar(sa.select(RefusedWord.id).where(RefusedWord.word == word)) is not None:
        return
    refusal = RefusedWord(word=word, at=now, by_id=by.id, by_name=by.name[:120])
    db.session.add(refusal)
    db.session.flush()
    audit.record("new_word.refused", refusal, by=by, now=now, name=word)


def _hold(seen: int) -> None:
    """Hold the newest version, which must be the one that was seen."""
    query = sa.select(LexiconVersion.id).where(LexiconVersion.number == seen)
    db.session.execute(query.with_for_update())
    if newest() != seen:
        raise _overtaken()


def _overtaken() -> Refused:
    return Refused(_("词典刚刚有了新的一版，请刷新页面，看过以后再改。"))


def _nothing_new() -> Refused:
    return Refused(_("与现在的词典没有不同，没有需要保存的。"))


def _keep(
    action: str,
    before: Sequence[Entry],
    after: Sequence[Entry],
    seen: int,
    reason: str,
    *,
    by: audit.Actor,
    now: dt.datetime,
) -> LexiconVersion:
    if not reason:
        raise Refused(_("请写明为什么这样改，以后可以查。"))
    if len(after) > MOST_ENTRIES:
        raise Refused(_("词典最多%(n)d条，请删减后再导入。", n=MOST_ENTRIES))
    different = differences(before, after)
    if not different:
        raise _nothing_new()
    text = as_text(after)
    version = LexiconVersion(
        number=seen + 1,
        made_at=now,
        by_id=by.id,
        by_name=by.name[:120],
        reason=reason,
        digest=hashlib.blake2b(text.encode(), digest_size=8).hexdigest(),
        entries=len(after),
    )
    try:
        with db.session.begin_nested():
            db.session.add(version)
            db.session.flush()
    except IntegrityError as taken:
        raise _overtaken() from taken
    db.session.add_all(
        LexiconEntry(version_id=version.id, word=e.word, kind=e.kind, counts_as=e.counts_as or None)
        for e in after
    )
    db.session.flush()
    audit.record(
        action,
        version,
        by=by,
        now=now,
        name=_("第%(n)d版", n=version.number),
        after={
            "words": [word for word, _was, _is in different[:NAMED_IN_RECORD]],
            "count": len(different),
        },
        reason=reason,
    )
    return version
