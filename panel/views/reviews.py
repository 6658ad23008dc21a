"""A member's review: read, say, sign.

Whoever was not asked in a round is told 404, whether it exists or not; a visitor is shown to the
sign-in page at every address, because a letter leads there.
"""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from consult.drafts import Entry
from core.db import db
from core.errors import Refused, refusals_on
from core.forms import Form
from core.permissions import may
from core.web import keep_private, now, number_in
from panel import released_reviews, reviews, round_papers, round_texts, rounds, rules
from panel.reviews import Overtaken, SectionReview
from panel.round_texts import Section, Text, text_of
from panel.rounds import Invitation, RoundState
from panel.views.meetings import paper_file
from panel.views.review_forms import (
    AnswersForm,
    InterestForm,
    SectionForm,
    SignForm,
    answers_for,
    form_for,
)

blueprint = Blueprint("reviews", __name__, url_prefix="/panel/reviews")
REVIEW = "/<int:round_id>"
# So many remarks of others on a page.
PAGE = 200
SECTION = f"{REVIEW}/sections/<int:section>"
Page = Response | str | tuple[str, int]


@blueprint.before_request
def _private() -> None:
    keep_private()


def _invitation(round_id: int) -> Invitation:
    """How this person was asked in this round; 404 for everybody who was not, or not any more."""
    if not current_user.is_authenticated:
        abort(401)
    found = rounds.invitation_of(round_id, current_user.id)
    if found is None or not may(rules.sit_on_panel) or found.round.state is RoundState.PREPARED:
        abort(404)
    return found


def _reading(round_id: int) -> tuple[Invitation, Text]:
    invitation = _invitation(round_id)
    if invitation.opened_at is None:
        abort(404)
    return invitation, text_of(invitation.round)


def _section(text: Text, mark: int) -> Section:
    return text.by_mark.get(mark) or abort(404)


def _by_section(invitation: Invitation) -> dict[int, SectionReview]:
    return {review.section: review for review in reviews.sections_of(invitation)}


# --- one round: the cover and the words --------------------------------------------------------------


@blueprint.get(REVIEW)
def show(round_id: int) -> str:
    """The cover: what is asked, until when, how far I am."""
    return _show_page(_invitation(round_id))


def _show_page(invitation: Invitation, *, refusal: str = "") -> str:
    at = now()
    review_round = invitation.round
    return render_template(
        "panel/reviews/show.html",
        invitation=invitation,
        round=review_round,
        phase=review_round.phase(at),
        writable=invitation.may_write(at),
        may_withdraw=invitation.signed_at is not None
        and review_round.state is RoundState.OPEN
        and at < invitation.due(),
        answer=reviews.answer_of(invitation),
        text=text_of(review_round),
        reviewed=_by_section(invitation),
        signatures=reviews.signatures_of(invitation),
        papers=round_papers.of(review_round.id),
        form=Form(formdata=None),
        refusal=refusal,
        now=at,
    )


@blueprint.get("/papers/<int:file_id>")
def paper(file_id: int) -> Response:
    """A paper of a round in which I was asked."""
    found = round_papers.by_id(file_id) if current_user.is_authenticated else None
    # A visitor is shown to the sign-in page, whether there is such a paper or not.
    _invitation(found.round_id if found else 0)
    assert found is not None
    return paper_file(found)


@blueprint.post(f"{REVIEW}/open")
def start(round_id: int) -> Page:
    """Begin to read; on record, because the office asks who opened it."""
    invitation = _invitation(round_id)
    if not Form().validate():
        return _show_page(invitation), 422
    reviews.start(invitation, by=current_user, now=now())
    db.session.commit()
    return redirect(url_for(".read", round_id=round_id))


@blueprint.get(f"{REVIEW}/text")
def read(round_id: int) -> str:
    """The words, in the look of the public reader, each section with the way to its form."""
    invitation, text = _reading(round_id)
    at = now()
    ways = Ways(invitation, text, writable=invitation.may_write(at))
    return render_template(
        "panel/reviews/read.html",
        invitation=invitation,
        round=invitation.round,
        text=text,
        slot=ways.slot,
        top=ways.way(text.by_mark[round_texts.TOP]) if round_texts.TOP in text.by_mark else "",
        now=at,
    )


