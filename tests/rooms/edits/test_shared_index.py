"""The index is everybody's: whose commit takes what a peer has changed, or undoes what it has staged, is refused."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from comity import Workspace
from comity.testing import FakeMachine, World
from tests.rooms.edits import shared_index
from tests.rooms.edits.shared_index import ANNS, BOBS, Harm, harm, lines, stage, written
from tests.rounds import rounds


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    return shared_index.make(tmp_path.resolve() / "first")


def furnish(ground: Path, ann: Workspace, bob: Workspace) -> None:
    """Both change their files by their editing tools."""
    for agent, files in ((ann, ANNS), (bob, BOBS)):
        for name, text in files.items():
            assert agent.edit.check(files=[str(ground / name)]).allowed
            (ground / name).write_text(text)
        agent.edit.landed(files=[str(ground / name) for name in files])
    stage(ground)


@pytest.fixture
def bob(ground: Path, world: World, machine: FakeMachine) -> Workspace:
    """Bob, beside Ann, who has work in progress."""
    ann = world.agent("ann", root=str(ground), name="Ann", observer=machine.start())
    bob = world.agent("bob", root=str(ground), observer=machine.start())
    furnish(ground, ann, bob)
    return bob


def allowed(bob: Workspace, ground: Path, line: str) -> bool:
    return bool(bob.command.check(command=written(line, ground), cwd=str(ground)).allowed)


@pytest.mark.timeout(600)
def test_what_harms_a_peer_is_refused_and_nothing_else(bob: Workspace, ground: Path) -> None:
    every = lines()
    assert len([line for harmful, line in every if harmful]) >= 100
    assert len([line for harmful, line in every if not harmful]) >= 100
    assert len({line for _, line in every}) == len(every)
    wrong = {line: harmful for harmful, line in every if allowed(bob, ground, line) == harmful}
    assert [line for line, harmful in wrong.items() if harmful] == [], "let through"
    assert [line for line, harmful in wrong.items() if not harmful] == [], "refused without need"


@pytest.mark.timeout(900)
def test_the_lines_do_what_is_said_of_them(bob: Workspace, ground: Path, tmp_path: Path) -> None:
    chosen = random.Random(1).sample(lines(), rounds(40, len(lines())))
    with ThreadPoolExecutor(2) as pool:
        places = [tmp_path / str(place) for place in range(len(chosen))]
        found = list(pool.map(lambda one, place: harm(one[1], ground, place), chosen, places))
    wrong = {
        line: seen for (harmful, line), seen in zip(chosen, found, strict=True) if (seen != Harm([], [], [])) != harmful
    }
    assert wrong == {}


def test_a_lone_agent_is_never_refused(ground: Path, world: World, machine: FakeMachine) -> None:
    bob = world.agent("bob", root=str(ground), observer=machine.start())
    for name, text in {**ANNS, **BOBS}.items():
        bob.edit.check(files=[str(ground / name)])
        (ground / name).write_text(text)
    bob.edit.landed(files=[str(ground / name) for name in (*ANNS, *BOBS)])
    stage(ground)
    assert [line for _, line in lines() if not allowed(bob, ground, line)] == []


def test_peers_whose_files_are_not_taken_are_in_nobodys_way(ground: Path, world: World, machine: FakeMachine) -> None:
    """Ann only looks on."""
    world.agent("ann", root=str(ground), observer=machine.start())
    bob = world.agent("bob", root=str(ground), observer=machine.start())
    for name, text in {**ANNS, **BOBS}.items():
        bob.edit.check(files=[str(ground / name)])
        (ground / name).write_text(text)
    bob.edit.landed(files=[str(ground / name) for name in (*ANNS, *BOBS)])
    stage(ground)
    assert [line for _, line in lines() if not allowed(bob, ground, line)] == []


PARTLY = {
    False: [
        "git add src/p.py",
        "git add -A",
        "git add -u",
        "git add .",
        "cd src && git add .",
        "git stage src",
        "git update-index src/p.py",
        "git add -A && git commit -m x -- b.py",
    ],
    True: ["git add b.py", "git add docs own.py", "git commit -qm x -- b.py", "git add -n .", "git update-index b.py"],
}


def test_what_a_peer_has_staged_is_not_staged_over(bob: Workspace, ground: Path, world: World) -> None:
    """Of src/p.py Ann has staged one content, and gone on."""
    ann = bob.acting_as(bob.actor._replace(agent_id="ann", session_id="ann", name="Ann"))
    assert ann.edit.check(files=[str(ground / "src/p.py")]).allowed
    (ground / "src/p.py").write_text("staged\n")
    shared_index.run("git add src/p.py", ground)
    (ground / "src/p.py").write_text("and on\n")
    ann.edit.landed(files=[str(ground / "src/p.py")])
    verdicts = {line: bob.command.check(command=line, cwd=str(ground)) for some in PARTLY.values() for line in some}
    assert {line: verdict.allowed for line, verdict in verdicts.items()} == {
        line: wanted for wanted, some in PARTLY.items() for line in some
    }
    assert 'It would undo what is staged of "src/p.py".' in verdicts["git add -A"].refusal


def test_the_harmless_way_is_named(bob: Workspace, ground: Path) -> None:
    refused = bob.command.check(command="git commit -m x", cwd=str(ground)).refusal
    assert refused.startswith('"git commit -m x": It would commit changes of "src/a.py" that are not yours. Ann (ann)')
    assert "Nothing was done. Commit your own files by name (git commit -- " in refused
    assert {*BOBS} <= set(refused.partition("(git commit -- ")[2].partition(")")[0].split())
    refused = bob.command.check(command="git reset -q", cwd=str(ground)).refusal
    assert 'It would undo what is staged of "src/a.py".' in refused
    assert "Limit the command to your own files (git reset -q -- " in refused


def test_a_person_lets_it_through(bob: Workspace, ground: Path) -> None:
    line = "COMITY_BYPASS=1 COMITY_BYPASS_REASON='Ann agreed' git commit -qam x"
    assert bob.command.check(command=line, cwd=str(ground)).allowed
    assert bob.command.check(command="git commit -qam x", cwd=str(ground), reason="Ann agreed").allowed


@pytest.mark.parametrize("line", ["git checkout -q tracks", "git switch tracks", "git merge tracks", "git checkout -"])
def test_an_ignored_file_of_a_peer_is_not_replaced(bob: Workspace, ground: Path, world: World, line: str) -> None:
    """Git puts a tracked file in the place of an ignored one without a word."""
    shared_index.run("git stash -q -u; git checkout -q -b tracks; echo x > build/env; git add -f build/env", ground)
    shared_index.run("git commit -qm tracks; git checkout -q topic; git stash pop -q --index", ground)
    ann = bob.acting_as(bob.actor._replace(agent_id="ann", session_id="ann", name="Ann"))
    assert ann.edit.check(files=[str(ground / "build/env")]).allowed
    (ground / "build").mkdir(exist_ok=True)
    (ground / "build/env").write_text("Ann's\n")
    ann.edit.landed(files=[str(ground / "build/env")])
    assert 'uncommitted changes of "build/env"' in bob.command.check(command=line, cwd=str(ground)).refusal
    assert bob.command.check(command="git checkout -q other", cwd=str(ground)).allowed


@pytest.mark.parametrize(
    ("key", "line"), [("merge.autoStash", "git merge other"), ("rebase.autoStash", "git pull . other")]
)
def test_a_merge_that_stashes_first_is_a_stash(bob: Workspace, ground: Path, key: str, line: str) -> None:
    assert bob.command.check(command=line, cwd=str(ground)).allowed
    shared_index.run(f"git config {key} true", ground)
    assert 'uncommitted changes of "src/a.py", "src/u.py"' in bob.command.check(command=line, cwd=str(ground)).refusal
