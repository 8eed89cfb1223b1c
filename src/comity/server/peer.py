"""The peer of a connection from this machine: its user and its process, where nothing else says it.

Linux tells. Of one connection the kernel is asked directly (``sock_diag``); where that is shut, the table of all
is read (proc(5)). Both name the socket at the client's end and the user whose it is; which process has it open is found
among the descriptors of the processes of the same user. Elsewhere none is found.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
from collections import OrderedDict
from contextlib import suppress
from functools import lru_cache

from comity.server.sock_diag import End, Kernel
from comity.server.socket_holders import Process, holders, lives

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
_ANSWER_S = 0.2


class Untold(Exception):
    """Nothing tells whose connections are on this machine."""


class Peers:
    """Finds users and processes by connections; a process that was found once is not searched again. Thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, Process] = OrderedDict()
        self._lock = threading.Lock()
        self._kernel: Kernel | None = None
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
            found = holders([end.inode]).get(end.inode)
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
            self._kernel = Kernel(_ANSWER_S)
        family, *spellings = _spelling(client[0], server[0])
        return self._kernel.client_end(family, client[1], server[1], spellings)


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


def _listed(client_port: int, server_port: int) -> End | None:
    """The client's end, looked up in the tables of all connections."""
    read = False
    for table in _TABLES:
        with suppress(OSError), open(table, encoding="ascii") as lines:
            read = True
            for line in lines:
                fields = line.split()
                if len(fields) > 9 and _is(fields[1], client_port) and _is(fields[2], server_port):
                    inode = int(fields[9])
                    return End(inode, int(fields[7])) if inode else None
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
