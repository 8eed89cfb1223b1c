"""Ranking by BM25 over words: documents with all words of the query first, then those with some."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from comity.kernel.scope import Scope
from comity.rooms.memory import index

_WORDS = 16  # of a query that count
_WORD = re.compile(r"[^\W_]+")


class Ranked(NamedTuple):
    """A row that holds words of the query; ``rank`` grows with relevance."""

    row_id: str
    kind: str
    rank: float


def spoken(query: str) -> list[str]:
    """The words of a query, lower-cased, each once."""
    return list(dict.fromkeys(_WORD.findall(query.lower())))[:_WORDS]


def ranked_ids(scope: Scope, audiences: Sequence[int], said: Sequence[str], limit: int) -> list[Ranked]:
    """Rows that the audiences see and that hold the words, best first."""
    if not said:
        return []
    found = _best(scope, index.words_seen_by(audiences, said, "AND"), limit)
    if len(found) < limit and len(said) > 1:
        some = _best(scope, index.words_seen_by(audiences, said, "OR"), limit)
        known = {(hit.kind, hit.row_id) for hit in found}
        found += [hit for hit in some if (hit.kind, hit.row_id) not in known][: limit - len(found)]
    return found


def _best(scope: Scope, match: str, limit: int) -> list[Ranked]:
    rows = scope.tx.all("memory.best", match=match, limit=limit)
    return [Ranked(row_id, kind, round(rank, 6)) for _, row_id, kind, rank in rows]
