"""What the user agreed to: files of work trees whose loosening settings count, by place and content.

What came with a repository is input, not configuration. What loosens counts from a file of the tree only once its
user said so (``comity trust``, or ``comity init`` for what it writes), and only as long as the file stays as it was.
The record lies with the user's own configuration, ``comity/trust.json`` in ``$XDG_CONFIG_HOME``, and outside every
tree that it speaks of.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Limited, Unavailable
from comity.kernel.text import document
from comity.system import files
from comity.system.surroundings import HERE

FOLDER, NAME = "comity", "trust.json"
VERSION = 1
MAX_BYTES = 1_000_000


class TrustRecord(NamedTuple):
    """The SHA-256 of each file's content by its absolute path, links resolved. ``wrong``: why nothing could be read."""

    files: dict[str, str]
    wrong: str = ""


def where() -> str:
    """The record's path."""
    return os.path.join(_home(), FOLDER, NAME)


def load() -> TrustRecord:
    """The record; an empty one when there is none, or a damaged one, which ``wrong`` then tells."""
    try:
        found = json.loads(files.read(_home(), f"{FOLDER}/{NAME}", MAX_BYTES))
    except FileNotFoundError:
        return TrustRecord({})
    except OSError as error:
        return TrustRecord({}, error.strerror or type(error).__name__)
    except (ValueError, RecursionError):
        return TrustRecord({}, "is no JSON that can be read")
    listed = found.get("files") if isinstance(found, dict) and found.get("version") == VERSION else None
    if not isinstance(listed, dict) or not all(isinstance(value, str) for value in listed.values()):
        return TrustRecord({}, "is no record of this version")
    return TrustRecord(listed)


def agreed(root: str, name: str, content: bytes) -> bool:
    """Whether the user agreed to the file ``name`` of the workspace ``root`` with exactly this content."""
    return not inside(root) and load().files.get(path_of(root, name)) == digest(content)


def inside(root: str) -> bool:
    """Whether the record would lie in the workspace, where others could bring it along: then it does not count."""
    tree = os.path.join(os.path.realpath(root), "")
    return os.path.join(os.path.realpath(os.path.join(_home(), FOLDER)), "").startswith(tree)


def path_of(root: str, name: str) -> str:
    """How the record calls a file."""
    return os.path.join(os.path.realpath(root), *name.split("/"))


def digest(content: bytes) -> str:
    """The SHA-256 of a content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def agree(contents: Mapping[str, bytes]) -> None:
    """Note down that the user agrees to these files, by the paths of ``path_of``. Raises Unavailable and Limited."""
    kept = load().files
    kept |= {path: digest(content) for path, content in contents.items()}
    _write(kept)


def forget(paths: Iterable[str]) -> list[str]:
    """Take the agreement to these files back; those to which there was one. Raises Unavailable."""
    kept = load().files
    gone = [path for path in paths if kept.pop(path, None) is not None]
    if gone:
        _write(kept)
    return gone


def _home() -> str:
    # A relative one is to be ignored, says its specification.
    named = HERE.environment.get("XDG_CONFIG_HOME", "").strip()
    return named if os.path.isabs(named) else os.path.join(os.path.expanduser("~"), ".config")


def _write(kept: dict[str, str]) -> None:
    content = document({"version": VERSION, "files": kept})
    if len(content) > MAX_BYTES:
        kept = {path: value for path, value in kept.items() if os.path.exists(path)}
        content = document({"version": VERSION, "files": kept})
    if len(content) > MAX_BYTES:
        hint = "`comity trust --remove` in a workspace takes back what was agreed to there."
        raise Limited("trust.full", f"{where()} holds all it may.", hint, path=where())
    home, written = _home(), f"{FOLDER}/.{NAME}.{secrets.token_hex(8)}"
    try:
        os.makedirs(home, mode=files.PRIVATE_FOLDER, exist_ok=True)
        files.make_folder(home, FOLDER)
        files.write_new(home, written, content)
        os.replace(os.path.join(home, written), where())
    except OSError as error:
        hint = "The record of what you agreed to lies there: check the folder and its permissions."
        raise Unavailable("trust.unwritable", f"{where()}: {error.strerror or error}.", hint, path=where()) from None
