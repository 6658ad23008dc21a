"""What an operator can do from the command line: `flask --app app …`. Each command commits once."""

import json
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from flask_babel import gettext as _

from consult import (
    drafts,
    example,
    import_undoing,
    imports,
    intake,
    programme_files,
    publishing_commands,
)
from consult.archive_commands import archive_group
from consult.command_line import refusing, the_consultation
from consult.imports import Report
from consult.intake import Intake
from consult.lexicon_commands import lexicon_group
from consult.readers import tables
from consult.search_commands import search_group
from consult.submissions import Channel
from consult.summaries.commands import summary_group
from consult.term_commands import index_group
from core import audit, uploads
from core.db import db
from core.web import LARGEST_ID, SHANGHAI, now

programme_group = AppGroup("programme", help="规划编制工作：载入。")
submissions_group = AppGroup("submissions", help="意见件：导入、撤销导入。")
example_group = AppGroup("example", help="内置示例。")


def init_commands(app: Flask) -> None:
    """Attach the consultation's commands."""
    app.cli.add_command(index_group)
    app.cli.add_command(programme_group)
    app.cli.add_command(submissions_group)
    app.cli.add_command(example_group)
    app.cli.add_command(summary_group)
    app.cli.add_command(search_group)
    app.cli.add_command(lexicon_group)
    app.cli.add_command(archive_group)
    publishing_commands.init_commands(app)


@programme_group.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@refusing
def load_programme(file: Path) -> None:
    """载入规划编制工作文件（.yaml）；再次载入只更新有变化的内容。"""
    built_in = file.resolve().parent == example.DATA.resolve()
    loaded = programme_files.load(file, example=built_in, by=audit.COMMAND_LINE, now=now())
    said = [_("%(title)s：", title=loaded.programme.title), *loaded.words()]
    db.session.commit()
    click.echo("\n".join(said))


@submissions_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--consultation", "slug", required=True, help="意见征集的网址短名")
@click.option(
    "--channel", type=click.Choice([c.value for c in Channel]), required=True, help="渠道"
)
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help="字段=列名，可重复")
@click.option("--dry-run", is_flag=True, help="只检查，不保存")
@click.option("--to-queue", is_flag=True, help="放入审核队列，不直接计为已审核")
@click.option("--hold-personal", is_flag=True, help="可能含有个人信息的，先放入审核队列")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出结果")
@refusing
def import_submissions(
    file: Path,
    slug: str,
    channel: str,
    pairs: tuple[str, ...],
    dry_run: bool,
    to_queue: bool,
    hold_personal: bool,
    as_json: bool,
) -> None:
    """导入其他渠道的意见（.csv、.xlsx）。"""
    consultation = the_consultation(slug)
    data = file.read_bytes()
    table = tables.read(data, filename=file.name)
    version = drafts.published(consultation)
    at = now()
    begun = None
    if not dry_run:
        begun = intake.begin(
            consultation,
            channel=Channel(channel),
            filename=file.name,
            data=data,
            stored_as="",
            to_queue=to_queue,
            by=audit.COMMAND_LINE,
            now=at,
        )
    report = imports.bring_in(
        table,
        consultation,
        channel=Channel(channel),
        mapping=_mapped(table.columns, pairs),
        outline=drafts.outline(version) if version else None,
        to_queue=to_queue,
        hold_personal=hold_personal,
        dry_run=dry_run,
        secret=current_app.config["SECRET_KEY"],
        intake=begun,
        by=audit.COMMAND_LINE,
        now=at,
        on_day=at.astimezone(SHANGHAI).date(),
    )
    db.session.rollback() if dry_run else db.session.commit()
    if as_json:
        _print_counts(report, with_held=hold_personal)
    else:
        _tell(report, begun)


def _print_counts(report: Report, *, with_held: bool) -> None:
    """What became of the rows, for programs."""
    said: dict[str, Any] = {
        "rows": report.rows,
        "imported": report.imported,
        "already": report.already,
    }
    said |= {"held": report.held} if with_held else {}
    errors = [{"row": error.row, "why": error.why} for error in report.errors]
    click.echo(json.dumps(said | {"errors": errors}, ensure_ascii=False))


def _tell(report: Report, begun: Intake | None) -> None:
    """The same for people, with the number by which it can be undone."""
    click.echo(
        _(
            "共%(rows)d行：新增%(new)d件，已有%(old)d件，未导入%(bad)d行。",
            rows=report.rows,
            new=report.imported,
            old=report.already,
            bad=len(report.errors),
        )
    )
    if report.held:
        click.echo(_("其中%(n)d件可能含有个人信息，先放入审核队列。", n=report.held))
    if begun:
        click.echo(_("导入编号%(n)d，撤销时要用。", n=begun.id))
    for error in report.errors:
        click.echo(_("第%(row)d行：%(why)s", row=error.row, why=error.why), err=True)


@submissions_group.command("undo-import")
@click.argument("number", type=click.IntRange(1, LARGEST_ID))
@click.option("--reason", required=True, help="撤销的理由")
@click.option("--yes", is_flag=True, help="确认撤销；不加只列出会撤销什么")
@refusing
def undo_import(number: int, reason: str, yes: bool) -> None:
    """撤销一次导入（编号见导入时的输出，或导入页的网址）。"""
    found = db.session.get(intake.Intake, number)
    if found is None:
        raise click.BadParameter(_("没有编号为%(n)d的导入。", n=number))
    import_undoing.must_be_possible(found, now=now())
    outlook = import_undoing.outlook(found)
    for each in outlook.staying:
        click.echo(_("保留第%(n)d件：%(why)s", n=each.number, why=each.why), err=True)
    if not yes:
        n, kept = len(outlook.going), len(outlook.staying)
        click.echo(_("将撤销%(n)d件，保留%(kept)d件。确认请加 --yes。", n=n, kept=kept))
        return
    stored_as = found.stored_as
    gone, stayed = import_undoing.undo(
        found, reason=reason, seen=outlook.mark, by=audit.COMMAND_LINE, now=now()
    )
    db.session.commit()
    if stored_as:
        uploads.remove(stored_as)
    click.echo(_("已撤销%(n)d件，保留%(kept)d件。", n=gone, kept=stayed))


def _mapped(columns: tuple[str, ...], pairs: tuple[str, ...]) -> dict[str, str]:
    """{field: column}: what the columns' names tell, corrected by `body=留言详情`; `title=` with
    nothing behind it leaves the field out."""
    mapping = intake.guessed(columns)
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not equals or name not in intake.FIELDS:
            raise click.BadParameter(
                _("请写成“字段=列名”，字段可用：%(all)s。", all="、".join(intake.FIELDS))
            )
        mapping = {each: c for each, c in mapping.items() if c != column and each != name}
        if column:
            mapping[name] = column
    return mapping


@example_group.command("load")
@refusing
def load_example() -> None:
    """载入内置示例（数据库须为空）。"""
    example.load(now=now())
    db.session.commit()
    click.echo(_("已载入内置示例。"))
