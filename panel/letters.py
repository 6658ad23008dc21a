"""The letter of appointment (聘书): its words, as a Word document and as a PDF in the look of an
official paper."""

import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from flask_babel import gettext as _

from consult.official_paper import at_the_right, blank, body, saved, title
from consult.programmes import Programme
from core import typesetting
from core.errors import Refused
from core.web import local
from panel.appointments import HELD, Appointment

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"
SHEET = Path(__file__).parent / "data" / "letter.typ"


@dataclass(frozen=True, slots=True)
class Letter:
    """Every word of the letter. `made`, an ISO moment, is written into the file, so that equal
    letters are equal bytes."""

    title: str
    to: str
    parts: tuple[str, ...]
    signed: tuple[str, ...]
    made: str


def letter(
    appointment: Appointment, programme: Programme, fields: Mapping[str, str], *, owner: str
) -> Letter:
    """The words, for whoever was appointed; signed by `owner`, dated with the decision."""
    if appointment.state not in HELD or appointment.decided_at is None:
        raise Refused(_("聘任确认以后才能出具聘书。"))
    panel = programme.facts.get("panel") or {}
    parts = [
        _(
            "兹聘请您为%(panel)s成员（%(category)s），参与%(plan)s的编制和实施，"
            "任期自%(from_)s至%(to)s。",
            panel=panel.get("title") or _("公众咨询团"),
            category=appointment.category,
            plan=programme.plan_title,
            from_=_day(appointment.term_from),
            to=_day(appointment.term_to),
        )
    ]
    known = [fields[key] for key in appointment.fields if key in fields]
    if known:
        parts.append(_("联系的专长领域：%(fields)s。", fields="；".join(known)))
    if panel.get("role"):
        parts.append(_("咨询团%(role)s。", role=str(panel["role"]).rstrip("。")))
    decided = local(appointment.decided_at)
    return Letter(
        title=_("聘  书"),
        to=_("%(name)s：", name=appointment.member.name),
        parts=tuple(parts),
        signed=(owner or _("规划编制工作专班"), _day(decided.date())),
        made=decided.replace(microsecond=0).isoformat(),
    )


def word(written: Letter) -> io.BytesIO:
    """As a Word document."""
    document = blank(numbered=False)
    title(document, written.title)
    for text in ("", written.to, *written.parts, ""):
        body(document, text)
    for line in written.signed:
        at_the_right(document, line)
    return io.BytesIO(saved(document))


@lru_cache(maxsize=16)
def pdf(written: Letter) -> bytes:
    """As a tagged PDF; the last few are kept. Raises typesetting.NotMade."""
    return typesetting.pdf(SHEET, asdict(written))


def _day(day: dt.date) -> str:
    return str(_("%(y)d年%(m)d月%(d)d日", y=day.year, m=day.month, d=day.day))
