"""Where a file belongs: to the checkout of the project in which it lies, wherever the agent is.

A path from an editing tool, or one that a command would write, is a name and never a pattern. A linked worktree that
lies inside another checkout is itself; a submodule, or another repository inside a checkout, belongs to the project
around it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from comity.rooms.claims.paths import Base, Target
from comity.rooms.claims.patterns import ROOT, normal
from comity.system import repository
from comity.system.checkouts import name_of
from comity.system.inside import within


class Places:
    """The checkouts of one project; each folder is looked at once."""

    def __init__(self, own: Base) -> None:
        self._own = own
        self._root = own.root
        self._bases: dict[str, Base | None] = {}
        self._main: repository.Repository | None = None
        self._looked = False

    def at(self, folder: str) -> Base | None:
        """The checkout around a folder, links resolved; None when that is none of this project."""
        if folder not in self._bases:
            self._bases[folder] = self._find(folder)
        return self._bases[folder]

    def target(self, path: str) -> tuple[Base, Target] | None:
        """The one file that an absolute path names, links followed, and its checkout; None for one elsewhere."""
        if "\0" in path:
            return None
        real = os.path.realpath(path)
        return self._target(real, real if os.path.isdir(real) else os.path.dirname(real))

    def entry(self, path: str) -> tuple[Base, Target] | None:
        """What lies at an absolute path, a link itself and not where it leads, and its checkout."""
        if "\0" in path or not os.path.islink(path):
            return self.target(path)
        folder = os.path.realpath(os.path.dirname(path))
        return self._target(os.path.join(folder, os.path.basename(path)), folder)

    def _target(self, real: str, folder: str) -> tuple[Base, Target] | None:
        base = self.at(folder)
        if base is None or not within(real, base.folder):
            return None
        inside = os.path.relpath(real, base.folder).replace(os.sep, "/")
        return base, Target(ROOT, tree=True) if inside == ROOT else Target(normal(inside), None)

    def sorted_out(self, paths: Iterable[str]) -> tuple[dict[Base, list[Target]], list[str]]:
        """What absolute paths name, by checkout, each once; and those that are elsewhere."""
        found: dict[Base, dict[Target, None]] = {}
        outside = []
        for path in paths:
            named = self.target(path)
            if named is None:
                outside.append(path)
            else:
                found.setdefault(named[0], {})[named[1]] = None
        return {base: list(targets) for base, targets in found.items()}, outside

    def _find(self, folder: str) -> Base | None:
        own = self._own
        if not own.folder:
            return None
        there = repository.around(folder)
        if there is not None and not there.bare and there.checkout == own.folder:
            return own  # what most paths are
        if not self._looked:
            self._main, self._looked = repository.around(self._root), True
        main = self._main
        while there is not None:
            if main is not None and there.common == main.common:
                return self._base(there, main)
            there = repository.around(os.path.dirname(there.checkout))
        return next((base for base in (own, self._whole()) if within(folder, base.folder)), None)

    def _base(self, there: repository.Repository, main: repository.Repository) -> Base | None:
        if there.bare:
            return None
        inside = os.path.relpath(self._root, main.checkout)
        if there.checkout == main.checkout:
            return self._whole()
        folder = os.path.normpath(os.path.join(there.checkout, inside))
        if folder == self._own.folder:
            return self._own
        return Base(self._own.repository, name_of(folder), folder, self._own.fold)

    def _whole(self) -> Base:
        if self._root == self._own.folder:
            return self._own
        return Base(self._own.repository, "", self._root, self._own.fold)
