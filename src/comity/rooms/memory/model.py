"""Records and argument types of shared memory (MACP v1.0, reference section 4.4)."""

from __future__ import annotations

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.hints import Annotated, Literal
from comity.kernel.named_tuple import NamedTuple

MAX_VALUE = 1_000_000  # characters
MOST = 1000  # rows that one answer has at most, whatever limit was asked for
_ANY = 9_007_199_254_740_991  # what the original takes; clamped to MOST

Key = Annotated[str, Text("What the memory is about.", min=1, max=1000)]
Value = Annotated[str, Text("What to remember.", min=1, max=MAX_VALUE)]
ScopeName = Annotated[
    Literal["agent", "channel", "workspace"], Note("Who sees it: this agent, a channel's members, everybody.")
]
Query = Annotated[str, Text("What to look for.", min=1, max=10_000)]
Tags = Annotated[list[Annotated[str, Text(max=200)]], Items("Tags; every one is required in searches.", max=64)]
Confidence = Annotated[Literal["stated", "inferred", "observed"], Note("How it is known.")]
Layer = Annotated[Literal["constraints", "behavior", "context"], Note("What it governs.")]
Limit = Annotated[int, Number(f"How many to return; {MOST} at most.", ge=1, le=_ANY)]
Ranked = Annotated[bool, Note("Rank by BM25 and show snippets, instead of newest first.")]


class Entry(NamedTuple):
    """One value of one key. ``rank`` (higher is better) and ``snippet`` come with ranked searches."""

    memory_id: str
    scope: str
    key: str
    value: str
    owner_agent_id: str | None
    channel_id: str | None
    tags: list[str]
    confidence: str
    layer: str
    author_agent_id: str
    created_at: str
    updated_at: str
    rank: float = 0.0
    snippet: str = ""


class PastEntry(NamedTuple):
    """One value that a key has or had; the last two say when and why it ceased to hold."""

    memory_id: str
    scope: str
    key: str
    value: str
    owner_agent_id: str | None
    channel_id: str | None
    tags: list[str]
    confidence: str
    layer: str
    author_agent_id: str
    created_at: str
    updated_at: str
    archived_at: str | None
    archived_reason: str | None


class Stored(NamedTuple):
    """What was stored; ``conflicts`` counts the values that the key now has (1: no conflict)."""

    entry: Entry
    conflicts: int


class Found(NamedTuple):
    """A key's values in the first scope that has any; ``conflicts`` is true when they are several."""

    resolved_scope: str | None
    entries: list[Entry]
    conflicts: bool


class Entries(NamedTuple):
    """Memories, newest first (best first when ranked)."""

    entries: list[Entry]


class History(NamedTuple):
    """Every value that a key has or had, newest first."""

    entries: list[PastEntry]


class Archived(NamedTuple):
    """How many values ceased to hold."""

    archived_count: int


class Resolved(NamedTuple):
    """The value that holds now, and how many it replaced."""

    entry: Entry
    archived_count: int
