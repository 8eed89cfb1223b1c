"""Reading memories: one key, with or without a scope; all that is visible; what a key was before."""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.hints import Any
from comity.kernel.javascript import distinct, trim
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact, read_strings
from comity.rooms.memory.model import MOST, Entries, Entry, Found, History, PastEntry
from comity.rooms.memory.places import Place, View, cascade, place, view


def entry_of(row: Row) -> Entry:
    """A row of the columns that every statement names in the same order; what others wrote wrongly is read mildly."""
    key, value = _text(row[2]), _text(row[3])
    return Entry._make((*row[:2], key, value, *row[4:6], read_strings(row[6]) or [], *row[7:12], 0.0, ""))


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def live(scope: Scope, slot: Place, key: str) -> list[Entry]:
    """A key's live values, newest first."""
    return [entry_of(row) for row in scope.tx.all("memory.live", **slot._asdict(), key=key)]


def get(scope: Scope, key: str, name: str | None, channel_id: str | None) -> Found:
    """A key's values in a scope, or in the first of agent, channel and workspace that has any."""
    key = trim(key)
    if name is not None:
        entries = live(scope, place(scope, name, channel_id), key)
        return Found(name, entries, len(entries) > 1)
    for slot in cascade(view(scope, channel_id)):
        entries = live(scope, slot, key)
        if entries:
            return Found(slot.scope, entries, len(entries) > 1)
    return Found(None, [], conflicts=False)


def entries(scope: Scope, name: str | None, channel_id: str | None, tags: Sequence[str] | None, limit: int) -> Entries:
    """What is visible, newest first."""
    seen = view(scope, channel_id, channel_wanted=name == "channel")
    return Entries([entry_of(row) for row in scope.tx.all("memory.list", **filters(seen, name, tags, limit))])


def filters(seen: View, name: str | None, tags: Sequence[str] | None, limit: int) -> dict[str, Any]:
    """Parameters of the statements that look at everything visible."""
    return {
        "agent_id": seen.agent_id,
        "channel_id": seen.channel_id,
        "scope": name,
        "tags": compact(distinct(tags or ())),
        "limit": min(limit, MOST),
    }


def history(scope: Scope, name: str, key: str, channel_id: str | None, limit: int) -> History:
    """Every value of a key, archived ones too, newest first."""
    slot = place(scope, name, channel_id)
    rows = scope.tx.all("memory.history", **slot._asdict(), key=trim(key), limit=min(limit, MOST))
    return History([PastEntry(*entry_of(row)[:12], *row[12:]) for row in rows])
