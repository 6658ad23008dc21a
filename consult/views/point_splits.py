"""An opinion split into points by its sentences, and what was done to points undone."""

from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from consult import point_acts, point_merges, points, rules, summaries
from consult.analysis import splitting
from consult.consultations import Consultation
from consult.point_acts import PointAct
from consult.submissions import Submission
from consult.summaries import Summary, readings
from consult.summaries.items import UNCLASSIFIED
from consult.views import loading, point_forms
from consult.views.point_forms import PAGE, ActForm
from core.db import db
from core.permissions import may, require
from core.web import number_in, whole_number


@dataclass(frozen=True, slots=True)
class Grouped:
    """The theme into which the last summary put a whole opinion, and with how many others."""

    summary: Summary
    number: int
    name: str
    count: int
    terms: tuple[str, ...]

    def terms_in(self, text: str) -> list[str]:
        """Which of the theme's most telling terms stand in `text`, letter for letter."""
        return [term for term in self.terms if term in text]


def _grouped(consultation: Consultation, submission: Submission) -> Grouped | None:
    """Where the newest summary of the consultation, or of its stage, put the opinion; None where it
    knows no theme of it."""
    for subject in (consultation, consultation.stage):
        summary = next(iter(summaries.of(subject)), None)
        if summary is None:
            continue
        counted = readings.read(summary, summaries.consultations_of(subject)).counted
        number = next((i.theme for i in counted.items if i.id == submission.id), UNCLASSIFIED)
        if number == UNCLASSIFIED:
            continue
        together = [item for item in counted.items if item.theme == number]
        said = {term for item in together for term in item.terms}
        theme = counted.themes[number - 1]
        if name := theme.named(said):
            terms = tuple(term for term in theme.terms if term in said)
            return Grouped(summary, number, name, len(together), terms)
    return None


def sentences(slug: str, point_id: int) -> str:
    """The sentences of the opinion a point belongs to, with what is proposed."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    point = point_forms.point(consultation, point_id)
    submission = db.session.get_one(Submission, point.submission_id)
    found = points.sentences(submission.body)
    live = points.of(submission.id)
    cut = (
        [p.start for p in live]
        if len(live) > 1
        else [begin for begin, _end in points.propose(submission.body)]
    )
    # One sentence is one point, whatever its theme.
    grouped = None
    if len(found) > 1 and may(rules.read_summaries):
        grouped = _grouped(consultation, submission)
    return render_template(
        "consult/points/split.html",
        grouped=grouped,
        consultation=consultation,
        point=point,
        submission=submission,
        sentences=[(n, submission.body[slice(*span)].strip()) for n, span in enumerate(found)],
        starts={n for n, (begin, _end) in enumerate(found) if begin in cut},
        proposed=len(live) == 1 and len(cut) > 1,
        history=point_acts.history(submission.id),
    )


def split(slug: str, point_id: int) -> Response:
    """Let each chosen sentence begin a point."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    point = point_forms.point(consultation, point_id)
    form = ActForm()
    if not form.validate():
        abort(422)
    submission = db.session.get_one(Submission, point.submission_id)
    starts = [n for each in form.points.data or [] if (n := whole_number(each)) is not None]
    found = points.sentences(submission.body)
    spans = splitting.joined(found, starts, len(submission.body))
    point_acts.split(submission, spans, **point_forms.who())
    point_merges.follow(consultation.id)
    db.session.commit()
    live = points.of(submission.id)
    flash(_("现在是%(n)d点。", n=len(live)), "success")
    return redirect(url_for(".show", slug=slug, point_id=live[0].id), 303)


def acts(slug: str) -> str:
    """Everything that was done to the points of a consultation, the newest first."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    before = number_in("before")
    found = point_acts.acts_on(consultation.id, before=before, limit=PAGE + 1)
    more, found = len(found) > PAGE, found[:PAGE]
    return render_template(
        "consult/points/acts.html",
        consultation=consultation,
        acts=found,
        told=point_acts.told(found),
        next_url=url_for(".acts", slug=slug, before=found[-1].id) if more else None,
        first_url=url_for(".acts", slug=slug) if before else None,
    )


def undo(slug: str, act_id: int) -> Response:
    """Undo a split, a merge or a change."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    done = db.session.get(PointAct, act_id)
    if done is None or done.consultation_id != consultation.id:
        abort(404)
    point_acts.undo(done, **point_forms.who())
    point_merges.follow(consultation.id)
    db.session.commit()
    flash(_("已撤销。"), "success")
    return redirect(url_for(".index", slug=slug), 303)
