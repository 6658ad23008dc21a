"""The adoption table: the desk's page with its documents, and the public's once it is answered."""

from flask import Blueprint, Response, abort, render_template
from flask_login import current_user

from consult import adoption, adoption_documents, rules
from consult.adoption import Part, Table
from consult.consultations import Consultation, ConsultationState
from consult.views import loading
from core import audit
from core.db import db
from core.permissions import may, require
from core.web import as_file, keep_private, now, number_in

blueprint = Blueprint("adoption", __name__)
DESK = "/desk/consultations/<slug>/adoption"
PUBLIC = "/consultations/<slug>/adoption"
AT_ONCE = 100


@blueprint.get(PUBLIC)
def public(slug: str) -> str:
    """What became of everything that was said."""
    consultation = loading.consultation(slug)
    if consultation.state is not ConsultationState.ANSWERED:
        abort(404)
    if current_user.is_authenticated:
        keep_private()
    return _page(consultation, adoption.table(consultation), at_desk=False)


@blueprint.get(f"{PUBLIC}.<any(docx, xlsx):kind>")
def public_document(slug: str, kind: str) -> Response:
    """The same as a document."""
    consultation = loading.consultation(slug)
    if consultation.state is not ConsultationState.ANSWERED:
        abort(404)
    return _document(consultation, adoption.table(consultation), kind)


@blueprint.get(DESK)
def desk(slug: str) -> str:
    """The table as it stands, with what is open."""
    require(rules.read_summaries)
    keep_private()
    consultation = loading.consultation(slug)
    return _page(consultation, adoption.table(consultation), at_desk=True)


@blueprint.post(f"{DESK}.<any(docx, xlsx):kind>")
def document(slug: str, kind: str) -> Response:
    """The full table as a document; each time it is taken is on record."""
    require(rules.prepare_consultations)
    keep_private()
    consultation = loading.consultation(slug)
    made = adoption.table(consultation, full=True)
    audit.record(
        "consultation.table_taken",
        consultation,
        by=current_user,
        now=now(),
        name=consultation.title,
    )
    db.session.commit()
    return _document(consultation, made, kind)


def _page(consultation: Consultation, made: Table, *, at_desk: bool) -> str:
    after = number_in("after") or 0
    rows = made.rows[after : after + AT_ONCE]
    return render_template(
        "consult/adoption/desk.html" if at_desk else "consult/adoption/public.html",
        consultation=consultation,
        totals=adoption_documents.totals(made),
        parts=[(part, [row for row in rows if row.part is part]) for part in Part],
        empty=[part.title for part in Part if not made.of(part)],
        made=made,
        may_take=at_desk and may(rules.prepare_consultations),
        further=after + AT_ONCE if after + AT_ONCE < len(made.rows) else None,
    )


def _document(consultation: Consultation, made: Table, kind: str) -> Response:
    write = adoption_documents.paper if kind == "docx" else adoption_documents.workbook
    mimetype = adoption_documents.DOCX if kind == "docx" else adoption_documents.XLSX
    response = Response(write(consultation, made), mimetype=mimetype)
    as_file(response, consultation.title, f".{kind}", plain=f"{consultation.slug}-adoption")
    return response
