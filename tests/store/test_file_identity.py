"""Files that are removed, replaced or cut under an open store: never an answer of success into what is gone."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from comity import settings
from comity.kernel.problem import Unavailable
from comity.opening import Memory, open_store
from comity.store.file_identity import Footing
from comity.store.sqlite import SqliteStore
from comity.testing.world import World
from tests.sim.conftest import Fault
from tests.sim.conftest import fault as fault  # noqa: PLC0414 (a fixture)
from tests.sim.processes import lines, spawn

LOG, SHARED = "a.db-wal", "a.db-shm"


def _unlink(*names: str) -> Callable[[Path], None]:
    def way(folder: Path) -> None:
        for name in names:
            os.unlink(folder / name)

    return way


def _fresh(folder: Path) -> None:
    other = folder.parent / "other.db"
    with World(other) as world:
        world.agent("eve").memory.set(key="k", value="theirs", scope="workspace")
    os.replace(other, folder / "a.db")


def _folder_gone(folder: Path) -> None:
    shutil.rmtree(folder)


def _folder_again(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    SqliteStore(folder / "a.db").close()


def _copied(folder: Path) -> None:
    shutil.copy(folder / LOG, folder / "copy")
    os.replace(folder / "copy", folder / LOG)


def _cut(name: str, share: float) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, int((folder / name).stat().st_size * share))


WAYS: dict[str, Callable[[Path], None]] = {
    "database removed": _unlink("a.db"),
    "all removed": _unlink("a.db", LOG, SHARED),
    "log removed": _unlink(LOG),
    "log and shared memory removed": _unlink(LOG, SHARED),
    "shared memory removed": _unlink(SHARED),
    "database replaced": _fresh,
    "log replaced by a copy": _copied,
    "folder removed": _folder_gone,
    "folder made anew": _folder_again,
    "database emptied": _cut("a.db", 0),
    "log emptied": _cut(LOG, 0),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "box"
    made.mkdir(mode=0o700)
    return made


def _filled(world: World) -> None:
    for number in range(20):
        world.agent("ann").memory.set(key=f"k{number}", value="x" * 2000, scope="workspace")


@pytest.mark.parametrize("way", WAYS)
def test_no_call_succeeds_into_files_that_others_do_not_see(folder: Path, way: str) -> None:
    with World(folder / "a.db") as world:
        _filled(world)
        if "database emptied" in way:
            world.store.tidy()
            world.agent("ann").memory.set(key="after", value="y", scope="workspace")
        WAYS[way](folder)
        for _ in range(2):
            with pytest.raises(Unavailable) as lost:
                world.agent("ann").memory.set(key="late", value="z", scope="workspace")
            assert lost.value.reason == "store.replaced"
            with pytest.raises(Unavailable) as lost:
                world.agent("ann").memory.get(key="k1", scope="workspace")
            assert lost.value.reason == "store.replaced"
            with pytest.raises(Unavailable):
                world.store.look()


@pytest.mark.parametrize("way", ["log removed", "log and shared memory removed"])
def test_what_was_done_before_the_log_was_removed_is_there_afterwards(folder: Path, way: str) -> None:
    with World(folder / "a.db") as world:
        _filled(world)
        WAYS[way](folder)
        with pytest.raises(Unavailable):
            world.agent("ann").memory.set(key="late", value="z", scope="workspace")
    with World(folder / "a.db") as world:
        assert _value(world, "k19") == "x" * 2000
    assert _integrity(folder / "a.db") == "ok"


def test_two_logs_of_one_database_do_not_mix(folder: Path) -> None:
    with World(folder / "a.db") as old:
        _filled(old)
        old.store.tidy()
        WAYS["log and shared memory removed"](folder)
        new = spawn("tests.sim.writer", folder / "a.db", "bob", 50, 1, "bob")
        told = lines(new.communicate()[0])
        with pytest.raises(Unavailable):
            old.agent("ann").memory.set(key="late", value="z", scope="workspace")
    again = spawn("tests.sim.writer", folder / "a.db", "bob", 50, 2, "bob")
    told += lines(again.communicate()[0])
    assert _integrity(folder / "a.db") == "ok"
    sent = {answer["messageId"] for kind, answer in told if kind in ("send", "broadcast")}
    connection = apsw.Connection(str(folder / "a.db"))
    kept = {row[0] for row in connection.execute("SELECT message_id FROM messages").fetchall()}
    connection.close()
    assert sent
    assert sent <= kept


def test_a_database_that_was_put_in_place_does_not_get_the_old_log(folder: Path, tmp_path: Path) -> None:
    with World(folder / "a.db") as old:
        _filled(old)
        (tmp_path / "new").mkdir()
        new = spawn("tests.sim.writer", tmp_path / "new/a.db", "bob", 20, 1, "bob")
        told = lines(new.communicate()[0])
        os.replace(tmp_path / "new/a.db", folder / "a.db")
        again = spawn("tests.sim.writer", folder / "a.db", "bob", 20, 2, "bob")
        told += lines(again.communicate()[0])
        with pytest.raises(Unavailable):
            old.agent("ann").memory.set(key="late", value="z", scope="workspace")
    assert _integrity(folder / "a.db") == "ok"
    connection = apsw.Connection(str(folder / "a.db"))
    kept = {row[0] for row in connection.execute("SELECT message_id FROM messages").fetchall()}
    connection.close()
    assert {answer["messageId"] for kind, answer in told if kind == "send"} <= kept
    assert (folder / f"{LOG}.of-another-database").exists()


def test_a_database_that_another_program_made_smaller_is_still_the_same(folder: Path) -> None:
    with World(folder / "a.db") as world:
        _filled(world)
        for number in range(20):
            world.agent("ann").memory.delete(key=f"k{number}", scope="workspace")
        other = apsw.Connection(str(folder / "a.db"))
        other.execute("DELETE FROM macp_ext_memories").fetchall()
        other.execute("DELETE FROM audit_log").fetchall()
        other.execute("VACUUM").fetchall()
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        other.close()
        world.agent("ann").memory.set(key="late", value="z", scope="workspace")
        assert _value(world, "late") == "z"


def test_a_log_with_a_hole_is_not_copied_back(folder: Path) -> None:
    with World(folder / "a.db") as world:
        _filled(world)
        connection = world.store.take()
        frames = connection.frames()
        world.store.give(connection)
        assert frames > 8
        assert world.store.footing.log_is_whole(frames)
        content = (folder / LOG).read_bytes()
        with open(folder / LOG, "r+b") as log:
            log.truncate(32 + 5 * 4120)
            log.seek(32 + 8 * 4120)
            log.write(content[32 + 8 * 4120 :])
        assert not world.store.footing.log_is_whole(frames)
        before = (folder / "a.db").read_bytes()
        world.store.tidy()
    assert (folder / "a.db").read_bytes() == before


@pytest.mark.parametrize("refilled", [False, True])
def test_a_log_that_is_cut_in_the_middle_is_lost(folder: Path, refilled: bool) -> None:
    with World(folder / "a.db") as world:
        _filled(world)
        length = (folder / LOG).stat().st_size
        _cut(LOG, 0.5)(folder)
        if refilled:  # by somebody who did not look
            os.truncate(folder / LOG, length + 4120)
            os.truncate(folder / LOG, length)
        for _ in range(2):
            with pytest.raises(Unavailable) as lost:
                world.agent("ann").memory.set(key="late", value="z", scope="workspace")
            assert lost.value.reason == "store.replaced"
    with World(folder / "a.db") as world:  # what is before the cut
        assert _value(world, "k0")
        assert not world.agent("ann").memory.get(key="late", scope="workspace").entries
    assert _integrity(folder / "a.db") == "ok"


def test_a_log_that_began_anew_is_known_by_its_new_frames(folder: Path) -> None:
    with World(folder / "a.db") as world:
        _filled(world)
        world.store.tidy()
        for _ in range(3):
            world.agent("ann").memory.set(key="anew", value="y", scope="workspace")
        length = (folder / LOG).stat().st_size
        os.truncate(folder / LOG, 32 + 3 * 4120)
        os.truncate(folder / LOG, length)  # by somebody who did not look
        with pytest.raises(Unavailable):
            world.agent("ann").memory.set(key="late", value="z", scope="workspace")


def test_a_log_beside_another_shared_memory_stays_as_it_is(folder: Path) -> None:
    """Who closes last would copy only what it knows of the log, and remove the rest."""
    with World(folder / "a.db") as old:
        _filled(old)
        os.unlink(folder / SHARED)
        new = spawn("tests.sim.writer", folder / "a.db", "bob", 20, 1, "bob")
        told = lines(new.communicate()[0])
        (folder / SHARED).unlink(missing_ok=True)
        with pytest.raises(Unavailable):
            old.agent("ann").memory.set(key="late", value="z", scope="workspace")
    connection = apsw.Connection(str(folder / "a.db"))
    kept = {row[0] for row in connection.execute("SELECT message_id FROM messages").fetchall()}
    connection.close()
    sent = {answer["messageId"] for kind, answer in told if kind in ("send", "broadcast")}
    assert sent
    assert sent <= kept


@pytest.mark.parametrize("way", ["database", "shared memory"])
def test_files_that_are_exchanged_while_they_are_opened_are_opened_again(
    folder: Path, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the moment between the look at what belongs together and SQLite's own.

    Whoever has the old files open lives, and writes nothing meanwhile: one that goes on writing to the log can have it
    opened once more, since the log begins anew under whoever opens it.
    """
    old = spawn("tests.store.late_writer", folder / "a.db")
    assert old.stdout is not None
    assert old.stdout.readline() == b"here\n"
    with World(tmp_path / "other.db") as other:
        other.agent("eve").memory.set(key="k", value="theirs", scope="workspace")
    begin, calls = Footing.begin, []

    def exchanged(self: Footing) -> None:
        begin(self)
        calls.append(1)
        if len(calls) == 1 and way == "database":
            os.replace(tmp_path / "other.db", folder / "a.db")
        elif len(calls) == 1:
            os.rename(folder / SHARED, tmp_path / "kept")  # its number is not given to the next one

    monkeypatch.setattr(Footing, "begin", exchanged)
    with World(folder / "a.db") as world:
        world.agent("bob").memory.set(key="new", value="y", scope="workspace")
        if way == "database":
            assert _value(world, "k") == "theirs"
    told, _ = old.communicate(b"\n")
    assert told == b"store.replaced\n"
    assert len(calls) == 2, "opened once more"
    with World(folder / "a.db") as world:
        assert _value(world, "new") == "y"
    assert _integrity(folder / "a.db") == "ok"


