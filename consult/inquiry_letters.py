"""Letters to units that are asked for their opinion: that they are asked, and that it is due.

They go to every active account of the unit that may answer. None goes to a unit that has answered,
none goes twice.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from flask_babel import gettext as _

from consult import inquiries
from consult.consultations import SHANGHAI, Consultation
from consult.inquiries import Answer, Inquiry
from core import audit, outbox
from core.accounts import Account, Role, RoleName
from core.db import db
from core.outbox import Post

# How many days before the due day, the most urgent first; the day after it is the last word.
BEFORE = (-1, 0, 2)


def announce(asked: Sequence[Inquiry], post: Post, *, now: dt.datetime) -> int:
    """Tell the units that were just asked; how many of them have somebody to be told."""
    words = _("请就下面的文稿反馈意见；没有意见的，也请反馈“无意见”。")
    return _put(asked, "asked", words, post, now=now)


def remind_due(post: Post, *, now: dt.datetime) -> None:
    """Put in every reminder that is due, each once."""
    today = now.astimezone(SHANGHAI).date()
    for inquiry in inquiries.silent(now):
        left = (inquiry.due_on - today).days
        stage = next((days for days in BEFORE if left <= days), None)
        if stage is not None:
            about = f"{inquiry.due_on}:{stage}"
            words = _("期限将到，还没有收到贵单位的反馈。") if left >= 0 else _overdue()
            _put([inquiry], about, words, post, now=now)


def chase(consultation: Consultation, post: Post, *, by: audit.Actor, now: dt.datetime) -> int:
    """Remind all that have not answered, at the office's word, once a day; how many are told."""
    waiting = [
        each.inquiry for each in inquiries.of(consultation.id) if each.answer is Answer.SILENT
    ]
    day = now.astimezone(SHANGHAI).date()
    told = _put(
        waiting,
        f"chased:{day}",
        _("还没有收到贵单位的反馈，请尽快办理。"),
        post,
        now=now,
    )
    audit.record(
        "inquiry.chased",
        consultation,
        by=by,
        now=now,
        name=consultation.title,
        after={"units": told},
    )
    return told


def _overdue() -> str:
    return str(_("期限已过，还没有收到贵单位的反馈；不反馈的，采纳情况表里记为“未反馈”。"))


def _put(asked: Sequence[Inquiry], about: str, first: str, post: Post, *, now: dt.datetime) -> int:
    addresses = accounts_of(each.unit_id for each in asked)
    outbox.put(
        (
            outbox.Draft(
                about=f"inquiry:{each.id}:{about}:{account_id}",
                sealed_address=post.sealed(address),
                subject=_("征询意见：%(title)s", title=each.consultation.title),
                body=_body(each, first, post.site),
            )
            for each in asked
            for account_id, address in addresses.get(each.unit_id, ())
        ),
        now=now,
    )
    return sum(each.unit_id in addresses for each in asked)


def accounts_of(unit_ids: Iterable[int]) -> dict[int, list[tuple[int, str]]]:
    """{unit: the accounts that may answer for it and their addresses}."""
    query = (
        sa.select(Account.unit_id, Account.id, Account.email)
        .join(Account.roles)
        .where(Account.unit_id.in_(set(unit_ids)), Account.active, Role.name == RoleName.UNIT_STAFF)
        .order_by(Account.id)
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for unit_id, account_id, address in db.session.execute(query):
        found.setdefault(unit_id or 0, []).append((account_id, address))
    return found


def _body(inquiry: Inquiry, first: str, site: str) -> str:
    return str(
        _(
            "%(unit)s：\n\n"
            "%(first)s\n\n"
            "文稿：%(title)s\n"
            "期限：%(due)s\n"
            "打开：%(url)s\n\n"
            "这是系统发出的通知，请不要回复。",
            unit=inquiry.unit.name,
            first=first,
            title=inquiry.consultation.title,
            due=inquiry.due_on.isoformat(),
            url=f"{site}/desk/inquiries/{inquiry.id}",
        )
    )
