"""Agents that edit the same files: what they overwrite of each other's work with the guard, and without it.

Two to eight scripted agents work in one real git repository. Each reads a file, thinks, and writes it back with a line
of its own; some write through the shell, add to a file, or run ``git stash`` and the like. A seeded schedule says who
acts next, so that reading, asking and writing interleave. An edit is overwritten when a line of one agent disappears by
what another one does. A schedule that does not come to its end is a deadlock.

With the guard every edit is asked for as Claude Code asks: ``comity hook claude-code PreToolUse`` with the host's JSON.
The first schedules run the installed executable; the others the same program in a process of its own for each call,
forked from one that has loaded it.

    python -m bench guard                            # a thousand schedules
    python -m bench guard --quick                    # fifty, all with the executable
    python -m bench.guard --seeds 17 18 --executable # one again
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from bench.figures import Figure, Options
from comity.doors.hook import run as hook_program
from comity.hosts.contract import adapter_of
from comity.kernel.call import Pipeline
from comity.kernel.clock import SystemClock
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.scope import Actor
from comity.rooms import REGISTRY
from comity.rooms.agents.sessions import require_session
from comity.store.sqlite import SqliteStore

SCHEDULES, EXECUTABLE, QUICK = 1000, 50, 50
WORKERS = 2
MOST_STEPS = 4000
_TOLD = 50  # schedules between two words about how far it is
_SWEEPS = ("git stash", "git reset -q --hard", "git checkout -q -- .", "git clean -fdq")
_GIT = ("git", "-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")
_ASKED = (
    "turn.start",
    "turn.written",
    "turn.next",
    "edit.check",
    "command.check",
    "edit.compare",
    "edit.pending",
    "edit.landed",
    "work.settle",
    "session.leave",
    "claim.release",
)
_MINE = ("MACP_", "COMITY_", "CLAUDE", "GEMINI")


class Task(NamedTuple):
    """What an agent does: ``write`` and ``shell`` replace a file, ``add`` appends to it, ``sweep`` is a git command."""

    kind: str
    file: str
    line: str
    think: int
    release: bool


class Plan(NamedTuple):
    """All of a schedule but who acts when, which the same seed decides."""

    files: list[str]
    tasks: list[list[Task]]
    commits: bool


def plan(chance: random.Random) -> Plan:
    """Two to eight agents with two to five tasks each on three to six files; half of the plans know git commands."""
    files = [f"src/{letter}.py" for letter in "abcdef"[: chance.randint(3, 6)]]
    commits = chance.random() < 0.5
    kinds = ["write"] * 6 + ["shell"] * 2 + ["add"] + ["sweep"] * commits
    agents = []
    for number in range(chance.randint(2, 8)):
        tasks = []
        for place in range(chance.randint(2, 5)):
            kind = chance.choice(kinds)
            file = chance.choice(_SWEEPS) if kind == "sweep" else chance.choice(files)
            line = f"agent {number} edit {place}"
            tasks.append(Task(kind, file, line, chance.randint(0, 3), chance.random() < 0.5))
        agents.append(tasks)
    return Plan(files, agents, commits)


class Hooks:
    """The guard as a host calls it. ``executable``: the installed program, else the same one forked from here."""

    def __init__(self, root: Path, executable: bool) -> None:
        self.root, self.executable, self.calls = root, executable, 0
        self.database = root / ".macp" / "bench.macp.db"
        if not executable:
            adapter_of("claude-code")
            for name in _ASKED:
                REGISTRY.get(name)

    def call(self, event: str, session: str, **payload: object) -> dict[str, Any]:
        """What the hook answers."""
        told = {"session_id": session, "cwd": str(self.root), "hook_event_name": event, **payload}
        data = json.dumps(told).encode()
        self.calls += 1
        out = self._run(event, data) if self.executable else self._forked(event, data)
        return dict(json.loads(out).get("hookSpecificOutput", {})) if out.strip() else {}

    def refusal(self, session: str, task: Task) -> str:
        """Why this task must not be done now; empty when it may."""
        if task.kind == "write":
            tool, asked = "Write", {"file_path": str(self.root / task.file)}
        else:
            tool, asked = "Bash", {"command": command(task)}
        answer = self.call("PreToolUse", session, tool_name=tool, tool_input=asked)
        denied = answer.get("permissionDecision") == "deny"
        return str(answer.get("permissionDecisionReason")) if denied else ""

    def release(self, session: str, files: list[str]) -> None:
        """As the tool ``macp_ext_release_files`` does."""
        child = os.fork()
        if child == 0:
            code = 1
            try:
                store = SqliteStore(self.database)
                pipeline = Pipeline(store, SystemClock(), TimeOrderedIds(), session=require_session)
                actor = Actor(session, f"claude-code:{session}", root=str(self.root))
                pipeline.run(REGISTRY.get("claim.release"), actor, {"files": files})
                code = 0
            finally:
                os._exit(code)
        os.waitpid(child, 0)

    def _run(self, event: str, data: bytes) -> bytes:
        program = Path(sys.executable).with_name("comity")
        return subprocess.run(
            [program, "hook", "claude-code", event], input=data, stdout=subprocess.PIPE, cwd=self.root, check=True
        ).stdout

    def _forked(self, event: str, data: bytes) -> bytes:
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answered:
            asked.write(data)
            asked.seek(0)
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    os.chdir(self.root)
                    os.dup2(asked.fileno(), 0)
                    os.dup2(answered.fileno(), 1)
                    code = hook_program.main(["claude-code", event])
                finally:
                    os._exit(code)
            os.waitpid(child, 0)
            answered.seek(0)
            return answered.read()


def command(task: Task) -> str:
    """The shell command of a task."""
    if task.kind == "sweep":
        return task.file
    if task.kind == "add":
        return f"echo '{task.line}' >> {task.file}"
    return f"cat > {task.file} <<'END'\n{task.line}\nEND"


class Agent:
    """One scripted agent, a step at a time."""

    def __init__(self, session: str, tasks: list[Task], stage: Stage) -> None:
        self.session, self.tasks, self.stage = session, list(tasks), stage
        self.phase, self.thinking, self.read, self.refused = "start", 0, "", 0
        self.holds: set[str] = set()

    def act(self) -> None:
        """The next step."""
        getattr(self, f"_{self.phase}")()

    def _start(self) -> None:
        if self.stage.hooks:
            self.stage.hooks.call("SessionStart", self.session, source="startup")
        self.phase = "look"

    def _look(self) -> None:
        task = self.tasks[0]
        self.read = "" if task.kind == "sweep" else (self.stage.root / task.file).read_text()
        self.thinking, self.phase = task.think, "think"

    def _think(self) -> None:
        self.thinking -= 1
        if self.thinking < 0:
            self.phase = "ask"
            self._ask()

    def _ask(self) -> None:
        task, hooks = self.tasks[0], self.stage.hooks
        refusal = hooks.refusal(self.session, task) if hooks else ""
        if not refusal:
            self.refused, self.phase = 0, "do"
            if task.kind != "sweep":
                self.holds.add(task.file)
            return
        self.phase = "look"
        self.stage.told["must read again" if "read it again" in refusal else "refused"] += 1
        if "read it again" in refusal:
            self.holds.add(task.file)
            return
        self.refused += 1
        if task.kind == "sweep":  # not now, then
            self._done()
            return
        self.tasks.append(self.tasks.pop(0))
        if self.refused >= len(self.tasks):
            self._release(set(self.holds))

    def _do(self) -> None:
        task = self.tasks[0]
        self.stage.change(self.session, task, self.read)
        if task.kind == "sweep" and self.stage.hooks:
            ran = {"tool_name": "Bash", "tool_input": {"command": command(task)}}
            self.stage.hooks.call("PostToolBatch", self.session, tool_calls=[ran])
        if self.stage.commits and task.kind != "sweep":
            self.phase = "commit"
        else:
            self._done()

    def _commit(self) -> None:
        self.stage.git("commit", "-q", "-m", "Edit.", "--", self.tasks[0].file)
        self._done()

    def _done(self) -> None:
        task = self.tasks.pop(0)
        if task.release:
            self._release({task.file} & self.holds)
        self.phase = "look" if self.tasks else "end"

    def _release(self, files: set[str]) -> None:
        if files and self.stage.hooks:
            self.stage.hooks.release(self.session, sorted(files))
        self.holds -= files

    def _end(self) -> None:
        if self.stage.hooks:
            self.stage.hooks.call("SessionEnd", self.session, reason="other")
        self.phase = "over"


class Stage:
    """One schedule in one repository."""

    def __init__(self, root: Path, made: Plan, hooks: Hooks | None) -> None:
        self.root, self.commits, self.hooks = root, made.commits, hooks
        self.files = made.files
        self.told: Counter[str] = Counter()
        self.overwritten: list[str] = []
        self.agents = [Agent(f"agent-{number}", tasks, self) for number, tasks in enumerate(made.tasks)]

    def play(self, chance: random.Random) -> bool:
        """Whether it came to its end."""
        for _ in range(MOST_STEPS):
            acting = [agent for agent in self.agents if agent.phase != "over"]
            if not acting:
                return True
            chance.choice(acting).act()
        return False

    def change(self, session: str, task: Task, read: str) -> None:
        """Do it, and see whose lines are gone."""
        before = self._lines()
        if task.kind == "sweep":
            subprocess.run([*_GIT, *task.file.split()[1:]], cwd=self.root, capture_output=True, check=False)
        elif task.kind == "add":
            with (self.root / task.file).open("a") as file:
                file.write(task.line + "\n")
        else:
            (self.root / task.file).write_text(read + task.line + "\n")
        gone = before - self._lines()
        own = session.replace("-", " ") + " "
        self.overwritten += sorted(line for line in gone if not line.startswith(own))

    def git(self, *arguments: str) -> None:
        """A git command that may have nothing to do."""
        subprocess.run([*_GIT, *arguments], cwd=self.root, capture_output=True, check=False)

    def _lines(self) -> set[str]:
        texts = ((self.root / name).read_text() for name in self.files)
        return {line for text in texts for line in text.splitlines() if line.startswith("agent ")}


def repository(folder: Path) -> Path:
    """A repository with six files, a commit and an empty database, to be copied."""
    (folder / "src").mkdir(parents=True)
    for letter in "abcdef":
        (folder / f"src/{letter}.py").write_text("# A file.\n")
    (folder / ".gitignore").write_text(".macp/\n")
    (folder / ".macp").mkdir()
    (folder / ".macp/config.json").write_text(json.dumps({"projectId": "bench"}))
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin."]):
        subprocess.run([*_GIT, *arguments], cwd=folder, check=True, capture_output=True)
    program = "import sys; from comity.store.sqlite import SqliteStore; SqliteStore(sys.argv[1]).close()"
    subprocess.run([sys.executable, "-c", program, folder / ".macp/bench.macp.db"], check=True)
    return folder


def run_seeds(seeds: range, executable: int, folder: Path) -> dict[str, Any]:
    """Each seed with the guard and without it. Seeds below ``executable`` run the installed program."""
    template = repository(folder / "template")
    total: Counter[str] = Counter()
    bad: list[int] = []
    for place, seed in enumerate(seeds):
        if place and place % _TOLD == 0:
            print(f"{place} of {len(seeds)} schedules, {len(bad)} bad", file=sys.stderr, flush=True)
        for guarded in (True, False):
            root = folder / "repository"
            shutil.copytree(template, root)
            made = plan(random.Random(seed))
            hooks = Hooks(root, seed < executable) if guarded else None
            stage = Stage(root, made, hooks)
            ended = stage.play(random.Random(f"order {seed}"))
            way = "guarded" if guarded else "bare"
            total[f"{way} overwritten"] += len(stage.overwritten)
            total[f"{way} deadlocks"] += not ended
            total[f"{way} schedules hurt"] += bool(stage.overwritten)
            total[f"{way} edits"] += sum(task.kind != "sweep" for tasks in made.tasks for task in tasks)
            if hooks is not None:
                total.update(stage.told)
                total["calls"] += hooks.calls
                log = Path(f"{hooks.database}.hooks.log")
                text = log.read_text() if log.exists() else ""
                total["hooks that failed"] += sum('"did": "error"' in line for line in text.splitlines())
                if stage.overwritten or not ended:
                    bad.append(seed)
            shutil.rmtree(root)
    return {"total": dict(total), "bad": bad}


def measure(options: Options) -> list[Figure]:
    """Two workers share the seeds."""
    count = options.size(SCHEDULES, QUICK)
    workers = []
    for place in range(WORKERS):
        given = [str(place), str(count), "--step", str(WORKERS), "--with-executable", str(EXECUTABLE)]
        arguments = [sys.executable, "-m", "bench.guard", "--seeds", *given]
        workers.append(subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True))
    total: Counter[str] = Counter()
    bad: list[int] = []
    for worker in workers:
        found = json.loads(worker.communicate()[0])
        total.update(found["total"])
        bad += found["bad"]
    real = min(EXECUTABLE, count)
    beside = {
        "the same schedules without the guard": f"{total['bare overwritten']:,} overwritten edits of"
        f" {total['bare edits']:,}, in {total['bare schedules hurt']} schedules",
        "told": f"{total['refused']:,} times that a peer holds it, {total['must read again']:,} times to read it again",
        "hooks": f"{total['calls']:,} calls, {total['hooks that failed']} failed; {real} schedules with the executable",
    }
    if bad:
        beside["seeds"] = ", ".join(map(str, bad[:20]))
    what = f"{count:,} schedules of 2 to 8 agents on the same files"
    return [
        Figure(f"{what}: overwritten edits with the guard", total["guarded overwritten"], "", "at most", 0, beside),
        Figure(f"{what}: deadlocks", total["guarded deadlocks"], "", "at most", 0),
    ]


def main() -> None:
    """Some seeds, as JSON."""
    parser = argparse.ArgumentParser(description="Play schedules of agents that edit the same files.")
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, 10), metavar=("FROM", "TO"))
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--with-executable", type=int, default=0, metavar="N", help="for seeds below N")
    parser.add_argument("--executable", action="store_true", help="for all seeds")
    given = parser.parse_args()
    for name in list(os.environ):
        if name.startswith(_MINE):
            del os.environ[name]
    executable = sys.maxsize if given.executable else given.with_executable
    with tempfile.TemporaryDirectory(prefix="comity-guard-") as folder:
        found = run_seeds(range(given.seeds[0], given.seeds[1], given.step), executable, Path(os.path.realpath(folder)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