def test_nobody_makes_a_database_anew_for_a_connection_more(folder: Path) -> None:
    with World(folder / "a.db") as world:
        first = world.store.take()
        os.unlink(folder / "a.db")
        with pytest.raises(Unavailable):
            world.store.take()
        world.store.give(first)
        assert not (folder / "a.db").exists()


@pytest.mark.parametrize("name", ["a.db", "a.db-wal", "a.db-shm", "a.db-journal", "a.db.bell", "a.db.bell/07"])
def test_nothing_beside_the_database_is_opened_through_a_link(folder: Path, tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("-----BEGIN")
    if name == "a.db.bell/07":
        (folder / "a.db.bell").mkdir()
    (folder / name).symlink_to(secret)
    with suppress(Unavailable), World(folder / "a.db") as world:
        ann = world.agent("ann")
        ann.memory.set(key="k", value="v", scope="workspace")
        ann.event.list(wait_ms=1)
    assert secret.read_text() == "-----BEGIN"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["box", "secret"]


def _value(world: World, key: str) -> str:
    return str(world.agent("ann").memory.get(key=key, scope="workspace").entries[0].value)


def _integrity(path: Path) -> str:
    connection = apsw.Connection(str(path))
    try:
        return str(connection.execute("PRAGMA integrity_check(3)").fetchall()[0][0])
    finally:
        connection.close()


def test_a_database_that_git_is_putting_in_place_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """git writes the file, and last of all that it tracks it; meanwhile its index is locked."""
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(tmp_path))
    subprocess.run([*git, "init", "-q"], check=True)
    resolved = settings.resolve({}, {}, str(tmp_path))
    memory = Memory(resolved)
    open_store(resolved, memory).close()
    memory.note()
    os.replace(resolved.db, f"{resolved.db}.old")
    (tmp_path / ".git/index.lock").touch()

    def git_ends(_: float) -> None:
        (tmp_path / ".git/index.lock").unlink()
        Path(resolved.db).touch()
        subprocess.run([*git, "add", "-f", resolved.db], check=True)

    monkeypatch.setattr(time, "sleep", git_ends)
    with pytest.raises(Unavailable) as refused:
        open_store(resolved, Memory(resolved))
    assert refused.value.reason == "store.tracked"
    assert Path(resolved.db).stat().st_size == 0


def test_a_store_whose_last_connection_broke_goes_on_with_the_same_database(folder: Path, fault: Fault) -> None:
    with World(folder / "a.db") as world:
        ann = world.agent("ann")
        fault.arm(2, lasting=True)
        with pytest.raises(Unavailable) as failed:
            ann.memory.set(key="k", value="v", scope="workspace")
        fault.disarm()
        assert failed.value.reason == "store.failed"
        assert not (folder / LOG).exists()
        ann.memory.set(key="k", value="v", scope="workspace")
        assert _value(world, "k") == "v"


def test_a_store_whose_last_connection_broke_takes_no_other_database(folder: Path, fault: Fault) -> None:
    with World(folder / "a.db") as world:
        ann = world.agent("ann")
        fault.arm(2, lasting=True)
        with pytest.raises(Unavailable):
            ann.memory.set(key="k", value="v", scope="workspace")
        fault.disarm()
        _fresh(folder)
        for _ in range(2):
            with pytest.raises(Unavailable) as lost:
                ann.memory.set(key="k", value="v", scope="workspace")
            assert lost.value.reason == "store.replaced"
