"""Whatever is wrong gets one line, a hint, its exit code, no stack trace; what is stored stays as it is."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from comity.app import open as open_workspace
from tests.doors.cli.program import Done, Program


def told(done: Done, code: int, reason: str) -> None:
    """A refusal in JSON."""
    assert (done.code, done.error["reason"]) == (code, reason), done
    assert done.error["message"]
    assert done.error["hint"]
    assert done.err == ""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as the command leaves it."""
    path = tmp_path_factory.mktemp("template") / "some.db"
    with open_workspace(path, agent_id="bob") as workspace:
        workspace.session.start()
    return path


def test_wrong_arguments_in_json(comity: Program) -> None:
    told(comity("sned", "--json"), 2, "command.unknown")
    told(comity("poll", "--max-messages", "x", "--json"), 2, "usage.coercion")
    told(comity("poll", "--max-messages", "0", "--json"), 2, "argument.invalid")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["sned"], "There is no command 'sned'.", "Did you mean `comity send`?"),
        (["frobnicate"], "There is no command 'frobnicate'.", "`comity --help` lists the commands."),
        (["--colour"], "There is no option '--colour'.", ""),
        (["poll", "--max-mesages", "3"], "Did you mean --max-messages?", "`comity poll --help`"),
        (["poll", "--max-messages"], "--max-messages", "`comity poll --help`"),
        (["poll", "--max-messages", "many"], 'unable to convert "many" into int', "`comity poll --help`"),
        (["poll", "--max-messages", "0"], "max_messages", ""),
        (["poll", "--wait-ms", "60001"], "wait_ms", ""),
        (["poll", "extra"], "extra", "`comity poll --help`"),
        (["send"], "requires an argument", "`comity send --help`"),
        (["send", ""], "content", ""),
        (["send", "x", "--priority", "loud"], '"loud"', "`comity send --help`"),
        (["send", "x", "--ttl", "0"], "ttl_seconds", ""),
        (["send", "x", "--confidence", "nan"], "confidence", ""),
        (["send", "x", "--content-type", "application/json"], "not JSON", ""),
        (["tail", "--last", "1001"], "--last", ""),
        (["tail", "--last", "-1"], "--last", ""),
        (["prune", "--older-than-days", "-3"], "older_than_days", ""),
        (["status", "--durability", "some"], '"some"', "`comity status --help`"),
        (["send", "x", "--as", "a" * 201], "agent_id", ""),
        (["completion", "tcsh"], '"tcsh"', "`comity completion --help`"),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, list) else "",
)
def test_wrong_arguments(comity: Program, template: Path, arguments: list[str], message: str, hint: str) -> None:
    comity.db.parent.mkdir()
    shutil.copyfile(template, comity.db)
    done = comity(*arguments)
    assert done.code == 2
    lines = done.err.splitlines()
    assert done.out == ""
    assert len(lines) == 2, done.err
    assert lines[0].startswith("error: ")
    assert message in lines[0]
    assert lines[1].startswith("hint: ")
    assert hint in lines[1]


def test_hostile_content_is_refused_and_nothing_stored(comity: Program) -> None:
    comity("poll", "--as", "bob")
    told(comity("send", "-", "--json", stdin=b"x" * 10_000_000), 2, "content.too_long")
    told(comity("send", "-", "--json", stdin=b"x" * 1_000_001), 2, "argument.invalid")
    told(comity("send", "-", "--json", stdin=b"a\0b"), 2, "argument.invalid")
    told(comity("send", "-", "--json", stdin=b""), 2, "argument.invalid")
    told(comity("send", "-", "--json", stdin=b"\xff\xfe"), 2, "content.not_text")
    told(comity("send", b"lone \xff surrogate", "--json"), 2, "argument.text")
    told(comity("poll", "--as", b"\xff", "--json"), 2, "argument.text")
    told(comity("poll", "--as", "a\x1b[2Jb", "--json"), 2, "setting.invalid")
    assert comity("status", "--json").json["status"]["deliveries"] == 0


def test_unknown_ids(comity: Program) -> None:
    comity("poll")
    told(comity("ack", "nothing", "--json"), 5, "MACP_ERR_DELIVERY_NOT_FOUND")
    told(comity("read", "nothing", "--json"), 5, "MACP_ERR_DELIVERY_NOT_FOUND")
    comity("poll", "--as", "bob")
    delivery_id = comity("send", "for bob", "--to", "bob", "--json").json["deliveryIds"][0]
    told(comity("ack", delivery_id, "--json"), 5, "MACP_ERR_DELIVERY_NOT_FOUND")


COMMANDS: tuple[list[str], ...] = (
    ["status"],
    ["agents"],
    ["send", "x"],
    ["poll"],
    ["ack", "x"],
    ["read", "x"],
    ["prune"],
    ["leave"],
    ["tail", "--no-follow"],
)


def every_command(comity: Program, reason: str) -> None:
    for arguments in COMMANDS:
        told(comity(*arguments, "--json"), 8, reason)
    plain = comity("poll")
    assert plain.code == 8
    assert [line.partition(":")[0] for line in plain.err.splitlines()] == ["error", "hint"]


