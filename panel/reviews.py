"""Reviews (审阅意见): what one member says in one round, section by section, and signs.

Everything is a draft of the member's own until it is signed; signing locks it and keeps, with its
SHA-256, exactly what was signed. Until the due second it may be taken back and signed again; no
signature is ever removed. Only what is signed counts anywhere.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult.comparing import Run, changes
from consult.drafts import Entry
from core import audit
from core.db import Base, choice, db
from core.errors import Refused
from panel import rounds
from panel.round_texts import Section, Text, text_of
from panel.rounds import Invitation, ReviewRound, RoundState

audit.ACTIONS.update(
    {
        "review_invitation.read": _l("打开审阅稿"),
        "review_invitation.signed": _l("签署审阅意见"),
        "review_invitation.unsigned": _l("撤回签署"),
        "review_invitation.interest_declared": _l("申报利益关系"),
        "review_invitation.interest_lifted": _l("撤回利益关系申报"),
    }
)
audit.FIELDS.update({"digest": _l("签署内容的校验值"), "section": _l("章节")})

LONGEST = 2000


class Verdict(Enum):
    """What a member says of a section."""

    AGREE = "agree"
    AMEND = "amend"
    DISAGREE = "disagree"
    NONE = "none"

    @property
    def title(self) -> str:
        """The verdict in the words of the page."""
        titles: dict[Verdict, str] = {
            Verdict.AGREE: _("同意"),
            Verdict.AMEND: _("修改后同意"),
            Verdict.DISAGREE: _("不同意"),
            Verdict.NONE: _("无意见"),
        }
        return titles[self]


class Answer(Enum):
    """The three honest states of a member in a round."""

    REMARKS = "remarks"
    NO_REMARKS = "no_remarks"
    SILENT = "silent"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[Answer, str] = {
            Answer.REMARKS: _("有意见"),
            Answer.NO_REMARKS: _("无意见"),
            Answer.SILENT: _("未反馈"),
        }
        return titles[self]


class SectionReview(Base):
    """What one member says of one section."""

    __tablename__ = "section_review"
    __table_args__ = (sa.UniqueConstraint("invitation_id", "section"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    invitation_id: Mapped[int] = mapped_column(sa.ForeignKey("review_invitation.id"))
    # The mark of the section's heading; 0 for what stands before the first one.
    section: Mapped[int]
    verdict: Mapped[Verdict | None] = mapped_column(choice(Verdict))
    words: Mapped[str] = mapped_column(sa.Text, default="")
    # {mark of a paragraph: the words it should have}
    wording: Mapped[dict[str, Any]]
    # An interest was declared: the section is closed to this member.
    interest: Mapped[bool] = mapped_column(default=False)
    interest_words: Mapped[str] = mapped_column(sa.Text, default="")
    # How often it was changed: who writes says what they saw.
    edition: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[dt.datetime]

    @property
    def is_remark(self) -> bool:
        """Whether it says more than 同意 or 无意见."""
        spoken = bool(self.words or self.wording)
        return spoken or self.verdict in (Verdict.AMEND, Verdict.DISAGREE)


class Signature(Base):
    """One signing of a review: what exactly was signed, when, and whether it was taken back."""

    __tablename__ = "review_signature"

    id: Mapped[int] = mapped_column(primary_key=True)
    invitation_id: Mapped[int] = mapped_column(sa.ForeignKey("review_invitation.id"), index=True)
    signed_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]
    # SHA-256 of `content` as `written` writes it.
    digest: Mapped[str] = mapped_column(sa.String(64))
    content: Mapped[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a member writes about a section."""

    verdict: Verdict | None
    words: str
    # {mark of a paragraph: proposed words}; what equals the paragraph is no proposal.
    wording: Mapping[int, str]


class Overtaken(Exception):
    """It was changed elsewhere since the writer last saw it; nothing was stored."""


# --- writing ------------------------------------------------------------------------------------


