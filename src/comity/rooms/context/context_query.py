"""One query over memories, vault documents, done tasks and goals (MACP v1.0, reference section 4.10).

Scores, order and snippets are the original's; channel memory is for the channel's members only (reference E-04). Each
kind's best rows come from the index, then they are put together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from comity.kernel.hints import Any
from comity.kernel.javascript import snippet, words
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact
from comity.rooms.context.model import RankedResult, RankedResults, Result, Results
from comity.rooms.memory import index, search
from comity.rooms.memory.model import MOST, Entry
from comity.rooms.memory.places import View, open_view
from comity.rooms.memory.ranking import Measure, Relevance, ranked_ids, spoken
from comity.rooms.memory.scores import Source, best
from comity.rooms.vault import documents as vault
from comity.rooms.vault.documents import doc_of


class ContextQuery(NamedTuple):
    """What the caller looks for; ``kinds`` None means everywhere."""

    query: str
    channel_id: str | None
    limit: int
    kinds: Sequence[str] | None = None


class _Shown(NamedTuple):
    """A row as results show it; the snippet comes from ``text``."""

    id: str
    title: str
    text: str
    metadata: dict[str, Any]


class _Kind(NamedTuple):
    """How rows of one kind are found and shown."""

    name: str
    source: Source[Any]
    show: Callable[[Any], _Shown]


def query(scope: Scope, wanted: ContextQuery) -> Results:
    """What scores highest: of equal scores by kind, then the most recent."""
    limit, said = min(wanted.limit, MOST), words(wanted.query.lower())
    if not said:
        return Results([])
    found: list[tuple[int, str, int, Callable[[], Result]]] = []
    for kind in _kinds(scope, wanted):
        hits = best(scope, kind.source, wanted.query, limit)
        found += [(-hit.score, kind.name, -hit.doc, _result(kind, hit.row, hit.score, said[0])) for hit in hits]
    found.sort(key=lambda one: one[:3])
    return Results([make() for _, _, _, make in found[:limit]])


def _result(kind: _Kind, row: Any, score: int, word: str) -> Callable[[], Result]:
    def make() -> Result:
        shown = kind.show(row)
        return Result(kind.name, shown.id, shown.title, snippet(shown.text, word), score, shown.metadata)

    return make


def find(scope: Scope, wanted: ContextQuery) -> RankedResults:
    """What is most relevant, by BM25 over words: what has all of them, then what has some."""
    limit, said = min(wanted.limit, MOST), spoken(wanted.query)
    kinds = _kinds(scope, wanted)
    if not said:
        return RankedResults([])
    measure = Measure(scope, said, {kind.name: kind.source.audiences for kind in kinds})
    found: list[tuple[Relevance, str, _Shown]] = []
    for kind in kinds:
        hits = ranked_ids(scope, kind.name, kind.source.audiences, said, limit)
        rows = kind.source.rows([row_id for row_id, _ in hits])
        for shown in (kind.show(rows[row_id]) for row_id, _ in hits if row_id in rows):
            title = "\n".join([str(shown.metadata.get("path", "")), shown.title])
            found.append((measure.of(title, shown.text), kind.name, shown))
    found.sort(key=lambda one: one[0], reverse=True)
    return RankedResults([_ranked(name, fits.rank, shown, said) for fits, name, shown in found[:limit]])


def _ranked(name: str, rank: float, shown: _Shown, said: Sequence[str]) -> RankedResult:
    return RankedResult(name, shown.id, shown.title, search.excerpt(shown.text, said), rank, shown.metadata)


def _kinds(scope: Scope, wanted: ContextQuery) -> list[_Kind]:
    seen = open_view(scope, wanted.channel_id)
    every = [
        _Kind("memory", _memories(scope, seen), _memory),
        _Kind("vault_doc", vault.documents(scope), _doc),
        _Kind("task", _rows(scope, "task", "context.tasks", 4), _task),
        _Kind("goal", _rows(scope, "goal", "context.goals", 3), _goal),
    ]
    return [kind for kind in every if wanted.kinds is None or kind.name in wanted.kinds]


def _memories(scope: Scope, seen: View) -> Source[Entry]:
    everything = search.Wanted("", None, None, None, 0)
    return Source(
        "memory",
        search.audiences(seen),
        lambda ids: search.visible(scope, seen, everything, ids),
        lambda entry: f"{entry.key}\n{entry.value}",
    )


def _rows(scope: Scope, kind: str, statement: str, end: int) -> Source[Row]:
    """Rows whose columns before ``end``, but the id, are what is scored."""

    def read(ids: Sequence[str]) -> dict[str, Row]:
        return {row[0]: row for row in scope.tx.all(statement, ids=compact(list(ids)))}

    return Source(kind, [index.audience(kind)], read, lambda row: "\n".join(row[1:end]))


def _memory(entry: Entry) -> _Shown:
    facts = {"scope": entry.scope, "channelId": entry.channel_id, "tags": entry.tags}
    return _Shown(entry.memory_id, entry.key, entry.value, facts)


def _doc(row: Row) -> _Shown:
    doc = doc_of(row)
    return _Shown(doc.doc_id, doc.title, str(row[6]), {"path": doc.path, "tags": doc.tags})


def _task(row: Row) -> _Shown:
    task_id, title, description, result, status, goal_id, profile_slug = row
    facts = {"status": status, "goalId": goal_id, "profileSlug": profile_slug}
    return _Shown(task_id, title, f"{description}\n{result}", facts)


def _goal(row: Row) -> _Shown:
    goal_id, title, description, kind, status, parent = row
    return _Shown(goal_id, title, description, {"type": kind, "status": status, "parentGoalId": parent})
