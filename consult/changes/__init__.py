"""Changes because of points (意见与修改的对应): which paragraphs of a later version an adopted
point changed.

A person links a point that is 采纳 or 部分采纳 to changed paragraphs; its group is linked with it,
as it is answered with it. While a later version exists and nothing is linked, the point is unmet
(尚未落实到文本). A link stays with its point: once the answer is another, it counts no more.

`rows` is what is kept and when it counts; `fulfilment` goes from points to the text, `voices` from the
text to points; `linking` has the acts.
"""

from consult.changes.fulfilment import Change, Fulfilment, Met, of_points, unmet, unmet_count
from consult.changes.linking import (
    Proposal,
    later_versions,
    link,
    may_link,
    proposed,
    settle,
    unlink,
)
from consult.changes.rows import MADE, PointChange, is_adopted, is_unmet, still_stands
from consult.changes.voices import Silent, Voice, behind, numbers_behind, silent, wanted

__all__ = [
    "MADE",
    "Change",
    "Fulfilment",
    "Met",
    "PointChange",
    "Proposal",
    "Silent",
    "Voice",
    "behind",
    "is_adopted",
    "is_unmet",
    "later_versions",
    "link",
    "may_link",
    "numbers_behind",
    "of_points",
    "proposed",
    "settle",
    "silent",
    "still_stands",
    "unlink",
    "unmet",
    "unmet_count",
    "wanted",
]
