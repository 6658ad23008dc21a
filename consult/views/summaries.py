"""Opinion summaries: the staff's desk for them and the page the public reads."""

from collections import Counter
from collections.abc import Sequence

from flask import Blueprint, abort, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from consult import consultations, provenance, rules, summaries
from consult.analysis.keywords import Keyword
from consult.consultations import Consultation
from consult.submissions import Stance, SubmissionState
from consult.summaries import (
    Subject,
    Summary,
    SummaryState,
    campaigns,
    counting_jobs,
    documents,
    narratives,
    readings,
)
from consult.summaries.counts import split
from consult.summaries.items import Unit
from consult.views import (
    loading,
    summary_acts,
    summary_keeping,
    summary_pages,
    summary_report_pages,
    summary_workbench,
)
from consult.views.summary_filters import ALIKE, STATES, UNITS, is_selection, said_of_alike
from consult.views.summary_pages import Opened, desk_extras, opened, opened_at_desk
from core.pages import kept
from core.permissions import require
from core.web import as_file, choice_in, keep_private, now, number_in, unclear, words_in

blueprint = Blueprint("summaries", __name__)
DESK = "/desk/summaries"
PUBLIC = "/consultations/<slug>/summary"
HISTORY, KIN, PLAIN = 20, 20, 3


for act in ("themes", "campaigns", "contrast"):
    blueprint.add_url_rule(
        f"{DESK}/<int:summary_id>/{act}", view_func=getattr(summary_workbench, act)
    )
blueprint.add_url_rule(
    f"{DESK}/<int:summary_id>/stance/<int:submission_id>",
    view_func=summary_workbench.stance,
    methods=["GET", "POST"],
)
blueprint.add_url_rule(
    f"{DESK}/<int:summary_id>/themes/<int:theme>", view_func=summary_workbench.theme
)
blueprint.add_url_rule(
    f"{DESK}/<int:summary_id>/words/<int:submission_id>", view_func=summary_workbench.words
)
blueprint.add_url_rule(
    f"{DESK}/<int:summary_id>/themes", view_func=summary_keeping.rename, methods=["POST"]
)
blueprint.add_url_rule(
    f"{DESK}/<int:summary_id>/kept", view_func=summary_keeping.keep, methods=["POST"]
)
blueprint.add_url_rule(f"{DESK}/<int:summary_id>/report", view_func=summary_report_pages.report)
blueprint.add_url_rule(
    f"{DESK}/<int:summary_id>/report", view_func=summary_report_pages.report_act, methods=["POST"]
)
blueprint.add_url_rule(
    f"{DESK}/<int:summary_id>/report/paper", view_func=summary_report_pages.report_paper
)
for act in ("count", "<int:summary_id>/publish", "<int:summary_id>/withdraw"):
    blueprint.add_url_rule(
        f"{DESK}/{act}",
        view_func=getattr(summary_acts, act.rpartition("/")[2]),
        methods=["GET", "POST"],
    )


# --- the desk ------------------------------------------------------------------------------


@blueprint.get(f"{DESK}/")
def index() -> str:
    """Every consultation and stage with its newest summary; `?consultation=3` for all of one."""
    keep_private()
    require(rules.read_summaries)
    subject = summary_acts.asked_for()
    if subject is not None:
        return _history(subject)
    every, newest = consultations.every(public_only=False), summaries.newest()
    return render_template(
        "consult/summaries/index.html",
        consultations=every,
        stages=list({each.stage.id: each.stage for each in every}.values()),
        newest=newest,
        later={key: readings.received_since(each) for key, each in newest.items()},
        under_way=counting_jobs.under_way(),
        rules=rules,
    )


def _history(subject: Subject) -> str:
    before = number_in("before")
    found = summaries.of(subject, before=before, limit=HISTORY + 1)
    scope = summary_acts.scope(subject)
    older = {**scope, "before": found[HISTORY - 1].number} if len(found) > HISTORY else None
    return render_template(
        "consult/summaries/history.html",
        subject=subject,
        scope=scope,
        summaries=found[:HISTORY],
        older=url_for(".index", **older) if older else None,
        newer=url_for(".index", **scope) if before is not None else None,
        under_way=not counting_jobs.under_way().isdisjoint(scope.items()),
        rules=rules,
    )


