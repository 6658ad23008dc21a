"""Answering: the feedback of a round is published, and every author who left an address is told.

The messages are put into the outbox in the same transaction, so that nobody is told of what was
not published, and nothing is published without telling them.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import groupby

import sqlalchemy as sa
from flask_babel import gettext as _

from consult import (
    consultation_acts,
    points,
    response_progress,
    responses,
    screening_queue,
)
from consult.consultations import Consultation
from consult.submissions import Contact, Submission
from core import audit, outbox
from core.db import db
from core.errors import Refused
from core.text import within_quotes

# A message names so many receipts at most; somebody with more has an account or an office.
MOST_RECEIPTS = 20


def answer(
    consultation: Consultation, *, feedback: str, site: str, by: audit.Actor, now: dt.datetime
) -> None:
    """Publish the feedback with every answer and tell the authors. `site`: the address of the
    site, no slash. Refused while the answer to any point, or to an author's appeal, is open."""
    points.lock_consultation(consultation.id)
    if left := screening_queue.appealed_count(consultation.id):
        raise Refused(
            _("还有%(n)d件作者的异议没有处理，处理完以后才能公布反馈。", n=left), kept_text=feedback
        )
    waiting = screening_queue.pending_count(consultation.id)
    consultation_acts.answer(consultation, feedback=feedback, waiting=waiting, by=by, now=now)
    if left := response_progress.open_count(consultation.id):
        raise Refused(
            _("还有%(n)d个意见点没有定稿的答复，全部答复以后才能公布反馈。", n=left),
            kept_text=feedback,
        )
    responses.publish(consultation, by=by, now=now)
    outbox.put(_messages(consultation, site), now=now)


def _messages(consultation: Consultation, site: str) -> Iterator[outbox.Draft]:
    """One message for each person who left an address, however many opinions they sent."""
    query = (
        sa.select(
            Submission.id,
            Submission.person_key,
            Submission.receipt,
            Contact.sealed,
        )
        .join(Contact, Contact.submission_id == Submission.id)
        .where(Submission.consultation_id == consultation.id)
        .order_by(Submission.person_key, Submission.id)
    )
    rows = db.session.execute(query)
    # Without a key nobody can be shown to be one person with another.
    for person, group in groupby(rows, key=lambda row: row.person_key or f"alone:{row.id}"):
        sent = list(group)
        yield outbox.Draft(
            about=f"answered:{consultation.id}:{person}",
            sealed_address=sent[-1].sealed,
            subject=_("您参与的征集已公布反馈"),
            body=_body(consultation, site, [row.receipt for row in sent]),
        )


def _body(consultation: Consultation, site: str, receipts: Iterable[str]) -> str:
    every = list(receipts)
    shown = "\n".join(f"{receipt}　{site}/receipts/{receipt}" for receipt in every[:MOST_RECEIPTS])
    words: str = _(
        "您好！\n\n"
        "“%(title)s”的征集情况反馈已经公布：\n%(url)s\n\n"
        "您当时提交的意见（共%(n)d件）：\n%(receipts)s\n\n"
        "打开上面的网址，或在网站上输入受理编号，可以查看每件意见的情况。\n"
        "这是系统发出的通知，只发一次，请不要回复。",
        title=within_quotes(consultation.title),
        url=f"{site}/consultations/{consultation.slug}/",
        n=len(every),
        receipts=shown,
    )
    return words
