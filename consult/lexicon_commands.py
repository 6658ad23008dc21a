"""`flask --app app lexicon …`: show, export and import what staff decided about words."""

import json
from pathlib import Path

import click
from flask.cli import AppGroup
from flask_babel import gettext as _

from consult import lexicons
from consult.command_line import refusing
from core import audit
from core.db import db
from core.errors import Refused
from core.web import now

lexicon_group = AppGroup("lexicon", help="词典：查看、导入、导出。")


@lexicon_group.command("show")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def show(as_json: bool) -> None:
    """显示现行的一版：由谁、何时、为什么改的，规定了哪些词。"""
    number = lexicons.newest()
    version, entries = lexicons.by_number(number), lexicons.entries_of(number)
    if as_json:
        said = {
            "version": number,
            "lexicon": lexicons.at(number).version,
            "made_at": version.made_at.isoformat() if version else None,
            "by": version.by_name if version else None,
            "reason": version.reason if version else None,
            "entries": [
                {"word": e.word, "kind": e.kind.value, "counts_as": e.counts_as or None}
                for e in entries
            ],
        }
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    if version is None:
        click.echo(_("只有内置词典，没有改动。"))
        return
    click.echo(_("第%(n)d版　%(by)s　%(why)s", n=number, by=version.by_name, why=version.reason))
    for entry in entries:
        click.echo(f"{entry.word}\t{lexicons.described(entry)}")


@lexicon_group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
def export(file: Path | None) -> None:
    """把现行的一版写成文本；不写 FILE 就写到标准输出。"""
    text = lexicons.as_text(lexicons.entries_of(lexicons.newest()))
    if file is None:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")


@lexicon_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--reason", required=True, help="为什么改")
@refusing
def bring_in(file: Path, reason: str) -> None:
    """用文件里的规定替换现行的规定，成为新的一版。"""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise Refused(_("文件不是 UTF-8 编码的文本。")) from wrong
    made = lexicons.bring_in(
        lexicons.parse(text),
        seen=lexicons.newest(),
        reason=reason.strip(),
        by=audit.COMMAND_LINE,
        now=now(),
    )
    db.session.commit()
    click.echo(_("已成为词典第%(n)d版，共%(m)d条。", n=made.number, m=made.entries))
