"""Putting a copy back into its file, or its link: whole or not at all, and never over newer work unasked."""

from __future__ import annotations

import errno
import os
import stat

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict
from comity.kernel.quoting import quoted
from comity.system import files, repository
from comity.system.copies import link_at
from comity.system.fingerprints import stamp
from comity.system.git_kinds import kinds

_FOLDER_MODE = 0o777


class Present(NamedTuple):
    """What is at a path: content and mode of a file or link; both are empty for anything else and for nothing."""

    data: bytes = b""
    mode: int = 0

    def has(self, data: bytes, mode: int) -> bool:
        """Whether it is this already, and can be executed as this can."""
        same = stat.S_ISLNK(self.mode) == stat.S_ISLNK(mode) and not (self.mode ^ mode) & stat.S_IXUSR
        return bool(self.mode) and same and self.data == data


def present(path: str) -> Present:
    """What is at a path now; what cannot be read counts as nothing."""
    link = link_at(path)
    if link is not None:
        return Present(*link)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return Present()
        with open(path, "rb") as file:
            return Present(file.read(), os.fstat(file.fileno()).st_mode)
    except OSError:
        return Present()


def is_work(path: str) -> bool:
    """Whether what is at a path is more than the last commit has: unknown counts as that."""
    if not os.path.lexists(path):
        return False
    there = repository.around(os.path.dirname(path))
    if there is None or there.bare:
        return True
    name = os.path.relpath(path, there.checkout).replace(os.sep, "/")
    found = kinds(there, [name])
    return found is None or bool(found[name])


def put(base: str, name: str, data: bytes, mode: int, was: str) -> None:
    """Write the file ``name`` (``/`` between its parts) below the checkout ``base``, unless it is not as it ``was``.

    ``was`` is its stamp; ``data`` of a link is where it leads. Raises Conflict ``rescue.changed`` for one that has
    changed since, and OSError.
    """
    parts = name.split("/")
    for count in range(1, len(parts)):
        files.make_folder(base, "/".join(parts[:count]), _FOLDER_MODE)
    new = f"{name}.comity-{os.urandom(6).hex()}"
    path, beside = os.path.join(base, name), os.path.join(base, new)
    if os.path.isdir(path) and not os.path.islink(path):
        raise OSError(errno.EISDIR, "is a folder", path)
    _make(base, new, data, mode)
    try:
        if stamp(path) != was:
            told = f"{quoted(name)} was changed just now. Nothing was restored."
            raise Conflict("rescue.changed", told, "Look at it, then restore it again.", path=name)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def _make(base: str, name: str, data: bytes, mode: int) -> None:
    """Make a new file or link, whole or not at all. Raises OSError."""
    beside = os.path.join(base, name)
    if stat.S_ISLNK(mode):
        files.make_link(base, name, os.fsdecode(data))
        return
    descriptor = files.open_file(base, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        try:
            files.write_all(descriptor, data)
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)
    except BaseException:
        os.unlink(beside)
        raise
