"""The structure desk: a version between import and publishing, looked over and mended."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, TextAreaField
from wtforms.validators import AnyOf, Length

from consult import changes, drafts, outlines, rules, structure
from consult.drafts import Entry, Outline, Version, VersionState
from consult.readers import MAX_BLOCK_CHARACTERS
from consult.structure import Overtaken
from core.db import db
from core.errors import Refused
from core.forms import Form, Readable
from core.permissions import require
from core.web import keep_private, now, number_in, whole_number

blueprint = Blueprint(
    "structure", __name__, url_prefix="/desk/drafts/<int(max=2147483647):version_id>"
)
MARK = "<int(max=2147483647):mark>"
Page = Response | str | tuple[str, int]


class ActForm(Form):
    """One act on one paragraph. The pages write its buttons themselves, one a kind of act."""

    act = HiddenField(
        validators=[
            AnyOf(("up", "down", "heading", "body", "previous", "next", "split", "text", "delete"))
        ]
    )
    seen = HiddenField(validators=[Length(min=24, max=24)])
    below = BooleanField(_l("连同它下面的各级标题"))
    level = HiddenField()
    at = HiddenField()
    text = TextAreaField(_l("文字"), [Readable()])

    @property
    def offset(self) -> int:
        """The chosen place to split; 0, which splits nothing, when none was chosen."""
        return _number(self.at.data)

    @property
    def depth(self) -> int:
        """The chosen level; 0, which no heading has, when it is not a level."""
        return _number(self.level.data)


def _number(typed: str | None) -> int:
    return whole_number(typed, most=999_999) or 0


@blueprint.before_request
def only_those_who_prepare() -> None:
    """Everything here is for those who prepare consultations."""
    keep_private()
    require(rules.prepare_consultations)


# --- looking over ------------------------------------------------------------------------------


@blueprint.get("/structure")
def show(version_id: int) -> str:
    """The version, sheet by sheet, each paragraph with what can be done to it."""
    version = _version(version_id)
    outline = drafts.outline(version)
    sheets = outlines.sheets(outline.entries)
    chosen = _sheet_with(sheets, number_in("chapter"))
    return render_template(
        "consult/structure/show.html",
        version=version,
        consultation=version.draft.consultation,
        outline=outline,
        counts=drafts.count(version),
        follows=drafts.before(version) is not None,
        doubts=outlines.doubts(outline.entries),
        seals=structure.seals(outline.entries),
        changeable=version.state is VersionState.PREPARING,
        sheets=sheets,
        chosen=chosen,
        entries=sheets[chosen] if sheets else [],
        sheet_of={entry.mark: n for n, sheet in enumerate(sheets) for entry in sheet},
        likely_level=_likely_levels(outline),
    )


def _version(version_id: int) -> Version:
    version = drafts.version_by_id(version_id)
    if version is None:
        abort(404)
    return version


def _sheet_with(sheets: list[list[Entry]], mark: int | None) -> int:
    """The number of the sheet that has this mark; the first when a merge has taken it away."""
    found = (n for n, sheet in enumerate(sheets) if any(entry.mark == mark for entry in sheet))
    return next(found, 0)


def _likely_levels(outline: Outline) -> dict[int, int]:
    """{mark of a body paragraph: the level it would have as a heading}: that of the last one."""
    likely, level = {}, 1
    for entry in outline.entries:
        level = entry.level or level
        likely[entry.mark] = level
    return likely


# --- one paragraph -----------------------------------------------------------------------------


@blueprint.get(f"/structure/{MARK}")
def edit(version_id: int, mark: int) -> str:
    """One paragraph: correct its words, split it, delete it."""
    version = _version(version_id)
    outline = drafts.outline(version)
    entry = outline.by_mark.get(mark)
    if entry is None:
        abort(404)
    form = ActForm(formdata=None, seen=structure.seals(outline.entries)[mark], text=entry.text)
    return _edit_page(form, version, outline, entry)


@blueprint.post(f"/structure/{MARK}")
def act(version_id: int, mark: int) -> Page:
    """Carry one act out."""
    version = _version(version_id)
    form = ActForm()
    try:
        valid = form.validate()
        if valid:
            landing = _carry_out(form, version, mark)
    except Overtaken as overtaken:
        return _overtaken_page(form, version_id, mark, overtaken)
    except Refused as refusal:
        db.session.rollback()
        return _again(form, version_id, mark, refusal.sentence), 409
    if not valid:
        return _again(form, version_id, mark), 422
    db.session.commit()
    return redirect(url_for(".show", version_id=version_id, chapter=landing, _anchor=f"p{landing}"))


def _carry_out(form: ActForm, version: Version, mark: int) -> int | None:
    """Do what the form says; the mark of the paragraph to show next."""
    given: dict[str, Any] = {"seen": form.seen.data, "by": current_user, "now": now()}
    match form.act.data:
        case "up" | "down" as way:
            step = -1 if way == "up" else 1
            below = bool(form.below.data)
            structure.shift_level(version, mark, step, with_below=below, **given)
        case "heading":
            structure.make_heading(version, mark, form.depth, **given)
        case "body":
            structure.make_body(version, mark, **given)
        case "previous":
            return structure.merge_with_previous(version, mark, **given).mark
        case "next":
            structure.merge_with_next(version, mark, **given)
        case "split":
            return structure.split(version, mark, form.offset, **given).mark
        case "text":
            structure.correct(version, mark, form.text.data or "", **given)
        case "delete":
            left = structure.delete(version, mark, **given)
            return left.mark if left else None
    return mark


def _again(form: ActForm, version_id: int, mark: int, refusal: str = "") -> str:
    """The paragraph's page once more, with what was typed and why it was not done."""
    version = _version(version_id)
    outline = drafts.outline(version)
    entry = outline.by_mark.get(mark)
    if entry is None:
        abort(404)
    if form.act.data != "text":
        form.text.data = entry.text
    return _edit_page(form, version, outline, entry, refusal)


