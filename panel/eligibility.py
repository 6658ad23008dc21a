"""Eligibility (资格审核): what must be so before somebody may stand on the shortlist, rule by rule.

The rules are a list: each has its title, says in a sentence why it is not met, and whether it
binds or only warns. They look at what was gathered; they ask the database nothing themselves.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.errors import Refused
from panel import applications, members, quotas, registers
from panel.applications import Application, Origin, Person, Tie
from panel.appointments import Appointment, AppointmentState
from panel.calls import Call
from panel.members import Member

ADULT = 18
# A sentence, or None where there is nothing to say.
Said = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the rules look at."""

    application: Application
    person: Person | None
    call: Call | None
    categories: Sequence[str]
    # Their row in the register, and the terms it holds in this programme.
    known: Member | None
    terms: Sequence[Appointment]
    namesakes: int
    others: int
    planned: int | None
    sitting: int
    today: dt.date

    @property
    def left(self) -> int | None:
        """How many places of the category are free; None where nothing is planned."""
        return None if self.planned is None else max(self.planned - self.sitting, 0)


@dataclass(frozen=True, slots=True)
class Check:
    """One rule: `wrong` gives the sentence when it is not met, else None."""

    key: str
    title: Any
    wrong: Callable[[Facts], Said]
    binds: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found."""

    check: Check
    said: Said

    @property
    def is_met(self) -> bool:
        """Whether there is nothing to say."""
        return self.said is None


def _adult(facts: Facts) -> Said:
    if not facts.application.is_adult:
        return _("没有声明已满18周岁。")
    born = facts.person.birth_year if facts.person else None
    if born is not None and facts.today.year - born < ADULT:
        return _("出生年份为%(year)d年，未满18周岁。", year=born)
    return None


def _tie(facts: Facts) -> Said:
    if facts.application.tie is Tie.NONE:
        return _("没有声明在本区居住、工作或学习。")
    return None


def _category(facts: Facts) -> Said:
    category = facts.application.category
    if category not in facts.categories:
        return _("成员类别中现在没有“%(category)s”。", category=category)
    if facts.call is not None and category not in facts.call.categories:
        return _("这次征集不包括“%(category)s”。", category=category)
    return None


def _place(facts: Facts) -> Said:
    if facts.call is None or not facts.call.places:
        return None
    if facts.application.sub_district in facts.call.places:
        return None
    return _("这次征集只面向%(places)s。", places="、".join(facts.call.places))


def _not_sitting(facts: Facts) -> Said:
    for each in facts.terms:
        if each.sits(facts.today):
            return _(
                "已是在任成员（%(category)s），同一时间只能在一个类别。", category=each.category
            )
    return None


def _not_proposed(facts: Facts) -> Said:
    own = facts.application.appointment_id
    waits = [
        each for each in facts.terms if each.state is AppointmentState.PROPOSED and each.id != own
    ]
    return _("已有一项提名等待确认。") if waits else None


def _only_one(facts: Facts) -> Said:
    if not facts.others:
        return None
    return _("同一联系方式另有%(n)d项申请还在办理，请先处理其中一项。", n=facts.others)


def _place_left(facts: Facts) -> Said:
    if facts.left is None or facts.left > 0:
        return None
    return _(
        "%(category)s计划%(planned)d席，在任%(sitting)d人，没有空席；可以先入围备选。",
        category=facts.application.category,
        planned=facts.planned or 0,
        sitting=facts.sitting,
    )


def _no_namesake(facts: Facts) -> Said:
    if facts.known is not None or not facts.namesakes:
        return None
    return _("名册里有%(n)d位同名成员，请核对是否同一人。", n=facts.namesakes)


CHECKS = (
    Check("adult", _l("年满18周岁"), _adult),
    Check("tie", _l("在本区居住、工作或学习"), _tie),
    Check("category", _l("类别在征集范围内"), _category),
    Check("place", _l("街镇在征集范围内"), _place),
    Check("not_sitting", _l("不是在任成员"), _not_sitting),
    Check("not_proposed", _l("没有其他提名待确认"), _not_proposed),
    Check("only_one", _l("没有重复申请"), _only_one),
    Check("place_left", _l("类别还有空席"), _place_left, binds=False),
    Check("namesake", _l("名册里没有同名成员"), _no_namesake, binds=False),
)


def gather(application: Application, today: dt.date) -> Facts:
    """Read what the rules look at."""
    person = applications.person_of(application)
    known = _known(application, person)
    programme_id = application.programme_id
    seats = quotas.planned(programme_id)
    return Facts(
        application=application,
        person=person,
        call=application.call if application.origin is Origin.OPEN else None,
        categories=quotas.categories(programme_id),
        known=known,
        terms=[
            each
            for each in (known.appointments if known else [])
            if each.programme_id == programme_id
        ],
        namesakes=members.called(person.name) if person else 0,
        others=len(applications.others_of(application)),
        planned=seats.get(application.category),
        sitting=registers.figures(programme_id, today).get(application.category, 0),
        today=today,
    )


def _known(application: Application, person: Person | None) -> Member | None:
    if application.appointment is not None:
        return application.appointment.member
    return members.with_contact(person.contact) if person else None


def findings(facts: Facts) -> list[Finding]:
    """What every rule says, in their order."""
    return [Finding(check, check.wrong(facts)) for check in CHECKS]


def must_be_met(facts: Facts) -> None:
    """Refuse unless every rule that binds is met."""
    wrong = [each for each in findings(facts) if each.check.binds and not each.is_met]
    if wrong:
        raise Refused(
            _(
                "资格审核没有通过：%(why)s",
                why="".join(str(each.said) for each in wrong),
            )
        )
