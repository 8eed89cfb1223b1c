"""A hostile client of a server, as a process: ``python -m bench.flooder KIND PORT COUNT``, until its input ends.

It opens so many connections of one kind and keeps them up: what the server ends is opened again after a second. At the
end it says how often that was. Bare sockets, so that many cost little.
"""

from __future__ import annotations

import errno
import resource
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress

AGAIN_S = 1.0
DRIP_S = 2.0
TICK_S = 0.25
STREAMS = 200  # of one connection that takes nothing
_ALREADY = (errno.EINPROGRESS, errno.EAGAIN)
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DOCUMENT = "/api/v1/openapi.json"
_MEGABYTE = bytes(1024 * 1024)
_SOCKET_BYTES = 16 * 1024 * 1024 - 1024


class Foe:
    """One connection. ``said`` is what is to be sent; ``drip`` what follows, a byte at a time."""

    def __init__(self, port: int, number: int) -> None:
        self.port = port
        self.number = number
        self.endings = 0
        self.due = 0.0
        self.end: socket.socket | None = None
        self.said = memoryview(b"")

    def first(self) -> bytes:
        """What it begins with."""
        return b""

    def heard(self, data: bytes) -> None:
        """The server said something."""

    def drip(self) -> bytes:
        """What it says every now and then."""
        return b""

    def open(self) -> socket.socket | None:
        """Connect anew; None when the system has nothing left."""
        end = socket.socket()
        end.setblocking(False)
        code = end.connect_ex(("127.0.0.1", self.port))
        if code and code not in _ALREADY:
            end.close()
            return None
        self.end = end
        self.said = memoryview(self.first())
        return end

    def push(self) -> None:
        """Send as much as goes. Raises OSError."""
        assert self.end is not None
        while self.said:
            try:
                self.said = self.said[self.end.send(self.said[:262_144]) :]
            except BlockingIOError:
                return


class Silent(Foe):
    """Says nothing at all."""


class Slow(Foe):
    """Half a header, half a preface or half a body, a byte at a time."""

    def first(self) -> bytes:
        head = (
            f"POST /api/v1/session.start HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nX-Comity-Agent: slow\r\n".encode()
        )
        whole = head + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"
        return (head, _PREFACE[:10], whole)[self.number % 3]

    def drip(self) -> bytes:
        return b"x"


class Listening(Foe):
    """An event stream, which it reads."""

    def first(self) -> bytes:
        return f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode()


class Unread(Foe):
    """Many requests for a large answer on one HTTP/2 connection, and a window of nothing. It answers pings."""

    def first(self) -> bytes:
        fields = b"\x82\x86" + _literal(4, _DOCUMENT) + _literal(1, f"127.0.0.1:{self.port}")  # GET, http, path, host
        said = _PREFACE + _frame(4, 0, 0, struct.pack("!HI", 4, 0))
        for number in range(STREAMS):
            said += _frame(1, 5, 2 * number + 1, fields)
        return said

    def heard(self, data: bytes) -> None:
        at = 0
        while at + 9 <= len(data):
            size, kind, flags = int.from_bytes(data[at : at + 3], "big"), data[at + 3], data[at + 4]
            if kind in (4, 6) and not flags & 1:
                answer = data[at + 9 : at + 9 + size] if kind == 6 else b""
                self.said = memoryview(bytes(self.said) + _frame(kind, 1, 0, answer))
            at += 9 + size


class Unfinished(Foe):
    """A WebSocket with a message that does not end."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(port, number)
        self.left = 0

    def first(self) -> bytes:
        self.left = 0
        return (
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()

    def heard(self, data: bytes) -> None:
        if b" 101 " in data[:20] and not self.left:
            self.left = _SOCKET_BYTES - len(_MEGABYTE)
            head = struct.pack("!BBQ4s", 0x81, 0xFF, _SOCKET_BYTES, bytes(4))
            self.said = memoryview(head + _MEGABYTE)

    def push(self) -> None:
        super().push()
        while not self.said and self.left:
            size = min(self.left - 1, len(_MEGABYTE))
            if size <= 0:
                return
            self.left -= size
            self.said = memoryview(_MEGABYTE)[:size]
            super().push()


KINDS: dict[str, Callable[[int, int], Foe]] = {
    "silent": Silent,
    "slow": Slow,
    "streams": Listening,
    "unread": Unread,
    "unfinished": Unfinished,
}


def _literal(index: int, text: str) -> bytes:
    """A header field that is not indexed, its name from the static table (RFC 7541, 6.2.2)."""
    return bytes((index, len(text))) + text.encode()


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return struct.pack("!I", len(body))[1:] + struct.pack("!BBI", kind, flags, stream) + body


class Flood:
    """All connections of one process."""

    def __init__(self, kind: str, port: int, count: int) -> None:
        self._foes = [KINDS[kind](port, number) for number in range(count)]
        self._poll = select.epoll()
        self._of: dict[int, Foe] = {}

    def run(self) -> int:
        """Until standard input ends; how often the server ended a connection."""
        self._poll.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)
        drip = look = 0.0
        while True:
            now = time.monotonic()
            if now >= look:
                look = now + TICK_S
                for foe in self._foes:
                    if foe.end is None and now >= foe.due:
                        self._open(foe, now)
            if now >= drip:
                drip = now + DRIP_S
                for foe in list(self._of.values()):
                    foe.said = memoryview(bytes(foe.said) + foe.drip()) if foe.drip() else foe.said
                    self._push(foe)
            for number, events in self._poll.poll(TICK_S):
                if number == sys.stdin.fileno():
                    return sum(foe.endings for foe in self._foes)
                if number in self._of:
                    self._serve(self._of[number], events)

    def _open(self, foe: Foe, now: float) -> None:
        end = foe.open()
        foe.due = now + AGAIN_S
        if end is not None:
            self._of[end.fileno()] = foe
            self._poll.register(end.fileno(), select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)

    def _serve(self, foe: Foe, events: int) -> None:
        assert foe.end is not None
        if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            while True:
                try:
                    data = foe.end.recv(65536)
                except BlockingIOError:
                    break
                except OSError:
                    data = b""
                if not data:
                    self._close(foe)
                    return
                foe.heard(data)
        self._push(foe)

    def _push(self, foe: Foe) -> None:
        try:
            foe.push()
        except OSError:
            self._close(foe)

    def _close(self, foe: Foe) -> None:
        assert foe.end is not None
        with suppress(OSError):
            self._poll.unregister(foe.end.fileno())
        del self._of[foe.end.fileno()]
        foe.end.close()
        foe.end = None
        foe.endings += 1
        foe.due = time.monotonic() + AGAIN_S


def main() -> None:
    """Flood until standard input ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    kind, port, count = sys.argv[1:]
    flood = Flood(kind, int(port), int(count))
    print("ready", flush=True)
    print(flood.run(), flush=True)


if __name__ == "__main__":
    main()
