"""Authors: what is theirs. Claiming what they sent without an account, seeing, taking along and
deleting it.

A receipt number proves that one sent the opinion: nobody else has it. Deleting an account leaves
the words, because a consultation is a public record, and nothing that says whose they were.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import (
    appeals,
    attachments,
    author_groups,
    masking,
    originals,
    submissions,
    supports,
    term_index,
)
from consult.consultations import Consultation
from consult.submissions import Contact, Submission, SubmissionState
from core import accounts, addresses, audit, sealing, sign_in_codes
from core.accounts import Account
from core.db import db
from core.errors import Refused

audit.ACTIONS.update(
    {
        "submission.claimed": _l("归入居民账号"),
        "submission.contact_changed": _l("作者更改联系方式"),
        "submission.contact_forgotten": _l("作者删除联系方式"),
        "submission.name_withdrawn": _l("作者撤回公开称呼"),
        "account.contacts_forgotten": _l("居民删除留下的联系方式"),
        "account.erased": _l("居民注销账号"),
    }
)
audit.FIELDS.update({"submissions": _l("件数"), "consent": _l("同意的版本")})


def opinions_of(
    account_id: int, *, before: int | None = None, limit: int = 20
) -> Sequence[sa.Row[Submission, str, str]]:
    """(submission, its consultation's title and short name), newest first."""
    query = (
        sa.select(Submission, Consultation.title, Consultation.slug)
        .join(Consultation, Consultation.id == Submission.consultation_id)
        .where(Submission.account_id == account_id)
        .order_by(Submission.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Submission.id < before)
    return db.session.execute(query).all()


def claim(submission: Submission, account: Account, *, secret: str, now: dt.datetime) -> bool:
    """Put an opinion with the account; False when it was there already.

    One that could be anybody's counts as this person's from now on; one already known to be some
    person's keeps its key, because that key may join it with others of the same person.
    """
    db.session.flush()
    db.session.refresh(submission, with_for_update={"of": Submission})
    if submission.account_id == account.id:
        return False
    if submission.state is SubmissionState.UNDONE:
        raise Refused(_("这件意见的导入已经撤销，不能归入账号。"))
    if submission.account_id is not None:
        raise Refused(_("这件意见已经归入另一个账号。"))
    submission.account_id = account.id
    if submission.person_key is None:
        submission.person_key = person_key(secret, account.id)
        term_index.heed([submission.id])
    _touch(sa.select(Submission.consultation_id).where(Submission.id == submission.id))
    # Never the receipt, which is the author's key: the record is read by others.
    audit.record("submission.claimed", submission, by=account, now=now, name=_named(submission))
    return True


def person_key(secret: str, account_id: int) -> str:
    """The key of what this account sends."""
    return submissions.person_key(secret, "account", str(account_id))


def data_of(account: Account, *, contact_key: str) -> dict[str, Any]:
    """Everything that is kept about a person, for taking along."""
    query = (
        sa.select(Submission, Consultation.title, Contact)
        .join(Consultation, Consultation.id == Submission.consultation_id)
        .outerjoin(Contact, Contact.submission_id == Submission.id)
        .where(Submission.account_id == account.id)
        .order_by(Submission.id)
    )
    return {
        "account": {
            "address": account.email,
            "created_at": account.created_at.isoformat(),
            "consent": account.consent,
        },
        "opinions": [
            {
                "receipt": submission.receipt,
                "consultation": title,
                "title": words.title,
                "body": words.body,
                "stance": submission.stance.value if submission.stance else None,
                "channel": submission.channel.value,
                "received_at": submission.received_at.isoformat(),
                "state": submission.state.value,
                "public_name": submission.public_name,
                "consent": submission.consent,
                "appeals": [
                    {
                        "at": each.at.isoformat(),
                        "words": each.words,
                        "outcome": each.outcome.value if each.outcome else None,
                        "told": each.told,
                    }
                    for each in appeals.of(submission)
                ],
                **_contact(contact, contact_key),
            }
            for submission, title, contact in db.session.execute(query)
            for words in [originals.whole(submission)]
        ],
        "supports": [
            {"consultation": title, "opinion": number, "at": at.isoformat()}
            for title, number, at in supports.of_account(account.id)
        ],
    }


def _contact(contact: Contact | None, contact_key: str) -> dict[str, str | None]:
    if contact is None:
        return {"contact": None, "contact_kept_until": None, "contact_consent": None}
    try:
        said = sealing.unseal(contact_key, contact.sealed)
    except sealing.Unreadable:
        said = None
    return {
        "contact": said,
        "contact_kept_until": contact.keep_until.isoformat(),
        "contact_consent": contact.consent,
    }


def forget_contacts(account: Account, *, now: dt.datetime) -> int:
    """Delete every way to reach the person that was left with an opinion; how many there were."""
    theirs = sa.select(Submission.id).where(Submission.account_id == account.id)
    if gone := submissions.forget_contacts(theirs):
        audit.record(
            "account.contacts_forgotten", account, by=account, now=now, after={"submissions": gone}
        )
    return gone


# --- what was left with an opinion, corrected and taken back by its receipt ---------------------


def contact_of(submission: Submission) -> Contact | None:
    """The way to reach the author that is kept, sealed."""
    return db.session.get(Contact, submission.id)


def change_contact(
    submission: Submission, sealed: bytes, *, consent: str, days: int, now: dt.datetime
) -> None:
    """Keep this way to reach the author for so many days, in place of the one there was, with the
    version of the consent that was agreed to now."""
    _must_stand(submission)
    submissions.forget_contacts([submission.id])
    submissions.keep_contact(submission.id, sealed, days=days, now=now, consent=consent)
    _record("submission.contact_changed", submission, now, after={"consent": consent})


def forget_contact(submission: Submission, *, now: dt.datetime) -> None:
    """Keep no way to reach the author any longer."""
    _must_stand(submission)
    if submissions.forget_contacts([submission.id]):
        _record("submission.contact_forgotten", submission, now)


def hide_name(submission: Submission, *, now: dt.datetime) -> None:
    """Take back the consent to showing a name: from now on it reads 匿名 wherever it is shown."""
    _must_stand(submission)
    if submission.public_name:
        submission.public_name = ""
        _touch(sa.select(Submission.consultation_id).where(Submission.id == submission.id))
        _record("submission.name_withdrawn", submission, now)


def _must_stand(submission: Submission) -> None:
    db.session.flush()
    db.session.refresh(submission, with_for_update={"of": Submission})
    if submission.state in submissions.GONE:
        raise Refused(
            _("这件意见现在是“%(state)s”，没有可以更改的内容。", state=submission.state.title)
        )


def _record(
    action: str, submission: Submission, now: dt.datetime, after: dict[str, str] | None = None
) -> None:
    audit.record(
        action, submission, by=audit.RESIDENT, now=now, name=_named(submission), after=after
    )


def _named(submission: Submission) -> str:
    return str(_("第%(n)d件", n=submission.number))


# --- closing the account -----------------------------------------------------------------------


def erase(account: Account, *, now: dt.datetime) -> list[str]:
    """Delete the account and all that says whose the opinions were. Their words stay, those that
    may be read, without what was masked in them and without scans; of what is not shown, and of
    appeals, without what certainly is personal in them. The files of the scans are returned, to be
    removed from disk once this is committed. What they supported loses their support.

    They stay one person's opinions among themselves, under a key that nothing leads to. Refuses
    accounts that hold an office: those are closed by an administrator, with the record kept.
    """
    if not accounts.is_resident(account):
        raise Refused(_("工作人员和咨询团成员的账号由管理员停用。"))
    submissions.forget_contacts(sa.select(Submission.id).where(Submission.account_id == account.id))
    supports.forget_account(account.id)
    theirs = Submission.account_id == account.id
    ids = db.session.scalars(sa.select(Submission.id).where(theirs)).all()
    originals.forget(ids)
    appeals.forget(ids)
    # What is shown was looked through by a screener; the rest nobody has masked.
    unseen = sa.select(Submission).where(theirs, Submission.state != SubmissionState.SHOWN)
    for each in db.session.scalars(unseen):
        each.title, each.body = map(masking.deidentified, (each.title, each.body))
    author_groups.forget(ids)
    files = attachments.forget(ids)
    _touch(sa.select(Submission.consultation_id).where(theirs))
    anonymous = {"account_id": None, "public_name": "", "person_key": secrets.token_hex(16)}
    db.session.execute(
        sa.update(Submission).where(theirs).values(anonymous),
        execution_options={"synchronize_session": False},
    )
    term_index.heed(ids)
    sign_in_codes.forget(addresses.fold(account.email))
    audit.record(
        "account.erased", account, by=audit.RESIDENT, now=now, after={"submissions": len(ids)}
    )
    accounts.remove(account)
    return files


def _touch(consultation_ids: sa.Select[int]) -> None:
    """Let every kept page and every summary see that something has changed."""
    db.session.execute(
        sa.update(Consultation)
        .where(Consultation.id.in_(consultation_ids))
        .values(stamp=Consultation.stamp + 1),
        execution_options={"synchronize_session": False},
    )