@blueprint.get(f"{DESK}/<int:summary_id>")
def show(summary_id: int) -> str:
    """One snapshot, whole or a selection of it."""
    page = opened_at_desk(summary_id)
    sort = choice_in("sort", set(summary_pages.KEYWORD_ORDERS), "score")
    return render_template(
        "consult/summaries/show.html",
        **page.context(),
        heats=summary_pages.heats(page),
        draft_url=lambda place: summary_pages.draft_url(page, place),
        cloud=summary_pages.word_cloud(page, label=_("#，@件，查看详情")),
        charts=summary_pages.charts(page),
        all_keywords=choice_in("keywords", {"all"}) == "all",
        keywords=summary_pages.sorted_keywords(page.view, sort),
        burst_days=campaigns.BURST_DAYS,
        sort=sort,
        **desk_extras(page),
        states=SummaryState,
        rules=rules,
    )


@blueprint.get(f"{DESK}/<int:summary_id>/opinions")
def opinions(summary_id: int) -> str:
    """Exactly the opinions a number counts; `?state=hidden` for what was received otherwise,
    `?state=shown&as=people` for the numbers as they were at the count."""
    page = opened_at_desk(summary_id)
    state = choice_in("state", STATES)
    if state:
        return _by_state(page, state)
    return _opinions(page)


def _by_state(page: Opened, state: str) -> str:
    unit = Unit(choice_in("as", UNITS, Unit.SUBMISSIONS.value))
    if unit is not Unit.SUBMISSIONS and state != SubmissionState.SHOWN.value:
        # How many people are behind what was not counted nobody reckoned.
        unclear("as")
    ids = summary_pages.state_ids(page, state, unit)
    counting = {} if unit is Unit.SUBMISSIONS else {"as": unit.value}
    after = number_in("after") or 0
    here = [id for id in ids if id > after][: summary_pages.PAGE]
    more = bool(here) and here[-1] != ids[-1]
    listed = summary_pages.submissions_by_id(here)
    return render_template(
        "consult/summaries/states.html",
        **page.context(),
        state=state,
        unit=unit,
        total=len(ids),
        submissions=listed,
        origins=provenance.of(listed),
        rules=rules,
        page=summary_pages.Turning(
            page.links.opinions(state=state, after=here[-1], **counting) if more else None,
            page.links.opinions(state=state, **counting) if after else None,
        ),
    )


def _opinions(page: Opened) -> str:
    unit = Unit(choice_in("as", UNITS, Unit.SUBMISSIONS.value))
    if unit is Unit.PEOPLE and not page.staff:
        # Which opinions come from one person is nobody else's business.
        unclear("as")
    alike = choice_in("alike", ALIKE)
    listing = summary_pages.listing(page, unit, number_in("after"), alike=alike)
    context = page.context()
    if alike:
        context["said"].append(said_of_alike(alike))
    # Who put an opinion in, and from which table, is the office's business alone.
    origins = provenance.of([e.submission for e in listing.entries]) if page.staff else {}
    return render_template(
        "consult/summaries/opinions.html",
        **context,
        listing=listing,
        origins=origins,
        rules=rules,
    )


@blueprint.get(f"{DESK}/<int:summary_id>/term")
def term(summary_id: int) -> str:
    """One term: who says it, how, where, when, and in what words."""
    word = words_in("term", most=40)
    page = opened_at_desk(summary_id)
    if not word or not page.view.items:
        abort(404)
    sort = choice_in("sort", {"left", "right"})
    # Sorted by what stands beside the word, all that is read stands in one list.
    size = summary_pages.MOST_SORTED if sort else summary_pages.PAGE
    listing = summary_pages.listing(
        page, Unit.SUBMISSIONS, number_in("after"), page="term", size=size
    )
    return render_template(
        "consult/summaries/term.html",
        **page.context(),
        term=word,
        split=split(page.view.items, word),
        listing=listing,
        mentions=summary_pages.mentions(page, word, listing, sort=sort),
        sort=sort,
        room="term",
        **desk_extras(page),
        kin=_kin(page, word),
        charts=summary_pages.charts(page),
    )


def _kin(page: Opened, word: str) -> list[Keyword]:
    """What is mentioned together with a term, by how many opinions hold both."""
    kin = [each for each in page.view.keywords if each.term != word and each.count > 1]
    return sorted(kin, key=lambda each: -each.count)[:KIN]


