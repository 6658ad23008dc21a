"""Answers (答复): each point's outcome and reason, from 待办 over 拟复, 复核 and 定稿 to 公布.

The points of a group are answered at once. Whatever changes an answer holds the consultation, as
acts on points do, so that nobody answers what somebody else is just merging. Every version of the
words is kept. 未采纳 takes a second person, and nobody decides on what they sent themselves.

`reading` finds them; `routing` says who answers by when; `deciding` has the words and their way to
being published; both stand on `holding`.
"""

from consult.response_rows import (
    DONE,
    LONGEST_REASON,
    SHORTEST_REASON,
    Outcome,
    Remark,
    Response,
    ResponseState,
    ResponseVersion,
    Wording,
    is_open,
    is_overdue,
    is_with,
    needs_answer,
)
from consult.responses.deciding import (
    DRAFTED,
    FINAL,
    IN_REVIEW,
    PUBLISHED,
    TODO,
    approve,
    draft,
    finalise,
    hand_back,
    publish,
    remark,
    submit,
)
from consult.responses.holding import MOST_AT_ONCE, Overtaken, Seen
from consult.responses.reading import (
    answered_among,
    concerns,
    of,
    of_many,
    published_on,
    remarks,
    versions,
)
from consult.responses.routing import MOST_DAYS, USUAL_DAYS, assign, due_day, reassign, route

__all__ = [
    "DONE",
    "DRAFTED",
    "FINAL",
    "IN_REVIEW",
    "LONGEST_REASON",
    "MOST_AT_ONCE",
    "MOST_DAYS",
    "PUBLISHED",
    "SHORTEST_REASON",
    "TODO",
    "USUAL_DAYS",
    "Outcome",
    "Overtaken",
    "Remark",
    "Response",
    "ResponseState",
    "ResponseVersion",
    "Seen",
    "Wording",
    "answered_among",
    "approve",
    "assign",
    "concerns",
    "draft",
    "due_day",
    "finalise",
    "hand_back",
    "is_open",
    "is_overdue",
    "is_with",
    "needs_answer",
    "of",
    "of_many",
    "publish",
    "published_on",
    "reassign",
    "remark",
    "remarks",
    "route",
    "submit",
    "versions",
]
