"""The letter of appointment (聘书) as a Word document in the look of an official paper."""

import datetime as dt
import io
from collections.abc import Mapping

from docx.enum.text import WD_ALIGN_PARAGRAPH
from flask_babel import gettext as _

from consult.official_paper import blank, body, title
from consult.programmes import Programme
from core.errors import Refused
from panel.members import HELD, Appointment

MIMETYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def write(
    appointment: Appointment, programme: Programme, fields: Mapping[str, str], *, owner: str
) -> io.BytesIO:
    """The letter, for whoever was appointed; signed by `owner`, dated with the decision."""
    if appointment.state not in HELD or appointment.decided_at is None:
        raise Refused(_("聘任确认以后才能出具聘书。"))
    document = blank()
    title(document, _("聘  书"))
    body(document, "")
    body(document, _("%(name)s：", name=appointment.member.name))
    panel = programme.facts.get("panel") or {}
    body(
        document,
        _(
            "兹聘请您为%(panel)s成员（%(category)s），参与%(plan)s的编制和实施，"
            "任期自%(from_)s至%(to)s。",
            panel=panel.get("title") or _("公众咨询团"),
            category=appointment.category,
            plan=programme.plan_title,
            from_=_day(appointment.term_from),
            to=_day(appointment.term_to),
        ),
    )
    known = [fields[key] for key in appointment.fields if key in fields]
    if known:
        body(document, _("联系的专长领域：%(fields)s。", fields="；".join(known)))
    if panel.get("role"):
        body(document, _("咨询团%(role)s。", role=str(panel["role"]).rstrip("。")))
    body(document, "")
    for line in (owner or _("规划编制工作专班"), _day(appointment.decided_at.date())):
        body(document, line)
        document.paragraphs[-1].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    out = io.BytesIO()
    document.save(out)
    out.seek(0)
    return out


def _day(day: dt.date) -> str:
    return str(_("%(y)d年%(m)d月%(d)d日", y=day.year, m=day.month, d=day.day))
