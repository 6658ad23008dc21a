"""What is asked of a person who is to sit on the panel: of the office, of a unit, of themselves."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, RadioField, SelectField, SelectMultipleField, widgets
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from consult import topics
from consult.programmes import Programme
from consult.views.publishing import DayField
from core import addresses, units
from core.forms import Form, LineField, Telling, TextField, Words
from core.web import local, now
from panel import members, quotas
from panel.appointments import Objection, Term
from panel.members import NAME_LENGTH, Details, Gender, Member

OLDEST = 120
# No panel of a plan is appointed for longer than this.
LONGEST_TERM = 3700


class Checks(SelectMultipleField):  # type: ignore[misc]  # WTForms is untyped
    """Several of a list, as boxes to tick."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class ParticularsForm(Form):
    """What may be told of a person beside their name: for statistics and for the list."""

    gender = RadioField(
        _l("性别"),
        choices=[
            SelectChoice("", _l("不填")),
            SelectChoice(Gender.FEMALE.value, _l("女")),
            SelectChoice(Gender.MALE.value, _l("男")),
        ],
        default="",
    )
    birth_year = LineField(
        _l("出生年份"),
        [Words(least=0, most=4, missing="")],
        description=_l("四位数字，例如1975；可以不填，只用于统计年龄构成。"),
        render_kw={"inputmode": "numeric", "class": "short", "autocomplete": "off"},
    )
    unit_text = LineField(
        _l("工作单位和职务"),
        [Words(least=0, most=120, missing="")],
        description=_l("可以不填；社区居民可以写所在居委会。"),
        render_kw={"autocomplete": "off"},
    )

    def validate_birth_year(self, field: Field) -> None:
        """A year somebody who is alive can be born in."""
        typed = field.data or ""
        if not typed:
            return
        this_year = local(now()).year
        if not (typed.isascii() and typed.isdigit() and len(typed) == 4):
            raise ValidationError(_("请写四位数字，例如1975。"))
        if not this_year - OLDEST <= int(typed) <= this_year:
            raise ValidationError(_("请核对出生年份。"))

    @property
    def born(self) -> int | None:
        """The year, where one was given."""
        return int(self.birth_year.data) if self.birth_year.data else None


