"""The lexicon page (词典): look up, change with a preview on real opinions, versions, new words."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.file import FileField
from werkzeug.wrappers import Response as Answer
from wtforms import HiddenField, SelectField
from wtforms.validators import InputRequired, Optional

from consult import consultations, lexicon_previews, lexicons, rules, term_index, term_jobs
from consult.analysis import lexicon as builtin_words
from consult.analysis.lexicon import Lexicon
from consult.consultations import Consultation
from consult.lexicon_previews import Preview, Row
from consult.lexicons import Entry, EntryKind, LexiconVersion
from consult.readers import UnreadableDraft
from consult.readers import text as text_files
from core import jobs
from core import rules as job_rules
from core.db import db
from core.errors import Refused, refusals_on
from core.forms import Form, LineField, NumberField, TextField, Words
from core.permissions import require
from core.text import tidy
from core.web import as_file, choice_in, keep_private, now, number_in, whole_number, words_in

blueprint = Blueprint("lexicon", __name__, url_prefix="/desk/lexicon")
PAGE = 60
SHOWN = 12
MOST_TEXT = 200_000
KINDS = frozenset(kind.value for kind in EntryKind)
# Plan terms first and stop words last: that is what somebody opens the page for.
ORDER = (EntryKind.TERM, EntryKind.SYNONYM, EntryKind.PLAIN, EntryKind.STOP)
# What may be asked for beside the kinds: nothing beyond the built-in files.
BUILT_IN = "built_in"


class ReasonForm(Form):
    """Every new version says why."""

    reason = LineField(
        _l("为什么改"),
        [Words(most=lexicons.MOST_REASON, missing=_l("请写明为什么这样改，以后可以查。"))],
        description=_l("会记入版本和操作记录。"),
    )
    # The number of the version the page was made with.
    seen = NumberField(validators=[Optional()], widget=HiddenField.widget)

    @property
    def seen_number(self) -> int:
        """That number; -1, which is never in force, when it is missing."""
        return -1 if self.seen.data is None else int(self.seen.data)


R = TypeVar("R", bound=ReasonForm)


class ChangeForm(ReasonForm):
    """What is to be decided about which words."""

    words = LineField(
        _l("词"),
        [Words(most=200, missing=_l("请写要规定的词。"))],
        description=_l("可以写几个，用空格隔开。"),
        render_kw={"autocomplete": "off"},
    )
    kind = SelectField(_l("规定为"), [InputRequired(_l("请选择规定为什么。"))])
    counts_as = LineField(
        _l("并入哪个词"),
        [Words(least=0, most=lexicons.LONGEST, missing="")],
        description=_l("只在“同义词”时填写，例如把“加梯”并入“加装电梯”。"),
        render_kw={"autocomplete": "off"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [
            *((kind.value, kind.title) for kind in EntryKind),
            (BUILT_IN, _("按内置词典：撤销以前的规定")),
        ]


class ImportForm(ReasonForm):
    """A whole lexicon as text or as a file."""

    file = FileField(
        _l("文本文件"),
        description=_l("选了文件，就以文件为准；不选，以下面的文本为准。.txt，UTF-8 或 GBK。"),
        render_kw={"accept": ".txt,text/plain"},
    )
    text = TextField(
        _l("词典文本"),
        [Words(least=0, most=MOST_TEXT, missing="")],
        description=_l("格式与导出的文件相同；会替换现在的全部规定。内置词典不受影响。"),
        render_kw={"rows": 16, "spellcheck": "false"},
    )

    def take_file(self) -> None:
        """Put what was uploaded in the place of the text; UnreadableDraft when it is no text."""
        upload = self.file.data
        if not upload:
            return
        with upload.stream as file:
            # No character takes more than four bytes.
            data = file.read(4 * MOST_TEXT + 1)
        large = len(data) > 4 * MOST_TEXT
        text = "" if large else tidy(text_files.decode(data, []))
        if large or len(text) > MOST_TEXT:
            raise Refused(_("文件太大，词典文本最多%(n)d字。", n=MOST_TEXT))
        self.text.data = text


# --- looking up ----------------------------------------------------------------------------


@blueprint.get("/")
def index() -> str:
    """Every word something is decided about: found by part of it, by kind, in order."""
    keep_private()
    require(rules.read_summaries)
    number = lexicons.newest()
    wanted, kind = words_in("q", most=lexicons.LONGEST), choice_in("kind", KINDS)
    own_only = choice_in("from", {"own"}) == "own"
    after = words_in("after", most=40)
    last = (ORDER.index(EntryKind(choice_in("past", KINDS, ORDER[0].value))), after)
    lexicon = lexicons.at(number)
    own = {entry.word: entry for entry in lexicons.entries_of(number)}
    every = {entry.word: entry for entry in lexicons.all_of(lexicon)} if not own_only else {}
    every.update(own)
    found = [
        entry
        for word, entry in sorted(every.items(), key=lambda pair: _place(pair[1]))
        if (not wanted or wanted in word or wanted in entry.counts_as)
        and (not kind or entry.kind.value == kind)
    ]
    here = [entry for entry in found if not after or _place(entry) > last][: PAGE + 1]
    asked = {"q": wanted, "kind": kind, "from": "own" if own_only else ""}
    chosen: dict[str, Any] = {name: value for name, value in asked.items() if value}
    return render_template(
        "consult/lexicon/index.html",
        version=lexicons.by_number(number),
        lexicon=lexicon,
        total=len(found),
        entries=here[:PAGE],
        own=own,
        asked=asked,
        surfaces={e.word: lexicon.surfaces(e.word)[1:] for e in here},
        kinds=list(EntryKind),
        described=lexicons.described,
        next_url=url_for(
            ".index", **chosen, past=here[PAGE - 1].kind.value, after=here[PAGE - 1].word
        )
        if len(here) > PAGE
        else None,
        first_url=url_for(".index", **chosen) if after else None,
        rules=rules,
    )


def _place(entry: Entry) -> tuple[int, str]:
    """Where an entry stands on the page."""
    return ORDER.index(entry.kind), entry.word


# --- changing ------------------------------------------------------------------------------


@blueprint.get("/change")
def change() -> str:
    """The form; with `?words=…&kind=…` what the change would do to real opinions."""
    keep_private()
    require(rules.keep_lexicon)
    number = lexicons.newest()
    form = ChangeForm(
        formdata=None,
        words=words_in("words", most=200),
        kind=choice_in("kind", KINDS | {BUILT_IN}, EntryKind.TERM.value),
        counts_as=words_in("counts_as", most=lexicons.LONGEST),
        reason=words_in("reason", most=lexicons.MOST_REASON),
        seen=number,
    )
    return _change_page(form)


@blueprint.post("/change")
def save() -> Answer | tuple[str, int]:
    """Decide: a new version."""
    keep_private()
    require(rules.keep_lexicon)
    form = ChangeForm()
    if not form.validate_on_submit():
        return _change_page(form), 422
    with refusals_on(lambda sentence: _change_page(_seen_anew(form), sentence)):
        put, drop = _asked(form)
        made = lexicons.change(
            put=put,
            drop=drop,
            seen=form.seen_number,
            reason=form.reason.data,
            by=current_user,
            now=now(),
        )
    return _done(made)


def _seen_anew(form: R) -> R:
    """The form on a page that shows what is in force now."""
    form.seen.data, form.seen.raw_data = lexicons.newest(), None
    return form


def _asked(form: ChangeForm) -> tuple[list[Entry], list[str]]:
    typed = [lexicons.tidy_word(word) for word in form.words.data.replace("、", " ").split()]
    if form.kind.data == BUILT_IN:
        return [], typed
    kind = EntryKind(form.kind.data)
    into = ""
    if kind is EntryKind.SYNONYM:
        if not form.counts_as.data:
            raise Refused(_("请写明并入哪个词。"))
        into = lexicons.tidy_word(form.counts_as.data)
    return [Entry(word, kind, into) for word in typed], []


def _preview(form: ChangeForm) -> Preview | None:
    """What the change would do; None where all of it stands already."""
    put, drop = _asked(form)
    entries = lexicons.entries_of(lexicons.newest())
    after = lexicons.changed(entries, put, drop)
    return None if lexicons.says_already(entries, put, drop) else _would_do(_scope(), after)


def _would_do(scope: Sequence[Consultation], entries: Sequence[Entry]) -> Preview:
    """What these decisions in the place of those in force would do to the opinions of a scope."""
    would = lexicons.overlaid(builtin_words.builtin(), entries)
    return lexicon_previews.preview(
        lexicon_previews.rows_of(scope),
        term_index.lexicon(),
        term_index.lexicon_over(would),
    )


def _change_page(form: ChangeForm, refused: str = "") -> str:
    every = consultations.every(public_only=False)
    trouble, seen, stands = "", None, False
    if form.words.data and form.kind.data in KINDS | {BUILT_IN}:
        try:
            seen = _preview(form)
            stands = seen is None
        except Refused as refusal:
            trouble = refusal.sentence
    return render_template(
        "consult/lexicon/change.html",
        form=form,
        preview=seen,
        stands=stands,
        trouble=trouble,
        # What the preview says is not said twice.
        refused="" if stands or refused == trouble else refused,
        shown=SHOWN,
        most=lexicon_previews.MOST_READ,
        consultations=every,
        titles={each.id: each.title for each in every},
        opens=_opens(every),
        chosen=number_in("consultation"),
        now_said=_now_said(form, lexicons.at(lexicons.newest())),
    )


def _now_said(form: ChangeForm, lexicon: Lexicon) -> list[tuple[str, str]]:
    """(word, what is decided about it now) for every word that was typed."""
    found = []
    for word in (form.words.data or "").replace("、", " ").split():
        entry = lexicons.decided(lexicon, word)
        found.append((word, lexicons.described(entry) if entry else _("没有规定，按一般词语切分")))
    return found


def _scope() -> Sequence[Consultation]:
    """The consultation the address names, else all of them."""
    wanted = number_in("consultation")
    every = consultations.every(public_only=False)
    chosen = [each for each in every if wanted in (None, each.id)]
    return chosen or abort(404)


def _opens(every: Sequence[Consultation]) -> Callable[[Row], str]:
    """Where an opinion of a preview stands among those that are shown."""
    slugs = {each.id: each.slug for each in every}

    def address(row: Row) -> str:
        return url_for(
            "opinions.index",
            slug=slugs[row.consultation_id],
            before=row.id + 1,
            _anchor=f"opinion-{row.number}",
        )

    return address


def _follow() -> None:
    """Have the index of terms read with the version in force, in the name of who changed it: so that
    they see how far it is."""
    term_jobs.ask(by=current_user, now=now())
    db.session.commit()


def _done(made: LexiconVersion) -> Answer:
    _follow()
    flash(
        _("已保存为词典第%(n)d版。以后的汇总按这一版计数；已有的汇总不变。", n=made.number),
        "success",
    )
    return redirect(url_for(".version", lexicon_number=made.number))


# --- versions ------------------------------------------------------------------------------


@blueprint.get("/versions")
def versions() -> str:
    """All versions, the newest first."""
    keep_private()
    require(rules.read_summaries)
    before = number_in("before")
    found = lexicons.versions(before=before, limit=PAGE + 1)
    more = len(found) > PAGE
    return render_template(
        "consult/lexicon/versions.html",
        versions=found[:PAGE],
        older=url_for(".versions", before=found[PAGE - 1].number) if more else None,
        newer=url_for(".versions") if before is not None else None,
    )


@blueprint.get("/versions/<int:lexicon_number>")
def version(lexicon_number: int) -> str:
    """One version: what it changed, and how it differs from the one in force; 0 is the built-in
    lexicon alone."""
    keep_private()
    require(rules.read_summaries)
    return _version_page(lexicon_number, ReasonForm(formdata=None, seen=lexicons.newest()))


@blueprint.post("/versions/<int:lexicon_number>")
def roll_back(lexicon_number: int) -> Answer | tuple[str, int]:
    """Decide as this version did: a new version."""
    keep_private()
    require(rules.keep_lexicon)
    form = ReasonForm()
    if not form.validate_on_submit():
        return _version_page(lexicon_number, form), 422
    _found(lexicon_number)
    with refusals_on(lambda sentence: _version_page(lexicon_number, _seen_anew(form), sentence)):
        made = lexicons.roll_back(
            lexicon_number,
            seen=form.seen_number,
            reason=form.reason.data,
            by=current_user,
            now=now(),
        )
    return _done(made)


def _version_page(number: int, form: ReasonForm, refused: str = "") -> str:
    found, newest = _found(number), lexicons.newest()
    mine = lexicons.entries_of(number)
    return render_template(
        "consult/lexicon/version.html",
        number=number,
        version=found,
        form=form,
        refused=refused,
        newest=newest,
        made=lexicons.differences(lexicons.entries_of(number - 1), mine) if number else [],
        back=lexicons.differences(lexicons.entries_of(newest), mine),
        job=jobs.newest(term_jobs.REBUILD) if number == newest else None,
        behind=number == newest and term_index.is_behind(),
        see_job=job_rules.see_job,
        rules=rules,
    )


def _found(lexicon_number: int) -> LexiconVersion | None:
    """The version with this number; None for what is built in, 404 where there is none."""
    found = lexicons.by_number(lexicon_number)
    return found if found is not None or not lexicon_number else abort(404)


# --- as text -------------------------------------------------------------------------------


@blueprint.get("/export")
def export() -> Answer:
    """What is decided, as a text file; `?version=3` for an earlier one."""
    keep_private()
    require(rules.read_summaries)
    number = number_in("version")
    number = lexicons.newest() if number is None else number
    _found(number)
    text = lexicons.as_text(lexicons.entries_of(number))
    response = Response(text, mimetype="text/plain")
    return as_file(response, _("词典第%(n)d版", n=number), ".txt", plain=f"lexicon-{number}")


@blueprint.get("/import")
def bring_in() -> str:
    """The form, filled with what is decided now."""
    keep_private()
    require(rules.keep_lexicon)
    number = lexicons.newest()
    text = lexicons.as_text(lexicons.entries_of(number))
    return _import_page(ImportForm(formdata=None, text=text, seen=number))


@blueprint.post("/import")
def replace() -> Answer | str | tuple[str, int]:
    """Put what the text says in the place of everything that is decided; first it is shown what that
    would change."""
    keep_private()
    require(rules.keep_lexicon)
    form = ImportForm()
    looking = request.form.get("act") == "preview"
    good = form.validate_on_submit()
    if looking and not (set(form.errors) - {"reason"}):
        # Why can be said after looking.
        form.reason.errors = []
    elif not good:
        return _import_page(form), 422
    try:
        form.take_file()
        entries = lexicons.parse(form.text.data)
        if looking:
            entries = lexicons.changed([], entries, ())
            return _import_page(_seen_anew(form), entries=entries)
    except (Refused, UnreadableDraft) as refusal:
        form.text.errors = [*form.text.errors, _sentence(refusal)]
        return _import_page(form), 422
    with refusals_on(lambda sentence: _import_page(_seen_anew(form), sentence, entries)):
        made = lexicons.bring_in(
            entries, seen=form.seen_number, reason=form.reason.data, by=current_user, now=now()
        )
    return _done(made)


def _sentence(refusal: Refused | UnreadableDraft) -> str:
    return refusal.sentence if isinstance(refusal, Refused) else str(refusal)


def _import_page(
    form: ImportForm, refused: str = "", entries: Sequence[Entry] | None = None
) -> str:
    """The form; with `entries` what they would change."""
    every = consultations.every(public_only=False)
    before = lexicons.entries_of(lexicons.newest())
    return render_template(
        "consult/lexicon/import.html",
        form=form,
        refused=refused,
        changes=None if entries is None else lexicons.differences(before, entries),
        preview=None if entries is None else _would_do(every, entries),
        shown=SHOWN,
        most=lexicon_previews.MOST_READ,
        titles={each.id: each.title for each in every},
        opens=_opens(every),
    )


# --- new words -----------------------------------------------------------------------------


@blueprint.get("/proposals")
def proposals() -> str:
    """Words no dictionary holds that several opinions use; `?word=…` for the opinions that use one."""
    keep_private()
    require(rules.keep_lexicon)
    every = consultations.every(public_only=False)
    found = lexicon_previews.proposals(_scope())
    return render_template(
        "consult/lexicon/proposals.html",
        proposals=found,
        using=next((each for each in found if each.word == words_in("word", most=100)), None),
        consultations=every,
        titles={each.id: each.title for each in every},
        opens=_opens(every),
        chosen=number_in("consultation"),
        least=lexicon_previews.LEAST_TEXTS,
        most=lexicon_previews.MOST_READ,
        newest=lexicons.newest(),
    )


@blueprint.post("/proposals")
def settle() -> Answer:
    """Take a proposed word into the lexicon, or decide against it for good."""
    keep_private()
    require(rules.keep_lexicon)
    word, seen = request.form.get("word", "")[:100], whole_number(request.form.get("seen"))
    if request.form.get("act") == "refuse":
        lexicons.refuse(word, by=current_user, now=now())
        flash(_("不采纳“%(word)s”，以后不再提出。", word=word), "success")
    else:
        made = lexicons.change(
            put=[Entry(lexicons.tidy_word(word), EntryKind.TERM)],
            seen=-1 if seen is None else seen,
            reason=_("采纳新词建议：%(word)s", word=word),
            by=current_user,
            now=now(),
        )
        _follow()
        flash(_("已把“%(word)s”收入词典，成为第%(n)d版。", word=word, n=made.number), "success")
    db.session.commit()
    return redirect(url_for(".proposals", consultation=number_in("consultation")))
