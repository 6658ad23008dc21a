"""The open data of an answered round, at addresses that stay: figures, answers, what they mean."""

from flask import Blueprint, abort, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from consult import adoption, adoption_papers, open_data
from consult.consultations import Consultation
from consult.views import loading
from core import languages
from core.web import as_file

blueprint = Blueprint("open_data", __name__, url_prefix="/consultations/<slug>/data")
KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
# Counted in the table of answers; everything else there is words.
NUMBERS = frozenset({"number", "count", "opinions"})


@blueprint.get("/")
def index(slug: str) -> str:
    """Which files there are, and what stands in them."""
    consultation = _answered(slug)
    return render_template(
        "consult/open_data/index.html",
        consultation=consultation,
        files=_files(consultation),
        tables=[(_("意见数量"), open_data.fields()), (_("采纳情况"), _answers())],
        cells=open_data.count(consultation.id),
        few=open_data.FEW,
    )


@blueprint.get("/figures.<kind>")
def figures(slug: str, kind: str) -> Response:
    """How many opinions of each kind: csv or json."""
    if kind not in KINDS:
        abort(404)
    languages.only_chinese()
    consultation = _answered(slug)
    cells = open_data.count(consultation.id)
    made = (
        open_data.as_csv(cells) if kind == "csv" else open_data.as_json(consultation.title, cells)
    )
    return _file(made, KINDS[kind], consultation, "figures", kind)


@blueprint.get("/datapackage.json")
def dictionary(slug: str) -> Response:
    """What every column of every file means, for programs."""
    languages.only_chinese()
    consultation = _answered(slug)
    made = open_data.package(
        consultation.slug, consultation.title, _files(consultation), _answers()
    )
    return _file(made, KINDS["json"], consultation, "datapackage", "json")


def _answered(slug: str) -> Consultation:
    """The consultation, when its adoption table is out; before that there is no open data."""
    consultation = loading.consultation(slug)
    if not adoption.released(consultation.id):
        abort(404)
    return consultation


def _files(consultation: Consultation) -> dict[str, str]:
    slug = consultation.slug
    answers = {f"answers-{kind}": url_for("adoption.table", slug=slug, kind=kind) for kind in KINDS}
    return {
        f"figures-{kind}": url_for(".figures", slug=slug, kind=kind) for kind in KINDS
    } | answers


def _answers() -> list[dict[str, str]]:
    return [
        {"name": name, "type": "integer" if name in NUMBERS else "string", "description": said}
        for name, said in adoption_papers.meanings().items()
    ]


def _file(made: bytes, mimetype: str, consultation: Consultation, what: str, kind: str) -> Response:
    response = Response(made, content_type=mimetype)
    name = _("开放数据 %(title)s", title=consultation.title)
    return as_file(response, name, f".{kind}", plain=f"{what}-{consultation.slug}")
