"""Commands of the part both halves stand on: an empty site, and accounts."""

import datetime as dt
import secrets

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from core import accounts, audit, housekeeping, jobs, passwords, worker
from core.accounts import Account, RoleName
from core.addresses import fold, is_email
from core.backup_commands import backup_commands
from core.db import db
from core.errors import Refused
from core.migrations import bring_up_to_date
from core.text import tidy_line, visible
from core.web import now

ROLE = click.Choice([role.value for role in RoleName])


def init_commands(app: Flask) -> None:
    """Give `flask --app app` its commands."""
    for command in (init, account_commands, demo_commands, backup_commands, keep_house, work):
        app.cli.add_command(command)


@click.command("init")
@click.option("--email", required=True, help="The first administrator's address.")
@click.option("--name", required=True, help="The first administrator's name.")
@click.option("--password", help="Left out: one is made and printed once.")
@with_appcontext
def init(email: str, name: str, password: str | None) -> None:
    """Make an empty site with a first administrator."""
    bring_up_to_date(current_app._get_current_object())  # type: ignore[attr-defined]  # a LocalProxy
    if accounts.any_exist():
        raise click.ClickException("这个站点已经有账号，不能再次初始化。")
    _add(email, name, [RoleName.ADMINISTRATOR], password)


@click.command("housekeeping")
@with_appcontext
def keep_house() -> None:
    """Send waiting messages and delete what has run out, once. The web server does so by itself."""
    housekeeping.run_all()


@click.command("worker")
@click.option("--once", is_flag=True, help="Do one job that is due, and end.")
@click.option("--drain", is_flag=True, help="Do all jobs that are due, and end.")
@click.option("--lease", default=int(jobs.LEASE.total_seconds()), help="Seconds; for tests.")
@with_appcontext
def work(once: bool, drain: bool, lease: int) -> None:
    """Do the long jobs. The web server has one running already; more may run, also elsewhere."""
    site = current_app._get_current_object()  # type: ignore[attr-defined]  # a LocalProxy
    done = worker.run(
        site, most=1 if once else None, drain=drain, lease=dt.timedelta(seconds=lease)
    )
    if once or drain:
        click.echo(f"完成{done}项后台任务。")


account_commands = AppGroup("accounts", help="Accounts of people.")


@account_commands.command("add")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--role", "roles", type=ROLE, multiple=True)
@click.option("--password", help="Left out: one is made and printed once.")
def add(email: str, name: str, roles: tuple[str, ...], password: str | None) -> None:
    """Add an account."""
    _add(email, name, list(roles), password)


@account_commands.command("list")
def list_accounts() -> None:
    """Print every account: address, name, roles, state."""
    before_id: int | None = None
    while people := accounts.page(before_id=before_id, limit=500):
        for person in people:
            roles = ",".join(person.role_names) or "-"
            click.echo(f"{person.email}\t{person.name}\t{roles}\t{_state(person)}")
        before_id = people[-1].id


@account_commands.command("set-password")
@click.argument("email")
@click.option("--password", help="Left out: one is made and printed once.")
def set_password(email: str, password: str | None) -> None:
    """Give an account a new password and end its sessions."""
    person = accounts.by_email(email)
    if person is None:
        raise click.ClickException("没有这个邮箱的账号。")
    chosen = _good_password(password, person.email)
    accounts.set_password(person, chosen, by=audit.COMMAND_LINE, now=now())
    db.session.commit()
    _show(person.email, None if password else chosen)


demo_commands = AppGroup("demo", help="What the example programme brought along.")


@demo_commands.command("remove-accounts")
def remove_demo_accounts() -> None:
    """Take the demonstration accounts away."""
    number = accounts.remove_demonstration(now=now())
    db.session.commit()
    click.echo(f"已移除{number}个演示账号。")
    if not accounts.any_administrator():
        click.echo("现在没有管理员，请用 flask --app app accounts add --role administrator 添加。")


def _add(email: str, name: str, roles: list[str], password: str | None) -> None:
    if not is_email(fold(email)):
        raise click.ClickException("邮箱格式不正确。")
    if not (visible(name) and len(name) <= accounts.NAME_LENGTH):
        raise click.ClickException(f"姓名不能为空，最多{accounts.NAME_LENGTH}字。")
    chosen = _good_password(password, email)
    try:
        person = accounts.add(
            email=email,
            name=tidy_line(name),
            roles=roles,
            password=chosen,
            by=audit.COMMAND_LINE,
            now=now(),
        )
    except Refused as refusal:
        raise click.ClickException(str(refusal.sentence)) from None
    db.session.commit()
    _show(person.email, None if password else chosen)


def _good_password(password: str | None, email: str) -> str:
    if password is None:
        return secrets.token_urlsafe(15)
    if why := passwords.weakness(password, email=fold(email)):
        raise click.ClickException(why)
    return password


def _show(email: str, password: str | None) -> None:
    click.echo(f"账号：{email}")
    if password:
        click.echo(f"密码：{password}（只显示这一次）")
    click.echo(f"登录：{current_app.config['SETTINGS'].site_url.rstrip('/')}/sign-in")


def _state(person: Account) -> str:
    if not person.active:
        return "已停用"
    return "演示" if person.is_demo else "正常"
