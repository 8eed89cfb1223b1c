"""Which project a folder belongs to: the repository around it and the ``.macp/config.json`` that names it.

Git is read, never run: a ``.git`` folder, or a ``.git`` file with ``gitdir:`` and what ``commondir`` names
(gitrepository-layout(5)). The rules are those of MACP v1.0 section 6.3, with these remedies:

- the search goes upward and stops at the repository root and before the home folder;
- a linked worktree shares the project of the main checkout;
- a submodule is a project of its own; so is a bare repository, which its worktrees share;
- recorded absolute paths of a project that was moved or cloned are read as if they had moved along.
"""

from __future__ import annotations

import json
import os
import re

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid

FOLDER = ".macp"
CONFIG = "config.json"
MAX_CONFIG_BYTES = 1_000_000
TEXT_KEYS = ("projectRoot", "projectId", "defaultChannel", "dbPath")


def slug(text: str) -> str:
    """``text`` as an id: lower case, runs of other characters as one hyphen; may be empty (section 6.3)."""
    return re.sub(r"[^a-z0-9]+", "-", text.strip().lower()).strip("-")


class Place(NamedTuple):
    """Where a folder stands. ``root`` holds ``.macp``; ``checkout`` is the folder that hosts are opened in."""

    root: str
    checkout: str
    worktree: str | None = None  # the linked worktree, when ``checkout`` is in one
    repository: bool = True  # False: there is no git repository around it
    bare: bool = False  # True: ``root`` is a git folder without a checkout of its own


class Project(NamedTuple):
    """A found ``.macp/config.json``. ``config`` holds it as it is; the properties hold what it means here."""

    root: str
    config: dict[str, object]
    config_path: str
    worktree: str | None = None

    @property
    def moved_from(self) -> str | None:
        """The folder the config was written for, when the project is elsewhere now."""
        recorded = self._text("projectRoot")
        if not recorded or not os.path.isabs(recorded):
            return None
        return None if os.path.realpath(recorded) == os.path.realpath(self.root) else os.path.normpath(recorded)

    @property
    def project_id(self) -> str:
        """The id as a slug; without one in the config, that of the project's folder name; never empty."""
        return slug(self._text("projectId")) or slug(os.path.basename(self.root)) or "macp"

    @property
    def default_channel(self) -> str:
        """The config's channel as it is written there, else the project id."""
        return self._text("defaultChannel") or self.project_id

    @property
    def db_path(self) -> str | None:
        """The config's database, absolute (a relative one counts from ``root``); None when it names none."""
        text = self._text("dbPath")
        if not text:
            return None
        path, old = os.path.normpath(text), self.moved_from
        if old is not None and _within(path, old):
            return _moved(path, old, self.root)
        return os.path.join(self.root, path)

    def _text(self, key: str) -> str:
        value = self.config.get(key)
        return value.strip() if isinstance(value, str) else ""


def find_project(start: str | os.PathLike[str]) -> Project | None:
    """The project ``start`` belongs to, or None. Raises Invalid ``config.unreadable``, naming the file."""
    place, found = find_workspace(start)
    if not found:
        return None
    path = os.path.join(place.root, FOLDER, CONFIG)
    return Project(place.root, read_config(path), path, place.worktree)


def find_workspace(start: str | os.PathLike[str]) -> tuple[Place, bool]:
    """Where the workspace of ``start`` is or would be, and whether its config is there; the config is not read."""
    here = os.path.realpath(start)
    place = locate(here)
    inner = here if _within(here, place.root) else place.root
    if place.worktree is not None and not place.bare and _within(here, place.worktree):
        inner = _moved(here, place.worktree, place.root)
    for folder in _upward(inner):
        if os.path.lexists(os.path.join(folder, FOLDER, CONFIG)):
            if _within(folder, place.root):
                return place._replace(root=folder, checkout=_moved(folder, place.root, place.checkout)), True
            return place._replace(root=folder, checkout=folder), True
        if folder == place.root and place.repository:
            break
    return place, False


def locate(start: str | os.PathLike[str]) -> Place:
    """The repository around ``start``, or ``start`` itself where there is none."""
    here = os.path.realpath(start)
    for folder in _upward(here):
        if os.path.exists(os.path.join(folder, ".git")):
            return _place_of_checkout(folder)
        if _is_git_folder(folder) and _is_bare(folder):
            return Place(folder, folder, bare=True)
    return Place(here, here, repository=False)


def git_folder(checkout: str | os.PathLike[str], *, shared: bool = True) -> str | None:
    """The git folder of a checkout, the one that all its worktrees share or its own; None where there is none."""
    git = os.path.join(checkout, ".git")
    private = git if os.path.isdir(git) else _pointer(git, "gitdir:", os.fspath(checkout))
    if private is None or not os.path.isdir(private):
        return None
    return (_pointer(os.path.join(private, "commondir"), "", private) if shared else None) or private


