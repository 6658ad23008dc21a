"""The index of terms: for each opinion that is shown, which terms it holds, read once and kept.

An entry is made, emptied and renewed in the transaction that shows, masks or hides its opinion
(`follow`); of many at once, the entries are made and a job reads them (`term_jobs`, out of
`rereading`). Every change takes the next number of one clock, whose row is held until it is
committed: whoever has read up to a number has missed nothing below it, in any process and on either
database. Counting happens in memory (`shelf`), where each process follows by reading what has changed
since.
"""

from consult.term_index.following import Entering, follow, heed
from consult.term_index.in_force import lexicon, lexicon_over, reading_of
from consult.term_index.numbering import Numbering, is_known, vocabulary
from consult.term_index.rereading import (
    Piece,
    Standing,
    any_outdated,
    enter_missing,
    forget_readings,
    is_behind,
    outdated,
    pieces,
    standing,
    store,
)
from consult.term_index.rows import UNREAD, Term, TermEntry, TermReading
from consult.term_index.shelves import CHANNELS, holding, shelf

__all__ = [
    "CHANNELS",
    "UNREAD",
    "Entering",
    "Numbering",
    "Piece",
    "Standing",
    "Term",
    "TermEntry",
    "TermReading",
    "any_outdated",
    "enter_missing",
    "follow",
    "forget_readings",
    "heed",
    "holding",
    "is_behind",
    "is_known",
    "lexicon",
    "lexicon_over",
    "outdated",
    "pieces",
    "reading_of",
    "shelf",
    "standing",
    "store",
    "vocabulary",
]
