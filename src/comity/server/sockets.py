"""Sockets of this server as Linux knows them: bytes that came and were taken, and who holds the other end.

One question to the kernel (sock_diag(7)) answers for every connection of a port at once, so that looking costs little
however many there are. Elsewhere, and where a sandbox forbids the question, there is no answer.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import NamedTuple

from comity import process

_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY = 4, 20
_REQUEST_DUMP = 0x301
_DONE, _ERROR = 3, 2
_STATES = 1 << 1 | 1 << 8  # established, and closed by the client only
_WITH_INFO = 1 << 1
_INFO = 2
_BUFFER_BYTES = 256 * 1024
_WAIT_S = 2.0
_HEAD = struct.Struct("=IHHII")
_ASKED = struct.Struct("=BBBBI")
_PORTS = struct.Struct("!HH")
_COUNTS = struct.Struct("=IIIII")
_ATTRIBUTE = struct.Struct("=HH")
_ACKED_RECEIVED = struct.Struct("=QQ")
_AT_PORTS, _AT_LOCAL, _AT_PEER, _AT_COUNTS, _AT_ATTRIBUTES = 20, 24, 40, 68, 88
_AT_ACKED = 120  # in struct tcp_info
Address = tuple[str, str]  # host and port, as granian tells them
Process = tuple[int, str]  # pid, and when it was started


class SocketState(NamedTuple):
    """One end of a connection: how many bytes came in, wait in the kernel, and were taken by the other end."""

    peer: Address
    inode: int
    uid: int
    received: int
    waiting: int
    acked: int


def seen(port: int, family: int) -> list[SocketState]:
    """Every connection to a port of ours. Raises OSError where the kernel does not tell."""
    return list(_dump(family, port, 0, _WITH_INFO))


def ends(port: int, family: int) -> dict[str, tuple[int, int]]:
    """By port: inode and user of the clients' ends on this machine. Raises OSError as ``connections``."""
    return {one.peer[1]: (one.inode, one.uid) for one in _dump(family, 0, port, 0)}


def _dump(family: int, own: int, peer: int, extensions: int) -> Iterator[SocketState]:
    """Sockets from port ``own`` to port ``peer``; 0 is any. ``peer`` of what is found by it is our own side."""
    asked = _ASKED.pack(family, socket.IPPROTO_TCP, extensions, 0, _STATES)
    asked += _PORTS.pack(own, peer) + bytes(36) + b"\xff" * 8
    with socket.socket(getattr(socket, "AF_NETLINK", -1), socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG) as ask:
        ask.settimeout(_WAIT_S)
        ask.send(_HEAD.pack(_HEAD.size + len(asked), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0) + asked)
        while True:
            data = ask.recv(_BUFFER_BYTES)
            at = 0
            while at < len(data):
                length, kind, *_ = _HEAD.unpack_from(data, at)
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    raise OSError(-struct.unpack_from("=i", data, at + _HEAD.size)[0], "sock_diag")
                yield _read(data, at, at + length, family, by_peer=bool(peer))
                at += (length + 3) & ~3


def _read(data: bytes, at: int, end: int, family: int, *, by_peer: bool) -> SocketState:
    own_port, peer_port = _PORTS.unpack_from(data, at + _AT_PORTS)
    size = 4 if family == socket.AF_INET else 16
    start = at + (_AT_LOCAL if by_peer else _AT_PEER)
    host = socket.inet_ntop(family, data[start : start + size])
    _, waiting, _, uid, inode = _COUNTS.unpack_from(data, at + _AT_COUNTS)
    acked = received = -1
    at += _AT_ATTRIBUTES
    while at < end:
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if kind == _INFO and length >= 4 + _AT_ACKED + _ACKED_RECEIVED.size:
            acked, received = _ACKED_RECEIVED.unpack_from(data, at + 4 + _AT_ACKED)
        at += (length + 3) & ~3
    return SocketState((host, str(own_port if by_peer else peer_port)), inode, uid, received, waiting, acked)


def descriptors(inodes: Collection[int]) -> dict[int, int]:
    """By inode: our own descriptors of these sockets."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    return {wanted[link]: number for number, link in _links("/proc/self/fd") if link in wanted}


def holders(inodes: Collection[int], first: Collection[int] = ()) -> dict[int, Process]:
    """By inode: the process that has the socket open, as far as it can be seen. Those ``first`` are looked at first."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, Process] = {}
    own = os.getpid()
    with suppress(OSError):
        there = {int(name) for name in os.listdir("/proc") if name.isdigit()} - {own}
        for pid in [*(pid for pid in first if pid in there), *sorted(there - set(first)), own]:
            held = [wanted.pop(link) for _, link in _links(f"/proc/{pid}/fd") if link in wanted]
            if held:
                one = pid, process.look(pid).started
                found |= dict.fromkeys(held, one)
            if not wanted:
                break
    return found


def _links(folder: str) -> Iterator[tuple[int, str]]:
    names: list[str] = []
    with suppress(OSError):  # another user's, or it ended just now
        names = os.listdir(folder)
    for name in names:
        with suppress(OSError):
            yield int(name), os.readlink(f"{folder}/{name}")