def start(invitation: Invitation, *, by: audit.Actor, now: dt.datetime) -> None:
    """Note that the member opened the words; the first time counts."""
    _lock(invitation)
    if invitation.opened_at is None:
        invitation.opened_at = now
        _record("review_invitation.read", invitation, by, now)


def save_section(
    invitation: Invitation, section: Section, said: Said, *, seen: int, now: dt.datetime
) -> SectionReview:
    """Keep what a member says of a section, as a draft. The same again changes nothing; what was
    changed elsewhere since edition `seen` is not overwritten (`Overtaken`)."""
    _must_be_writable(invitation, now, said.words)
    review = _review(invitation, section.mark, now)
    if review.interest:
        raise Refused(_("您已申报与这一节有利益关系，不能再对它提意见。"), kept_text=said.words)
    wording = {
        str(entry.mark): said.wording[entry.mark]
        for entry in section.entries
        if said.wording.get(entry.mark, "") not in ("", entry.text)
    }
    kept = (review.verdict, review.words, review.wording)
    if kept == (said.verdict, said.words, wording):
        return review
    if review.edition != seen:
        raise Overtaken
    review.verdict, review.words, review.wording = said.verdict, said.words, wording
    review.edition += 1
    review.changed_at = now
    return review


def save_answers(
    invitation: Invitation, answers: Sequence[str], overall: str, *, seen: int, now: dt.datetime
) -> None:
    """Keep the answers to the questions and what is said of the whole, as a draft."""
    _must_be_writable(invitation, now, "\n".join([*answers, overall]).strip())
    if (list(answers), overall) == (invitation.answers, invitation.overall):
        return
    if invitation.edition != seen:
        raise Overtaken
    invitation.answers, invitation.overall = list(answers), overall
    invitation.edition += 1


def declare_interest(
    invitation: Invitation, section: Section, words: str, *, by: audit.Actor, now: dt.datetime
) -> None:
    """Declare an interest in a section: it closes for this member, what they said of it goes."""
    _must_be_writable(invitation, now, words)
    review = _review(invitation, section.mark, now)
    review.verdict, review.words, review.wording = None, "", {}
    review.interest, review.interest_words = True, words
    review.edition += 1
    review.changed_at = now
    about = {"section": section.title}
    _record("review_invitation.interest_declared", invitation, by, now, after=about)


def lift_interest(
    invitation: Invitation, section: Section, *, by: audit.Actor, now: dt.datetime
) -> None:
    """Take a declaration back that was made by mistake; on record like the declaration."""
    _must_be_writable(invitation, now, "")
    review = _review(invitation, section.mark, now)
    if not review.interest:
        return
    review.interest, review.interest_words = False, ""
    review.edition += 1
    review.changed_at = now
    about = {"section": section.title}
    _record("review_invitation.interest_lifted", invitation, by, now, after=about)


def unfinished(invitation: Invitation) -> list[Section]:
    """The sections in which 修改后同意 or 不同意 stands without a word of what to change."""
    by_mark = text_of(invitation.round).by_mark
    return [
        by_mark[review.section]
        for review in sections_of(invitation)
        if review.verdict in (Verdict.AMEND, Verdict.DISAGREE)
        and not review.words
        and not review.wording
    ]


