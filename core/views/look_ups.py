"""Looking something up by the number on its slip: one form, one page, one limit on guessing, for
whatever hands out such numbers."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import redirect, render_template, request
from flask_babel import LazyString
from werkzeug.wrappers import Response

from core import throttle
from core.db import db
from core.errors import page as error_page
from core.forms import Form, LineField, Words
from core.web import keep_private, now

GUESSES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class LookUp:
    """What is looked up, in the words of its page."""

    title: LazyString
    # What the number is called, what it looks like, and what is said without one or with a wrong one.
    label: LazyString
    hint: LazyString
    missing: LazyString
    unknown: LazyString
    # Under which guesses are counted; where the form is sent to.
    counter: str
    endpoint: str
    # Where what has this number is shown; None when nothing has it.
    address: Callable[[str], str | None]

    def page(self) -> str:
        """The page where a number is typed in."""
        keep_private()
        return self._page(self._form()(formdata=None))

    def find(self) -> Response | tuple[str, int]:
        """Go to what has the number that was typed, or say that there is none."""
        keep_private()
        form = self._form()()
        if form.validate():
            key = f"{self.counter}:{throttle.network(request.remote_addr)}"
            allowed = throttle.hit(key, limit=GUESSES_PER_HOUR, window=throttle.HOUR, now=now())
            db.session.commit()
            if not allowed:
                return error_page(429), 429
            address = self.address(form["number"].data)
            if address is not None:
                return redirect(address, 303)
            form["number"].errors = [self.unknown]
        return self._page(form), 422

    def _form(self) -> type[Form]:
        class NumberForm(Form):
            """The number, typed as people type it."""

            number = LineField(
                self.label,
                [Words(least=1, most=60, missing=self.missing)],
                description=self.hint,
                render_kw={"autocomplete": "off", "spellcheck": "false"},
            )

        return NumberForm

    def _page(self, form: Form) -> str:
        return render_template("core/look_up.html", look_up=self, form=form)