def test_a_file_that_is_no_database(comity: Program) -> None:
    comity.db.parent.mkdir()
    comity.db.write_bytes(b"my shopping list\n" * 1000)
    every_command(comity, "store.not_a_database")
    assert comity.db.read_bytes() == b"my shopping list\n" * 1000


def test_a_folder_in_place_of_the_database(comity: Program) -> None:
    comity.db.mkdir(parents=True)
    every_command(comity, "store.unsafe")


def test_a_damaged_database(comity: Program) -> None:
    comity("poll", "--as", "bob")
    data = bytearray(comity.db.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    comity.db.write_bytes(data)
    for arguments in COMMANDS:
        done = comity(*arguments, "--json")
        assert done.code == 8, done
        assert done.error["reason"] in {"store.corrupt", "store.failed"}
    assert comity.db.read_bytes()[4096:] == bytes(data[4096:])


def test_a_database_that_another_process_keeps_locked(comity: Program) -> None:
    comity("poll")
    ready, over = threading.Event(), threading.Event()

    def hold() -> None:
        connection = apsw.Connection(str(comity.db))
        connection.execute("BEGIN IMMEDIATE").fetchall()
        ready.set()
        over.wait(60)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert ready.wait(10)
        assert comity("status").code == 0
        assert comity("tail", "--no-follow").code == 0
        told(comity("send", "x", "--json"), 8, "store.locked")
    finally:
        over.set()
        thread.join()
    assert comity("send", "x").code == 0


@pytest.fixture
def small_disk(comity: Program) -> Iterator[Path]:
    """A file system of two megabytes at the place of ``.macp``."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    place = comity.db.parent
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk(comity: Program, small_disk: Path) -> None:
    comity("poll", "--as", "bob")
    assert comity("send", "before", "--as", "ann").code == 0
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        file.write(b"x" * (os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize))
    refused = comity("send", "-", "--as", "ann", "--json", stdin=b"x" * 900_000)
    assert refused.code == 8
    assert refused.error["reason"] in {"store.full", "store.io"}
    ballast.unlink()
    assert comity("send", "after", "--as", "ann").code == 0
    found = [delivery["content"] for delivery in comity("poll", "--as", "bob", "--json").json["deliveries"]]
    assert sorted(found) == ["after", "before"]


def test_a_read_only_database(comity: Program, small_disk: Path) -> None:
    comity("poll", "--as", "bob")
    comity("send", "before", "--as", "ann")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for arguments in (["send", "x"], ["poll", "--as", "zoe"]):
        refused = comity(*arguments, "--json")
        assert refused.code == 8, refused
        assert refused.error["reason"].startswith("store.")
    doctor = comity("doctor", "--json")
    assert doctor.code == 1
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert comity("poll", "--as", "bob", "--json").json["deliveries"][0]["content"] == "before"


@pytest.mark.parametrize("text", ["{", "[]", '{"projectId": 7}', "\0", "[" * 100_000])
def test_an_unreadable_config(comity: Program, text: str) -> None:
    comity.db.parent.mkdir()
    config = comity.db.parent / "config.json"
    config.write_text(text)
    for arguments in (["status"], ["send", "x"], ["poll"], ["tail"]):
        told(comity(*arguments, "--json"), 2, "config.unreadable")
    doctor = comity("doctor", "--json")
    assert (doctor.code, doctor.json["checks"][0]["status"]) == (1, "fail")
    assert config.read_text() == text
    assert list(comity.db.parent.iterdir()) == [config]


def test_an_unexpected_failure_has_a_reference_and_no_trace(comity: Program) -> None:
    code = (
        "import sys; from comity.doors.cli import catalog, launch;"
        "catalog.build = lambda: 1 / 0; sys.exit(launch.main(['status'], print))"
    )
    told_of = ""
    for debug in ("", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=comity.folder,
            env=comity.environment(COMITY_DEBUG=debug),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 70
        assert ("ZeroDivisionError" in done.stderr) is bool(debug)
        told_of += done.stderr
    logs = sorted((comity.home / ".local" / "state" / "comity").iterdir())
    assert len(logs) == 2
    assert all("ZeroDivisionError" in log.read_text() for log in logs)
    assert all(log.stem in told_of for log in logs)


def test_output_that_cannot_be_written(comity: Program) -> None:
    comity("poll", "--as", "bob")
    comity("send", "not seen yet", "--as", "ann")
    for arguments in (["status"], ["poll", "--as", "bob", "--ack"], ["poll", "--as", "bob", "--ack", "--json"]):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "comity", *arguments],
                cwd=comity.folder,
                env=comity.environment(),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 8
        assert ("No space left" in done.stderr) is ("--json" not in arguments)
        assert "Traceback" not in done.stderr
    assert comity("poll", "--as", "bob", "--json").json["deliveries"][0]["content"] == "not seen yet"
