"""The narrative report on a snapshot: composed, rewritten sentence by sentence, signed, printed."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from consult import report_papers, rules, summary_documents, summary_narratives, summary_reports
from consult.summary_reports import Edit, SummaryReport
from consult.views.summary_filters import Links
from consult.views.summary_pages import Opened, opened_at_desk
from core.db import db
from core.errors import Refused
from core.permissions import require
from core.text import tidy, unreadable
from core.web import as_file, choice_in, now, number_in


def report(summary_id: int) -> str:
    """The last version, or `?version=1`: each sentence with the opinions behind it; with
    `?edit=1` each in a field of its own."""
    page = opened_at_desk(summary_id)
    every = summary_reports.versions(page.summary)
    chosen = _chosen(every)
    editing = choice_in("edit", {"1"}) == "1" and chosen is not None and chosen is every[0]
    if editing:
        require(rules.make_summaries)
    return render_template(
        "consult/summaries/report.html",
        **page.context(),
        report=chosen,
        versions=every,
        last=every[0].number if every else 0,
        lines=_lines(page, chosen) if chosen else [],
        machine=report_papers.MACHINE,
        longest=summary_reports.LONGEST,
        editing=editing,
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
        sentences = summary_narratives.compose(page.summary, titles, page.reading)
        summary_reports.compose(page.summary, sentences, seen=seen, by=current_user, now=now())
        flash(_("已生成报告，请逐句核对，可以改写，核对后签发。"), "success")
    elif act == "save":
        summary_reports.edit(page.summary, _edit(page), seen=seen, by=current_user, now=now())
        flash(_("已保存为新的一版；原来的一版仍可查看。"), "success")
    elif act == "sign":
        if not request.form.get("confirm"):
            raise Refused(_("请先勾选“我已逐句核对”，再签发。"))
        summary_reports.sign(page.summary, seen=seen, by=current_user, now=now())
        flash(_("已由您签发。"), "success")
    else:
        abort(400)
    db.session.commit()
    return redirect(url_for("summaries.report", summary_id=summary_id))


def report_paper(summary_id: int) -> Response:
    """The version as a Word document, or with `?as=pdf` as a PDF."""
    page = opened_at_desk(summary_id)
    chosen = _chosen(summary_reports.versions(page.summary))
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
    made = send_file(report_papers.word(paper), mimetype=summary_documents.MIMETYPE)
    return as_file(made, name, ".docx", plain=plain)


def _lines(page: Opened, chosen: SummaryReport) -> list[dict[str, Any]]:
    """Each sentence as it is printed, with its machine's words and where its opinions open."""
    titles = {c.id: c.title for c in page.consultations}
    at = url_for("summaries.show", summary_id=page.summary.id)
    found = []
    for place, sentence in enumerate(chosen.sentences):
        printed = report_papers.lines([sentence], page.reading, titles)
        href = None
        if sentence.query is not None:
            filters = report_papers.filters_of(sentence)
            links = Links(filters, page.reading.counted, {}, {"opinions": f"{at}/opinions"})
            href = links.opinions()
        found.append(
            {
                "place": place,
                "sentence": sentence,
                "line": printed[0] if printed else None,
                "href": href,
            }
        )
    return found


def _chosen(every: Any) -> SummaryReport | None:
    wanted = number_in("version")
    found = next((each for each in every if wanted in (None, each.number)), None)
    return found if found is not None or wanted is None else abort(404)


def _seen() -> int:
    raw = request.form.get("seen", "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else -1


def _edit(page: Opened) -> Edit:
    last = summary_reports.newest(page.summary)
    count = len(last.sentences) if last else 0
    texts = [request.form.get(f"text-{n}", "") for n in range(count)]
    added = request.form.get("added", "")
    if any(unreadable(text) for text in (*texts, added)):
        raise Refused(_("文字里有无法识别的字符，请删去后再提交。"))
    more = [line for line in tidy(added).split("\n") if line.strip()]
    return Edit([" ".join(tidy(text).split("\n")) for text in texts], more)
