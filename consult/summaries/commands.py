"""`flask --app app summary …`: count a consultation or a stage, and print what was counted."""

import json

import click
from flask.cli import AppGroup
from flask_babel import gettext as _

from consult import consultations, programmes, summaries, term_index
from consult.summaries import plain_values, readings
from consult.summaries.snapshots import Subject, Summary, consultations_of
from consult.summaries.words import method_of
from core import audit
from core.db import db
from core.web import now

summary_group = AppGroup("summary", help="意见汇总：计数、查看。")


@summary_group.command("count")
@click.argument("slug")
def count(slug: str) -> None:
    """生成一次新的汇总（SLUG：意见征集的短名，或“规划短名/阶段”）。"""
    made = _make(_subject(slug))
    click.echo(
        _(
            "第%(n)d次汇总：%(a)d件，去重后%(b)d条，%(c)d人。",
            n=made.number,
            a=made.shown,
            b=made.distinct,
            c=made.people,
        )
    )


@summary_group.command("show")
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
def show(slug: str, as_json: bool) -> None:
    """显示汇总；意见、审核、词典或文稿有变化时先重新计数。"""
    subject = _subject(slug)
    newest = next(iter(summaries.of(subject)), None)
    if newest is None or _outdated(newest):
        newest = _make(subject)
    said = plain_values.of(newest, slug)
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    counts = said["counts"]
    click.echo(f"{subject.title}　{said['counted_at']}")
    click.echo(
        _(
            "%(a)d件，去重后%(b)d条，%(c)d人。",
            a=counts["submissions"],
            b=counts["distinct"],
            c=counts["people"],
        )
    )
    for keyword in said["keywords"][:30]:
        click.echo(f"{keyword['term']}\t{keyword['count']}\t{keyword['people']}")


def _make(subject: Subject) -> Summary:
    made = summaries.make(subject, by=audit.COMMAND_LINE, now=now(), between=db.session.rollback)
    db.session.commit()
    return made


def _outdated(summary: Summary) -> bool:
    consultations = consultations_of(summary.subject)
    if readings.since(summary, consultations):
        return True
    lexicon = term_index.lexicon()
    return (lexicon.version, method_of(lexicon)) != (summary.lexicon, summary.method)


def _subject(slug: str) -> Subject:
    """The consultation with this slug, or the stage `programme/key`."""
    programme_slug, slash, key = slug.partition("/")
    if not slash:
        found = consultations.by_slug(slug)
        if found is not None:
            return found
    programme = programmes.by_slug(programme_slug) if slash else None
    for stage in programme.stages if programme else ():
        if stage.key == key:
            return stage
    raise _missing(slug)


def _missing(slug: str) -> click.ClickException:
    return click.ClickException(_("没有短名为“%(slug)s”的意见征集或阶段。", slug=slug))
