"""What Linux tells of TCP sockets when asked over netlink (sock_diag(7)): all of a port at once, or one connection.

Answers come in microseconds for one connection and cost little for thousands, where reading the tables below ``/proc``
costs more with each connection of the machine. Elsewhere, and where a sandbox forbids the question, OSError is raised.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

_SOCK_DIAG, _BY_FAMILY = 4, 20
_REQUEST, _DUMP = 0x1, 0x300
_DONE, _ERROR = 3, 2
_ANY_STATE, _NO_COOKIE = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
_OPEN_STATES = 1 << 1 | 1 << 8  # established, and closed by the client only
_LISTENS = 10
_WITH_COUNTS, _COUNTS = 1 << 1, 2  # struct tcp_info is asked for, and comes as this attribute
_BUFFER_BYTES = 256 * 1024
_WAIT_S = 2.0
_HEADER = struct.Struct("=IHHII")
_ASKED = struct.Struct("=BBBBI 36sIQ")  # inet_diag_req_v2; the 36 bytes are both ports and both addresses
_TOLD = struct.Struct("=BBBB 36sIQ IIIII")  # inet_diag_msg
_PORTS = struct.Struct("!HH")
_ATTRIBUTE = struct.Struct("=HH")
_ACKED_RECEIVED = struct.Struct("=QQ")
_AT_OWN, _AT_PEER = 4, 20  # addresses in the 36 bytes
_AT_ATTRIBUTES = _HEADER.size + _TOLD.size
_AT_ACKED = 120  # in struct tcp_info
Address = tuple[str, str]  # host and port, as granian tells them


class SocketState(NamedTuple):
    """One end of a connection: how many bytes came in, wait in the kernel, and were taken by the other end."""

    peer: Address
    inode: int
    uid: int
    received: int
    waiting: int
    acked: int


class End(NamedTuple):
    """The client's end of a connection: its socket's inode and the user whose it is."""

    inode: int
    uid: int


class Kernel:
    """Asks the kernel of one connection after another, over one socket. One thread at a time.

    ``wait_s``: how long an answer is waited for. Raises OSError where the kernel may not be asked.
    """

    def __init__(self, wait_s: float) -> None:
        self._socket = _netlink(wait_s)

    def client_end(self, family: int, client_port: int, server_port: int, spellings: list[bytes]) -> End | None:
        """The client's end of a connection; None when there is none, or no process holds it any more.

        ``spellings``: both addresses as the kernel may tell them, 32 bytes each; the first one is asked for. Raises
        OSError and struct.error for an answer that is none.
        """
        ports = _PORTS.pack(client_port, server_port)
        self._socket.send(_question(_REQUEST, family, 0, _ANY_STATE, ports + spellings[0]))
        answer = self._socket.recv(4096)
        if len(answer) < _AT_ATTRIBUTES:
            code = _code(answer, 0)
            if code == errno.ENOENT:
                return None
            raise OSError(code, "the kernel tells no socket")
        _, state, _, _, ends, _, _, _, _, _, uid, inode = _TOLD.unpack_from(answer, _HEADER.size)
        known = ends in [ports + addresses for addresses in spellings]
        return End(inode, uid) if inode and state != _LISTENS and known else None

    def close(self) -> None:
        """Ask no more."""
        self._socket.close()


def connections_of(port: int, family: int) -> list[SocketState]:
    """Every connection to a port of ours. Raises OSError where the kernel does not tell."""
    return list(_dump(family, port, 0, _WITH_COUNTS))


def client_ends(port: int, family: int) -> dict[str, End]:
    """By the clients' ports: their ends of connections to a port of ours, on this machine. OSError as above."""
    return {one.peer[1]: End(one.inode, one.uid) for one in _dump(family, 0, port, 0)}


def _netlink(wait_s: float) -> socket.socket:
    made = socket.socket(getattr(socket, "AF_NETLINK", -1), socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG)
    made.settimeout(wait_s)
    return made


def _question(flags: int, family: int, extensions: int, states: int, ends: bytes) -> bytes:
    asked = _ASKED.pack(family, socket.IPPROTO_TCP, extensions, 0, states, ends, 0, _NO_COOKIE)
    return _HEADER.pack(_HEADER.size + len(asked), _BY_FAMILY, flags, 1, 0) + asked


def _code(data: bytes, at: int) -> int:
    """The error number that an answer tells. Raises struct.error when it tells none."""
    return -int(struct.unpack_from("=i", data, at + _HEADER.size)[0])


def _dump(family: int, own: int, peer: int, extensions: int) -> Iterator[SocketState]:
    """Sockets from port ``own`` to port ``peer``; 0 is any. ``peer`` of what is found by it is our own side."""
    with _netlink(_WAIT_S) as ask:
        ask.send(_question(_REQUEST | _DUMP, family, extensions, _OPEN_STATES, _PORTS.pack(own, peer)))
        while True:
            data = ask.recv(_BUFFER_BYTES)
            at = 0
            while at < len(data):
                length, kind, *_ = _HEADER.unpack_from(data, at)
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    raise OSError(_code(data, at), "sock_diag")
                yield _state(data, at, at + length, family, by_peer=bool(peer))
                at += (length + 3) & ~3


def _state(data: bytes, at: int, end: int, family: int, *, by_peer: bool) -> SocketState:
    _, _, _, _, ends, _, _, _, waiting, _, uid, inode = _TOLD.unpack_from(data, at + _HEADER.size)
    own_port, peer_port = _PORTS.unpack_from(ends)
    start = _AT_OWN if by_peer else _AT_PEER
    host = socket.inet_ntop(family, ends[start : start + (4 if family == socket.AF_INET else 16)])
    acked = received = -1
    at += _AT_ATTRIBUTES
    while at < end:
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if kind == _COUNTS and length >= _ATTRIBUTE.size + _AT_ACKED + _ACKED_RECEIVED.size:
            acked, received = _ACKED_RECEIVED.unpack_from(data, at + _ATTRIBUTE.size + _AT_ACKED)
        at += (length + 3) & ~3
    return SocketState((host, str(own_port if by_peer else peer_port)), inode, uid, received, waiting, acked)
