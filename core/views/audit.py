"""The record of acts, for auditors and administrators: to read, to filter, to take away."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for
from flask_babel import gettext as _

from core import audit, rules
from core.audit import AuditEvent
from core.permissions import require
from core.sheets import inert
from core.web import SHANGHAI, day_in, keep_private, local, number_in, words_in

blueprint = Blueprint("audit", __name__, url_prefix="/desk/audit")

AT_ONCE = 50
CSV_AT_ONCE = 1000


@blueprint.before_request
def _auditors_only() -> None:
    keep_private()
    require(rules.read_audit)


@dataclass(frozen=True)
class Pages:
    """What the pager macro asks for."""

    next_url: str | None
    previous_url: str | None = None
    count_text: str = ""


@blueprint.get("")
def index() -> str:
    """The newest acts first."""
    chosen = _filters()
    events = audit.page(before_id=number_in("before"), limit=AT_ONCE + 1, **chosen)
    shown, more = events[:AT_ONCE], len(events) > AT_ONCE
    asked = {name: value for name, value in request.args.items() if name in ASKED and value}
    return render_template(
        "core/audit/index.html",
        events=shown,
        asked=asked,
        actions=_named(audit.ACTIONS),
        kinds=_named(audit.KINDS),
        audit=audit,
        pages=Pages(_later(asked, shown[-1].id) if more else None),
    )


@blueprint.get("/export.csv")
def export() -> Response:
    """The same acts as a table, cells inert."""
    rows = stream_with_context(_csv(_filters()))
    response = Response(rows, mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


ASKED = ("action", "kind", "since", "until")


def _later(asked: dict[str, Any], last_id: int) -> str:
    return url_for(".index", **asked, before=last_id)


def _filters() -> dict[str, Any]:
    since, until = day_in("since"), day_in("until")
    return {
        "action": words_in("action", most=64),
        "thing_kind": words_in("kind", most=64),
        "since": _midnight(since) if since else None,
        # The last day counts whole; 9999-12-31 has no day after it.
        "until": _midnight(until + dt.timedelta(days=1)) if until and until.year < 9999 else None,
    }


def _midnight(day: dt.date) -> dt.datetime | None:
    # Years that UTC cannot hold restrict nothing.
    if not 1900 <= day.year <= 9000:
        return None
    return dt.datetime.combine(day, dt.time(), SHANGHAI)


def _named(names: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted(((code, str(name)) for code, name in names.items()), key=lambda pair: pair[1])


def _csv(chosen: dict[str, Any]) -> Iterator[str]:
    heads = [_("时间"), _("人员"), _("操作"), _("对象"), _("编号"), _("名称")]
    # The mark makes spreadsheet programs read UTF-8.
    yield "\ufeff" + _line([*heads, _("之前"), _("之后"), _("理由")])
    before_id: int | None = None
    while events := audit.page(before_id=before_id, limit=CSV_AT_ONCE, **chosen):
        yield "".join(_line(_cells(event)) for event in events)
        before_id = events[-1].id


def _cells(event: AuditEvent) -> list[object]:
    return [
        local(event.at).strftime("%Y-%m-%d %H:%M:%S"),
        event.actor_name,
        audit.action_name(event.action),
        audit.kind_name(event.thing_kind),
        event.thing_id,
        event.thing_name,
        audit.told(event.before),
        audit.told(event.after),
        event.reason,
    ]


def _line(cells: list[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([inert(cell) for cell in cells])
    return out.getvalue()
