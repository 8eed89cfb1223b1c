"""``comity mcp`` as a process: how it starts, ends, is killed, is replaced, and what it says when it cannot work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from comity import Workspace
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore
from tests.e2e.served import TIMEOUT_S, Served, common, content, database, locked, problem, surroundings
from tests.mcp.driven import enveloped, initialize, request
from tests.wire_format import audit, check, dicts, rows

ENDS = [("end of input", 0), ("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 129)]


def session(folder: Path, agent_id: str) -> dict[str, Any]:
    (found,) = dicts(database(folder), "SELECT * FROM sessions WHERE agent_id = ?", agent_id)
    return found


def finish(server: Served, how: str) -> int:
    """End the server in this way; its exit code."""
    if how == "end of input":
        return server.end()
    server.process.send_signal(getattr(signal, how))
    return server.process.wait(TIMEOUT_S)


def about(server: Served) -> dict[str, str]:
    """What the server says about its agent."""
    text = server.tool("macp_get_instructions")["instructions"]
    lines = [line[2:].partition(": ") for line in text.splitlines() if line.startswith("- ") and ": " in line]
    return {name: value for name, _, value in lines}


# -- ending


@pytest.mark.parametrize(("how", "code"), ENDS, ids=[how for how, _ in ENDS])
def test_an_orderly_end_closes_the_session(tmp_path: Path, how: str, code: int) -> None:
    with Served(tmp_path, *common(tmp_path, "ann")) as ann, Served(tmp_path, *common(tmp_path, "bob")) as bob:
        bob.tool("macp_poll")
        ann.tool("macp_join_channel", channelId="side")
        assert session(tmp_path, "ann")["state"] == "active"
        assert finish(ann, how) == code
        assert ann.line() == b""
        assert ann.line(ann.stderr.fileno()) == b""
        assert session(tmp_path, "ann")["state"] == "deregistered"
        assert rows(database(tmp_path), "SELECT * FROM channel_members WHERE agent_id = 'ann'") == []
        (ended,) = audit(database(tmp_path), "session.deregister")
        assert (ended["agent_id"], ended["reason_code"]) == ("ann", "MACP_OK")
        (state,) = dicts(database(tmp_path), "SELECT * FROM macp_ext_agent_state WHERE agent_id = 'ann'")
        assert (state["status"], state["reason"]) == ("inactive", how)
        assert bob.tool("macp_send_channel", content="still there?")["recipientAgentIds"] == []


@pytest.mark.parametrize(("how", "code"), ENDS[:2], ids=[how for how, _ in ENDS[:2]])
def test_a_waiting_poll_delays_no_end(tmp_path: Path, how: str, code: int) -> None:
    with Served(tmp_path, *common(tmp_path, "ann")) as ann:
        ann.tool("macp_poll")
        ann.begin("macp_poll", waitMs=60_000)
        ann.ping()
        began = monotonic()
        assert finish(ann, how) == code
        assert monotonic() - began < 10
    assert session(tmp_path, "ann")["state"] == "deregistered"


def test_an_end_right_after_the_start_leaves_no_session_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "comity", "mcp"]
    for number in range(5):
        told = subprocess.run(
            [*command, *common(tmp_path, f"agent-{number}")],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=surroundings(tmp_path),
            cwd=tmp_path,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert (told.returncode, told.stdout, told.stderr) == (0, b"", b"")
    if database(tmp_path).exists():
        assert rows(database(tmp_path), "SELECT * FROM sessions WHERE state = 'active'") == []


def test_a_session_that_ended_by_tool_ends_once(tmp_path: Path) -> None:
    with Served(tmp_path, *common(tmp_path, "ann")) as ann:
        ann.tool("macp_deregister", reason="done")
        before = content(tmp_path)
        assert ann.end() == 0
    assert content(tmp_path) == before
    assert len(audit(database(tmp_path), "session.deregister")) == 1


@pytest.mark.parametrize("era", ["initialize", "server/discover"])
def test_whoever_is_answered_can_be_reached(tmp_path: Path, era: str) -> None:
    bob = Workspace(SqliteStore(database(tmp_path)), Actor("bob", "bob-1", channel="main"))
    bob.session.start()
    for number in range(5):
        with Served(tmp_path, *common(tmp_path, f"ann-{number}")) as ann:
            hello = initialize("hello") if era == "initialize" else enveloped("hello", era)
            ann.send(hello)
            assert ann.receive()["id"] == "hello"
            sent = bob.message.send(destination_agent_id=f"ann-{number}", content="are you there?")
            assert sent.recipient_agent_ids == [f"ann-{number}"]
    bob.close()


def test_a_locked_database_holds_up_no_ping_and_who_connects_not_for_long(tmp_path: Path) -> None:
    Workspace(SqliteStore(database(tmp_path)), Actor("bob", "bob-1")).close()
    with ExitStack() as held, Served(tmp_path, *common(tmp_path, "ann")) as ann:
        held.enter_context(locked(database(tmp_path)))
        ann.send(initialize("hello"))
        ann.send(request("first", "ping"))
        assert [ann.receive()["id"], ann.receive()["id"]] == ["first", "hello"], "while the lock is held"
        held.close()
        assert ann.tool("macp_poll")["deliveries"] == []


# -- being killed and replaced


def test_a_killed_agent_comes_back_under_its_id_and_finds_its_messages(tmp_path: Path) -> None:
    """Before anybody noticed that it was gone: bob has no loop that looks."""
    bob = Workspace(SqliteStore(database(tmp_path)), Actor("bob", "bob-1", channel="main"))
    bob.session.start()
    with Served(tmp_path, *common(tmp_path, "ann")) as ann:
        ann.tool("macp_poll")
        bob.message.broadcast(content="in hand")
        (held,) = ann.tool("macp_poll")["deliveries"]
        killed = session(tmp_path, "ann")
        ann.process.kill()
        assert ann.process.wait(TIMEOUT_S) == -signal.SIGKILL
    assert session(tmp_path, "ann") == killed
    assert killed["state"] == "active"
    check(database(tmp_path))
    sent = bob.message.broadcast(content="while dead", priority="interrupt")
    assert sent.recipient_agent_ids == ["ann"]
    with Served(tmp_path, *common(tmp_path, "ann")) as ann:
        found = ann.tool("macp_poll")["deliveries"]
        assert [(one["content"], one["state"]) for one in found] == [("while dead", "queued"), ("in hand", "surfaced")]
        assert found[1]["deliveryId"] == held["deliveryId"]
        for one in found:
            ann.tool("macp_ack", deliveryId=one["deliveryId"])
        assert session(tmp_path, "ann")["session_id"] != killed["session_id"]
        assert bob.message.broadcast(content="welcome").recipient_agent_ids == ["ann"]
    bob.close()


@pytest.mark.parametrize("how", ["end of input", "SIGTERM"])
def test_the_newest_process_of_an_agent_wins(tmp_path: Path, how: str) -> None:
    with Served(tmp_path, *common(tmp_path, "ann")) as old, Served(tmp_path, *common(tmp_path, "bob")) as bob:
        bob.tool("macp_poll")
        old.tool("macp_join_channel", channelId="side")
        with Served(tmp_path, *common(tmp_path, "ann")) as new:
            new.tool("macp_poll")
            before = content(tmp_path)
            for tool, arguments in (
                ("macp_poll", {}),
                ("macp_join_channel", {"channelId": "side"}),
                ("macp_leave_channel", {}),
                ("macp_ack", {"deliveryId": "x"}),
                ("macp_read_message", {"deliveryId": "x"}),
            ):
                assert old.problem(tool, **arguments)["reasonCode"] == "MACP_ERR_SESSION_UNKNOWN"
            told = old.problem("macp_send_channel", content="I am ann")
            assert told["reasonCode"] == "MACP_ERR_SENDER_NOT_ACTIVE"
            assert finish(old, how) in (0, 143)
            assert content(tmp_path) == before
            assert bob.tool("macp_send_channel", content="who is ann?")["recipientAgentIds"] == ["ann"]
            assert len(new.tool("macp_poll")["deliveries"]) == 1


# -- who it is


def test_the_agent_id_derives_from_the_hosts_session(tmp_path: Path) -> None:
    options = common(tmp_path, "x")[:-2]
    host = {"CLAUDE_CODE_SESSION_ID": "5f3f9d1c-0000-4000-8000-00000000abcd"}
    with Served(tmp_path, *options, env=host) as first:
        assert about(first)["agent id"] == host["CLAUDE_CODE_SESSION_ID"]
        assert about(first)["name"] == "claude-abcd"
    with Served(tmp_path, *options, env={**host, "MACP_AGENT_ID": "named"}) as second:
        assert about(second)["agent id"] == "named"
    with Served(tmp_path, *options) as third, Served(tmp_path, *options) as fourth:
        assert about(third)["agent id"] != about(fourth)["agent id"]


FROM_ENV = {
    "project": "env-project",
    "agent id": "env-agent",
    "name": "Env Name",
    "session": "env-session",
    "default channel": "env-channel",
    "role": "env-role",
    "interest tags": "a, b",
}


def test_flags_go_before_the_environment_and_blank_is_absent(tmp_path: Path) -> None:
    env = {
        "MACP_DB_PATH": "from-env.db",
        "MACP_PROJECT_ID": "Env Project!",
        "MACP_DEFAULT_CHANNEL": "env-channel",
        "MACP_AGENT_ID": "env-agent",
        "MACP_AGENT_NAME": "Env Name",
        "MACP_SESSION_ID": "env-session",
        "MACP_AGENT_ROLE": "env-role",
        "MACP_INTEREST_TAGS": ' ["a", "b"] ',
        "MACP_MAX_PENDING_MESSAGES": "7",
        "MACP_MAX_CONTEXT_BYTES": "4096",
        "MACP_SCHEMA_PATH": "ignored.json",
    }
    with Served(tmp_path, env=env) as server:
        said = about(server)
        assert {name: said[name] for name in FROM_ENV} == FROM_ENV
        (stored,) = dicts(tmp_path / "from-env.db", "SELECT * FROM sessions")
        assert stored["queue_preferences_json"] == '{"max_pending_messages":7}'
        assert '"max_context_bytes":4096' in stored["capabilities_json"]
        assert stored["interest_tags_json"] == '["a","b"]'
    flags = ["--db=from-flag.db", "--agent-id", "one", "--agent-id=two", "--channel", " ", "--interest-tags=x, ,y"]
    with Served(tmp_path, *flags, "--max-pending-messages", "9", "--role= lead ", env=env) as server:
        said = about(server)
        assert (said["agent id"], said["default channel"], said["role"]) == ("two", "env-channel", "lead")
        assert said["interest tags"] == "x, y"
        (stored,) = dicts(tmp_path / "from-flag.db", "SELECT * FROM sessions")
        assert stored["queue_preferences_json"] == '{"max_pending_messages":9}'


def test_an_explicit_project_shares_a_database_in_the_home_folder(tmp_path: Path) -> None:
    with Served(tmp_path, "--project-id", "My Shop") as server:
        assert about(server)["default channel"] == "my-shop"
    assert (tmp_path / "home/.macp/projects/my-shop.macp.db").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--nonsense", "x"], "--nonsense"),
        (["surprise"], "surprise"),
        (["--agent-id"], "--agent-id"),
        (["--agent-id", "--role", "x"], "--agent-id"),
        (["--agent-id=" + "x" * 201], "agent_id"),
        (["--channel=a\x07b"], "channel"),
        (["--max-pending-messages=0"], "max_pending_messages"),
        (["--max-pending-messages=many"], "max_pending_messages"),
        (["--max-context-bytes=-1"], "max_context_bytes"),
        (["--interest-tags=[1"], "interest_tags"),
        (["--durability=sometimes"], "durability"),
        (["--surface=other"], "surface"),
    ],
    ids=lambda value: value[0][:24] if isinstance(value, list) else None,
)
def test_bad_options_end_it_with_an_error_and_a_hint(tmp_path: Path, options: list[str], says: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "comity", "mcp", "--db", str(database(tmp_path)), *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=surroundings(tmp_path),
        cwd=tmp_path,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (told.returncode, told.stdout) == (2, "")
    error, hint = told.stderr.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    assert says in error
    assert os.listdir(tmp_path) == []


# -- a crowd


def test_twenty_servers_at_once_on_a_fresh_file_all_answer(tmp_path: Path) -> None:
    names = [f"agent-{number:02}" for number in range(20)]
    with ExitStack() as stack:
        servers = [stack.enter_context(Served(tmp_path, *common(tmp_path, name))) for name in names]
        asked = [(server, server.begin("macp_join_channel", channelId="main")) for server in servers]
        for server, request_id in asked:
            assert not server.result(request_id).get("isError")
        sent = servers[0].tool("macp_send_channel", content="all here?")
        assert sent["recipientAgentIds"] == names[1:]
        for server in servers[1:]:
            (delivery,) = server.tool("macp_poll")["deliveries"]
            server.tool("macp_ack", deliveryId=delivery["deliveryId"])
        for server in servers:
            server.stdin.close()
        assert [server.process.wait(TIMEOUT_S) for server in servers] == [0] * 20
    check(database(tmp_path))
    assert rows(database(tmp_path), "SELECT DISTINCT state FROM sessions") == [("deregistered",)]
    states = rows(database(tmp_path), "SELECT state, count(*) FROM messages GROUP BY state")
    assert states == [("acknowledged", 19)]


# -- a database that cannot be used


def broken_text(path: Path) -> None:
    path.write_text("This is a shopping list, no database.\n" * 50, encoding="utf-8")


def broken_folder(path: Path) -> None:
    path.mkdir()


def broken_pages(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4080)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (broken_text, "store.not_a_database"),
        (broken_folder, "store.unsafe"),
        (broken_pages, "store.not_a_database"),
    ],
    ids=["text", "folder", "pages"],
)
def test_a_server_without_a_usable_database_says_so_until_it_is_mended(tmp_path: Path, spoil: Any, reason: str) -> None:
    path = database(tmp_path)
    spoil(path)
    with Served(tmp_path, *common(tmp_path, "ann")) as ann:
        ann.ping()
        assert ann.begin("macp_poll") == 1
        told = problem(ann.result(1))
        assert told["reasonCode"] == reason
        assert str(path) in told["message"]
        assert ann.problem("macp_send_channel", content="x")["reasonCode"] == reason
        ann.ping()
        path.rmdir() if path.is_dir() else path.unlink()
        assert ann.tool("macp_poll")["deliveries"] == []
        assert ann.end() == 0
        said = b"".join(iter(lambda: ann.line(ann.stderr.fileno()), b""))
        assert b"Traceback" not in said
    assert session(tmp_path, "ann")["state"] == "deregistered"


def test_a_parent_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with Served(tmp_path, "--db", str(tmp_path / "file" / "x.db")) as server:
        server.ping()
        assert server.problem("macp_poll")["reasonCode"].startswith("store.")
        assert server.end() == 0


def test_a_server_starts_while_the_file_is_locked(tmp_path: Path) -> None:
    with Served(tmp_path, *common(tmp_path, "first")) as first:
        first.tool("macp_poll")
    with Served(tmp_path, *common(tmp_path, "ann")) as ann:
        with locked(database(tmp_path)):
            begun = ann.begin("macp_poll")
            ann.ping()
        assert not ann.result(begun).get("isError")
