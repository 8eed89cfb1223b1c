"""The stage of ``worktree_kills``: a repository, the operations that are killed, and what has to hold afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

OPERATIONS = ("add", "remove", "force", "integrate", "integrate aside", "rebase")
FILES = 250
_GIT = ("git", "-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")
_CHECK = "git rev-parse HEAD >> '{log}'; test ! -e BAD"
_LEFT = ("interrupted", "half made", "just now")
_START_S = 30.0


class Stage:
    """A repository that each round finds as it was made, and the real command in it."""

    def __init__(self, folder: Path) -> None:
        self.root, self._first, self._log = folder / "repository", folder / "first", folder / "checked"
        self._trace = folder / "trace"
        self.environment = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("MACP_", "COMITY_", "CLAUDE", "GIT_"))
        } | {"HOME": str(folder), "MACP_AGENT_ID": "ann", "COMITY_CHECK_COMMAND": _CHECK.format(log=self._log)}
        self._make()

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        """What git answers."""
        done = subprocess.run([*_GIT, *arguments], cwd=folder or self.root, check=True, capture_output=True, text=True)
        return done.stdout

    def comity(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One call of the command."""
        return subprocess.run(
            self._command(*arguments), cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "comity", *arguments]

    def _make(self) -> None:
        for number in range(FILES):
            path = self.root / f"src/d{number % 10}/f{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{number}\n" * 400)
        (self.root / ".gitignore").write_text("*.log\n")
        (self.root / ".worktreeinclude").write_text("*.log\n")
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-qm", "Begin.")
        (self.root / "local.log").write_text("local\n" * 10_000)
        self.comity("init", "--hosts", "claude-code", "--no-hooks")
        self.git("add", ".mcp.json", "AGENTS.md", ".macp/.gitignore")
        self.git("commit", "-qm", "Hosts.")
        for number in range(3):
            self.comity("task", "dispatch", f"Task {number}")
        for task, force in (("task-001", False), ("task-002", True)):
            self._require(self.comity("worktree", "add", task))
            place = self.root / f".worktrees/ann-{task}"
            for number in range(0, FILES, 3):
                (place / f"src/d{number % 10}/f{number}.txt").write_text(f"{task} {number}\n" * 400)
            (place / f"{task}.txt").write_text(f"{task}\n")
            self.git("add", ".", folder=place)
            self.git("commit", "-qm", task, folder=place)
            if force:
                (place / "work.txt").write_text("work\n" * 5000)
                (place / "src/d0/f0.txt").write_text("changed\n")
        self.git("branch", "side")
        shutil.copytree(self.root, self._first, symlinks=True)

    def _require(self, done: subprocess.CompletedProcess[str]) -> None:
        if done.returncode:
            raise SystemExit(f"{done.args}: {done.stdout}{done.stderr}")

    def arguments(self, name: str) -> list[str]:
        """The command of an operation."""
        return {
            "add": ["worktree", "add", "task-003"],
            "remove": ["worktree", "remove", "task-001"],
            "force": ["worktree", "remove", "task-002", "--force", "--reason", "a dead end"],
            "integrate": ["integrate", "ann/task-001", "--base", "main"],
            "integrate aside": ["integrate", "ann/task-001", "--base", "side"],
            "rebase": ["integrate", "ann/task-001", "--base", "main", "--how", "rebase"],
        }[name]

    def _begin(self) -> None:
        shutil.rmtree(self.root)
        shutil.copytree(self._first, self.root, symlinks=True)
        self._log.unlink(missing_ok=True)

    def whole(self, name: str) -> float:
        """The seconds that an operation takes when nobody kills it; it has to do what it should."""
        self._begin()
        began = time.perf_counter()
        self._require(self.comity(*self.arguments(name)))
        took = time.perf_counter() - began
        said = self._wrong(name)
        if said:
            raise SystemExit(f"{name}, not killed: {said}")
        return took

    def killed(self, name: str, after_s: float, *, alone: bool) -> tuple[bool, str]:
        """Whether it was killed while it ran, and what is wrong after the next call."""
        self._begin()
        process = subprocess.Popen(
            self._command(*self.arguments(name)),
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(after_s)
        ran = process.poll() is None
        _kill(process, alone=alone)
        return ran, self._afterwards(name)

    def killed_at(self, name: str, call: str, number: int) -> tuple[bool, str]:
        """As ``killed``, at the n-th system call of a kind in whichever process comes to it."""
        self._begin()
        traced = ["strace", "-f", "-qq", "-o", str(self._trace), "-e", f"trace={call}"]
        traced += ["-e", f"inject={call}:signal=SIGKILL:when={number}"]
        subprocess.run(
            [*traced, *self._command(*self.arguments(name))],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            check=False,
        )
        if "killed by SIGKILL" not in self._trace.read_text(errors="replace"):
            return False, ""
        return True, self._afterwards(name)

    def killed_server(self, name: str, after_s: float) -> tuple[bool, str]:
        """As ``killed``, while the server does it for a program."""
        self._begin()
        process, url = self._serve()
        operation, values = self._call(name)
        caller = subprocess.Popen(
            [sys.executable, "-c", _CALL, url, operation, json.dumps(values)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(after_s + 0.1)
        ran = caller.poll() is None
        _kill(process, alone=True)
        caller.wait()
        return ran, self._afterwards(name)

    def _serve(self) -> tuple[subprocess.Popen[bytes], str]:
        process = subprocess.Popen(
            self._command("serve", "--port", "0"),
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + _START_S
        while time.monotonic() < until and process.poll() is None:
            for path in (self.root / ".masc").glob("server.lock"):
                try:
                    url = str(json.loads(path.read_text()).get("url", ""))
                    with urllib.request.urlopen(f"{url}/health/live", timeout=5):
                        return process, url
                except (OSError, ValueError, AttributeError):
                    continue
            time.sleep(0.05)
        raise SystemExit("comity serve did not start")

    def _call(self, name: str) -> tuple[str, dict[str, object]]:
        words = self.arguments(name)
        if name == "add":
            return "worktree.create", {"taskId": "task-003"}
        if words[0] == "worktree":
            more = {"force": True, "reason": "a dead end"} if name == "force" else {}
            return "worktree.remove", {"name": words[2], **more}
        how = {"how": "rebase"} if name == "rebase" else {}
        return "integration.run", {"sources": [words[1]], "base": words[3], **how}

    def _afterwards(self, name: str) -> str:
        """What is wrong at once, and after the next call."""
        said = self._lost()
        again = self.comity(*self.arguments(name))
        gone_already = "worktree.unknown" in again.stderr + again.stdout or "There is no worktree" in again.stderr
        if again.returncode and not (name in ("remove", "force") and gone_already):
            return said or f"the next call failed: {again.stdout[-300:]}{again.stderr[-600:]}"
        return said or self._wrong(name)

    def _lost(self) -> str:
        """Commits and uncommitted work that are nowhere any more, and a base that was not checked."""
        for branch in ("ann/task-001", "ann/task-002"):
            commit = self.git("rev-parse", branch, folder=self._first).strip()
            if commit not in self.git("rev-list", "--all").split():
                return f"{branch} has lost its commit"
        checked = {self.git("rev-parse", "main", folder=self._first).strip()}
        checked |= set(self._log.read_text().split()) if self._log.exists() else set()
        for base in ("main", "side"):
            if self.git("rev-parse", base).strip() not in checked:
                return f"{base} has a commit that was not checked"
        return ""

    def _wrong(self, name: str) -> str:
        return self._lost() or self._work(name) or self._half_made() or self._effect(name)

    def _work(self, name: str) -> str:
        """Uncommitted work of task-002: there, or kept."""
        place = self.root / ".worktrees/ann-task-002"
        for file, text in (("work.txt", "work\n" * 5000), ("src/d0/f0.txt", "changed\n")):
            there = (place / file).read_text() if (place / file).exists() else None
            if there != text and (name != "force" or text not in self._kept(file)):
                return f"the work in {file} is lost"
        return ""

    def _kept(self, file: str) -> list[str]:
        """What is in the copies of a file that are listed as lost."""
        listed = json.loads(self.comity("rescue", "list", "--lost", "--json").stdout)["versions"]
        versions = [str(one["versionId"]) for one in listed if one["filePath"] == file]
        return [self.comity("rescue", "show", file, "--version", one).stdout for one in versions]

    def _half_made(self) -> str:
        listed = self.git("worktree", "list", "--porcelain")
        paths = [line.removeprefix("worktree ") for line in listed.splitlines() if line.startswith("worktree ")]
        there = sorted(str(path) for path in (self.root / ".worktrees").iterdir())
        if "initializing" in listed or sorted(paths[1:]) != there:
            return f"half made worktrees: {listed} {there}"
        folder = self.root / ".git/worktrees"
        private = sorted(folder.iterdir()) if folder.exists() else []
        if len(private) != len(there):
            return f"left in git's folder: {private}"
        locks = [str(path) for path in (self.root / ".git").rglob("*.lock")]
        if locks:
            return f"locks are left: {locks}"
        changed = [self.git("status", "--porcelain"), self.git("diff", "HEAD", "--stat")]
        if any(changed):
            return f"the main checkout is changed: {changed[0][:300]}"
        for path in there:
            said = self.git("status", "--porcelain", folder=Path(path))
            if said and not path.endswith("task-002"):
                return f"{path} is changed: {said[:300]}"
        notes = json.loads(self.comity("worktree", "--json").stdout)["notes"]
        if any(word in note for note in notes for word in _LEFT):
            return f"the list says {notes}"
        attempts = json.loads(self.comity("integrate", "--json").stdout)["integrations"]
        running = [one for one in attempts if one["state"] in ("running", "landing")]
        return f"an attempt never ends: {running}" if running else ""

    def _effect(self, name: str) -> str:
        """What the operation is for, after it was asked for again."""
        if name == "add":
            place = self.root / ".worktrees/ann-task-003"
            if not (place / "src/d0/f0.txt").exists():
                return "the worktree is not there"
            if (place / "local.log").read_text() != (self.root / "local.log").read_text():
                return "what .worktreeinclude names did not come along whole"
        elif name in ("remove", "force"):
            if (self.root / f".worktrees/ann-task-00{1 if name == 'remove' else 2}").exists():
                return "the worktree is there"
        elif "task-001.txt" not in self.git("ls-tree", "--name-only", "side" if name.endswith("aside") else "main"):
            return "it did not land"
        return ""


_CALL = """
import json, sys, urllib.request
url, operation, values = sys.argv[1:]
headers = {"content-type": "application/json", "x-comity-agent": "ann"}
asked = urllib.request.Request(f"{url}/api/v1/{operation}", values.encode(), headers)
urllib.request.urlopen(asked, timeout=600).read()
"""


def _kill(process: subprocess.Popen[bytes], *, alone: bool) -> None:
    """Kill it with what it started, or alone: then that goes on."""
    session = [] if alone else _session(process.pid)
    process.send_signal(signal.SIGKILL)
    for pid in session:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            continue
    process.wait()


def _session(leader: int) -> list[int]:
    """The processes of a session, as the system lists them."""
    found = []
    for name in os.listdir("/proc"):
        try:
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split() if name.isdigit() else []
        except OSError:
            continue
        if fields and int(fields[3]) == leader:
            found.append(int(name))
    return found
