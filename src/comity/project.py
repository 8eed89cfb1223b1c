"""Which project a folder belongs to: the repository around it and the ``.macp/config.json`` that names it.

Git is read, never run: a ``.git`` folder, or a ``.git`` file with ``gitdir:`` and what ``commondir`` names
(gitrepository-layout(5)). The rules are those of MACP v1.0 section 6.3, with these remedies:

- the search goes upward and stops at the repository root and before the home folder;
- a linked worktree that the repository knows of (``git worktree repair``) shares the project of the main checkout;
- a submodule is a project of its own; so is a bare repository, which its worktrees share, unless it lies in a checkout;
- recorded absolute paths of a project that was moved or cloned are read as if they had moved along.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from importlib import import_module

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.system import files
from comity.system.repository import belongs, is_bare, is_git_folder, pointer, settings, top_among, upward
from comity.system.repository import git_folder as git_folder  # noqa: PLC0414 (doors ask for it next to locate)

FOLDER = ".macp"
CONFIG = "config.json"
MAX_CONFIG_BYTES = 1_000_000
_BOM = b"\xef\xbb\xbf"
TEXT_KEYS = ("projectRoot", "projectId", "defaultChannel", "dbPath")


def slug(text: str) -> str:
    """``text`` as an id: lower case, runs of other characters as one hyphen; may be empty (section 6.3)."""
    return re.sub(r"[^a-z0-9]+", "-", text.strip().lower()).strip("-")


class ProjectLocation(NamedTuple):
    """The project and checkout of a folder. ``root`` holds ``.macp``; ``checkout`` is where hosts are opened.

    ``git`` is the git folder in which ``root``'s own index lies; empty where there is no checkout.
    """

    root: str
    checkout: str
    worktree: str | None = None  # the linked worktree, when ``checkout`` is in one
    repository: bool = True  # False: there is no git repository around it
    bare: bool = False  # True: ``root`` is a git folder without a checkout of its own
    git: str = ""


class Project(NamedTuple):
    """A found ``.macp/config.json``. ``config`` holds it as it is; the properties hold what it means here.

    ``content`` is the file as it was read.
    """

    root: str
    config: dict[str, object]
    config_path: str
    worktree: str | None = None
    content: bytes = b""

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
    return project_of(place) if found else None


def project_of(place: ProjectLocation) -> Project:
    """The project whose config stands there. Raises Invalid ``config.unreadable``, naming the file."""
    path = os.path.join(place.root, FOLDER, CONFIG)
    content = _content(path)
    return Project(place.root, _parsed(path, content), path, place.worktree, content)


def find_workspace(start: str | os.PathLike[str]) -> tuple[ProjectLocation, bool]:
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


def locate(start: str | os.PathLike[str]) -> ProjectLocation:
    """The repository around ``start``, or ``start`` itself where there is none."""
    here = os.path.realpath(start)
    top, bare = top_among(_upward(here)) or ("", False)
    if not top:
        return ProjectLocation(here, here, repository=False)
    return ProjectLocation(top, top, bare=True) if bare else _place_of_checkout(top)


def tracked(checkout: str | os.PathLike[str], names: Iterable[str], *, doubt: bool = True) -> set[str]:
    """Those of ``names``, which count from ``checkout``, that git tracks there; all or none (``doubt``), when the index
    tells nothing.
    """
    top = locate(checkout).checkout
    git = git_folder(top, shared=False)
    if git is None:
        return set()
    inside = os.path.relpath(os.path.realpath(checkout), top)
    wanted = {os.path.normpath(os.path.join(inside, name)).replace(os.sep, "/"): name for name in names}
    found: set[str] | None = import_module("comity.system.git_index").listed(git, wanted)
    if found is None:  # its form is not read by hand
        found = import_module("comity.system.git").indexed(top, list(wanted))
    if found is None:
        return set(wanted.values()) if doubt else set()
    return {wanted[path] for path in found if path in wanted}


def lies_inside(root: str, path: str) -> bool:
    """Whether ``path`` lies in the workspace of ``root``, links resolved, and not in a folder of git."""
    if "\0" in path:
        return False
    home, real = os.path.realpath(root), os.path.realpath(path)
    if real == home or not _within(real, home):
        return False
    if _within(real, os.path.join(home, FOLDER)):
        return True
    gits = {home if is_git_folder(home) else None, git_folder(home), git_folder(home, shared=False)}
    return ".git" not in real[len(home) :].lower().split(os.sep) and not any(git and _within(real, git) for git in gits)


def read_config(path: str) -> dict[str, object]:
    """The object in ``path``, its known keys checked. Raises Invalid ``config.unreadable``."""
    return _parsed(path, _content(path))


def _content(path: str) -> bytes:
    """A config as it stands in its workspace: a regular file, to which no link leads below the workspace."""
    folder, name = os.path.split(path)
    base, above = os.path.split(folder)
    try:
        return files.read(base, f"{above}/{name}", MAX_CONFIG_BYTES)
    except OSError as error:
        hint = "Check the file and its permissions."
        raise unreadable(path, error.strerror or "cannot be read", hint) from None


def _parsed(path: str, data: bytes) -> dict[str, object]:
    fix = "Mend the file, or write a new one with `comity init --force`."
    try:
        value: object = json.loads(data.removeprefix(_BOM).decode())
    except UnicodeDecodeError:
        raise unreadable(path, "is not UTF-8 text", fix) from None
    except json.JSONDecodeError as error:
        raise unreadable(path, f"line {error.lineno}: {error.msg}", fix, line=error.lineno) from None
    except (ValueError, RecursionError):
        raise unreadable(path, "is not JSON that can be read", fix) from None
    if not isinstance(value, dict):
        raise unreadable(path, "does not hold a JSON object", fix)
    for key in TEXT_KEYS:
        text = value.get(key)
        if text is not None and (not isinstance(text, str) or "\0" in text):
            raise unreadable(path, f"{key} must be text", fix, key=key)
    return value


def unreadable(path: str, why: str, hint: str, **data: object) -> Invalid:
    """A file of the project cannot be used."""
    return Invalid("config.unreadable", f"{path}: {why}", hint, path=path, **data)


def _upward(start: str) -> list[str]:
    """``start`` and the folders above it, up to but without the home folder, unless ``start`` is that."""
    folders = upward(start)
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


def _place_of_checkout(folder: str) -> ProjectLocation:
    git = os.path.join(folder, ".git")
    if os.path.isdir(git):
        return ProjectLocation(folder, folder, git=git)
    private = pointer(git, "gitdir:", folder)
    if private is None or not belongs(folder, private):
        return ProjectLocation(folder, folder)
    common = pointer(os.path.join(private, "commondir"), "", private)
    shared = common or private
    linked = folder if common is not None else None
    if is_bare(shared):
        return ProjectLocation(shared, folder, linked, bare=True)
    if linked is None:
        return ProjectLocation(
            folder, folder, git=private
        )  # a submodule, or a repository whose git folder lies elsewhere
    if os.path.basename(shared) == ".git":
        return ProjectLocation(os.path.dirname(shared), folder, linked, git=shared)
    checkout = os.path.realpath(os.path.join(shared, settings(shared, shared).get("core.worktree", "")))
    if git_folder(checkout) == shared:
        return ProjectLocation(checkout, folder, linked, git=shared)
    return ProjectLocation(folder, folder, linked, git=shared)  # nothing records where its main checkout lies
