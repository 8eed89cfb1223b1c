"""A migration that was shipped stays as it is: files out there have it behind them."""

import hashlib

from comity.store import migrate
from comity.store.connection import connect

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
