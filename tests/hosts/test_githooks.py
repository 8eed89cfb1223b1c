"""Git's own hooks, with real git: held files are not committed, other hooks go on, and nothing stays behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from comity import Workspace
from comity.hosts import githooks
from comity.testing import FakeClock, World
from tests.wire_format import audit

COMITY = Path(sys.executable).with_name("comity")
IDENTITY = ("-c", "user.name=Tess", "-c", "user.email=tess@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MACP_", "COMITY_", "CLAUDE", "GEMINI", "GIT_"))}
    return subprocess.run(
        ["git", *IDENTITY, *arguments],
        cwd=folder,
        env={**kept, "GIT_CONFIG_GLOBAL": os.devnull, **environment},
        check=check,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "a repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for name in ("a.py", "b.py"):
        (folder / name).write_text("1\n")
    (folder / ".gitignore").write_text(".macp/\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Begin.", GIT_AUTHOR_DATE="@1700000000 +0000")
    (folder / ".macp").mkdir()
    return folder


@pytest.fixture
def ann(root: Path) -> Iterator[Workspace]:
    """She has held a.py for a minute."""
    clock = FakeClock(time.time_ns() // 1_000_000 - 60_000)
    with World(root / ".macp" / "a-repo.macp.db", clock=clock) as world:
        agent = world.agent("ann", root=str(root))
        agent.claim.acquire(files=["a.py"], reason="the parser")
        yield agent


def change(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text(f"changed {time.monotonic_ns()}\n")
        git(folder, "add", name)


def test_a_held_file_is_not_committed(root: Path, ann: Workspace) -> None:
    githooks.install(root, program=f"'{COMITY}'")
    change(root, "a.py", "b.py")
    refused = git(root, "commit", "-m", "Both.", check=False)
    assert refused.returncode == 1
    assert re.match(r'comity: ann claimed "a.py" \d+ s ago, "the parser"; it lapses in 2\d min', refused.stderr)
    assert "Commit your own files by name (git commit -- b.py)" in refused.stderr
    assert git(root, "commit", "-m", "Hers.", "--", "a.py", check=False).returncode == 1
    assert git(root, "commit", "-m", "Mine.", "--", "b.py").returncode == 0
    git(root, "reset", "-q")
    assert git(root, "commit", "-a", "-m", "All of it.", check=False).returncode == 1
    git(root, "add", "a.py")
    assert git(root, "commit", "-m", "Hers.", CLAUDE_CODE_SESSION_ID="ann").returncode == 0


def test_a_person_lets_it_through_with_a_reason(root: Path, ann: Workspace) -> None:
    githooks.install(root, program=f"'{COMITY}'")
    change(root, "a.py")
    without = git(root, "commit", "-m", "x", check=False, COMITY_BYPASS="1")
    assert "COMITY_BYPASS needs a reason" in without.stderr
    git(root, "commit", "-m", "x", COMITY_BYPASS="1", COMITY_BYPASS_REASON="release day")
    (event,) = audit(root / ".macp" / "a-repo.macp.db", "guard.bypassed")
    assert json.loads(event["metadata_json"])["reason"] == "release day"


def test_worktrees_share_the_hooks_and_not_the_claims(root: Path, ann: Workspace) -> None:
    other = root.parent / "other"
    git(root, "worktree", "add", "-q", str(other), "-b", "other")
    githooks.install(other, program=f"'{COMITY}'")
    change(other, "a.py")
    assert git(other, "commit", "-m", "In another worktree.").returncode == 0
    bob = ann.acting_as(ann.actor._replace(agent_id="bob", session_id="bob-1", worktree=str(other)))
    bob.session.start()
    bob.claim.acquire(files=["b.py"])
    change(other, "b.py")
    assert 'bob claimed "b.py"' in git(other, "commit", "-m", "x", check=False).stderr
    change(root, "a.py")
    assert git(root, "commit", "-m", "x", check=False).returncode == 1


def test_hooks_that_are_there_are_run_and_come_back(root: Path, ann: Workspace) -> None:
    own = root / ".git/hooks/pre-commit"
    own.write_text("#!/bin/sh\necho own $# >> .git/ran\nexit ${OWN:-0}\n")
    own.chmod(0o755)
    before = own.read_bytes()
    files = sorted(os.listdir(own.parent))
    assert githooks.install(root, program=f"'{COMITY}'").changed
    assert githooks.install(root, program=f"'{COMITY}'").changed == (), "twice is once"
    change(root, "b.py")
    assert git(root, "commit", "-m", "x", check=False, OWN="3").returncode == 1
    git(root, "commit", "-m", "x")
    assert (root / ".git/ran").read_text() == "own 0\nown 0\n"
    change(root, "a.py")
    git(root, "commit", "-m", "x", check=False)
    assert (root / ".git/ran").read_text() == "own 0\nown 0\n", "a refused commit runs no other hook"
    githooks.install(root, remove=True)
    assert own.read_bytes() == before
    assert sorted(os.listdir(own.parent)) == files
    git(root, "commit", "-m", "x")


@pytest.mark.parametrize("where", ["team hooks", ".git/other hooks"])
def test_a_hooks_path_of_the_users(root: Path, ann: Workspace, where: str) -> None:
    """Its folder may be tracked: nothing is written there, and all its hooks go on."""
    team = root / where
    team.mkdir()
    for name in ("pre-commit", "commit-msg", "pre-push"):
        (team / name).write_text(f"#!/bin/sh\necho {name} $# >> .git/ran\ncat >> .git/ran\n")
        (team / name).chmod(0o755)
    git(root, "config", "core.hooksPath", where)
    config = (root / ".git/config").read_bytes()
    listed = sorted(os.listdir(root / ".git"))
    githooks.install(root, program=f"'{COMITY}'")
    githooks.install(root, program=f"'{COMITY}'")
    assert sorted(os.listdir(team)) == ["commit-msg", "pre-commit", "pre-push"]
    change(root, "b.py")
    git(root, "commit", "-m", "x")
    assert (root / ".git/ran").read_text() == "pre-commit 0\ncommit-msg 1\n"
    git(root.parent, "init", "-q", "--bare", "remote.git")
    git(root, "push", "-q", str(root.parent / "remote.git"), "main")
    told = (root / ".git/ran").read_text().splitlines()
    assert told[2] == "pre-push 2"
    assert told[3].startswith("refs/heads/main ")
    change(root, "a.py")
    assert git(root, "commit", "-m", "x", check=False).returncode == 1
    githooks.install(root, remove=True)
    (root / ".git/ran").unlink()
    assert (root / ".git/config").read_bytes() == config
    assert set(os.listdir(root / ".git")) - set(listed) <= {"COMMIT_EDITMSG", "ORIG_HEAD", "comity-checkouts"}


def test_what_was_committed_past_a_holder_is_not_pushed(root: Path, ann: Workspace) -> None:
    githooks.install(root, program=f"'{COMITY}'")
    remote = str(root.parent / "remote.git")
    git(root.parent, "init", "-q", "--bare", "remote.git")
    assert git(root, "push", "-q", remote, "main").returncode == 0, "older than the claim"
    change(root, "a.py")
    git(root, "commit", "-q", "-m", "x", "--no-verify")
    refused = git(root, "push", remote, "main", check=False)
    assert refused.returncode == 1
    assert 'ann claimed "a.py"' in refused.stderr
    ann.claim.release(files=["**"])
    assert git(root, "push", "-q", remote, "main").returncode == 0


def test_without_comity_git_goes_on(root: Path, ann: Workspace) -> None:
    githooks.install(root, program=str(root / "gone" / "comity").replace(" ", "\\ "))
    change(root, "a.py")
    done = git(root, "commit", "-m", "x", PATH="/usr/bin:/bin")
    assert "comity: not found, so pre-commit goes on without its check" in done.stderr
