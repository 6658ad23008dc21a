"""create_app(): the only place that knows all packages. `python app.py` serves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from flask_babel import Babel
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

import consult.commands
import consult.views
import core.commands
import core.views
from core import accounts, config, db, errors, migrations, permissions, sessions, web


def create_app(overrides: Mapping[str, Any] | None = None, *, instance: str | None = None) -> Flask:
    """Build the site. `overrides` are Flask config keys; `instance` another instance folder."""
    app = Flask(
        __name__, instance_path=str(Path(instance).resolve()) if instance else None
    )
    settings = config.read_settings(Path(app.instance_path))
    app.config.from_mapping(config.flask_config(settings))
    app.config["CLOCK"] = web.utc_now
    app.config.from_mapping(overrides or {})
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    Babel(app)
    Bootstrap5(app)
    CSRFProtect(app)
    db.init_db(app)
    migrations.init_migrations(app)
    sessions.init_sessions(app)
    accounts.init_accounts(app)
    errors.init_errors(app)
    web.init_web(app)
    app.jinja_env.globals["may"] = permissions.may
    for package in (core, consult):
        package.views.init_views(app)
        package.commands.init_commands(app)
    return app


if __name__ == "__main__":
    core.commands.serve()
