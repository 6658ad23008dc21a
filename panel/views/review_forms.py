"""What is asked of a member about a round: what they say of a section and of the whole, an
interest, a signature."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, HiddenField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from core.forms import Form, LineField, TextField, Words
from core.web import whole_number
from panel.reviews import LONGEST, Said, SectionReview, Verdict
from panel.round_texts import Section
from panel.rounds import Invitation


class EditionForm(Form):
    """Words that a member goes on with, perhaps in two windows at once."""

    seen = HiddenField(default="0")

    @property
    def edition(self) -> int:
        """The edition the member saw; one nobody ever had when the field was tampered with."""
        seen = whole_number(self.seen.data)
        return -1 if seen is None else seen

    def shows(self, edition: int) -> None:
        """What stands there now has been seen with this page."""
        self.seen.data = str(edition)
        self.seen.raw_data = [self.seen.data]


class SectionForm(EditionForm):
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

    marks: tuple[int, ...] = ()

    @property
    def said(self) -> Said:
        """What the member wrote."""
        wording = {mark: self[f"wording_{mark}"].data or "" for mark in self.marks}
        verdict = Verdict(self.verdict.data) if self.verdict.data else None
        return Said(verdict, self.words.data, wording)


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


class InterestForm(Form):
    """That a member has a stake in what a section says."""

    interest_words = LineField(
        _l("利益关系"),
        [Words(most=300, missing=_l("请写明有什么利益关系。"))],
        description=_l("例如：本人任职的企业在这一节所说的地块内。"),
    )


class AnswersForm(EditionForm):
    """What is said of the whole; a field for each question is added by `answers_for`."""

    overall = TextField(
        _l("总的意见"),
        [Words(least=0, most=LONGEST, missing="")],
        render_kw={"rows": 5, "data-keep": ""},
    )

    number = 0

    @property
    def answers(self) -> list[str]:
        """The answers in the order of the questions."""
        return [self[f"answer_{n}"].data or "" for n in range(self.number)]


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
