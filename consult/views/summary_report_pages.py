"""The narrative report on a snapshot: composed, rewritten sentence by sentence, signed, printed."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from consult import rules
from consult.summaries import documents, narratives, report_papers, reports
from consult.summaries.items import select
from consult.summaries.reports import Edit, Sentence, SummaryReport
from consult.views.summary_filters import Links, said
from consult.views.summary_pages import Opened, opened_at_desk
from core.db import db
from core.errors import Refused, refusals_on
from core.permissions import require
from core.text import tidy, unreadable
from core.web import as_file, choice_in, now, number_in, whole_number


def report(summary_id: int) -> str:
    """The last version, or `?version=1`: each sentence with the opinions behind it; with
    `?edit=1` each in a field of its own."""
    page = opened_at_desk(summary_id)
    every = reports.versions(page.summary)
    chosen = _chosen(every)
    editing = choice_in("edit", {"1"}) == "1" and chosen is not None and chosen is every[0]
    if editing:
        require(rules.make_summaries)
    return _page(page, every, chosen, editing=editing)


def _page(
    page: Opened,
    every: Sequence[SummaryReport],
    chosen: SummaryReport | None,
    *,
    editing: bool = False,
    refused: str = "",
    typed: Mapping[int, str] | None = None,
    theirs: Mapping[int, str] | None = None,
    homeless: Sequence[str] = (),
    added: str = "",
) -> str:
    """The report; after a refusal with the words that were typed (see `reports.over`)."""
    return render_template(
        "consult/summaries/report.html",
        **page.context(),
        report=chosen,
        versions=every,
        last=every[0].number if every else 0,
        lines=_lines(page, chosen) if chosen else [],
        machine=report_papers.MACHINE,
        longest=reports.LONGEST,
        editing=editing,
        refused=refused,
        typed=typed or {},
        theirs=theirs or {},
        homeless=homeless,
        added=added,
        rules=rules,
        room="report",
    )


def report_act(summary_id: int) -> Response:
    """Compose anew, keep what was rewritten, or sign."""
    page = opened_at_desk(summary_id)
    require(rules.make_summaries)
    act, seen = request.form.get("act", ""), _seen()
    if act == "compose":
        titles = {c.id: c.title for c in page.consultations}
        sentences = narratives.compose(page.summary, titles, page.reading)
        with refusals_on(lambda sentence: _refused(summary_id, sentence)):
            reports.compose(page.summary, sentences, seen=seen, by=current_user, now=now())
        flash(_("已生成报告，请逐句核对，可以改写，核对后签发。"), "success")
    elif act == "save":
        with refusals_on(lambda sentence: _as_typed(summary_id, seen, sentence)):
            reports.edit(page.summary, _edit(), seen=seen, by=current_user, now=now())
        flash(_("已保存为新的一版；原来的一版仍可查看。"), "success")
    elif act == "sign":
        with refusals_on(lambda sentence: _refused(summary_id, sentence)):
            if not request.form.get("confirm"):
                raise Refused(_("请先勾选“我已逐句核对”，再签发。"))
            reports.sign(page.summary, seen=seen, by=current_user, now=now())
        flash(_("已由您签发。"), "success")
    else:
        abort(400)
    db.session.commit()
    return redirect(url_for("summaries.report", summary_id=summary_id))


def report_paper(summary_id: int) -> Response:
    """The version as a Word document, or with `?as=pdf` as a PDF."""
    page = opened_at_desk(summary_id)
    chosen = _chosen(reports.versions(page.summary))
    if chosen is None:
        abort(404)
    titles = {c.id: c.title for c in page.consultations}
    printed = report_papers.lines(chosen.sentences, page.reading, titles)
    drawn = report_papers.pictures(page.reading, titles)
    paper = report_papers.paper(page.summary, chosen, printed, drawn, now=now())
    name = _("意见情况报告（第%(n)d版）%(t)s", n=chosen.number, t=page.summary.subject.title)
    plain = f"report-{summary_id}-{chosen.number}"
    if choice_in("as", {"pdf", "docx"}) == "pdf":
        response = Response(report_papers.pdf(paper), mimetype="application/pdf")
        return as_file(response, name, ".pdf", plain=plain)
    made = send_file(report_papers.word(paper), mimetype=documents.MIMETYPE)
    return as_file(made, name, ".docx", plain=plain)


def _lines(page: Opened, chosen: SummaryReport) -> list[dict[str, Any]]:
    """Each sentence as it is printed, with its machine's words and where its opinions open."""
    titles = {c.id: c.title for c in page.consultations}
    found = []
    for place, sentence in enumerate(chosen.sentences):
        printed = report_papers.lines([sentence], page.reading, titles)
        line = printed[0] if printed else None
        found.append(
            {
                "place": place,
                "sentence": sentence,
                "line": line,
                "links": _links(page, sentence, line.count) if line else [],
            }
        )
    return found


def _links(page: Opened, sentence: Sentence, count: int) -> list[tuple[str, int, str]]:
    """Where the opinions behind a sentence open: (what they are, how many, address), part by part
    where it tells of several."""
    at = f"{url_for('summaries.show', summary_id=page.summary.id)}/opinions"
    state = (sentence.query or {}).get("state")
    if state:
        return [("", count, f"{at}?state={state}")] if count else []
    counted, found = page.reading.counted, []
    for filters in sentence.selections:
        if n := len(select(counted, filters)):
            what = "；".join(
                value for _n, _label, value in said(filters, counted, page.consultations)
            )
            found.append((what, n, Links(filters, counted, {}, {"opinions": at}).opinions()))
    return found if len(found) > 1 else [("", n, href) for _what, n, href in found]


def _chosen(every: Any) -> SummaryReport | None:
    wanted = number_in("version")
    found = next((each for each in every if wanted in (None, each.number)), None)
    return found if found is not None or wanted is None else abort(404)


def _seen() -> int:
    seen = whole_number(request.form.get("seen"))
    return -1 if seen is None else seen


def _edit() -> Edit:
    typed, added = _typed(), _added()
    if any(unreadable(text) for text in (*typed.values(), added)):
        raise Refused(_("文字里有无法识别的字符，请删去后再提交。"))
    return Edit(list(typed.values()), [line for line in added.split("\n") if line.strip()])


def _typed() -> dict[int, str]:
    """The words that were sent for each sentence, by its place."""
    texts = (request.form.get(f"text-{n}") for n in itertools.count())
    sent = itertools.takewhile(lambda text: text is not None, texts)
    return {place: " ".join(tidy(text or "").split("\n")) for place, text in enumerate(sent)}


def _added() -> str:
    return tidy(request.form.get("added", ""))


def _refused(summary_id: int, sentence: str) -> str:
    """The report as it is now, with why nothing was done to it."""
    page = opened_at_desk(summary_id)
    every = reports.versions(page.summary)
    return _page(page, every, every[0] if every else None, refused=sentence)


def _as_typed(summary_id: int, seen: int, sentence: str) -> str:
    """The form once more with what was typed, over the last version, which may be a colleague's."""
    page = opened_at_desk(summary_id)
    every = reports.versions(page.summary)
    last = every[0] if every else None
    base = next((each for each in every if each.number == seen), None)
    mine, theirs, homeless = (
        reports.over(base.sentences, _typed(), last.sentences) if base and last else ({}, {}, [])
    )
    return _page(
        page,
        every,
        last,
        editing=last is not None,
        refused=sentence,
        typed=mine,
        theirs=theirs,
        homeless=homeless,
        added=_added(),
    )
