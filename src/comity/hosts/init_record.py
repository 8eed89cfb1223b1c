"""``.macp/init.json``: what ``init`` found and what it wrote, so that ``--remove`` can give it back.

Kept out of git and readable by its owner only, because it holds whole host files. One section for the workspace's
own files, one for each checkout (``.`` for the one that holds ``.macp``, a path for a linked worktree). One that git
tracks came with the repository and is never taken for ours: it would say what ``--remove`` writes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from pathlib import Path
from typing import Any

from comity.hosts import files
from comity.hosts.files import HostFile
from comity.hosts.jsonc_edit import Undo
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Forbidden, Invalid
from comity.kernel.text import document
from comity.project import tracked

NAME = ".macp/init.json"
VERSION = 1


class RecordedFile(NamedTuple):
    """One file: its bytes before (None: it did not exist), the hash of what was written, how to take that back."""

    before: bytes | None
    wrote: str
    undos: tuple[Undo, ...]


class Section(NamedTuple):
    """The files and the new folders of one checkout, by name relative to it."""

    files: dict[str, RecordedFile]
    folders: list[str]


class InitRecord(NamedTuple):
    """The whole record: the workspace's own files, and those of each checkout."""

    workspace: Section
    checkouts: dict[str, Section]

    def section(self, checkout: str) -> Section:
        return self.checkouts.setdefault(checkout, Section({}, []))


def digest(data: bytes) -> str:
    """The SHA-256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def own(root: Path) -> tuple[HostFile, InitRecord]:
    """The record of a workspace as it stands, and what is in it. Raises Invalid, and Forbidden for one of git's."""
    held = files.look(root, NAME)
    if held.data is not None and tracked(root, (NAME,)):
        raise Forbidden(
            "init.record_tracked",
            f"{NAME} came with the repository: it cannot tell what was here before",
            f"Take it out of git: `git rm --cached {NAME}`; then delete it, unless you know that it is yours.",
            file=NAME,
        )
    return held, load(held.data)


def load(data: bytes | None) -> InitRecord:
    """The record in ``data``; an empty one for None. Raises Invalid ``init.record_unreadable``."""
    if data is None:
        return InitRecord(Section({}, []), {})
    try:
        value = json.loads(data)
        if value["version"] != VERSION:
            raise ValueError(value["version"])
        return InitRecord(
            _section(value["workspace"]), {key: _section(item) for key, item in value["checkouts"].items()}
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        hint = f"It tells --remove what was there before. Restore it, or delete {NAME} to go on without."
        raise Invalid("init.record_unreadable", f"{NAME} cannot be read", hint, file=NAME) from None


def dump(record: InitRecord) -> bytes | None:
    """The record as bytes; None when nothing is left in it."""
    checkouts = {key: _plain(section) for key, section in record.checkouts.items() if section.files}
    if not checkouts and not record.workspace.files:
        return None
    return document({"version": VERSION, "workspace": _plain(record.workspace), "checkouts": checkouts})


def _section(value: dict[str, Any]) -> Section:
    return Section({name: _entry(item) for name, item in value["files"].items()}, list(value["folders"]))


def _entry(item: dict[str, Any]) -> RecordedFile:
    before = item["before"]
    data = None if before is None else base64.b64decode(before, validate=True)
    return RecordedFile(data, str(item["wrote"]), tuple(_undo(row) for row in item["undo"]))


def _undo(row: list[object]) -> Undo:
    kind, path, value, was, depth, hollow = row
    if not isinstance(was, str):
        was = None
    if not isinstance(hollow, str):
        hollow = None
    if not (isinstance(kind, str) and isinstance(path, list) and isinstance(depth, int)):
        raise TypeError(row)
    return Undo(kind, tuple(str(key) for key in path), value, was, depth, hollow)


def _plain(section: Section) -> dict[str, object]:
    files = {
        name: {
            "before": None if entry.before is None else base64.b64encode(entry.before).decode(),
            "wrote": entry.wrote,
            "undo": [list(undo) for undo in entry.undos],
        }
        for name, entry in section.files.items()
    }
    return {"files": files, "folders": section.folders}
