"""What the agents of ``bench guard`` set out to do: seeded plans, and the shell line of each task."""

from __future__ import annotations

import random
import shlex
from pathlib import Path
from typing import NamedTuple

FILES = tuple(f"src/{letter}.py" for letter in "abcdef")
# What takes many files away; {main} is the first checkout, {tree} a linked one.
SWEEPS = ("git stash", "git reset -q --hard", "git checkout -q -- .", "git clean -fdq")
WIDE_SWEEPS = (
    *SWEEPS,
    *("git stash -u", "git stash -q && git stash pop -q", "git restore .", "git clean -fdq src && git reset -q --hard"),
    *("rm -rf src", "rm -rf src/*", "find src -name '*.py' -delete", "git ls-files src | xargs rm -f"),
    *("git -C {main} checkout -q -- .", "rm -rf {main}/src", "cd {main} && git stash -q", "git rm -rfq src"),
    *("git worktree remove --force {tree}", "rm -rf {tree}", "mv {tree} {tree}.old", "git -C {tree} reset -q --hard"),
)
BRANCHES = (
    *("git checkout -q -b {new}", "git switch -q -c {new}", "git checkout -q -", "git switch -q side"),
    *("git checkout -q main", "git checkout -q -f main", "git switch -q --discard-changes side"),
)
_USUAL = ("write",) * 6 + ("shell",) * 2 + ("add",)
_WIDE = (*_USUAL, "add", *("sed", "remove", "move", "copy", "make", "branch"), *("sweep", "generate") * 2)


class Task(NamedTuple):
    """What an agent does in the checkout ``tree``: ``write`` (its editing tool) and ``shell`` replace a file, ``add``
    and ``sed`` append to it; ``sweep`` and ``branch`` are a command in ``file``; ``generate`` runs a program that
    writes the file, and no line says so; ``other`` is a second file.
    """

    kind: str
    file: str
    line: str
    think: int
    release: bool
    tree: int = 0
    other: str = ""

    @property
    def named(self) -> bool:
        """Whether it is about one file."""
        return self.kind not in ("sweep", "branch")


class Plan(NamedTuple):
    """All of a schedule but who acts when, which the same seed decides. ``homes``: in which checkout each agent is."""

    files: list[str]
    tasks: list[list[Task]]
    commits: bool
    wide: bool
    homes: list[int]
    trees: int


def plan(chance: random.Random, *, wide: bool) -> Plan:
    """Two to eight agents with two to five tasks each on three to six files; half of the plans commit.

    ``wide`` plans know shell writers, generators, branches, sweeps of every kind, and up to two linked checkouts.
    """
    files = list(FILES[: chance.randint(3, 6)])
    commits = chance.random() < 0.5
    kinds = _WIDE if wide else _USUAL + ("sweep",) * commits
    trees = chance.choice((1, 1, 2, 3)) if wide else 1
    agents, homes = [], []
    for number in range(chance.randint(2, 8)):
        home = chance.randrange(trees)
        homes.append(home)
        tasks = []
        for place in range(chance.randint(2, 5)):
            kind = chance.choice(kinds)
            tree = home if chance.random() < 0.85 else chance.randrange(trees)
            file = chance.choice(files)
            if kind == "sweep":
                sweeps = [one for one in WIDE_SWEEPS if trees > 1 or "{tree}" not in one] if wide else SWEEPS
                file = chance.choice(sweeps)
            elif kind == "branch":
                file = chance.choice(BRANCHES).replace("{new}", f"topic-{number}-{place}")
            line = f"agent {number} edit {place}"
            think, release = chance.randint(0, 3), chance.random() < 0.5
            tasks.append(Task(kind, file, line, think, release, tree, chance.choice(files)))
        agents.append(tasks)
    return Plan(files, agents, commits, wide, homes, trees)


def line_of(task: Task, read: str, home: Path, roots: list[Path]) -> str:
    """The shell line of a task, as its agent gives it where it is at ``home``; ``read`` is what it has read before."""
    there = roots[task.tree]
    path = shlex.quote(task.file if there == home else str(there / task.file))
    if task.kind in ("sweep", "branch"):
        return task.file.replace("{main}", str(roots[0])).replace("{tree}", str(roots[-1]))
    if task.kind == "add":
        return f"echo '{task.line}' >> {path}"
    if task.kind == "sed":
        return f"sed -i -e '$a\\' -e '{task.line}' {path}"
    if task.kind == "remove":
        return f"rm -f {path}"
    other = shlex.quote(task.other if there == home else str(there / task.other))
    if task.kind in ("move", "copy"):
        return f"{'mv' if task.kind == 'move' else 'cp'} {other} {path}"
    if task.kind == "make":
        return f"make -s {Path(task.file).stem}"
    if task.kind == "generate":
        return f"sh tools/generate.sh {FILES.index(task.file)}"
    return f"mkdir -p src; cat > {path} <<'END'\n{read}{task.line}\nEND"
