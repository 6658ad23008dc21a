"""The desk's page of archives: the whole record of a consultation as one file."""

import tempfile
from pathlib import Path

from flask import Blueprint, render_template, send_file
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from consult import archives, rules
from consult.archives import Variant
from consult.consultations import Consultation
from consult.views import loading
from core.db import db
from core.forms import Form
from core.permissions import may, require
from core.web import as_file, keep_private, now

blueprint = Blueprint("archives", __name__, url_prefix="/desk/consultations/<slug>/archive")


class ArchiveForm(Form):
    """Which variant is wanted."""

    variant = RadioField(
        _l("版本"),
        [InputRequired(_l("请选择版本。"))],
        choices=[
            SelectChoice(Variant.MASKED.value, _l("脱敏本：公众可读的文字和各项处理结果")),
            SelectChoice(Variant.FULL.value, _l("全本：另含未展示的和遮盖前的文字，以及经办人")),
        ],
        default=Variant.MASKED.value,
    )


@blueprint.get("")
def index(slug: str) -> str:
    """What an archive holds, and the form that makes one."""
    require(rules.archive)
    keep_private()
    return _page(ArchiveForm(formdata=None), loading.consultation(slug))


@blueprint.post("")
def make(slug: str) -> Response | tuple[str, int]:
    """Make the file and hand it out; the act is on record with the file's seal."""
    require(rules.archive)
    keep_private()
    consultation = loading.consultation(slug)
    form = ArchiveForm()
    if not form.validate():
        return _page(form, consultation), 422
    variant = Variant(form.variant.data)
    if variant is Variant.FULL:
        require(rules.archive_in_full)
    with tempfile.TemporaryDirectory(prefix="wenji-archive-") as folder:
        path = Path(folder, "archive.zip")
        archives.make(consultation, variant, path, by=current_user, now=now())
        db.session.commit()
        # Opened before its folder goes: the system keeps the bytes until it has been sent.
        answer = send_file(path.open("rb"), mimetype="application/zip")
    return as_file(answer, consultation.title, ".zip", plain=f"{slug}-{variant.value}")


def _page(form: ArchiveForm, consultation: Consultation) -> str:
    full = may(rules.archive_in_full)
    if not full:
        form.variant.choices = form.variant.choices[:1]
    return render_template(
        "consult/archives/index.html", form=form, consultation=consultation, full=full
    )
