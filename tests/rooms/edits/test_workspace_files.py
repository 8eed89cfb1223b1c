"""What the workspace lives on is not taken away while others are at work."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity import Workspace
from comity.kernel.scope import Actor
from comity.rooms.edits import workspace_files
from comity.rooms.edits.line_changes import Line
from comity.rooms.edits.workspace_files import Danger
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import Git
from tests.wire_format import audit

REAL = (".macp/config.json", ".macp/comity.toml", ".masc/server.lock", ".masc/auth/config.json")
TAKES = [
    "git clean -fdx",
    "git clean -xf",
    "git clean -fX",
    "git -C .. clean -fdx",
    "git clean -fdx .macp",
    "git clean -fdx -e node_modules",
    "git stash -a",
    "git stash push --all -m x",
    "rm -rf .macp",
    "rm -rf ./.macp/",
    "rm -f .macp/*.db*",
    "rm -f .macp/*.db-wal",
    "rm .macp/shop.macp.db-shm",
    "rm -rf .m*",
    "rm -rf {src,.macp}",
    "rm -rf .",
    "rm -rf ../repo",
    "cd .macp && rm -f *",
    "sudo rm -rf .macp",
    "bash -c 'rm -rf .macp'",
    "mv .macp /tmp/away",
    "mv .macp/shop.macp.db /tmp",
    "cp /tmp/old.db .macp/shop.macp.db",
    "cp /tmp/shop.macp.db .macp/",
    ": > .macp/shop.macp.db",
    "truncate -s 0 .macp/shop.macp.db-wal",
    "shred .macp/shop.macp.db",
    "dd if=/dev/zero of=.macp/shop.macp.db",
    "find . -name '*.db*' -delete",
    "find .macp -delete",
    "find . -type f -name '*.db-wal' -exec rm {} +",
    "rm .macp/config.json",
    "rm -rf .masc",
    "rm .masc/server.lock",
]
LEAVES = [
    "git clean -fd",
    "git clean -ndx",
    "git clean -fdx src",
    "git clean -fdx -e .macp -e .masc",
    "git clean -fdx --exclude=.macp --exclude=.masc",
    "cd src && git clean -fdx",
    "git stash",
    "git stash -u",
    "git stash -a -- src",
    "rm -rf src",
    "rm -rf *",
    "rm -rf build *.log",
    "rm .macp/comity.toml",
    "rm .macp/shop.macp.db.hooks.log",
    "cat .macp/shop.macp.db > /tmp/copy",
    "cp .macp/shop.macp.db /tmp/copy.db",
    "echo 'rm -rf .macp'",
    "find . -name '*.pyc' -delete",
    "find . -name '*.log' -exec rm {} +",
    "touch .macp/comity.toml",
    "ls -la .macp",
    "git add -A && git commit -m x",
]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Actor:
    """An agent in a folder with a workspace and a server's folder; nothing in them is real."""
    root = tmp_path_factory.mktemp("vitals").resolve() / "repo"
    for name in (*REAL, ".macp/shop.macp.db", ".macp/shop.macp.db-wal", ".macp/shop.macp.db-shm", "src/a.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    return Actor("bob", "s", root=str(root), database=str(root / ".macp/shop.macp.db"))


def endangered(actor: Actor, line: str, cwd: str) -> Danger | None:
    return workspace_files.endangered(actor, Line(line, cwd).changes().changes)


@pytest.mark.parametrize("line", TAKES)
def test_what_takes_it_away_is_seen(bare: Actor, line: str) -> None:
    cwd = f"{bare.root}/src" if line.startswith("git -C ..") else bare.root
    danger = endangered(bare, line, cwd)
    assert danger is not None
    assert danger.path.startswith(bare.root)


@pytest.mark.parametrize("line", LEAVES)
def test_what_takes_nothing_away_is_let_be(bare: Actor, line: str) -> None:
    assert endangered(bare, line, bare.root) is None


@pytest.fixture
def held(root: Path, machine: FakeMachine) -> tuple[Workspace, Workspace, Path]:
    """Two agents in a repository with a workspace and a server's folder."""
    for name in REAL:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}")
    world = World(root / ".macp/shop.macp.db")
    ann = world.agent("ann", observer=machine.start(), root=str(root), database=world.path)
    bob = world.agent("bob", observer=machine.start(), root=str(root), database=world.path)
    return ann, bob, root


def test_it_is_refused_and_recorded(held: tuple[Workspace, Workspace, Path]) -> None:
    _, bob, root = held
    asked = ((bob.command, "rm -rf .macp"), (bob.command, "git clean -fdx"), (bob.git, "git clean -fdx"))
    for door, line in asked:
        verdict = door.check(command=line, cwd=str(root))
        assert not verdict.allowed
        assert "messages, claims and tasks of everybody" in verdict.refusal
        assert "COMITY_BYPASS" in verdict.refusal
    events = audit(bob.actor.database)[-3:]
    assert [event["event_type"] for event in events] == ["edit.refused", "git.refused", "git.refused"]
    assert {event["reason_code"] for event in events} == {"workspace.vital"}


def test_a_link_leads_to_the_same_files(bare: Actor, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(bare.root)
    assert endangered(bare, "rm -rf other/.macp", str(tmp_path)) is not None


def test_another_checkout_has_a_folder_of_its_own(bare: Actor, tmp_path: Path) -> None:
    assert endangered(bare, "git clean -fdx", str(tmp_path)) is None


def test_an_agent_alone_may(held: tuple[Workspace, Workspace, Path]) -> None:
    ann, bob, root = held
    ann.session.end()
    assert bob.command.check(command="rm -rf .macp", cwd=str(root)).allowed


def test_a_person_may_with_a_reason(held: tuple[Workspace, Workspace, Path]) -> None:
    _, bob, root = held
    assert bob.command.check(command="rm -rf .macp", cwd=str(root), reason="a new start").allowed
    assert bob.git.check(command="COMITY_BYPASS=1 COMITY_BYPASS_REASON='a new start' git clean -fdx").allowed
    without = bob.git.check(command="COMITY_BYPASS=1 git clean -fdx")
    assert "COMITY_BYPASS needs a reason" in without.refusal
    assert [event["event_type"] for event in audit(bob.actor.database)].count("guard.bypassed") == 2


@pytest.mark.parametrize(
    "line", ["git checkout pr-17", "git switch pr-17", "git merge pr-17", "git reset --hard pr-17"]
)
def test_a_branch_that_has_a_database_of_its_own_is_not_let_replace_it(root: Path, git: Git, line: str) -> None:
    git("checkout", "-q", "-b", "pr-17")
    (root / ".macp").mkdir()
    (root / ".macp/shop.macp.db").write_text("theirs")
    git("add", "-f", ".macp/shop.macp.db")
    git("commit", "-q", "-m", "x")
    git("checkout", "-q", "main")
    (root / ".macp").mkdir(exist_ok=True)
    (root / ".macp/shop.macp.db").write_text("ours")
    bob = Actor("bob", "s", root=str(root), database=str(root / ".macp/shop.macp.db"))
    danger = endangered(bob, line, str(root))
    assert danger is not None
    assert '"pr-17" tracks a file of that name' in workspace_files.refusal(danger).refusal
    assert endangered(bob, "git checkout main", str(root)) is None
    assert endangered(bob, "git checkout -b new", str(root)) is None
