"""What many tests begin with, by name. A plugin of its own, because it stands on the builders, and they
stand on `conftest.py`."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consult import programmes
from consult.consultations import Consultation
from consult.drafts import Version
from consult.programmes import Programme
from core.config import Settings
from tests import people
from tests.consultations_made import a_consultation, a_published_draft


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """The site's context around a whole test: for modules that ask the operations themselves."""
    with app.app_context():
        yield


@pytest.fixture
def settings(app: Flask) -> Settings:
    """How this site is set up; a test may set it otherwise."""
    found: Settings = app.config["SETTINGS"]
    return found


@pytest.fixture
def programme(context: None) -> Programme:
    """The programme that the site's `filling` holds."""
    found = programmes.newest()
    assert found is not None
    return found


@pytest.fixture
def consultation(context: None) -> Consultation:
    """An open consultation, as yet without a draft."""
    return a_consultation()


@pytest.fixture
def version(consultation: Consultation) -> Version:
    """Its published draft."""
    return a_published_draft(consultation)


@pytest.fixture
def officer(app: Flask) -> FlaskClient:
    """A browser in which an officer of the DRC is signed in."""
    return people.signed_in(app)


@pytest.fixture
def second(app: Flask) -> FlaskClient:
    """A browser of the person who confirms what the officer proposes."""
    return people.signed_in(app, "administrator")
