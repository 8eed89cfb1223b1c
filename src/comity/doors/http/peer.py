"""Which process of this machine is at the other end of a connection: who asks, where nothing else says it.

Linux tells in ``/proc``: a table of connections (proc(5), net/tcp) has the socket of the client's end, and each
process of the same user the sockets that it has open. Elsewhere, and for other users' or machines' processes, nobody
is found.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from contextlib import suppress

from comity import process

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_MOST_KNOWN = 1000
_LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")
Process = tuple[int, str]  # pid, and when it was started


class Peers:
    """Finds processes by connections; a socket that was found once costs one look at a table. Thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Process] = OrderedDict()
        self._lock = threading.Lock()

    def behind(self, client_port: int, server_port: int) -> Process | None:
        """The process that holds the client's end of a connection to ``server_port`` of this machine."""
        inode = _socket(client_port, server_port)
        if inode is None:
            return None
        with self._lock:
            found = self._known.get(inode)
        if found is None or not lives(found):
            found = _holder(inode)
        if found is not None:
            with self._lock:
                self._known[inode] = found
                self._known.move_to_end(inode)
                if len(self._known) > _MOST_KNOWN:
                    self._known.popitem(last=False)
        return found


def lives(found: Process) -> bool:
    """Whether it is still that process."""
    seen = process.look(found[0])
    return seen.state == "running" and seen.started == found[1]


def _socket(client_port: int, server_port: int) -> str | None:
    """The inode of the socket at the client's end."""
    for table in _TABLES:
        with suppress(OSError), open(table, encoding="ascii") as lines:
            for line in lines:
                fields = line.split()
                if len(fields) > 9 and _is(fields[1], client_port) and _is(fields[2], server_port):
                    return fields[9]
    return None


def _is(address: str, port: int) -> bool:
    host, _, number = address.partition(":")
    return host in _LOOPBACK and int(number, 16) == port


def _holder(inode: str) -> Process | None:
    """The first process that has a socket open: of those that share it, the one that was there first."""
    wanted = f"socket:[{inode}]"
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        with suppress(OSError):  # another user's, or it ended just now
            folder = f"/proc/{pid}/fd"
            for name in os.listdir(folder):
                with suppress(OSError):
                    if os.readlink(f"{folder}/{name}") == wanted:
                        return pid, process.look(pid).started
    return None
