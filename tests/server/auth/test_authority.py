"""Who is behind a request: whatever is shown counts, and nothing wrong is taken for nothing."""

from __future__ import annotations

import pytest

from comity import Workspace
from comity.kernel.problem import Forbidden, Invalid, Problem, Unauthenticated
from comity.server.auth.authority import Authority, check_bind
from comity.server.auth.config import AuthConfig
from comity.server.auth.principal import Principal, Role
from comity.testing import World
from tests.doors.cli.program import Program

NEVER_A_TOKEN = [
    "",
    " ",
    "Bearer",
    "Bearer ",
    "Basic Y29taXR5",
    "Bearer comity",
    "Bearer comity__",
    "Bearer {id}",
    "{id}_{secret}",
    "comity_{id}_{secret}",
    "Basic comity_{id}_{secret}",
    "Bearer: comity_{id}_{secret}",
    "Bearer comity_{id}_{secret} x",
    "Bearer comity_{id}_{secret}, Bearer comity_{id}_{secret}",
    "Bearer comity_{id}_{secret}\0",
    "Bearer comity_{id}_{secret}\n",
    "Bearer\0comity_{id}_{secret}",
    "Bearer\tcomity_{id}_{secret}",
    "Bearer comity_{id}_{secret}0",
    "Bearer comity_{id}0_{secret}",
    "Bearer comity_{ID}_{secret}",
    "Bearer comity_{id}_{SECRET}",
    "Bearer comity_' OR 1=1_{secret}",
    "Bearer comity_{id}_\u0661" + "0" * 63,
    "Bearer \uff43omity_{id}_{secret}",
    "\u0432earer comity_{id}_{secret}",
    "Bearer \ud800",
    "Bearer " + "comity_" * 1_000_000,
    "Bearer" + " " * 1_000_000 + "comity_{id}_{secret}",
]


@pytest.fixture
def boss(world: World) -> Workspace:
    return world.agent("boss", start=False)


def reason(authority: Authority, shown: str | list[str] | None) -> str:
    with pytest.raises(Unauthenticated) as refused:
        authority.of(shown)
    assert refused.value.hint
    return refused.value.reason


def test_a_token_tells_who_calls(boss: Workspace) -> None:
    authority = Authority(boss, AuthConfig(), required=True)
    made = boss.token.create(role="reader", agent_id="ann")
    known = Principal("ann", "reader", made.token.token_id, bound=True)
    for scheme in ("Bearer", "bearer", "BEARER", "Bearer  "):
        assert authority.of(f"{scheme} {made.secret}") == known
    assert authority.of([f" Bearer {made.secret} "]) == known
    assert authority.of(f"Bearer {boss.token.create(role='admin').secret}").agent_id is None


@pytest.mark.parametrize("required", [True, False])
def test_whatever_is_wrong_is_refused_also_where_nobody_needs_a_token(boss: Workspace, *, required: bool) -> None:
    authority = Authority(boss, AuthConfig(), required=required)
    _, token_id, secret = boss.token.create(role="admin", agent_id="ann").secret.split("_")
    words = {"{id}": token_id, "{ID}": token_id.upper(), "{secret}": secret, "{SECRET}": secret.upper()}
    assert token_id.upper() != token_id or words.pop("{ID}")
    for pattern in NEVER_A_TOKEN:
        if pattern.find("{ID}") > 0 and "{ID}" not in words:
            continue  # chance made an id without letters
        shown = pattern
        for word, text in words.items():
            shown = shown.replace(word, text)
        assert reason(authority, shown) == "token.malformed", shown[:100]
    good = f"Bearer comity_{token_id}_{secret}"
    for several in ([good, good], [good, ""], ["", good], ["Basic x", good]):
        assert reason(authority, several) == "token.malformed"
    flipped = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    assert reason(authority, f"Bearer comity_{token_id}_{flipped}") == "token.unknown"
    assert reason(authority, f"Bearer comity_000000000000_{secret}") == "token.unknown"


def test_who_shows_nothing_is_nobody_or_refused(boss: Workspace) -> None:
    nothings: tuple[list[str] | None, ...] = (None, [])
    for nothing in nothings:
        assert reason(Authority(boss, AuthConfig(), required=True), nothing) == "token.missing"
        reader = Authority(boss, AuthConfig(default_role="reader"), required=False)
        assert reader.of(nothing) == Principal(None, "reader", None)
        assert Authority(boss, AuthConfig(), required=False).of(nothing) == Principal(None, "worker", None)


def test_secrets_are_in_no_refusal(boss: Workspace) -> None:
    authority = Authority(boss, AuthConfig(), required=True)
    made = boss.token.create(role="admin")
    boss.token.revoke(token_id=made.token.token_id)
    for shown in (f"Bearer {made.secret}", f"Bearer {made.secret}0", f"Basic {made.secret}"):
        with pytest.raises(Unauthenticated) as refused:
            authority.of(shown)
        assert made.secret[-64:] not in f"{refused.value.as_dict()} {refused.value.args}"


def test_time_and_revocation_end_a_token_and_whatever_it_opened(world: World, boss: Workspace) -> None:
    authority = Authority(boss, AuthConfig(), required=True)
    brief, other = (boss.token.create(role="worker", expires_in_s=span) for span in (60, 3600))
    streams = [authority.of(f"Bearer {one.secret}") for one in (brief, other)]
    assert [authority.still(one) for one in streams] == [True, True]
    world.clock.advance(60)
    assert reason(authority, f"Bearer {brief.secret}") == "token.expired"
    assert [authority.still(one) for one in streams] == [False, True]
    boss.token.revoke(token_id=other.token.token_id)
    assert reason(authority, f"Bearer {other.secret}") == "token.revoked"
    assert [authority.still(one) for one in streams] == [False, False]
    assert not authority.still(Principal(None, "worker", None))
    assert not authority.still(Principal(None, "admin", "0123456789ab"))
    assert Authority(boss, AuthConfig(), required=False).still(Principal(None, "worker", None))


