"""The check before an edit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from comity import Workspace
from comity.kernel.scope import HostSession
from comity.testing import FakeMachine, World
from tests.original import Original
from tests.original_claims import claim_files
from tests.rooms.edits.conftest import run
from tests.wire_format import audit, dump


def test_a_held_file_is_refused_with_everything_one_needs(world: World, ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["src"], reason="new grammar", ttl_seconds=1800)
    world.clock.advance(300)
    verdict = bob.edit.check(files=["src/c.py"])
    assert not verdict.allowed
    assert verdict.holders == ("ann",)
    assert verdict.refusal == (
        'Ann (ann) claimed "src" 5 min ago, "new grammar"; it lapses in 25 min unless renewed. Nothing was changed. '
        "Work on another file meanwhile, stand in line for it (`claim.acquire` with wait), or ask ann "
        "(`message.send ann`); `claim.list` shows what is held."
    )
    (event,) = audit(world.path, "edit.refused")
    assert (event["agent_id"], event["reason_code"]) == ("bob", "claim.held")
    assert bob.claim.list(agent_id="bob").claims == []


def test_what_is_free_is_claimed_and_later_edits_renew_it(world: World, ann: Workspace, bob: Workspace) -> None:
    assert ann.edit.check(files=["a.py", "new file"], lease_s=600).allowed
    first = {claim.file_path: claim for claim in ann.claim.list(agent_id="ann").claims}
    assert sorted(first) == ["a.py", "new file"]
    assert {claim.mode for claim in first.values()} == {"exclusive"}
    world.clock.advance(400)
    assert ann.edit.check(files=["a.py"], lease_s=600).allowed
    world.clock.advance(400)
    assert not bob.edit.check(files=["a.py"]).allowed
    assert bob.edit.check(files=["b.py"]).allowed
    (left,) = ann.claim.list(agent_id="ann").claims
    assert (left.file_path, left.fence) == ("a.py", first["a.py"].fence)
    world.clock.advance(700)
    assert ann.claim.list().claims == []


def test_a_folder_is_looked_at_and_not_claimed(ann: Workspace, bob: Workspace) -> None:
    assert ann.edit.check(files=["src"]).allowed
    assert ann.claim.list().claims == []
    assert ann.edit.check(files=["src/c.py"]).allowed
    assert not bob.edit.check(files=["src"]).allowed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("app/[id]/page.tsx", "app/d/page.tsx"), ("app/(group)/[...slug]/page.tsx", "app/(group)/s/page.tsx")),
        *(("routes/[x].svelte", "routes/x.svelte"), ("src/[a-z].ts", "src/q.ts"), ("t/{a,b}.txt", "t/a.txt")),
        *(("t/*.txt", "t/a.txt"), ("what?", "whats"), ("lib", "lib/y.py"), ("Makefile", "Makefile/x")),
    ],
)
def test_a_path_is_a_name_and_no_pattern(ann: Workspace, bob: Workspace, one: str, other: str) -> None:
    assert ann.edit.check(files=[one]).allowed
    assert bob.edit.check(files=[other]).allowed
    assert bob.claim.acquire(files=[other]).refused == ()
    assert bob.edit.check(files=[one]).holders == ("ann",)


def test_claims_of_other_implementations_warn(world: World, ann: Workspace, bob: Workspace) -> None:
    other = Original(world.path, "old", "old-1", world.clock)
    other.register()
    claim_files(other, ["a.py"])
    verdict = ann.edit.check(files=["a.py"])
    assert verdict.allowed
    assert verdict.warning.startswith('old announced work on "a.py" 0 s ago')
    other.close()
    world.clock.advance(10)
    assert ann.edit.check(files=["a.py"]).warning == "", "once is enough"
    assert not bob.edit.check(files=["a.py"]).allowed


def test_claims_in_another_worktree_warn(world: World, ann: Workspace, root: Path, machine: FakeMachine) -> None:
    run(root, "worktree", "add", "-q", "../other", "-b", "other")
    cid = world.agent("cid", root=str(root), worktree=str(root.parent / "other"), observer=machine.start())
    ann.edit.check(files=["a.py"])
    verdict = cid.edit.check(files=["a.py"])
    assert verdict.allowed
    assert 'Ann (ann) claimed "a.py" in another worktree' in verdict.warning


def test_files_outside_are_nobodys(ann: Workspace, bob: Workspace, root: Path) -> None:
    outside = str(root.parent / "elsewhere.txt")
    assert ann.edit.check(files=[outside]).allowed
    assert bob.edit.check(files=[outside, "/etc/hosts"]).allowed
    assert ann.claim.list().claims == []


def test_the_dead_hold_nothing(world: World, ann: Workspace, root: Path, machine: FakeMachine) -> None:
    process = machine.start()
    cid = world.agent("cid", root=str(root), observer=process)
    cid.claim.acquire(files=["a.py"])
    assert not ann.edit.check(files=["a.py"]).allowed
    machine.kill(process)
    assert ann.edit.check(files=["a.py"]).allowed
    released = audit(world.path, "claim.released")
    assert [(event["agent_id"], json.loads(event["metadata_json"])["reason"]) for event in released] == [
        ("cid", "reaped")
    ]
    assert [gone.agent_id for gone in ann.agent.reap().agents] == ["cid"]  # the rest is the reaper's


def test_parents_subagents_and_siblings(world: World, root: Path, machine: FakeMachine) -> None:
    def agent(subagent: str = "") -> Workspace:
        host = HostSession("claude-code", "main", subagent)
        return world.agent("main", start=False, root=str(root), host=host, observer=machine.start())

    parent, child, sibling = agent(), agent("one"), agent("two")
    assert parent.edit.check(files=["a.py"]).allowed
    world.clock.advance(1)
    assert child.edit.check(files=["a.py", "b.py"]).allowed
    refused = sibling.edit.check(files=["b.py"])
    assert refused.holders == ("main.one",)
    assert parent.edit.check(files=["b.py"]).holders == ("main.one",)


def test_an_agent_alone_that_holds_it_already_is_answered_by_reading(world: World, ann: Workspace) -> None:
    ann.edit.check(files=["a.py"])
    before = dump(world.path)
    world.clock.advance(10)
    assert ann.edit.check(files=["a.py"]) == (True, "", "", (), False, True)
    assert dump(world.path) == before


def test_what_changed_since_must_be_read_again_once(world: World, ann: Workspace, bob: Workspace, root: Path) -> None:
    """Bob read a.py, Ann edits it and lets go: writing back what Bob had read would undo her edit."""
    ann.edit.check(files=["a.py"])
    (root / "a.py").write_text("Ann's\n")
    ann.edit.landed(files=[str(root / "a.py")])
    ann.claim.release(files=["**"])
    world.clock.advance(30)
    verdict = bob.edit.check(files=["a.py"])
    assert (verdict.allowed, verdict.stale, verdict.holders) == (False, True, ())
    assert verdict.refusal == (
        'Ann (ann) edited "a.py" 30 s ago, after you began. Nothing was changed, and the file is claimed for you now: '
        "read it again, then make the edit."
    )
    assert not ann.edit.check(files=["a.py"]).allowed, "nobody gets between reading again and the edit"
    assert bob.edit.check(files=["a.py"]).allowed
    (root / "a.py").write_text("Bob's\n")
    bob.claim.release(files=["**"])
    assert ann.edit.check(files=["a.py"]).stale


def test_who_begins_later_has_read_nothing_older(
    world: World, ann: Workspace, root: Path, machine: FakeMachine
) -> None:
    ann.edit.check(files=["a.py"])
    (root / "a.py").write_text("Ann's\n")
    ann.edit.landed()
    ann.claim.release(files=["**"])
    world.clock.advance(121)
    cid = world.agent("cid", root=str(root), observer=machine.start())
    assert cid.edit.check(files=["a.py"]).allowed


def test_nobody_edited_what_it_only_asked_to(world: World, ann: Workspace, bob: Workspace, root: Path) -> None:
    """Ann's user thinks about it for twenty minutes; Bob is told, and nothing keeps him out any more."""
    ann.edit.check(files=["a.py"])
    world.clock.advance(60)
    assert bob.edit.check(files=["a.py"]).holders == ("ann",)
    world.clock.advance(1200)
    verdict = bob.edit.check(files=["a.py"])
    assert verdict.allowed
    assert verdict.warning == (
        'Ann (ann) asked to edit "a.py" 21 min ago and may yet do it: its user may have to agree.'
    )
    (root / "a.py").write_text("Bob's\n")
    bob.edit.landed(files=[str(root / "a.py")])
    world.clock.advance(60)
    (root / "a.py").write_text("Ann's\n")
    ann.edit.landed(files=[str(root / "a.py")])
    (to_ann,), (to_bob,) = ann.message.poll().deliveries, bob.message.poll().deliveries
    assert to_bob.content.startswith('Ann (ann) asked to edit "a.py" 22 min ago, and the edit came after yours.')
    assert to_ann.content.startswith('You asked to edit "a.py" 22 min ago; bob changed it before your edit came.')


def test_those_who_share_are_told_and_not_refused(ann: Workspace, bob: Workspace, root: Path) -> None:
    ann.claim.acquire(files=["a.py"], mode="shared")
    bob.claim.acquire(files=["a.py"], mode="shared")
    assert ann.edit.check(files=["a.py"]).allowed
    (root / "a.py").write_text("Ann's\n")
    verdict = bob.edit.check(files=["a.py"])
    assert verdict.allowed
    assert 'Ann (ann) edited "a.py" 0 s ago' in verdict.warning
    assert [claim.mode for claim in bob.claim.list().claims] == ["shared", "shared"]
