"""The bytes that WebSockets send before they are a message: bounded for each and in all, as they come.

The listener collects a message of up to 16 MiB frames before anybody hears of it. The kernel counts the bytes that it
took, the application the messages that it got: what was taken since the last one is held. An edge of epoll tells when
something came, and what it misses is seen soon after; a thread of its own looks in time whatever else goes on.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
import threading
import time
from collections import Counter
from contextlib import suppress

from comity.server.bounds import SMALL_BYTES, Bounds
from comity.server.connections import Connection, Connections

if sys.platform != "win32":
    from fcntl import ioctl
    from termios import FIONREAD

WINDOW_BYTES = 64 * 1024  # that the kernel takes before the listener does: what comes at once is seen too late
AHEAD_BYTES = 256 * 1024  # that the listener may have read of the following message
_INFO_BYTES = 136
_RECEIVED = struct.Struct("=Q")
_AT_RECEIVED = 128  # in struct tcp_info
_FEW = 8  # so many are told why; with more at once there is no time for that
_TICK_S = 0.005  # between two looks while something comes in
_ALL_S = 0.1  # between two looks at all: no edge is told of what the listener took at once
_END_S = 2.0
_UNFINISHED_S = 30.0  # for a message that is not small
_TOO_BIG = 1009  # the WebSocket's own code
_FRAME = 0x88  # its last frame: closing


class _Watch:
    """One WebSocket."""

    __slots__ = ("connection", "end", "held", "mark", "messages", "since")

    def __init__(self, connection: Connection, end: socket.socket) -> None:
        self.connection = connection
        self.end = end
        self.messages = -1
        self.mark = 0
        self.since = 0.0
        self.held = 0

    def measure(self, now: float) -> None:
        """Look how much of an unfinished message there is."""
        info = self.end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
        if len(info) < _INFO_BYTES:
            return
        waiting = struct.unpack("=i", ioctl(self.end, FIONREAD, bytes(4)))[0]
        taken = _RECEIVED.unpack_from(info, _AT_RECEIVED)[0] - waiting
        messages = self.connection.messages
        if messages != self.messages:
            self.messages, self.mark, self.since = messages, taken, now
        self.held = taken - self.mark


class Watches:
    """The WebSockets of one listener. ``enter`` and ``leave`` on any thread."""

    def __init__(self, connections: Connections, bounds: Bounds, *, clear: bool) -> None:
        self._clear = clear  # no TLS: something can be said at the end
        self._connections = connections
        self._bounds = bounds
        self._lock = threading.Lock()
        self._of: dict[Connection, _Watch] = {}
        self._by_number: dict[int, _Watch] = {}
        self._lively: dict[int, _Watch] = {}  # that hold something
        self._refused: dict[int, _Watch] = {}  # and are not let go
        self._poll = select.epoll()
        self._ear, self._mouth = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._poll.register(self._ear, select.EPOLLIN)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="comity-watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def enter(self, connection: Connection, number: int) -> None:
        """Watch one from now on; ``number`` is a descriptor that stays the listener's."""
        with suppress(OSError):
            end = socket.socket(fileno=os.dup(number))
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW_BYTES)
            with self._lock:
                watch = self._of[connection] = self._by_number[end.fileno()] = _Watch(connection, end)
                watch.measure(time.monotonic())
                self._poll.register(end.fileno(), select.EPOLLIN | select.EPOLLET)
                if len(self._of) == 1:
                    self._wake()

    def sees(self, connection: Connection) -> bool:
        """Whether it is watched."""
        return connection in self._of

    def leave(self, connection: Connection) -> None:
        """It is over: nothing of ours keeps the connection open."""
        with self._lock:
            watch = self._of.pop(connection, None)
            if watch is not None:
                self._forget(watch)

    def _forget(self, watch: _Watch) -> None:
        number = watch.end.fileno()
        self._by_number.pop(number, None)
        self._lively.pop(number, None)
        self._refused.pop(number, None)
        with suppress(OSError):
            self._poll.unregister(number)
        watch.end.close()

    def _wake(self) -> None:
        with suppress(OSError):
            os.write(self._mouth, b"!")

    def _run(self) -> None:
        all_at = 0.0
        while not self._ending.is_set():
            came = [number for number, _ in self._poll.poll(_ALL_S if self._of else None)]
            if self._ear in came:
                with suppress(OSError):
                    os.read(self._ear, 4096)
            now = time.monotonic()
            if now >= all_at:
                all_at = now + _ALL_S
                came = list(self._by_number)
            self._look(came, now)
            time.sleep(_TICK_S)

    def _look(self, came: list[int], now: float) -> None:
        """End what is too large, or takes too long; and the largest while all together are too much."""
        with self._lock:
            victims: list[_Watch] = []
            looked_at = {**self._lively, **{n: self._by_number[n] for n in came if n in self._by_number}}
            for number, watch in looked_at.items():
                with suppress(OSError):
                    watch.measure(now)
                if not watch.held:
                    self._lively.pop(number, None)
                    continue
                self._lively[number] = watch
                slow = watch.held > SMALL_BYTES and now - watch.since > _UNFINISHED_S
                if watch.held > self._bounds.message_bytes + AHEAD_BYTES or slow:
                    victims.append(watch)
            victims += self._too_much()
            for watch in victims:  # first of all, and without letting another thread run: less comes in
                watch.end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            for watch in victims:
                self._refuse(watch, tell=len(victims) <= _FEW)
            self._connections.unfinished_bytes = self._held()

    def _too_much(self) -> list[_Watch]:
        """Those whose end makes room, of the clients that hold most."""
        left = self._held()
        if left <= self._bounds.messages_bytes:
            return []
        by_client: Counter[str] = Counter()
        for watch in self._lively.values():
            by_client[watch.connection.client] += watch.held
        victims = []
        for watch in sorted(self._lively.values(), key=lambda one: (-by_client[one.connection.client], -one.held)):
            if left <= self._bounds.messages_bytes // 2:
                break
            left -= watch.held
            victims.append(watch)
        return victims

    def _refuse(self, watch: _Watch, *, tell: bool) -> None:
        """Say why, as far as that can be said without waiting, and shut it down."""
        number = watch.end.fileno()
        if number in self._refused:
            return
        text = f"message.too_large: at most {self._bounds.message_bytes:,} bytes, and finish what you begin"
        body = struct.pack("!H", _TOO_BIG) + text.encode()
        with suppress(OSError):
            if tell and self._clear:
                watch.end.send(bytes((_FRAME, len(body))) + body, socket.MSG_DONTWAIT)
        with suppress(OSError):
            watch.end.shutdown(socket.SHUT_RDWR)
        watch.connection.cut = "unfinished"
        self._connections.blame(watch.connection)
        self._connections.cut["unfinished"] += 1
        self._lively.pop(number, None)
        self._by_number.pop(number, None)
        self._refused[number] = watch

    def _held(self) -> int:
        return sum(watch.held for some in (self._lively, self._refused) for watch in some.values())

    def close(self) -> None:
        """End the thread, and let everything go."""
        self._ending.set()
        self._wake()
        self._thread.join(_END_S)
        with self._lock:
            for watch in self._of.values():
                self._forget(watch)
            self._of.clear()
            self._poll.close()
            os.close(self._ear)
            os.close(self._mouth)
