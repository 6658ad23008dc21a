"""What an operator can do for the panel from the command line."""

import json

import click
from flask import Flask
from flask.cli import AppGroup
from flask_babel import gettext as _

from consult import programmes
from consult.command_line import refusing
from core.errors import Refused
from core.web import local, now
from panel import appointments

panel_group = AppGroup("panel", help="公众咨询团：成员。")


def init_commands(app: Flask) -> None:
    """Attach the panel's commands."""
    app.cli.add_command(panel_group)


@panel_group.command("list")
@click.option("--programme", "slug", help="规划编制工作的短名；不写则取最新的一项")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出结果")
@refusing
def list_members(slug: str | None, as_json: bool) -> None:
    """列出今日在任的成员，按姓氏笔画。"""
    programme = programmes.by_slug(slug) if slug else programmes.newest()
    if programme is None:
        raise Refused(_("没有找到这项规划编制工作。"))
    seated = appointments.sitting(programme.id, local(now()).date())
    if as_json:
        told = [
            {
                "name": each.member.name,
                "category": each.category,
                "unit": each.member.unit_text,
                "term_from": each.term_from.isoformat(),
                "term_to": each.term_to.isoformat(),
            }
            for each in seated
        ]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for each in seated:
        click.echo(f"{each.member.name}\t{each.category}\t{each.member.unit_text}\t{each.term_to}")
