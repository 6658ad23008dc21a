"""Preparing and publishing from the command line: `flask --app app drafts|consultations …`."""

import datetime as dt
import json
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup
from flask_babel import gettext as _

from consult import changes, consultation_acts, consultations, drafts, programmes, readers
from consult.command_line import refusing, the_consultation
from consult.consultations import Consultation
from core import audit, units
from core.db import db
from core.errors import Refused
from core.web import closing, now

drafts_group = AppGroup("drafts", help="文稿：导入、发布。")
consultations_group = AppGroup("consultations", help="意见征集：列出、新建、公布、延长。")


class Day(click.ParamType[dt.date]):
    """A date, written 2020-10-08."""

    name = "date"

    def convert(
        self, value: str | dt.date, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        """The date, or a refusal in words."""
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            self.fail(_("“%(value)s”不是日期，请写成2020-10-08这样。", value=value), param, ctx)


def init_commands(app: Flask) -> None:
    """Attach both groups."""
    app.cli.add_command(drafts_group)
    app.cli.add_command(consultations_group)


@drafts_group.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--consultation", "slug", required=True, help="意见征集的网址短名")
@click.option("--title", default="", help="文稿名称；不写则用文件里的标题")
@click.option("--publish", "at_once", is_flag=True, help="不经检查直接发布")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出结果")
@refusing
def import_draft(file: Path, slug: str, title: str, at_once: bool, as_json: bool) -> None:
    """导入文稿（.docx、.md、.txt），成为新的一稿。"""
    data = _bytes_of(file)
    read = readers.read(data, filename=file.name)
    consultation = the_consultation(slug)
    version = drafts.take_in(
        consultation,
        read,
        title=(title or read.title or consultation.title)[:200],
        source_name=file.name,
        source=data,
        by=audit.COMMAND_LINE,
        now=now(),
    )
    if at_once:
        drafts.publish(version, by=audit.COMMAND_LINE, now=now())
    sections, paragraphs = drafts.count(version)
    db.session.commit()
    if as_json:
        said = {"draft": version.draft_id, "sections": sections, "paragraphs": paragraphs}
        _say_json(said | {"warnings": version.warnings})
        return
    click.echo(
        _(
            "《%(title)s》第%(n)d稿：%(a)d个标题、%(b)d段正文，%(state)s。",
            title=version.draft.title,
            n=version.number,
            a=sections,
            b=paragraphs,
            state=_("已发布") if at_once else _("待检查"),
        )
    )
    for sentence in version.warnings:
        click.echo(sentence, err=True)


def _bytes_of(file: Path) -> bytes:
    if not file.is_file():
        raise Refused(_("没有找到文件“%(name)s”。", name=file.name))
    try:
        with file.open("rb") as opened:
            data = opened.read(readers.MAX_BYTES + 1)
    except OSError as error:
        raise Refused(_("文件“%(name)s”打不开，请检查权限。", name=file.name)) from error
    if len(data) > readers.MAX_BYTES:
        raise Refused(_("文件超过20兆字节，请压缩其中的图片或拆分后再导入。"))
    return data


@drafts_group.command("publish")
@click.option("--consultation", "slug", required=True, help="意见征集的网址短名")
@refusing
def publish_draft(slug: str) -> None:
    """发布已经导入、还没有发布的一稿。"""
    version = drafts.prepared(the_consultation(slug))
    if version is None:
        raise Refused(_("没有待发布的文稿。"))
    changes.settle(version, by=audit.COMMAND_LINE, now=now())
    drafts.publish(version, by=audit.COMMAND_LINE, now=now())
    db.session.commit()
    click.echo(_("第%(n)d稿已发布。", n=version.number))


@consultations_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出结果")
@refusing
def list_consultations(as_json: bool) -> None:
    """列出所有意见征集和它们的状态。"""
    at = now()
    every = consultations.every(public_only=False)
    if as_json:
        _say_json([{"slug": c.slug, "title": c.title, "state": c.phase(at).value} for c in every])
        return
    if not every:
        click.echo(_("还没有意见征集。"))
    for each in every:
        until = closing(each.closes_at) or _("未定时间")
        click.echo(f"{each.slug:24}\t{each.phase(at).title}\t{until}\t{each.title}")


@consultations_group.command("create")
@click.option("--slug", required=True, help="网址短名")
@click.option("--title", required=True, help="标题")
@click.option("--programme", "programme_slug", required=True, help="规划编制工作的短名")
@click.option("--stage", "stage_key", required=True, help="阶段的代号，例如 drafting")
@click.option("--unit", "unit_slug", default="", help="征集部门的短名")
@click.option("--explanation", default="", help="起草说明")
@click.option("--ways", default="", help="参与方式")
@click.option("--contact", default="", help="联系方式")
@click.option("--first", type=Day(), help="开始日期")
@click.option("--last", type=Day(), help="截止日期（当天24:00）")
@click.option("--reason", default="", help="期限不足30天的理由")
@refusing
def create_consultation(
    slug: str,
    title: str,
    programme_slug: str,
    stage_key: str,
    unit_slug: str,
    first: dt.date | None,
    last: dt.date | None,
    reason: str,
    **notice: str,
) -> None:
    """新建意见征集，可以同时写好公告、定下时间。"""
    programme = programmes.by_slug(programme_slug)
    stages = {stage.key: stage for stage in programme.stages} if programme else {}
    if stage_key not in stages:
        raise Refused(_("没有这个规划编制工作，或者它没有这个阶段。"))
    unit = units.by_slug([unit_slug]).get(unit_slug)
    if unit_slug and unit is None:
        raise Refused(_("没有短名为“%(slug)s”的单位。", slug=unit_slug))
    by, at = audit.COMMAND_LINE, now()
    made = consultation_acts.create(
        slug=slug, title=title[:200], stage=stages[stage_key], unit=unit, by=by, now=at
    )
    consultation_acts.write_notice(made, title=made.title, **notice, by=by, now=at)
    if first and last:
        consultation_acts.set_window(
            made, first=first, last=last, short_reason=reason, by=by, now=at
        )
    db.session.commit()
    click.echo(_("已新建“%(title)s”。", title=made.title))


@consultations_group.command("announce")
@click.argument("slug")
@refusing
def announce_consultation(slug: str) -> None:
    """公布公告；缺什么会说明。"""
    consultation = the_consultation(slug)
    consultation_acts.announce(
        consultation,
        has_draft=drafts.published(consultation) is not None,
        by=audit.COMMAND_LINE,
        now=now(),
    )
    db.session.commit()
    _say_window(consultation)


@consultations_group.command("extend")
@click.argument("slug")
@click.option("--last", type=Day(), required=True, help="新的截止日期（当天24:00）")
@click.option("--reason", required=True, help="延长的理由，向公众展示")
@refusing
def extend_consultation(slug: str, last: dt.date, reason: str) -> None:
    """延长期限；不能缩短。"""
    consultation = the_consultation(slug)
    consultation_acts.extend(
        consultation, last=last, reason=reason, by=audit.COMMAND_LINE, now=now()
    )
    db.session.commit()
    _say_window(consultation)


def _say_window(consultation: Consultation) -> None:
    state, until = consultation.phase(now()).title, closing(consultation.closes_at)
    click.echo(_("%(state)s，%(until)s截止。", state=state, until=until))


def _say_json(said: object) -> None:
    click.echo(json.dumps(said, ensure_ascii=False))
