"""A review round of 500 members × 120 sections, all signed: its page and its sheet at the desk,
against a bare Flask page. The CPU is that of the whole answer."""

import datetime as dt

import sqlalchemy as sa

from bench import material
from bench.measure import MS, apart, cpu_ms, getter, hello, say, site
from consult import consultations, drafts
from consult.drafts import Version
from consult.readers import Block, ReadDraft
from core import audit
from core.db import db
from panel import members, round_running, round_texts, rounds
from panel.appointments import Appointment, AppointmentState
from panel.reviews import SectionReview, Verdict
from panel.rounds import Invitation, Plan, ReviewRound

MEMBERS, SECTIONS = 500, 120
BY, DAY = audit.COMMAND_LINE, dt.timedelta(days=1)


def run() -> None:
    """CPU of the pages of a round as large as they get."""
    with site(CLOCK=lambda: material.NOW) as app:
        number = _signed(_round()).id
        headers = material.in_the_office(app)
        bare = getter(hello(), "/")
        page = getter(app, f"/desk/rounds/{number}", headers)
        sheet = getter(app, f"/desk/rounds/{number}/sheet", headers)
        calls = {"bare": bare, "page": page, "sheet": sheet}
        figures = cpu_ms(apart(calls), rounds=5, each=2)
    for name, what in (("page", "round page"), ("sheet", "round sheet")):
        say(
            f"{what}, {MEMBERS} members × {SECTIONS} sections",
            figures[name],
            MS,
            ratio=figures[name] / figures["bare"],
            reference="bare Flask page",
            goal="≤ 300",
        )


def _round() -> ReviewRound:
    """An open round on a published draft of so many sections, to which so many are asked."""
    consultation, _first = material.consultation()
    version = _long_draft(consultation)
    _panel(consultation.programme_id)
    plan = Plan(
        title="请审阅规划纲要",
        explanation="请逐节审阅。",
        questions=["目标是否适当？"],
        due_at=material.NOW + 8 * DAY,
        by_name=True,
        quorum=300,
        categories=[],
        fields=[],
        members=[],
    )
    made = rounds.prepare(version, plan, by=BY, now=material.NOW)
    round_running.open_round(made, on_day=material.NOW.date(), by=BY, now=material.NOW)
    db.session.commit()
    return made


def _long_draft(consultation: consultations.Consultation) -> Version:
    words = material.texts(SECTIONS)
    blocks = []
    for place in range(SECTIONS):
        blocks.append(Block(1, "heading", f"第{place + 1}节 加装电梯与城市更新"))
        blocks.append(Block(0, "paragraph", words[place][:160]))
    read = ReadDraft("某区规划纲要", tuple(blocks), ())
    version = drafts.take_in(
        consultation,
        read,
        title="某区规划纲要",
        source_name="y.txt",
        source=b"y",
        by=BY,
        now=material.NOW,
    )
    drafts.publish(version, by=BY, now=material.NOW)
    return version


def _panel(programme_id: int) -> None:
    kinds = ("区人大代表", "政协委员", "相关领域专家", "人民团体代表", "企业代表", "社区居民代表")
    for number in range(MEMBERS):
        details = members.Details(name=f"成员{number}")
        member = members.add(details, by=BY, now=material.NOW)
        db.session.add(
            Appointment(
                member_id=member.id,
                programme_id=programme_id,
                category=kinds[number % len(kinds)],
                fields=[],
                term_from=material.NOW.date() - DAY,
                term_to=material.NOW.date() + 900 * DAY,
                state=AppointmentState.APPOINTED,
                proposed_at=material.NOW,
                decided_at=material.NOW,
            )
        )
    db.session.flush()


def _signed(made: ReviewRound) -> ReviewRound:
    """Every member's verdict on every section, and their signature."""
    marks = [section.mark for section in round_texts.text_of(made).sections]
    verdicts = list(Verdict)
    asked = [each.id for each in rounds.invitations(made)]
    rows = [
        {
            "invitation_id": invitation_id,
            "section": mark,
            "verdict": verdicts[(invitation_id + mark) % len(verdicts)],
            "words": "建议写明牵头单位。" if (invitation_id + mark) % 9 == 0 else "",
            "wording": {},
            "interest": False,
            "interest_words": "",
            "edition": 1,
            "changed_at": material.NOW,
        }
        for invitation_id in asked
        for mark in marks
    ]
    db.session.execute(sa.insert(SectionReview), rows)
    signed = sa.update(Invitation).where(Invitation.round_id == made.id)
    db.session.execute(
        signed.values(signed_at=material.NOW, opened_at=material.NOW, has_remarks=True)
    )
    db.session.commit()
    return made
