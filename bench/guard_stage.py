"""One schedule of ``bench guard`` in one repository: agents a step at a time, and whose lines are gone afterwards."""

from __future__ import annotations

import hashlib
import random
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from bench.guard_hooks import Hooks
from bench.guard_plans import FILES, Plan, Task, line_of

MOST_STEPS = 4000
GIT = ("git", "-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")
_UNREAD = ("generate",)  # nobody can tell beforehand what these do


class Lost(NamedTuple):
    """A line of another agent that is gone and was not committed: by what kind of task, whether its agent still lives,
    and the SHA-256 of the file in which it was.
    """

    line: str
    by: str
    living: bool
    content: str


class Agent:
    """One scripted agent, a step at a time."""

    def __init__(self, session: str, tasks: list[Task], stage: Stage, home: Path) -> None:
        self.session, self.tasks, self.stage, self.home = session, list(tasks), stage, home
        self.phase, self.thinking, self.read, self.refused = "start", 0, "", 0
        self.holds: set[str] = set()
        self.lost: list[Lost] = []

    @property
    def words(self) -> str:
        """What its lines begin with."""
        return self.session.replace("-", " ") + " "

    def act(self) -> None:
        """The next step."""
        if not self.home.is_dir():  # somebody was let remove its checkout: it has ended
            self.phase = "over"
            return
        getattr(self, f"_{self.phase}")()

    def tool(self) -> dict[str, Any]:
        """The call of a tool by which it does its task."""
        task = self.tasks[0]
        if task.kind == "write":
            path = str(self.stage.roots[task.tree] / task.file)
            return {"tool_name": "Write", "tool_input": {"file_path": path}}
        return {"tool_name": "Bash", "tool_input": {"command": self.line()}}

    def line(self) -> str:
        """The shell line of its task."""
        return line_of(self.tasks[0], self.read, self.home, self.stage.roots)

    def _start(self) -> None:
        if self.stage.hooks:
            self.stage.hooks.call("SessionStart", self.session, self.home, source="startup")
        self.phase = "look"

    def _look(self) -> None:
        task = self.tasks[0]
        self.read = self.stage.text(task.tree, task.file) if task.named else ""
        self.thinking, self.phase = task.think, "think"

    def _think(self) -> None:
        self.thinking -= 1
        if self.thinking < 0:
            self.phase = "ask"
            self._ask()

    def _ask(self) -> None:
        task, hooks = self.tasks[0], self.stage.hooks
        refusal = hooks.refusal(self.session, self.home, self.tool()) if hooks else ""
        if not refusal:
            self.refused, self.phase = 0, "do"
            if task.named:
                self.holds.add(task.file)
            return
        self.phase = "look"
        self.stage.told["must read again" if "read it again" in refusal else "refused"] += 1
        if "read it again" in refusal:
            self.holds.add(task.file)
            return
        self.refused += 1
        if task.kind not in ("write", "shell", "add", "sed"):  # not now, then
            self._done()
            return
        self.tasks.append(self.tasks.pop(0))
        if self.refused >= len(self.tasks):
            self._release({*self.holds, *self.stage.files})  # whatever it may have, also by its programs

    def _do(self) -> None:
        task = self.tasks[0]
        line = "" if task.kind == "write" else self.line()
        lost = self.stage.change(self, task, line, self.read)
        if self.stage.hooks and (self.stage.wide or task.kind == "sweep"):
            told = {"tool_calls": [self.tool()]}
            self.stage.hooks.call("PostToolBatch", self.session, self.home, **told)
        self.stage.judge(self, lost)
        if self.stage.commits and task.named:
            self.phase = "commit"
        else:
            self._done()

    def _commit(self) -> None:
        task = self.tasks[0]
        self.stage.commit(task)
        self._done()

    def _done(self) -> None:
        task = self.tasks.pop(0)
        if task.release:
            self._release({task.file} & self.holds)
        self.phase = "look" if self.tasks else "end"

    def _release(self, files: set[str]) -> None:
        if files and self.stage.hooks:
            self.stage.hooks.release(self.session, self.home, sorted(files))
        for file in files:
            lines = self.stage.text(self.stage.roots.index(self.home), file).splitlines()
            self.stage.free |= {line for line in lines if line.startswith(self.words)}
        self.holds -= files

    def _end(self) -> None:
        if self.stage.hooks:
            self.stage.hooks.call("SessionEnd", self.session, self.home, reason="other")
        self.phase = "over"


