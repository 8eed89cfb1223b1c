"""Hooks that a server answers: whoever starts for an event of a host finds it by a Unix socket (``launcher.asking``).

Each hook runs on a thread of its own, with the surroundings of the process that asks and stores of its own, so that
calls of the agent do not wait for it, nor it for them. What can go wrong, and what happens: too many at once, another
user, another installation, a process in another namespace or with another home, a hook that waits beside an idle
session: it is not answered, and does its work itself. The process that asks is gone: nothing counts as given. The
server dies: the hook begins anew, by itself; what it had done is done again in the same way. A hook hangs: its host is
answered in time, and the thread keeps one of ``_MOST`` places until it ends.
"""

from __future__ import annotations

import _socket
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from queue import SimpleQueue

from comity.kernel.hints import Any
from comity.launcher import asking
from comity.process import host_process, look
from comity.system import files

MOST = 8  # hooks at once
_WAITING = 64  # connections that nobody has taken yet
_TALK_S = 10.0  # for whoever asks to send what it said it would
_WARM_S = 2.0  # of quiet after the start
_OPEN = 0o600


def begin(root: str) -> Callable[[], None]:
    """Answer hooks of the project in this folder until what is returned is called; nowhere, where that is not safe."""
    if not hasattr(_socket, "SO_PEERCRED"):
        return _nothing
    try:
        folder = _folder()
        _tidy(folder)
        name = f"{asking.installation()}.{host_process()[0] or 0}.{asking.key_of(root)}.{os.getpid()}"
        listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        path = os.path.join(folder, name)
        listener.bind(path)
        os.chmod(path, _OPEN)
        listener.listen(_WAITING)
    except OSError:
        return _nothing
    door = _Door(listener, path)
    threading.Thread(target=door.run, name="hooks", daemon=True).start()
    return door.end


def _nothing() -> None:
    return


def _folder() -> str:
    """The folder of this user's sockets. Raises OSError where somebody else could enter it."""
    folder = asking.runtime_folder()
    with suppress(FileExistsError):
        os.mkdir(folder, files.PRIVATE_FOLDER)
    info = os.lstat(folder)
    if files.kind_of(folder) != "folder" or info.st_uid != os.geteuid() or info.st_mode & 0o077:
        raise PermissionError(f"{folder} is not this user's alone")
    return folder


def _tidy(folder: str) -> None:
    """Take away the sockets of servers that were killed."""
    for name in os.listdir(folder):
        pid = name.rpartition(".")[2]
        if pid.isdigit() and look(int(pid)).state == "absent":
            try:
                os.unlink(os.path.join(folder, name))
            except OSError:
                continue


class _Door:
    """One listening socket."""

    def __init__(self, listener: _socket.socket, path: str) -> None:
        self._listener, self._path = listener, path
        self._lock, self._loading = threading.Lock(), threading.Lock()  # around the counts
        self._busy = self._idle = 0
        self._taken: SimpleQueue[_socket.socket] = SimpleQueue()
        self._hooks: Any = None
        self._over = False

    def run(self) -> None:
        """Take connections until the end."""
        greeting = asking.greeting()
        self._listener.settimeout(_WARM_S)
        while not self._over:
            try:
                descriptor, _ = self._listener._accept()  # type: ignore[attr-defined]  # noqa: SLF001 (socket, which wraps it, takes 10 ms to load)
            except TimeoutError:
                self._listener.settimeout(None)
                self._loaded()
                continue
            except OSError:
                self.end()
                return
            connection = _socket.socket(fileno=descriptor)
            try:
                connection.settimeout(_TALK_S)
                if not asking.is_own(connection) or not self._takes():
                    connection.close()
                    continue
                connection.sendall(greeting)
            except OSError:
                connection.close()
                continue
            self._taken.put(connection)

    def _takes(self) -> bool:
        """Whether there is a place for one more hook; a thread for it is there or begins."""
        with self._lock:
            if self._busy >= MOST:
                return False
            self._busy += 1
            fresh = self._idle == 0
            if not fresh:
                self._idle -= 1
        if fresh:
            threading.Thread(target=self._work, name="hook", daemon=True).start()
        return True

    def _work(self) -> None:
        while True:
            connection = self._taken.get()
            try:
                self._answer(connection)
            except OSError:  # whoever asked is gone
                pass
            finally:
                connection.close()
                with self._lock:
                    self._busy -= 1
                    self._idle += 1

    def _answer(self, connection: _socket.socket) -> None:
        self._loaded().answer(connection)

    def _loaded(self) -> Any:
        """What answers: loaded for the first hook, or before it, once the server's start is over."""
        if self._hooks is None:
            with self._loading:
                if self._hooks is None:
                    self._hooks = import_module("comity.doors.hook.served").Hooks()
        return self._hooks

    def end(self) -> None:
        """Take no more."""
        self._over = True
        with suppress(OSError):
            os.unlink(self._path)
        with suppress(OSError):
            self._listener.shutdown(_socket.SHUT_RDWR)
        if self._hooks is not None:
            self._hooks.end()
