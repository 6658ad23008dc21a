"""What is asked of the officer who calls for members: the notice, a later end, an early one."""

import datetime as dt
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from consult import consultations
from consult.programmes import Programme
from consult.views.publishing import DayField
from core.forms import Form, LineField, Telling, TextField, Words
from core.text import tidy_line
from core.web import local
from panel import quotas
from panel.calls import Call, Notice
from panel.views.member_forms import Checks


class CallForm(Form):
    """What a call says."""

    title = LineField(
        _l("标题"),
        [Words(most=120, missing=_l("请填写标题。"))],
        description=_l("例如：公开征集社区居民代表"),
    )
    about = TextField(
        _l("征集说明"),
        [Telling(least=10, most=3000, missing=_l("请写明征集的说明。"))],
        description=_l("写明需要哪些人、做什么、怎样选聘和联系方式。"),
        render_kw={"rows": 6},
    )
    categories = Checks(_l("征集哪些类别"), [InputRequired(_l("请至少选择一个类别。"))])
    places = TextField(
        _l("面向哪些街镇"),
        [Words(least=0, most=1000, missing="")],
        description=_l("每行写一个；留空即面向全区。"),
        render_kw={"rows": 3},
    )
    first = DayField(
        _l("开始日期"),
        [InputRequired(_l("请选择开始日期。"))],
        description=_l("当天0:00开始接受申请。"),
    )
    last = DayField(
        _l("截止日期"),
        [InputRequired(_l("请选择截止日期。"))],
        description=_l("当天24:00截止，首尾两天都算。"),
    )

    def offer(self, programme: Programme) -> "CallForm":
        """Let the form choose among the programme's categories."""
        self.categories.choices = [
            SelectChoice(kind, kind) for kind in quotas.categories(programme.id)
        ]
        return self

    def validate_places(self, field: Field) -> None:
        """Names that fit their column, and not too many."""
        named = self.named if field.data else []
        if len(named) > 30 or any(len(each) > 60 for each in named):
            raise ValidationError(_("最多写30个街镇，每个不超过60字。"))

    def validate_last(self, field: Field) -> None:
        """Not before the first day."""
        if self.first.data and field.data and field.data < self.first.data:
            raise ValidationError(_("截止日期不能早于开始日期。"))

    @property
    def named(self) -> list[str]:
        """The places, each once."""
        lines = (tidy_line(line) for line in (self.places.data or "").split("\n"))
        return list(dict.fromkeys(each for each in lines if each))

    @property
    def notice(self) -> Notice:
        """What was filled in."""
        opens_at, closes_at = consultations.window(self.first.data, self.last.data)
        return Notice(
            title=self.title.data or "",
            about=self.about.data or "",
            categories=self.categories.data or (),
            places=self.named,
            opens_at=opens_at,
            closes_at=closes_at,
        )


class ProlongForm(Form):
    """A later last day, and why."""

    last = DayField(
        _l("新的截止日期"),
        [InputRequired(_l("请选择新的截止日期。"))],
        description=_l("当天24:00截止。只能延长。"),
    )
    why = LineField(
        _l("延长的理由"),
        [Telling(least=2, most=200, missing=_l("请写明延长的理由。"))],
        description=_l("和原来、新的截止日期一起登在征集页上。"),
    )

    @property
    def closes_at(self) -> dt.datetime:
        """The moment it ends from now on."""
        return consultations.window(self.last.data, self.last.data)[1]


class CloseForm(Form):
    """Why a call ends before its time."""

    reason = LineField(
        _l("提前截止的理由"),
        [Telling(least=2, most=200, missing=_l("请写明提前截止的理由。"))],
        description=_l("会登在征集页上。"),
    )


def typed(call: Call) -> dict[str, Any]:
    """A call as the form shows it."""
    return {
        "title": call.title,
        "about": call.about,
        "categories": call.categories,
        "places": "\n".join(call.places),
        "first": local(call.opens_at).date(),
        "last": last_day(call),
    }


def last_day(call: Call) -> dt.date:
    """The last day on which it takes applications; it closes at the midnight that ends it."""
    return local(call.closes_at - dt.timedelta(minutes=1)).date()
