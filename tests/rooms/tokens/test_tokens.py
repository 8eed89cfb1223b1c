"""Tokens: made once, kept as a digest, checked without telling more than the caller knows."""

from __future__ import annotations

import os
import random
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from comity import Problem, Workspace
from comity.kernel.problem import Invalid, NotFound, Unauthenticated
from comity.rooms import REGISTRY
from comity.rooms.tokens.credentials import digest_of
from comity.testing import World
from tests.sim.processes import spawn
from tests.wire_format import check, rows

DAY_S = 86_400


@pytest.fixture
def boss(world: World) -> Workspace:
    return world.agent("boss", start=False)


def parts(secret: str) -> dict[str, str]:
    """What checks a token."""
    _, token_id, rest = secret.split("_")
    return {"token_id": token_id, "digest": digest_of(rest)}


def test_a_token_stands_for_its_agent_and_role(boss: Workspace) -> None:
    made = [boss.token.create(role="worker", agent_id=" ann ", label="laptop") for _ in range(3)]
    assert len({one.secret for one in made}) == 3
    for one in made:
        word, token_id, secret = one.secret.split("_")
        assert (word, len(token_id), len(secret)) == ("comity", 12, 64)
        assert bytes.fromhex(token_id + secret)
        assert tuple(boss.token.check(**parts(one.secret))) == (token_id, "worker", "ann")
        assert one.token == boss.token.get(token_id=token_id)
        assert (one.token.label, one.token.created_by, one.token.state) == ("laptop", "boss", "live")
    assert boss.token.create(role="reader").token.agent_id is None


def test_secrets_are_nowhere_in_the_file(world: World, boss: Workspace) -> None:
    made = boss.token.create(role="admin", label="x")
    boss.token.revoke(token_id=made.token.token_id)
    boss.store.close()
    secret = made.secret.rpartition("_")[2].encode()
    for file in Path(world.path).parent.glob("*"):
        assert file.is_dir() or secret not in file.read_bytes(), file
    told = rows(world.path, "SELECT event_type, agent_id, metadata_json FROM audit_log ORDER BY id")
    assert [row[:2] for row in told] == [("token.created", "boss"), ("token.revoked", "boss")]
    assert secret.decode() not in str(told)


def test_what_is_wrong_is_told_only_to_whoever_has_the_secret(world: World, boss: Workspace) -> None:
    brief, lasting = (boss.token.create(role="worker", expires_in_s=span) for span in (60, 0))
    revoked = boss.token.create(role="admin")
    assert boss.token.revoke(token_id=revoked.token.token_id).changed
    world.clock.advance(60)

    def reason(known: dict[str, str]) -> str:
        with pytest.raises(Unauthenticated) as refused:
            boss.token.check(**known)
        assert refused.value.hint
        return refused.value.reason

    assert reason(parts(brief.secret)) == "token.expired"
    assert reason(parts(revoked.secret)) == "token.revoked"
    world.clock.advance(10_000 * DAY_S)
    assert boss.token.check(**parts(lasting.secret)).role == "worker"
    wrong = [
        {"token_id": known["token_id"], "digest": parts(lasting.secret)["digest"]}
        for known in (parts(brief.secret), parts(revoked.secret))
    ]
    others = [("0123456789ab", "0" * 64), ("é" * 12, "é" * 64), ("'; --", "x" * 64), ("a\n", " " * 64)]
    for known in (*wrong, *({"token_id": one, "digest": digest} for one, digest in others)):
        with pytest.raises(Unauthenticated) as refused:
            boss.token.check(**known)
        assert refused.value.args == ("token.unknown", "This token is not known here.")
        assert refused.value.data == {}


