"""``comity hook git pre-commit`` and ``pre-push``: git's own hooks keep what living peers hold out of commits.

The last ring around a held file: whatever wrote it, it is not recorded. Exit code 6 refuses; with any other one, and
whatever goes wrong, git goes on. A person lets it through with ``COMITY_BYPASS=1`` and a reason.
"""

from __future__ import annotations

import os
import sys
import time

from comity import settings
from comity.doors.hosts.hook import journal
from comity.doors.hosts.hook.contract import Reply
from comity.kernel.call import Pipeline
from comity.kernel.clock import SystemClock
from comity.kernel.ids import TimeOrderedIds
from comity.process import ThisProcess, absent, look
from comity.rooms import REGISTRY
from comity.rooms.edits.git import ask
from comity.rooms.edits.model import Verdict
from comity.rooms.edits.sweeping import BYPASS, BYPASS_REASON, bypass
from comity.settings import Settings
from comity.store.sqlite import SqliteStore

REFUSED = 6
MOST_FILES = 10_000
_MOST_COMMITS = 500
_MOST_ANCESTORS = 20
_NOTHING = "0" * 40
_LEASE_S = 60


def main(arguments: list[str]) -> int:
    """One of git's hooks; its exit code. Never raises."""
    began = time.perf_counter()
    event = arguments[0] if arguments else ""
    note = journal.Note("git", event)
    code = 0
    try:
        resolved = settings.resolve({}, os.environ, os.getcwd())
        if resolved.enforcement != "off" and os.path.isfile(resolved.db):
            note.at(resolved.db)
            files = _staged() if event == "pre-commit" else _pushed(sys.stdin.read()) if event == "pre-push" else {}
            verdict = _verdict(resolved, event, files)
            note.did(Reply(refuse=verdict.refusal))
            if not verdict.allowed:
                sys.stderr.write(f"comity: {verdict.refusal}\n")
                code = REFUSED
    except Exception as error:  # noqa: BLE001 (git is never stopped by what is wrong here)
        note.failed(error)
    note.write((time.perf_counter() - began) * 1000)
    return code


def _verdict(resolved: Settings, event: str, files: dict[str, int]) -> Verdict:
    if not files:
        return Verdict(allowed=True)
    reason = bypass(dict(os.environ))
    observer = ThisProcess(absent("git", resolved.host_session_id, resolved.worktree or resolved.root, _LEASE_S))
    store = SqliteStore(resolved.db, resolved.durability)
    pipeline = Pipeline(store, SystemClock(), TimeOrderedIds(), None, None, observer)
    arguments: dict[str, object] = {
        "files": list(files)[:MOST_FILES],
        "processes": ancestors(),
        "operation": "git commit" if event == "pre-commit" else "git push",
        "reason": reason or "",
    }
    if event == "pre-push":
        arguments["recorded_s"] = list(files.values())[:MOST_FILES]
    verdict: Verdict = pipeline.run(REGISTRY.get("edit.held"), resolved.actor, arguments)
    if reason == "" and not verdict.allowed:
        return verdict._replace(refusal=f"{verdict.refusal} {BYPASS} needs a reason in {BYPASS_REASON}.")
    return verdict


def _staged() -> dict[str, int]:
    """What the commit would change."""
    text = ask(os.getcwd(), "diff", "--cached", "--name-only", "--no-renames", "-z") or ""
    return {os.path.join(os.getcwd(), path): 0 for path in text.split("\0") if path}


def _pushed(lines: str) -> dict[str, int]:
    """What new commits have changed, and when the newest of them was written."""
    found: dict[str, int] = {}
    for line in lines.splitlines():
        fields = line.split()
        if len(fields) != 4 or fields[1] == _NOTHING:
            continue
        known = fields[3] != _NOTHING and ask(os.getcwd(), "cat-file", "-e", fields[3]) is not None
        without = [f"^{fields[3]}"] if known else ["--not", "--remotes"]
        text = ask(
            os.getcwd(),
            *("log", "-z", "--name-only", "--no-renames", "--format=%x01%at%x02", "-n", str(_MOST_COMMITS)),
            *(fields[1], *without, "--"),
        )
        for commit in (text or "").split("\x01")[1:]:
            written, _, names = commit.partition("\x02")
            for name in names.replace("\n", "\0").split("\0"):
                if name and written.isdigit():
                    path = os.path.join(os.getcwd(), name)
                    found[path] = max(found.get(path, 0), int(written))
    return found


def ancestors() -> list[str]:
    """The processes that this one runs under, nearest first, as far as they can be seen."""
    found = []
    pid = os.getppid()
    for _ in range(_MOST_ANCESTORS):
        if pid <= 1:
            break
        seen = look(pid)
        if seen.started:
            found.append(f"{pid}:{seen.started}")
        pid = _parent(pid)
    return found


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read(4096).decode("utf-8", "replace")
        return int(text[text.rfind(")") + 2 :].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
