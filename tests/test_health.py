"""What machines ask: whether the site and its database are there."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient


def test_health_is_a_read_that_says_when_the_database_is_gone(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/healthz").status_code == 200

    def gone(*given: object) -> None:
        raise sa.exc.OperationalError("select", {}, Exception("no such server"))

    monkeypatch.setattr("sqlalchemy.orm.Session.execute", gone)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert "server" not in response.get_data(as_text=True)
