"""A migration that was shipped stays as it is: files out there have it behind them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from comity.kernel.call import Key
from comity.kernel.problem import Conflict, NotFound
from comity.kernel.record import to_json
from comity.store import migrate
from comity.store.connection import connect
from comity.testing import FakeClock, World
from tests.wire_format import rows
from tests.worlds import fresh

# The first 16 digits of each file's SHA-256. A new migration gets a new line; a line is never changed.
FROZEN = {
    "0001_macp_core.sql": "d48e692e5caad389",
    "0002_macp_extensions.sql": "78b344513f1768ea",
    "0003_comity_pending.sql": "f763ce570c8abce7",
    "0004_comity_search.sql": "be4fdcefa66811ad",
    "0005_comity_claims.sql": "259a510f5ecb467a",
    "0006_comity_tasks.sql": "70302763d3d6a860",
    "0007_comity_presence.sql": "8f3e6e1b0629d5e3",
    "0008_comity_event_subjects.sql": "58666be1ceea9478",
    "0009_comity_turns.sql": "90bd99d1c56a22ca",
    "0010_comity_edits.sql": "953fb7a31ef27f26",
    "0011_comity_tokens.sql": "2c48036a9c1c49ad",
    "0012_comity_channel_history.sql": "a79ce87f02feb22c",
    "0013_comity_idempotency.sql": "23d4d8b1500fb0f7",
    "0014_comity_task_titles.sql": "c1852146a4d559f6",
    "0015_comity_answers.sql": "68b1a19e59ace69b",
    "0016_comity_work.sql": "1598055516376538",
    "0017_comity_jobs.sql": "c41ee71e79b919be",
    "0018_comity_task_lifts.sql": "ce8eea023c3058da",
    "0019_comity_search_spaced.sql": "a31405ec9e518ba1",
    "0020_comity_line.sql": "6daae089e1dc5396",
    "0021_comity_worktrees.sql": "ad39478a7576b4e3",
    "0022_comity_radar.sql": "c44573d76e4ecb76",
    "0023_comity_integrations.sql": "a6eb9ed919b35f76",
    "0024_comity_heads.sql": "45384c4216f7a677",
    "0025_comity_plans.sql": "f6a28c9f130b6c4b",
    "0026_comity_pending_order.sql": "215700c9c42f3adf",
    "0027_comity_hooked.sql": "b0a217a15d8e5361",
}


def test_no_migration_was_changed_after_it_was_shipped() -> None:
    found = {name: hashlib.sha256(migrate.read(name).encode()).hexdigest()[:16] for name in migrate.migrations()}
    assert found == FROZEN, "write a new migration; what was shipped is in files out there"


def test_the_schema_has_the_triggers_and_views_that_are_told() -> None:
    connection = connect(":memory:", "normal")
    assert migrate.migrate(connection), "a new migration made triggers or views: say so in OWN_PARTS"
    assert migrate.migrate(connection)
    connection.execute("CREATE TRIGGER theirs AFTER INSERT ON agents BEGIN SELECT 1; END").fetchall()
    assert not migrate.migrate(connection)
    connection.close()


def test_keys_that_were_used_before_answers_were_neutral_still_hold(tmp_path: Path) -> None:
    path, clock = tmp_path / "old.macp.db", FakeClock()
    task, claim, token, folder = {"title": "one"}, {"task_id": "task-007"}, {"role": "reader"}, {"path": "."}
    with fresh() as world:
        made = to_json(world.agent("ann").call("task.dispatch", task))
    _made_before(path, 15)
    for used, digest, status, body in (
        ("made", _digest("task.dispatch", task), 200, json.dumps(made)),
        ("refused", _digest("task.claim", claim), 404, json.dumps(_MEMBERS)),
        ("secret", _digest("token.create", token), 200, ""),
        ("running", _digest("vault.register", folder), None, None),
    ):
        rows(path, "INSERT INTO comity_idempotency VALUES ('ann', ?, ?, ?, ?, ?)", used, digest, status, body, clock.ms)
    with World(path, clock=clock) as upgraded:
        ann = upgraded.agent("ann")
        key = Key("made")
        assert to_json(ann.call("task.dispatch", task, key=key)) == made
        assert key.replayed
        key = Key("refused")
        with pytest.raises(NotFound) as gone:
            ann.call("task.claim", claim, key=key)
        told = gone.value
        assert (told.reason, told.message, told.hint, told.data) == ("task.unknown", "Gone.", "Look.", {"task": 7})
        assert (key.replayed, key.mark) == (True, "abc")
        for name, arguments, text in (("token.create", token, "secret"), ("vault.register", folder, "running")):
            with pytest.raises(Conflict) as refused:
                ann.call(name, arguments, key=text)
            assert refused.value.reason == {"secret": "idempotency.secret"}.get(text, "idempotency.in_progress")
        assert ann.task.list().tasks == []
        assert ann.token.list().tokens == []


def _made_before(path: Path, number: int) -> None:
    """A database as it was before one migration."""
    connection = connect(str(path), "normal")
    connection.execute(
        "CREATE TABLE comity_schema (version INTEGER PRIMARY KEY, name TEXT, applied_at TEXT)"
    ).fetchall()
    for name in migrate.migrations()[: number - 1]:
        connection.execute(migrate.read(name)).fetchall()
        connection.execute("INSERT INTO comity_schema VALUES (?, ?, '')", (int(name[:4]), name)).fetchall()
    connection.close()


_MEMBERS = {
    "type": "urn:comity:problem:task.unknown",
    "title": "Gone.",
    "status": 404,
    "reason": "task.unknown",
    "kind": "not_found",
    "hint": "Look.",
    "data": {"task": 7},
    "requestId": "abc",
}


def _digest(name: str, arguments: dict[str, Any]) -> str:
    """As the server wrote it then."""
    return hashlib.sha256(json.dumps([name, arguments], sort_keys=True).encode()).hexdigest()
