"""What everything in the world goes by: its people, its consultations and its moment."""

from pathlib import Path

from consult import consultations, programmes
from consult.consultations import Consultation
from core.accounts import RoleName

# Everybody the access table speaks of. `deactivated` was a DRC officer and administrator and is
# still signed in with an old cookie; `unequipped` holds the same rights but has not yet set up the
# authenticator app without which no staff right counts.
ROLES = tuple(role.value for role in RoleName)
PEOPLE = ("anonymous", *ROLES, "deactivated", "unequipped")
OPEN, CLOSED, ANSWERED, UPCOMING, PREPARING = "gangyao", "silu", "jingyan", "yugao", "caoni"
# What a review round is called of which only the office and those asked may know.
SECRET = "绝密审阅轮次"
PROGRAMME = Path(programmes.__file__).parent / "data" / "jingan-14.yaml"
TOKEN = "world-token-" + "x" * 31


def email(role: str) -> str:
    """The address with which this person signs in."""
    return f"{role}@example.invalid"


def consultation_at(slug: str) -> Consultation:
    """The consultation with this name in its address."""
    found = consultations.by_slug(slug)
    assert found is not None
    return found
