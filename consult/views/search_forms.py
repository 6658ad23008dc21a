"""What a reader may ask for, read from the address so that every list can be shared."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, Field, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional, ValidationError

from consult import search_text
from consult.submissions import EARLIEST, Channel, Stance
from core.forms import Form, LineField, Words

# Not offered: nobody looks for those who said nothing about it.
STANCES = [each for each in Stance if each is not Stance.NONE]
LONGEST_TERM = 40


class FilterForm(Form):
    """Words and facts by which opinions are chosen; everything may be left out."""

    class Meta(Form.Meta):
        """Read from the address of a page that anybody may pass on: nothing to protect."""

        csrf = False

    # A whole paragraph that is pasted is looked for by its beginning; the address would be too long
    # for any server otherwise.
    q = LineField(_l("检索词"), render_kw={"maxlength": search_text.LONGEST})
    term = LineField(
        _l("词"),
        [Words(least=0, most=LONGEST_TERM, missing="")],
        description=_l("按词典计数的词，同义的说法一并找：写“加梯”，也找到写“加装电梯”的。"),
        render_kw={"maxlength": LONGEST_TERM, "autocomplete": "off"},
    )
    channel = SelectField(
        _l("渠道"),
        choices=[SelectChoice(each, each) for each in ("", *(c.value for c in Channel))],
        default="",
    )
    stance = SelectField(
        _l("态度"),
        description=_l("作者自己选了态度的意见。"),
        choices=[SelectChoice(each, each) for each in ("", *(s.value for s in STANCES))],
        default="",
    )
    since = DateField(_l("收到日期从"), [Optional()])
    until = DateField(_l("到"), [Optional()])

    def __init__(self, address: Mapping[str, str], **more: Any) -> None:
        super().__init__(address, **more)
        anything = _("全部")
        self.channel.choices = [
            SelectChoice("", anything),
            *(SelectChoice(each.value, each.title) for each in Channel),
        ]
        self.stance.choices = [
            SelectChoice("", anything),
            *(SelectChoice(each.value, each.title) for each in STANCES),
        ]

    def validate_q(self, field: Field) -> None:
        """Words that the index can look for."""
        words = search_text.needles(field.data or "")
        if words and max(map(len, words)) < search_text.SHORTEST:
            raise ValidationError(_("只有一个字，找到的会太多。请至少输入两个字。"))
        if len(field.data or "") > search_text.LONGEST:
            raise ValidationError(
                _("检索词最多%(n)d字，请只留下最要紧的几个字。", n=search_text.LONGEST)
            )

    def validate_term(self, field: Field) -> None:
        """One word, as the dictionary has them."""
        if field.data and (len(field.data) < search_text.SHORTEST or " " in field.data):
            raise ValidationError(_("请写一个词，至少两个字，中间没有空格。"))

    def validate_since(self, field: Field) -> None:
        """A day on which something can have been received."""
        if field.data and field.data < EARLIEST:
            raise ValidationError(_("日期太早，请检查年份。"))

    def validate_until(self, field: Field) -> None:
        """Such a day, and a span of days that can be."""
        self.validate_since(field)
        if self.since.data and field.data and field.data < self.since.data:
            raise ValidationError(_("截止日期早于起始日期，请对调后再查。"))

    @property
    def needles(self) -> tuple[str, ...]:
        """The folded words that must all be found."""
        return tuple(search_text.needles(self.q.data or ""))

    @property
    def facts(self) -> dict[str, Any]:
        """What is chosen besides words, as `search.Query` calls it."""
        return {
            "channel": Channel(self.channel.data) if self.channel.data else None,
            "stance": Stance(self.stance.data) if self.stance.data else None,
            "first_day": self.since.data,
            "last_day": self.until.data,
        }

    @property
    def chosen(self) -> dict[str, str]:
        """What is chosen, as an address says it."""
        said = {
            "q": self.q.data or "",
            "term": self.term.data or "",
            "channel": self.channel.data or "",
            "stance": self.stance.data or "",
            "since": self.since.data.isoformat() if self.since.data else "",
            "until": self.until.data.isoformat() if self.until.data else "",
        }
        return {name: value for name, value in said.items() if value}
