"""The peer of a connection from this machine: its user and its process, where nothing else says it.

Linux tells. Of one connection the kernel is asked directly (sock_diag(7)); where that is shut, the table of all of them
is read (proc(5), net/tcp). Both name the socket at the client's end and the user whose it is; which process has it open
is found among the descriptors of the processes of the same user. Elsewhere none is found.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
import threading
from collections import OrderedDict
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from comity import process
from comity.server.sockets import Process, holders

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_MOST_KNOWN = 1000
_LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")
# Programs whose connections are other programs': what comes through one of them is of no certain process.
# fmt: off
_FORWARDERS = frozenset((
    "autossh", "caddy", "chisel", "cloudflared", "docker-proxy", "envoy", "gvproxy", "haproxy", "kubectl", "nc", "ncat",
    "netcat", "nginx", "ngrok", "pasta", "rootlessport", "slirp4netns", "socat", "ssh", "sshd", "sshd-session",
    "stunnel", "stunnel4", "tailscaled", "traefik",
))
# fmt: on
_BY_FAMILY, _ANSWER_S, _LISTENS = 20, 0.2, 10
_ANY_STATE, _NO_COOKIE = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
# Netlink's header, then struct inet_diag_req_v2 or, in the answer, inet_diag_msg. Ends are both ports and addresses.
_PORTS = struct.Struct("!HH")
_QUESTION = struct.Struct("=IHHII BBBBI 36sIQ")
_ANSWER = struct.Struct("=IHHII BBBB 36sIQ IIIII")
_HEADER, _HEADER_BYTES = (_QUESTION.size, _BY_FAMILY, 1, 0, 0), 16


class End(NamedTuple):
    """The client's end of a connection: its socket's inode and the user whose it is."""

    inode: str
    uid: int


class Untold(Exception):
    """Nothing tells whose connections are on this machine."""


class Peers:
    """Finds users and processes by connections; a process that was found once is not searched again. Thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Process] = OrderedDict()
        self._lock = threading.Lock()
        self._kernel: socket.socket | None = None
        self._asks = hasattr(socket, "AF_NETLINK")

    def end(self, client: tuple[str, int], server: tuple[str, int]) -> End | None:
        """The client's end of a connection within this machine; None when no process holds it. Raises Untold."""
        if self._asks:
            with self._lock:
                try:
                    return self._asked(client, server)
                except (OSError, struct.error):
                    self._asks = False
        return _listed(client[1], server[1])

    def behind(self, client: tuple[str, int], server: tuple[str, int]) -> Process | None:
        """The process that holds the client's end, if that can be seen and it is no forwarder of others' requests."""
        try:
            end = self.end(client, server)
        except Untold:
            return None
        if end is None:
            return None
        with self._lock:
            found = self._known.get(end.inode)
        if found is None or not lives(found):
            inode = int(end.inode)
            found = holders([inode]).get(inode)
        if found is None or _forwards(found[0]):
            return None
        with self._lock:
            self._known[end.inode] = found
            self._known.move_to_end(end.inode)
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return found

    def close(self) -> None:
        """Ask no more."""
        with self._lock:
            if self._kernel is not None:
                self._kernel.close()
            self._asks = False

    def _asked(self, client: tuple[str, int], server: tuple[str, int]) -> End | None:
        """What the kernel says of one connection. Raises OSError where it may not be asked."""
        if self._kernel is None:
            self._kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 4)
            self._kernel.settimeout(_ANSWER_S)
        family, *spellings = _spelling(client[0], server[0])
        ports = _PORTS.pack(client[1], server[1])
        ends = ports + spellings[0]
        self._kernel.send(_QUESTION.pack(*_HEADER, family, socket.IPPROTO_TCP, 0, 0, _ANY_STATE, ends, 0, _NO_COOKIE))
        return _answered(self._kernel.recv(4096), [ports + addresses for addresses in spellings])


def lives(found: Process) -> bool:
    """Whether it is still that process."""
    seen = process.look(found[0])
    return seen.state == "running" and seen.started == found[1]


@lru_cache(maxsize=256)
def _spelling(client: str, server: str) -> tuple[int, bytes, bytes]:
    """The family, and both addresses as the kernel tells them: those of IPv4 also as a socket of IPv6 has them."""
    ends = [ipaddress.ip_address(client), ipaddress.ip_address(server)]
    plain = [getattr(end, "ipv4_mapped", None) or end for end in ends]
    if any(end.version == 6 for end in plain):
        whole = b"".join(end.packed.rjust(16, b"\0") for end in ends)
        return socket.AF_INET6, whole, whole
    mapped = b"".join(b"\0" * 10 + b"\xff\xff" + end.packed for end in plain)
    return socket.AF_INET, b"".join(end.packed.ljust(16, b"\0") for end in plain), mapped


def _answered(answer: bytes, ends: list[bytes]) -> End | None:
    """The socket that was asked for. None: there is none, or no process holds it any more."""
    if len(answer) < _ANSWER.size:
        (code,) = struct.unpack_from("=i", answer, _HEADER_BYTES)
        if code == -errno.ENOENT:
            return None
        raise OSError(-code, "the kernel tells no socket")
    _, _, _, _, _, _, state, _, _, told, _, _, *_, uid, inode = _ANSWER.unpack_from(answer)
    return End(str(inode), uid) if inode and state != _LISTENS and told in ends else None


def _listed(client_port: int, server_port: int) -> End | None:
    """The client's end, looked up in the tables of all connections."""
    read = False
    for table in _TABLES:
        with suppress(OSError), open(table, encoding="ascii") as lines:
            read = True
            for line in lines:
                fields = line.split()
                if len(fields) > 9 and _is(fields[1], client_port) and _is(fields[2], server_port):
                    return End(fields[9], int(fields[7])) if fields[9] != "0" else None
    if not read:
        raise Untold
    return None


def _is(address: str, port: int) -> bool:
    host, _, number = address.partition(":")
    return host in _LOOPBACK and int(number, 16) == port


def _forwards(pid: int) -> bool:
    """Whether a process passes on what others send."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip() in _FORWARDERS
    except OSError:
        return False
