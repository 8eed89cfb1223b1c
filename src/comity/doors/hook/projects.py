"""Which projects an event reaches: a file belongs to the workspace around it, wherever the session stands.

A session's own project is that of its start, as far as its host tells; mail and brief are of that one. An edit or a
command that reaches into another project is asked of that one, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib import import_module

from comity import settings
from comity.hosts.contract import HostEvent
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.project import CONFIG, FOLDER, ProjectLocation, find_workspace
from comity.settings import Settings
from comity.system.inside import within
from comity.system.surroundings import HERE

_START = settings.HOST_FOLDER
_OF_ONE = (
    "MACP_PROJECT_ROOT",
    "MACP_DB_PATH",
    "MACP_PROJECT_ID",
    _START,
)  # they say where the session's own project is
_LEAVES = r"(?:^|[\s=:'\"<>(])[/~]|\.\.|\$|\bcd\b|\bpushd\b|\s-C"
_ENTERS = r"\b(?:cd|pushd)\s+(?:--\s+)?(['\"]?)([^\s;&|'\"]+)\1"
_MOST = 4  # other projects


class Reached(NamedTuple):
    """Another project: its settings, and the files of it that are about to change."""

    settings: Settings
    files: tuple[str, ...]


def own(env: Mapping[str, str], cwd: str) -> Settings:
    """The settings of the session's own project. Raises as ``settings.resolve``."""
    here = settings.resolve({}, env, cwd)
    start = env.get(_START, "").strip()
    if not start or "${" in start or env.get("MACP_PROJECT_ROOT", "").strip() or not os.path.isdir(start):
        return here
    real = os.path.realpath(start)
    if within(real, os.path.realpath(here.root)) or (here.worktree and within(real, os.path.realpath(here.worktree))):
        return here
    there = settings.resolve({}, env, start)
    return there if there.root != here.root and os.path.isdir(os.path.dirname(there.db)) else here


def reached(heard: HostEvent, cwd: str, mine: Settings | None) -> tuple[HostEvent, list[Reached]]:
    """What is left for the session's own project, and the others that an edit or a command reaches."""
    search = _Search(mine)
    found: dict[str, list[str]] = {}
    kept = []
    for name in heard.files:
        root = search.root_of(os.path.join(cwd, name))
        if root:
            found.setdefault(root, []).append(os.path.join(cwd, name))
        else:
            kept.append(name)
    if heard.command and (mine is None or re.search(_LEAVES, heard.command) or search.root_of(os.path.join(cwd, "x"))):
        for path in _touched(heard.command, cwd):
            root = search.root_of(path)
            if root:
                found.setdefault(root, [])
    others = [Reached(search.settings[root], tuple(files)) for root, files in list(found.items())[:_MOST]]
    return heard._replace(files=tuple(kept)), others


class _Search:
    """Projects by folder; each folder is looked at once."""

    def __init__(self, mine: Settings | None) -> None:
        self._mine = mine
        self._tops = [os.path.realpath(one) for one in (mine.worktree or mine.root,)] if mine is not None else []
        self._roots: dict[str, str] = {}
        self.settings: dict[str, Settings] = {}

    def root_of(self, path: str) -> str:
        """The other project that a file belongs to; empty for the own one, and for none."""
        try:
            folder = os.path.dirname(os.path.realpath(path))
        except ValueError:
            return ""
        if folder not in self._roots:
            self._roots[folder] = "" if self._is_own(folder) else self._other(folder)
        return self._roots[folder]

    def _is_own(self, folder: str) -> bool:
        """Whether a folder lies in the own checkout, and in no other workspace inside of it."""
        for top in self._tops:
            while within(folder, top) and folder != top:
                if os.path.lexists(os.path.join(folder, FOLDER, CONFIG)):
                    return False
                folder = os.path.dirname(folder)
            if folder == top:
                return True
        return False

    def _other(self, folder: str) -> str:
        place = _workspace(folder)
        if place is None or (self._mine is not None and place.root == self._mine.root):
            return ""
        if place.root not in self.settings:
            env = {name: value for name, value in HERE.environment.items() if name not in _OF_ONE}
            try:
                found = settings.resolve({}, env, place.checkout)
            except Invalid as error:
                found = import_module("comity.spoiled_settings").around({}, env, place.checkout, error)
            if found.enforcement == "off" or not os.path.isfile(found.db):
                return ""
            self.settings[place.root] = found
        return place.root


def _workspace(folder: str) -> ProjectLocation | None:
    """The workspace around a folder: that of the repository around its own, where that has none."""
    while True:
        place, found = find_workspace(folder)
        if found:
            return place
        above = os.path.dirname(place.checkout)
        if not place.repository or above == place.checkout:
            return None
        folder = above


def _touched(command: str, cwd: str) -> list[str]:
    """Files and folders that a line may change, and the folders that its commands run in."""
    effects = import_module("comity.rooms.edits.line_changes").Line(command, cwd).changes()
    found: dict[str, None] = {}
    if effects.unknown:  # a program may write where it runs
        folders = (os.path.join(cwd, os.path.expanduser(named)) for _, named in re.findall(_ENTERS, command))
        found |= {os.path.join(folder, "x"): None for folder in (cwd, *folders)}
    for change in effects.changes:
        found[os.path.join(change.place, "x")] = None
        for path in change.paths:
            found[path] = None
            if os.path.isdir(path):
                found[os.path.join(path, "x")] = None
    return list(found)
