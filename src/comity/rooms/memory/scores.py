"""The original's scores, from the index: the best rows without reading all of them.

A row's score is the sum of the UTF-16 lengths of the query's words that occur in it as substrings, repeated ones too
(MACP v1.0, reference section 4.10). The original scores every row; here the index names those that can score most, most
recent first, and reading stops once nothing that is left can enter the answer. The index may name rows that score
less than it seems, never fewer; words under three characters are not in it, so rows that hold nothing else are looked
for last and not without end. Those of Chinese, Japanese and Korean are in the index of words.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any, Generic, NamedTuple, TypeVar

from comity.kernel.javascript import length, words
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.memory import index

_READ_ROWS = 5000  # read at most for one query
_SCAN_ROWS = 2000  # of them those that hold none of its longer words
_PAGE_ROWS = 512
_LAST = (1 << 63) - 1
_COMBINED = 5  # words whose combinations are looked for one by one
_WEIGHED_ROWS = 2000
_T = TypeVar("_T")


class Source(NamedTuple, Generic[_T]):
    """Rows of one kind: whose they are, how they are read by their ids, and what of them is scored."""

    kind: str
    audiences: Sequence[int]
    rows: Callable[[Sequence[str]], dict[str, _T]]
    text: Callable[[_T], str]


class Hit(NamedTuple, Generic[_T]):
    """A row that scores. Descending, hits are in the order of the answer."""

    score: int
    doc: int
    row: _T


def weights(query: str) -> dict[str, int]:
    """The words of a query, lower-cased, with what each adds to a score."""
    found: dict[str, int] = {}
    for word in words(query.lower()):
        found[word] = found.get(word, 0) + length(word)
    return found


def score(text: str, weighed: dict[str, int]) -> int:
    """The score of a row's text."""
    lower = text.lower()
    return sum(weight for word, weight in weighed.items() if word in lower)


def candidates(
    scope: Scope, kind: str, audiences: Sequence[int], match: str | None, first: int, *, paired: bool = False
) -> Iterator[list[tuple[int, str]]]:
    """Pages of (number, id) of rows that match (all, for None), newest first: small ones first, as few may do.

    ``paired``: the match is for the index of words, which has scripts without spaces in pairs of letters.
    """
    before, size = _LAST, max(16, min(2 * first, _PAGE_ROWS))
    params: dict[str, object] = {"audiences": compact(list(audiences))}
    params |= {"kind": kind} if match is None else {"match": match}
    statement = "memory.newest" if match is None else f"memory.{'paired' if paired else 'matching'}_{kind}"
    while page := scope.tx.all(statement, before=before, limit=size, **params):
        yield [(doc, row_id) for doc, row_id in page]
        if len(page) < size:
            return
        before, size = page[-1][0], min(2 * size, _PAGE_ROWS)


def best(scope: Scope, source: Source[_T], query: str, limit: int) -> list[Hit[_T]]:
    """The highest scores, the most recent of equal ones first."""
    weighed = weights(query)
    terms = {word: term for word in weighed if (term := index.substring(word)) is not None}
    unknown = sum(weight for word, weight in weighed.items() if word not in terms)
    race = _Race(scope, source, weighed, limit)
    if len(terms) > _COMBINED:
        race.weighed([(terms[word], weighed[word]) for word in terms], unknown)
    else:
        for least, match in _levels([(weighed[word], terms[word]) for word in terms]):
            if not race.run(match, least + unknown):
                break
    if unknown:
        short = [index.pair(word) for word in weighed if word not in terms]
        race.run(None if None in short else " OR ".join(map(str, short)), unknown, paired=True)
    return race.hits


def _levels(terms: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """What rows with some of the words can score, most first, and the match that finds them."""
    levels: dict[int, list[str]] = {}
    for count in range(1, len(terms) + 1):
        for chosen in combinations(terms, count):
            held = " AND ".join(term for _, term in chosen)
            levels.setdefault(sum(weight for weight, _ in chosen), []).append(f"({held})")
    for weight in sorted(levels, reverse=True):
        yield weight, " OR ".join(levels[weight])


class _Race(Generic[_T]):
    """The best hits so far, and whether what comes can still be among them."""

    def __init__(self, scope: Scope, source: Source[_T], weighed: dict[str, int], limit: int) -> None:
        self.hits: list[Hit[_T]] = []
        self._scope = scope
        self._source = source
        self._weighed = weighed
        self._limit = limit
        self._seen: set[int] = set()

    def run(self, match: str | None, most: int, *, paired: bool = False) -> bool:
        """Read what matches, of which nothing scores more than ``most``. False when nothing less can enter."""
        if self._settled(most, _LAST):
            return False
        end = len(self._seen) + _SCAN_ROWS if match is None else _READ_ROWS
        source = self._source
        for page in candidates(self._scope, source.kind, source.audiences, match, self._limit, paired=paired):
            if self._settled(most, page[0][0]) or len(self._seen) > end:
                break
            self._read(page)
        return len(self._seen) <= end

    def weighed(self, terms: list[tuple[str, int]], unknown: int) -> None:
        """Read rows by what the index says they score."""
        rows = self._scope.tx.all(
            f"memory.weighed_{self._source.kind}",
            terms=compact([list(term) for term in terms]),
            audiences=compact(list(self._source.audiences)),
            limit=_WEIGHED_ROWS,
        )
        for start in range(0, len(rows), 32):
            doc, _, weight = rows[start]
            if self._settled(weight + unknown, doc):
                return
            self._read([(doc, row_id) for doc, row_id, _ in rows[start : start + 32]])

    def _settled(self, most: int, doc: int) -> bool:
        """Whether the answer is full of hits better than any with these."""
        return len(self.hits) == self._limit and self.hits[-1][:2] > (most, doc)

    def _read(self, page: Sequence[tuple[int, str]]) -> None:
        new = [(doc, row_id) for doc, row_id in page if doc not in self._seen]
        self._seen.update(doc for doc, _ in new)
        rows = self._source.rows([row_id for _, row_id in new])
        for doc, row_id in new:
            row = rows.get(row_id)
            if row is None:
                continue
            points = score(self._source.text(row), self._weighed)
            if points:
                insort(self.hits, Hit(points, doc, row), key=_descending)
                del self.hits[self._limit :]


def _descending(hit: Hit[Any]) -> tuple[int, int]:
    return -hit.score, -hit.doc
