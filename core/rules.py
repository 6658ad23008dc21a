"""Who may do what in the part both halves stand on. Operations say when; here it is said who."""

from core.accounts import RoleName
from core.jobs import Job
from core.permissions import Person


def use_account(person: Person) -> bool:
    """See and change one's own account: whoever is signed in."""
    return person.is_authenticated


def manage_people(person: Person) -> bool:
    """Add people and change their rights: administrators."""
    return person.has_role(RoleName.ADMINISTRATOR)


def read_audit(person: Person) -> bool:
    """Read the record of acts: auditors and administrators."""
    return person.has_role(RoleName.AUDITOR) or person.has_role(RoleName.ADMINISTRATOR)


def mind_messages(person: Person) -> bool:
    """See what became of the messages to authors, and decide about those that got stuck."""
    return person.has_role(RoleName.DRC_STAFF) or person.has_role(RoleName.ADMINISTRATOR)


def answer_corrections(person: Person) -> bool:
    """Read and answer what readers report as wrong: those who keep the pages right."""
    return person.has_role(RoleName.DRC_STAFF) or person.has_role(RoleName.ADMINISTRATOR)


def see_jobs(person: Person) -> bool:
    """See the long jobs one has asked for: all staff."""
    outside = (RoleName.RESIDENT, RoleName.PANEL_MEMBER)
    return any(person.has_role(role) for role in RoleName if role not in outside)


def see_job(person: Person, job: Job) -> bool:
    """See one job, cancel it, have it tried again: whoever asked for it, and administrators."""
    if person.has_role(RoleName.ADMINISTRATOR):
        return True
    return see_jobs(person) and job.asked_by_id is not None and job.asked_by_id == person.id
