"""Checks of worktrees and of attempts to bring branches home: what a killed process left, and whose work lies about."""

from __future__ import annotations

from collections.abc import Iterator

from comity.dialects.words import COMMAND_LINE
from comity.doors.cli.findings import Finding, ok, warn
from comity.doors.cli.screen import count
from comity.rooms.worktrees.survey import NO_REPOSITORY
from comity.workspace import Workspace


def of(workspace: Workspace) -> Iterator[Finding]:
    """What the lists of both say that needs somebody's hand."""
    listed, attempts = workspace.worktree.list(), workspace.integration.list().integrations
    left = [note for note in listed.notes if note != NO_REPOSITORY]
    for note in left:
        yield warn("Worktrees", COMMAND_LINE.say(note).rstrip("."), "")
    dead = [(one, note) for one in attempts for note in one.notes]
    for one, note in dead:
        yield warn("Integration", f"into {one.base}: {COMMAND_LINE.say(note).rstrip('.')}", "")
    if not (left or dead) and len(listed.worktrees) > 1:
        yield ok("Worktrees", f"{count(len(listed.worktrees), 'checkout')}, none left half made")
