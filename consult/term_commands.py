"""`flask --app app index …`: bring the index of terms up to date, and print what it counts."""

import json
from typing import Any

import click
from flask.cli import AppGroup
from flask_babel import gettext as _

from consult import term_index, term_jobs
from consult.command_line import refusing, the_consultation
from consult.terms.shelf import Filters, top
from core import audit, jobs, worker
from core.db import db
from core.errors import Refused
from core.web import now

index_group = AppGroup("index", help="词语索引：更新、查看。")


@index_group.command("rebuild")
@click.option("--all", "whole", is_flag=True, help="全部重新读一遍，不只是过时的")
@click.option("--here", is_flag=True, help="就在本进程执行，完成后返回；否则交给后台处理程序")
@refusing
def rebuild(whole: bool, here: bool) -> None:
    """按现行词典更新词语索引；站点照常运行，更新之前按旧词典计数。"""
    job = term_jobs.ask(whole=whole, by=audit.COMMAND_LINE, now=now())
    db.session.commit()
    if not here:
        click.echo(_("已交给后台处理程序（任务%(n)d）。", n=job.id))
        return
    while job.is_open and jobs.work(worker=worker.name(), now=now):
        db.session.refresh(job)
        db.session.commit()
    if job.state is not jobs.JobState.DONE:
        raise Refused(job.error or _("任务%(n)d由另一个进程执行，尚未完成。", n=job.id))
    click.echo((job.result or {})["words"])


@index_group.command("show")
@click.argument("slug")
@click.option("--term", "terms", multiple=True, help="只看含有这个词的意见，可以重复")
@click.option("--top", "most", default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="以 JSON 输出")
@refusing
def show(slug: str, terms: tuple[str, ...], most: int, as_json: bool) -> None:
    """显示一项意见征集的词语计数和每日件数。"""
    said = _told(the_consultation(slug).id, terms, most)
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    if said["outdated"]:
        click.echo(_("有%(n)d件尚未按现行词典读过。", n=said["outdated"]))
    click.echo(_("%(a)d件，%(b)d人。", a=said["submissions"], b=said["people"]))
    for each in said["terms"]:
        click.echo(f"{each['term']}\t{each['count']}\t{each['opposed']}")
    for day, count in said["days"].items():
        click.echo(f"{day}\t{count}")
    click.echo(_("词语的读法和词典：%(version)s", version=said["version"]))


def _told(consultation_id: int, terms: tuple[str, ...], most: int) -> dict[str, Any]:
    standing = term_index.standing()
    view = term_index.shelf(consultation_id)
    by_number, by_word = term_index.vocabulary()
    # A word that no opinion holds has a number that none has.
    wanted = tuple(by_word.get(term, 0) for term in terms)
    mask = view.select(Filters(terms=wanted)) if terms else None
    counts, against = view.counts(mask), view.against(mask)
    return {
        "version": standing.version,
        "outdated": standing.outdated,
        "submissions": view.size if mask is None else int(mask.sum()),
        "people": view.people(mask),
        "terms": [
            {"term": by_number[id], "count": count, "opposed": int(against[id])}
            for id, count in top(counts, most)
        ],
        "days": {day.isoformat(): count for day, count in view.days(mask).items()},
    }
