"""Reading and writing the files of a checkout: nothing outside it, nothing half written.

A link is followed as long as it stays inside the checkout and out of its git folder, and none in ``.macp``; what is no
readable UTF-8 text file is a Problem that names the file and says what to do.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from glob import escape, glob
from pathlib import Path

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Forbidden, Invalid, Problem, Unavailable
from comity.process import look as look_at
from comity.project import CONFIG, FOLDER
from comity.system.files import PRIVATE_FOLDER

MAX_BYTES = 4_000_000
BOM = "\ufeff"
CONFIG_NAME = f"{FOLDER}/{CONFIG}"


class HostFile(NamedTuple):
    """A file as it is: ``path`` with links followed, ``data`` None when it does not exist."""

    path: Path
    data: bytes | None


def look(base: Path, name: str) -> HostFile:
    """The file ``name`` of the folder ``base``. Raises Invalid or Forbidden."""
    target = base / name
    if name.startswith(f"{FOLDER}/"):
        _require_no_link(base, name)
    real = Path(os.path.realpath(target))
    home = Path(os.path.realpath(base))
    if not real.is_relative_to(home) or ".git" in real.relative_to(home).parts:
        hint = "Replace the link by a file or folder of the repository, or leave the host out with --hosts."
        raise Invalid("file.outside", f"{name} leads out of the repository, to {real}", hint, file=name)
    for parent in real.parents:
        if parent.exists():
            if not parent.is_dir():
                raise _unusable(name, f"{parent} is not a folder")
            break
    try:
        info = os.stat(target)
    except FileNotFoundError:
        if os.path.lexists(target):
            raise _unusable(name, "it is a link to a file that does not exist") from None
        return HostFile(real, None)
    except OSError as error:
        raise _forbidden(name, error) from None
    if not stat.S_ISREG(info.st_mode):
        raise _unusable(name, "it is a folder" if stat.S_ISDIR(info.st_mode) else "it is not a regular file")
    if info.st_size > MAX_BYTES:
        raise _unusable(name, f"it is larger than {MAX_BYTES} bytes")
    try:
        return HostFile(real, real.read_bytes())
    except OSError as error:
        raise _forbidden(name, error) from None


def _require_no_link(base: Path, name: str) -> None:
    for path in (base / FOLDER, base / name):
        if path.is_symlink():
            raise _unusable(name, f"{path.relative_to(base)} is a link, and none is followed there")


def identity(path: Path) -> object:
    """What is equal for two names of one file: its device and number; for a file that is not there, its path."""
    try:
        info = os.stat(path)
    except OSError:
        return path
    return info.st_dev, info.st_ino


def decode(name: str, data: bytes) -> tuple[str, str]:
    """The byte order mark (or nothing) and the text after it. Raises Invalid."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unusable(name, f"line {line}: it is not UTF-8 text", line) from None
    return (BOM, text[1:]) if text.startswith(BOM) else ("", text)


def encode(mark: str, text: str) -> bytes:
    """The inverse of ``decode``."""
    return (mark + text).encode("utf-8")


def malformed(name: str, message: str, line: int) -> Invalid:
    """The Problem of a file whose text cannot be edited."""
    return _unusable(name, f"line {line}: {message}", line)


def may_write(name: str, path: Path) -> Problem | None:
    """Why ``path`` may not be written, or None. A file without write permission is taken as meant that way."""
    place = path if path.exists() else next(parent for parent in path.parents if parent.exists())
    folder = place if place.is_dir() else place.parent
    for what in {place, folder}:
        if not os.access(what, os.W_OK):
            hint = "Give yourself write permission, or leave the host out with --hosts."
            return Forbidden("file.forbidden", f"{name}: {what} is not writable", hint, file=name)
    return None


def replace(path: Path, before: bytes | None, after: bytes | None, private: bool = False) -> None:
    """Write or delete in one step, if the file still is ``before``. Raises Conflict, Unavailable.

    A file that has several names keeps them: it is written in place.
    """
    try:
        _sweep(path)
        now = path.read_bytes() if os.path.lexists(path) else None
        if now != before:
            message = f"{path} was changed by someone else in the meantime"
            raise Conflict("file.changed", message, "Run the command again.", file=str(path))
        if after is None:
            path.unlink(missing_ok=True)
            return
        if path.parent.name == FOLDER:
            path.parent.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if before is not None and os.stat(path).st_nlink > 1 and not private:
            _overwrite(path, after)
        else:
            _swap(path, after, private)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise Unavailable("file.unwritable", message, "Check space and permissions.", file=str(path)) from None


def _overwrite(path: Path, data: bytes) -> None:
    with open(path, "r+b") as stream:
        stream.write(data)
        stream.truncate()
        stream.flush()
        os.fsync(stream.fileno())


def _sweep(path: Path) -> None:
    """Delete what a run that was killed left beside the file, half written."""
    for left in glob(f"{escape(str(path.parent))}/.{escape(path.name)}.*.tmp"):
        pid = left.split(".")[-3]
        if pid.isdigit() and look_at(int(pid)).state in ("absent", "zombie"):
            Path(left).unlink(missing_ok=True)


def _swap(path: Path, data: bytes, private: bool) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.{os.getpid()}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o600 if private else _mode(path))
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _mode(path: Path) -> int:
    """The file's mode; that of a new file: everybody may read it who may look into its folder, its owner write."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    return stat.S_IMODE(path.parent.stat().st_mode) & 0o644


def _unusable(name: str, why: str, line: int = 0) -> Invalid:
    way = "write it anew with --force" if name == CONFIG_NAME else "leave the host out with --hosts"
    hint = f"The file was left as it is. Mend it and run the command again, or {way}."
    data: dict[str, object] = {"file": name, "line": line} if line else {"file": name}
    return Invalid("file.unreadable", f"{name}: {why}", hint, **data)


def _forbidden(name: str, error: OSError) -> Forbidden:
    hint = "The file was left as it is. Check its permissions, or leave the host out with --hosts."
    return Forbidden("file.forbidden", f"{name}: {error.strerror or error}", hint, file=name)
