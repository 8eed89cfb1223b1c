"""What git says of a work tree: a plain ``git`` process that only reads, always before a transaction, never inside one.

Whatever git cannot tell counts as nothing: a guard that cannot look lets the agent go on.
"""

from __future__ import annotations

import os
import subprocess

from comity.kernel.named_tuple import NamedTuple

TIMEOUT_S = 10.0
MAX_FILES = 20_000


class Changed(NamedTuple):
    """Paths of a work tree that differ from the last commit, absolute."""

    tracked: list[str]
    untracked: list[str]
    ignored: list[str]


class Stash(NamedTuple):
    """One stash entry."""

    name: str
    made_ms: int


def ask(folder: str, *arguments: str) -> str | None:
    """What git answers; None when it fails or takes too long."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def top(folder: str) -> str | None:
    """The work tree around a folder."""
    found = ask(folder, "rev-parse", "--show-toplevel")
    return os.path.realpath(found.strip()) if found and found.strip() else None


def changed(folder: str, *, untracked: bool = True, ignored: bool = False) -> Changed:
    """What ``git status`` lists for the work tree of ``folder``."""
    worktree = top(folder)
    arguments = ["status", "--porcelain=v1", "-z", f"--untracked-files={'all' if untracked else 'no'}"]
    if ignored:
        arguments.append("--ignored=traditional")
    text = ask(worktree, *arguments) if worktree else None
    found = Changed([], [], [])
    if worktree is None or text is None:
        return found
    fields = iter(text.split("\0"))
    for field in fields:
        if len(found.tracked) + len(found.untracked) > MAX_FILES:
            break
        if len(field) < 4:
            continue
        code, paths = field[:2], [field[3:]]
        if "R" in code or "C" in code:
            paths.append(next(fields, ""))
        kind = found.untracked if code == "??" else found.ignored if code == "!!" else found.tracked
        kind += [os.path.join(worktree, path) for path in paths if path]
    return found


def stashes(folder: str) -> list[Stash]:
    """The stash, newest first."""
    text = ask(folder, "stash", "list", "--format=%gd%x00%ct") or ""
    rows = [line.split("\0") for line in text.splitlines()]
    return [Stash(row[0], int(row[1]) * 1000) for row in rows if len(row) == 2 and row[1].isdigit()]


def stashed_files(folder: str, entry: str) -> list[str]:
    """What a stash entry changes."""
    text = ask(folder, "stash", "show", "--name-only", "-z", entry)
    return [path for path in (text or "").split("\0") if path]


def overwritten_commits(folder: str, named: tuple[str, ...]) -> list[str]:
    """Commits of the remote branch, as far as it is known here, that a forced push would take away from it."""
    remote = named[0] if named else "origin"
    source, _, target = (named[1] if len(named) > 1 else "HEAD").partition(":")
    branch = target or source
    if branch in ("HEAD", ""):
        branch = (ask(folder, "rev-parse", "--abbrev-ref", "HEAD") or "").strip()
    branch = branch.removeprefix("refs/heads/")
    known = f"refs/remotes/{remote}/{branch}"
    if not branch or ask(folder, "rev-parse", "--verify", "--quiet", known) is None:
        return []
    text = ask(folder, "log", "--format=%h %s (%an)", "-n", "20", known, "--not", source or "HEAD", "--")
    return [line for line in (text or "").splitlines() if line]
