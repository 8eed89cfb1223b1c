"""What an operation's body gets: who asks, when, one transaction, and a way to append events; what any store offers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager

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
    ``named`` is the agent id that the user chose, if they did. ``began_ms``: when the hook that tells of it began (0:
    no hook tells); ``lasting``: the process had run for long by then. ``begins``: why its context has just begun, if
    it has; ``end`` when it is over.
    """

    host: str
    session_id: str
    subagent_id: str = ""
    pid: int | None = None
    started: str = ""
    hearsay: bool = False
    server: str = ""
    named: str = ""
    began_ms: int = 0
    lasting: bool = False
    begins: str = ""


class Limits(NamedTuple):
    """What keeps two agents from answering each other for ever; 0 is no limit.

    ``hops``: answers to and fro without a pause. ``per_minute``: messages to one agent or channel. ``repeat_s``: how
    long the same content is not sent again.
    """

    hops: int = 0
    per_minute: int = 0
    repeat_s: int = 0


class Keeping(NamedTuple):
    """How copies of work in progress are kept: ``total_bytes`` in all (0: none are), ``file_bytes`` a file at most.

    After ``days`` a copy goes. ``durable``: it is on the disk before it counts.
    """

    total_bytes: int = 268_435_456
    file_bytes: int = 16_777_216
    days: int = 30
    durable: bool = False


class Actor(NamedTuple):
    """The caller: one agent in one session, and what it was started with.

    ``channel`` is the default channel; ``max_pending_messages`` bounds the agent's queue, ``max_context_bytes`` is
    its byte budget for one poll (MACP v1.0, reference sections 2.6 and 2.8). ``root`` is the project's folder in the
    main checkout, ``worktree`` the folder that stands for it in the linked worktree the agent works in, if it does.
    ``vault_outside`` lets it index folders outside both. ``host`` is the host's session, when a host tells of it.
    ``oversees``: it may see how direct messages between others begin, and which folders there are outside of the
    project; who can read the file can anyway.
    ``spectator``: it is no agent and may only look. ``database`` is the file that all this stands in, where it is one;
    copies of work in progress lie next to it (``keeping``). ``mail_days``: how long urgent messages wait unread.
    ``check_command`` is what must pass before a branch is brought home; empty for none.
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
    keeping: Keeping = Keeping()
    mail_days: int = 7
    check_command: str = ""


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


class Waiter(Protocol):
    """Waits for commits that concern some agents. Take it before the look that may find nothing, then ``wait``.

    An event loop watches ``descriptor``, which is readable when there may be one (-1: nothing tells), and asks whether
    it ``rang``; every ``period_s`` seconds it asks ``wait(0)``, since some commits are not told.
    """

    @property
    def descriptor(self) -> int: ...

    @property
    def period_s(self) -> float: ...

    def rang(self) -> bool:
        """Whether a commit was told since this was asked last."""

    def wait(self, timeout_s: float, /) -> bool:
        """True when something may have been committed; False when the time is over or ``cancel`` was called.

        Raises Unavailable ``store.replaced``: nothing comes any more.
        """

    def cancel(self) -> None:
        """End the wait, from any thread."""

    def close(self) -> None:
        """Stop waiting for good."""


class Store(Protocol):
    """One workspace's database, for every thread of this process. Its errors are Problems, ``store.*``.

    ``busy_s`` is how long a transaction waits for its turn to write; a thread in haste (``comity.system.haste``) does
    not. ``commits_wait``: a commit waits for a disk or a network, so no event loop may do it.
    """

    busy_s: float
    commits_wait: bool

    def reading(self) -> AbstractContextManager[Tx]:
        """One read transaction: a consistent snapshot, which never waits for a writer."""

    def writing(self) -> AbstractContextManager[Tx]:
        """One transaction that is the only writer from its start. Committed when the block ends without an error."""

    def ring(self, agents: Collection[str], /) -> None:
        """Wake the calls that wait for these agents, in any process, and the log's followers. Called after commit."""

    def waiter(self, agents: Collection[str], /) -> Waiter:
        """What waits for commits that concern these agents, or for every commit when there are none. Close it."""

    def look(self) -> None:
        """See that other processes see what is done here. Raises Unavailable ``store.replaced``, for good."""

    def size_bytes(self) -> int:
        """How much room the database takes."""

    def close(self) -> None:
        """Let go of it; what was committed lasts."""


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
