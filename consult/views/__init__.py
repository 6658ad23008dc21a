"""The pages of the consultation, one module a noun."""

from importlib import import_module

from flask import Flask

ROOMS = (
    "home",
    "programmes",
    "consultations",
    "drafts",
    "comparisons",
    "comments",
    "receipts",
    "mine",
    "opinions",
    "supports",
    "search",
    "feeds",
    "summaries",
    "lexicon",
    "desk",
    "publishing",
    "structure",
    "lineage",
    "archives",
    "adoption",
    "stage_adoption",
    "open_data",
    "screening",
    "desk_entry",
    "originals",
    "screening_figures",
    "intake",
    "points",
    "inquiries",
    "merges",
    "wordings",
    "changes",
    "suggestions",
)


def init_views(app: Flask) -> None:
    """Register every blueprint of the consultation."""
    for room in ROOMS:
        app.register_blueprint(import_module(f"consult.views.{room}").blueprint)
    import_module("consult.views.comments").init_comments(app)
