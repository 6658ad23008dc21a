"""The pages of the advisory panel, one module a noun."""

from importlib import import_module

from flask import Flask

from consult.views import desk
from core.views import accounts
from panel import rules

ROOMS = (
    "panel",
    "members",
    "targets",
    "applications",
    "application_desk",
    "call_desk",
    "recommendations",
    "member_imports",
    "meetings",
    "my_meetings",
    "meeting_desk",
    "meeting_guests",
    "meeting_minutes",
    "panel_desk",
    "rounds",
    "reviews",
    "round_totals",
)


def init_views(app: Flask) -> None:
    """Register every blueprint of the panel, and its doors at the desk."""
    app.jinja_env.globals.update(sit_on_panel=rules.sit_on_panel)
    beginning = (rules.sit_on_panel, "panel_desk.today")
    if beginning not in accounts.BEGINNINGS:
        accounts.BEGINNINGS.append(beginning)
    for room in ROOMS:
        module = import_module(f"panel.views.{room}")
        app.register_blueprint(module.blueprint)
        for door in getattr(module, "DOORS", ()):
            desk.add_door(app, door)
        if hasattr(module, "lines"):
            desk.add_lines(app, module.lines)
