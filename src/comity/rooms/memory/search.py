"""Searching memories: by substring as the original does, newest first; or by words, best first.

The original reads every memory and keeps those that contain the query. Here the index names candidates in the same
order, and each is checked against its row.
"""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.javascript import snippet, trim
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.memory import index
from comity.rooms.memory.lookup import entry_of, filters
from comity.rooms.memory.model import MOST, Entries, Entry
from comity.rooms.memory.places import View, view
from comity.rooms.memory.ranking import parts, ranked_ids, spoken
from comity.rooms.memory.scores import candidates

_SCAN_ROWS = 20_000  # read at most for one query
_IDS = 400  # rows asked for at once


class Wanted(NamedTuple):
    """What the caller looks for."""

    query: str
    scope: str | None
    channel_id: str | None
    tags: Sequence[str] | None
    limit: int


def search(scope: Scope, wanted: Wanted) -> Entries:
    """Visible memories that contain the query, newest first."""
    seen = view(scope, wanted.channel_id, channel_wanted=wanted.scope == "channel")
    query, limit = trim(wanted.query).lower(), min(wanted.limit, MOST)
    if not query:
        return Entries([])
    found: list[tuple[str, str, int, Entry]] = []
    read = 0
    enough: int | None = None  # the moment of the last entry that is needed; those of the same moment are all read
    match, paired = index.substring(query), False
    if match is None:
        match, paired = index.pair(query), True
    pages = candidates(scope, "memory", audiences(seen, wanted.scope), match, limit, paired=paired)
    for page in pages:
        if read > _SCAN_ROWS or (enough is not None and page[0][0] >> index.BITS < enough):
            break
        read += len(page)
        rows = visible(scope, seen, wanted, [row_id for _, row_id in page])
        for doc, row_id in page:
            entry = rows.get(row_id)
            if entry is not None and query in f"{entry.key}\n{entry.value}".lower():
                found.append((entry.updated_at, entry.created_at, doc, entry))
        if enough is None and len(found) >= limit:
            enough = found[limit - 1][2] >> index.BITS
    found.sort(key=lambda one: one[:3], reverse=True)
    return Entries([one[3] for one in found[:limit]])


def ranked(scope: Scope, wanted: Wanted) -> Entries:
    """Visible memories with the query's words, best first, with snippets."""
    seen = view(scope, wanted.channel_id, channel_wanted=wanted.scope == "channel")
    limit = min(wanted.limit, MOST)
    said = spoken(wanted.query)
    few = limit * (4 if wanted.tags else 1)  # tags are looked at afterwards
    best = ranked_ids(scope, "memory", audiences(seen, wanted.scope), said, few)
    rows = visible(scope, seen, wanted, [row_id for row_id, _ in best])
    entries = [
        rows[row_id]._replace(rank=rank, snippet=excerpt(rows[row_id].value, said))
        for row_id, rank in best
        if row_id in rows
    ]
    return Entries(entries[:limit])


def excerpt(text: str, said: Sequence[str]) -> str:
    """``text`` around the first of the words that it holds, or of their parts."""
    lower = text.lower()
    return snippet(text, next((word for word in (*said, *parts(said)) if word in lower), ""))


def audiences(seen: View, name: str | None = None) -> list[int]:
    """Those for whom what the view shows was indexed."""
    named = {"agent": seen.agent_id, "channel": seen.channel_id, "workspace": ""}
    return [
        index.audience("memory", f"{one}\n{who}")
        for one, who in named.items()
        if who is not None and name in (None, one)
    ]


def visible(scope: Scope, seen: View, wanted: Wanted, ids: Sequence[str]) -> dict[str, Entry]:
    """The entries of these ids that the view shows, by id."""
    params = filters(seen, wanted.scope, wanted.tags, 0)
    del params["limit"]
    found: dict[str, Entry] = {}
    for start in range(0, len(ids), _IDS):
        rows = scope.tx.all("memory.visible", ids=compact(list(ids[start : start + _IDS])), **params)
        found.update((row[0], entry_of(row)) for row in rows)
    return found
