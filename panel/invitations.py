"""Invitations (邀请): an account for a member, and a link to it that works once, for 48 hours.

The account gets no right by this: rights come with the appointment. The link leaves the house by
the outbox, to the member's own address; nobody at the desk sees it.
"""

import datetime as dt
import secrets
from collections.abc import Callable

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core import accounts, audit, outbox, password_links
from core.accounts import STAFF, Account
from core.audit import Actor
from core.db import db
from core.errors import Refused
from panel import appointments, members
from panel.appointments import AppointmentState
from panel.members import Member

audit.ACTIONS.update({"member.invited": _l("邀请成员")})


def send(member: Member, *, address_of: Callable[[str], str], by: Actor, now: dt.datetime) -> None:
    """Invite a member; an earlier link is void. `address_of` makes the page's address of a token."""
    # Two officers at once would each make the account.
    db.session.refresh(member, with_for_update={"of": Member})
    if all(each.state is not AppointmentState.APPOINTED for each in member.appointments):
        raise Refused(_("聘任以后才能邀请。"))
    contact = members.contact(member)
    if not contact:
        raise Refused(_("名册里没有这位成员的联系方式，请先补上。"))
    account = _account(member, contact, by=by, now=now)
    appointments.link(member, account, by=by, now=now)
    token = password_links.make(account, by=by, now=now)
    audit.record("member.invited", member, by=by, now=now, name=member.name)
    outbox.put(
        [
            outbox.Draft(
                about=f"invitation:{member.id}:{secrets.token_hex(8)}",
                sealed_address=member.sealed_contact,
                subject=_("公众咨询团邀请"),
                body=_(
                    "%(name)s，您好！\n您已受聘为公众咨询团成员。请在48小时内打开下面的链接设置密码，"
                    "链接只能使用一次：\n%(link)s\n"
                    "设好以后，用%(contact)s和密码登录，就能查看征询文稿、填写评议。"
                    "如有疑问，请与规划编制工作专班联系。",
                    name=member.name,
                    link=address_of(token),
                    contact=account.email,
                ),
            )
        ],
        now=now,
    )


def _account(member: Member, contact: str, *, by: Actor, now: dt.datetime) -> Account:
    if member.account is not None:
        return member.account
    known = accounts.by_email(contact)
    if known is None:
        return accounts.add(email=contact, name=member.name, by=by, now=now)
    if not STAFF.isdisjoint(known.role_names):
        raise Refused(_("这个地址是工作人员的账号，不能兼作成员账号，请换一个地址。"))
    if not known.active:
        raise Refused(_("这个地址的账号已经停用，请先由管理员恢复。"))
    return known
