"""What the members said of a round, part by part, for those who took part in it."""

from collections import Counter
from dataclasses import dataclass, field

from flask_babel import gettext as _

from panel import reviews, rounds
from panel.reviews import SectionReview, Verdict
from panel.round_texts import Section, text_of
from panel.rounds import ReviewRound


@dataclass(frozen=True, slots=True)
class Part:
    """What all said of one section, or in answer to one question."""

    title: str
    # How many held what, of a section; then (who, what) of those who said more.
    figures: list[tuple[str, int]] = field(default_factory=list)
    remarks: list[tuple[str, Section, SectionReview]] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)

    def told(self) -> list[tuple[str, reviews.Told]]:
        """The remarks as a page shows them: proposed words against the paragraph."""
        return [(name, reviews.told(section, review)) for name, section, review in self.remarks]


def parts_of(review_round: ReviewRound) -> list[Part]:
    """What every signed review says of a round: section by section, then question by question and
    of the whole; nothing of what nobody spoke of. By name or without, as was said at the opening."""
    return [*_of_sections(review_round), *_of_the_whole(review_round)]


def _of_sections(review_round: ReviewRound) -> list[Part]:
    """Section by section, those of which somebody said anything."""
    said: dict[int, list[tuple[str, SectionReview]]] = {}
    verdicts: dict[int, Counter[Verdict]] = {}
    for author, review in reviews.signed_sections(review_round):
        if review.verdict:
            verdicts.setdefault(review.section, Counter())[review.verdict] += 1
        if review.is_remark:
            name = author.name if review_round.by_name else ""
            said.setdefault(review.section, []).append((name, review))
    if not review_round.by_name:
        # The order in which members were asked must not tell them either.
        for every in said.values():
            every.sort(key=lambda pair: pair[1].words)
    return [
        Part(
            each.address or each.title,
            _in_figures(verdicts.get(each.mark, Counter())),
            [(name, each, review) for name, review in said.get(each.mark, [])],
        )
        for each in text_of(review_round).sections
        if each.mark in verdicts or each.mark in said
    ]


def _in_figures(counted: Counter[Verdict]) -> list[tuple[str, int]]:
    return [(each.title, counted[each]) for each in Verdict if counted[each]]


def _of_the_whole(review_round: ReviewRound) -> list[Part]:
    """Question by question what was answered, at the end what was said of the whole."""
    asked = [*review_round.questions, _("总的意见")]
    found: list[list[tuple[str, str]]] = [[] for _question in asked]
    for each in rounds.invitations(review_round):
        if each.signed_at is None:
            continue
        name = each.name if review_round.by_name else ""
        for every, words in zip(found, [*each.answers, each.overall], strict=True):
            if words:
                every.append((name, words))
    if not review_round.by_name:
        for every in found:
            every.sort(key=lambda pair: pair[1])
    return [
        Part(question, answers=every) for question, every in zip(asked, found, strict=True) if every
    ]
