"""A member's review: read, say, sign.

Whoever was not asked in a round is told 404, whether it exists or not; a visitor is shown to the
sign-in page at every address, because a letter leads there.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import BooleanField, Field, HiddenField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from consult.drafts import Entry
from core.db import db
from core.errors import Refused, refusals_on
from core.forms import Form, LineField, TextField, Words
from core.permissions import may
from core.web import keep_private, now, number_in
from panel import reviews, round_papers, round_texts, rounds, rules
from panel.reviews import LONGEST, Overtaken, Said, SectionReview, Verdict
from panel.round_texts import Section, Text, text_of
from panel.rounds import Invitation, ReviewRound, RoundState
from panel.views.meetings import paper_file

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


class SectionForm(Form):
    """What a member says of one section. A field for each paragraph is added by `form_for`."""

    verdict = RadioField(
        _l("审阅意见"),
        choices=[
            SelectChoice(Verdict.AGREE.value, _l("同意")),
            SelectChoice(Verdict.AMEND.value, _l("修改后同意")),
            SelectChoice(Verdict.DISAGREE.value, _l("不同意")),
            SelectChoice(Verdict.NONE.value, _l("无意见")),
            SelectChoice("", _l("还没有想好")),
        ],
        default="",
    )
    words = TextField(
        _l("意见"),
        [Words(least=0, most=LONGEST, missing="")],
        description=_l("选“修改后同意”或“不同意”时，请写明意见，或在下面直接改文字。"),
        render_kw={"rows": 6, "data-keep": ""},
    )
    seen = HiddenField(default="0")

    marks: tuple[int, ...] = ()

    @property
    def said(self) -> Said:
        """What the member wrote."""
        wording = {mark: self[f"wording_{mark}"].data or "" for mark in self.marks}
        verdict = Verdict(self.verdict.data) if self.verdict.data else None
        return Said(verdict, self.words.data, wording)

    @property
    def edition(self) -> int:
        """The edition the member saw; one nobody ever had when the field was tampered with."""
        typed = self.seen.data or ""
        good = typed.isascii() and typed.isdigit() and len(typed) < 9
        return int(typed) if good else -1


class InterestForm(Form):
    """That a member has a stake in what a section says."""

    interest_words = LineField(
        _l("利益关系"),
        [Words(most=300, missing=_l("请写明有什么利益关系。"))],
        description=_l("例如：本人任职的企业在这一节所说的地块内。"),
    )


def form_for(section: Section, review: SectionReview | None, *, fresh: bool) -> SectionForm:
    """The form of a section with a field for the words of each paragraph."""
    fields: dict[str, Any] = {
        f"wording_{entry.mark}": TextField(
            _l("拟改为"),
            [Words(least=0, most=20_000, missing="")],
            render_kw={"rows": 4},
        )
        for entry in section.entries
    }
    marks = tuple(entry.mark for entry in section.entries)
    kind: type[SectionForm] = type("FormOfSection", (SectionForm,), {**fields, "marks": marks})
    given: dict[str, Any] = {f"wording_{e.mark}": e.text for e in section.entries}
    if review is not None:
        given |= {f"wording_{mark}": words for mark, words in review.wording.items()}
        given |= {
            "verdict": review.verdict.value if review.verdict else "",
            "words": review.words,
            "seen": str(review.edition),
        }
    return kind(formdata=None, data=given) if fresh else kind()


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
        # What stands there now has been seen with this page.
        form.seen.data = str(review.edition)
        form.seen.raw_data = [form.seen.data]
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


class AnswersForm(Form):
    """What is said of the whole; a field for each question is added by `answers_for`."""

    overall = TextField(
        _l("总的意见"),
        [Words(least=0, most=LONGEST, missing="")],
        render_kw={"rows": 5, "data-keep": ""},
    )
    seen = HiddenField(default="0")

    number = 0

    @property
    def answers(self) -> list[str]:
        """The answers in the order of the questions."""
        return [self[f"answer_{n}"].data or "" for n in range(self.number)]

    @property
    def edition(self) -> int:
        """The edition the member saw; one nobody ever had when the field was tampered with."""
        typed = self.seen.data or ""
        good = typed.isascii() and typed.isdigit() and len(typed) < 9
        return int(typed) if good else -1


def answers_for(invitation: Invitation, *, fresh: bool) -> AnswersForm:
    """The form with a field for each question."""
    questions = invitation.round.questions
    fields: dict[str, Any] = {
        f"answer_{n}": TextField(
            question, [Words(least=0, most=LONGEST, missing="")], render_kw={"rows": 4}
        )
        for n, question in enumerate(questions)
    }
    more = {**fields, "number": len(questions)}
    kind: type[AnswersForm] = type("FormOfAnswers", (AnswersForm,), more)
    given = {f"answer_{n}": words for n, words in enumerate(invitation.answers)}
    given |= {"overall": invitation.overall, "seen": str(invitation.edition)}
    return kind(formdata=None, data=given) if fresh else kind()


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
        form.seen.data = str(invitation.edition)
        form.seen.raw_data = [form.seen.data]
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


class SignForm(Form):
    """One's own name, written out."""

    name = LineField(
        _l("签署人姓名"),
        [Words(most=60, missing=_l("请填写您的姓名。"))],
        description=_l("请填写您登记的姓名，作为签署。"),
        render_kw={"autocomplete": "name"},
    )
    rest = BooleanField(_l("没有填写的章节，一律记为“无意见”"))

    def expects(self, name: str) -> "SignForm":
        """Say whose name it has to be."""
        self._expected = name
        return self

    def validate_name(self, field: Field) -> None:
        """One's own."""
        if field.data and field.data != self._expected:
            raise ValidationError(
                _("签署的姓名与登记的姓名不一致，请填写“%(name)s”。", name=self._expected)
            )


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


