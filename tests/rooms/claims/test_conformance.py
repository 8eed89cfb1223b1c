"""The protocol's rows and answers (reference section 4.3), beside a peer that works as the original does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comity import Problem, Workspace
from comity.kernel.record import to_json
from comity.testing import World
from tests.original import Original
from tests.original_claims import claim_files, list_locks, release_files
from tests.wire_format import audit, check, dicts, rows

BASE = ["claimId", "agentId", "sessionId", "filePath", "claimedAt", "expiresAt"]


@pytest.fixture
def foreign(world: World) -> Iterator[Original]:
    peer = Original(world.path, "old", "old-1", world.clock)
    peer.register()
    yield peer
    peer.close()


def table(world: World) -> list[dict[str, Any]]:
    return dicts(world.path, "SELECT * FROM macp_ext_file_claims ORDER BY rowid")


def keys(claim: dict[str, Any]) -> list[str]:
    return [key for key in claim if key not in {"mode", "fence", "agentName", "worktree"}]


def test_rows_and_answer(world: World, ann: Workspace) -> None:
    told = to_json(ann.claim.acquire(files=["src/b.py", "src/a.py", " src/a.py "], ttl_seconds=60, reason="refactor"))
    assert list(told) == ["claimId", "claims"]
    assert [claim["filePath"] for claim in told["claims"]] == ["src/a.py", "src/b.py"]
    assert [keys(claim) for claim in told["claims"]] == [[*BASE, "reason"]] * 2
    for row in table(world):
        assert row == {
            "claim_id": told["claimId"],
            "file_path": row["file_path"],
            "agent_id": "ann",
            "session_id": ann.actor.session_id,
            "claimed_at": "2026-01-01T00:00:00.000Z",
            "expires_at": "2026-01-01T00:01:00.000Z",
            "reason": "refactor",
            "released_at": None,
            "release_reason": None,
        }
    assert "reason" not in to_json(ann.claim.acquire(files=["c"]))["claims"][0]


def test_claiming_again_supersedes(world: World, ann: Workspace) -> None:
    first = ann.claim.acquire(files=["a", "b"])
    world.clock.advance(10)
    second = ann.claim.acquire(files=["./a"])
    assert [(row["file_path"], row["released_at"], row["release_reason"]) for row in table(world)] == [
        ("a", "2026-01-01T00:00:10.000Z", "superseded"),
        ("b", None, None),
        ("a", None, None),
    ]
    assert first.claim_id != second.claim_id
    assert [claim.file_path for claim in ann.claim.list().claims] == ["a", "b"]


def test_release(world: World, ann: Workspace) -> None:
    ann.claim.acquire(files=["a", "b", "c"])
    assert to_json(ann.claim.release(files=["c", "x", "a"])) == {"releasedFiles": ["c", "a"]}
    assert to_json(ann.claim.release(files=["b"], reason="done with it")) == {"releasedFiles": ["b"]}
    assert [row["release_reason"] for row in table(world)] == ["released", "done with it", "released"]
    assert to_json(ann.claim.release(files=["b"])) == {"releasedFiles": []}


def test_both_see_each_other(world: World, foreign: Original, ann: Workspace) -> None:
    theirs = claim_files(foreign, ["src/z.py", "x.py"], reason="mine")
    mine = ann.claim.acquire(files=["src/a.py"], reason="also mine")
    assert to_json(ann.claim.list(agent_id="old"))["claims"] == [
        claim | {"agentName": "old of the original"} for claim in theirs["claims"]
    ]
    seen = list_locks(foreign, "ann")
    assert [keys(claim) for claim in seen] == [[*BASE, "reason"]]
    assert seen[0]["claimId"] == mine.claim_id
    assert [c["filePath"] for c in list_locks(foreign)] == [c.file_path for c in ann.claim.list().claims]
    assert [c["filePath"] for c in list_locks(foreign, files=["src/a.py"])] == ["src/a.py"]
    assert [c.file_path for c in ann.claim.list(files=["x.py"]).claims] == ["x.py"]


def test_claims_of_the_original_are_told_and_keep_nobody_out(world: World, foreign: Original, ann: Workspace) -> None:
    theirs = claim_files(foreign, ["./src/a.py", "docs/**", f"{ann.actor.root}/x.py", "/etc/passwd"], reason="mine")
    world.clock.advance(90)
    told = to_json(ann.claim.acquire(files=["src", "docs/index.md", "x.py", "free.py"]))
    assert len(told["claims"]) == 4
    assert [(one["files"], one["filePath"]) for one in told["conflicts"]] == [
        (["src"], "./src/a.py"),
        (["x.py"], f"{ann.actor.root}/x.py"),
        (["docs/index.md"], "docs/**"),
    ]
    assert told["conflicts"][0] == {
        "files": ["src"],
        "filePath": "./src/a.py",
        "agentId": "old",
        "agentName": "old of the original",
        "sessionId": "old-1",
        "claimId": theirs["claimId"],
        "claimedAt": "2026-01-01T00:00:00.000Z",
        "expiresAt": "2026-01-01T00:30:00.000Z",
        "ageSeconds": 90,
        "mode": "advisory",
        "reason": "mine",
    }
    assert [claim.file_path for claim in ann.claim.list(files=["/etc/passwd"]).claims] == ["/etc/passwd"]


def test_the_original_claims_what_comity_holds(world: World, foreign: Original, ann: Workspace) -> None:
    ann.claim.acquire(files=["src/a.py"])
    claim_files(foreign, ["src/a.py"])
    assert len(ann.claim.list(files=["src/a.py"]).claims) == 2
    again = ann.claim.acquire(files=["src/a.py"])
    assert [one.agent_id for one in again.conflicts] == ["old"]
    assert release_files(foreign, ["src/a.py"]) == ["src/a.py"]
    assert not ann.claim.acquire(files=["src/a.py"]).conflicts


def test_one_agent_with_both_programs(world: World, root: Path) -> None:
    """It was run by the original, then by Comity, then by the original again."""
    old = Original(world.path, "both", "s1", world.clock)
    old.register()
    claim_files(old, ["./a.py", "a.py", "b.py"])
    now = world.agent("both", root=str(root), session_id="s1")
    told = now.claim.acquire(files=["a.py"])
    assert (told.conflicts, [claim.file_path for claim in now.claim.list().claims]) == ((), ["a.py", "b.py"])
    assert now.claim.release(files=["**"]).released_files == ["a.py", "b.py"]
    now.claim.acquire(files=["c.py"])
    claim_files(old, ["c.py"])
    assert [(row["file_path"], row["release_reason"]) for row in table(world)][-2:] == [
        ("c.py", "superseded"),
        ("c.py", None),
    ]
    old.close()
    check(world.path)


def test_a_claim_ends_by_whole_seconds(world: World, foreign: Original, ann: Workspace) -> None:
    world.clock.advance(0.9)
    ann.claim.acquire(files=["a"], ttl_seconds=2)
    for step, active in ((0.0, True), (1.0, True), (1.099, True), (0.001, False)):
        world.clock.advance(step)
        assert bool(ann.claim.list().claims) is bool(list_locks(foreign)) is active


def test_a_claim_of_centuries_counts_ten_years(world: World, ann: Workspace, foreign: Original) -> None:
    claim = ann.claim.acquire(files=["a"], ttl_seconds=2**53 - 1).claims[0]
    assert claim.expires_at == "2035-12-30T00:00:00.000Z"
    assert len(list_locks(foreign)) == 1


@pytest.mark.parametrize("operation", ["claim.acquire", "claim.release", "claim.renew"])
def test_only_an_active_session_claims(world: World, ann: Workspace, operation: str) -> None:
    ann.session.end()
    with pytest.raises(Problem) as refused:
        ann.call(operation, {"files": ["a"]})
    assert refused.value.reason == "MACP_ERR_SESSION_UNKNOWN"
    assert refused.value.data == {"agentId": "ann", "sessionId": ann.actor.session_id}
    assert table(world) == []


def test_listing_needs_no_session_and_changes_nothing(world: World, ann: Workspace) -> None:
    ann.claim.acquire(files=["a"], ttl_seconds=1)
    world.clock.advance(10)
    ann.session.end()
    before = rows(world.path, "SELECT * FROM macp_ext_file_claims"), audit(world.path)
    assert ann.claim.list().claims == []
    assert (rows(world.path, "SELECT * FROM macp_ext_file_claims"), audit(world.path)) == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"files": []}, "argument.invalid"),
        ({"files": [" ", "\ufeff"]}, "claim.no_files"),
        ({"files": ["../x"]}, "path.outside"),
        ({"files": ["a\0b"]}, "argument.invalid"),
        ({"files": ["a\ud800"]}, "argument.invalid"),
        ({"files": "a"}, "argument.invalid"),
        ({"files": [""]}, "claim.no_files"),
        ({"files": ["x" * 5000]}, "argument.invalid"),
        ({"files": [f"{i}/{{{','.join(map(str, range(100)))}}}" for i in range(30)]}, "path.too_many"),
        ({"files": ["a"], "ttl_seconds": 0}, "argument.invalid"),
        ({"files": ["a"], "mode": "advisory"}, "argument.invalid"),
        ({"files": ["a"], "reason": ""}, "argument.invalid"),
        ({"files": ["a"], "unknown": 1}, "argument.unknown"),
        ({}, "argument.missing"),
    ],
)
def test_bad_input_claims_nothing(world: World, ann: Workspace, arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(Problem) as refused:
        ann.call("claim.acquire", arguments)
    assert refused.value.reason == reason
    assert refused.value.hint
    assert table(world) == []


@pytest.mark.parametrize("expires_at", ["now", "never", "", "9999-99-99", "2026-01-01", b"\xff", None])
def test_malformed_rows_of_others_disturb_nobody(world: World, ann: Workspace, expires_at: object) -> None:
    world.agent("odd")
    session = rows(world.path, "SELECT session_id FROM sessions WHERE agent_id = 'odd'")[0][0]
    for path in ("src/a.py", "*", b"\xff\xfe", ""):
        rows(
            world.path,
            "INSERT INTO macp_ext_file_claims VALUES"
            " (?, ?, 'odd', ?, 'whenever', coalesce(?, '2027-01-01'), NULL, NULL, NULL)",
            *(repr(path), path, session, expires_at),
        )
    ann.claim.acquire(files=["src/a.py", "*.md"])
    ann.claim.list()
    ann.claim.list(files=["**"])
    ann.claim.release(files=["**"])
    check(world.path)


def test_deleting_rows_takes_details_along(world: World, ann: Workspace) -> None:
    ann.claim.acquire(files=["a", "b"])
    rows(world.path, "DELETE FROM macp_ext_file_claims WHERE file_path = 'a'")
    assert rows(world.path, "SELECT file_path FROM comity_claim_details") == [("b",)]
    rows(world.path, "DELETE FROM channel_members")
    rows(world.path, "DELETE FROM sessions")
    assert rows(world.path, "SELECT count(*) FROM comity_claim_details") == [(0,)]
    check(world.path)


def test_a_new_session_takes_its_claims_along(world: World, ann: Workspace, root: Path) -> None:
    ann.claim.acquire(files=["a"])
    again = world.agent("ann", root=str(root))
    assert again.claim.release(files=["a"]).released_files == ["a"]


def test_every_change_is_in_the_log(world: World, ann: Workspace, bob: Workspace) -> None:
    claimed = ann.claim.acquire(files=["a", "b"], ttl_seconds=60, reason="x")
    with pytest.raises(Problem):
        bob.claim.acquire(files=["a"])
    ann.claim.renew(files=["a"], ttl_seconds=120)
    ann.claim.release(files=["a"], reason="done")
    world.clock.advance(61)
    bob.claim.acquire(files=["b"])
    told = [(row["event_type"], row["agent_id"], row["reason_code"]) for row in audit(world.path, "claim.%")]
    assert told == [
        ("claim.acquired", "ann", "MACP_OK"),
        ("claim.refused", "bob", "claim.held"),
        ("claim.renewed", "ann", "MACP_OK"),
        ("claim.released", "ann", "MACP_OK"),
        ("claim.expired", "ann", "MACP_OK"),
        ("claim.acquired", "bob", "MACP_OK"),
    ]
    first = ann.event.list(event_types=["claim.acquired"]).events[0]
    assert (first.metadata["claim_id"], first.metadata["files"]) == (claimed.claim_id, ["a", "b"])