class DetailsForm(ParticularsForm):
    """Who somebody is."""

    name = LineField(
        _l("姓名"),
        [Words(most=NAME_LENGTH, missing=_l("请填写姓名。"))],
        render_kw={"autocomplete": "off"},
    )
    contact = LineField(
        _l("联系方式"),
        [Words(least=0, most=100, missing="")],
        description=_l("电子邮箱或手机号，加密保存，不公开；邀请和通知发到这里。"),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    is_name_public = BooleanField(_l("本人同意公开姓名、单位和专长；不勾选则显示为“王**”"))

    _of: Member | None = None

    def about(self, member: Member) -> "DetailsForm":
        """Say whose details these are, where somebody is in the register already."""
        self._of = member
        return self

    def validate_contact(self, field: Field) -> None:
        """Refuse what no message can be sent to, and what somebody else in the register is reached
        by: entered twice, one person could sit in two categories."""
        if not field.data:
            return
        if not addresses.can_be_reached(field.data):
            raise ValidationError(_("请填写完整的邮箱地址，或11位手机号。"))
        known = members.with_contact(addresses.fold(field.data))
        if known is not None and known is not self._of:
            raise ValidationError(
                _(
                    "名册里%(name)s用的就是这个联系方式。是同一个人的，请在名册里打开后提名任期；不是的，请换一个。",
                    name=known.name,
                )
            )

    @property
    def details(self) -> Details:
        """The answers."""
        return Details(
            name=self.name.data or "",
            gender=Gender(self.gender.data) if self.gender.data else None,
            birth_year=self.born,
            unit_text=self.unit_text.data or "",
            contact=addresses.fold(self.contact.data) if self.contact.data else "",
            is_name_public=bool(self.is_name_public.data),
        )


def told(member: Member) -> dict[str, Any]:
    """A member's details as the form shows them; how to reach them is not shown again."""
    return {
        "name": member.name,
        "gender": member.gender.value if member.gender else "",
        "birth_year": str(member.birth_year or ""),
        "unit_text": member.unit_text,
        "contact": "",
        "is_name_public": member.is_name_public,
    }


class SeatForm(Form):
    """In which category, with what expertise, from where."""

    category = SelectField(_l("类别"), validators=[InputRequired(_l("请选择类别。"))])
    expertise = Checks(
        _l("专长领域"), description=_l("按规划研究课题归类，可选几项，按领域征询意见时用。")
    )
    sub_district = LineField(
        _l("街镇"),
        [Words(least=0, most=60, missing="")],
        description=_l("居住或工作所在的街道、镇。"),
        render_kw={"autocomplete": "off"},
    )

    def offer(self, programme: Programme) -> None:
        """Let the form choose among the programme's categories and topics."""
        kinds = quotas.categories(programme.id)
        self.category.choices = [SelectChoice(kind, kind) for kind in kinds]
        self.expertise.choices = [
            SelectChoice(topic.key, topic.title) for topic in topics.of(programme)
        ]


class TermDaysForm(Form):
    """From when to when."""

    term_from = DayField(_l("任期自"), [InputRequired(_l("请选择任期起始日。"))])
    term_to = DayField(_l("任期至"), [InputRequired(_l("请选择任期届满日。"))])

    def validate_term_to(self, field: Field) -> None:
        """A term ends after it begins, and is no life-long office."""
        begins = self.term_from.data
        if field.data is None or begins is None:
            return
        if field.data < begins:
            raise ValidationError(_("届满日不能早于起始日。"))
        if (field.data - begins).days > LONGEST_TERM:
            raise ValidationError(_("任期过长，请核对。"))


class TermForm(SeatForm, TermDaysForm):
    """For how long, and on whose recommendation."""

    recommended_by = SelectField(_l("推荐单位"), default="")

    def offer(self, programme: Programme) -> None:
        """Let the form choose among units as well."""
        super().offer(programme)
        every = [SelectChoice(str(unit.id), unit.name) for unit in units.every()]
        self.recommended_by.choices = [SelectChoice("", _("（无）")), *every]

    @property
    def term(self) -> Term:
        """The answers."""
        unit = self.recommended_by.data
        return Term(
            category=self.category.data,
            term_from=self.term_from.data,
            term_to=self.term_to.data,
            fields=tuple(self.expertise.data or ()),
            sub_district=self.sub_district.data or "",
            recommended_by_unit_id=int(unit) if unit else None,
        )


class NewMemberForm(DetailsForm, TermForm):
    """A person who is entered and proposed in one go."""


class ObjectionForm(Form):
    """Why somebody is not appointed."""

    objection = SelectField(_l("不予聘任的原因"), validators=[InputRequired(_l("请选择原因。"))])
    reason = LineField(
        _l("说明"),
        [Telling(least=2, most=200, missing=_l("请用一两句话说明理由。"))],
        description=_l(
            "申请或经推荐的，会通知本人和推荐单位，查询时也能看到，请用语平和、说明具体。"
        ),
    )

    def offer(self) -> "ObjectionForm":
        """Name the reasons in the reader's language; taking back is not the office's."""
        every = [SelectChoice(e.value, e.title) for e in Objection if e is not Objection.WITHDRAWN]
        self.objection.choices = [SelectChoice("", _("请选择")), *every]
        return self


class LeaveForm(Form):
    """From when on somebody no longer sits, why, and who follows."""

    on_day = DayField(_l("自哪一天起不再任职"), [InputRequired(_l("请选择日期。"))])
    reason = LineField(
        _l("离任原因"),
        [Words(least=1, most=200, missing=_l("请写明离任原因。"))],
        description=_l("例如：工作调动、本人辞任。会记入名册和操作记录。"),
    )
    successor = SelectField(
        _l("接任人"), default="", description=_l("已在名册中的成员；没有可以不选。")
    )


class InterestForm(Form):
    """A stake."""

    words = TextField(
        _l("利益关系"),
        [Telling(least=2, most=300, missing=_l("请写明与哪些事项有利益关系。"))],
        render_kw={"rows": 2},
    )
