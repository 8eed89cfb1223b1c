"""Who keeps whom out, and what they are told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

import pytest

from comity import Problem, Workspace
from comity.kernel.call import Pipeline
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.op import Op
from comity.kernel.problem import Conflict, NotFound
from comity.kernel.scope import Scope
from comity.rooms.claims.release import release_all
from comity.testing import World
from tests.wire_format import audit, rows


def held(workspace: Workspace) -> list[str]:
    return [claim.file_path for claim in workspace.claim.list(agent_id=workspace.actor.agent_id).claims]


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ("exclusive", "exclusive", True),
        ("exclusive", "shared", True),
        ("shared", "exclusive", True),
        ("shared", "shared", False),
    ],
)
def test_the_matrix(ann: Workspace, bob: Workspace, first: str, second: str, refused: bool) -> None:
    ann.call("claim.acquire", {"files": ["src"], "mode": first})
    if refused:
        with pytest.raises(Conflict) as problem:
            bob.call("claim.acquire", {"files": ["src/a.py"], "mode": second})
        assert problem.value.reason == "claim.held"
        assert held(bob) == []
    else:
        assert bob.call("claim.acquire", {"files": ["src/a.py"], "mode": second}).conflicts == ()


def test_the_refusal_names_everybody(world: World, ann: Workspace, bob: Workspace, root: Path) -> None:
    cid = world.agent("cid", root=str(root))
    ann.claim.acquire(files=["src/a.py"], reason="the lexer")
    bob.claim.acquire(files=["docs"], mode="shared")
    world.clock.advance(75)
    with pytest.raises(Conflict) as refused:
        cid.claim.acquire(files=["**/*.py", "docs/index.md", "free.txt"])
    problem = refused.value
    assert problem.message.startswith('bob holds "docs" until 2026-01-01T00:30:00.000Z, and 1 more.')
    assert problem.data["holders"] == ["ann", "bob"]
    assert problem.data["files"] == ["**/*.py", "docs/index.md"]
    conflicts = problem.data["conflicts"]
    assert isinstance(conflicts, list)
    # docs is a folder, so that **/*.py may mean files in it
    assert [(c["agentId"], c["filePath"], c["files"]) for c in conflicts] == [
        ("bob", "docs", ["**/*.py", "docs/index.md"]),
        ("ann", "src/a.py", ["**/*.py"]),
    ]
    assert (conflicts[1]["agentName"], conflicts[1]["reason"], conflicts[1]["ageSeconds"]) == ("Ann", "the lexer", 75)
    assert (conflicts[1]["mode"], conflicts[1]["expiresAt"]) == ("exclusive", "2026-01-01T00:30:00.000Z")
    assert held(cid) == []
    assert audit(world.path, "claim.refused")[0]["agent_id"] == "cid"
    ann.claim.acquire(files=[f"many/{number}.py" for number in range(30)])
    with pytest.raises(Conflict) as refused:
        cid.claim.acquire(files=["many"], mode="shared", partial=True)
    assert [len(refused.value.data[key]) for key in ("conflicts", "files", "holders")] == [30, 1, 1]  # type: ignore[arg-type]


def test_partial_claims_what_is_free(ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["src/a.py", "src/b.py"])
    got = bob.claim.acquire(files=["src/a.py", "src/c.py", "src/*.py"], partial=True)
    assert ([claim.file_path for claim in got.claims], got.refused) == (["src/c.py"], ("src/a.py", "src/*.py"))
    assert [one.file_path for one in got.conflicts] == ["src/a.py", "src/b.py"]
    with pytest.raises(Conflict):
        bob.claim.acquire(files=["src/a.py"], partial=True)
    assert held(bob) == ["src/c.py"]


def test_own_claims_never_stand_in_the_way(ann: Workspace) -> None:
    ann.claim.acquire(files=["src/a.py"])
    ann.claim.acquire(files=["src"])
    ann.claim.acquire(files=["src/**/*.py"], mode="shared")
    assert held(ann) == ["src", "src/**/*.py", "src/a.py"]


def test_sharing_may_become_exclusive_when_nobody_else_shares(ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["a"], mode="shared")
    bob.claim.acquire(files=["a"], mode="shared")
    with pytest.raises(Conflict):
        ann.claim.acquire(files=["a"])
    assert (held(ann), held(bob)) == (["a"], ["a"])
    bob.claim.release(files=["a"])
    assert ann.claim.acquire(files=["a"]).claims[0].mode == "exclusive"


def test_what_lapsed_is_free_and_marked(world: World, ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["a", "b"], ttl_seconds=5)
    world.clock.advance(5)
    assert bob.claim.acquire(files=["a"]).conflicts == ()
    marked = "SELECT file_path, released_at FROM macp_ext_file_claims WHERE release_reason = 'expired' ORDER BY 1"
    assert rows(world.path, marked) == [("a", "2026-01-01T00:00:05.000Z")]
    with pytest.raises(NotFound) as refused:
        ann.claim.renew(files=["a"])
    assert refused.value.reason == "claim.not_held"
    ann.claim.acquire(files=["c"])
    ann.claim.renew()
    assert rows(world.path, marked) == [(path, "2026-01-01T00:00:05.000Z") for path in ("a", "b")]
    told = [(event.agent_id, event.metadata["files"]) for event in ann.event.list(event_types=["claim.expired"]).events]
    assert told == [("ann", ["a"]), ("ann", ["b"])]


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
@pytest.mark.parametrize("ttl_seconds", [1, 2, 59, 1800])
@pytest.mark.parametrize("since_ms", [0, 1, 499, 500, 999])
def test_nobody_else_holds_it_before_the_end_that_was_told(
    world: World, ann: Workspace, bob: Workspace, since_ms: int, ttl_seconds: int, mode: Literal["exclusive", "shared"]
) -> None:
    world.clock.ms += since_ms
    claimed_ms = world.clock.ms
    ann.claim.acquire(files=["a", "b"], mode=mode, ttl_seconds=1)
    world.clock.ms += 700
    told = ann.claim.renew(files=["b"], ttl_seconds=ttl_seconds).claims[0].expires_at
    assert told == ann.claim.acquire(files=["a"], mode=mode, ttl_seconds=ttl_seconds).claims[0].expires_at
    end_ms = round(datetime.fromisoformat(told).timestamp() * 1000)
    assert 0 <= end_ms - claimed_ms - 700 - ttl_seconds * 1000 < 1000
    world.clock.ms = end_ms - 1
    for path in ("a", "b"):
        with pytest.raises(Conflict) as refused:
            bob.claim.acquire(files=[path])
        assert refused.value.data["conflicts"][0]["expiresAt"] == told  # type: ignore[index]
    world.clock.ms = end_ms
    assert len(bob.claim.acquire(files=["a", "b"]).claims) == 2


def test_fences_only_grow(world: World, ann: Workspace, bob: Workspace) -> None:
    first = ann.claim.acquire(files=["a", "b"]).claims
    assert [claim.fence for claim in first] == [1, 2]
    again = ann.claim.acquire(files=["a", "c"]).claims
    assert [(claim.file_path, claim.fence) for claim in again] == [("a", 1), ("c", 3)]
    assert [claim.fence for claim in ann.claim.renew().claims] == [1, 2, 3]
    ann.claim.release(files=["**"])
    rows(world.path, "DELETE FROM macp_ext_file_claims")
    assert bob.claim.acquire(files=["a"]).claims[0].fence == 4
    assert bob.claim.acquire(files=["a"], mode="shared").claims[0].fence == 5
    world.clock.advance(5000)
    assert bob.claim.acquire(files=["a"], mode="shared").claims[0].fence == 6


def test_renewing_holds_longer_and_never_shorter(world: World, ann: Workspace) -> None:
    ann.claim.acquire(files=["a"], ttl_seconds=100)
    ann.claim.acquire(files=["b"], ttl_seconds=10_000)
    world.clock.advance(50)
    renewed = ann.claim.renew(ttl_seconds=100)
    assert [(claim.file_path, claim.expires_at) for claim in renewed.claims] == [
        ("a", "2026-01-01T00:02:30.000Z"),
        ("b", "2026-01-01T02:46:40.000Z"),
    ]
    assert renewed.claims == ann.claim.list().claims
    some = ann.claim.renew(files=["./a", "x"], ttl_seconds=500)
    assert (len(some.claims), some.not_held) == (1, ("x",))


def test_releasing_by_name_and_by_glob(ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["src", "src/a.py", "src/b.md", "docs/x/y.py", "src/**/*.txt"])
    bob.claim.acquire(files=["top.py"])
    inner = ann.claim.release(files=["src/a.py/"])
    assert (inner.released_files, inner.still_held) == (["src/a.py"], ("src",))
    assert ann.claim.release(files=["src"]).still_held == ("src/**/*.txt", "src/b.md")
    assert ann.claim.release(files=["**/*.py"]).released_files == ["docs/x/y.py"]
    assert ann.claim.release(files=["src/*.txt"]).still_held == ("src/**/*.txt",)
    assert ann.claim.release(files=["src/**"]).released_files == ["src/**/*.txt", "src/b.md"]
    assert ann.claim.release(files=["**"]).released_files == []
    assert held(bob) == ["top.py"]


def test_elsewhere_only_warns(world: World, ann: Workspace, root: Path, tmp_path: Path) -> None:
    """The same path in another worktree, and in another repository on the same file."""
    for folder in ("tree", "other"):
        (tmp_path / folder).mkdir()
    tree = world.agent("tim", root=str(root), worktree=str(tmp_path / "tree"))
    other = world.agent("olga", root=str(tmp_path / "other"))
    ann.claim.acquire(files=["src/a.py"])
    seen = tree.claim.acquire(files=["src/*.py"])
    assert [(one.agent_id, one.elsewhere, one.repository, one.worktree) for one in seen.conflicts] == [
        ("ann", True, str(root), "")
    ]
    assert seen.claims[0].worktree == str(tmp_path / "tree")
    assert len(other.claim.acquire(files=["src/a.py"]).conflicts) == 2
    with pytest.raises(Conflict) as refused:
        world.agent("bob", root=str(root)).claim.acquire(files=["src/a.py"])
    assert refused.value.data["holders"] == ["ann"]
    told = refused.value.data["conflicts"]
    assert isinstance(told, list)
    assert {one["agentId"]: one.get("elsewhere", False) for one in told} == {"ann": False, "olga": True, "tim": True}
    assert tree.claim.release(files=["**"]).released_files == ["src/*.py"]
    assert held(ann) == ["src/a.py"]


def test_an_agent_in_two_worktrees_holds_both(world: World, root: Path, tmp_path: Path) -> None:
    one = world.agent("ann", root=str(root))
    one.claim.acquire(files=["a"])
    two = one.acting_as(one.actor._replace(worktree=str(tmp_path)))
    two.claim.acquire(files=["a"])
    assert len(one.claim.list().claims) == 2
    one.claim.release(files=["a"])
    assert [claim.worktree for claim in one.claim.list().claims] == [str(tmp_path)]


def test_case_is_the_file_systems(world: World, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.rooms.claims.paths._folds", lambda folder: True)
    place = str(root / "case")
    (root / "case").mkdir()
    ann, bob = world.agent("ann", root=place), world.agent("bob", root=place)
    ann.claim.acquire(files=["Src/Ärger.py", "README.md", "Lib/**"])
    for path in ("src/ärger.PY", "readme.MD", "LIB/x.c", "*.MD"):
        with pytest.raises(Conflict):
            bob.claim.acquire(files=[path])
    assert ann.claim.release(files=["SRC/ÄRGER.py"]).released_files == ["Src/Ärger.py"]


def test_listing_finds_what_covers_a_path_and_what_lies_below(ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["src", "docs/**/*.md"])
    bob.claim.acquire(files=["top.py", "lib/x.py"])
    found = {
        path: [claim.file_path for claim in ann.claim.list(files=[path]).claims]
        for path in ("src/deep/x.py", "docs/a/b.md", "docs/a/b.py", "lib", "**/x.py", ".", "none.py")
    }
    assert found == {
        "src/deep/x.py": ["src"],
        "docs/a/b.md": ["docs/**/*.md"],
        "docs/a/b.py": [],
        "lib": ["lib/x.py"],
        "**/x.py": ["lib/x.py", "src"],
        ".": ["docs/**/*.md", "lib/x.py", "src", "top.py"],
        "none.py": [],
    }
    assert [claim.file_path for claim in ann.claim.list(files=["."], agent_id="bob").claims] == ["lib/x.py", "top.py"]
    some = ann.claim.list(limit=3)
    assert (len(some.claims), some.more, ann.claim.list(limit=4).more) == (3, True, False)


def test_everything_of_an_agent_is_released_at_once(world: World, ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["a", "b/**"])
    bob.claim.acquire(files=["c"])

    def leave(scope: Scope, *, session_id: str | None = None) -> list[str]:
        return release_all(scope, "ann", session_id, "reaped")

    pipeline = Pipeline(world.store, world.clock, TimeOrderedIds())
    op = Op("test.leave", leave, "write", {}, None, None)
    assert pipeline.run(op, bob.actor, {"session_id": "some other"}) == []
    assert pipeline.run(op, bob.actor, {}) == ["a", "b/**"]
    assert (held(ann), held(bob)) == ([], ["c"])
    world.clock.advance(5000)
    assert pipeline.run(op, bob.actor, {}) == []
    assert audit(world.path, "claim.expired")[-1]["agent_id"] == "bob"
    assert audit(world.path, "claim.released")[-1]["agent_id"] == "ann"


def test_conflicts_are_found_by_index(world: World, ann: Workspace) -> None:
    statements = world.store.statements
    for name, *indexes in (
        ("at", "comity_claims_live (<expr>=? AND <expr>>?)"),
        (
            "touching_live",
            "comity_claims_live (<expr>=? AND <expr>>?)",
            "comity_claims_live (<expr>>? AND <expr><?)",
            "comity_claims_unusual (<expr>>?)",
        ),
        (
            "touching_expiry",
            "comity_claims_live (<expr>=? AND <expr>>?)",
            "comity_claims_expiry (<expr>>?)",
            "comity_claims_unusual (<expr>>?)",
        ),
        ("more_active_than", "comity_claims_expiry (<expr>>?)"),
        ("active", "comity_claims_expiry (<expr>>?)"),
        ("lapsed", "comity_claims_expiry (<expr><?)"),
        ("lapsed_at", "comity_claims_live (<expr>=? AND <expr><?)"),
    ):
        given = {"keys": "[]", "at": "[]", "below": "[]", "second": 0, "agent_id": None, "limit": 1, "few": 1}
        plan = rows(world.path, "EXPLAIN QUERY PLAN " + statements[f"claims.{name}"], **given)
        found = " ".join(row[3] for row in plan)
        assert all(index in found for index in indexes), (name, found)
        assert "SCAN c" not in found


def test_many_files_at_once(ann: Workspace, bob: Workspace) -> None:
    names = [f"src/{number % 10}/{number}.py" for number in range(1000)]
    assert len(ann.claim.acquire(files=names).claims) == 1000
    got = bob.claim.acquire(files=[*names[:5], "x.py"], partial=True)
    assert (len(got.conflicts), got.refused) == (5, tuple(names[:5]))
    with pytest.raises(Problem):
        bob.claim.acquire(files=["src"])
    assert len(ann.claim.release(files=["src/**"]).released_files) == 1000