@blueprint.get(f"{DESK}/<int:summary_id>/document")
def document(summary_id: int) -> Response:
    """The snapshot, or the selection, as a Word document."""
    page = opened_at_desk(summary_id)
    made = documents.write(
        page.summary,
        page.consultations,
        page.reading,
        page.filters,
        now=now(),
        said=[f"{label}：{value}" for _name, label, value in page.said()],
    )
    title, number = page.summary.subject.title, page.summary.number
    name = _("意见汇总（第%(n)d次）%(title)s", title=title, n=number)
    response = send_file(made, mimetype=documents.MIMETYPE)
    return as_file(response, name, ".docx", plain=f"summary-{summary_id}")


# --- the public page -----------------------------------------------------------------------


@blueprint.get(PUBLIC)
def public(slug: str) -> Response | str:
    """The published snapshot (`?snapshot=2` for an earlier one), in plain words."""
    consultation = loading.consultation(slug)
    summary = _published(consultation)
    if is_selection():
        # This page is always the whole; a part of it are its opinions, and what cannot be is said there.
        opinions = url_for(".public_opinions", slug=slug)
        return redirect(f"{opinions}?{request.query_string.decode()}")
    if current_user.is_authenticated:
        keep_private()
        return _public(consultation, summary)
    return kept(
        ("summary", slug, number_in("snapshot")),
        (summary.id, summary.state, consultation.stamp, consultation.state),
        lambda: _public(consultation, summary),
    )


def _public(consultation: Consultation, summary: Summary) -> str:
    page = _public_page(consultation, summary)
    listing = summary_pages.listing(page, Unit.SUBMISSIONS, None) if page.reading.few else None
    themes = [] if page.reading.few else summary_workbench.by_size(page)
    return render_template(
        "consult/summaries/public.html",
        **page.context(),
        consultation=consultation,
        heats=summary_pages.heats(page),
        draft_url=lambda place: summary_pages.draft_url(page, place),
        cloud=summary_pages.word_cloud(page, label=_("#，@件，查看意见")),
        charts=summary_pages.charts(page),
        themes=themes,
        plain=_in_plain_words(page, themes),
        least=narratives.LEAST,
        scarce=narratives.scarce_channels(page.view.items),
        silent=narratives.silent_channels(page.view.items),
        quiet=[page.title_of(n) for n in narratives.quiet_chapters(page.reading.counted)],
        others=[each for each in summaries.published(consultation) if each.id != summary.id],
        listing=listing,
    )


def _in_plain_words(page: Opened, themes: Sequence[summary_workbench.Shown]) -> str:
    """What was said most, how it was meant, and which letter came most often; "" where nothing is
    compared."""
    named = [each for each in themes if each.number][:PLAIN]
    if not named:
        return ""
    most = "；".join(map(_told, named))
    counts = Counter(item.stance for item in page.view.items)
    favour = counts[Stance.SUPPORT.value] + counts[Stance.SUGGEST.value]
    against = counts[Stance.OPPOSE.value]
    letter = next(iter(campaigns.find(page.view.items, least=campaigns.BURST)), None)
    return " ".join(
        (
            _("说得最多的是：%(what)s。", what=most),
            _(
                "赞成或提出建议的%(a)d件，反对的%(b)d件，提问、诉求和未表明态度的%(c)d件。",
                a=favour,
                b=against,
                c=counts.total() - favour - against,
            ),
            *([_("有一组来件内容相近，共%(n)d件。", n=letter.submissions)] if letter else []),
        )
    )


def _told(theme: summary_workbench.Shown) -> str:
    """A theme and its opinions; and of those how many are one letter, where they are the most."""
    n, alike = len(theme.items), max(Counter(item.group for item in theme.items).values())
    if alike >= campaigns.LEAST and 2 * alike >= n:
        return str(_("%(name)s（%(n)d件，其中%(k)d件内容相近）", name=theme.name, n=n, k=alike))
    return str(_("%(name)s（%(n)d件）", name=theme.name, n=n))


@blueprint.get(f"{PUBLIC}/opinions")
def public_opinions(slug: str) -> str:
    """The shown opinions a number of the public page counts."""
    consultation = loading.consultation(slug)
    return _opinions(_public_page(consultation, _published(consultation), selected=True))


# --- finding -------------------------------------------------------------------------------


def _published(consultation: Consultation) -> Summary:
    wanted = number_in("snapshot")
    every = summaries.published(consultation)
    found = next((each for each in every if wanted in (None, each.number)), None)
    return found if found is not None else abort(404)


def _public_page(consultation: Consultation, summary: Summary, *, selected: bool = False) -> Opened:
    at = url_for(".public", slug=consultation.slug)
    paths = {"page": at, "opinions": f"{at}/opinions"}
    return opened(summary, paths, staff=False, selected=selected)
