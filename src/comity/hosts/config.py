"""``.macp/config.json`` (MACP v1.0 reference section 7.3), written only when something really changes.

The original reads ``projectRoot`` and ``dbPath`` from it and takes them as they are, so both are absolute here too:
left out, the original would open another file whenever it is started in a subfolder. They stay out of git because
``.macp/.gitignore`` names the file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from comity.hosts.jsonc import MalformedJsonc, Node, parse
from comity.hosts.jsonc_edit import Undo, set_value
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.project import FOLDER, slug

VERSION = 1
PACKAGE = "comity"


class ConfigOptions(NamedTuple):
    """What the options say (None: nothing), and where the project is."""

    root: Path
    project_id: str | None
    channel: str | None
    db: str | None
    known: tuple[str, str] | None = None  # ids that AGENTS.md states, for a clone that has no config


class Settled(NamedTuple):
    """The values that hold for the project."""

    project_id: str
    channel: str
    db: str


def wanted(root: Path, project_id: str | None, channel: str | None, db: str | None) -> ConfigOptions:
    """The options as ids and an absolute path. Raises Invalid for what gives no id or no path."""
    for name, text in (("--project-id", project_id), ("--channel", channel)):
        if text is not None and not slug(text):
            hint = "Use letters a to z, digits and hyphens."
            raise Invalid("init.bad_id", f"{name} {text!r} leaves nothing to use as an id", hint, option=name)
    if db is not None and (not db.strip() or "\0" in db):
        raise Invalid("init.bad_db", "--db is no path", "Give a path; a relative one counts from the project root.")
    path = None if db is None else os.path.normpath(root / os.path.expanduser(db.strip()))
    return ConfigOptions(
        root, None if project_id is None else slug(project_id), None if channel is None else slug(channel), path
    )


def settle(plain: dict[str, object], want: ConfigOptions) -> Settled:
    """What holds with these options and this config (``{}`` for none)."""
    old_id, old_channel, old_db = (_text(plain, key) for key in ("projectId", "defaultChannel", "dbPath"))
    known_id, known_channel = want.known if want.known and not old_id else ("", "")
    project_id = want.project_id or slug(old_id) or slug(known_id) or slug(want.root.name) or "macp"
    changed = want.project_id is not None and want.project_id != slug(old_id)
    derived = changed and old_channel in {"", old_id, slug(old_id)}
    kept = "" if derived else old_channel or ("" if want.project_id else known_channel)
    channel = want.channel or kept or project_id
    if want.db:
        db = want.db
    elif changed:
        db = os.path.join(os.path.expanduser("~"), FOLDER, "projects", f"{project_id}.macp.db")
    elif old_db:
        db = _moved_along(old_db, _text(plain, "projectRoot"), want.root)
    else:
        db = str(want.root / FOLDER / f"{project_id}.macp.db")
    return Settled(project_id, channel, db)


def put(text: str | None, want: ConfigOptions, now: str, force: bool) -> tuple[str, list[Undo], Settled]:
    """The config's text with the settled values in it. Raises MalformedJsonc."""
    root = _read(text) if text and text.strip() and not force else None
    plain = root.plain() if root is not None else {}
    old = {str(key): value for key, value in plain.items()} if isinstance(plain, dict) else {}
    settled = settle(old, want)
    values = _values(old, settled, want.root)
    changes = {key: value for key, value in values.items() if key not in old or old[key] != value}
    if not changes:
        return text or "", [], settled
    if not old:
        changes["createdAt"] = now
    changes["updatedAt"] = now
    result, undos = (text or "" if root is not None else ""), list[Undo]()
    for key, value in changes.items():
        result, undo = set_value(result, (key,), value)
        undos.append(undo)
    return result, undos, settled


def _read(text: str) -> Node:
    """The config as a node; it must be an object, and plain JSON, which is all the original reads."""
    root = parse(text)
    try:
        json.loads(text)
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise MalformedJsonc(str(error), line) from None
    if root is None or root.kind != "object":
        raise MalformedJsonc("this is no JSON object", 1)
    return root


def _values(old: dict[str, object], settled: Settled, root: Path) -> dict[str, object]:
    recorded = _text(old, "projectRoot")
    here = bool(recorded) and os.path.realpath(recorded) == os.path.realpath(root)
    return {
        "version": old.get("version", VERSION),
        "packageName": old.get("packageName", PACKAGE),
        "projectRoot": recorded if here else str(root),
        "projectId": settled.project_id,
        "defaultChannel": settled.channel,
        "dbPath": settled.db,
    }


def _text(plain: dict[str, object], key: str) -> str:
    value = plain.get(key)
    return value.strip() if isinstance(value, str) else ""


def _moved_along(db: str, recorded: str, root: Path) -> str:
    """``db`` with the folder the project was in replaced by the one it is in."""
    if recorded and os.path.isabs(recorded) and os.path.realpath(recorded) != os.path.realpath(root):
        path = Path(db)
        if path.is_relative_to(recorded):
            return str(root / path.relative_to(recorded))
    return str(root / db)
