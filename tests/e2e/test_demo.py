"""The demo as a person starts it: what it prints is what the file says, and nothing of it stays behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from comity.demo.account import Account, Delivered, Rows, latency, settle
from comity.doors.mcp.macp import LIST_FILE
from tests.doors.mcp.driven import environment
from tests.wire_format import check, rows

TIMEOUT_S = 60
ROOT = Path(__file__).resolve().parents[2]
AGENTS = ["planner", "backend", "frontend", "reviewer"]


def command(folder: Path, *options: str) -> tuple[list[str], dict[str, str]]:
    """The demo with its temporary files in ``folder``, whatever the surroundings say."""
    strange = {"MACP_DB_PATH": str(folder / "strange.db"), "GIT_DIR": str(folder), "TMPDIR": str(folder)}
    return [sys.executable, "-m", "comity.demo", *options], {**environment(), **strange, "COLUMNS": "80"}


def play(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    arguments, env = command(folder, *options)
    return subprocess.run(arguments, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def living(folder: Path) -> list[str]:
    """Processes that stand in the folder, where the system tells; the servers do."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if entry.resolve().is_relative_to(folder):
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


def ms(timestamp: str) -> int:
    return round(datetime.fromisoformat(timestamp).timestamp() * 1000)


def test_the_document_says_what_the_file_says(tmp_path: Path) -> None:
    played = play(tmp_path, "--json", "--keep", "--seconds", "3")
    assert played.stderr == ""
    document = json.loads(played.stdout)
    account: dict[str, Any] = document["account"]
    assert (played.returncode, document["ok"], account["lost"], account["doubled"]) == (0, True, 0, 0), document
    path = document["database"]
    assert living(tmp_path) == []
    check(path)

    def count(sql: str) -> int:
        return int(rows(path, f"SELECT count(*) FROM {sql}")[0][0])

    told = {key: account[key] for key in ("messages", "deliveries", "received", "acknowledged", "pending")}
    assert told == {
        "messages": int(rows(path, "SELECT count(DISTINCT message_id) FROM messages")[0][0]),
        "deliveries": count("audit_log WHERE event_type = 'message.send'"),
        "received": count("ack_states WHERE ack_level = 'received'"),
        "acknowledged": count("audit_log WHERE event_type = 'message.ack'"),
        "pending": 0,
    }
    assert account["deliveries"] == count("messages WHERE state = 'acknowledged'") > 40
    assert all(part["messages"] for part in account["priorities"])
    for part in account["priorities"]:
        level = ["info", "advisory", "steering", "interrupt"].index(part["name"])
        assert part["deliveries"] == count(f"messages WHERE priority = {level}")
    assert [part["name"] for part in account["agents"]] == AGENTS
    for part in account["agents"]:
        assert part["deliveries"] == count(f"messages WHERE destination_agent_id = '{part['name']}'")
        assert part["messages"] > 0
    check_recovery(path, account)
    assert sum(bucket["deliveries"] for bucket in account["histogram"]) == account["receivedMs"]["measured"]
    assert rows(path, "SELECT DISTINCT state FROM sessions") == [("deregistered",)]
    assert Path(document["folder"], "shop", ".macp", "config.json").exists()
    assert not (tmp_path / "strange.db").exists()


