"""What whole modules of tests begin with, for their fixture `filling`: made once a process."""

from flask import Flask

from consult import programme_files
from core import audit
from core.db import db
from tests.conftest import NOON
from tests.databases import Filling
from tests.world_parts.known import PROGRAMME


def _programme(app: Flask) -> None:
    with app.app_context():
        programme_files.load(PROGRAMME, by=audit.SYSTEM, now=NOON)
        db.session.commit()


# The built-in programme, loaded as a site's own.
PROGRAMME_LOADED: Filling = ("programme", _programme)
