"""Copies of the whole site from the command line: `flask --app app backup make|verify|restore`."""

from pathlib import Path

import click
from flask.cli import AppGroup

from core import audit, backups
from core.backups import Backup
from core.db import db
from core.errors import Refused
from core.web import now

backup_commands = AppGroup("backup", help="Copies of the whole site: make, verify, restore.")
FILE = click.Path(dir_okay=False, path_type=Path)
THERE = click.Path(exists=True, dir_okay=False, path_type=Path)


@backup_commands.command("make")
@click.argument("file", type=FILE)
@click.option("--with-keys", is_flag=True, help="Put the keys in, too; keep such a file locked up.")
def make(file: Path, with_keys: bool) -> None:
    """Copy the running site into FILE."""
    try:
        backups.begin(file, with_keys=with_keys, by=audit.COMMAND_LINE, now=now())
        db.session.commit()
        made = backups.make(file, with_keys=with_keys, now=now())
    except Refused as refusal:
        raise click.ClickException(refusal.sentence) from None
    except OSError as error:
        raise click.ClickException(f"备份没有写成：{error.strerror}。") from None
    click.echo(f"已备份到{file}：{_size(made)}，封存码{made.seal}")
    if not with_keys:
        names = "、".join(backups.KEYS)
        click.echo(f"密钥不在其中，请另行保管 instance/ 下的{names}（或者设置里的同名项）。")


@backup_commands.command("verify", with_appcontext=False)
@click.argument("file", type=THERE)
def verify(file: Path) -> None:
    """See whether FILE is whole, without a site."""
    backup, faults = backups.verify(file)
    for fault in faults:
        click.echo(fault, err=True)
    if backup is None or faults:
        raise click.ClickException("备份文件不完整或已被改动，请不要使用。")
    keys = "含密钥" if backup.with_keys else "不含密钥"
    click.echo(f"备份完整：{backup.made_at}，{_size(backup)}，{keys}，封存码{backup.seal}")


@backup_commands.command("restore")
@click.argument("file", type=THERE)
@click.option("--without-keys", is_flag=True, help="Go on although the keys are lost.")
def restore(file: Path, without_keys: bool) -> None:
    """Fill this empty site from FILE."""
    try:
        backup = backups.restore(file, without_keys=without_keys, by=audit.COMMAND_LINE, now=now())
        db.session.commit()
    except Refused as refusal:
        raise click.ClickException(refusal.sentence) from None
    click.echo(f"已从{backup.made_at}的备份恢复：{_size(backup)}。")
    click.echo(
        "备份以后办理的撤回、删除和注销不在其中，请按工作记录补办；待发的通知请在工作台逐件核对。"
    )


def _size(backup: Backup) -> str:
    files = sum(name.startswith("uploads/") for name in backup.entries)
    return f"{len(backup.database['rows'])}个数据表，{backup.rows}行，{files}个文件"
