"""The folder ``.masc``: made with what ships in the package when it is missing, never changed afterwards.

It is for the owner's eyes only, and it tells git to leave it out.
"""

from __future__ import annotations

import os
from importlib import resources

from comity.server.auth.config import FOLDER
from comity.server.folder.lock import unwritable
from comity.server.folder.options import FILE_NAME, template
from comity.system import files

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
    """Make what is missing; the folder's path. Raises Unavailable ``server.unwritable``, also for links below it."""
    config, personas = f"{FOLDER}/{CONFIG}", f"{FOLDER}/{CONFIG}/{PERSONAS}"
    try:
        files.make_folder(root, FOLDER)
        files.write_new(root, f"{FOLDER}/.gitignore", _IGNORED.encode())
        if files.make_folder(root, config):
            files.write_new(root, FILE_NAME, template().encode())
        if files.make_folder(root, personas):
            _copy_personas(root, personas)
        files.make_folder(root, f"{FOLDER}/{LOGS}")
    except OSError as error:
        named = error.filename or ""
        raise unwritable(named if os.path.isabs(named) else masc_folder(root), error) from None
    return masc_folder(root)


def _copy_personas(root: str, to: str) -> None:
    shipped = resources.files("comity.server.folder").joinpath("defaults", PERSONAS)
    for one in sorted(shipped.iterdir(), key=lambda entry: entry.name):
        if one.name.endswith(".toml"):
            files.write_new(root, f"{to}/{one.name}", one.read_bytes())
