"""What hosts start for an event: a living server does the work, and the hook itself where none does."""

import _socket
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from comity.doors.hook import answering
from comity.hosts.hook_install import launched
from comity.launcher import asking
from tests.doors.cli.program import TIMEOUT_S
from tests.doors.hook.hooked import Hooked, refusal
from tests.doors.hook.launched import Impostor, Launcher, ask, compiled, connected, payload
from tests.doors.hook.served import Door


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The compiled launcher."""
    return compiled(tmp_path_factory.mktemp("data"))


@pytest.fixture
def project(bare: Hooked) -> Hooked:
    """A project that no server serves yet."""
    (bare.folder / ".macp").mkdir()
    return bare


@pytest.fixture(params=["python", "compiled"])
def launcher(request: pytest.FixtureRequest, project: Hooked, binary: str) -> Launcher:
    if request.param == "compiled" and not binary:
        pytest.skip("there is no C compiler")
    return Launcher(project, launched() if request.param == "python" else (binary,))


@pytest.fixture
def door(project: Hooked) -> Iterator[Door]:
    with Door(project.comity) as door:
        yield door


def settle(launcher: Launcher) -> None:
    """Two sessions, of which the first holds a file."""
    for session in ("S1", "S2"):
        launcher("SessionStart", session, source="startup")
    assert launcher.edit("a.py").out == ""


def did(hooked: Hooked) -> list[str]:
    return [line["did"] for line in hooked.journal()]


def test_it_loads_nothing_of_comity_while_a_server_lives(project: Hooked, door: Door) -> None:
    loaded = Launcher(project, launched()).loaded("SessionStart", source="startup")
    assert "asking" in loaded
    assert not [name for name in loaded if name.startswith(("comity", "apsw", "json", "os", "site"))]
    assert did(project) == ["nothing"]


@pytest.mark.parametrize("served", [True, False])
def test_it_answers_with_a_server_and_without_one(launcher: Launcher, served: bool) -> None:
    if served:
        with Door(launcher.hooked.comity):
            settle(launcher)
            told = launcher.edit("a.py", "S2")
    else:
        settle(launcher)
        told = launcher.edit("a.py", "S2")
    assert "a.py" in refusal(told)
    assert did(launcher.hooked) == ["nothing", "inject", "nothing", "refuse"]


def test_a_server_of_the_agent_answers_too(launcher: Launcher) -> None:
    comity = launcher.hooked.comity
    with subprocess.Popen(
        [sys.executable, "-m", "comity", "mcp"],
        cwd=comity.folder, env=comity.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as server:  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        line = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}
        server.stdin.write(json.dumps(line).encode() + b"\n")
        server.stdin.flush()
        assert server.stdout.readline()
        name = _socket_of(server.pid)
        assert launcher("SessionStart", source="startup").code == 0
        assert did(launcher.hooked)
        server.stdin.close()
        assert server.wait(TIMEOUT_S) == 0
    assert not Path(name).exists()


def _socket_of(pid: int) -> str:
    """Where the server with this pid answers hooks, once it does."""
    folder = Path(asking.runtime_folder())
    while True:
        for path in folder.glob(f"*.{pid}"):
            return str(path)


@pytest.mark.parametrize(("kind", "counts"), [(b"", 0), (b"X", 0), (b"W", 1)], ids=["gone", "not written", "written"])
def test_only_what_was_written_out_counts_as_given(project: Hooked, door: Door, kind: bytes, counts: int) -> None:
    project("SessionStart", source="startup")
    project.comity("send", "lunch", "--as", "ann", "--priority", "steering")
    with closing(connected(project)) as connection:
        told = ask(project, connection, "PostToolBatch", payload(project, "PostToolBatch", tool_calls=[]))
        assert told[0] == b"A"
        assert b"lunch" in told[1]
        if kind:
            connection.sendall(asking.frame(kind))
        connection.shutdown(_socket.SHUT_WR)
        assert asking.receive(connection) == (b"", b""), "it has noted that"
    assert project.rows("SELECT count(*), count(written_ms) FROM comity_injections") == [(1, counts)]


def greet(connection: _socket.socket) -> None:
    connection.sendall(asking.greeting())


def greet_and_die(connection: _socket.socket) -> None:
    greet(connection)
    asking.receive(connection)


def half_an_answer(connection: _socket.socket) -> None:
    greet(connection)
    asking.receive(connection)
    connection.sendall(asking.frame(b"A", b"\2\0\0\0\0" + b"blocked" * 9)[:20])


def nonsense(connection: _socket.socket) -> None:
    greet(connection)
    connection.sendall(b"\xff" * 64)


def decline(connection: _socket.socket) -> None:
    greet(connection)
    asking.receive(connection)
    connection.sendall(asking.frame(b"N"))


def stay_silent(connection: _socket.socket) -> None:
    connection.settimeout(TIMEOUT_S)
    connection.recv(1)


def greet_and_hang(connection: _socket.socket) -> None:
    greet(connection)
    connection.settimeout(TIMEOUT_S)
    while connection.recv(4096):
        pass


def be_another(connection: _socket.socket) -> None:
    connection.sendall(b"comity 0-0\n" * 9)
    connection.settimeout(TIMEOUT_S)
    assert connection.recv(4096) == b"", "whoever is of another version is told nothing"


@pytest.mark.parametrize(
    "behave", [greet_and_die, half_an_answer, nonsense, decline, stay_silent, greet_and_hang, be_another]
)
def test_a_server_that_does_not_answer_costs_no_more_than_time(
    launcher: Launcher, behave: Callable[[_socket.socket], None]
) -> None:
    settle(launcher)
    before = len(did(launcher.hooked))
    with Impostor(launcher.hooked, behave) as server:
        assert "a.py" in refusal(launcher.edit("a.py", "S2"))
    assert server.asked == 1
    assert did(launcher.hooked)[before:] == ["refuse"], "once, by itself"


def test_another_installations_server_is_not_asked(launcher: Launcher) -> None:
    with Impostor(launcher.hooked, greet_and_hang, "1-0123456789ab") as server:
        assert launcher("SessionStart", source="startup").code == 0
    assert server.asked == 0
    assert did(launcher.hooked) == ["nothing"]


def test_a_server_that_was_killed_leaves_nothing_behind(launcher: Launcher) -> None:
    comity = launcher.hooked.comity
    killed = Door(comity)
    killed.process.send_signal(signal.SIGKILL)
    killed.process.wait(TIMEOUT_S)
    killed.process.communicate()
    key = asking.key_of(str(comity.folder))
    folder = Path(asking.runtime_folder())
    assert len(list(folder.glob(f"*.{key}.*"))) == 1
    assert launcher("SessionStart", source="startup").code == 0
    with Door(comity):
        assert len(list(folder.glob(f"*.{key}.*"))) == 1
        assert launcher("SessionStart", source="resume").code == 0
    assert list(folder.glob(f"*.{key}.*")) == []


def test_a_server_that_is_stopped_is_not_waited_for(launcher: Launcher, door: Door) -> None:
    settle(launcher)
    door.process.send_signal(signal.SIGSTOP)
    try:
        assert "a.py" in refusal(launcher.edit("a.py", "S2"))
    finally:
        door.process.send_signal(signal.SIGCONT)


def test_only_its_user_finds_it(project: Hooked, door: Door) -> None:
    folder = Path(asking.runtime_folder())
    (place,) = folder.glob(f"*.{asking.key_of(str(project.folder))}.*")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert place.stat().st_mode & 0o777 == 0o600
    assert len(os.fsencode(place)) < 107


@pytest.mark.parametrize("spoilt", ["open", "link", "file"])
def test_in_a_folder_that_is_not_its_users_alone_nobody_answers(
    project: Hooked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    place = tmp_path / "sockets"
    if spoilt == "open":
        place.mkdir()
        place.chmod(0o777)
    elif spoilt == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.touch()
    monkeypatch.setattr(asking, "runtime_folder", lambda: str(place))
    answering.begin(str(project.folder))()
    assert spoilt == "file" or list(place.iterdir()) == []


def test_no_more_than_so_many_are_answered_at_once(project: Hooked, door: Door) -> None:
    with ExitStack() as held:
        for _ in range(answering.MOST):
            held.enter_context(closing(connected(project)))
        assert "comity.doors.hook.run" in Launcher(project, launched()).loaded("SessionStart", source="startup")
    assert did(project) == ["nothing"], "by itself"


def test_a_process_with_another_home_is_not_served(project: Hooked, door: Door, tmp_path: Path) -> None:
    with closing(connected(project)) as connection:
        told = "\0".join([str(project.folder), "2", "claude-code", "Stop", f"HOME={tmp_path}"]).encode()
        connection.sendall(asking.frame(b"S", told) + asking.frame(b"E", payload(project, "Stop")))
        assert asking.receive(connection) == (b"N", b"")


def test_it_counts_as_what_stands_above_the_launcher(launcher: Launcher) -> None:
    """The host's process is found from the launcher that asks, not from the server."""
    with Door(launcher.hooked.comity):
        launcher("SessionStart", source="startup")
    ((pid,),) = launcher.hooked.rows("SELECT host_pid FROM comity_host_sessions")
    assert pid == os.getpid()


