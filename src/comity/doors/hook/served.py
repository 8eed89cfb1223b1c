"""One hook that a server answers for the process which its host has started: over one connection, in frames.

``S`` who asks: folder, arguments, environment; ``Q`` and ``E`` pieces of the payload, after which it may be whole, or
has ended; then ``A`` with exit code, output and error output, and ``W`` once they are written, or ``X``. Only then does
anything count as given, as in a process of the hook's own. ``m`` asks for more of the payload, ``s`` for more time,
``N`` says that the hook is to do its work itself.
"""

from __future__ import annotations

import _socket
import os
import time

from comity.doors.hook.open_stores import OpenStores
from comity.doors.hook.payload import is_whole, may_end
from comity.doors.hook.run import Hook
from comity.hosts.contract import HookOutput
from comity.kernel.named_tuple import NamedTuple
from comity.launcher import asking
from comity.system.surroundings import HERE

_NAMESPACES = ("pid", "mnt", "user")
_HOME = "HOME"  # asked of the process itself wherever a path begins with it
_PATHS = ("MACP_DB_PATH",)  # a relative one counts from the process's own folder


class Declined(Exception):
    """The hook is to do its work itself."""


class Petitioner(NamedTuple):
    """Who asks: the words after ``hook``, the working folder, the variables, and the parent of the process."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    parent: int


class Hooks:
    """What all hooks of one server have in common."""

    def __init__(self) -> None:
        self._stores = OpenStores()

    def end(self) -> None:
        """Close the databases."""
        self._stores.close()

    def answer(self, connection: _socket.socket) -> None:
        """One hook, to its end. Raises OSError when the process that asks is gone."""
        began = time.perf_counter()
        try:
            asked = _asked(connection)
            with HERE.of(asked.environment, asked.folder, asked.parent):
                host, event = (*asked.arguments, "", "")[:2]
                hook = Hook(host, event, began, _Exchange(connection), self._stores)
                data = _payload(connection)
                hook.hear(lambda: data)
                if hook.waits:
                    raise Declined
                hook.run()
        except (Declined, asking.Silent):
            connection.sendall(asking.frame(b"N"))


class _Exchange:
    """The process that asks writes the answer, and says whether it could."""

    alone = False

    def __init__(self, connection: _socket.socket) -> None:
        self._connection = connection

    def more_time(self) -> None:
        """The project is strict."""
        self._connection.sendall(asking.frame(b"s"))

    def put(self, answer: HookOutput) -> bool:
        """Have it written; whether it was."""
        out, err = answer.out.encode("utf-8", "replace"), answer.err.encode("utf-8", "replace")
        try:
            self._connection.sendall(asking.frame(b"A", bytes([answer.code]) + len(out).to_bytes(4, "big") + out + err))
            return asking.receive(self._connection)[0] == b"W"
        except (OSError, asking.Silent):
            return False

    def leave(self, code: int) -> None:
        """The thread finds that its time is over."""


def _asked(connection: _socket.socket) -> Petitioner:
    """Who asks. Raises Declined for whoever sees another world than this server does."""
    kind, body = asking.receive(connection)
    if kind != b"S":
        raise Declined
    parts = [os.fsdecode(part) for part in body.split(b"\0")]
    count = int(parts[1])
    pairs = (part.partition("=") for part in parts[2 + count :])
    environment = {name: value for name, _, value in pairs}
    pid = asking.peer_pid(connection)
    foreign = any(_namespace(pid, kind) != _namespace("self", kind) for kind in _NAMESPACES)
    relative = any(environment.get(name, "/").strip()[:1] not in ("/", "~") for name in _PATHS)
    if foreign or relative or environment.get(_HOME) != os.environ.get(_HOME):
        raise Declined
    try:
        return Petitioner(parts[2 : 2 + count], parts[0], environment, asking.parent_of(pid))
    except (OSError, ValueError, IndexError):
        raise Declined from None


def _namespace(pid: int | str, kind: str) -> str:
    return os.readlink(f"/proc/{pid}/ns/{kind}")


def _payload(connection: _socket.socket) -> bytes:
    """The whole payload. Raises OSError and Silent when the process that asks is gone."""
    pieces = []
    while True:
        kind, body = asking.receive(connection)
        pieces.append(body)
        if kind == b"E":
            return b"".join(pieces)
        if kind != b"Q":
            raise asking.Silent
        if may_end(body) and is_whole(b"".join(pieces)):
            return b"".join(pieces)
        connection.sendall(asking.frame(b"m"))
