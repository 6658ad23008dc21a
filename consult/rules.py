"""Who may do what in the consultation: one plain function a question. When is not asked here."""

from consult.consultations import Consultation
from core.permissions import Person

STAFF = ("drc_staff", "administrator")


def work_at_desk(person: Person) -> bool:
    """Open the staff desk."""
    roles = ("unit_staff", "screener", "drc_staff", "administrator", "auditor")
    return any(person.has_role(role) for role in roles)


def prepare_consultations(person: Person) -> bool:
    """Write notices, import drafts, publish and announce."""
    return any(person.has_role(role) for role in STAFF)


def read_notice(person: Person, consultation: Consultation) -> bool:
    """Read a consultation's notice and draft: anyone, once it is public."""
    return consultation.is_public or prepare_consultations(person)


def support(person: Person) -> bool:
    """Support a shown opinion: the public. An officer's account would count the office in."""
    return not work_at_desk(person)


def screen(person: Person) -> bool:
    """Decide what is shown."""
    return person.has_role("screener") or person.has_role("administrator")


def read_originals(person: Person) -> bool:
    """Read what was masked, and change what is: those who screen. Each look is recorded."""
    return screen(person)


def take_in_files(person: Person) -> bool:
    """Bring in opinions that came by other channels."""
    return any(person.has_role(role) for role in STAFF)


def read_attachments(person: Person) -> bool:
    """Look at the scans of letters: who enters them and who screens. Each look is recorded."""
    return take_in_files(person) or screen(person)


def read_summaries(person: Person) -> bool:
    """Read the staff's opinion summaries and the texts behind every figure."""
    return any(person.has_role(role) for role in (*STAFF, "auditor"))


def keep_lexicon(person: Person) -> bool:
    """Decide which words stay whole, count as another or do not count."""
    return make_summaries(person)


def make_summaries(person: Person) -> bool:
    """Recount and publish summaries."""
    return any(person.has_role(role) for role in STAFF)


def archive(person: Person) -> bool:
    """Take the record of a consultation away, masked."""
    return any(person.has_role(role) for role in STAFF)


def archive_in_full(person: Person) -> bool:
    """Take it away with what is not shown and the originals: each time is recorded."""
    return person.has_role("administrator")


def work_on_points(person: Person) -> bool:
    """Split and merge points, give them to units, and find answers good: the office."""
    return any(person.has_role(role) for role in STAFF)


def answer_points(person: Person) -> bool:
    """Draft answers: units to their own points, the office to all."""
    return person.has_role("unit_staff") or work_on_points(person)


def answer_inquiries(person: Person) -> bool:
    """Say what a unit has to say on a draft: its own staff, and the office from paper."""
    return person.has_role("unit_staff") or prepare_consultations(person)
