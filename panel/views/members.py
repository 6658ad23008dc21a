"""The register of the panel's members, at the desk."""

from typing import Any

from flask import Blueprint, abort, render_template, url_for
from flask_babel import lazy_gettext as _l

from consult import programmes, topics
from consult.programmes import Programme
from consult.views.desk import Door
from core.permissions import require
from core.web import choice_in, keep_private, local, now, number_in, words_in
from panel import members, rules
from panel.members import Member

blueprint = Blueprint("members", __name__, url_prefix="/desk/panel/members")
DOORS = (Door(_l("公众咨询团成员"), "members.index", rules.read_register),)
AT_ONCE = 50
SHOWN = {
    "sitting": _l("在任"),
    "proposed": _l("待确认"),
    "former": _l("曾任"),
    "refused": _l("未聘任"),
    "all": _l("全部"),
}
ORDERS = {"stroke": _l("姓氏笔画"), "pinyin": _l("拼音")}


@blueprint.before_request
def _those_who_read_it() -> None:
    keep_private()
    require(rules.read_register)


@blueprint.get("")
def index() -> str:
    """Who sits, who sat and who is proposed, by name."""
    programme = _programme()
    if programme is None:
        return render_template("panel/members/none.html")
    kinds = members.categories(programme.id)
    fields = {topic.key: topic.title for topic in topics.of(programme)}
    places = members.sub_districts(programme.id)
    chosen: dict[str, Any] = {
        "shown": choice_in("shown", frozenset(SHOWN), "sitting"),
        "order": choice_in("order", frozenset(ORDERS), "stroke"),
        "category": _one_of("category", kinds),
        "field": _one_of("field", list(fields)),
        "sub_district": _one_of("sub_district", places),
        "words": words_in("q", most=60),
    }
    after = number_in("after")
    last = members.appointment_by_id(after) if after else None
    if after and last is None:
        abort(404)
    today = local(now()).date()
    found = members.page(programme.id, today, **chosen, after=last, limit=AT_ONCE + 1)
    more, found = len(found) > AT_ONCE, found[:AT_ONCE]
    kept = {"q" if name == "words" else name: value or None for name, value in chosen.items()}
    return render_template(
        "panel/members/index.html",
        programme=programme,
        found=found,
        chosen=chosen,
        kept=kept,
        shown=SHOWN,
        orders=ORDERS,
        kinds=kinds,
        fields=fields,
        places=places,
        figures=members.figures(programme.id, today),
        today=today,
        next_url=url_for(".index", **kept, after=found[-1].id) if more else None,
        first_url=url_for(".index", **kept) if after else None,
        rules=rules,
    )


@blueprint.get("/<int:member_id>")
def show(member_id: int) -> str:
    """One member: every term there was, and what they declared."""
    return _member_page(_member(member_id))


def _programme() -> Programme | None:
    return programmes.newest()


def _one_of(name: str, allowed: list[str]) -> str:
    """A value of the list, as a link of ours carries it; another one is as good as none."""
    words = words_in(name, most=120)
    return words if words in allowed else ""


def _member(member_id: int) -> Member:
    return members.by_id(member_id) or abort(404)


def _member_page(member: Member) -> str:
    programme = _programme()
    fields = {t.key: t.title for t in topics.of(programme)} if programme else {}
    return render_template(
        "panel/members/show.html",
        member=member,
        fields=fields,
        contact=members.contact(member),
        today=local(now()).date(),
        rules=rules,
    )
