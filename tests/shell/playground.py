"""A repository in which a peer has work in progress, to run shell lines in for real, and what is foretold of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from comity.shell.changes import Change, Effects, reaches, takes
from comity.shell.effects import effects
from comity.system.wildcards import matching

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
# The peer's uncommitted work, and whether git tracks the file.
WORK = {
    "r/src/a.py": True,
    "r/src/new.py": False,
    "r/my notes.txt": True,
    "r/app/[id].tsx": True,
    "wt/w.py": True,
}
ALIASES = {
    "undo": "checkout -- .",
    "co": "checkout",
    "nuke": "!git reset --hard && git clean -fd",
    "wipe": '!f() { git clean -fd "$@"; }; f',
}
_MAKE = r"""
mkdir r S home tmp && cd r && git init -q --template= -b main . && mkdir -p src/pkg docs data lib app
for f in src/a.py src/b.py src/pkg/c.py README.md docs/x.md 'my notes.txt' data/in.csv lib/u.py 'app/[id].tsx' app/i.tsx
do echo "first line of $f" > "$f"; done
printf 'all:\n\techo hi\n' > Makefile; printf '*.log\nbuild/\n*.pyc\n' > .gitignore
git add -A && git commit -qm first && git tag base
git checkout -q -b other && echo other > src/b.py && echo new > src/a2.py && git add -A && git commit -qm other
git checkout -q main && git worktree add -q -b side ../wt
cd ../wt && echo w > w.py && git add w.py && git commit -qm w
echo "A's work" > w.py; cd ../r
echo "A's work" > src/a.py; echo "A's new work" > src/new.py
echo "A's notes" > 'my notes.txt'; echo "A's" > 'app/[id].tsx'
echo log > build.log; mkdir build; echo out > build/out.o
cd ../S && mkdir empty emptysrc emptysrc2src other && mkdir emptysrc2src/src && touch ref && echo src/a.py > list.txt
echo theirs > emptysrc/a.py; echo theirs > emptysrc/b.txt; echo theirs > emptysrc2src/src/a.py; echo x > x.md
printf -- "--- a/src/a.py\n+++ b/src/a.py\n@@ -1 +1 @@\n-A's work\n+B's patch\n" > p.diff
printf -- '--- a/docs/x.md\n+++ b/docs/x.md\n@@ -1 +1 @@\n-first line of docs/x.md\n+patched\n' > docs.diff
tar cf t0.tar x.md && zip -q z0.zip x.md
cd other && git init -q --template= && echo 1 > f && git add -A && git commit -qm 1
"""


class Outcome(NamedTuple):
    """What a line did: ``unforetold`` files changed though nothing named them, ``untaken`` ones are the peer's work
    among what went; ``lost`` is the work that went, ``taken`` what was foretold to go. Paths count from the ground.
    """

    unforetold: list[str]
    untaken: list[str]
    lost: list[str]
    taken: list[str]
    ended: str


class Playground:
    """The ground that lines are tried on: each gets a copy of its own."""

    def __init__(self, folder: Path) -> None:
        self.first = folder / "first"
        self.first.mkdir()
        self._copies = folder
        _run(_MAKE, self.first, self.first)
        (self.first / "home" / ".gitconfig").write_text(
            "".join(
                f'[alias]\n\t{name} = "{line.replace(chr(34), chr(92) + chr(34))}"\n' for name, line in ALIASES.items()
            )
        )

    def copy(self, name: str) -> Path:
        """A copy, whose linked work tree is its own."""
        ground = self._copies / name
        shutil.copytree(self.first, ground, symlinks=True)
        for pointer in (ground / "wt" / ".git", ground / "r" / ".git" / "worktrees" / "wt" / "gitdir"):
            pointer.write_text(pointer.read_text().replace(str(self.first), str(ground)))
        return ground

    def foretold(self, line: str, ground: Path) -> Effects:
        """What the reader says of a line of the corpus."""
        return foretold(written(line, ground), ground / "r", environment(ground))

    def taken(self, line: str) -> list[str]:
        """The peer's work that a line would take away, as foretold; nothing is run."""
        changes = self.foretold(line, self.first).changes
        return _taken(changes, self.first)

    def outcome(self, line: str, name: str) -> Outcome:
        """Run a line of the corpus, and compare."""
        ground = self.copy(name)
        changes = self.foretold(line, ground).changes
        before = contents(ground)
        ended = _run(written(line, ground), ground / "r", ground)
        after = contents(ground)
        gone = [path for path, content in before.items() if after.get(path) != content]
        lost = [path for path in WORK if path in gone]
        taken = _taken(changes, ground)
        unforetold = [path for path in gone if not any(reaches(change, str(ground / path)) for change in changes)]
        shutil.rmtree(ground, ignore_errors=True)
        return Outcome(unforetold, [path for path in lost if path not in taken], lost, taken, ended)


def foretold(line: str, folder: Path, environ: Mapping[str, str]) -> Effects:
    """What the reader says, with all that a caller can hand it."""
    return effects(line, str(folder), environ, lambda: ALIASES, matching, _read)


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def lines(name: str) -> list[str]:
    """The lines of a file of the corpus."""
    return [
        line for line in (CORPUS / name).read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")
    ]


def written(line: str, ground: Path) -> str:
    """A line of the corpus as a shell gets it."""
    return line.replace("⏎", "\n").replace("@S@", str(ground / "S"))


def _taken(changes: tuple[Change, ...], ground: Path) -> list[str]:
    return [
        path
        for path, tracked in WORK.items()
        if any(takes(change, str(ground / path), tracked=tracked) for change in changes)
    ]


def contents(ground: Path) -> dict[str, bytes | None]:
    """The files of the repository and of its other work tree, without git's own."""
    found: dict[str, bytes | None] = {}
    for top in ("r", "wt"):
        for folder, below, names in os.walk(ground / top):
            below[:] = [name for name in below if name != ".git"]
            for path in (Path(folder) / name for name in names if name != ".git"):
                found[str(path.relative_to(ground))] = path.read_bytes() if path.is_file() else None
    return found


def environment(ground: Path) -> dict[str, str]:
    """What the line's shell has: a home of its own, and no way to anybody."""
    return {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "HOME": str(ground / "home"),
        "TMPDIR": str(ground / "tmp"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_EDITOR": "true",
        **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


def _run(line: str, folder: Path, ground: Path) -> str:
    """Run it; how it ended."""
    done = subprocess.run(
        ["bash", "-c", line],
        check=False,
        cwd=folder,
        env=environment(ground),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=30,
    )
    return f"{done.returncode} {done.stderr.strip()[:200]}"
