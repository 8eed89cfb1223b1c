"""What a shell command line may change, with what has to be looked up for that: wildcards, aliases of git, files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module

from comity.shell.changes import Change, Effects
from comity.system import repository
from comity.system.surroundings import HERE
from comity.system.wildcards import matching

_MOST_BYTES = 1_000_000  # of a file of patches, scripts or pathspecs
_MOST_FILES = 20
_OF_FILES = ("git checkout", "git restore", "git rm", "git mv", "git apply", "git am")  # they change the files named


class Line:
    """A line and the folder that it runs in."""

    def __init__(self, text: str, folder: str) -> None:
        self.text, self.folder = text, os.path.realpath(folder)
        self._read = 0

    def changes(self) -> Effects:
        """What it may change when it runs."""
        found: Effects = import_module("comity.shell.effects").effects(
            self.text, self.folder, HERE.environment, self._aliases, matching, self._content
        )
        return found

    def _aliases(self) -> Mapping[str, str]:
        """Git's own aliases of the repository around the folder; those of the user are in their own file."""
        found = git_settings(self.folder)
        return {key.removeprefix("alias."): text for key, text in found.items() if key.startswith("alias.")}

    def _content(self, path: str) -> str | None:
        """What is in a file that the line names; None for no regular file, and for many."""
        self._read += 1
        if self._read > _MOST_FILES:
            return None
        try:
            return repository.read(os.path.join(self.folder, path), _MOST_BYTES).decode("utf-8", "replace")
        except (OSError, ValueError):
            return None


def git_settings(folder: str) -> Mapping[str, str]:
    """What the repository around a folder and its user set for git, read by hand."""
    there = repository.around(folder)
    found = {} if there is None else dict(repository.settings(there.common, there.private))
    for path in (os.path.expanduser("~/.gitconfig"), os.path.expanduser("~/.config/git/config")):
        try:
            found = {**repository.parsed(os.fsdecode(repository.read(path, repository.MAX_CONFIG_BYTES))), **found}
        except OSError:
            continue
    return found


def named(changes: Sequence[Change]) -> tuple[list[str], set[str]]:
    """Files and folders that the changes name, absolute, and those of them whose content is kept in part."""
    found: dict[str, bool] = {}
    for change in changes:
        if change.how not in ("write", "remove", "replace", "move"):
            continue
        for path in change.paths:
            whole = os.path.normpath(os.path.join(change.place, path))
            by_git = change.verb.startswith("git ") and change.how != "write"
            if by_git and not (change.verb in _OF_FILES and os.path.isfile(whole)):
                continue  # of a folder it changes some files only; and what is no file may be a branch
            found[whole] = found.get(whole, True) and change.keeps
    return list(found), {path for path, keeps in found.items() if keeps}
