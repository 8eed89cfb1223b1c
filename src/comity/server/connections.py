"""The connections of one listener: what runs on each, and how much of what it was sent is still on its way."""

from __future__ import annotations

import time
from asyncio import Future, Timeout, timeout
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.types import Scope

from comity.server.address import LOOPBACK
from comity.server.auth.principal import Principal
from comity.server.sock_diag import Address
from comity.server.socket_holders import Process

KEY = "comity.connection"  # where a scope holds it
_MOST_FAULTS, _FORGIVEN_S, _MOST_BLAMED = 3, 10.0, 1000


class Connection:
    """One connection that had a request. The event loop writes it, except ``holder`` and ``cut``.

    ``messages`` counts a WebSocket's that came whole. ``known``: somebody looked for the holder of the other end.
    """

    __slots__ = (
        "_among",
        "_patience",
        "address",
        "cut",
        "holder",
        "inode",
        "known",
        "messages",
        "queued_bytes",
        "running",
        "sending",
        "sent_bytes",
        "token",
        "used",
        "waiting",
    )

    def __init__(self, address: Address, among: Connections) -> None:
        self._among = among
        self.address = address
        self.used = time.monotonic()
        self.running = 0  # requests and streams
        self.sent_bytes = 0  # of answers, from the moment on when they are there
        self.queued_bytes = 0  # of larger answers that are not handed over
        self.sending = 0  # larger answers
        self.waiting: deque[Future[None]] = deque()  # larger answers
        self.messages = 0
        self.token = ""
        self.holder: Process | None = None
        self.known = False
        self.inode = 0
        self.cut = ""  # why it was ended
        self._patience: set[Timeout] = set()

    @property
    def client(self) -> str:
        """Whose it is: the token's, else the process', else the address'."""
        return self.token or owner(self.address, self.holder)

    @asynccontextmanager
    async def patience(self) -> AsyncIterator[Timeout]:
        """A time limit for what waits for the client: over at once when the connection is."""
        async with timeout(0 if self.cut else None) as limit:
            self._patience.add(limit)
            try:
                yield limit
            finally:
                self._patience.discard(limit)

    def over(self) -> None:
        """The connection is gone: no answer waits for its client any more."""
        self.cut = self.cut or "gone"
        limits, self._patience = self._patience, set()
        for limit in limits:
            limit.reschedule(0.0)

    async def identified(self) -> str:
        """The client, once the process behind the connection was looked up."""
        if not self.token and not self.known and is_local(self.address) and self._among.identify is not None:
            await self._among.identify(self)
        return self.client


class Connections:
    """Those of one listener that had a request, by the address of the other end, and what the sweeper counts."""

    def __init__(self) -> None:
        self.known: dict[Address, Connection] = {}
        self.swept = False  # whether somebody takes out those that are gone
        self.identify: Callable[[Connection], Awaitable[None]] | None = None
        self.open = 0
        self.silent = 0
        self.unread_bytes = 0
        self.eased_bytes = 0  # that were handed over in larger pieces since the last look
        self.unfinished_bytes = 0
        self.cut: Counter[str] = Counter()
        self._blamed: dict[str, tuple[int, float]] = {}  # by client: how often, and when last

    def of(self, address: Address) -> Connection:
        """The connection from there."""
        found = self.known.get(address)
        if found is None or found.cut:  # another one from the same port
            found = self.known[address] = Connection(address, self)
        return found

    def blame(self, connection: Connection) -> None:
        """A WebSocket of this client was ended for what it did not finish."""
        if connection.token or connection.holder:
            if len(self._blamed) >= _MOST_BLAMED:
                self._blamed.clear()
            times, last = self._blamed.get(connection.client, (0, 0.0))
            now = time.monotonic()
            self._blamed[connection.client] = (times + 1 if now - last < _FORGIVEN_S else 1, now)

    def shuns(self, connection: Connection) -> bool:
        """Whether its client gets no WebSocket for a while, since several had to be ended."""
        times, last = self._blamed.get(connection.client, (0, 0.0))
        return times >= _MOST_FAULTS and time.monotonic() - last < _FORGIVEN_S

    def left(self, connection: Connection) -> None:
        """A request on it is over."""
        connection.running -= 1
        connection.used = time.monotonic()
        if not self.swept and not connection.running:
            self.known.pop(connection.address, None)


def owner(address: Address, holder: Process | None) -> str:
    """Whose a connection is that shows no token."""
    return f"process {holder[0]} {holder[1]}" if holder else address[0]


def is_local(address: Address) -> bool:
    """Whether the other end is on this machine."""
    return address[0] in LOOPBACK or address[0].startswith("::ffff:127.")


def on(scope: Scope) -> Connection | None:
    """The connection that a request came on."""
    found: Connection | None = scope.get(KEY)
    return found


async def whose(scope: Scope, principal: Principal) -> str:
    """The client of ``client_of``, once the process behind the connection was looked up."""
    client = client_of(scope, principal)
    connection = on(scope)
    return client if connection is None else await connection.identified()


def client_of(scope: Scope, principal: Principal) -> str:
    """Whose a request is, as far as that is known by now: its connection is theirs from now on."""
    connection = on(scope)
    token = f"token {principal.token_id}" if principal.token_id else ""
    if connection is None:
        return token
    if token:
        connection.token = token
    return connection.client
