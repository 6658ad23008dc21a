"""What is asked of somebody who would like to sit on the panel, or whom a unit recommends, and of
the office that decides."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, HiddenField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from consult import topics
from consult.programmes import Programme
from core import addresses
from core.forms import Form, LineField, OnceForm, Telling, TextField, Words
from panel import applications
from panel.applications import Person, Refusal, Tie, Wish
from panel.calls import Call
from panel.members import NAME_LENGTH
from panel.views.member_forms import Checks, ParticularsForm, TermDaysForm


class PersonForm(OnceForm, ParticularsForm):
    """Who somebody is, and for what they would sit."""

    name = LineField(
        _l("姓名"),
        [Words(most=NAME_LENGTH, missing=_l("请填写姓名。"))],
        render_kw={"autocomplete": "name"},
    )
    contact = LineField(
        _l("手机号或电子邮箱"),
        [Words(least=1, most=100, missing=_l("请填写手机号或电子邮箱。"))],
        description=_l("用来通知结果，受聘后用来登录；加密保存，不公开。"),
        render_kw={"autocomplete": "email", "spellcheck": "false"},
    )
    category = SelectField(_l("类别"), validators=[InputRequired(_l("请选择类别。"))])
    sub_district = LineField(
        _l("街镇"),
        [Words(least=0, most=60, missing="")],
        description=_l("居住或工作所在的街道、镇。"),
        render_kw={"autocomplete": "off"},
    )
    tie = RadioField(_l("与本区的关系"), validators=[InputRequired(_l("请选择与本区的关系。"))])
    expertise = Checks(_l("熟悉的领域"), description=_l("可以选几项，也可以不选。"))

    def offer(self, programme: Programme, kinds: list[str], places: list[str]) -> None:
        """Let the form choose among these categories and places, and the programme's topics."""
        self.category.choices = [SelectChoice(kind, kind) for kind in kinds]
        if len(kinds) != 1:
            self.category.choices.insert(0, SelectChoice("", _("请选择")))
        self.tie.choices = [SelectChoice(each.value, each.title) for each in Tie]
        self.expertise.choices = [
            SelectChoice(topic.key, topic.title) for topic in topics.of(programme)
        ]
        self.places = places

    def validate_contact(self, field: Field) -> None:
        """Refuse what no message can be sent to."""
        if field.data and not addresses.can_be_reached(field.data):
            raise ValidationError(_("请填写完整的手机号或电子邮箱。"))

    @property
    def person(self) -> Person:
        """Who it is."""
        return Person(
            name=self.name.data or "",
            contact=addresses.fold(self.contact.data or ""),
            gender=self.gender.data or "",
            birth_year=self.born,
            unit_text=self.unit_text.data or "",
        )


class ApplicationForm(PersonForm):
    """What a resident fills in."""

    statement = TextField(
        _l("自荐说明"),
        [
            Telling(
                least=10,
                most=applications.STATEMENT,
                missing=_l("请写几句自荐的话。"),
            )
        ],
        description=_l("您熟悉哪些方面、为什么愿意参与，几句话就可以；不要写身份证号码。"),
        render_kw={"rows": 6, "data-keep": ""},
    )
    is_adult = BooleanField(
        _l("我声明已满18周岁"), [InputRequired(_l("成员须年满18周岁，请勾选声明。"))]
    )
    is_name_public = BooleanField(
        _l("受聘后同意公开姓名、单位和专长；不勾选则显示为“王**”，不影响选聘")
    )
    consent = BooleanField(
        _l("我已阅读并同意《知情同意》，填写的情况属实"),
        [InputRequired(_l("请阅读并勾选同意，然后再提交。"))],
    )
    proof = HiddenField()

    def offer_call(self, programme: Programme, call: Call) -> "ApplicationForm":
        """Let the form choose among what this call is for."""
        self.offer(programme, list(call.categories), list(call.places))
        return self

    def validate_sub_district(self, field: Field) -> None:
        """Needed, and one of the call's, where the call is for some places only."""
        if self.places and field.data not in self.places:
            raise ValidationError(
                _("这次征集面向%(places)s，请填写其中一个。", places="、".join(self.places))
            )

    def validate_tie(self, field: Field) -> None:
        """Said at once, not after weeks of waiting."""
        if field.data == Tie.NONE.value:
            raise ValidationError(_("成员须在本区居住、工作或学习。"))

    @property
    def wish(self) -> Wish:
        """For what they apply."""
        return Wish(
            category=self.category.data,
            statement=self.statement.data or "",
            fields=tuple(self.expertise.data or ()),
            sub_district=self.sub_district.data or "",
            is_adult=bool(self.is_adult.data),
            tie=Tie(self.tie.data),
            is_name_public=bool(self.is_name_public.data),
        )


class RecommendationForm(PersonForm):
    """What a unit says of whom it recommends."""

    statement = TextField(
        _l("推荐理由"),
        [
            Telling(
                least=10,
                most=applications.STATEMENT,
                missing=_l("请写明推荐的理由。"),
            )
        ],
        description=_l("专业背景、代表哪些方面、能否反映社情民意。"),
        render_kw={"rows": 6},
    )
    is_adult = BooleanField(
        _l("本人已满18周岁"), [InputRequired(_l("成员须年满18周岁，请核对后勾选。"))]
    )
    consent = BooleanField(
        _l("本人知道并同意这项推荐，已读过《知情同意》"),
        [InputRequired(_l("请先征得本人同意，再勾选提交。"))],
    )

    @property
    def wish(self) -> Wish:
        """For what they are recommended. Whether their name is public they say themselves, later."""
        return Wish(
            category=self.category.data,
            statement=self.statement.data or "",
            fields=tuple(self.expertise.data or ()),
            sub_district=self.sub_district.data or "",
            is_adult=bool(self.is_adult.data),
            tie=Tie(self.tie.data),
        )


class ShortlistForm(Form):
    """Why somebody stands on the shortlist."""

    reasons = TextField(
        _l("入围理由"),
        [Telling(least=2, most=500, missing=_l("请写明入围的理由。"))],
        description=_l("结合专长、代表性和构成需要写明；供第二人审核，不对外公开。"),
        render_kw={"rows": 3},
    )


class RefusalForm(Form):
    """Why somebody is not chosen."""

    refusal = SelectField(_l("原因"), validators=[InputRequired(_l("请选择原因。"))])
    told = TextField(
        _l("向本人说明"),
        [Telling(least=4, most=500, missing=_l("请用一两句话向申请人说明理由。"))],
        description=_l("申请人凭编号查询时会看到，并会收到通知，请用语平和、说明具体。"),
        render_kw={"rows": 3},
    )

    def offer(self) -> "RefusalForm":
        """Name the reasons in the reader's language."""
        every = [SelectChoice(each.value, each.title) for each in Refusal]
        self.refusal.choices = [SelectChoice("", _("请选择")), *every]
        return self


class ProposalForm(TermDaysForm):
    """For how long somebody of the shortlist is proposed."""


class WithdrawalForm(Form):
    """The word that it is meant."""

    confirm = BooleanField(
        _l("我要撤回，知道撤回后填写的内容即被删除，不能恢复"),
        [InputRequired(_l("请先勾选，确认撤回。"))],
    )
