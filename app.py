"""create_app(): the only place that knows all packages. `python app.py` serves."""

import gc
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # All that is loaded now stays: to search it for garbage again and again took a sixth of the start.
    gc.disable()

import click
from flask import Flask
from flask.cli import AppGroup
from flask_bootstrap import Bootstrap5
from werkzeug.middleware.proxy_fix import ProxyFix

import consult.rules
import consult.upkeep
import consult.views
import core.views
import panel.example
import panel.meeting_records
import panel.upkeep
import panel.views
from consult import example, example_answers, example_summaries, search
from core import (
    accounts,
    config,
    db,
    errors,
    forms,
    languages,
    migrations,
    pages,
    permissions,
    quick,
    serving,
    sessions,
    together,
    web,
)


def create_app(overrides: Mapping[str, Any] | None = None, *, instance: str | None = None) -> Flask:
    """Build the site. `overrides` are Flask config keys; `instance` another instance folder."""
    app = Flask(__name__, instance_path=str(Path(instance).resolve()) if instance else None)
    settings = config.read_settings(Path(app.instance_path))
    app.config.from_mapping(config.flask_config(settings))
    app.cli = _Commands(app)
    app.config["CLOCK"] = web.utc_now
    app.config.from_mapping(overrides or {})
    quick.init_quick(app)
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # how Flask documents middleware
    languages.init_languages(app)
    Bootstrap5(app)
    forms.csrf.init_app(app)
    db.init_db(app)
    together.init_together(app)
    migrations.init_migrations(app)
    sessions.init_sessions(app)
    accounts.init_accounts(app)
    errors.init_errors(app)
    web.init_web(app)
    pages.init_pages(app)
    app.jinja_env.globals.update(may=permissions.may, work_at_desk=consult.rules.work_at_desk)
    for package in (core, consult, panel):
        package.views.init_views(app)
    consult.upkeep.init_upkeep()
    panel.upkeep.init_upkeep()
    panel.meeting_records.attach()
    return app


class _Commands(AppGroup):
    """What every package can be told from the command line. Loaded when something is: who serves is
    told nothing and starts without it."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app.name)
        self._app, self._loaded = app, False

    def list_commands(self, ctx: click.Context) -> list[str]:
        """What can be asked for."""
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them."""
        self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        if not self._loaded:
            self._loaded = True
            for package in ("core", "consult", "panel"):
                import_module(f"{package}.commands").init_commands(self._app)


def prepare(app: Flask) -> None:
    """Bring the database up to date; fill an empty one with the built-in example; make findable
    what was published before there was a search."""
    migrations.bring_up_to_date(app)
    with app.app_context():
        # Asked before anything is loaded: the panel's remarks make themselves findable.
        unsearched = search.is_empty()
        if example.is_empty():
            example.load(now=web.now())
            db.db.session.commit()
        if panel.example.is_missing():
            panel.example.load(now=web.now())
            db.db.session.commit()
        if example_answers.is_missing(web.now()):
            example_answers.load(now=web.now())
            db.db.session.commit()
        if example_summaries.is_missing(web.now()):
            example_summaries.load()
            db.db.session.commit()
        if unsearched:
            for _done in search.rebuild():
                db.db.session.commit()


def serve() -> None:
    """Prepare, hand over to the web server, and say where the site is as soon as it answers."""
    try:
        app = create_app()
    except config.BadSetting as error:
        sys.exit(error.message)
    gc.freeze()
    gc.enable()
    with app.app_context():
        ready = migrations.is_up_to_date()
        db.db.engine.dispose()
    if not ready:
        # The templates are compiled on the other core.
        serving.aside(lambda: prepare(app), meanwhile=lambda: serving.warm(app))
    prepare(app)
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
    with app.app_context():
        greeting = _greeting(host, port)
        db.db.session.close()
        db.db.engine.dispose()
    serving.serve(
        app,
        host=host,
        port=port,
        workers=int(os.environ.get("WORKERS", "2")),
        ready=lambda: print(greeting, flush=True),
    )


def _greeting(host: str, port: str) -> str:
    """The address, and the demonstration's sign-ins where there is one."""
    lines = ["", f"问计 Wenji — http://{host}:{port}", ""]
    if accounts.demonstration_account("administrator") is not None:
        lines.append(f"演示账号（密码均为 {accounts.DEMO_PASSWORD}）：")
        lines += [f"  {email:28} {role}" for email, role in accounts.DEMO_SIGN_INS]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    serve()
