"""Forms: the one place where typed input becomes clean values. What text may be: `core/text.py`."""

import re
import secrets
from collections.abc import Callable
from functools import cache
from threading import local
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.csrf import _FlaskFormCSRF
from flask_wtf.form import SUBMIT_METHODS, _Auto
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import Field, HiddenField, IntegerField, StringField, TextAreaField
from wtforms import FileField as UploadField
from wtforms.csrf.core import CSRFTokenField
from wtforms.i18n import get_translations
from wtforms.validators import ValidationError

from core import addresses, senders
from core.config import of_site
from core.languages import is_english
from core.text import says, tidy, tidy_line, unreadable, visible

# Forgery protection of every POST; a view that only keeps a harmless preference is exempt.
csrf = CSRFProtect()
MOST_DIGITS = 9


class Readable:
    """Refuse what is not text."""

    def __call__(self, form: Any, field: Field) -> None:  # noqa: ARG002
        if field.data and unreadable(field.data):
            raise ValidationError(_l("文字里有无法识别的字符，请删去后再提交。"))


class Words:
    """Hold a text to at most `most` characters (code points), at least `least` of them visible."""

    def __init__(self, *, least: int = 1, most: int, missing: str, short: str = "") -> None:
        self.least, self.most, self.missing, self.short = least, most, missing, short
        self.field_flags: dict[str, object] = {"required": True} if least else {}
        if most:
            self.field_flags["maxlength"] = most

    def __call__(self, form: Any, field: Field) -> None:  # noqa: ARG002
        text = field.data or ""
        if self.least and not visible(text):
            raise ValidationError(self.missing)
        if text and not visible(text, self.least):
            raise ValidationError(self.short or self.missing)
        if len(text) > self.most:
            raise ValidationError(
                _l("最多%(most)d字，现在是%(n)d字，请缩短后再提交。", most=self.most, n=len(text))
            )


class Telling(Words):
    """Words of which `least` characters must say something: ten full stops are no reason and no
    opinion. With `seen` so many have to be visible, else `short` is said."""

    def __init__(
        self, *, least: int, most: int, missing: str, seen: int = 1, short: str = ""
    ) -> None:
        super().__init__(least=seen, most=most, missing=missing, short=short)
        self.telling = least

    def __call__(self, form: Any, field: Field) -> None:
        super().__call__(form, field)
        if not says(field.data or "", self.telling):
            raise ValidationError(
                _l("请写得具体一些：至少%(n)d个字，标点、符号和空格不算。", n=self.telling)
            )


def _typed(text: str) -> str:
    """What was typed: nothing, where nobody can see anything; what is no text stays to be refused."""
    return text if visible(text) or unreadable(text) else ""


class LineField(StringField):  # type: ignore[misc]  # WTForms is untyped
    """One line of text."""

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        further = options.pop("filters", ())
        filters: list[Callable[[Any], Any]] = [lambda text: _typed(tidy_line(text or ""))]
        filters += further
        super().__init__(label, [Readable(), *(validators or [])], filters=filters, **options)


class ContactField(LineField):
    """How somebody can be reached, in the form in which it is kept and compared. What this site can
    send no message to is refused: its author would wait for one in vain."""

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        checks = [_reachable, *(validators or [])]
        super().__init__(label, checks, filters=(_folded,), **options)


def _folded(typed: str) -> str:
    return addresses.fold(typed) if addresses.can_be_reached(typed) else typed


def _reachable(_form: Any, field: Field) -> None:
    if not field.data:
        return
    if not addresses.can_be_reached(field.data):
        raise ValidationError(_l("请填写完整的邮箱地址，或11位手机号。"))
    if not senders.reaches(of_site(), field.data):
        if addresses.is_mobile(field.data):
            raise ValidationError(_l("本网站目前不能发短信，请填写邮箱。"))
        raise ValidationError(_l("本网站目前不能发邮件，请填写手机号。"))


class TextField(TextAreaField):  # type: ignore[misc]  # WTForms is untyped
    """Several lines of text."""

    def __init__(self, label: Any = None, validators: Any = None, **options: Any) -> None:
        filters: list[Callable[[Any], Any]] = [lambda text: _typed(tidy(text or ""))]
        super().__init__(label, [Readable(), *(validators or [])], filters=filters, **options)


class NumberField(IntegerField):  # type: ignore[misc]  # WTForms is untyped
    """A whole number as people type one: of no more digits than any column holds."""

    data: Any

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed; ValueError with a sentence for what is no such number."""
        if valuelist and len(valuelist[0].strip()) > MOST_DIGITS:
            self.data = None
            raise ValueError(_l("请填写整数，最多%(most)d位。", most=MOST_DIGITS))
        super().process_formdata(valuelist)


@cache
def _wtforms_sentences(english: bool) -> Any:
    return get_translations(("en",) if english else ("zh_CN", "zh"))


class TokenField(CSRFTokenField):  # type: ignore[misc]  # WTForms is untyped
    """The forgery token, made when it is shown: a form that is only read signs none."""

    def process(self, *values: Any, **more: Any) -> None:
        """Take the value as any hidden field does."""
        HiddenField.process(self, *values, **more)

    def _value(self) -> str:
        return str(self.csrf_impl.generate_csrf_token(self))


class Token(_FlaskFormCSRF):  # type: ignore[misc]  # WTForms is untyped
    """Flask-WTF's protection with our field."""

    field_class = TokenField


class Form(FlaskForm):  # type: ignore[misc]  # WTForms is untyped
    """Every form of the site: protected against forgery, its hints in the reader's language."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # WTForms is untyped
        """Reads what a form in a page sends, and nothing else."""

        csrf_class = Token

        def get_translations(self, form: Any) -> Any:  # noqa: ARG002 - called by WTForms
            """WTForms' own sentences, read from disk once and not for every form."""
            return _wtforms_sentences(is_english())

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Words for fields of words and files for fields of files; never JSON, whose lists
            and numbers no field expects."""
            if formdata is not _Auto:
                return formdata
            if request.method not in SUBMIT_METHODS:
                return None
            files = [
                (name, file)
                for name, file in request.files.items(multi=True)
                if isinstance(form._fields.get(name), UploadField)
            ]
            return CombinedMultiDict([request.form, MultiDict(files)])


class Refilled:
    """A form that each thread binds once and fills anew for every sender: binding its fields costs
    more than reading them. Whoever fills it has seen to the forgery token."""

    def __init__(self, kind: type[Form]) -> None:
        self._kind = kind
        self._kept = local()

    def filled(self, fields: "MultiDict[str, str]") -> Any:
        """The form with these fields and nothing of those before; only for this thread."""
        form = getattr(self._kept, "form", None)
        if form is None:
            form = self._kept.form = self._kind(formdata=fields, meta={"csrf": False})
        else:
            form.process(fields)
        return form


class OnceForm(Form):
    """A form whose sending creates something: sent twice, it is stored once.

    `form_key` is made when the form is rendered and held by a UNIQUE constraint where it lands.
    """

    form_key = HiddenField(default=lambda: secrets.token_urlsafe(16))

    def validate_form_key(self, field: Field) -> None:
        """A key that this site did not make is replaced, so that it cannot collide on purpose."""
        key = field.data or ""
        if re.fullmatch(r"[A-Za-z0-9_-]{16,32}", key) is None:
            field.data = secrets.token_urlsafe(16)
