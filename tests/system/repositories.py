"""Real repositories for the tests of what git is asked."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Tess",
    "GIT_AUTHOR_EMAIL": "tess@example.com",
    "GIT_COMMITTER_NAME": "Tess",
    "GIT_COMMITTER_EMAIL": "tess@example.com",
}
_ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "file"}


def git(folder: Path, *arguments: object, check: bool = True, stdin: bytes = b"") -> str:
    """What plain git answers, with nothing of this machine's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *map(str, arguments)],
        cwd=folder,
        env={**kept, **IDENTITY, **_ALONE},
        input=stdin,
        check=check,
        capture_output=True,
        timeout=60,
    )
    return os.fsdecode(done.stdout)


def write(folder: Path, *names: str, text: str = "1\n") -> None:
    """Files with the same content."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def commit(folder: Path, message: str = "Work.") -> None:
    """Everything that is there."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)


def repository(folder: Path, *options: str) -> Path:
    """One with a few committed files: a.txt, b.txt, src/c.txt."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main", *options)
    write(folder, "a.txt", "b.txt", "src/c.txt")
    write(folder, ".gitignore", text="*.log\n")
    commit(folder)
    return folder


def dirty(folder: Path) -> Path:
    """Every kind of change: edited, staged, both, removed, new, renamed, ignored."""
    write(folder, "b.txt", text="edited\n")
    write(folder, "staged.txt", text="staged\n")
    git(folder, "add", "staged.txt")
    write(folder, "staged.txt", text="and edited\n")
    write(folder, "new/deep ü.txt", "out.log")
    if (folder / "src/c.txt").exists():
        git(folder, "mv", "src/c.txt", "src/d.txt")
    return folder


def listed(folder: Path, *options: str) -> dict[str, set[str]]:
    """What plain ``git status`` lists: tracked, untracked and ignored paths, absolute."""
    asked = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignored=traditional", *options)
    found: dict[str, set[str]] = {"tracked": set(), "untracked": set(), "ignored": set()}
    for field in git(folder, "status", *asked).split("\0"):
        kind = {"??": "untracked", "!!": "ignored"}.get(field[:2], "tracked")
        if field:
            found[kind].add(os.path.join(folder, field[3:]))
    return found
