"""What is asked of the office about a review round: what it is about and whom it asks, why it is
extended or ended, a member to be added, a paper."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    Field,
    FileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    widgets,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange, ValidationError

from consult import consultations
from consult.drafts import Draft, Version, VersionState
from consult.topics import Topic
from consult.views.publishing import DayField
from core.db import db
from core.forms import Form, LineField, NumberField, TextField, Words
from core.web import local, now
from panel import appointments, members, namesakes, quotas, rounds
from panel.namesakes import Person
from panel.rounds import Plan, ReviewRound

MOST_VERSIONS = 100


class RoundForm(Form):
    """What the office writes down about a round."""

    version = SelectField(_l("审阅的文稿"), validators=[InputRequired(_l("请选择文稿。"))])
    title = LineField(
        _l("名称"),
        [Words(most=200, missing=_l("请填写名称。"))],
        description=_l("例如：请审阅《规划纲要（草案）》。"),
    )
    explanation = TextField(
        _l("说明"),
        [Words(least=0, most=10_000, missing="")],
        description=_l("请成员看什么、重点提什么意见；成员打开文稿前先看到这段话。"),
        render_kw={"rows": 5},
    )
    questions = TextField(
        _l("要回答的问题"),
        [Words(least=0, most=10_000, missing="")],
        description=_l("每行一个，最多20个；可以不填。"),
        render_kw={"rows": 4},
    )
    due = DayField(
        _l("截止日期"),
        [InputRequired(_l("请选择日期。"))],
        description=_l("当天24:00截止。截止前可以撤回签署、修改后重新签署。"),
    )
    by_name = RadioField(
        _l("公布时"),
        choices=[SelectChoice("yes", _l("署名")), SelectChoice("no", _l("不署名"))],
        default="yes",
        description=_l("开始时就告诉成员，以后不能改。"),
    )
    quorum = NumberField(
        _l("有效人数"),
        [NumberRange(min=0, max=10_000, message=_l("请填写0到10000之间的整数。"))],
        default=0,
        description=_l("签署达到这个人数，这一轮才算有效；0表示不规定。"),
    )
    categories = SelectMultipleField(
        _l("只发给这些类别"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    fields = SelectMultipleField(
        _l("只发给熟悉这些领域的成员"),
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    names = TextField(
        _l("另外点名"),
        [Words(least=0, most=10_000, missing="")],
        description=_l(
            "在任成员的姓名，一行一位，或者用顿号隔开；同名的在姓名后用括号写明编号、类别或单位，例如“王强（第12号）”。"
            "类别、领域、点名都不填，就发给全体在任成员。"
        ),
        render_kw={"rows": 3},
    )

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.versions = {str(each.id): each for each in _versions()}
        self.version.choices = [
            SelectChoice(key, _version_name(each)) for key, each in self.versions.items()
        ]
        programme_ids = {each.draft.consultation.programme_id for each in self.versions.values()}
        every = [name for each in sorted(programme_ids) for name in quotas.categories(each)]
        self.categories.choices = [SelectChoice(name, name) for name in dict.fromkeys(every)]
        topics = db.session.execute(
            sa.select(Topic.key, Topic.title)
            .where(Topic.programme_id.in_(programme_ids))
            .order_by(Topic.programme_id, Topic.ordinal)
        )
        found = {row[0]: row[1] for row in topics}
        self.fields.choices = [SelectChoice(key, title) for key, title in found.items()]
        sitting = [each for one in sorted(programme_ids) for each in _sitting(one)]
        # Told beforehand: whoever writes such a name needs more than the name.
        self.namesakes = namesakes.listed(namesakes.namesakes(dict.fromkeys(sitting)))

    def validate_by_name(self, field: Field) -> None:
        """One of the two."""
        if field.data not in ("yes", "no"):
            raise ValidationError(_("请选择公布时是否署名。"))

    def validate_questions(self, field: Field) -> None:
        """Not too many, each of a readable length."""
        found = _lines(field.data)
        if len(found) > rounds.MOST_QUESTIONS or any(len(each) > 300 for each in found):
            raise ValidationError(_("最多20个问题，每个最多300字。"))

    def validate_names(self, field: Field) -> None:
        """Everybody named sits, and it is plain which of those who are called so is meant."""
        self.named: list[int] = []
        version = self.versions.get(self.version.data or "")
        if version is None or not field.data:
            return
        sitting = _sitting(version.draft.consultation.programme_id)
        for name in namesakes.names_in(field.data):
            found = namesakes.named(name, sitting)
            if not found:
                raise ValidationError(_("没有在任成员叫“%(name)s”。", name=name))
            if len(found) > 1:
                raise ValidationError(
                    _(
                        "叫“%(name)s”的在任成员不止一位，请在姓名后用括号写明编号：%(who)s。",
                        name=name,
                        who=namesakes.listed(found),
                    )
                )
            if found[0].number not in self.named:
                self.named.append(found[0].number)

    def plan(self) -> Plan:
        """The round as it is to be kept."""
        last: dt.date = self.due.data
        return Plan(
            title=self.title.data,
            explanation=self.explanation.data,
            questions=_lines(self.questions.data),
            due_at=consultations.window(last, last)[1],
            by_name=self.by_name.data == "yes",
            quorum=self.quorum.data,
            categories=list(self.categories.data or []),
            fields=list(self.fields.data or []),
            members=self.named,
        )


def _sitting(programme_id: int) -> list[Person]:
    return namesakes.seated(appointments.sitting(programme_id, local(now()).date()))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _versions() -> Sequence[Version]:
    query = sa.select(Version).join(Draft).order_by(Version.id.desc()).limit(MOST_VERSIONS)
    return db.session.scalars(query).all()


def _version_name(version: Version) -> str:
    state = _("已公布") if version.state is VersionState.PUBLISHED else _("尚未公布")
    number = _("第%(n)d稿", n=version.number)
    return f"{version.draft.title} · {number}（{state}） · {version.draft.consultation.title}"


def as_form(found: ReviewRound) -> dict[str, Any]:
    """What was written down, as the form shows it."""
    version = rounds.version_of(found)
    chosen = found.audience.get("members", [])
    sitting = namesakes.written(_sitting(found.programme_id))
    gone = [each for each in chosen if each not in sitting]
    # Who has left is not to be taken for a namesake who stayed.
    names = sitting | {
        each.id: namesakes.numbered(each.name, each.id) for each in map(members.by_id, gone) if each
    }
    return {
        "version": str(version.id) if version else "",
        "title": found.title,
        "explanation": found.explanation,
        "questions": "\n".join(found.questions),
        "due": local(found.due_at - dt.timedelta(seconds=1)).date(),
        "by_name": "yes" if found.by_name else "no",
        "quorum": found.quorum,
        "categories": found.audience.get("categories", []),
        "fields": found.audience.get("fields", []),
        "names": "\n".join(names[each] for each in chosen if each in names),
    }


class ReasonForm(Form):
    """Why."""

    reason = LineField(_l("理由"), [Words(most=300, missing=_l("请写明理由。"))])


class AddForm(Form):
    """Whom to ask, too, and why; it stands on one page with another reason."""

    member = SelectField(_l("成员"), validators=[InputRequired(_l("请选择成员。"))])
    why = LineField(_l("增加的理由"), [Words(most=300, missing=_l("请写明理由。"))])


class PaperForm(Form):
    """One paper."""

    file = FileField(_l("文件"), description=_l("PDF、Word 或 Excel 文件，不超过20MB。"))


class ExtensionForm(ReasonForm):
    """For whom, until when, and why."""

    who = SelectField(_l("给谁延长"))
    last = DayField(
        _l("新的截止日期"),
        [InputRequired(_l("请选择日期。"))],
        description=_l("当天24:00截止。只能延长。"),
    )
