"""The store: transactions, the pool, many processes, and files that cannot be used."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from comity import Workspace
from comity.kernel.problem import Unavailable
from comity.store import migrate
from comity.store.sql import SqliteTx
from comity.store.sqlite import SqliteStore
from comity.testing import World
from tests.sim.processes import Nursery, spawn
from tests.wire_format import check, dump, rows


@contextmanager
def every_connection(prepare: Callable[[apsw.Connection], None]) -> Iterator[None]:
    """Do something to each connection that this process opens."""
    apsw.connection_hooks.append(prepare)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(prepare)


def write_and_fail(tx: SqliteTx) -> None:
    tx.run("channels.add_channel", channel_id="half", now="")
    raise ZeroDivisionError


def test_an_error_rolls_back_and_the_connection_is_used_again(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    connection = store.take()
    store.give(connection)
    with pytest.raises(ZeroDivisionError), store.writing() as tx:
        write_and_fail(tx)
    assert rows(store.path, "SELECT * FROM channels") == []
    assert store.take() is connection
    store.give(connection)
    store.close()


def test_every_connection_is_closed_in_the_end(tmp_path: Path) -> None:
    gc.collect()  # what earlier tests left
    before = len(apsw.connections())
    store = SqliteStore(tmp_path / "a.db")
    with store.reading(), store.reading(), store.writing():
        assert len(apsw.connections()) == before + 3
    late = store.reading()
    with late:
        store.close()
    store.close()
    assert len(apsw.connections()) == before


def test_connections_are_set_up(tmp_path: Path) -> None:
    for durability, synchronous in (("normal", 1), ("full", 2)):
        store = SqliteStore(tmp_path / f"{durability}.db", durability)  # type: ignore[arg-type]
        connection = store.take()
        for pragma, value in (("foreign_keys", 1), ("journal_mode", "wal"), ("synchronous", synchronous)):
            assert connection.execute(f"PRAGMA {pragma}").fetchall() == [(value,)]
        store.give(connection)
        store.close()


def test_files_that_it_makes_are_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.db"
    SqliteStore(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_twenty_processes_open_a_fresh_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "fresh.db"
    nursery = Nursery()
    for number in range(20):
        nursery.bear(str(path), f"agent{number}", 0, 1, [])
    nursery.end()
    assert len(nursery.promises("start")) == 20
    assert rows(path, "SELECT count(*) FROM sessions WHERE state = 'active'") == [(20,)]
    assert rows(path, "SELECT count(*) FROM comity_schema") == [(len(migrate.migrations()),)]
    check(path)


def test_many_threads_share_a_store() -> None:
    with World() as world:
        agents = [world.agent(f"agent{number}") for number in range(6)]
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for _ in range(15):
                    agents[number].message.broadcast(content="x")
                    for delivery in agents[number].message.poll().deliveries:
                        agents[number].message.ack(delivery_id=delivery.delivery_id)
            except BaseException as failure:  # noqa: BLE001 (told below)
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert rows(world.path, "SELECT count(*) FROM messages") == [(6 * 15 * 5,)]
        check(world.path)


def test_a_locked_file(tmp_path: Path) -> None:
    with World(tmp_path / "a.db", busy_s=0.05) as world:
        ann = world.agent("ann")
        writer = apsw.Connection(world.path)
        writer.execute("BEGIN IMMEDIATE").fetchall()
        with pytest.raises(Unavailable) as refused:
            ann.message.send(destination_agent_id="ann", content="x")
        assert refused.value.reason == "store.locked"
        assert refused.value.hint
        assert ann.agent.list().agents  # who reads does not wait
        writer.execute("ROLLBACK").fetchall()
        writer.close()
        assert ann.message.send(destination_agent_id="ann", content="x").delivery_ids


def test_a_new_file_that_somebody_holds(tmp_path: Path) -> None:
    holder = apsw.Connection(str(tmp_path / "a.db"))
    holder.execute("BEGIN EXCLUSIVE").fetchall()
    with pytest.raises(Unavailable) as refused:
        SqliteStore(tmp_path / "a.db", busy_s=0.05)
    assert refused.value.reason == "store.locked"
    holder.close()
    SqliteStore(tmp_path / "a.db").close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, " * 1000)
    with pytest.raises(Unavailable) as refused:
        SqliteStore(path)
    assert refused.value.reason == "store.not_a_database"
    assert path.read_text() == "Dear diary, " * 1000


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with World(path) as world:
        ann = world.agent("ann")
        for number in range(50):
            ann.message.send(destination_agent_id="ann", content=f"{number} " * 500)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(Unavailable) as refused, World(path) as world:
        world.agent("ann").message.poll()
    assert refused.value.reason == "store.corrupt"
    assert "Traceback" not in str(refused.value.as_dict())


@pytest.mark.parametrize(
    ("name", "reason"),
    [("folder", "store.unsafe"), ("folder/file/a.db", "store.cannot_open"), ("pipe", "store.unsafe")],
)
def test_a_path_where_no_file_can_be(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unavailable) as refused:
        SqliteStore(tmp_path / name)
    assert refused.value.reason == reason
    assert refused.value.hint


def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with World(path) as world:
        ann = world.agent("ann")
        ann.message.send(destination_agent_id="ann", content="x")
    before = dump(path)

    def forbid(connection: apsw.Connection) -> None:
        connection.execute("PRAGMA query_only = ON").fetchall()

    with every_connection(forbid), World(path) as world:
        ann = world.agent("ann", session_id="ann-session-1", start=False)
        for name in ("session.start", "message.poll", "channel.join"):
            with pytest.raises(Unavailable) as refused:
                ann.call(name)
            assert refused.value.reason == "store.read_only"
        assert ann.workspace.status().agents == 1
    assert dump(path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_file_without_write_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    SqliteStore(path).close()
    path.chmod(0o400)
    with pytest.raises(Unavailable):
        World(path).agent("ann")


def fill(workspace: Workspace, sent: list[str]) -> None:
    """Send until it fails."""
    for number in range(500):
        content = f"{number} " * 200
        sent += workspace.message.send(destination_agent_id=workspace.actor.agent_id, content=content).delivery_ids


def test_a_full_disk(tmp_path: Path) -> None:
    """Nothing is lost, what is there can be read, and a retry works when there is room again."""
    path = tmp_path / "a.db"
    full = True

    def limit(connection: apsw.Connection) -> None:
        if full:
            connection.execute("PRAGMA max_page_count = 200").fetchall()

    with every_connection(limit), World(path) as world:
        ann = world.agent("ann")
        sent: list[str] = []
        with pytest.raises(Unavailable) as refused:
            fill(ann, sent)
        assert refused.value.reason == "store.full"
        assert 0 < len(sent) < 500
        assert [row[0] for row in rows(path, "SELECT delivery_id FROM messages ORDER BY sequence_number")] == sent
        check(path)
        assert ann.workspace.status().pending.total == len(sent)
    full = False
    with World(path) as world:
        ann = world.agent("ann", session_id="ann-session-1", start=False)
        sent += ann.message.send(destination_agent_id="ann", content="more").delivery_ids
    numbers = [row[0] for row in rows(path, "SELECT sequence_number FROM messages ORDER BY 1")]
    assert numbers == list(range(1, len(sent) + 1))
    check(path)


def test_a_schema_of_the_future_is_refused_by_name_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    SqliteStore(path).close()
    rows(path, "INSERT INTO comity_schema VALUES (9999, 'later', '')")
    before = dump(path)
    with pytest.raises(Unavailable) as refused:
        SqliteStore(path)
    assert refused.value.reason == "store.newer"
    assert "9999" in refused.value.message
    assert dump(path) == before


def test_migrations_are_numbered_without_gap() -> None:
    names = migrate.migrations()
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_a_writer_process_that_ends_leaves_no_log_behind(tmp_path: Path) -> None:
    process = spawn("tests.sim.writer", tmp_path / "a.db", "ann", 3, 1, "ann")
    process.communicate()
    assert process.returncode == 0
    assert not (tmp_path / "a.db-wal").exists()