@dataclass(frozen=True, slots=True)
class Part:
    """What all said of one section, or in answer to one question."""

    title: str
    # How many held what, of a section; then (who, what) of those who said more.
    figures: list[tuple[str, int]] = field(default_factory=list)
    remarks: list[tuple[str, Section, SectionReview]] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)

    def told(self) -> list[tuple[str, reviews.Told]]:
        """The remarks as a page shows them: proposed words against the paragraph."""
        return [(name, reviews.told(section, review)) for name, section, review in self.remarks]


@blueprint.get(f"{REVIEW}/others")
def others(round_id: int) -> str:
    """After the release: what every signed review says, by name or without, as was said at the
    opening. Part by part, so many on a page that they hold `PAGE` remarks."""
    invitation = _invitation(round_id)
    if invitation.round.state is not RoundState.RELEASED:
        abort(404)
    parts = [*_of_sections(invitation.round), *_of_the_whole(invitation.round)]
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


def _of_sections(review_round: ReviewRound) -> list[Part]:
    """Section by section, those of which somebody said anything."""
    said: dict[int, list[tuple[str, SectionReview]]] = {}
    verdicts: dict[int, Counter[Verdict]] = {}
    for author, review in reviews.signed_sections(review_round):
        if review.verdict:
            verdicts.setdefault(review.section, Counter())[review.verdict] += 1
        if review.is_remark:
            name = author.name if review_round.by_name else ""
            said.setdefault(review.section, []).append((name, review))
    if not review_round.by_name:
        # The order in which members were asked must not tell them either.
        for every in said.values():
            every.sort(key=lambda pair: pair[1].words)
    return [
        Part(
            each.address or each.title,
            _in_figures(verdicts.get(each.mark, Counter())),
            [(name, each, review) for name, review in said.get(each.mark, [])],
        )
        for each in text_of(review_round).sections
        if each.mark in verdicts or each.mark in said
    ]


def _in_figures(counted: Counter[Verdict]) -> list[tuple[str, int]]:
    return [(each.title, counted[each]) for each in Verdict if counted[each]]


def _of_the_whole(review_round: ReviewRound) -> list[Part]:
    """Question by question what was answered, at the end what was said of the whole."""
    asked = [*review_round.questions, _("总的意见")]
    found: list[list[tuple[str, str]]] = [[] for _question in asked]
    for each in rounds.invitations(review_round):
        if each.signed_at is None:
            continue
        name = each.name if review_round.by_name else ""
        for every, words in zip(found, [*each.answers, each.overall], strict=True):
            if words:
                every.append((name, words))
    if not review_round.by_name:
        for every in found:
            every.sort(key=lambda pair: pair[1])
    return [
        Part(question, answers=every) for question, every in zip(asked, found, strict=True) if every
    ]
