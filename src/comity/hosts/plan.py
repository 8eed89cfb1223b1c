"""The plan of ``init``, file by file, and its report."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from comity.hosts import files, init_record
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem

Action = Literal["create", "update", "unchanged", "skipped", "restore", "delete"]
WRITES = ("create", "update", "restore", "delete")


class Options(NamedTuple):
    """The options of ``comity init``; ``hosts`` None means all."""

    project_id: str | None = None
    channel: str | None = None
    db: str | None = None
    force: bool = False
    hosts: tuple[str, ...] | None = None
    dry_run: bool = False
    remove: bool = False
    hooks: bool = True
    git_hooks: bool = False
    url: str | None = None
    token_env: str | None = None


DEFAULTS = Options()


class FileChange(NamedTuple):
    """One file. ``name`` is for people, relative to the checkout; ``path`` is absolute, links followed."""

    name: str
    path: Path
    action: Action
    before: bytes | None
    after: bytes | None
    note: str = ""
    problem: Problem | None = None
    hosts: tuple[str, ...] = ()  # names of the hosts that read the file

    @property
    def writes(self) -> bool:
        return self.action in WRITES


class Plan(NamedTuple):
    """All changes, in the order in which they are made. ``root`` holds ``.macp``, hosts open ``checkout``."""

    root: Path
    checkout: Path
    project_id: str
    channel: str
    db: str
    changes: tuple[FileChange, ...]
    options: Options
    notes: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()  # to be removed, when they are empty, after the files

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(change.problem for change in self.changes if change.problem is not None)

    @property
    def writes(self) -> tuple[FileChange, ...]:
        return tuple(change for change in self.changes if change.writes)

    def diff(self) -> str:
        """The changes as a unified diff; the record of what was there before is left out."""
        shown = (change for change in self.writes if change.name != init_record.NAME)
        return "".join("".join(_diff(change)) for change in shown)


class InitReport(NamedTuple):
    """What was done. ``exit_code`` is 0, or that of the first Problem."""

    plan: Plan
    written: tuple[FileChange, ...]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def exit_code(self) -> int:
        return self.problems[0].exit_code if self.problems else 0


def apply(plan: Plan) -> InitReport:
    """Write what the plan says; with ``dry_run`` nothing. A file that cannot be written stops no other one."""
    problems = list(plan.problems)
    written: list[FileChange] = []
    for change in () if plan.options.dry_run else plan.writes:
        try:
            files.replace(
                change.path, change.before, change.after, private=change.name in (init_record.NAME, files.CONFIG_NAME)
            )
        except Problem as problem:
            problems.append(problem)
            if change.name == init_record.NAME and change.action != "delete":
                break  # without the record nothing could be given back
        else:
            written.append(change)
    if not plan.options.dry_run:
        for folder in sorted(plan.folders, key=lambda path: len(path.parts), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                os.rmdir(folder)
    return InitReport(plan, tuple(written), tuple(problems))


def _diff(change: FileChange) -> Iterator[str]:
    old = "/dev/null" if change.before is None else f"a/{change.name}"
    new = "/dev/null" if change.after is None else f"b/{change.name}"
    lines = difflib.unified_diff(_lines(change.before), _lines(change.after), old, new)
    for line in lines:
        yield line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"


def _lines(data: bytes | None) -> list[str]:
    text = (data or b"").decode("utf-8", errors="replace")
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
