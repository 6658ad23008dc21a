"""`flask --app app search …`: make everything public findable anew."""

import click
from flask.cli import AppGroup
from flask_babel import gettext as _

from consult import search
from consult.command_line import refusing
from core.db import db

search_group = AppGroup("search", help="检索：重建索引。")


@search_group.command("rebuild")
@refusing
def rebuild() -> None:
    """重建检索索引；站点照常运行，完成之前可能查不全。"""
    with click.progressbar(length=search.to_rebuild(), label=_("重建检索索引")) as bar:
        for done in search.rebuild():
            # Step by step, so that nobody who writes meanwhile has to wait for all of it.
            db.session.commit()
            bar.update(done)
    click.echo(_("检索索引已重建。"))