def _edit_page(
    form: ActForm, version: Version, outline: Outline, entry: Entry, refusal: str = ""
) -> str:
    return render_template(
        "consult/structure/edit.html",
        form=form,
        version=version,
        entry=entry,
        address=outline.address(entry.id),
        places=outlines.places_to_split(entry),
        changeable=version.state is VersionState.PREPARING,
        most=MAX_BLOCK_CHARACTERS,
        refusal=refusal,
    )


def _overtaken_page(
    form: ActForm, version_id: int, mark: int, overtaken: Overtaken
) -> tuple[str, int]:
    """What stands there now beside what this officer had typed."""
    current = overtaken.current.text if overtaken.current else ""
    db.session.rollback()
    page = render_template(
        "consult/structure/overtaken.html",
        version=_version(version_id),
        mark=mark,
        sentence=overtaken.sentence,
        current=current,
        typed=form.text.data if form.act.data == "text" else "",
    )
    return page, 409


# --- the whole version ---------------------------------------------------------------------------


@blueprint.get("/preview")
def preview(version_id: int) -> str:
    """The version as a resident will see it."""
    version = _version(version_id)
    return render_template(
        "consult/structure/preview.html",
        version=version,
        consultation=version.draft.consultation,
        outline=drafts.outline(version),
        counts=drafts.count(version),
    )


@blueprint.route("/publish", methods=["GET", "POST"])
def publish(version_id: int) -> Page:
    """Freeze the version, after a look at its numbers."""
    version = _version(version_id)
    form = Form()
    if not form.validate_on_submit():
        return _whole_page("publish", form, version), 422 if form.is_submitted() else 200
    try:
        changes.settle(version, by=current_user, now=now())
        drafts.publish(version, by=current_user, now=now())
    except Refused as refusal:
        db.session.rollback()
        return _whole_page("publish", form, _version(version_id), refusal.sentence), 409
    db.session.commit()
    flash(_("第%(n)d稿已发布，文字和结构从此不再改动。", n=version.number), "success")
    return redirect(url_for("publishing.show", slug=version.draft.consultation.slug))


@blueprint.route("/delete", methods=["GET", "POST"])
def delete(version_id: int) -> Page:
    """Delete a version that has not been published."""
    version = _version(version_id)
    slug = version.draft.consultation.slug
    form = Form()
    if not form.validate_on_submit():
        return _whole_page("delete", form, version), 422 if form.is_submitted() else 200
    try:
        structure.discard(version, by=current_user, now=now())
    except Refused as refusal:
        db.session.rollback()
        return _whole_page("delete", form, _version(version_id), refusal.sentence), 409
    db.session.commit()
    flash(_("这一稿已删除，可以重新导入。"), "success")
    return redirect(url_for("publishing.show", slug=slug))


def _whole_page(name: str, form: Form, version: Version, refusal: str = "") -> str:
    outline = drafts.outline(version)
    return render_template(
        f"consult/structure/{name}.html",
        form=form,
        version=version,
        consultation=version.draft.consultation,
        counts=drafts.count(version),
        doubts=outlines.doubts(outline.entries),
        outline=outline,
        changeable=version.state is VersionState.PREPARING,
        refusal=refusal,
    )