def test_a_role_bounds_every_call_of_a_workspace(boss: Workspace) -> None:
    authority = Authority(boss, AuthConfig(), required=True)
    base = boss.actor._replace(agent_id="ann", session_id="ann-1", channel="main")

    def seat(role: Role) -> Workspace:
        shown = f"Bearer {boss.token.create(role=role, agent_id='ann').secret}"
        return boss.acting_as(base, permit=authority.permit(authority.of(shown)))

    reader, worker, admin = seat("reader"), seat("worker"), seat("admin")
    reader.session.start()
    assert reader.task.list().tasks == []
    for needs, name in (("worker", "task.dispatch"), ("worker", "message.poll"), ("admin", "token.create")):
        with pytest.raises(Forbidden) as refused:
            reader.call(name, {"title": "x", "nonsense": 1})  # refused before its arguments are looked at
        assert (refused.value.reason, refused.value.data["needs"]) == ("role.insufficient", needs)
    worker.task.dispatch(title="Write the lexer")
    below = worker.acting_as(base._replace(session_id="ann-2"))
    for bounded in (worker, below, worker.alongside(base)):
        with pytest.raises(Forbidden, match=r"role\.insufficient"):
            bounded.token.create(role="admin")
        with pytest.raises(Forbidden, match=r"role\.insufficient"):
            bounded.workspace.prune()
    assert admin.token.list().tokens
    admin.workspace.prune(dry_run=True)
    with pytest.raises(Problem, match=r"operation\.unknown"):
        admin.call("workspace.burn")


def test_the_last_use_is_written_by_a_loop_and_by_no_request(world: World, boss: Workspace) -> None:
    authority = Authority(boss, AuthConfig(), required=True)
    made = boss.token.create(role="reader")
    for _ in range(3):
        authority.of(f"Bearer {made.secret}")
    assert boss.token.get(token_id=made.token.token_id).last_used_at is None
    assert [authority.note_used(), authority.note_used()] == [1, 0]
    assert boss.token.get(token_id=made.token.token_id).last_used_at == world.clock.now().iso


def test_other_machines_are_let_in_with_tokens_only(world: World, boss: Workspace) -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        assert not check_bind(boss, host, AuthConfig())
        assert check_bind(boss, host, AuthConfig(require_token=True))

    def refused(host: str, config: AuthConfig) -> str:
        with pytest.raises(Invalid, match=r"auth\.required") as problem:
            check_bind(boss, host, config)
        return problem.value.hint

    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org", ""):
        assert "comity token create --role admin" in refused(host, AuthConfig())
        assert "require_token" in refused(host, AuthConfig(require_token=False))
    made = boss.token.create(role="admin", expires_in_s=60)
    assert check_bind(boss, "0.0.0.0", AuthConfig())
    assert "require_token" in refused("0.0.0.0", AuthConfig(require_token=False))
    world.clock.advance(60)
    refused("0.0.0.0", AuthConfig())
    boss.token.revoke(token_id=made.token.token_id)
    refused("0.0.0.0", AuthConfig(require_token=True))


def test_what_another_process_makes_is_known_and_what_it_revokes_is_refused(comity: Program) -> None:
    made = comity("token", "create", "--role", "worker", "--agent", "ann", "--json").json
    with World(comity.db) as world:
        world.clock.ms = world.clock.ms + 10 * 365 * 86_400_000
        authority = Authority(world.agent("boss", start=False), AuthConfig(), required=True)
        shown = f"Bearer {made['secret']}"
        assert reason(authority, shown) == "token.expired"
        world.clock.ms -= 10 * 365 * 86_400_000
        principal = authority.of(shown)
        assert principal == Principal("ann", "worker", made["token"]["tokenId"], bound=True)
        assert comity("token", "revoke", made["token"]["tokenId"]).code == 0
        assert reason(authority, shown) == "token.revoked"
        assert not authority.still(principal)


def test_an_agent_that_a_living_token_names_is_that_tokens_alone(world: World) -> None:
    boss = world.agent("boss", start=False)
    authority = Authority(boss, AuthConfig(), required=False)
    free = authority.of(None)
    assert authority.named(free, "dan") == free._replace(agent_id="dan", asked=True)
    made = boss.token.create(role="worker", agent_id="bob", expires_in_s=60)
    own = authority.of(f"Bearer {made.secret}")
    assert authority.named(own, "bob") == own
    other = authority.of(f"Bearer {boss.token.create(role='admin').secret}")
    reader = authority.of(f"Bearer {boss.token.create(role='reader').secret}")
    for principal, name, why in (
        (own, "ann", "agent.mismatch"),
        (free, "bob", "agent.bound"),
        (other, "bob", "agent.bound"),
        (reader, "bob", "agent.unproven"),
        (reader, "ann", "agent.unproven"),
    ):
        with pytest.raises(Forbidden) as refused:
            authority.named(principal, name)
        assert refused.value.reason == why
    assert authority.still(own)
    assert not authority.still(free, "bob")
    assert not authority.still(free._replace(agent_id="bob", asked=True))
    world.clock.ms += 61_000
    assert not authority.still(own)
    assert authority.still(free, "bob"), "the token is over, and the name is anybody's"
    with pytest.raises(Unauthenticated) as over:
        authority.recheck(own)
    assert over.value.reason == "token.expired"
