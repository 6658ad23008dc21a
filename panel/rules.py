"""Who may do what with the advisory panel. A member's rights come from the seat, not from the role
alone: they begin and end with the appointment, on the next request."""

from core.accounts import RoleName
from core.permissions import Person
from core.web import local, now
from panel import appointments

STAFF = (RoleName.DRC_STAFF, RoleName.ADMINISTRATOR)


def keep_register(person: Person) -> bool:
    """Propose, appoint and end; plan seats; import and export."""
    return any(person.has_role(role) for role in STAFF)


def read_register(person: Person) -> bool:
    """Read who sits on the panel and why, with full names."""
    return keep_register(person) or person.has_role(RoleName.AUDITOR)


def decide_applications(person: Person) -> bool:
    """Call for members, read who applied, shortlist, refuse and propose: the office alone, for
    what people tell of themselves is nobody else's business."""
    return keep_register(person)


def recommend(person: Person) -> bool:
    """Recommend somebody for the panel, for one's own unit."""
    return person.has_role(RoleName.UNIT_STAFF)


def sit_on_panel(person: Person) -> bool:
    """Be a member who sits today."""
    if not person.has_role(RoleName.PANEL_MEMBER):
        return False
    return appointments.seat_of(person.id, local(now()).date()) is not None


def run_rounds(person: Person) -> bool:
    """Open review rounds, look over them and release them."""
    return any(person.has_role(role) for role in STAFF)
