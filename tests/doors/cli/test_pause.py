"""`comity pause`, `comity resume`, and `comity call --key`."""

from __future__ import annotations

import json

from tests.doors.cli.program import Program


def test_a_pause_is_told_and_held_to_at_the_command_line(comity: Program) -> None:
    assert comity("pause").code == 5, "there is nothing to pause yet"
    comity("task", "dispatch", "Write the parser", "--as", "ann")
    paused = comity("pause", "The main branch is broken.", "--minutes", "30", LOGNAME="eve")
    assert (paused.code, paused.err) == (0, "")
    assert "Paused by cli-eve since" in paused.out
    assert "The main branch is broken." in " ".join(paused.out.split())
    assert "Paused by cli-eve since" in comity("status").out
    status = comity("status", "--json").json
    assert status["status"]["paused"]["reason"] == "The main branch is broken."
    for refused in (
        comity("task", "start", "task-001", "--as", "ann"),
        comity("claim", "a.py", "--as", "ann"),
    ):
        assert refused.code == 6
        assert "cli-eve paused this workspace at" in refused.err
        assert "`comity resume`" in refused.err
    assert comity("send", "what is it?", "--as", "ann").code == 0
    assert "cli-eve had paused it" in comity("resume").out
    assert comity("resume").out == "The workspace is not paused.\n"
    assert comity("task", "start", "task-001", "--as", "ann").code == 0
    assert "Paused" not in comity("status").out


def test_a_call_under_a_key_is_carried_out_once(comity: Program) -> None:
    call = ("call", "task.dispatch", "--as", "ann", "--json")
    one, two = json.dumps({"title": "one"}), json.dumps({"title": "two"})
    first = comity(*call, "--arguments", one, "--key", "k")
    assert first.json["task"]["title"] == "one"
    assert comity(*call, "--arguments", one, "--key", "k").json == first.json
    assert comity(*call, "--arguments", two, "--key", "k").error["reason"] == "idempotency.reused"
    assert comity(*call, "--arguments", one, "--key", "clé").error["reason"] == "idempotency.key"
    assert len(comity("tasks", "--json").json["tasks"]) == 1


def test_a_secret_is_printed_once_and_in_no_error(comity: Program) -> None:
    call = ("call", "token.create", "--as", "ann", "--arguments", '{"role": "reader"}', "--key", "k")
    secret = comity(*call).json["secret"]
    again = comity(*call, "--json", COMITY_DEBUG="1")
    assert again.error["reason"] == "idempotency.secret"
    assert secret.rpartition("_")[2] not in again.out + again.err
    digest = "f" * 63
    wrong = comity("call", "token.check", "--json", "--arguments", json.dumps({"token_id": "0" * 12, "digest": digest}))
    assert wrong.error["reason"] == "argument.invalid"
    assert digest not in wrong.out + wrong.err
    for path in comity.folder.rglob("*"):
        if path.is_file():
            assert secret.rpartition("_")[2].encode() not in path.read_bytes(), path
