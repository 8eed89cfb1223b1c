"""Two sides of random edits, renames, deletions, modes, binary files and uncommitted work, and what git does."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

_IDENTITY = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
_NAMES = [f"src/f{number}.txt" for number in range(3)] + ["docs/a.md", "img.bin"]
_LINES = 12


def git(folder: Path, *arguments: str, fails: bool = False) -> int:
    """Run git; its exit code, which is 0 unless it may fail."""
    done = subprocess.run(["git", *_IDENTITY, *arguments], cwd=folder, capture_output=True, check=False)
    assert fails or done.returncode == 0, done.stderr
    return done.returncode


def begin(folder: Path, dice: random.Random) -> None:
    """A repository with one commit."""
    for name in _NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{name} {number} {dice.random()}\n" for number in range(_LINES)]
        (folder / name).write_bytes(dice.randbytes(900) if name.endswith(".bin") else "".join(lines).encode())
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "Begin.")


def change(folder: Path, dice: random.Random) -> None:
    """Some random changes to the work tree, some of them committed."""
    for _ in range(dice.randint(1, 5)):
        files = sorted(path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
        _one(folder, dice.choice([path for path in files if path.name != ".git"]), dice)
        if dice.random() < 0.6:
            git(folder, "add", "-A")
            git(folder, "commit", "-qm", "More.", "--allow-empty")


def _one(folder: Path, path: Path, dice: random.Random) -> None:
    kind = dice.choice(["line", "line", "line", "append", "delete", "rename", "mode", "new", "binary", "folder"])
    if kind == "line" and path.suffix != ".bin":
        lines = path.read_text().splitlines(keepends=True) or ["x\n"]
        lines[dice.randrange(len(lines))] = f"edited {dice.random()}\n"
        path.write_text("".join(lines))
    elif kind == "append" and path.suffix != ".bin":
        path.write_text(path.read_text() + f"end {dice.random()}\n")
    elif kind == "delete":
        path.unlink()
    elif kind == "rename":
        path.rename(path.with_name(f"{path.stem}-{dice.randint(1, 3)}{path.suffix}"))
    elif kind == "mode":
        path.chmod(0o755 if path.stat().st_mode & 0o100 == 0 else 0o644)
    elif kind == "new":
        (folder / "src" / f"new{dice.randint(1, 3)}.txt").write_text(f"{dice.choice('ab')}\n" * 5)
    elif kind == "binary":
        (folder / "img.bin").write_bytes(dice.randbytes(900))
    elif kind == "folder":
        place = folder / "lib" / dice.choice(["x", "y"])
        place.mkdir(parents=True, exist_ok=True)
        (place / "n.txt").write_text(f"{dice.random()}\n")


def conflicts(one: Path, other: Path) -> set[str] | None:
    """What ``git merge`` does when both have committed all they have: the files that it leaves unmerged."""
    for side in (one, other):
        git(side, "add", "-A")
        git(side, "commit", "-qm", "All.", "--allow-empty")
    tip = subprocess.run(["git", "rev-parse", "HEAD"], cwd=other, capture_output=True, text=True, check=True).stdout
    if git(one, "merge", "-q", "--no-edit", tip.strip(), fails=True) == 0:
        return set()
    said = subprocess.run(["git", "ls-files", "-u", "-z"], cwd=one, capture_output=True, text=True, check=True).stdout
    return {field.partition("\t")[2] for field in said.split("\0") if field}
