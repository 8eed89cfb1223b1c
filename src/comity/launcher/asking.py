"""Asking a living server to do a hook's work: a Unix socket, and frames of a type, a length and a body.

Written for the start of a process: modules of the interpreter's own in C, nothing else; the C launcher speaks the same
(``launcher.c``). What can go wrong: there is no server, it is of another version, it is busy, it dies, it hangs. Then
the hook does the work itself, once, with all that it has read; nothing was written before the whole answer was here.

Sockets lie in a folder that only this user can enter. The name of one tells for which installation of Comity it is, by
the inode and time of this file, under which host and in which project it runs, and its server's pid.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import posix
import sys

PROTOCOL = 1
MOST_BYTES = 8_000_000  # of a payload that a server is asked about
HELLO_S = 0.1  # for a server to take the connection
ANSWER_S, STRICT_ANSWER_S = 0.8, 1.6  # for its answer: it has 0.3, in a strict project 1.0, and more on a busy machine
DONE_S = 0.3  # for it to note that the answer was written
GIVE_UP_S, SHORT_S = 8, 2  # for the payload: as doors/hook/payload.py, for whoever leaves the pipe open
SHORT = "SessionEnd"
HEAD_BYTES = 5  # of a frame: its type, the length of its body
_CHUNK_BYTES = 1 << 20
_MOST_TRIED = 3
_MOST_ANCESTORS = 3
_MOST_FOLDERS = 64


class Silent(Exception):
    """No server has answered."""


class Payload:
    """What the host sends on standard input, as far as it was read: all of it, once it has ``ended``."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0
        self.ended = False

    @property
    def data(self) -> bytes:
        """Everything so far."""
        return b"".join(self._pieces)

    def take(self, descriptor: int, *, ended: bool) -> None:
        """What is in a file was read."""
        while piece := posix.read(descriptor, _CHUNK_BYTES):
            self._pieces.append(piece)
        posix.close(descriptor)
        self.ended = ended

    def read(self) -> bytes:
        """More, up to where a document may end, or to its end. It is given up when that takes too long: Silent."""
        known = len(self._pieces)
        try:
            while True:
                piece = posix.read(0, _CHUNK_BYTES)
                self._pieces.append(piece)
                self.size += len(piece)
                self.ended = not piece
                if self.ended or self.size > MOST_BYTES or piece.rstrip(b" \t\r\n\0").endswith(b"}"):
                    return b"".join(self._pieces[known:])
        except Silent:
            self.ended = True
            raise


def main(here: str) -> None:
    """Run the hook that the process's arguments name, and end. ``here`` is this file's folder, first in the path.

    ``--read =N`` or ``+N`` before them: the C launcher has read the file of that descriptor, to the end or not yet.
    """
    sys.path.remove(here)
    arguments, payload, code = sys.argv[1:], Payload(), None
    if arguments[:1] == ["--read"]:
        payload.take(int(arguments[1][1:]), ended=arguments[1][:1] == "=")
        arguments = arguments[2:]
    elif arguments[:1] == ["hook"] and arguments[1:2] != ["git"]:
        code = ask(arguments[1:], payload, posix.environ)
    if code is None:
        _find_comity(here.rpartition("/")[0].rpartition("/")[0])
        comity = __import__("comity.__main__", fromlist=["run"])
        code = comity.run(arguments, payload.data, ended=payload.ended, asked=True)
    posix._exit(code)  # noqa: SLF001 (it is os._exit)


def _find_comity(folder: str) -> None:
    """Put the package's folder into the path; and apsw's, which is that, or wherever an interpreter would look."""
    sys.path.insert(0, folder)
    if posix.access(folder + "/apsw", posix.R_OK):
        return
    site = __import__("site")
    site.main()
    if not any(posix.access(place + "/apsw", posix.R_OK) for place in sys.path):
        site.addsitedir(site.getusersitepackages())


