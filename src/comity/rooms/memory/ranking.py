"""Ranking by BM25 over words: documents with all words of the query first, then those with some."""

from __future__ import annotations

import re
from collections.abc import Sequence

from comity.kernel.scope import Scope
from comity.kernel.text import compact

_WORDS = 16  # of a query that count
_WORD = re.compile(r"[^\W_]+")


def spoken(query: str) -> list[str]:
    """The words of a query, lower-cased, each once."""
    return list(dict.fromkeys(_WORD.findall(query.lower())))[:_WORDS]


def ranked_ids(
    scope: Scope, kind: str, audiences: Sequence[int], said: Sequence[str], limit: int
) -> list[tuple[str, float]]:
    """Rows of a kind that the audiences see and that hold the words, best first; the number grows with relevance."""
    if not said:
        return []
    quoted = [f'"{word}"' for word in said]
    found = _best(scope, kind, audiences, " AND ".join(quoted), limit)
    if len(found) < limit and len(said) > 1:
        known = {row_id for row_id, _ in found}
        some = _best(scope, kind, audiences, " OR ".join(quoted), limit)
        found += [hit for hit in some if hit[0] not in known][: limit - len(found)]
    return found


def _best(scope: Scope, kind: str, audiences: Sequence[int], match: str, limit: int) -> list[tuple[str, float]]:
    rows = scope.tx.all(f"memory.best_{kind}", match=match, audiences=compact(list(audiences)), limit=limit)
    return [(row_id, round(rank, 6)) for row_id, rank in rows]
