"""The pages of the part both halves stand on: one module a noun."""

from flask import Flask

from core.views import accounts, audit, charts, corrections, health, jobs, joining, outbox, people


def init_views(app: Flask) -> None:
    """Open the pages."""
    app.before_request(accounts.send_to_set_up)
    corrections.init_corrections(app)
    charts.init_charts(app)
    for module in (accounts, audit, corrections, health, jobs, joining, outbox, people):
        app.register_blueprint(module.blueprint)
