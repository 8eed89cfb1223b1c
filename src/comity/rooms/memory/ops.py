"""Operations on shared memory. ``scope`` is an argument of the protocol here, so the bodies call theirs ``here``."""

from __future__ import annotations

from comity.kernel.op import long_op, op
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.channels.model import ChannelId
from comity.rooms.memory import index, lookup, search, writes
from comity.rooms.memory.model import (
    Archived,
    Confidence,
    Entries,
    Found,
    History,
    Key,
    Layer,
    Limit,
    Query,
    Ranked,
    Resolved,
    ScopeName,
    Stored,
    Tags,
    Value,
)


@op(
    "memory.set",
    effect="write",
    needs="session",
    example={"key": "build command", "value": "make test", "scope": "workspace", "tags": ["build"]},
)
def set_memory(
    here: Scope,
    *,
    key: Key,
    value: Value,
    scope: ScopeName,
    channel_id: ChannelId | None = None,
    tags: Tags | None = None,
    confidence: Confidence | None = None,
    layer: Layer | None = None,
) -> Stored:
    """Remember a value for a key; your own earlier value is replaced, others' stay beside it.

    ``conflicts`` counts the values that the key then has: more than 1 means that agents disagree, until one of them
    resolves it. What is left out is ``stated`` and ``context``, or stays as it is when the same value is set again
    (MACP v1.0 section 4.4).
    """
    return writes.store(here, scope, key, value, channel_id, writes.Details(tags, confidence, layer))


@op("memory.get", effect="read", needs="session", example={"key": "build command"})
def get_memory(here: Scope, *, key: Key, scope: ScopeName | None = None, channel_id: ChannelId | None = None) -> Found:
    """Read a key: the agent's own value, else the channel's, else the workspace's.

    Several entries mean that agents disagree.
    """
    return lookup.get(here, key, scope, channel_id)


@long_op("memory.search", effect="read", needs="session", example={"query": "build"})
def search_memories(
    steps: Steps,
    *,
    query: Query,
    scope: ScopeName | None = None,
    channel_id: ChannelId | None = None,
    tags: Tags | None = None,
    limit: Limit = 20,
    rank: Ranked = False,
) -> Entries:
    """Find memories that contain a text, newest first.

    The whole query must occur in the key or the value, whatever its case. With ``rank`` its words count instead, and
    the best come first.
    """
    wanted = search.Wanted(query, scope, channel_id, tags, limit)
    return index.current(steps, search.ranked if rank else search.search, wanted)


@op("memory.list", effect="read", needs="session", example={"limit": 10})
def list_memories(
    here: Scope,
    *,
    scope: ScopeName | None = None,
    channel_id: ChannelId | None = None,
    tags: Tags | None = None,
    limit: Limit = 50,
) -> Entries:
    """List what this agent can see, newest first."""
    return lookup.entries(here, scope, channel_id, tags, limit)


@op("memory.delete", effect="write", needs="session", example={"key": "build command", "scope": "workspace"})
def delete_memory(here: Scope, *, key: Key, scope: ScopeName, channel_id: ChannelId | None = None) -> Archived:
    """Forget a key: all its values, whoever set them. The history keeps them."""
    return writes.delete(here, scope, key, channel_id)


@op(
    "memory.resolve",
    effect="write",
    needs="session",
    example={"key": "build command", "scope": "workspace", "chosen_value": "make check"},
)
def resolve_memory(
    here: Scope,
    *,
    key: Key,
    scope: ScopeName,
    chosen_value: Value,
    channel_id: ChannelId | None = None,
    tags: Tags | None = None,
    confidence: Confidence | None = None,
    layer: Layer | None = None,
) -> Resolved:
    """End a conflict: one value replaces all that the key has."""
    details = writes.Details(tags, confidence, layer)
    return writes.resolve(here, scope, key, chosen_value, channel_id, details)


@op("memory.history", effect="read", needs="session", example={"key": "build command", "scope": "workspace"})
def memory_history(
    here: Scope, *, key: Key, scope: ScopeName, channel_id: ChannelId | None = None, limit: Limit = 50
) -> History:
    """List every value that a key has or had, newest first: who set it, and when and why it ceased to hold."""
    return lookup.history(here, scope, key, channel_id, limit)