@pytest.mark.parametrize("served", [True, False])
def test_a_document_that_comes_in_pieces_is_waited_for(launcher: Launcher, served: bool) -> None:
    door = Door(launcher.hooked.comity) if served else None
    data = payload(launcher.hooked, "SessionStart", source="startup", more={"inner": {}}, last=1)
    end = data.index(b"}") + 1  # of a part: it looks as if the document ended there
    process = launcher.begin("SessionStart")
    assert process.stdin is not None
    for piece in (data[:20], data[20:end], data[end:]):
        process.stdin.write(piece)
        process.stdin.flush()
    assert process.wait(TIMEOUT_S) == 0, "the pipe is still open"
    process.communicate()
    assert did(launcher.hooked) == ["nothing"]
    if door is not None:
        door.__exit__(None, None, None)


@pytest.mark.parametrize("served", [True, False])
def test_a_host_that_says_half_and_stays_is_left(launcher: Launcher, served: bool) -> None:
    door = Door(launcher.hooked.comity) if served else None
    process = launcher.begin("SessionEnd")
    assert process.stdin is not None
    process.stdin.write(b'{"session_id": "S1", "cwd": {}')
    process.stdin.flush()
    assert process.wait(TIMEOUT_S) == 0
    assert process.communicate()[0] in (b"", b"{}")
    if door is not None:
        door.__exit__(None, None, None)


