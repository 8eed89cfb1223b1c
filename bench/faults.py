"""Keeping and restoring uncommitted work while calls of the system fail, and while the process is killed.

The installed executable runs under ``strace``, which lets its n-th call of a kind fail, or kills it there,
for every n until the run needs no more calls. Two things are tried: the hook after an edit, which keeps a copy of it,
and ``comity rescue restore``, which puts one back. Counted are runs after which a copy is not whole, a file of the user
is neither as it was nor as it was kept, something else lies in the checkout, or the next run without a fault fails.

    python -m bench faults             # every call, and each fifth of those by which files are opened and read
    python -m bench faults --quick     # a fifth of them
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.figures import Figure, Options
from bench.ground import Ground
from bench.server import compile_bytecode
from comity.system.copies import Copies

WRITING = "write,pwrite64,pwritev,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,utimensat,fchmod,fsync"
WRITING += ",fdatasync,ftruncate,symlinkat,fallocate"
OPENING = "openat"
NEVER = 60_000  # no run makes that many calls
LOADING = ("openat", "read", "pread64")  # an interpreter's start is full of these
FAULTS = (
    ("ENOSPC", WRITING),
    ("EIO", WRITING + ",read,pread64"),
    ("EACCES", OPENING + ",mkdirat,unlinkat,renameat,rename"),
    ("EMFILE", OPENING),
    ("SIGKILL", WRITING + "," + OPENING),
)
OLD, WORK, OTHER = b"as committed\n", b"Ann's work\n" * 2000, b"somebody's own\n"
_STRAY = re.compile(r"\.comity-[0-9a-f]{12}$")  # what a killed restore leaves beside the file


class Case(NamedTuple):
    """One kind of run: what is called, what it is given, and what may be in ``src/a.py`` afterwards."""

    name: str
    command: list[str]
    given: str
    fine: tuple[bytes, ...]


class Trial:
    """A repository in which Ann has work in progress, to be copied for each run."""

    def __init__(self, folder: Path) -> None:
        self.program = str(Path(sys.executable).with_name("comity"))
        self.root, self._first = folder / "repository", folder / "first"
        self.environment = {
            name: text for name, text in os.environ.items() if not name.startswith(("MACP_", "COMITY_", "CLAUDE"))
        } | {"HOME": str(folder), "COMITY_AGENT_ID": "person"}
        self._make()
        told = {"hook_event_name": "PostToolUse", "tool_name": "Write", **self._told("ann")}
        asked = {"hook_event_name": "PreToolUse", "tool_name": "Bash", **self._told("bob")}
        self._asked = json.dumps({**asked, "tool_input": {"command": "make"}})
        hook = [self.program, "hook", "claude-code", "PostToolUse"]
        restore = [self.program, "rescue", "restore", "src/a.py", "--overwrite"]
        self.cases = (
            Case("keep", hook, json.dumps(told), (WORK,)),
            Case("restore", restore, "", (OLD, WORK)),
        )

    def _told(self, session: str) -> dict[str, object]:
        file = str(self.root / "src" / "a.py")
        return {"session_id": session, "cwd": str(self.root), "tool_input": {"file_path": file}}

    def _make(self) -> None:
        (self.root / "src").mkdir(parents=True)
        (self.root / "src/a.py").write_bytes(OLD)
        (self.root / "src/b.py").write_bytes(OTHER)
        identity = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin."]):
            subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True)
        (self.root / ".git/info").mkdir(exist_ok=True)
        (self.root / ".git/info/exclude").write_text(".macp/\n")
        (self.root / ".macp").mkdir()
        (self.root / ".macp/config.json").write_text(json.dumps({"projectId": "bench"}))
        for session in ("ann", "bob"):
            told = {"hook_event_name": "SessionStart", "source": "startup", **self._told(session)}
            self._plain([self.program, "hook", "claude-code", "SessionStart"], json.dumps(told))
        told = {"hook_event_name": "PreToolUse", "tool_name": "Write", **self._told("ann")}
        self._plain([self.program, "hook", "claude-code", "PreToolUse"], json.dumps(told))
        (self.root / "src/a.py").write_bytes(WORK)

    def _plain(self, command: list[str], given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, input=given, capture_output=True, text=True, cwd=self.root, env=self.environment, check=False
        )

    def prepare(self, case: Case) -> None:
        """The ground on which each run of a case begins."""
        if case.name == "restore":
            self._plain(*self.cases[0][1:3])
            (self.root / "src/a.py").write_bytes(OLD)
        shutil.rmtree(self._first, ignore_errors=True)
        shutil.copytree(self.root, self._first, symlinks=True)

    def run(self, case: Case, fault: str, call: str, number: int) -> tuple[bool, str]:
        """Whether the fault came, and what is wrong afterwards."""
        shutil.rmtree(self.root)
        shutil.copytree(self._first, self.root, symlinks=True)
        how = f"signal={fault}" if fault.startswith("SIG") else f"error={fault}"
        log = self.root.with_name("calls")
        traced = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={call}"]
        self._plain([*traced, "-e", f"inject={call}:{how}:when={number}", *case.command], case.given)
        came = "(INJECTED)" in log.read_text() or "killed by SIGKILL" in log.read_text()
        return came, self._wrong(case)

    def calls(self, case: Case, names: str, step: int) -> Iterator[tuple[str, int]]:
        """Which calls fail, each by its name and number: of opening files, those after the interpreter's start."""
        self.run(case, "EIO", names, NEVER)
        counts: Counter[str] = Counter()
        first: dict[str, int] = {}
        for line in self.root.with_name("calls").read_text().splitlines():
            found = re.match(r"\d+ +(\w+)\(", line)
            if found is not None:
                counts[found[1]] += 1
                if ".macp" in line:
                    first.setdefault(found[1], counts[found[1]])
        for name, count in sorted(counts.items()):
            begin = max(1, first.get(name, count) - 2) if name in LOADING else 1
            yield from ((name, number) for number in range(begin, count + 2, step * (5 if name in LOADING else 1)))

    def _wrong(self, case: Case) -> str:
        content = (self.root / "src/a.py").read_bytes() if (self.root / "src/a.py").exists() else None
        if content not in case.fine:
            return "the file is neither as it was nor as it was kept"
        if (self.root / "src/b.py").read_bytes() != OTHER:
            return "another file was touched"
        names = {str(path.relative_to(self.root / "src")) for path in (self.root / "src").rglob("*")}
        if any(_STRAY.search(name) is None for name in names - {"a.py", "b.py"}):
            return f"something else lies there: {names}"
        store = Copies(str(self.root / ".macp"))
        for path in (self.root / ".macp/copies").glob("??/*"):
            if not path.name.startswith("new-"):
                try:
                    store.read(path.parent.name + path.name)
                except (OSError, ValueError) as error:
                    return f"a copy is not whole: {error}"
        self._plain(case.command, case.given)
        self._plain([self.program, "hook", "claude-code", "PreToolUse"], self._asked)  # a peer's command keeps the rest
        shown = self._plain([self.program, "rescue", "show", "src/a.py"], "").stdout.encode()
        if shown != WORK:
            return "afterwards nothing is kept"
        if case.name == "restore" and (self.root / "src/a.py").read_bytes() != WORK:
            return "afterwards nothing is restored"
        return ""


def measure(options: Options) -> list[Figure]:
    """Bar: nothing is wrong after any of the runs."""
    if shutil.which("strace") is None:
        raise SystemExit("bench faults needs strace")
    compile_bytecode()
    began, runs, wrong = time.perf_counter(), Counter[str](), list[str]()
    with Ground(options.folder) as ground:
        trial = Trial(Path(os.path.realpath(ground.folder)) / "faults")
        for case in trial.cases:
            trial.prepare(case)
            for fault, calls in FAULTS:
                for call, number in trial.calls(case, calls, options.size(1, 5)):
                    came, said = trial.run(case, fault, call, number)
                    runs[f"{case.name}, {fault}"] += came
                    if said:
                        wrong.append(f"{case.name}, {fault} at {call} {number}: {said}")
                        print(wrong[-1], file=sys.stderr, flush=True)
    beside = {**{name: f"{count}" for name, count in runs.items()}, "took": f"{time.perf_counter() - began:.0f} s"}
    what = f"keeping and restoring, {sum(runs.values()):,} runs with a call that fails or kills"
    return [Figure(f"{what}: something is wrong afterwards", len(wrong), "", "at most", 0, beside)]
