"""Looks after the connections of one listener, whose own bounds begin with the first byte and end with the last.

A thread of its own, since what it bounds may hold up the event loop. Once a second it compares what the kernel counted
with what the application knows of each connection, and ends those that ask nothing, take nothing, or are too many of
one client while there is little room. WebSockets are watched besides, as something comes in on them. Where the kernel
does not tell (not Linux), it does nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
from collections import Counter, deque
from contextlib import suppress
from typing import TypeVar

from comity.server import sock_diag, socket_holders
from comity.server.bounds import SMALL_BYTES, Bounds, shares
from comity.server.connections import Connection, Connections, is_local, owner
from comity.server.sock_diag import SocketState
from comity.server.socket_holders import Process
from comity.server.websocket_watch import Watches

_T = TypeVar("_T")
_BATCH_S = 0.01  # between two looks for descriptors and processes, which cost the same for many
_FEW, _SELDOM = 16, 2  # with so few connections it looks less often
_APART_S = 0.002  # between two WebSockets, so that what many send at once is seen before it is much
_SLOWLY_S = 0.02  # the same while somebody does not finish
_PATIENT_S = 0.1  # for there to be room: if there is none, somebody else goes
_WAIT_S = 0.25  # for a WebSocket while many are ended
_FOUND_S = 2.0  # for a WebSocket to be found


class _State:
    """What is known of one connection between two looks."""

    __slots__ = ("acked", "holder", "known", "moved", "seen", "sent", "since", "unread")

    def __init__(self, seen: SocketState, now: float) -> None:
        self.seen = seen
        self.since = now
        self.moved = now  # when something was taken last
        self.acked = 0
        self.sent = 0
        self.unread = 0
        self.holder: Process | None = None
        self.known = False


class Sweeper:
    """``start`` and ``stop`` on the event loop, as everything else except the thread itself."""

    def __init__(self, bound: socket.socket, connections: Connections, bounds: Bounds, *, clear: bool = True) -> None:
        self._clear = clear  # no TLS
        self._port = bound.getsockname()[1]
        self._family = bound.family
        self._connections = connections
        self._bounds = bounds
        self._states: dict[int, _State] = {}
        self._wanted: deque[tuple[Connection, asyncio.Future[None], bool]] = deque()
        self._to_cut: deque[tuple[Connection, str]] = deque()
        self._ending = False
        self._asked = threading.Event()
        self._door = asyncio.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watches: Watches | None = None

    def start(self) -> None:
        """Begin, if the kernel tells anything."""
        if not sys.platform.startswith("linux"):
            return
        try:
            sock_diag.connections_of(self._port, self._family)
        except OSError:
            return
        self._loop = asyncio.get_running_loop()
        self._watches = Watches(self._connections, self._bounds, clear=self._clear)
        self._connections.swept = True
        self._connections.identify = self._identify
        self._watches.start()
        self._thread = threading.Thread(target=self._run, args=(self._watches,), name="comity-sweeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ending = True
        if self._watches is not None and self._thread is not None:
            self._asked.set()
            self._thread.join(_FOUND_S)
            self._watches.close()
            self._watches = None
            self._connections.swept = False
            self._connections.identify = None

    async def watch(self, connection: Connection) -> bool:
        """Until what comes in on a WebSocket's connection is seen, and there is room for it. ``leave`` ends that.

        False when it could not be found in time: then nothing would bound it; and for clients that had several cut off.
        """
        watches = self._watches
        if watches is None:
            return True
        await self._find(connection, socket=True)
        if self._connections.shuns(connection):
            return False
        with suppress(TimeoutError):
            async with self._door, asyncio.timeout(_PATIENT_S):
                await asyncio.sleep(_APART_S if self._connections.unfinished_bytes < SMALL_BYTES else _SLOWLY_S)
                while self._connections.unfinished_bytes > self._bounds.messages_bytes:  # noqa: ASYNC110 - seldom
                    await asyncio.sleep(_APART_S)
        return watches.sees(connection)

    def leave(self, connection: Connection) -> None:
        """The WebSocket is over."""
        if self._watches is not None:
            self._watches.leave(connection)

    async def _identify(self, connection: Connection) -> None:
        await self._find(connection, socket=False)

    def cut(self, connection: Connection, why: str) -> None:
        """End a connection."""
        if self._watches is not None:
            self._to_cut.append((connection, why))
            self._asked.set()

    async def _find(self, connection: Connection, *, socket: bool) -> None:
        if self._watches is None:
            return
        found: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wanted.append((connection, found, socket))
        self._asked.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FOUND_S):
                await found

    # -- on the thread

    def _run(self, watches: Watches) -> None:
        due = time.monotonic()
        while not self._ending:
            asked = self._asked.wait(max(0.0, due - time.monotonic()))
            self._asked.clear()
            with suppress(OSError):  # the kernel was short of something: at the next look
                if self._wanted:
                    self._look_up(watches)
                if self._to_cut:
                    self._cut_asked()
                if time.monotonic() >= due:
                    self._look(time.monotonic())
            if time.monotonic() >= due:
                few = self._connections.open <= _FEW
                due = time.monotonic() + self._bounds.look_s * (_SELDOM if few else 1)
            elif asked and len(self._states) > _FEW:
                time.sleep(_BATCH_S)

    def _look_up(self, watches: Watches) -> None:
        wanted = _emptied(self._wanted)
        try:
            there = {one.peer: one for one in sock_diag.connections_of(self._port, self._family)}
            inodes = {c: there[c.address].inode for c, _, is_socket in wanted if is_socket and c.address in there}
            numbers = socket_holders.descriptors(inodes.values()) if inodes else {}
            for connection, inode in inodes.items():
                if inode in numbers:
                    watches.enter(connection, numbers[inode])
            unknown = [c for c, _, is_socket in wanted if not is_socket and not c.known]
            if unknown:
                found = self._holders({c.address[1] for c in unknown})
                for connection in unknown:
                    connection.holder, connection.known = found.get(connection.address[1]), True
        finally:
            assert self._loop is not None, "it was started"
            for _, future, _ in wanted:
                with suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(_tell, future)

    def _holders(self, ports: set[str]) -> dict[str, Process]:
        """The processes that hold the other ends; for those of other users, the user."""
        ends = {port: end for port, end in sock_diag.client_ends(self._port, self._family).items() if port in ports}
        known = {state.holder[0] for state in self._states.values() if state.holder}
        found = socket_holders.holders({inode for inode, _ in ends.values()}, known)
        return {port: found.get(inode, (0, f"of user {uid}")) for port, (inode, uid) in ends.items()}

    def _cut_asked(self) -> None:
        asked = _emptied(self._to_cut)
        inodes = {state.seen.peer: inode for inode, state in self._states.items()}
        victims = {inodes[one.address]: why for one, why in asked if one.address in inodes}
        self._end(victims)

    def _look(self, now: float) -> None:
        known, before, self._states = self._connections.known, self._states, {}
        asked = list(known.items())  # before the kernel is: connections that come meanwhile are not missed
        for seen in sock_diag.connections_of(self._port, self._family):
            state = before.get(seen.inode) or _State(seen, now)
            self._states[seen.inode] = state
            _compare(state, seen, known.get(seen.peer), now)
        there = {state.seen.peer for state in self._states.values()}
        for address, connection in asked:
            if address not in there and (connection.inode or now - connection.used > self._bounds.idle_s):
                if known.get(address) is connection:
                    known.pop(address, None)
                self._over(connection)
        self._connections.open = len(self._states)
        self._connections.silent = len(self._states.keys() - {c.inode for c in list(known.values())})
        self._connections.eased_bytes = 0
        self._connections.unread_bytes = sum(state.unread for state in self._states.values())
        victims = self._tardy(now) | self._greedy() | self._crowd()
        if victims:
            self._end(victims)

    def _tardy(self, now: float) -> dict[int, str]:
        """Those that ask nothing or take nothing for too long."""
        bounds, known = self._bounds, self._connections.known
        scarce = self._connections.unread_bytes > bounds.unread_bytes // 2
        victims = {}
        for inode, state in self._states.items():
            connection = known.get(state.seen.peer)
            if connection is None:
                if now - state.since > bounds.silent_s:
                    victims[inode] = "silent"
                continue
            still_s = now - state.moved
            hurry = scarce and state.unread > SMALL_BYTES and still_s > bounds.hurry_s
            if state.unread and (hurry or still_s > bounds.unread_s):
                victims[inode] = "unread"
            elif not connection.running and now - connection.used > bounds.idle_s:
                victims[inode] = "idle"
        return victims

    def _greedy(self) -> dict[int, str]:
        """Those for which too much is held, although they take something now and then."""
        bounds = self._bounds
        victims = {i: "unread" for i, state in self._states.items() if state.unread > 2 * bounds.unread_each_bytes}
        left = self._connections.unread_bytes
        if left > bounds.unread_bytes + bounds.unread_spare_bytes:
            for inode, state in sorted(self._states.items(), key=lambda one: -one[1].unread):
                if left <= bounds.unread_bytes // 2:
                    break
                victims[inode] = "unread"
                left -= state.unread
        return victims

    def _crowd(self) -> dict[int, str]:
        """With more than half of all connections taken: those beyond their clients' shares, the silent ones first."""
        most = self._bounds.connections // 2
        if len(self._states) <= most:
            return {}
        known = self._connections.known
        self._identify_all()
        of: dict[str, list[tuple[bool, bool, float, int]]] = {}
        for inode, state in self._states.items():
            connection = known.get(state.seen.peer)
            client = connection.client if connection and connection.token else owner(state.seen.peer, state.holder)
            asked, runs = connection is not None, connection is not None and connection.running > 0
            of.setdefault(client, []).append((asked, runs, -state.since, inode))
        each = shares(Counter({client: len(theirs) for client, theirs in of.items()}), most)
        return {one[3]: "share" for theirs in of.values() for one in sorted(theirs)[: max(0, len(theirs) - each)]}

    def _identify_all(self) -> None:
        unknown = [state for state in self._states.values() if not state.known and is_local(state.seen.peer)]
        found = self._holders({state.seen.peer[1] for state in unknown}) if unknown else {}
        for state in unknown:
            state.holder, state.known = found.get(state.seen.peer[1]), True
            connection = self._connections.known.get(state.seen.peer)
            if connection is not None and not connection.known:
                connection.holder, connection.known = state.holder, True

    def _end(self, victims: dict[int, str]) -> None:
        """Shut connections down. Duplicates are, so that a descriptor that means something else by now is let be."""
        looked_up = time.monotonic()
        for inode, number in socket_holders.descriptors(victims).items():
            if self._wanted and self._watches is not None and time.monotonic() - looked_up > _WAIT_S:
                self._look_up(self._watches)  # many take a while, and WebSockets wait
                looked_up = time.monotonic()
            with suppress(OSError), socket.socket(self._family, socket.SOCK_STREAM, fileno=os.dup(number)) as end:
                if os.fstat(end.fileno()).st_ino == inode:
                    end.shutdown(socket.SHUT_RDWR)
                    self._connections.cut[victims[inode]] += 1
                    connection = self._connections.known.get(self._states[inode].seen.peer)
                    if connection is not None:
                        connection.cut = victims[inode]
                        self._over(connection)

    def _over(self, connection: Connection) -> None:
        assert self._loop is not None, "it was started"
        if connection.running:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(connection.over)


def _compare(state: _State, seen: SocketState, connection: Connection | None, now: float) -> None:
    """What the client has taken since, of what it was sent."""
    sent = 0
    if connection is not None:
        if connection.inode != seen.inode:  # the first look; or the address is another connection's now
            state.sent = connection.sent_bytes if connection.inode else 0
            connection.inode = seen.inode
        sent = connection.sent_bytes - state.sent
        state.sent = connection.sent_bytes
    taken = seen.acked - state.acked
    state.unread = max(0, state.unread + sent - taken)
    if taken or not state.unread:
        state.moved = now
    state.acked = seen.acked
    state.seen = seen


def _emptied(waiting: deque[_T]) -> list[_T]:
    """What stands in it by now; more may come meanwhile."""
    return [waiting.popleft() for _ in range(len(waiting))]


def _tell(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