def ask(arguments: list[str], payload: Payload, environment: dict[bytes, bytes]) -> int | None:
    """Have the hook's work done, and write what it is to say; its exit code. None when it is to be done here."""
    try:
        places = servers(environment)
        if not places or posix.isatty(0):
            return None
        for descriptor in (0, 1, 2):
            posix.fstat(descriptor)
        _read_in_time(payload, arguments[-1:] == [SHORT])
        for place in places:
            connection = _connected(place)
            if connection is not None:
                return _asked(connection, arguments, payload, environment)
    except (OSError, Silent):
        return None
    return None


def servers(environment: dict[bytes, bytes]) -> list[str]:
    """The sockets of servers that may be asked, the session's own first."""
    folder, start = runtime_folder(), installation() + "."
    try:
        names = [name for name in posix.listdir(folder) if name.startswith(start)]
    except OSError:
        return []
    if not names:
        return []
    hosts = ancestors()
    found = [name for pid in hosts for name in names if name.split(".")[1] == pid]
    if not found:
        key = project_key(environment.get(b"CLAUDE_PROJECT_DIR", b"").decode("utf-8", "surrogateescape"))
        found = [name for name in names if key and f".{key}." in name]
    return [f"{folder}/{name}" for name in found[:_MOST_TRIED]]


def runtime_folder() -> str:
    """The folder of this user's sockets, whether it is there or not: environments differ, and it must not."""
    uid = posix.getuid()
    try:
        if posix.stat(f"/run/user/{uid}").st_uid == uid:
            return f"/run/user/{uid}/comity"
    except OSError:
        pass
    return f"/tmp/comity-{uid}"  # noqa: S108 (who listens there is asked who they are)


def installation() -> str:
    """A mark of the installation of Comity, and of what its hooks and servers say to each other."""
    info = posix.stat(__file__)
    return f"{PROTOCOL}-{(info.st_ino ^ info.st_mtime_ns) & 0xFFFFFFFFFFFF:x}"


def ancestors() -> list[str]:
    """The pids above this process, nearest first: a host, or a shell and the host."""
    found = [str(posix.getppid())]
    try:
        while len(found) < _MOST_ANCESTORS:
            parent = parent_of(found[-1])
            if parent <= 1:
                break
            found.append(str(parent))
    except (OSError, ValueError, IndexError):
        pass
    return found


def parent_of(pid: str | int) -> int:
    """The parent of a process. Raises OSError, ValueError and IndexError where that cannot be seen."""
    descriptor = posix.open(f"/proc/{pid}/stat", posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        text = posix.read(descriptor, 1024)
    finally:
        posix.close(descriptor)
    return int(text[text.rindex(b")") + 2 :].split(b" ", 2)[1])


def project_key(folder: str) -> str:
    """The project around a folder (the working one for an empty text), by its device and inode; empty for none.

    A linked worktree's is that of the checkout that its ``.git`` names.
    """
    for number in range(_MOST_FOLDERS):
        here = (folder or ".") + "/.." * number
        if posix.access(here + "/.macp", posix.F_OK):
            return key_of(here)
        try:
            descriptor = posix.open(here + "/.git", posix.O_RDONLY | posix.O_CLOEXEC)
        except OSError:
            continue
        try:
            text = posix.read(descriptor, 4096)
        except OSError:  # a folder
            return ""
        finally:
            posix.close(descriptor)
        top = text.partition(b"gitdir:")[2].strip().rpartition(b"/.git/worktrees/")[0]
        return key_of(top) if top else ""
    return ""


def key_of(folder: str | bytes) -> str:
    """The device and inode of a project's folder. Raises OSError."""
    info = posix.stat(folder)
    return f"{info.st_dev:x}-{info.st_ino:x}"


def frame(kind: bytes, body: bytes = b"") -> bytes:
    """A frame: its type (one letter), the length of its body in four bytes, its body."""
    return kind + len(body).to_bytes(4, "big") + body


def greeting() -> bytes:
    """What a server says first: who is of another installation or version says something else."""
    return f"comity {installation()}\n".encode()


def is_own(connection: _socket.socket) -> bool:
    """Whether this user is at the other end."""
    told = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return int.from_bytes(told[4:8], sys.byteorder) == posix.geteuid()


def peer_pid(connection: _socket.socket) -> int:
    """The process at the other end. Raises OSError."""
    return int.from_bytes(connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)[:4], sys.byteorder)