def test_nothing_of_the_project_runs_in_it(launcher: Launcher) -> None:
    folder = launcher.hooked.folder
    for name in (
        "asking",
        "json",
        "posix",
        "queue",
        "select",
        "sitecustomize",
        "site",
        "types",
        "usercustomize",
        "apsw",
    ):
        (folder / f"{name}.py").write_text("print('PROJECT')\nraise SystemExit(3)\n")
    (folder / "comity").mkdir()
    (folder / "comity" / "__init__.py").write_text("print('PROJECT')\nraise SystemExit(3)\n")
    strange = {"PYTHONPATH": ".", "PYTHONSTARTUP": "json.py", "PYTHONHOME": "nowhere", "PYTHONINSPECT": "1"}
    done = launcher("SessionStart", source="startup", env=strange)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert did(launcher.hooked) == ["nothing"]


def test_when_comity_is_gone_it_ends_as_a_missing_program(launcher: Launcher, tmp_path: Path) -> None:
    """An interpreter that misses its script ends with 2, which hosts take for a refusal."""
    python, *words, _ = launched()
    done = Launcher(launcher.hooked, (python, *words, str(tmp_path / "gone")))("PreToolUse")
    assert (done.code, done.out, done.err) == (127, "", "")


def test_a_large_payload_is_worked_on_by_the_hook_itself(launcher: Launcher) -> None:
    with Door(launcher.hooked.comity):
        done = launcher.edit("a.py", content="x" * (asking.MOST_BYTES + 1))
    assert (done.code, done.out) == (0, "")
    assert did(launcher.hooked) == ["nothing"]


def test_an_open_repository_elsewhere_is_served_by_its_own(launcher: Launcher, tmp_path: Path) -> None:
    """A linked worktree's hooks are answered by servers of the checkout that it belongs to."""
    folder, linked = launcher.hooked.folder, tmp_path / "linked"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], cwd=folder, check=True)
    subprocess.run([*git, "worktree", "add", "-q", str(linked)], cwd=folder, check=True)
    assert asking.project_key(str(linked)) == asking.project_key(str(folder)) == asking.key_of(str(folder))
    shutil.rmtree(folder / ".macp")
    assert asking.project_key(str(folder)) == ""
