"""Ranking by BM25 over words: rows with all words of the query first, then those with some.

Words that a great many rows hold tell nothing, and take the index long to weigh: beside others they are left out, and
rows that hold nothing else come newest first. Within a kind the index ranks. Its numbers cannot be compared between
kinds, since a word that is rare among a hundred thousand memories may be in every one of three goals; rows of several
kinds are weighed again, by one measure.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.text import compact

_WORDS = 16  # of a query that count
_WORD = re.compile(r"[^\W_]+")
_COMMON = 2000  # rows of a kind with a word; one that more hold is not weighed by the index
_COUNTED = 100  # rows of a kind with a word that are counted for a measure
_TITLE = 4  # a word in the title counts as so many in the text
_SATURATION, _BY_LENGTH, _USUAL_LENGTH = 1.2, 0.75, 600  # BM25's k1 and b; characters of an average text
_READ = 50_000  # characters of a text that are weighed


class Relevance(NamedTuple):
    """How well a row fits; greater is better."""

    whole: bool  # it has all words
    rank: float


def spoken(query: str) -> list[str]:
    """The words of a query, lower-cased, each once."""
    return list(dict.fromkeys(_WORD.findall(query.lower())))[:_WORDS]


def ranked_ids(
    scope: Scope, kind: str, audiences: Sequence[int], said: Sequence[str], limit: int
) -> list[tuple[str, float]]:
    """Rows of a kind that the audiences see and that hold the words, best first; the number grows with relevance."""
    if not said:
        return []
    telling = [f'"{word}"' for word in said if not _common(scope, kind, word)]
    if not telling:
        return _newest(scope, kind, audiences, " AND ".join(f'"{word}"' for word in said), limit)
    found = _best(scope, kind, audiences, " AND ".join(telling), limit)
    if len(found) < limit and len(telling) > 1:
        known = {row_id for row_id, _ in found}
        some = _best(scope, kind, audiences, " OR ".join(telling), limit)
        found += [hit for hit in some if hit[0] not in known][: limit - len(found)]
    return found


def _best(scope: Scope, kind: str, audiences: Sequence[int], match: str, limit: int) -> list[tuple[str, float]]:
    rows = scope.tx.all(f"memory.best_{kind}", match=match, audiences=compact(list(audiences)), limit=limit)
    return [(row_id, round(rank, 6)) for row_id, rank in rows]


def _common(scope: Scope, kind: str, word: str) -> bool:
    row = scope.tx.one(f"memory.frequency_{kind}", match=f'"{word}"', most=_COMMON + 1)
    return row is not None and row[0] > _COMMON


def _newest(scope: Scope, kind: str, audiences: Sequence[int], match: str, limit: int) -> list[tuple[str, float]]:
    rows = scope.tx.all(f"memory.holding_{kind}", match=match, audiences=compact(list(audiences)), limit=limit)
    return [(row_id, 0.0) for (row_id,) in rows]


class Measure:
    """One measure for rows of all kinds: BM25, with words counted over the rows of all kinds that the audiences see."""

    def __init__(self, scope: Scope, said: Sequence[str], seen: dict[str, Sequence[int]]) -> None:
        self._rarity: dict[str, float] = {}
        for word in said:
            known = sum(_rows_with(scope, kind, who, word) for kind, who in seen.items())
            folded = _folded(word)
            self._rarity[folded] = math.log(1 + _COUNTED / max(1, known))
        words = "|".join(re.escape(word) for word in sorted(self._rarity, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])")

    def of(self, title: str, text: str) -> Relevance:
        """How well a row fits."""
        counts: dict[str, int] = {}
        for part, weight in ((title, _TITLE), (text, 1)):
            for word in self._pattern.findall(_folded(part[:_READ])):
                counts[word] = counts.get(word, 0) + weight
        slack = _SATURATION * (1 - _BY_LENGTH + _BY_LENGTH * (len(title) + len(text)) / _USUAL_LENGTH)
        rank = sum(self._rarity[word] * n * (_SATURATION + 1) / (n + slack) for word, n in counts.items())
        return Relevance(len(counts) == len(self._rarity), round(rank, 6))


def _rows_with(scope: Scope, kind: str, audiences: Sequence[int], word: str) -> int:
    row = scope.tx.one(f"memory.rows_with_{kind}", match=f'"{word}"', audiences=compact(list(audiences)), most=_COUNTED)
    return row[0] if row is not None else 0


def _folded(text: str) -> str:
    """Lower case without accents, as the index has it."""
    lower = text.lower()
    if lower.isascii():
        return lower
    return "".join(sign for sign in unicodedata.normalize("NFD", lower) if not unicodedata.combining(sign))