def receive(connection: _socket.socket) -> tuple[bytes, bytes]:
    """The next frame's type and body; two empty ones at the end. Raises OSError, and Silent for half a frame."""
    head = exactly(connection, HEAD_BYTES)
    if not head:
        return b"", b""
    size = int.from_bytes(head[1:], "big")
    body = exactly(connection, size) if size else b""
    if len(body) < size:
        raise Silent
    return head[:1], body


def exactly(connection: _socket.socket, size: int) -> bytes:
    """So many bytes, or none at the end. Raises OSError, and Silent for fewer."""
    pieces: list[bytes] = []
    left = size
    while left:
        piece = connection.recv(min(left, _CHUNK_BYTES))
        if not piece:
            if pieces:
                raise Silent
            return b""
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _read_in_time(payload: Payload, short: bool) -> bytes:
    """As ``Payload.read``. Raises Silent when the host neither ends its document nor closes the pipe."""

    def over(*_: object) -> None:
        raise Silent

    _signal.signal(_signal.SIGALRM, over)
    _signal.alarm(SHORT_S if short else GIVE_UP_S)
    try:
        return payload.read()
    finally:
        _signal.alarm(0)


def _connected(place: str) -> _socket.socket | None:
    """A connection to a server of this user and version that takes it at once."""
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.settimeout(HELLO_S)
        connection.connect(place)
        wanted = greeting()
        if is_own(connection) and exactly(connection, len(wanted)) == wanted:
            return connection
    except (OSError, Silent):
        pass
    connection.close()
    return None


def _asked(
    connection: _socket.socket, arguments: list[str], payload: Payload, environment: dict[bytes, bytes]
) -> int | None:
    """One hook over one connection."""
    connection.settimeout(ANSWER_S)
    encoding = sys.getfilesystemencoding()
    words = [word.encode(encoding, "surrogateescape") for word in arguments]
    given = [name + b"=" + value for name, value in environment.items()]
    told = b"\0".join([posix.getcwd().encode(encoding, "surrogateescape"), b"%d" % len(words), *words, *given])
    connection.sendall(frame(b"S", told) + _piece(payload.data, payload))
    while True:
        kind, body = receive(connection)
        if kind == b"m":
            connection.settimeout(ANSWER_S)
            connection.sendall(_piece(_read_in_time(payload, arguments[-1:] == [SHORT]), payload))
        elif kind == b"s":
            connection.settimeout(STRICT_ANSWER_S)
        elif kind == b"A":
            return _say(connection, body)
        else:
            return None


def _piece(data: bytes, payload: Payload) -> bytes:
    """What was read, after which the server says whether it is whole; or all of it."""
    if payload.size > MOST_BYTES:
        raise Silent
    return frame(b"E" if payload.ended else b"Q", data)


def _say(connection: _socket.socket, body: bytes) -> int:
    """Write the answer, tell the server whether it is written, and wait until it has noted that."""
    size = int.from_bytes(body[1:5], "big")
    written = _write(1, body[5 : 5 + size]) and _write(2, body[5 + size :])
    try:
        connection.settimeout(DONE_S)
        connection.sendall(frame(b"W" if written else b"X"))
        connection.recv(1)
    except OSError:
        pass
    return body[0]


def _write(descriptor: int, data: bytes) -> bool:
    try:
        while data:
            data = data[posix.write(descriptor, data) :]
    except OSError:
        return False
    return True
