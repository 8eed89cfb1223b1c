"""``comity hook git pre-commit`` and ``pre-push``: git's own hooks keep what living peers hold out of commits.

The last ring around a held file: whatever wrote it, it is not recorded. Exit code 6 refuses; with any other one, and
whatever goes wrong, git goes on. A person lets it through with ``COMITY_BYPASS=1`` and a reason.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module

from comity import settings
from comity.hosts import hook_log
from comity.hosts.contract import HookReply
from comity.kernel.call import Pipeline
from comity.kernel.clock import SystemClock
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.problem import Invalid
from comity.opening import CHECKS, Memory, open_store
from comity.process import ThisProcess, absent, look
from comity.rooms import REGISTRY
from comity.rooms.edits.model import Verdict
from comity.settings import Settings
from comity.shell.bypass import BYPASS, BYPASS_REASON, bypass
from comity.system import git, repository
from comity.system.repository import Repository

REFUSED = 6
MOST_FILES = 10_000
_MOST_COMMITS = 500
_MOST_ANCESTORS = 20
_LEASE_S = 60


def main(arguments: list[str]) -> int:
    """One of git's hooks; its exit code. Never raises."""
    began = time.perf_counter()
    event = arguments[0] if arguments else ""
    note = hook_log.Note("git", event)
    code = 0
    try:
        resolved = _settings(os.getcwd())
        if resolved.enforcement != "off" and os.path.isfile(resolved.db):
            note.at(resolved.db)
            files = _staged() if event == "pre-commit" else _pushed(sys.stdin.read()) if event == "pre-push" else {}
            verdict = _verdict(resolved, event, files)
            note.did(HookReply(refuse=verdict.refusal))
            if not verdict.allowed:
                sys.stderr.write(f"comity: {verdict.refusal}\n")
                code = REFUSED
    except Exception as error:  # noqa: BLE001 (git is never stopped by what is wrong here)
        note.failed(error)
    note.write((time.perf_counter() - began) * 1000)
    return code


def _settings(cwd: str) -> Settings:
    """The settings; those that are spoiled do not count."""
    try:
        return settings.resolve({}, os.environ, cwd)
    except Invalid as error:
        found: Settings = import_module("comity.spoiled_settings").around({}, os.environ, cwd, error)
        return found


def _verdict(resolved: Settings, event: str, files: dict[str, int]) -> Verdict:
    if not files:
        return Verdict(allowed=True)
    reason = bypass(dict(os.environ))
    observer = ThisProcess(absent("git", resolved.host_session_id, resolved.worktree or resolved.root, _LEASE_S))
    store = open_store(resolved, Memory(resolved))
    pipeline = Pipeline(store, SystemClock(), TimeOrderedIds(), None, None, observer, None, CHECKS)
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


def _repository() -> Repository | None:
    """The one that git runs this hook for: it says so where it is not the one around the folder."""
    found = repository.around(os.getcwd())
    told = os.environ.get("GIT_DIR")
    if not told or (found and os.path.realpath(told) == found.private):
        return found
    return repository.named(told, os.environ.get("GIT_WORK_TREE") or os.getcwd())


def _staged() -> dict[str, int]:
    """What the commit would change, which may have an index of its own (``git commit -- FILE``)."""
    there = _repository()
    files = git.staged(there, os.environ.get("GIT_INDEX_FILE") or None) if there else None
    return dict.fromkeys(files or (), 0)


def _pushed(lines: str) -> dict[str, int]:
    """What new commits have changed, and when the newest of them was written."""
    there = _repository()
    found: dict[str, int] = {}
    for line in lines.splitlines():
        fields = line.split()
        if there is None or len(fields) != 4 or set(fields[1]) == {"0"}:
            continue
        remote_commit = None if set(fields[3]) == {"0"} else fields[3]
        for commit in git.unpushed(there, fields[1], remote_commit, _MOST_COMMITS) or ():
            found |= {path: max(found.get(path, 0), commit.written_s) for path in commit.files}
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
