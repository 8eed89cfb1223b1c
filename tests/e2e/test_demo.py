"""The demo as a person starts it: what it prints is what the file says, and nothing of it stays behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from comity.demo.account import Account, Rows, StageLog, TaskRow, settle
from comity.demo.board import Fact
from comity.demo.hooked import Comparison, Side
from comity.demo.mail import Delivered, latency
from comity.dialects.macp.dialect import LIST_FILE
from tests.mcp.driven import environment
from tests.prefork.started import Started
from tests.wire_format import check, rows

TIMEOUT_S = 120
ROOT = Path(__file__).resolve().parents[2]
WORKERS = ["ada", "ben", "cleo"]


def surroundings(folder: Path) -> dict[str, str]:
    """The demo's temporary files are in ``folder``, whatever else is said."""
    strange = {"MACP_DB_PATH": str(folder / "strange.db"), "GIT_DIR": str(folder), "TMPDIR": str(folder)}
    return {**environment(), **strange, "COLUMNS": "80"}


def play(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "comity.demo", *options]
    env = surroundings(folder)
    return subprocess.run(arguments, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def begin(folder: Path, *options: str) -> Started:
    """A demo to look at while it plays."""
    return Started(options, module="comity.demo", cwd=ROOT, env=surroundings(folder), stdin=subprocess.DEVNULL)


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


def test_the_document_says_what_the_file_says(tmp_path: Path) -> None:
    played = play(tmp_path, "--json", "--keep", "--tasks", "6")
    assert played.stderr == ""
    document = json.loads(played.stdout)
    account: dict[str, Any] = document["account"]
    assert (played.returncode, document["ok"], account["doubleOwners"]) == (0, True, 0), document
    guarded, unguarded = document["hooks"]["guarded"], document["hooks"]["unguarded"]
    assert (guarded["overwritten"], guarded["refused"], guarded["midTurn"], guarded["late"]) == (0, 3, 3, 0)
    assert (unguarded["overwritten"], unguarded["refused"], unguarded["midTurn"], unguarded["late"]) == (3, 0, 0, 3)
    path = document["database"]
    assert living(tmp_path) == []
    check(path)
    check_tasks(path, account)
    check_files(document)
    check_death(path, account)
    check_mail(path, account["mail"])
    assert rows(path, "SELECT DISTINCT state FROM sessions") == [("deregistered",)]
    assert not (tmp_path / "strange.db").exists()


def check_tasks(path: str, account: dict[str, Any]) -> None:
    """Six tasks and the urgent one: each was completed once, by whom the table says."""
    told = {task["number"]: (task["title"], task["doneBy"], task["completions"]) for task in account["tasks"]}
    completed = (
        "SELECT count(*) FROM audit_log a WHERE a.event_type = 'task.completed'"
        " AND json_extract(a.metadata_json, '$.task_id') = t.task_id"
    )
    found = rows(
        path,
        f"SELECT printf('task-%03d', d.number), t.title, t.assigned_agent_id, ({completed}) FROM macp_ext_tasks t"
        " JOIN comity_task_details d ON d.task_id = t.task_id WHERE t.status = 'done'",
    )
    assert told == {number: (title, agent, count) for number, title, agent, count in found}
    assert [done[2] for done in told.values()] == [1] * 7


def check_files(document: dict[str, Any]) -> None:
    """What the account says of the files is in the repository; a refused claim named its holder."""
    shop = Path(document["folder"], "shop")
    account = document["account"]
    for file in account["files"]:
        assert (shop / file["path"]).read_text(encoding="utf-8").splitlines()[1:] == file["edits"]
        assert len(file["edits"]) == sum(hold["ended"] == "released" for hold in file["holds"])
    paths = {file["path"] for file in account["files"]}
    for refusal in account["refusals"]:
        assert refusal["file"] in paths
        assert refusal["holder"] != refusal["agentId"]
        assert refusal["reason"].startswith("task-")
        assert refusal["expiresAt"] in refusal["message"]
        assert refusal["holder"] in refusal["hint"]
    assert "ben" in {refusal["holder"] for refusal in account["refusals"]}
    fences = rows(document["database"], "SELECT count(*), count(DISTINCT fence) FROM comity_claim_details")[0]
    assert fences[0] == fences[1] == sum(len(file["holds"]) for file in account["files"])


def check_death(path: str, account: dict[str, Any]) -> None:
    """The others noticed, freed what it held and went on with it; its messages waited."""
    (death,) = account["deaths"]
    ((agent, about),) = rows(path, "SELECT agent_id, metadata_json FROM audit_log WHERE event_type = 'agent.reaped'")
    facts = json.loads(about)
    assert (death["agentId"], death["noticedBy"]) == (agent, facts["reaped_by"]) != ("ben", "ben")
    freed = rows(
        path,
        "SELECT f.value FROM audit_log e, json_each(e.metadata_json, '$.files') f WHERE e.event_type = 'claim.released'"
        " AND e.agent_id = 'ben' AND json_extract(e.metadata_json, '$.reason') = 'reaped'",
    )
    assert set(facts["released_files"]) <= {file for (file,) in freed} == set(death["releasedFiles"]) != set()
    (number,) = death["returnedTasks"]
    task = next(task for task in account["tasks"] if task["number"] == number)
    assert death["takenOverBy"] == [task["holds"][1]["agentId"]] == [task["doneBy"]] != ["ben"]
    assert [hold["ended"] for hold in task["holds"]] == ["reaped", "completed"]
    assert "ben is gone" in task["handoff"]
    assert death["registrations"] == 2
    assert death["messagesWaited"] > 0


def check_mail(path: str, mail: dict[str, Any]) -> None:
    def count(sql: str) -> int:
        return int(rows(path, f"SELECT count(*) FROM {sql}")[0][0])

    assert mail["messages"] == rows(path, "SELECT count(DISTINCT message_id) FROM messages")[0][0]
    assert mail["deliveries"] == count("messages") == count("audit_log WHERE event_type = 'message.send'")
    assert mail["deliveries"] == mail["acknowledged"] == count("messages WHERE state = 'acknowledged'") > 20
    assert (mail["lost"], mail["doubled"], mail["waiting"]) == (0, 0, 0)
    for level, priority in enumerate(["info", "advisory", "steering", "interrupt"]):
        assert mail[priority] == count(f"messages WHERE priority = {level}") > 0


def test_a_person_can_read_it_and_may_kill_an_agent_too(tmp_path: Path) -> None:
    demo = begin(tmp_path, "--tasks", "7", "--seed", "3")
    try:
        lines: list[str] = []
        while not lines or " claims " not in lines[-1]:  # then the work has begun
            lines.append(heard(demo))
        process = next(int(line.split()[3]) for line in lines if "cleo" in line and "process" in line)
        os.kill(process, signal.SIGKILL)
        output = "".join(lines) + "".join(iter(lambda: heard(demo), ""))
        _, errors = demo.communicate(timeout=TIMEOUT_S)
        assert (demo.returncode, errors) == (0, b""), output
        assert f"ended unexpectedly ({process})" in output
        for said in ("may not claim", "reason", "hint", "SIGKILL", "ben is dead", "goes on with", "back under its id"):
            assert said in output
        assert "8 tasks, each done once; 2 agents killed, 0 double owners, 0 messages lost." in output
        assert [line for line in output.splitlines() if len(line) > 80] == []
        assert "\x1b" not in output
        assert list(tmp_path.iterdir()) == []
        assert living(tmp_path) == []
    finally:
        demo.kill()
        demo.communicate()


def heard(demo: Started) -> str:
    """Its next line; empty at the end."""
    assert demo.stdout is not None
    return demo.stdout.readline().decode()


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_it_and_everything_is_cleared_away(tmp_path: Path, name: str, code: int) -> None:
    demo = begin(tmp_path)
    try:
        assert any("cleo" in line and "process" in line for line in iter(lambda: heard(demo), ""))  # all are connected
        assert len(living(tmp_path)) == (4 if Path("/proc/self/cwd").exists() else 0)
        demo.send_signal(getattr(signal, name))
        _, told = demo.communicate(timeout=TIMEOUT_S)
        assert (demo.returncode, told.strip()) == (code, b"Interrupted: the processes are ended.")
        assert list(tmp_path.iterdir()) == []
        assert living(tmp_path) == []
    finally:
        demo.kill()
        demo.communicate()


AT_ITS_FIRST_HOOK = """
import os, signal, subprocess, sys
from comity.demo import hooked, run
real = subprocess.run
def began(command, **options):
    if "hook" in command:
        os.kill(os.getpid(), signal.SIGTERM)
    return real(command, **options)
subprocess.run = began
try:
    with run.interruptible():
        hooked.compare()
except run.Interrupted as told:
    sys.exit(128 + told.signal)
"""


def test_a_signal_in_the_second_act_leaves_nothing_either(tmp_path: Path) -> None:
    env = surroundings(tmp_path)
    told = subprocess.run([sys.executable, "-c", AT_ITS_FIRST_HOOK], env=env, timeout=TIMEOUT_S, check=False)
    assert (told.returncode, os.listdir(tmp_path)) == (143, [])


def test_a_comparison_that_proves_nothing_says_why() -> None:
    kept, lost = Side(6, 3, 0, 3, 0), Side(6, 0, 3, 0, 3)
    assert Comparison(kept, lost, "", "").ok
    for guarded, bare, why in [
        (kept._replace(refused=2), lost, "2 edits of a held file were refused"),
        (kept._replace(mid_turn=0), lost, "0 messages were heard"),
        (kept._replace(overwritten=1), lost, "1 edits were overwritten"),
        (kept, lost._replace(overwritten=0), "nothing is proven"),
    ]:
        (fault,) = Comparison(guarded, bare, "", "").faults()
        assert why in fault


@pytest.mark.parametrize(
    ("program", "code", "says"),
    [
        ("import sys; sys.modules['mcp'] = None; sys.argv[1:] = ['demo']", 8, "pip install 'comity[demo]'"),
        ("import os, sys; os.environ['PATH'] = ''; sys.argv[1:] = ['demo', '--json']", 8, "demo.git"),
        ("import sys; sys.argv[1:] = ['demo', '--tasks', '1', '--json']", 2, "demo.tasks"),
    ],
    ids=["no client", "no git", "too few"],
)
def test_it_says_what_it_lacks(tmp_path: Path, program: str, code: int, says: str) -> None:
    env = surroundings(tmp_path)
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

FILE = "src/cart.py"


def fact(at_ms: int, kind: str, agent: str, **about: Any) -> Fact:
    if kind.startswith("task."):
        about |= {"task_id": "t1", "number": "task-001", "title": "T"}
    return Fact(at_ms, kind, agent, about)


HAPPENED = [
    fact(0, "session.register", "ben"),
    fact(1, "task.dispatched", "planner"),
    fact(2, "task.claimed", "ben"),
    fact(2, "task.started", "ben"),
    fact(3, "claim.acquired", "ben", files=[FILE]),
    fact(4, "claim.refused", "ada", files=[FILE], holders=["ben"]),
    fact(5, "claim.released", "ben", files=[FILE], reason="reaped"),
    fact(5, "task.released", "ben", by="ada"),
    fact(5, "agent.reaped", "ben", released_files=[FILE], returned_task_ids=["t1"], reaped_by="ada", reason="gone"),
    fact(6, "session.register", "ben"),
    fact(7, "task.claimed", "ada"),
    fact(8, "claim.acquired", "ada", files=[FILE]),
    fact(9, "task.completed", "ada"),
    fact(9, "claim.released", "ada", files=[FILE], reason="released"),
]


def delivery(number: int, **fields: Any) -> Delivered:
    whole = Delivered(f"d{number}", f"m{number}", "ben", "info", "acknowledged", number, 4, 7, 8)
    return whole._replace(**fields)


SOUND = Rows(
    [delivery(1), delivery(2, recipient="ada", sequence=1)],
    ["d1", "d2"],
    ["d1", "d2"],
    [],
    HAPPENED,
    [TaskRow("task-001", "T", f"Files: {FILE}", "P1", "done", "ada", {"summary": "ben is gone"})],
    0,
    "ok",
)
TOLD = StageLog({"d1"}, {"d2"}, [("task-001", "ada")], [], [], [("ben", 4.0)], {FILE: ["task-001 T"]}, 1, 0.0)


def faults(account: Account) -> list[str]:
    return [check.name for check in account.checks if not check.ok]


def test_a_sound_file_is_found_sound() -> None:
    account = settle(SOUND, TOLD)
    assert faults(account) == []
    (death,) = account.deaths
    assert (death.noticed_by, death.noticed_ms, death.taken_over_by, death.messages_waited) == ("ada", 1, ["ada"], 1)
    assert [(hold.agent_id, hold.ended) for hold in account.files[0].holds] == [("ben", "reaped"), ("ada", "released")]
    assert [(wait.agent_id, wait.until_s) for wait in account.waits] == [("ada", 0.01)]


def log(*more: Fact) -> Rows:
    return SOUND._replace(log=sorted([*HAPPENED, *more], key=lambda one: one.at_ms))


@pytest.mark.parametrize(
    ("rows_", "told", "fault"),
    [
        (SOUND._replace(integrity="malformed"), TOLD, "sound"),
        (log(fact(10, "task.completed", "ada")), TOLD, "exactly once"),
        (SOUND._replace(tasks=[SOUND.tasks[0]._replace(status="pending")]), TOLD, "exactly once"),
        (SOUND, TOLD._replace(tasks=2), "exactly once"),
        (SOUND, TOLD._replace(completed=[("task-001", "ada"), ("task-001", "ben")]), "exactly once"),
        (log(fact(4, "task.started", "ada")), TOLD, "two owners"),
        (log(fact(4, "claim.acquired", "ada", files=[FILE])), TOLD, "two owners"),
        (SOUND, TOLD._replace(edits={FILE: []}), "overwritten"),
        (SOUND, TOLD._replace(edits={FILE: ["task-001 T"] * 2}), "overwritten"),
        (SOUND._replace(unreleased=1), TOLD, "held any more"),
        (SOUND, TOLD._replace(deaths=[*TOLD.deaths, ("ada", 6.0)]), "noticed by another"),
        (SOUND._replace(log=HAPPENED[:10]), TOLD, "taken over"),
        (SOUND._replace(log=HAPPENED[1:]), TOLD, "came back"),
        (SOUND._replace(deliveries=[delivery(1)]), TOLD, "message is lost"),
        (SOUND, TOLD._replace(sent={"d3"}), "message is lost"),
        (SOUND._replace(acks=["d1"]), TOLD, "message is lost"),
        (SOUND._replace(acks=["d1", "d2", "d2"]), TOLD, "message is lost"),
        (SOUND._replace(deliveries=[delivery(1), delivery(2, sequence=3)]), TOLD, "agree"),
        (SOUND, TOLD._replace(failures=["macp_ack: no"]), "call failed"),
    ],
)
def test_each_fault_is_found(rows_: Rows, told: StageLog, fault: str) -> None:
    account = settle(rows_, told)
    assert any(fault in name for name in faults(account)), account.checks
    assert not account.ok


@pytest.mark.parametrize(
    ("fields", "ended", "lost"),
    [
        ({"state": "expired"}, [], 1),
        ({"state": "expired"}, ["d1"], 0),
        ({"state": "odd"}, [], 1),
        ({"acknowledged_ms": None}, [], 1),
        ({"state": "queued"}, [], 0),
    ],
)
def test_a_delivery_may_end_only_with_a_row_that_says_so(fields: dict[str, Any], ended: list[str], lost: int) -> None:
    found = SOUND._replace(deliveries=[delivery(1, **fields), SOUND.deliveries[1]], ends=ended)
    assert settle(found, TOLD).mail.lost == lost


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
