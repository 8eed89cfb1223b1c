"""Ranking by BM25 over words: rows with all words of the query first, then those with some.

Words that a great many rows hold tell nothing, and take the index long to weigh: beside others they are left out, and
rows that hold nothing else come newest first. Within a kind the index ranks. Its numbers cannot be compared between
kinds, since a word that is rare among a hundred thousand memories may be in every one of three goals; rows of several
kinds are weighed again, by one measure.

Chinese, Japanese and Korean words are found wherever they stand in a run of letters, which the index has in pairs. What
somebody asks in one run holds several words: whatever has all of it is first, then what has many of its pairs.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.spaceless import LETTERS, RUN, pairs, unified
from comity.kernel.text import compact

_WORDS = 16  # of a query that count
_PARTS = 32  # of them that are looked for where no row has them all
# A word between spaces; or one by its script, as far as that tells: endings and particles are hiragana.
_HIRAGANA, _KATAKANA = "\u3041-\u3096\u309d-\u309f", "\u30a1-\u30fa\u30fc-\u30ff"
_WORD = re.compile(
    f"[{_HIRAGANA}][{_HIRAGANA}\u30fc]*|[{_KATAKANA}]+|(?:(?![{_HIRAGANA}{_KATAKANA}])[{LETTERS}])+"
    f"|(?:(?![{LETTERS}])[^\\W_])+"
)
_PARTICLE = re.compile(
    "(?:에서는|이라는|하나요|인가요|합니다|됩니다|에서|으로|에게|까지|부터|처럼|보다|라는|하는|한다|하다|되는|된다|되다|하고|"
    "은|는|이|가|을|를|의|에|로|와|과|도|만)$"
)
_LEAST_STEM = 2
_RUNS = re.compile(f"([{LETTERS}]+)")
_ENDING = re.compile(f"[{_HIRAGANA}]{{1,4}}")
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
    """The words of a query, lower-cased, each once; those that carry the meaning where it has some."""
    found = dict.fromkeys(map(_stem, _WORD.findall(unified(query).lower())))
    return ([word for word in found if not _ENDING.fullmatch(word)] or list(found))[:_WORDS]


def _stem(word: str) -> str:
    """A Korean word without its particle or ending, as far as two letters are left. Pieces of words are found, too."""
    ending = _PARTICLE.search(word) if len(word) > _LEAST_STEM else None
    return word[: max(_LEAST_STEM, ending.start())] if ending is not None else word


def parts(words: Iterable[str]) -> list[str]:
    """What of the words is looked for where they are not found: pairs of letters of a run, other words whole."""
    found = (part for word in words for part in (pairs(word) if _is_run(word) and len(word) > 1 else [word]))
    return list(dict.fromkeys(found))[:_PARTS]


def _is_run(word: str) -> bool:
    return RUN.match(word) is not None


def _match(word: str) -> str:
    """What finds a word in the index."""
    if not _is_run(word):
        return f'"{word}"'
    return f'"{" ".join(pairs(word))}"' if len(word) > 1 else f'"{word}"*'


def ranked_ids(
    scope: Scope, kind: str, audiences: Sequence[int], said: Sequence[str], limit: int
) -> list[tuple[str, float]]:
    """Rows of a kind that the audiences see and that hold the words, best first; the number grows with relevance."""
    if not said:
        return []
    counted = _counted(scope, kind, said)
    known = [word for word, count in counted.items() if count]
    telling = [_match(word) for word in known if counted[word] <= _COMMON]
    pieces = parts(word for word in said if word not in known and _is_run(word) and len(word) > _LEAST_STEM)
    held = _counted(scope, kind, pieces) if pieces else {}
    some = [*telling, *(_match(part) for part, count in held.items() if 0 < count <= _COMMON)]
    if not some:
        return _newest(scope, kind, audiences, " AND ".join(map(_match, known)), limit) if known else []
    found = _best(scope, kind, audiences, " AND ".join(some), limit) if len(some) == len(telling) else []
    if len(found) < limit and len(some) > 1:
        known_ids = {row_id for row_id, _ in found}
        others = _best(scope, kind, audiences, " OR ".join(some), limit)
        found += [hit for hit in others if hit[0] not in known_ids][: limit - len(found)]
    return found


def _best(scope: Scope, kind: str, audiences: Sequence[int], match: str, limit: int) -> list[tuple[str, float]]:
    rows = scope.tx.all(f"memory.best_{kind}", match=match, audiences=compact(list(audiences)), limit=limit)
    return [(row_id, round(rank, 6)) for row_id, rank in rows]


def _counted(scope: Scope, kind: str, words: Sequence[str]) -> dict[str, int]:
    """How many rows hold each word; of common ones not all are counted."""
    matches = {_match(word): word for word in words}
    rows = scope.tx.all(f"memory.frequency_{kind}", matches=compact(list(matches)), most=_COMMON + 1)
    return {matches[match]: count for match, count in rows}


def _newest(scope: Scope, kind: str, audiences: Sequence[int], match: str, limit: int) -> list[tuple[str, float]]:
    rows = scope.tx.all(f"memory.holding_{kind}", match=match, audiences=compact(list(audiences)), limit=limit)
    return [(row_id, 0.0) for (row_id,) in rows]


class Measure:
    """One measure for rows of all kinds: BM25, with words counted over the rows of all kinds that the audiences see."""

    def __init__(self, scope: Scope, said: Sequence[str], seen: dict[str, Sequence[int]]) -> None:
        known: dict[str, int] = {}
        pieces = {_match(part): _folded(part) for part in parts(said)}
        for kind, audiences in seen.items():
            who, matches = compact(list(audiences)), compact(list(pieces))
            for match, count in scope.tx.all(f"memory.rows_with_{kind}", matches=matches, audiences=who, most=_COUNTED):
                known[pieces[match]] = known.get(pieces[match], 0) + count
        self._rarity = {part: math.log(1 + _COUNTED / max(1, count)) for part, count in known.items()}
        self._said = [_folded(word) for word in said]
        self._runs = [part for part in self._rarity if _is_run(part)]
        words = sorted(self._rarity.keys() - set(self._runs), key=len, reverse=True)
        either = "|".join(map(re.escape, words))
        self._pattern = re.compile(rf"(?<![^\W_])(?:{either})(?![^\W_])") if words else None

    def of(self, title: str, text: str) -> Relevance:
        """How well a row fits."""
        counts: dict[str, int] = {}
        runs: set[str] = set()
        for piece, weight in ((title, _TITLE), (text, 1)):
            folded = _folded(piece[:_READ])
            plain = folded if folded.isascii() else RUN.sub(" ", folded)
            for word in self._pattern.findall(plain) if self._pattern is not None else ():
                counts[word] = counts.get(word, 0) + weight
            for part in self._runs:
                if number := folded.count(part):
                    counts[part] = counts.get(part, 0) + weight * number
            runs.update(word for word in self._said if _is_run(word) and word in folded)
        slack = _SATURATION * (1 - _BY_LENGTH + _BY_LENGTH * (len(title) + len(text)) / _USUAL_LENGTH)
        rank = sum(self._rarity[part] * n * (_SATURATION + 1) / (n + slack) for part, n in counts.items())
        return Relevance(all(word in counts or word in runs for word in self._said), round(rank, 6))


def _folded(text: str) -> str:
    """Lower case without accents, as the index has it."""
    lower = unified(text).lower()
    if lower.isascii():
        return lower
    return "".join(part if _is_run(part) else _bare(part) for part in _RUNS.split(lower))


def _bare(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
