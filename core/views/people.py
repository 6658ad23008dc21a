"""People and their rights, for administrators."""

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse
from wtforms import EmailField, Field, SelectField, SelectMultipleField, widgets
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from core import accounts, password_links, rules, second_factor, units
from core.accounts import NAME_LENGTH, TITLES, Account, RoleName
from core.addresses import fold, is_email
from core.db import db
from core.forms import Form, LineField, Readable, TextField, Words
from core.permissions import require
from core.units import Unit
from core.views.audit import Pages
from core.web import keep_private, now, number_in, words_in

blueprint = Blueprint("people", __name__, url_prefix="/desk/people")

AT_ONCE = 50
Answer = BaseResponse | str | tuple[str, int]


@blueprint.before_request
def _administrators_only() -> None:
    keep_private()
    require(rules.manage_people)


class RightsForm(Form):
    """The parts a person plays, and for whom."""

    roles = SelectMultipleField(
        _l("角色"),
        choices=[SelectChoice(role.value, TITLES[role]) for role in RoleName],
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    unit = SelectField(_l("所属单位"), validate_choice=True)

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        every = [SelectChoice(unit.slug, unit.name) for unit in units.every()]
        self.unit.choices = [SelectChoice("", _("（无）")), *every]

    def chosen_unit(self) -> Unit | None:
        """The unit that was picked."""
        slug = self.unit.data or ""
        return units.by_slug([slug]).get(slug)

    def validate_unit(self, field: Field) -> None:
        """Whoever answers for a unit needs one."""
        if RoleName.UNIT_STAFF in (self.roles.data or []) and not field.data:
            raise ValidationError(_("单位工作人员需要选择所属单位。"))


class PersonForm(RightsForm):
    """A new person."""

    name = LineField(_l("姓名"), [Words(most=NAME_LENGTH, missing=_l("请填写姓名。"))])
    email = EmailField(
        _l("工作邮箱"),
        [Readable(), Words(most=254, missing=_l("请填写工作邮箱。"))],
        description=_l("用于登录，不会公开。"),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )

    def validate_email(self, field: Field) -> None:
        """Plain letters only, so that no two addresses look alike; and each once."""
        if not is_email(fold(field.data or "")):
            raise ValidationError(_("邮箱格式不正确，请核对，例如 name@example.gov.cn。"))
        if accounts.by_email(field.data or "") is not None:
            raise ValidationError(_("这个邮箱已经有账号了。"))


class ReasonForm(Form):
    """Why something is done to somebody's account; optional."""

    reason = TextField(
        _l("理由"),
        [Words(least=0, most=200, missing="")],
        description=_l("选填，会写入操作记录，请不要填写个人信息。"),
        render_kw={"rows": 2},
    )


@blueprint.get("")
def index() -> str:
    """Everybody who has an account, newest first."""
    words = words_in("q")
    people = accounts.page(before_id=number_in("before"), words=words, limit=AT_ONCE + 1)
    shown, more = people[:AT_ONCE], len(people) > AT_ONCE
    return render_template(
        "core/people/index.html",
        people=shown,
        words=words,
        pages=Pages(url_for(".index", q=words or None, before=shown[-1].id) if more else None),
    )


@blueprint.get("/add")
def add() -> str:
    """The form for a new person."""
    return render_template("core/people/add.html", form=PersonForm(formdata=None))


@blueprint.post("/add")
def create() -> Answer:
    """Add a person and show, this once, the link with which they set their password."""
    form, at = PersonForm(), now()
    if not form.validate():
        return render_template("core/people/add.html", form=form), 422
    person = accounts.add(
        email=form.email.data or "",
        name=form.name.data or "",
        roles=form.roles.data or [],
        unit=form.chosen_unit(),
        by=current_user,
        now=at,
    )
    token = password_links.make(person, by=current_user, now=at)
    db.session.commit()
    return _link_page(person, token)


@blueprint.get("/<int:account_id>")
def show(account_id: int) -> str:
    """One person: rights, unit, state."""
    return _person_page(_person(account_id))


@blueprint.post("/<int:account_id>/rights")
def set_rights(account_id: int) -> Answer:
    """Give and take roles; each is one act in the record."""
    person, form, at = _person(account_id), RightsForm(), now()
    if not form.validate():
        return _person_page(person, form), 422
    wanted = {RoleName(role) for role in form.roles.data or []}
    for role in RoleName:
        change = accounts.grant if role in wanted else accounts.revoke
        change(person, role, by=current_user, now=at)
    accounts.set_unit(person, form.chosen_unit(), by=current_user, now=at)
    db.session.commit()
    flash(_("角色和单位已经保存，立即生效。"), "success")
    return redirect(url_for(".show", account_id=person.id), 303)


@blueprint.post("/<int:account_id>/state")
def set_state(account_id: int) -> Answer:
    """Close an account or open it again."""
    person, form, at = _person(account_id), ReasonForm(), now()
    act = request.form.get("act", "")
    if act not in ("deactivate", "activate"):
        abort(400)
    if not form.validate():
        return _person_page(person, reason=form), 422
    change = accounts.deactivate if act == "deactivate" else accounts.activate
    change(person, by=current_user, now=at, reason=form.reason.data or "")
    db.session.commit()
    flash(_("账号已停用。") if act == "deactivate" else _("账号已恢复。"), "success")
    return redirect(url_for(".show", account_id=person.id), 303)


@blueprint.post("/<int:account_id>/password-link")
def make_link(account_id: int) -> Answer:
    """A new link for setting the password, shown this once."""
    person = _person(account_id)
    token = password_links.make(person, by=current_user, now=now())
    db.session.commit()
    return _link_page(person, token)


@blueprint.post("/<int:account_id>/second-factor")
def remove_second_factor(account_id: int) -> Answer:
    """Forget a lost authenticator app."""
    person = _person(account_id)
    second_factor.remove(person, by=current_user, now=now())
    db.session.commit()
    flash(_("动态口令已经清除，本人下次登录时需要重新设置。"), "success")
    return redirect(url_for(".show", account_id=person.id), 303)


def _person(account_id: int) -> Account:
    return accounts.by_id(account_id) or abort(404)


def _person_page(
    person: Account, form: RightsForm | None = None, reason: ReasonForm | None = None
) -> str:
    form = form or RightsForm(
        formdata=None,
        roles=[role.value for role in person.role_names],
        unit=person.unit.slug if person.unit else "",
    )
    return render_template(
        "core/people/show.html",
        person=person,
        form=form,
        reason=reason or ReasonForm(formdata=None),
        plain=Form(formdata=None),
    )


def _link_page(person: Account, token: str) -> str:
    # From the configuration, never from the Host header: the link is a key.
    site: str = current_app.config["SETTINGS"].site_url
    address = site.rstrip("/") + url_for("accounts.password_link", token=token)
    return render_template("core/people/link.html", person=person, address=address)