class Ways:
    """The links from the words to the forms, with what was said so far."""

    def __init__(self, invitation: Invitation, text: Text, *, writable: bool) -> None:
        self._round_id = invitation.round_id
        self._by_mark = text.by_mark
        self._reviewed = _by_section(invitation)
        self._verb = _("填写本节意见") if writable else _("看本节意见")

    def slot(self, _kind: str, entry: Entry) -> Markup:
        """What stands beside a paragraph: at a section's heading, the way to its form."""
        section = self._by_mark.get(entry.mark) if entry.level else None
        return self.way(section) if section else Markup("")

    def way(self, section: Section) -> Markup:
        """The link to a section's form."""
        review = self._reviewed.get(section.mark)
        address = url_for(".section", round_id=self._round_id, section=section.mark)
        link = Markup('<a href="{}">{}<span class="visually-hidden">：{}</span></a><span>{}</span>')
        return link.format(address, self._verb, section.title, standing(review))


def standing(review: SectionReview | None) -> str:
    """What a member has said of a section, in a word."""
    if review is None or (review.verdict is None and not review.interest):
        return str(_("有草稿") if review is not None and review.is_remark else _("未填写"))
    return str(_("已申报回避")) if review.interest or not review.verdict else review.verdict.title


# --- one section -------------------------------------------------------------------------------------


@blueprint.get(SECTION)
def section(round_id: int, section: int) -> str:
    """The words of a section and the form."""
    invitation, text = _reading(round_id)
    found = _section(text, section)
    review = _by_section(invitation).get(section)
    return _section_page(invitation, text, found, form_for(found, review, fresh=True))


@blueprint.post(SECTION)
def save(round_id: int, section: int) -> Page:
    """Keep what was said as a draft; what was changed elsewhere meanwhile is shown, not lost."""
    invitation, text = _reading(round_id)
    found = _section(text, section)
    form = form_for(found, None, fresh=False)
    if not form.validate():
        return _section_page(invitation, text, found, form), 422
    try:
        reviews.save_section(invitation, found, form.said, seen=form.edition, now=now())
    except Overtaken:
        db.session.rollback()
        invitation, text = _reading(round_id)
        return _section_page(invitation, text, found, form, overtaken=True), 409
    except Refused as refusal:
        db.session.rollback()
        invitation, text = _reading(round_id)
        return _section_page(invitation, text, found, form, refusal=refusal.sentence), 409
    db.session.commit()
    flash(_("本节意见已保存为草稿，签署以后才算提交。"), "success")
    marks = [each.mark for each in text.sections]
    later = marks[marks.index(section) + 1 :]
    if later:
        return redirect(url_for(".section", round_id=round_id, section=later[0]))
    return redirect(url_for(".show", round_id=round_id))


def _section_page(
    invitation: Invitation,
    text: Text,
    found: Section,
    form: SectionForm,
    *,
    overtaken: bool = False,
    refusal: str = "",
    interest_form: InterestForm | None = None,
) -> str:
    at = now()
    review = _by_section(invitation).get(found.mark)
    if overtaken and review is not None:
        form.shows(review.edition)
    marks = [each.mark for each in text.sections]
    place = marks.index(found.mark)
    return render_template(
        "panel/reviews/section.html",
        invitation=invitation,
        round=invitation.round,
        section=found,
        place=place + 1,
        number=len(marks),
        before=marks[place - 1] if place else None,
        after=marks[place + 1] if place + 1 < len(marks) else None,
        review=review,
        told=reviews.told(found, review) if review else None,
        form=form,
        interest_form=interest_form or InterestForm(formdata=None),
        plain=Form(formdata=None),
        writable=invitation.may_write(at),
        overtaken=overtaken,
        refusal=refusal,
        now=at,
    )


@blueprint.post(f"{SECTION}/interest")
def declare(round_id: int, section: int) -> Page:
    """Declare an interest: the section closes for this member."""
    invitation, text = _reading(round_id)
    found = _section(text, section)
    form = InterestForm()
    if not form.validate():
        fresh = form_for(found, _by_section(invitation).get(section), fresh=True)
        return _section_page(invitation, text, found, fresh, interest_form=form), 422
    words = form.interest_words.data
    reviews.declare_interest(invitation, found, words, by=current_user, now=now())
    db.session.commit()
    flash(_("已申报利益关系，这一节不再请您提意见。"), "success")
    return redirect(url_for(".section", round_id=round_id, section=section))


@blueprint.post(f"{SECTION}/interest/lift")
def lift(round_id: int, section: int) -> Page:
    """Take a declaration back that was made by mistake."""
    invitation, text = _reading(round_id)
    found = _section(text, section)
    if not Form().validate():
        abort(400)
    reviews.lift_interest(invitation, found, by=current_user, now=now())
    db.session.commit()
    flash(_("已撤回申报，可以对这一节提意见。"), "success")
    return redirect(url_for(".section", round_id=round_id, section=section))


# --- the questions ------------------------------------------------------------------------------------


@blueprint.get(f"{REVIEW}/questions")
def questions(round_id: int) -> str:
    """The questions and what is said of the whole."""
    invitation, _text = _reading(round_id)
    return _questions_page(invitation, answers_for(invitation, fresh=True))