def check_recovery(path: str, account: dict[str, Any]) -> None:
    """The killed agent registered twice; latencies are those of deliveries that did not wait for it."""
    sql = "SELECT timestamp FROM audit_log WHERE event_type = 'session.register' AND agent_id = ? ORDER BY id"
    registered = [ms(row[0]) for row in rows(path, sql, "backend")]
    (recovery,) = account["recoveries"]
    assert (recovery["agentId"], recovery["registrations"], len(registered)) == ("backend", 2, 2)
    took = []
    waited = 0
    for sent, received, acknowledged, recipient in rows(
        path,
        "SELECT m.timestamp, r.timestamp, p.timestamp, m.destination_agent_id FROM messages m"
        " JOIN ack_states r ON r.delivery_id = m.delivery_id AND r.ack_level = 'received'"
        " JOIN ack_states p ON p.delivery_id = m.delivery_id AND p.ack_level = 'processed'",
    ):
        back = registered[1] if recipient == "backend" else 0
        waited += ms(sent) < back <= ms(acknowledged)
        if not ms(sent) < back <= ms(received):
            took.append(ms(received) - ms(sent))
    assert recovery["waited"] == waited > 0
    took.sort()
    told = account["receivedMs"]
    assert (told["measured"], told["max"]) == (len(took), took[-1])
    assert told["p50"] == took[(len(took) + 1) // 2 - 1]


def test_a_person_can_read_it_and_nothing_stays_behind(tmp_path: Path) -> None:
    played = play(tmp_path, "--seconds", "2", "--seed", "3")
    assert (played.returncode, played.stderr) == (0, "")
    lines = played.stdout.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert "\x1b" not in played.stdout
    for said in ("interrupt", "SIGKILL", "back under its id", "acknowledged", "0 lost, 0 doubled", "sent to received"):
        assert said in played.stdout
    assert list(tmp_path.iterdir()) == []
    assert living(tmp_path) == []


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_it_and_everything_is_cleared_away(tmp_path: Path, name: str, code: int) -> None:
    arguments, env = command(tmp_path)
    demo = subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        assert any("interrupt" in line for line in demo.stdout)  # the legend: everybody is connected
        assert len(living(tmp_path)) == (4 if Path("/proc/self/cwd").exists() else 0)
        demo.send_signal(getattr(signal, name))
        _, told = demo.communicate(timeout=TIMEOUT_S)
        assert (demo.returncode, told.strip()) == (code, "Interrupted: the processes are ended.")
        assert list(tmp_path.iterdir()) == []
        assert living(tmp_path) == []
    finally:
        demo.kill()
        demo.communicate()


def test_an_agent_that_a_stranger_kills_comes_back_too(tmp_path: Path) -> None:
    arguments, env = command(tmp_path, "--seconds", "4")
    demo = subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        told = iter(demo.stdout)
        process = next(int(line.split()[-1]) for line in told if "frontend" in line and "process" in line)
        assert any("planner → all" in line for line in told)  # the play has begun
        os.kill(process, signal.SIGKILL)
        rest, errors = demo.communicate(timeout=TIMEOUT_S)
        assert (demo.returncode, errors) == (0, "")
        assert f"frontend ended unexpectedly ({process})" in rest
        assert "2 processes killed: 0 lost, 0 doubled" in rest
    finally:
        demo.kill()
        demo.communicate()


@pytest.mark.parametrize(
    ("program", "code", "says"),
    [
        ("import sys; sys.modules['mcp'] = None; sys.argv[1:] = ['demo']", 8, "pip install 'comity[demo]'"),
        ("import os, sys; os.environ['PATH'] = ''; sys.argv[1:] = ['demo', '--json']", 8, "demo.git"),
        ("import sys; sys.argv[1:] = ['demo', '--seconds', '1', '--json']", 2, "demo.seconds"),
    ],
    ids=["no client", "no git", "too short"],
)
def test_it_says_what_it_lacks(tmp_path: Path, program: str, code: int, says: str) -> None:
    _, env = command(tmp_path)
    told = subprocess.run(
        [sys.executable, "-c", f"{program}; from comity.__main__ import main; sys.exit(main())"],
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert told.returncode == code
    assert says in told.stdout + told.stderr
    assert "Traceback" not in told.stderr
    assert os.listdir(tmp_path) == []


# -- the arithmetic: an account that could not find fault would prove nothing


def delivery(number: int, **fields: Any) -> Delivered:
    whole = Delivered(
        f"d{number}", f"m{number}", "a", "b", "info", "acknowledged", number, 1, 1000, 1003, 1000 + 10 * number
    )
    return whole._replace(**fields)


def account_of(
    deliveries: list[Delivered], sends: list[str], acks: list[str], ends: list[str] | None = None, **told: set[str]
) -> Account:
    found = Rows(deliveries, sends, acks, ends or [], [("a", 1), ("b", 1)], "ok")
    return settle(found, told.get("sent", set()), told.get("acknowledged", set()), ["a", "b"])


def test_a_sound_file_is_found_sound() -> None:
    account = account_of([delivery(1), delivery(2)], ["d1", "d2"], ["d1", "d2"], sent={"d1"}, acknowledged={"d2"})
    assert (account.lost, account.doubled, account.received_ms.p99) == (0, 0, 3)
    assert all(one.ok for one in account.checks)


@pytest.mark.parametrize(
    ("account", "lost", "doubled"),
    [
        (account_of([delivery(1)], ["d1", "d2"], ["d1"]), 1, 0),
        (account_of([], [], [], sent={"d1"}), 1, 0),
        (account_of([delivery(1, state="queued")], ["d1"], [], acknowledged={"d1"}), 1, 0),
        (account_of([delivery(1, state="expired")], ["d1"], []), 1, 0),
        (account_of([delivery(1, state="expired")], ["d1"], [], ["d1"]), 0, 0),
        (account_of([delivery(1, state="odd")], ["d1"], []), 1, 0),
        (account_of([delivery(1, acknowledged_ms=None)], ["d1"], ["d1"]), 1, 0),
        (account_of([delivery(1)], ["d1"], ["d1", "d1"]), 0, 1),
        (account_of([delivery(1), delivery(2, message_id="m1")], ["d1", "d2"], ["d1", "d2"]), 0, 1),
    ],
    ids=[
        "no row",
        "told, no row",
        "told, not acked",
        "silent end",
        "audited end",
        "odd",
        "no level",
        "2 acks",
        "2 rows",
    ],
)
def test_what_is_lost_or_doubled_is_counted(account: Account, lost: int, doubled: int) -> None:
    assert (account.lost, account.doubled) == (lost, doubled)


def test_a_gap_an_unaudited_row_and_a_waiting_delivery_are_found() -> None:
    account = account_of([delivery(1), delivery(3, state="queued")], ["d1"], ["d1"])
    assert [one.ok for one in account.checks] == [True, False, False, False, True]


def test_percentiles_are_by_nearest_rank() -> None:
    assert latency(range(1, 101))[:5] == (100, 50, 90, 99, 100)
    assert latency([7]) == (1, 7, 7, 7, 7)
    assert latency([]) == (0, 0, 0, 0, 0)


# -- examples


def test_the_python_example_runs() -> None:
    ran = subprocess.run(
        [sys.executable, "examples/two_agents.py"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[:3] == [
        "here: ['ann', 'bob']",
        "bob reads: Please add paging to src/api.py.",
        "ann reads: [ACTION] done [FILES] src/api.py",
    ]
    assert "MACP_ERR_DESTINATION_UNKNOWN: " in ran.stdout


def test_the_coordination_text_names_tools_and_arguments_that_exist() -> None:
    text = (ROOT / "examples/coordination.md").read_text(encoding="utf-8")
    assert "{CHANNEL}" in text
    listed = {tool["name"]: tool for tool in json.loads(Path(LIST_FILE).read_bytes())}
    tools = {name.removeprefix("mcp__macp__") for name in re.findall(r"`((?:mcp__\w+__)?macp_\w+)`", text)}
    assert tools <= set(listed)
    arguments = {name for tool in listed.values() for name in tool["inputSchema"]["properties"]}
    assert {"waitMs", "deliveryId", "relevanceTags", "sourceReferences"} <= arguments
    assert set(re.findall(r"\| `(\w+)` \|", text)) == {"interrupt", "steering", "advisory", "info"}
