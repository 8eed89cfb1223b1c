"""Setting, deleting and resolving values (MACP v1.0, reference section 4.4).

An author has one live value a key: a new one archives the old one, which stays in the history. Different authors'
values live side by side as a conflict until one is chosen. What can be refused is refused before anything is archived.
"""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.event import Event
from comity.kernel.javascript import distinct, trim
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.memory import lookup
from comity.rooms.memory.model import Archived, Entry, Resolved, Stored
from comity.rooms.memory.places import Place, place

REPLACED, DELETED, RESOLVED = "replaced", "deleted", "resolved"


class Details(NamedTuple):
    """What is said about a value; None keeps what an identical value has, else the protocol's default."""

    tags: Sequence[str] | None
    confidence: str | None
    layer: str | None


def store(scope: Scope, name: str, key: str, value: str, channel_id: str | None, details: Details) -> Stored:
    """Make ``value`` the actor's value of a key."""
    key, value = checked_key(key), _checked_value(value)
    slot = place(scope, name, channel_id)
    live = lookup.live(scope, slot, key)
    same = next((entry for entry in live if entry.value == value), None)
    old = [e for e in live if e.author_agent_id == scope.actor.agent_id and e.value != value]
    for entry in old:
        _archive_one(scope, entry.memory_id, REPLACED)
    entry = _insert(scope, slot, key, value, details) if same is None else _refresh(scope, same, details)
    _tell(scope, "memory.stored", slot, memory_id=entry.memory_id)
    return Stored(entry, len(live) - len(old) + (same is None))


def delete(scope: Scope, name: str, key: str, channel_id: str | None) -> Archived:
    """Archive every live value of a key."""
    key = checked_key(key)
    slot = place(scope, name, channel_id)
    count = _archive(scope, slot, key, DELETED)
    if count:
        _tell(scope, "memory.deleted", slot, archived=count)
    return Archived(count)


def resolve(scope: Scope, name: str, key: str, value: str, channel_id: str | None, details: Details) -> Resolved:
    """Archive every live value of a key and set the chosen one."""
    key, value = checked_key(key), _checked_value(value)
    slot = place(scope, name, channel_id)
    same = next((entry for entry in lookup.live(scope, slot, key) if entry.value == value), None)
    count = _archive(scope, slot, key, RESOLVED)
    entry = _insert(scope, slot, key, value, details if same is None else _kept(same, details))
    _tell(scope, "memory.resolved", slot, memory_id=entry.memory_id, archived=count)
    return Resolved(entry, count)


def checked_key(key: str) -> str:
    """The key trimmed. Invalid ``memory.blank_key``."""
    trimmed = trim(key)
    if not trimmed:
        raise Invalid("memory.blank_key", "The key is blank.", "Name what the memory is about.")
    return trimmed


def _checked_value(value: str) -> str:
    trimmed = trim(value)
    if not trimmed:
        raise Invalid("memory.blank_value", "The value is blank.", "Pass a value, or delete the key.")
    return trimmed


def _kept(entry: Entry, details: Details) -> Details:
    """``details`` with what they leave open taken from an identical value."""
    return Details(
        entry.tags if details.tags is None else details.tags,
        details.confidence or entry.confidence,
        details.layer or entry.layer,
    )


def _insert(scope: Scope, slot: Place, key: str, value: str, details: Details) -> Entry:
    now = scope.now.iso
    entry = Entry(
        scope.new_id(),
        slot.scope,
        key,
        value,
        slot.owner_agent_id,
        slot.channel_id,
        distinct(details.tags or ()),
        details.confidence or "stated",
        details.layer or "context",
        scope.actor.agent_id,
        now,
        now,
    )
    row = {**entry._asdict(), "tags": compact(entry.tags)}
    del row["rank"], row["snippet"]
    scope.tx.run("memory.insert", **row)
    return entry


def _refresh(scope: Scope, entry: Entry, details: Details) -> Entry:
    details = _kept(entry, details)
    new = entry._replace(
        tags=distinct(details.tags or ()),
        confidence=details.confidence or entry.confidence,
        layer=details.layer or entry.layer,
        updated_at=scope.now.iso,
    )
    scope.tx.run(
        "memory.refresh",
        memory_id=new.memory_id,
        tags=compact(new.tags),
        confidence=new.confidence,
        layer=new.layer,
        now=new.updated_at,
    )
    return new


def _archive(scope: Scope, slot: Place, key: str, reason: str) -> int:
    return scope.tx.run("memory.archive", **slot._asdict(), key=key, reason=reason, now=scope.now.iso)


def _archive_one(scope: Scope, memory_id: str, reason: str) -> None:
    scope.tx.run("memory.archive_one", memory_id=memory_id, reason=reason, now=scope.now.iso)


def _tell(scope: Scope, event_type: str, slot: Place, **facts: object) -> None:
    """The log is for everybody: it says that, and in which scope, but neither key nor value."""
    metadata = {"scope": slot.scope, **facts}
    scope.emit(Event(event_type, agent_id=scope.actor.agent_id, channel_id=slot.channel_id, metadata=metadata))
