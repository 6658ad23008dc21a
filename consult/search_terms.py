"""Finding the opinions that hold a term (词): as the index of terms counts, so that a synonym is found
with the word it counts as, and 电梯 inside 加装电梯 is not.

A term stands in an opinion as one of its forms, so the search proposes by those, and what the index
has read decides (`term_index.holding`).
"""

from dataclasses import replace

from consult import search, search_text, term_index
from consult.analysis import normal
from consult.search import Count, Found, Query
from consult.search_documents import Kind

# So many opinions of each form are looked for at least.
LEAST_FOUND = 200


def begin(query: Query, term: str, *, limit: int) -> tuple[Found, Count]:
    """The first page of the opinions that hold the term and pass the query, and how many there are.
    Without a term, and of what is no opinion and so holds none, all that pass."""
    if not term or query.kind is not Kind.OPINION:
        return search.begin(query, limit=limit)
    ids, lowest = _holding(query, term, None)
    return search.paged(ids, ids, lowest, limit), search.counted(ids, lowest)


def find(query: Query, term: str, *, before: int, limit: int) -> Found:
    """Those below the key `before`."""
    if not term or query.kind is not Kind.OPINION:
        return search.find(query, before=before, limit=limit)
    ids, lowest = _holding(query, term, before)
    return search.paged(ids, ids, lowest, limit)


def counted_as(word: str) -> str:
    """The term a word counts as."""
    plain = normal.plain(word)
    return term_index.lexicon().decided(plain) or plain


def is_stop_word(word: str) -> bool:
    """Whether a word counts as nothing."""
    return counted_as(word) in term_index.lexicon().stop_words


def _holding(query: Query, term: str, before: int | None) -> tuple[list[int], int | None]:
    """What was found of as much as may be looked at, the highest first, an opinion's id being its key;
    below which key it would go on, None when that is all."""
    wanted = counted_as(term)
    if is_stop_word(term) or not term_index.is_known(wanted):
        # Nobody holds it, however often its letters are written.
        return [], None
    proposed: set[int] = set()
    # Each form is looked for down to another opinion: only what lies above all of them is whole.
    lowest: int | None = None
    every = forms(term)
    # What holds a longer form holds the shorter one in it.
    least = [f for f in every if not any(other != f and other in f for other in every)]
    # A term of many forms costs no more than one of one.
    most = max(LEAST_FOUND, search.MOST_COUNTED // len(least))
    for form in least:
        needles = tuple(dict.fromkeys((*query.needles, form)))
        asked = replace(query, needles=needles)
        found = search.find(asked, before=before, limit=most)
        proposed.update(found.ids)
        if found.next_key is not None:
            lowest = max(lowest or 0, found.next_key)
    whole = [id for id in proposed if lowest is None or id >= lowest]
    return sorted(term_index.holding(whole, wanted), reverse=True), lowest


def forms(term: str) -> list[str]:
    """The folded forms in which a term is written; none without a term."""
    if not term:
        return []
    return sorted(map(search_text.fold, term_index.lexicon().surfaces(counted_as(term))))
