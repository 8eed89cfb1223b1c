"""The folder ``.masc``: made with what ships in the package when it is missing, never changed afterwards.

It is for the owner's eyes only, and it tells git to leave it out.
"""

from __future__ import annotations

import os
from importlib import resources

from comity.doors.auth.config import FOLDER
from comity.doors.premises.lock import unwritable
from comity.doors.premises.options import FILE, template

CONFIG, PERSONAS, LOGS = "config", "personas", "logs"
_IGNORED = """\
# Written by `comity serve`: git leaves this folder out. To share the settings and personas with others, add
# the lines !config/ and !config/** below.
*
"""


def masc_folder(root: str) -> str:
    """The folder's path in a project."""
    return os.path.join(root, FOLDER)


def prepare(root: str) -> str:
    """Make what is missing; the folder's path. Raises Unavailable ``server.unwritable``."""
    folder = masc_folder(root)
    try:
        _make(folder)
        _write(os.path.join(folder, ".gitignore"), _IGNORED)
        config = os.path.join(folder, CONFIG)
        if _make(config):
            _write(os.path.join(folder, FILE), template())
        personas = os.path.join(config, PERSONAS)
        if _make(personas):
            _copy_personas(personas)
        _make(os.path.join(folder, LOGS))
    except OSError as error:
        raise unwritable(error.filename or folder, error) from None
    return folder


def _make(folder: str) -> bool:
    """Whether the folder had to be made."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise NotADirectoryError(20, "is no folder", folder) from None
        return False
    return True


def _write(path: str, text: str) -> None:
    """A new file; one that is there stays."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _copy_personas(to: str) -> None:
    shipped = resources.files("comity.doors.premises").joinpath("defaults", PERSONAS)
    for one in sorted(shipped.iterdir(), key=lambda entry: entry.name):
        if one.name.endswith(".toml"):
            _write(os.path.join(to, one.name), one.read_text(encoding="utf-8"))
