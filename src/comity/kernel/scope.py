"""What an operation's body gets: who asks, when, one transaction, and a way to append events."""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.hints import Any, Protocol
from comity.kernel.ids import Ids
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.observer import Blind, Observer

Row = tuple[Any, ...]
BLIND = Blind()


class HostSession(NamedTuple):
    """A session of an agent host, as the host tells of it. A subagent shares its parent's session.

    ``pid`` and ``started`` are the host's process, when that is known. ``hearsay``: a server that was only started by
    the host, and calls itself ``server``, supposes it; then ``session_id`` may be outdated, or unknown and empty.
    ``named`` is the agent id that the user chose, if they did.
    """

    host: str
    session_id: str
    subagent_id: str = ""
    pid: int | None = None
    started: str = ""
    hearsay: bool = False
    server: str = ""
    named: str = ""


class Limits(NamedTuple):
    """What keeps two agents from answering each other for ever; 0 is no limit.

    ``hops``: answers to and fro without a pause. ``per_minute``: messages to one agent or channel. ``repeat_s``: how
    long the same content is not sent again.
    """

    hops: int = 0
    per_minute: int = 0
    repeat_s: int = 0


class Actor(NamedTuple):
    """Whoever calls: one agent in one session, and what it was started with.

    ``channel`` is the default channel; ``max_pending_messages`` bounds the agent's queue, ``max_context_bytes`` is
    its byte budget for one poll (MACP v1.0, reference sections 2.6 and 2.8). ``root`` is the project's folder in the
    main checkout, ``worktree`` the folder that stands for it in the linked worktree the agent works in, if it does.
    ``vault_outside`` lets it index folders outside both. ``host`` is the host's session, when a host tells of it.
    ``oversees``: it may see how direct messages between others begin, and which folders there are outside of the
    project; whoever can read the file can anyway.
    ``spectator``: it is no agent and may only look. ``database`` is the file that all this stands in, where it is one.
    """

    agent_id: str
    session_id: str
    name: str = ""
    channel: str = ""
    project_id: str = ""
    role: str = "participant"
    interest_tags: tuple[str, ...] = ()
    max_pending_messages: int = 200
    max_context_bytes: int = 16384
    root: str = ""
    worktree: str = ""
    vault_outside: bool = False
    host: HostSession | None = None
    limits: Limits = Limits()
    oversees: bool = True
    spectator: bool = False
    database: str = ""


class Tx(Protocol):
    """One transaction: statements are asked for by name (``room.statement``) and get named parameters."""

    def one(self, name: str, /, **params: object) -> Row | None:
        """The first row, or None."""

    def all(self, name: str, /, **params: object) -> list[Row]:
        """Every row."""

    def run(self, name: str, /, **params: object) -> int:
        """How many rows the statement changed."""

    def many(self, name: str, rows: Sequence[Row], /) -> None:
        """The same statement for every row of parameters, which stand in the order in which it first names them."""

    def append(self, events: Sequence[Event], now: Instant, /) -> None:
        """Append events to the log, in order."""


class Scope:
    """What one run of one operation works with."""

    __slots__ = ("actor", "ids", "now", "observer", "tx", "wakes")

    def __init__(self, actor: Actor, now: Instant, tx: Tx, ids: Ids, observer: Observer = BLIND) -> None:
        self.actor = actor
        self.now = now
        self.tx = tx
        self.ids = ids
        self.observer = observer
        self.wakes: set[str] = set()  # agents to wake once the transaction is committed

    def acting_as(self, actor: Actor) -> Scope:
        """The same transaction for another agent."""
        other = Scope(actor, self.now, self.tx, self.ids, self.observer)
        other.wakes = self.wakes
        return other

    def new_id(self) -> str:
        """A new identifier, ordered by time."""
        return self.ids.new(self.now.ms)

    def emit(self, *events: Event) -> None:
        """Append facts to the log in this transaction; agents they are about are woken after the commit."""
        self.tx.append(events, self.now)
        for event in events:
            if event.agent_id is not None:
                self.wakes.add(event.agent_id)
