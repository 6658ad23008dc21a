"""Remarks: what was signed in a round, as opinions in the same stream as everybody's.

They join it when the round has been released and the words they are on are public, not before:
what is not yet public shows in no list, feed, search or count. From then on a remark is an opinion
of the channel 公众咨询团 like any other, with a receipt, and is summarised and answered like any
other; here is only kept whose it was. The panel's words are shown without a screening; those in
which personal information is found wait for one like everybody's.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column

from consult import author_groups, authors, drafts, masking, search_opinions, submissions
from consult.consultations import SHANGHAI, Consultation, ConsultationState
from consult.drafts import Outline
from consult.originals import Words
from consult.submissions import WHOLE, Channel, Opinion, Stance, Submission, SubmissionState
from core import audit, outbox
from core.accounts import RoleName
from core.config import of_site
from core.db import Base, choice, db
from panel import rounds, staff_mail
from panel.members import Member
from panel.reviews import Verdict, sections_of
from panel.round_texts import Text, text_of
from panel.rounds import Invitation, ReviewRound, RoundState

STANCES = {
    Verdict.AGREE: Stance.SUPPORT,
    Verdict.AMEND: Stance.SUGGEST,
    Verdict.DISAGREE: Stance.OPPOSE,
}


class RemarkKind(Enum):
    """Which part of a review a remark was."""

    WORDS = "words"
    WORDING = "wording"
    ANSWER = "answer"
    OVERALL = "overall"


class Remark(Base):
    """One remark of a signed review and the opinion it has become."""

    __tablename__ = "review_remark"
    __table_args__ = (sa.UniqueConstraint("invitation_id", "kind", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    invitation_id: Mapped[int] = mapped_column(sa.ForeignKey("review_invitation.id"))
    kind: Mapped[RemarkKind] = mapped_column(choice(RemarkKind))
    # The mark of the paragraph or heading; for an answer the question's number, from 1 on.
    place: Mapped[int]
    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), unique=True)


@dataclass(frozen=True, slots=True)
class Said:
    """A remark before it has become an opinion."""

    kind: RemarkKind
    place: int
    # The marks at which it may stand, the nearest first.
    marks: tuple[int, ...]
    title: str
    body: str
    stance: Stance | None


def said_in(invitation: Invitation, text: Text) -> Iterator[Said]:
    """The remarks of one review."""
    by_mark = text.by_mark
    for review in sections_of(invitation):
        section = by_mark[review.section]
        above = (section.heading.mark, *reversed(section.heading.path)) if section.heading else ()
        verdict = review.verdict
        stance = STANCES.get(verdict) if verdict else None
        title = f"{verdict.title}：{section.title}" if verdict else section.title
        if review.words:
            yield Said(RemarkKind.WORDS, section.mark, above, title, review.words, stance)
        for mark, words in sorted(review.wording.items(), key=lambda pair: int(pair[0])):
            body = str(_("建议改为：%(words)s", words=words))
            marks = (int(mark), *above)
            yield Said(RemarkKind.WORDING, int(mark), marks, title, body, stance or Stance.SUGGEST)
    questions = invitation.round.questions
    for number, answer in enumerate(invitation.answers, start=1):
        if answer:
            title = questions[number - 1] if number <= len(questions) else ""
            yield Said(RemarkKind.ANSWER, number, (), title, answer, None)
    if invitation.overall:
        yield Said(RemarkKind.OVERALL, 0, (), str(_("总的意见")), invitation.overall, None)


def release(
    review_round: ReviewRound, *, secret: str, by: audit.Actor, now: dt.datetime
) -> int | None:
    """Show the members what the others said, and let the remarks join the public stream if the
    words they are on are public; how many remarks joined it, None when that has to wait."""
    rounds.lock(review_round)
    rounds.must_be_closed(review_round, now)
    review_round.state, review_round.released_at = RoundState.RELEASED, now
    delivered = deliver(review_round, secret=secret, by=by, now=now)
    audit.record(
        "review_round.released",
        review_round,
        by=by,
        now=now,
        name=review_round.title,
        after={"by_name": review_round.by_name, "number_of_remarks": delivered},
    )
    return delivered


def deliver(
    review_round: ReviewRound, *, secret: str, by: audit.Actor, now: dt.datetime
) -> int | None:
    """Let the remarks of a released round join the public stream, each once; None when the words
    they are on are not public yet."""
    if review_round.delivered_at is not None:
        return 0
    version = rounds.version_of(review_round)
    if version is None or not rounds.is_public(review_round):
        return None
    outline = drafts.outline(version)
    text = text_of(review_round)
    every = [
        (invitation, said)
        for invitation in rounds.invitations(review_round)
        if invitation.signed_at is not None
        for said in said_in(invitation, text)
    ]
    if not review_round.by_name:
        # Running numbers must not tell whose remarks belong together.
        every.sort(key=lambda pair: _once_key(*pair))
    ids = [
        _receive(review_round, invitation, said, outline, secret, by, now)
        for invitation, said in every
    ]
    search_opinions.follow(ids, fresh=True)
    review_round.delivered_at = now
    if ids and review_round.consultation.state is ConsultationState.ANSWERED:
        _tell_late(review_round, len(ids), now)
    return len(ids)


def deliver_waiting(*, secret: str, now: dt.datetime) -> int:
    """Do so for every released round whose words have become public; how many rounds."""
    query = sa.select(ReviewRound).where(
        ReviewRound.state == RoundState.RELEASED, ReviewRound.delivered_at.is_(None)
    )
    done = 0
    for review_round in db.session.scalars(query).all():
        rounds.lock(review_round)
        if deliver(review_round, secret=secret, by=audit.SYSTEM, now=now) is not None:
            done += 1
    return done


def _tell_late(review_round: ReviewRound, number: int, now: dt.datetime) -> None:
    """The feedback is out already: the office has to answer these and release a further edition."""
    found = review_round.consultation
    words = _(
        "“%(round)s”的%(n)d条意见进入了“%(title)s”的公众意见，而这次征集已经公布反馈。\n"
        "请逐点答复，再发布新一版采纳情况表；在此之前，这些意见在公开页面上没有答复。\n"
        "打开：%(url)s",
        round=review_round.title,
        n=number,
        title=found.title,
        url=f"{of_site().site_url.rstrip('/')}/desk/consultations/{found.slug}/points?channel=panel",
    )
    subject = _("反馈公布后又有意见待答复：%(title)s", title=found.title)
    about = f"late-remarks:{review_round.id}"
    outbox.put(staff_mail.drafts(RoleName.DRC_STAFF, about, subject, words), now=now)


def _receive(
    review_round: ReviewRound,
    invitation: Invitation,
    said: Said,
    outline: Outline,
    secret: str,
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    assert invitation.signed_at is not None
    here = (outline.by_mark[mark].id for mark in said.marks if mark in outline.by_mark)
    account_id = db.session.get_one(Member, invitation.member_id).account_id
    opinion = Opinion(
        title=said.title[:200],
        title_by_form=True,
        body=said.body,
        version_id=outline.version_id,
        place=next(here, WHOLE),
        stance=said.stance,
        channel=Channel.PANEL,
        public_name=submissions.masked(invitation.name) if review_round.by_name else "",
        person_key=person_key(secret, invitation.member_id, account_id),
        account_id=account_id,
        received_on=invitation.signed_at.astimezone(SHANGHAI).date(),
    )
    received = submissions.receive(
        review_round.consultation,
        opinion,
        once_key=_once_key(invitation, said),
        state=_state_of(opinion),
        by=by,
        now=now,
        on_day=now.astimezone(SHANGHAI).date(),
    )
    author_groups.keep(received.id, invitation.category)
    db.session.add(
        Remark(
            invitation_id=invitation.id,
            kind=said.kind,
            place=said.place,
            submission_id=received.id,
        )
    )
    return received.id


def person_key(secret: str, member_id: int, account_id: int | None) -> str:
    """What a member says is one person's, whether or not they have an account: by people is how
    small groups are told from large ones."""
    if account_id:
        return authors.person_key(secret, account_id)
    return submissions.person_key(secret, "panel_member", str(member_id))


def _state_of(opinion: Opinion) -> SubmissionState:
    found = masking.offers(Words(opinion.title, opinion.body))
    return SubmissionState.PENDING if found else SubmissionState.SHOWN


def waiting(review_round: ReviewRound) -> int:
    """How many of a round's remarks wait for a screener, because personal information was found."""
    query = (
        sa.select(sa.func.count(Remark.id))
        .join(Invitation, Invitation.id == Remark.invitation_id)
        .join(Submission, Submission.id == Remark.submission_id)
        .where(Invitation.round_id == review_round.id, Submission.state == SubmissionState.PENDING)
    )
    return db.session.execute(query).scalar_one()


def _once_key(invitation: Invitation, said: Said) -> str:
    key = f"remark:{invitation.id}:{said.kind.value}:{said.place}"
    return hashlib.sha256(key.encode()).hexdigest()


def of_member(
    member_id: int, *, before: int | None = None, limit: int = 50
) -> Sequence[tuple[Submission, ReviewRound, Consultation]]:
    """What a member said that has joined the stream, newest first, with its round."""
    query = (
        sa.select(Submission, ReviewRound, Consultation)
        .join(Remark, Remark.submission_id == Submission.id)
        .join(Invitation, Invitation.id == Remark.invitation_id)
        .join(ReviewRound, ReviewRound.id == Invitation.round_id)
        .join(Consultation, Consultation.id == Submission.consultation_id)
        .where(Invitation.member_id == member_id)
        .order_by(Submission.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Submission.id < before)
    return [(submission, found, at) for submission, found, at in db.session.execute(query)]
