"""A checkout in which Ann has staged and unstaged work, to run Bob's lines in for real."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "shared_index.txt"
ANNS = {"src/a.py": "Ann's, staged\n", "src/u.py": "Ann's, not staged\n", "src/new.py": "Ann's new file\n"}
BOBS = {"b.py": "Bob's\n", "b2.py": "Bob's, staged\n", "own.py": "Bob's new file\n", "docs/x.md": "Bob's\n"}
_MAKE = """
git init -q --template= -b main . && mkdir src docs build
for f in src/a.py src/u.py b.py docs/x.md lib.py README.md; do echo "first $f" > $f; done
printf 'build/\\n.macp/\\n' > .gitignore; echo x > build/out
git add -A && git commit -qm first && git checkout -q -b topic && echo more > README.md && git commit -qam second
git checkout -q -b other && echo other > lib.py && git commit -qam third && git checkout -q topic
mkdir -p ../S/other && cd ../S/other && git init -q --template= -b main . && echo 1 > f && git add f && git commit -qm 1
"""


class Harm(NamedTuple):
    """What became of Ann's: files that a new commit has taken in, staging that went, and bytes that changed."""

    committed: list[str]
    unstaged: list[str]
    changed: list[str]


def lines() -> list[tuple[bool, str]]:
    """Whether each line of the corpus does harm, and the line."""
    written = CORPUS.read_text(encoding="utf-8").splitlines()
    return [(line[0] == "!", line[2:]) for line in written if line[:2] in ("! ", "+ ")]


def make(ground: Path) -> Path:
    """The checkout, before anybody works in it."""
    (ground / "r").mkdir(parents=True)
    run(_MAKE, ground / "r")
    return ground / "r"


def stage(folder: Path) -> None:
    """Ann and Bob stage what they stage; their files are written."""
    run("git add src/a.py b2.py", folder)


def written(line: str, folder: Path) -> str:
    """A line of the corpus as a shell gets it."""
    return line.replace("⏎", "\n").replace("@S@", str(folder.parent / "S"))


def harm(line: str, first: Path, ground: Path) -> Harm:
    """Run a line in a copy of the ground, and look at what is Ann's."""
    shutil.copytree(first.parent, ground, symlinks=True)
    folder = ground / first.name
    before, staged = run("git rev-parse HEAD", folder).strip(), run("git ls-files -s -- src", folder)
    run(written(line, folder), folder)
    made = run(
        f"git log --format= --name-only HEAD ^{before} ^other -- src; git diff --name-only {before} HEAD", folder
    )
    after = run("git ls-files -s -- src", folder).splitlines()
    found = Harm(
        sorted({name for name in made.split() if name in ANNS}),
        [entry for entry in staged.splitlines() if "src/a.py" in entry and entry not in after],
        [name for name, text in ANNS.items() if not (folder / name).is_file() or (folder / name).read_text() != text],
    )
    shutil.rmtree(ground, ignore_errors=True)
    return found


def run(line: str, folder: Path) -> str:
    """What a shell prints for a line, in an environment of its own."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        ["bash", "-c", line],
        check=False,
        cwd=folder,
        env={
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_EDITOR": "true",
            **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
    )
    return done.stdout
