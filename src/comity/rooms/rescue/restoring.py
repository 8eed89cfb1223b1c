"""Putting a copy back into its file: whole or not at all, and never over newer work unasked."""

from __future__ import annotations

import errno
import os

from comity.kernel.problem import Conflict
from comity.kernel.quoting import quoted
from comity.system import files, repository
from comity.system.fingerprints import stamp
from comity.system.git_kinds import kinds

_FOLDER_MODE = 0o777


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

    ``was`` is its stamp. Raises Conflict ``rescue.changed`` for one that has changed since, and OSError.
    """
    parts = name.split("/")
    for count in range(1, len(parts)):
        files.make_folder(base, "/".join(parts[:count]), _FOLDER_MODE)
    new = f"{name}.comity-{os.urandom(6).hex()}"
    path, beside = os.path.join(base, name), os.path.join(base, new)
    if os.path.isdir(path):
        raise OSError(errno.EISDIR, "is a folder", path)
    descriptor = files.open_file(base, new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        try:
            files.write_all(descriptor, data)
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)
        if stamp(path) != was:
            told = f"{quoted(name)} was changed just now. Nothing was restored."
            raise Conflict("rescue.changed", told, "Look at it, then restore it again.", path=name)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