def test_what_cannot_be_is_refused(boss: Workspace) -> None:
    refused: list[dict[str, object]] = [
        {"role": "boss"},
        {"role": "worker", "agent_id": ""},
        {"role": "worker", "agent_id": "a\0"},
        {"role": "worker", "label": "x" * 201},
        {"role": "worker", "expires_in_s": -1},
        {"role": "worker", "expires_in_s": 10**12},
        {"role": "worker", "agent_id": " "},
    ]
    for arguments in refused:
        with pytest.raises(Invalid):
            boss.call("token.create", arguments)
    assert boss.token.list(include_dead=True).tokens == []
    for token_id in ("0123456789ab", "%", "../x"):
        with pytest.raises(NotFound, match=r"token\.no_such"):
            boss.token.revoke(token_id=token_id)


def test_the_list_has_the_living_first_and_the_dead_on_demand(world: World, boss: Workspace) -> None:
    ids = []
    for span in (0, 60, 3600):
        ids.append(boss.token.create(role="reader", expires_in_s=span).token.token_id)
        world.clock.advance(1)
    boss.token.revoke(token_id=ids[0])
    assert not boss.token.revoke(token_id=ids[0]).changed
    world.clock.advance(60)
    assert [token.token_id for token in boss.token.list().tokens] == [ids[2]]
    listed = boss.token.list(include_dead=True).tokens
    assert [(token.token_id, token.state) for token in listed] == [
        (ids[2], "live"),
        (ids[1], "expired"),
        (ids[0], "revoked"),
    ]
    assert listed[2].revoked_by == "boss"
    assert "secret" not in listed[0]._fields


def test_the_last_use_is_kept_to_the_minute(world: World, boss: Workspace) -> None:
    token_id = boss.token.create(role="reader").token.token_id
    touched = [boss.token.touch(token_ids=[token_id, "none"]).touched, boss.token.touch(token_ids=[token_id]).touched]
    world.clock.advance(59)
    touched.append(boss.token.touch(token_ids=[token_id]).touched)
    assert touched == [1, 0, 0]
    now = world.clock.advance(1)
    assert boss.token.touch(token_ids=[token_id]).touched == 1
    assert boss.token.get(token_id=token_id).last_used_at == now.iso


@pytest.mark.disk
def test_makers_beside_each_other_and_killed_ones_leave_whole_tokens(tmp_path: Path) -> None:
    """Four at once; two of them are killed with the next token half made. What was told works, the rest is whole."""
    path = str(tmp_path / "tokens.macp.db")
    with World(path) as world, ExitStack() as running:
        boss = world.agent("boss", start=False)
        chance = random.Random(11)
        many = (40, 40, 100_000, 100_000)
        makers = [running.enter_context(spawn("tests.rooms.tokens.maker", path, count)) for count in many]
        told = []
        for maker in makers[2:]:
            assert maker.stdout is not None
            told += [maker.stdout.readline() for _ in range(chance.randrange(10, 60))]
            os.kill(maker.pid, signal.SIGKILL)
        for maker in makers:  # communicate() would pass by what readline() holds already
            assert maker.stdout is not None
            told += maker.stdout.readlines()
        assert [maker.wait() for maker in makers] == [0, 0, -9, -9]
        secrets = [line.decode().strip() for line in told if line.endswith(b"\n")]
        assert len(secrets) == len(set(secrets)) > 100
        world.clock.ms += 10**12  # the makers have the machine's clock, and their tokens last
        reasons = set()
        for secret in secrets:
            try:
                boss.token.check(**parts(secret))
            except Problem as problem:
                reasons.add(problem.reason)
        assert reasons == {"token.expired"}  # known, each of them
        counted = rows(
            path,
            "SELECT count(*), sum(length(secret_sha256) = 64), sum(expires_ms > created_ms),"
            " (SELECT count(*) FROM audit_log WHERE event_type = 'token.created'),"
            " (SELECT count(*) FROM comity_event_subjects WHERE kind = 'token') FROM comity_tokens",
        )
        assert len(set(counted[0])) == 1, counted
        assert counted[0][0] >= len(secrets)
    check(path)


def test_only_what_shows_a_secret_is_marked_so_that_nothing_keeps_it() -> None:
    assert [op.name for op in REGISTRY if op.secret] == ["token.create"]
