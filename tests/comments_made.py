"""Comments, sent by the form without an account."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consult.submissions import Submission
from tests.kept import stored

ADDRESS = "/consultations/gangyao/comment"
BODY = "建议在既有多层住宅加装电梯。"


def send(client: FlaskClient, address: str = ADDRESS, /, **fields: str) -> TestResponse:
    """Send a comment with consent; fields that are None are left out."""
    sent = {"body": BODY, "consent": "y"} | fields
    return client.post(address, data={name: value for name, value in sent.items() if value != ""})


def only() -> Submission:
    """The one opinion there is."""
    (found,) = stored()
    return found
