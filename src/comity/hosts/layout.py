"""The layout of a project: which files of which folder ``init`` and ``--remove`` write."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from comity.hosts import files, hook_edit, toml_hooks
from comity.hosts.hook_install import BY_PATH
from comity.hosts.host import Host, Version, Wiring
from comity.hosts.jsonc import MalformedJsonc, parse
from comity.hosts.target import Target
from comity.hosts.versions import taken
from comity.ignored import EXCLUDE, exclusion
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid, Problem
from comity.project import FOLDER, find_workspace, git_folder, locate, tracked

IGNORE_NAME = f"{FOLDER}/.gitignore"
EXCLUDE_NAME = EXCLUDE


class ProjectPaths(NamedTuple):
    """The folders of a project, as ``comity.project`` found them."""

    root: Path
    checkout: Path
    worktree: bool  # ``checkout`` is a linked worktree
    bare: bool


def workspace(root: Path) -> ProjectPaths:
    """Where the workspace for ``root`` is or will be. Raises Invalid when ``root`` is no folder."""
    if not root.is_dir():
        raise Invalid("init.no_folder", f"{root} is not a folder", "Run it in the project's folder.")
    found, _ = find_workspace(str(root))
    return ProjectPaths(Path(found.root), Path(found.checkout), found.worktree is not None, found.bare)


def host_files(
    place: ProjectPaths,
    picked: tuple[Host, ...],
    hooks: tuple[Wiring, ...] = (),
    program: str = BY_PATH,
    known: Collection[str] = (),
) -> list[Target]:
    """One target for each file of these hosts and of these hooks; those that share a file share the target.

    ``known`` are files that count as there.
    """
    by_file: dict[str, list[Host]] = {}
    for host in picked:
        names = (host.file, *host.others)
        there = [name for name in names if name in known or os.path.lexists(place.checkout / name)]
        by_file.setdefault((there or names)[0], []).append(host)
    wired: dict[str, list[Wiring]] = {}
    for wiring in hooks:
        wired.setdefault(wiring.file, []).append(wiring)
    committed = tracked(place.checkout, wired) if program != BY_PATH else set[str]()
    found = [Target("host", place.checkout, name, tuple(group)) for name, group in by_file.items()]
    found += [Target("hooks", place.checkout, name) for name in wired if name not in by_file]
    return [
        item._replace(
            wirings=(here := tuple(wired.get(item.name, ()))),
            program=BY_PATH if item.name in committed or any(one.shared for one in here) else program,
        )
        for item in found
    ]


def in_place(wiring: Wiring, checkout: Path) -> Wiring:
    """The hooks in the file that they belong into: beside hooks that stand in the host's settings already, since some
    hosts warn at each start of hooks in two files.
    """
    return inlined(wiring) if wiring.inline and _inline_only(wiring, checkout) else wiring


def inlined(wiring: Wiring) -> Wiring:
    """The hooks in the host's settings, which are committed."""
    return wiring._replace(file=wiring.inline, toml=True, shared=True)


def _inline_only(wiring: Wiring, checkout: Path) -> bool:
    """Whether the settings hold hooks, and the file of hooks none but ours."""
    try:
        settings = files.look(checkout, wiring.inline).data
        if settings is None or not toml_hooks.events(files.decode(wiring.inline, settings)[1], inlined(wiring)):
            return False
        own = files.look(checkout, wiring.file).data
        left = hook_edit.strip(files.decode(wiring.file, own)[1], wiring, ()) if own is not None else ""
        root = parse(left)
        plain = root.plain() if root is not None else None
    except (Problem, MalformedJsonc):
        return False
    return plain is None or _is_bare(plain)


def _is_bare(value: object) -> bool:
    """Whether nothing but empty objects and lists is in it."""
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list) and all(map(_is_bare, value))


def fitting(wiring: Wiring, version: Version | None, text: str) -> Wiring:
    """The hooks for a version where ``text`` is the host's file: a version that is not known now but was when they
    were written keeps them.
    """
    try:
        there = set(hook_edit.commands(text, wiring) if text else ())
    except MalformedJsonc:
        there = set()
    return wiring if version is None and there == set(wiring.events) else taken(wiring, version)


def excluded(place: ProjectPaths, targets: list[Target]) -> Target | None:
    """The target that keeps the workspace, and hooks with a path of this machine, out of git; None without git."""
    found = locate(place.checkout)
    top, git = found.checkout, git_folder(found.checkout) if found.bare else found.git
    if not git:
        return None
    inside = os.path.relpath(place.checkout, top)
    private = (os.path.normpath(os.path.join(inside, item.name)) for item in targets if item.program != BY_PATH)
    own = exclusion(str(place.root))
    lines = (*(own.lines if own is not None else ()), *(f"/{name.replace(os.sep, '/')}" for name in private))
    return Target("exclude", Path(git), EXCLUDE_NAME, lines=lines)


def section_name(place: ProjectPaths) -> str:
    """How the record calls the checkout."""
    return "." if place.checkout == place.root else str(place.checkout)