def sign(
    invitation: Invitation,
    *,
    name: str,
    rest_is_none: bool = False,
    by: audit.Actor,
    now: dt.datetime,
) -> Signature:
    """Sign the review with one's own name: it is locked and kept as it is.

    `rest_is_none`: what has no verdict yet is to count as 无意见, because the member says so.
    """
    _lock(invitation)
    if invitation.signed_at is not None:
        raise Refused(_("这份审阅意见已经签署。"))
    if invitation.round.state is not RoundState.OPEN or now >= invitation.due():
        raise Refused(
            _(
                "审阅已于%(due)s截止，没有签署成功。您写下的内容都还在，可以在本页查看；需要补交请与组织单位联系延期。",
                due=rounds.said(invitation.due()),
            )
        )
    if name != invitation.name:
        raise Refused(_("签署的姓名与登记的姓名不一致，请填写“%(name)s”。", name=invitation.name))
    text = text_of(invitation.round)
    if rest_is_none:
        _rest_is_none(invitation, text, now)
    if lacking := unfinished(invitation):
        names = "、".join(f"“{section.title}”" for section in lacking[:5])
        raise Refused(
            _(
                "选了“修改后同意”或“不同意”的章节，要写明意见或拟改文字：%(names)s（共%(n)d节）。",
                names=names,
                n=len(lacking),
            )
        )
    content = content_of(invitation, text, now)
    digest = digest_of(content)
    signature = Signature(
        invitation_id=invitation.id, signed_at=now, digest=digest, content=content
    )
    db.session.add(signature)
    spoken = any(review.is_remark for review in sections_of(invitation))
    invitation.has_remarks = spoken or any(invitation.answers) or bool(invitation.overall)
    invitation.signed_at, invitation.digest = now, digest
    if invitation.opened_at is None:
        invitation.opened_at = now
    db.session.flush()
    _record("review_invitation.signed", invitation, by, now, after={"digest": digest})
    return signature


def withdraw(invitation: Invitation, *, by: audit.Actor, now: dt.datetime) -> None:
    """Take the signature back to change something, until the due second; on record."""
    _lock(invitation)
    if invitation.signed_at is None:
        raise Refused(_("这份审阅意见还没有签署。"))
    if invitation.round.state is not RoundState.OPEN or now >= invitation.due():
        raise Refused(_("审阅已经截止，签署的意见不能再撤回。"))
    standing = sa.update(Signature).where(
        Signature.invitation_id == invitation.id, Signature.withdrawn_at.is_(None)
    )
    db.session.execute(standing.values(withdrawn_at=now))
    before = {"digest": invitation.digest}
    invitation.signed_at, invitation.digest, invitation.has_remarks = None, "", False
    _record("review_invitation.unsigned", invitation, by, now, before=before)


def _must_be_writable(invitation: Invitation, now: dt.datetime, kept_text: str) -> None:
    _lock(invitation)
    if invitation.signed_at is not None:
        raise Refused(_("您已经签署，要修改请先撤回签署。"), kept_text=kept_text)
    if invitation.round.state is not RoundState.OPEN or now >= invitation.due():
        raise Refused(
            _("审阅已于%(due)s截止，这次没有保存。", due=rounds.said(invitation.due())),
            kept_text=kept_text,
        )


def _lock(invitation: Invitation) -> None:
    """Hold the round against closing and the invitation against another window."""
    db.session.flush()
    db.session.refresh(invitation.round, with_for_update={"of": ReviewRound, "read": True})
    db.session.refresh(invitation, with_for_update={"of": Invitation})


def _rest_is_none(invitation: Invitation, text: Text, now: dt.datetime) -> None:
    query = sa.select(SectionReview).where(SectionReview.invitation_id == invitation.id)
    found = db.session.scalars(query, execution_options={"populate_existing": True})
    reviews = {review.section: review for review in found}
    for section in text.sections:
        review = reviews.get(section.mark) or _blank(invitation, section.mark, now)
        if review.verdict is None and not review.interest:
            review.verdict = Verdict.NONE
            review.edition += 1
            review.changed_at = now


def _review(invitation: Invitation, section: int, now: dt.datetime) -> SectionReview:
    query = sa.select(SectionReview).where(
        SectionReview.invitation_id == invitation.id, SectionReview.section == section
    )
    found = db.session.scalar(query, execution_options={"populate_existing": True})
    if found is None:
        found = _blank(invitation, section, now)
        db.session.flush()
    return found


