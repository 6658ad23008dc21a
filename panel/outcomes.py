"""Outcomes (结果): who is told what became of an application, a recommendation or a proposal.

Whoever applied or was recommended is written to where they said; the staff of the unit that
recommended them at their own addresses. The messages are put in with the decision, in one act.
"""

import datetime as dt
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from flask_babel import gettext as _

from core import outbox, sealing
from core.accounts import RoleName
from core.config import of_site
from core.db import db
from core.outbox import Draft
from panel import applications, staff_mail
from panel.applications import Application, Origin
from panel.appointments import Appointment

# So many names stand in a message to a unit; the rest is read on the page.
MOST_NAMED = 20


def tell_refused(application: Application, *, now: dt.datetime) -> None:
    """Tell who is not chosen, and the unit that recommended them."""
    assert application.refusal is not None
    person = applications.person_of(application)
    if person is None:
        return
    about = f"application:{application.id}"
    address = sealing.seal(of_site().contact_key, person.contact)
    why = _reason(application.refusal.title, application.told)
    outbox.put(
        [
            Draft(about, address, _("公众咨询团申请结果"), _not_chosen(application, why)),
            *_to_unit(application.unit_id, about, _refused_words(person.name, why)),
        ],
        now=now,
    )


def tell_objected(appointment: Appointment, *, now: dt.datetime) -> None:
    """Tell who was proposed and is not appointed, if they know of it: they applied or agreed to
    be recommended. Who was proposed by the office alone is not written to."""
    assert appointment.objection is not None
    about = f"appointment-refused:{appointment.id}"
    why = _reason(appointment.objection.title, appointment.end_reason)
    member = appointment.member
    words = _refused_words(member.name, why)
    drafts = list(_to_unit(appointment.recommended_by_unit_id, about, words))
    query = sa.select(Application).where(Application.appointment_id == appointment.id)
    application = db.session.scalar(query)
    if application is not None and member.sealed_contact:
        words = _not_chosen(application, why)
        drafts.append(Draft(about, member.sealed_contact, _("公众咨询团申请结果"), words))
    outbox.put(drafts, now=now)


def tell_appointed(appointments: Sequence[Appointment], *, now: dt.datetime) -> None:
    """Tell who was appointed, and the units that recommended them, each unit at once."""
    drafts = [
        Draft(
            f"appointed:{each.id}",
            each.member.sealed_contact,
            _("公众咨询团聘任通知"),
            _(
                "%(name)s，您好！您已受聘为公众咨询团成员（%(category)s），任期自%(first)s至%(last)s。"
                "登录的邀请会另行发到这里。如有疑问，请与规划编制工作专班联系。",
                name=each.member.name,
                category=each.category,
                first=each.term_from.isoformat(),
                last=each.term_to.isoformat(),
            ),
        )
        for each in appointments
        if each.member.sealed_contact
    ]
    by_unit: dict[int, list[Appointment]] = {}
    for each in appointments:
        if each.recommended_by_unit_id is not None:
            by_unit.setdefault(each.recommended_by_unit_id, []).append(each)
    for unit_id, of_unit in by_unit.items():
        about = f"appointed:{of_unit[0].id}"
        named = "、".join(each.member.name for each in of_unit[:MOST_NAMED])
        words = _(
            "您单位推荐的%(names)s共%(n)d人已受聘为公众咨询团成员。",
            names=named + (_("等") if len(of_unit) > MOST_NAMED else ""),
            n=len(of_unit),
        )
        drafts += _to_unit(unit_id, about, words)
    outbox.put(drafts, now=now)


def _reason(title: str, words: str) -> str:
    return f"{title}。{words}"


def _not_chosen(application: Application, why: str) -> str:
    if application.origin is Origin.UNIT:
        assert application.unit is not None
        return str(
            _(
                "您好！感谢您关心规划编制。您经%(unit)s推荐参加公众咨询团，本次未能入选：%(why)s\n"
                "您仍可以随时对公开征求意见的文稿提出意见。",
                unit=application.unit.name,
                why=why,
            )
        )
    return str(
        _(
            "您好！感谢您关心规划编制。您对公众咨询团的申请（编号%(number)s）未能入选：%(why)s\n"
            "您仍可以随时对公开征求意见的文稿提出意见。",
            number=application.receipt,
            why=why,
        )
    )


def _refused_words(name: str, why: str) -> str:
    return str(_("您单位推荐的%(name)s本次未入选公众咨询团：%(why)s", name=name, why=why))


def _to_unit(unit_id: int | None, about: str, words: str) -> Iterator[Draft]:
    """The same words to everybody who works for the unit; none where there is no unit."""
    if unit_id is None:
        return iter(())
    more = _("办理经过请登录工作台，在“推荐咨询团成员”中查看。")
    subject = _("公众咨询团推荐结果")
    return staff_mail.drafts(
        RoleName.UNIT_STAFF, about, subject, f"{words}\n{more}", unit_id=unit_id
    )
