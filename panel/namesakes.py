"""Namesakes (同名): members who are called alike, told apart by what the register says of them and
named by it: 王强（第12号）, 王强（政协委员）, 王强（区图书馆）.

A member's number (名册编号) is the one in the address of their page; no two have the same.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flask_babel import gettext as _

from panel.appointment_rows import Appointment

# Names one below the other or between marks; what stands in brackets belongs to the name.
_NAMES = re.compile(r"(?:[（(][^（()）\n]*[）)]|[^、，,；;\n])+")
_NAMED = re.compile(r"(.+?)\s*[（(]([^（()）]*)[）)]")
_NUMBER = re.compile(r"(?:名册)?第?\s*([0-9]{1,9})\s*号?")
_PARTS = re.compile(r"[、，,；;]")


class Person(NamedTuple):
    """Who is to be told apart from others."""

    number: int
    name: str
    category: str = ""
    # Where they work and as what.
    work: str = ""


def seated(appointments: Iterable[Appointment]) -> list[Person]:
    """Those who hold these seats."""
    return [
        Person(each.member_id, each.member.name, each.category, each.member.unit_text)
        for each in appointments
    ]


def namesakes(persons: Iterable[Person]) -> list[Person]:
    """Those of `persons` who are called as another of them, those of one name together."""
    every = list(persons)
    bearers = Counter(each.name for each in every)
    shared = [each for each in every if bearers[each.name] > 1]
    return sorted(shared, key=lambda each: (each.name, each.number))


def told(persons: Sequence[Person]) -> dict[int, str]:
    """{number: name and category}, of namesakes with work and number, too: as lists show them."""
    alike = {each.number for each in namesakes(persons)}
    return {each.number: _told(each) if each.number in alike else _plain(each) for each in persons}


def written(persons: Sequence[Person]) -> dict[int, str]:
    """{number: as the member is written where `named` is to find them again}: the name alone, or
    with the number."""
    alike = {each.number for each in namesakes(persons)}
    return {
        each.number: numbered(each.name, each.number) if each.number in alike else each.name
        for each in persons
    }


def numbered(name: str, number: int) -> str:
    """As nobody else is written."""
    return f"{name}（{_('第%(n)d号', n=number)}）"


def names_in(text: str) -> list[str]:
    """The names somebody wrote, one a line or between 、，；."""
    return [name for each in _NAMES.findall(text) if (name := each.strip())]


def named(name: str, persons: Sequence[Person]) -> list[Person]:
    """Whom of `persons` a written name means: nobody, one, or namesakes it does not tell apart."""
    if whole := [each for each in persons if each.name == name]:
        return whole
    found = _NAMED.fullmatch(name)
    if found is None:
        return []
    parts = [part for each in _PARTS.split(found[2]) if (part := each.strip())]
    called = [each for each in persons if each.name == found[1]]
    return [each for each in called if all(_fits(each, part) for part in parts)]


def listed(persons: Iterable[Person]) -> str:
    """Namesakes one after the other, each as it can be written and with what is known of them."""
    return str(_("、")).join(map(_told, persons))


def _fits(person: Person, part: str) -> bool:
    if number := _NUMBER.fullmatch(part):
        return person.number == int(number[1])
    # A place of work may hold the marks at which the words were parted.
    return part == person.category or part in [person.work, *_PARTS.split(person.work)]


def _told(person: Person) -> str:
    known = (_("第%(n)d号", n=person.number), person.category, person.work)
    return f"{person.name}（{'，'.join(filter(None, known))}）"


def _plain(person: Person) -> str:
    return f"{person.name}（{person.category}）"