def _blank(invitation: Invitation, section: int, now: dt.datetime) -> SectionReview:
    blank = SectionReview(
        invitation_id=invitation.id,
        section=section,
        words="",
        wording={},
        interest=False,
        interest_words="",
        edition=0,
        changed_at=now,
    )
    db.session.add(blank)
    return blank


def _record(
    action: str,
    invitation: Invitation,
    by: audit.Actor,
    now: dt.datetime,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        action,
        invitation,
        by=by,
        now=now,
        name=invitation.round.title,
        before=before,
        after=after,
    )


# --- what is signed -----------------------------------------------------------------------------


def content_of(invitation: Invitation, text: Text, now: dt.datetime) -> dict[str, Any]:
    """What a signature stands under: the whole review, and by its hash the text reviewed."""
    titles = {section.mark: section.title for section in text.sections}
    return {
        "round": invitation.round.title,
        "draft": invitation.round.draft_title,
        "version": str(invitation.round.version_number),
        "text_sha256": text.sha256,
        "member": invitation.name,
        "category": invitation.category,
        "signed_at": now.isoformat(),
        "sections": [
            {
                "section": titles[review.section],
                "verdict": review.verdict.value if review.verdict else "",
                "words": review.words,
                "wording": review.wording,
                "interest": review.interest_words if review.interest else "",
            }
            for review in sections_of(invitation)
        ],
        "answers": invitation.answers,
        "overall": invitation.overall,
    }


def written(content: dict[str, Any]) -> str:
    """The content as the one text of which the hash is taken."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(content: dict[str, Any]) -> str:
    """SHA-256 of the content."""
    return hashlib.sha256(written(content).encode()).hexdigest()


def signatures_of(invitation: Invitation) -> Sequence[Signature]:
    """Every signing of this review, taken back or not, the oldest first."""
    query = sa.select(Signature).where(Signature.invitation_id == invitation.id)
    return db.session.scalars(query.order_by(Signature.id)).all()


# --- reading ------------------------------------------------------------------------------------


def sections_of(invitation: Invitation) -> list[SectionReview]:
    """What a member said of each section so far, in the order of the text."""
    db.session.flush()
    query = sa.select(SectionReview).where(SectionReview.invitation_id == invitation.id)
    places = {each.mark: n for n, each in enumerate(text_of(invitation.round).sections)}
    return sorted(db.session.scalars(query), key=lambda review: places[review.section])


def answer_of(invitation: Invitation) -> Answer:
    """Where a member stands: only a signature is an answer."""
    if invitation.signed_at is None:
        return Answer.SILENT
    return Answer.REMARKS if invitation.has_remarks else Answer.NO_REMARKS


def signed_sections(review_round: ReviewRound) -> Sequence[tuple[Invitation, SectionReview]]:
    """Every remark on a section in the signed reviews of a round, by member."""
    query = (
        sa.select(Invitation, SectionReview)
        .join(SectionReview, SectionReview.invitation_id == Invitation.id)
        .where(Invitation.round_id == review_round.id, Invitation.signed_at.is_not(None))
        .order_by(Invitation.id, SectionReview.id)
    )
    return [(invitation, review) for invitation, review in db.session.execute(query)]


@dataclass(frozen=True, slots=True)
class Told:
    """A review of a section as a page shows it: the proposed words against the paragraph."""

    section: Section
    review: SectionReview
    redlines: list[tuple[Entry, tuple[Run, ...]]]


def told(section: Section, review: SectionReview) -> Told:
    """A section's review with its proposals as changes of the words that were shown."""
    redlines = [
        (entry, changes(entry.text, review.wording[str(entry.mark)]))
        for entry in section.entries
        if str(entry.mark) in review.wording
    ]
    return Told(section, review, redlines)


def told_by(invitation: Invitation) -> list[Told]:
    """A whole review, section by section."""
    by_mark = text_of(invitation.round).by_mark
    return [told(by_mark[review.section], review) for review in sections_of(invitation)]