def read_config(path: str) -> dict[str, object]:
    """The object in ``path``, its known keys checked. Raises Invalid ``config.unreadable``."""
    try:
        data = _read(path)
    except OSError as error:
        raise _unreadable(path, error.strerror or "cannot be read", "Check the file and its permissions.") from None
    if len(data) > MAX_CONFIG_BYTES:
        raise _unreadable(path, f"is larger than {MAX_CONFIG_BYTES} bytes", "Is this the right file?")
    fix = "Mend the file, or write a new one with `comity init --force`."
    try:
        value: object = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise _unreadable(path, "is not UTF-8 text", fix) from None
    except json.JSONDecodeError as error:
        raise _unreadable(path, f"line {error.lineno}: {error.msg}", fix, line=error.lineno) from None
    except (ValueError, RecursionError):
        raise _unreadable(path, "is not JSON that can be read", fix) from None
    if not isinstance(value, dict):
        raise _unreadable(path, "does not hold a JSON object", fix)
    for key in TEXT_KEYS:
        text = value.get(key)
        if text is not None and (not isinstance(text, str) or "\0" in text):
            raise _unreadable(path, f"{key} must be text", fix, key=key)
    return value


def _unreadable(path: str, why: str, hint: str, **data: object) -> Invalid:
    return Invalid("config.unreadable", f"{path}: {why}", hint, path=path, **data)


def _upward(start: str) -> list[str]:
    """``start`` and the folders above it, up to but without the home folder, unless ``start`` is that."""
    folders = [start]
    while (parent := os.path.dirname(folders[-1])) != folders[-1]:
        folders.append(parent)
    home = os.path.realpath(os.path.expanduser("~"))
    if home in folders[1:]:
        return folders[: folders.index(home)]
    return folders


def _within(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or below it."""
    return path == folder or path.startswith(os.path.join(folder, ""))


def _moved(path: str, folder: str, to: str) -> str:
    """What ``path`` below ``folder`` is below ``to``."""
    rest = path[len(folder) :].lstrip(os.sep)
    return os.path.join(to, rest) if rest else to


def _read(path: str, most_bytes: int = -1) -> bytes:
    with open(path, "rb") as file:
        return file.read(most_bytes)


def _place_of_checkout(folder: str) -> Place:
    git = os.path.join(folder, ".git")
    private = None if os.path.isdir(git) else _pointer(git, "gitdir:", folder)
    if private is None:
        return Place(folder, folder)
    common = _pointer(os.path.join(private, "commondir"), "", private)
    shared = common or private
    linked = folder if common is not None else None
    if _is_bare(shared):
        return Place(shared, folder, linked, bare=True)
    if linked is None:
        return Place(folder, folder)  # a submodule, or a repository whose git folder lies elsewhere
    if os.path.basename(shared) == ".git":
        return Place(os.path.dirname(shared), folder, linked)
    checkout = _core(shared).get("worktree", "")
    if checkout:
        return Place(os.path.realpath(os.path.join(shared, checkout)), folder, linked)
    return Place(folder, folder, linked)  # nothing records where its main checkout lies


def _pointer(path: str, prefix: str, base: str) -> str | None:
    """The folder a one-line pointer file names, relative to ``base``."""
    try:
        text = _read(path, 4096).decode().strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not text.startswith(prefix) or "\0" in text:
        return None
    return os.path.realpath(os.path.join(base, text.removeprefix(prefix).strip()))


def _is_git_folder(folder: str) -> bool:
    head, *parts = (os.path.join(folder, name) for name in ("HEAD", "objects", "refs"))
    return os.path.isfile(head) and all(map(os.path.isdir, parts))


def _is_bare(git_folder: str) -> bool:
    return _core(git_folder).get("bare", "").lower() in {"true", "yes", "on", "1"}


def _core(git_folder: str) -> dict[str, str]:
    """The ``[core]`` keys of a git folder's config, names in lower case; empty when it cannot be read."""
    found: dict[str, str] = {}
    for name in ("config", "config.worktree"):
        try:
            path = os.path.join(git_folder, name)
            lines = _read(path, MAX_CONFIG_BYTES).decode(errors="replace").splitlines()
        except OSError:
            continue
        section = ""
        for line in map(str.strip, lines):
            if line.startswith("["):
                section = line.strip("[]").strip().lower()
            elif section == "core" and line and line[0] not in "#;":
                key, _, value = line.partition("=")
                found[key.strip().lower()] = value.strip().strip('"') or "true"
    return found
