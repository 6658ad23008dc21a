"""Two versions of a draft compared (稿次对照): what changed, word by word."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from flask import Blueprint, Response, abort, render_template, url_for
from flask_login import current_user
from markupsafe import Markup

from consult import drafts
from consult.comparing import Run
from consult.comparisons import compare, in_sections
from consult.consultations import Consultation
from consult.drafts import Version, VersionState
from consult.views import loading
from core.pages import kept
from core.web import choice_in, keep_private, number_in

blueprint = Blueprint("comparisons", __name__, url_prefix="/consultations/<slug>/compare")


@blueprint.app_template_filter("interwoven")
def interwoven(runs: Iterable[Run], sides: Container[str], tags: dict[str, list[str]]) -> Markup:
    """The words of the kinds in `sides`, escaped, each between its tags. A heavily edited page has ten
    thousand runs, which a template would turn into markup one by one for half a second."""
    between = {kind: (str(before), str(after)) for kind, (before, after) in tags.items()}
    parts: list[str] = []
    for run in runs:
        if (kind := run.kind.value) in sides:
            before, after = between[kind]
            parts += (before, escape(run.text), after)
    return Markup("".join(parts))


@dataclass(frozen=True, slots=True)
class Asked:
    """Which two versions are compared, and how they are laid out."""

    before: Version
    after: Version
    # Both versions interwoven in one text instead of side by side.
    inline: bool
    # With the paragraphs that did not change.
    whole: bool
    # The later one is the next that was published after the earlier one.
    is_step: bool

    def url(self, *, inline: bool | None = None, whole: bool | None = None) -> str:
        """The address of this comparison, laid out in another way."""
        inline = self.inline if inline is None else inline
        whole = self.whole if whole is None else whole
        layout = {"view": "inline" if inline else None, "all": 1 if whole else None}
        return compare_url(
            self.after.draft.consultation, self.before.number, self.after.number, **layout
        )


def compare_url(consultation: Consultation, before: int, after: int, **more: Any) -> str:
    """The address at which these two versions, by their numbers, are compared."""
    numbers: dict[str, Any] = {"from": before, "to": after}
    return url_for("comparisons.show", slug=consultation.slug, **numbers, **more)


@blueprint.get("")
def show(slug: str) -> Response | str:
    """`?from=1&to=2`, else the newest version with the one before it; `view=inline`; `all=1`."""
    consultation = loading.consultation(slug)
    versions = [
        each for each in drafts.versions(consultation) if each.state is VersionState.PUBLISHED
    ]
    asked = _asked(versions)
    if current_user.is_authenticated or not consultation.is_public:
        keep_private()
        return _page(consultation, versions, asked)
    key = (asked.before.number, asked.after.number, asked.inline, asked.whole)
    return kept(
        ("compare", slug, *key),
        (consultation.edition, asked.before.id, asked.after.id),
        lambda: _page(consultation, versions, asked),
    )


def _asked(versions: list[Version]) -> Asked:
    by_number = {version.number: version for version in versions}
    after = by_number.get(number_in("to") or max(by_number, default=0))
    before = by_number.get(number_in("from") or (after.number - 1 if after else 0))
    if after is None or before is None:
        return abort(404)
    inline = choice_in("view", {"inline"}) == "inline"
    whole = choice_in("all", {"1"}) == "1"
    return Asked(before, after, inline, whole, drafts.before(after) is before)


def _page(consultation: Consultation, versions: list[Version], asked: Asked) -> str:
    before, after = drafts.outline(asked.before), drafts.outline(asked.after)
    comparison = compare(before, after)
    pairs = comparison.pairs if asked.whole else comparison.changed
    return render_template(
        "consult/comparisons/show.html",
        consultation=consultation,
        versions=versions,
        asked=asked,
        comparison=comparison,
        sections=list(in_sections(pairs, before, after)),
        outline_before=before,
    )
