"""Archiving from the command line: `flask --app app archive make|verify`."""

import sys
from pathlib import Path

import click
from flask.cli import AppGroup
from flask_babel import gettext as _

from consult import archives
from consult.archives import Variant
from consult.archiving import __main__ as proof
from consult.archiving import verify
from consult.command_line import refusing, the_consultation
from core import audit
from core.db import db
from core.web import now

archive_group = AppGroup("archive", help="归档：生成、核验。")


@archive_group.command("make")
@click.argument("slug")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="文件"
)
@click.option("--full", is_flag=True, help="全本：含未展示的和遮盖前的文字，以及经办人")
@refusing
def make(slug: str, output: Path, full: bool) -> None:
    """生成一项意见征集的归档文件。"""
    variant = Variant.FULL if full else Variant.MASKED
    seal = archives.make(the_consultation(slug), variant, output, by=audit.COMMAND_LINE, now=now())
    db.session.commit()
    click.echo(_("已写入%(file)s，封存码：%(seal)s", file=output.name, seal=seal))


@archive_group.command("verify", with_appcontext=False)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """核验归档文件是否完整、未被改动；不读数据库。"""
    found = verify(file)
    click.echo("\n".join(proof.report(found)), err=bool(found.faults))
    sys.exit(1 if found.faults else 0)
