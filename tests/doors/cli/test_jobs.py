"""Jobs at a prompt: begun here, carried out by an agent's session or a server, read by anybody."""

from __future__ import annotations

import json
import signal
from typing import Any

from tests.doors.cli.program import TIMEOUT_S, Program
from tests.doors.http.running import serving
from tests.prefork.started import Started


def begin(comity: Program) -> str:
    """The id of a job that indexes two documents."""
    (comity.folder / "docs").mkdir(exist_ok=True)
    for name in ("release", "other"):
        (comity.folder / "docs" / f"{name}.md").write_text(f"# {name}\n")
    begun: dict[str, Any] = comity("vault", "add", "docs", "--background", "--json").json["job"]
    assert (begun["state"], begun["kind"]) == ("waiting", "vault.index")
    return str(begun["jobId"])


def test_an_agents_session_carries_out_what_no_server_does(comity: Program) -> None:
    job_id = begin(comity)
    assert comity("jobs").out.splitlines()[0].split() == ["Job", "State", "What", "Asked"]
    with Started(["mcp", "--agent-id", "ann"], cwd=comity.folder, env=comity.environment()) as session:
        done = comity("jobs", "show", job_id, "--wait", "--json")
        assert session.stdin is not None
        session.stdin.close()
        session.wait(TIMEOUT_S)
    assert (done.code, done.json["job"]["state"], done.json["result"]["indexedDocs"]) == (0, "done", 2)
    assert done.json["result"]["added"] == 2
    assert "indexedDocs" in comity("jobs", "show", job_id).out
    assert comity("vault", "--json").json["docs"][1]["title"] == "release"


def test_a_job_that_a_runner_let_go_is_done_by_the_next(comity: Program) -> None:
    job_id = begin(comity)
    taken = comity("call", "job.take", "--arguments", json.dumps({"kinds": ["vault.index"]}), "--as", "bob", "--json")
    assert taken.json["job"]["jobId"] == job_id
    assert "running" in comity("jobs").out
    left = {"job_id": job_id, "epoch": 1, "outcome": "released"}
    assert comity("call", "job.finish", "--arguments", json.dumps(left), "--as", "bob").code == 0
    with Started(["mcp", "--agent-id", "ann"], cwd=comity.folder, env=comity.environment()) as session:
        done = comity("jobs", "show", job_id, "--wait", "--json").json
        session.send_signal(signal.SIGTERM)
        session.wait(TIMEOUT_S)
    assert (done["job"]["state"], done["job"]["attempts"]) == ("done", 2)


def test_a_job_is_cancelled(comity: Program) -> None:
    job_id = begin(comity)
    assert comity("jobs", "cancel", job_id, "--json").json["job"]["state"] == "cancelled"
    shown = comity("jobs", "show", job_id, "--wait")
    assert shown.code == 6
    assert "cancelled" in shown.out
    again = comity("jobs", "cancel", job_id, "--json")
    assert (again.code, again.error["reason"]) == (6, "job.over")
    assert comity("jobs", "--state", "waiting", "--json").json["jobs"] == []


def test_what_is_refused(comity: Program) -> None:
    assert comity("jobs", "--json").error["reason"] == "workspace.missing"
    assert comity("vault", "add", "..", "--background", "--json").error["reason"] == "vault.outside"
    assert comity("jobs", "show", "none", "--json").error["reason"] == "job.unknown"
    assert "comity vault add --background" in comity("jobs").out


def test_a_server_carries_jobs_out_and_whoever_waits_hears_of_it(comity: Program) -> None:
    comity("poll", "--as", "bob")
    with serving(comity.folder) as server:
        me = {"x-comity-agent": "ann"}
        (comity.folder / "docs").mkdir()
        (comity.folder / "docs" / "a.md").write_text("# A\n")
        begun = server.post("/api/v1/vault.index", {"path": "docs"}, headers=me).json()
        job_id = begun["job"]["jobId"]
        done = server.get(f"/api/v1/job.get?jobId={job_id}&waitMs=30000", headers=me).json()
        assert (done["job"]["state"], done["result"]["added"]) == ("done", 1)
        told = server.get("/api/v1/event.list?eventTypes=job.*", headers=me).json()["events"]
        assert [one["eventType"] for one in told][-1] == "job.ended"