class Stage:
    """One schedule in one repository. ``roots`` are its checkouts, the first and the linked ones."""

    def __init__(self, root: Path, made: Plan, hooks: Hooks | None) -> None:
        self.root, self.commits, self.wide, self.hooks = root, made.commits, made.wide, hooks
        self.files = made.files
        self.told: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.roots = [root, *(root.with_name(f"{root.name}-{number}") for number in range(1, made.trees))]
        for tree in self.roots[1:]:
            self.git("worktree", "add", "-q", "-b", f"of-{tree.name}", str(tree))
        self.free: set[str] = set()
        homes = [self.roots[place] for place in made.homes]
        self.agents = [Agent(f"agent-{number}", tasks, self, homes[number]) for number, tasks in enumerate(made.tasks)]

    def play(self, chance: random.Random) -> bool:
        """Whether it came to its end."""
        for _ in range(MOST_STEPS):
            acting = [agent for agent in self.agents if agent.phase != "over"]
            if not acting:
                return True
            chance.choice(acting).act()
        return False

    def text(self, tree: int, file: str) -> str:
        """What is in a file; nothing where there is none."""
        path = self.roots[tree] / file
        return path.read_text() if path.is_file() else ""

    def change(self, agent: Agent, task: Task, line: str, read: str) -> list[Lost]:
        """Do it, and see whose lines are gone."""
        before = self._contents()
        if task.kind == "write":
            path = self.roots[task.tree] / task.file
            if self.roots[task.tree].is_dir():
                path.parent.mkdir(exist_ok=True)
                path.write_text(read + task.line + "\n")
        else:
            subprocess.run(["bash", "-c", line], cwd=agent.home, capture_output=True, check=False)
        left = {line for text in self._contents().values() for line in text.splitlines()}
        lost = []
        for text in before.values():
            for gone in text.splitlines():
                if gone in left or not gone.startswith("agent ") or gone.startswith(agent.words):
                    continue
                if gone in self.free and task.kind not in ("write", "shell", "add", "sed"):
                    continue  # git has it, or its agent let go of the file
                living = any(gone.startswith(one.words) and one.phase != "over" for one in self.agents)
                lost.append(Lost(gone, task.kind, living, hashlib.sha256(text.encode()).hexdigest()))
        return lost

    def judge(self, agent: Agent, lost: list[Lost]) -> None:
        """Count what is gone: what a peer lost to something that could be read, and what was not kept or not told."""
        kept, told = self._copies() if lost and self.hooks else (set(), set())
        others = (one for one in self.agents if one is not agent)
        busy = any(one.phase == "do" and one.tasks[0].kind != "write" for one in others)
        for one in lost:
            unread = one.by in _UNREAD
            self.found["destroyed by programs"] += unread and one.living
            self.found["removed after its agent had gone"] += not one.living
            self.found["overwritten"] += one.living and not unread
            self.found["without a copy"] += one.content not in kept
            untold = one.living and unread and one.content not in told
            self.found["untold"] += untold and not busy
            self.found["untold beside commands of others"] += untold and busy  # one of them may have done it

    def commit(self, task: Task) -> None:
        """Commit the file of a task, and whatever of it is there."""
        tree = self.roots[task.tree]
        if tree.is_dir():
            self.git("add", "--", task.file, tree=tree)
            self.git("commit", "-q", "-m", "Edit.", "--", task.file, tree=tree)
            shown = subprocess.run([*GIT, "show", f"HEAD:{task.file}"], cwd=tree, capture_output=True, check=False)
            self.free |= {line for line in shown.stdout.decode().splitlines() if line.startswith("agent ")}

    def git(self, *arguments: str, tree: Path | None = None) -> None:
        """A git command that may have nothing to do."""
        subprocess.run([*GIT, *arguments], cwd=tree or self.root, capture_output=True, check=False)

    def _contents(self) -> dict[Path, str]:
        """The files of every checkout, moved ones too."""
        places = [*self.roots, *(root.with_name(f"{root.name}.old") for root in self.roots)]
        return {
            path: path.read_text() for place in places for path in (place / name for name in FILES) if path.is_file()
        }

    def _copies(self) -> tuple[set[str], set[str]]:
        """What is kept, and what of it is known to be lost."""
        assert self.hooks is not None
        connection = apsw.Connection(str(self.hooks.database), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            rows = list(connection.execute("SELECT content, lost_ms FROM comity_versions"))
        finally:
            connection.close()
        folder = self.hooks.database.parent / "copies"
        kept = {str(content) for content, _ in rows if (folder / content[:2] / content[2:]).is_file()}
        return kept, {str(content) for content, lost_ms in rows if lost_ms is not None}


def repository(folder: Path) -> None:
    """A repository with six files, a program that writes each of them, a second branch and a commit."""
    (folder / "src").mkdir(parents=True)
    (folder / "tools").mkdir()
    for name in FILES:
        (folder / name).write_text("# A file.\n")
    rules = (f"{Path(name).stem}:\n\techo '# made' > {name}\n" for name in FILES)
    (folder / "Makefile").write_text("".join(rules))
    cases = "".join(f"{place}) echo '# generated' > {name} ;;\n" for place, name in enumerate(FILES))
    (folder / "tools/generate.sh").write_text(f'case "$1" in\n{cases}esac\n')
    (folder / ".gitignore").write_text(".macp/\n")
    (folder / ".macp").mkdir()
    (folder / ".macp/config.json").write_text('{"projectId": "bench"}')
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Begin."], ["branch", "side"]):
        subprocess.run([*GIT, *arguments], cwd=folder, check=True, capture_output=True)
