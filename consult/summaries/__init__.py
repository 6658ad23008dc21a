"""Opinion summaries (意见汇总): snapshots of what was said in a consultation or a whole stage.

`items` (selections) and `counts` (figures) are pure, `counting` reads and counts, `snapshots` is the
table and its verbs, called by the package's name; `readings` is how a snapshot is read. On these stand
its charts, phrases, documents, and the report with its papers.
"""

from consult.summaries.snapshots import (
    Subject,
    Summary,
    SummaryState,
    by_id,
    consultations_of,
    findable,
    is_published,
    make,
    newest,
    of,
    publish,
    published,
    withdraw,
)

__all__ = [
    "Subject",
    "Summary",
    "SummaryState",
    "by_id",
    "consultations_of",
    "findable",
    "is_published",
    "make",
    "newest",
    "of",
    "publish",
    "published",
    "withdraw",
]