@blueprint.post(f"{REVIEW}/questions")
def answer(round_id: int) -> Page:
    """Keep the answers as a draft."""
    invitation, _text = _reading(round_id)
    form = answers_for(invitation, fresh=False)
    if not form.validate():
        return _questions_page(invitation, form), 422
    try:
        reviews.save_answers(
            invitation, form.answers, form.overall.data, seen=form.edition, now=now()
        )
    except Overtaken:
        db.session.rollback()
        invitation, _text = _reading(round_id)
        return _questions_page(invitation, form, overtaken=True), 409
    except Refused as refusal:
        db.session.rollback()
        invitation, _text = _reading(round_id)
        return _questions_page(invitation, form, refusal=refusal.sentence), 409
    db.session.commit()
    flash(_("回答已保存为草稿，签署以后才算提交。"), "success")
    return redirect(url_for(".show", round_id=round_id))


def _questions_page(
    invitation: Invitation, form: AnswersForm, *, overtaken: bool = False, refusal: str = ""
) -> str:
    if overtaken:
        form.shows(invitation.edition)
    return render_template(
        "panel/reviews/questions.html",
        invitation=invitation,
        round=invitation.round,
        form=form,
        fields=[form[f"answer_{n}"] for n in range(form.number)],
        writable=invitation.may_write(now()),
        overtaken=overtaken,
        refusal=refusal,
    )


# --- signing ------------------------------------------------------------------------------------------


@blueprint.get(f"{REVIEW}/sign")
def confirm(round_id: int) -> str:
    """The whole review once more, before it is signed."""
    invitation, _text = _reading(round_id)
    return _sign_page(invitation, SignForm(formdata=None))


@blueprint.post(f"{REVIEW}/sign")
def sign(round_id: int) -> Page:
    """Sign; two signatures at once are one."""
    invitation, _text = _reading(round_id)
    form = SignForm().expects(invitation.name)
    if not form.validate():
        return _sign_page(invitation, form), 422
    with refusals_on(lambda sentence: _sign_page(_invitation(round_id), form, refusal=sentence)):
        reviews.sign(
            invitation,
            name=form.name.data,
            rest_is_none=form.rest.data,
            by=current_user,
            now=now(),
        )
    db.session.commit()
    flash(_("已签署。截止以前可以撤回，修改后重新签署。"), "success")
    return redirect(url_for(".show", round_id=round_id))


def _sign_page(invitation: Invitation, form: SignForm, *, refusal: str = "") -> str:
    text = text_of(invitation.round)
    told = reviews.told_by(invitation)
    spoken = {each.section.mark for each in told if each.review.verdict or each.review.interest}
    return render_template(
        "panel/reviews/sign.html",
        invitation=invitation,
        round=invitation.round,
        form=form,
        told=told,
        missing=[each for each in text.sections if each.mark not in spoken],
        unfinished=reviews.unfinished(invitation),
        writable=invitation.may_write(now()),
        refusal=refusal,
        now=now(),
    )


@blueprint.post(f"{REVIEW}/withdraw")
def withdraw(round_id: int) -> Page:
    """Take the signature back."""
    invitation = _invitation(round_id)
    if not Form().validate():
        return _show_page(invitation), 422
    with refusals_on(lambda sentence: _show_page(_invitation(round_id), refusal=sentence)):
        reviews.withdraw(invitation, by=current_user, now=now())
    db.session.commit()
    flash(_("已撤回签署。请在截止以前修改并重新签署，否则记为未反馈。"), "warning")
    return redirect(url_for(".show", round_id=round_id))


# --- what the others said ------------------------------------------------------------------------------


@blueprint.get(f"{REVIEW}/others")
def others(round_id: int) -> str:
    """After the release: what every signed review says, by name or without, as was said at the
    opening. Part by part, so many on a page that they hold `PAGE` remarks."""
    invitation = _invitation(round_id)
    if invitation.round.state is not RoundState.RELEASED:
        abort(404)
    parts = released_reviews.parts_of(invitation.round)
    begin = number_in("part", 0) or 0
    if begin and begin >= len(parts):
        abort(404)
    end, remarks = begin, 0
    while end < len(parts) and remarks < PAGE:
        remarks += len(parts[end].remarks) + len(parts[end].answers)
        end += 1
    return render_template(
        "panel/reviews/others.html",
        round=invitation.round,
        invitation=invitation,
        parts=parts[begin:end],
        first_url=url_for(".others", round_id=round_id) if begin else None,
        next_url=url_for(".others", round_id=round_id, part=end) if end < len(parts) else None,
    )
