"""The built-in example's review rounds: one released, one open, one prepared. It only arranges;
everything goes through the operations."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from consult import consultations, drafts, example_files
from consult.consultations import SHANGHAI
from consult.drafts import Version
from core import accounts
from core.accounts import RoleName
from core.audit import COMMAND_LINE, Actor
from core.config import of_site
from core.db import db
from core.errors import Refused
from panel import remarks, reviews, round_running, round_texts, rounds
from panel.members import Member
from panel.reviews import Said, Verdict
from panel.round_texts import Section
from panel.rounds import Invitation, Plan

DATA = Path(__file__).parent / "data" / "example-rounds.yaml"


def load(*, now: dt.datetime) -> None:
    """Prepare, open, review and release what the file says, where its consultations are."""
    for told in example_files.read(DATA):
        consultation = consultations.by_slug(told["consultation"])
        # Round by round on the words that were public then: the first version.
        versions = drafts.versions(consultation) if consultation else []
        if versions:
            _round(versions[-1], told, now)


def _round(version: Version, told: dict[str, Any], now: dt.datetime) -> None:
    office = accounts.demonstration_account(RoleName.DRC_STAFF) or COMMAND_LINE
    last = _day(told["due"], now)
    opened = told.get("opened")
    began = _morning(_day(opened, now)) if opened is not None else now
    plan = Plan(
        title=told["title"],
        explanation=told["explanation"].strip(),
        questions=told["questions"],
        due_at=consultations.window(last, last)[1],
        by_name=told["by_name"],
        quorum=told["quorum"],
        categories=told.get("categories", []),
        fields=[],
        members=[],
    )
    made = rounds.prepare(version, plan, by=office, now=min(began, now))
    if opened is None:
        return
    round_running.open_round(made, on_day=began.astimezone(SHANGHAI).date(), by=office, now=began)
    invited = {each.name: each for each in rounds.invitations(made)}
    for review in told["reviews"]:
        if (invitation := invited.get(review["name"])) is not None:
            _review(invitation, review, began, now)
    if "released" in told:
        at = _morning(_day(told["released"], now))
        remarks.release(made, secret=of_site().secret_key, by=office, now=at)


def _review(
    invitation: Invitation, told: dict[str, Any], began: dt.datetime, now: dt.datetime
) -> None:
    by = _who(invitation)
    at = min(began + dt.timedelta(days=told.get("day", 1), hours=5), now)
    reviews.start(invitation, by=by, now=at)
    sections = {
        section.heading.text: section
        for section in round_texts.text_of(invitation.round).sections
        if section.heading
    }
    for each in told.get("sections", ()):
        section = _section(sections, each["at"])
        wording = dict(_wording(section, each))
        said = Said(Verdict(each["verdict"]), each.get("words", ""), wording)
        reviews.save_section(invitation, section, said, seen=0, now=at)
    for each in told.get("interests", ()):
        section = _section(sections, each["at"])
        reviews.declare_interest(invitation, section, each["words"], by=by, now=at)
    answers, overall = told.get("answers"), told.get("overall", "")
    if answers or overall:
        answers = answers or invitation.answers
        reviews.save_answers(invitation, answers, overall, seen=0, now=at)
    if "day" in told:
        reviews.sign(invitation, name=invitation.name, rest_is_none=True, by=by, now=at)


def _who(invitation: Invitation) -> Actor:
    member = db.session.get_one(Member, invitation.member_id)
    account = accounts.by_id(member.account_id) if member.account_id else None
    return account or COMMAND_LINE


def _section(sections: dict[str, Section], heading: str) -> Section:
    if heading not in sections:
        raise Refused(_("示例审阅所指的“%(words)s”在文稿里找不到。", words=heading))
    return sections[heading]


def _wording(section: Section, told: dict[str, Any]) -> Iterator[tuple[int, str]]:
    if "was" not in told:
        return
    found = [entry for entry in section.entries if told["was"] in entry.text]
    if len(found) != 1:
        raise Refused(_("示例审阅所指的“%(words)s”在文稿里找不到。", words=told["was"]))
    yield found[0].mark, found[0].text.replace(told["was"], told["now"])


def _day(said: int | dt.date, now: dt.datetime) -> dt.date:
    """A date, or so many days after the day of loading."""
    if isinstance(said, dt.date):
        return said
    return now.astimezone(SHANGHAI).date() + dt.timedelta(days=said)


def _morning(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(9), SHANGHAI).astimezone(dt.UTC)
