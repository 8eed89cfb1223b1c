"""Agents with worktrees in one real repository."""

from __future__ import annotations

from tests.rooms.worktrees.conftest import ann, bob, git, machine, root, store, world

__all__ = ["ann", "bob", "git", "machine", "root", "store", "world"]
