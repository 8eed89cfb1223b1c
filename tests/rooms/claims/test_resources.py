"""Resources that are no files: one of each name in a workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity import Workspace
from comity.kernel.problem import Conflict, Invalid
from comity.testing import World
from tests.original import Original
from tests.original_claims import claim_files, list_locks


def held(workspace: Workspace) -> list[str]:
    return [claim.file_path for claim in workspace.claim.list(agent_id=workspace.actor.agent_id).claims]


@pytest.fixture
def tim(world: World, root: Path, tmp_path: Path) -> Workspace:
    """An agent in another worktree."""
    (tmp_path / "tree").mkdir()
    return world.agent("tim", root=str(root), worktree=str(tmp_path / "tree"))


def test_one_for_all_checkouts(ann: Workspace, tim: Workspace) -> None:
    claimed = ann.claim.acquire(files=["res:port-5432"], reason="the tests")
    assert [(claim.file_path, claim.repository, claim.worktree) for claim in claimed.claims] == [
        ("res:port-5432", "", "")
    ]
    with pytest.raises(Conflict) as refused:
        tim.claim.acquire(files=["res:port-5432"])
    assert refused.value.data["holders"] == ["ann"]
    assert refused.value.data["conflicts"][0]["reason"] == "the tests"  # type: ignore[index]
    ann.claim.release(files=["res:port-5432"])
    assert tim.claim.acquire(files=["RES:Port-5432 "]).claims[0].file_path == "res:port-5432"


@pytest.mark.parametrize(
    "name", ["res:", "res:a/b", "res:-x", "res:..", "res:*", "res:a b", "res:é", "res:" + "x" * 101, "res:{a,b}"]
)
def test_names_are_checked(ann: Workspace, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        ann.claim.acquire(files=[name])
    assert refused.value.reason == "resource.name"
    assert held(ann) == []


def test_files_and_resources_in_one_claim(ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["src/a.py", "res:browser"])
    assert held(ann) == ["res:browser", "src/a.py"]
    with pytest.raises(Conflict):
        bob.claim.acquire(files=["docs", "res:browser"])
    assert held(bob) == []
    partly = bob.claim.acquire(files=["docs", "res:browser"], partial=True)
    assert (held(bob), partly.refused) == (["docs"], ("res:browser",))


def test_no_file_meets_a_resource(ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["res:browser"])
    everything = bob.claim.acquire(files=["**", "."])
    assert everything.conflicts == ()
    assert bob.claim.acquire(files=["./res:browser"]).claims[0].file_path == "res:browser"
    with pytest.raises(Invalid) as refused:
        bob.claim.acquire(files=["./res:browser", "res:browser"])
    assert refused.value.reason == "resource.name"


@pytest.mark.parametrize(("named", "left"), [("res:a*", ["res:b1"]), ("res:*", []), ("**", []), ("res:b1", ["res:a1"])])
def test_releasing(ann: Workspace, named: str, left: list[str]) -> None:
    ann.claim.acquire(files=["res:a1", "res:b1"])
    ann.claim.release(files=[named])
    assert held(ann) == left


def test_renewing(world: World, ann: Workspace) -> None:
    ann.claim.acquire(files=["res:a", "src/a.py"], ttl_seconds=10)
    assert len(ann.claim.renew().claims) == 2
    renewed = ann.claim.renew(files=["res:a", "res:b"], ttl_seconds=9000)
    assert ([claim.file_path for claim in renewed.claims], renewed.not_held) == (["res:a"], ("res:b",))


def test_a_line_for_it_and_who_stands_in_it(ann: Workspace, bob: Workspace, tim: Workspace) -> None:
    ann.claim.acquire(files=["res:staging"])
    bob.claim.acquire(files=["res:staging", "docs"], wait=True)
    tim.claim.acquire(files=["res:staging"], wait=True)
    seen = ann.claim.list(files=["res:staging"])
    assert [claim.agent_id for claim in seen.claims] == ["ann"]
    assert [(one.agent_id, one.place) for one in seen.waiting] == [("bob", 1), ("tim", 2)]
    assert ann.claim.list(files=["src"]).waiting == ()
    ann.claim.release(files=["res:staging"])
    assert held(bob) == ["docs", "res:staging"]
    assert tim.claim.release(files=["res:*"]).given_up == ("res:staging",)


def test_the_original_sees_them_as_claims_and_lines_do_not_disturb_it(
    world: World, ann: Workspace, bob: Workspace
) -> None:
    foreign = Original(world.path, "old", "old-1", world.clock)
    foreign.register()
    ann.claim.acquire(files=["res:staging"])
    bob.claim.acquire(files=["res:staging"], wait=True)
    claim_files(foreign, ["res:staging"])
    seen = [(one["agentId"], one["filePath"]) for one in list_locks(foreign)]
    assert sorted(seen) == [("ann", "res:staging"), ("old", "res:staging")]
    ann.claim.release(files=["res:staging"])
    assert held(bob) == ["res:staging"], "theirs keep nobody out"
    told = bob.claim.acquire(files=["res:staging"]).conflicts
    assert [(one.agent_id, one.mode) for one in told] == [("old", "advisory")]
    foreign.close()
