"""What the doctor says of hooks: there or not, able to run, trusted, what they did; and the live canary."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from comity.doors.hook.capture import redacted
from comity.hosts.hook_install import WIRINGS, executable, running
from comity.hosts.hook_log import captures_of, path_of
from tests.doors.cli.program import Done, Program
from tests.hosts.installed import instead_of_ours


def hooks(done: Done) -> dict[str, tuple[str, str]]:
    """Status and detail of each host's hooks."""
    checks = [check for check in done.json["checks"] if check["check"].startswith("Hooks")]
    return {check["check"].removeprefix("Hooks").strip(): (check["status"], check["detail"]) for check in checks}


def detail(done: Done, host: str) -> dict[str, Any]:
    """Everything of one host."""
    found: dict[str, Any] = next(state for state in done.json["hooks"] if state["host"] == host)
    return found


def fire(comity: Program, event: str, **told: Any) -> Done:
    payload = {"session_id": told.pop("session", "S1"), "cwd": str(comity.folder), **told}
    return comity("hook", "claude-code", event, stdin=json.dumps(payload).encode())


def test_hooks_are_missing_until_init(comity: Program) -> None:
    done = comity("doctor", "--json")
    assert hooks(done)[""][0] == "warn"
    assert {state["host"] for state in done.json["hooks"]} == {wiring.host for wiring in WIRINGS}
    comity("init", "--hosts", "claude-code")
    done = comity("doctor", "--json")
    assert hooks(done) == {"claude-code": ("ok", ".claude/settings.local.json; never fired yet")}
    state = detail(done, "claude-code")
    assert state["strange"] == []
    assert (state["missing"], state["runs"], state["executable"]) == ([], True, sys.executable)


def test_what_hooks_did_is_told(comity: Program) -> None:
    comity("init", "--hosts", "claude-code")
    for session in ("S1", "S2"):
        fire(comity, "SessionStart", session=session, source="startup")
        asked = {"file_path": str(comity.folder / "a.py")}
        fire(comity, "PreToolUse", session=session, tool_name="Edit", tool_input=asked)
    done = comity("doctor", "--json")
    state = detail(done, "claude-code")
    assert (state["hooks"], state["failures"], state["lastFailure"]) == (4, 0, None)
    assert (state["lastInjection"]["event"], state["lastRefusal"]["event"]) == ("SessionStart", "PreToolUse")
    assert 0 < state["p50Ms"] <= state["p99Ms"]
    status, said = hooks(done)["claude-code"]
    assert status == "ok"
    assert "refused" in said
    comity("hook", "claude-code", "PreToolUse", stdin=b'{"cut')
    status, said = hooks(comity("doctor", "--json"))["claude-code"]
    assert (status, "1 of 5 hooks failed" in said) == ("warn", True)


def test_a_log_that_is_damaged_is_read_all_the_same(comity: Program) -> None:
    comity("init", "--hosts", "claude-code")
    good = {"at": 1.0, "host": "claude-code", "event": "Stop", "did": "nothing", "ms": 3.0}
    lines = [json.dumps(good), "{", "7", '{"at": "x"}', json.dumps({**good, "did": 3}), json.dumps(good)[:20]]
    log = Path(path_of(str(comity.db)))
    log.write_bytes("\n".join(lines).encode() + b"\xff\xfe\n")
    Path(f"{log}.1").write_text(json.dumps({**good, "ms": 9.0}) + "\n")
    state = detail(comity("doctor", "--json"), "claude-code")
    assert (state["hooks"], state["p50Ms"], state["p99Ms"]) == (2, 9.0, 9.0)


def test_an_executable_that_is_gone_and_events_that_are_missing(comity: Program) -> None:
    comity("init", "--hosts", "claude-code,codex")
    path = comity.folder / ".claude/settings.local.json"
    text = path.read_text()
    path.write_text(instead_of_ours(text, "/nowhere/comity"))
    done = comity("doctor", "--json")
    assert hooks(done)["claude-code"] == ("fail", ".claude/settings.local.json: /nowhere/comity cannot be run")
    assert done.code == 1
    content = json.loads(text)
    del content["hooks"]["Stop"]
    path.write_text(json.dumps(content))
    assert hooks(comity("doctor", "--json"))["claude-code"] == ("warn", ".claude/settings.local.json: no hook for Stop")
    path.write_text("{")
    assert hooks(comity("doctor", "--json"))["claude-code"][0] == "fail"


def test_codex_tells_what_it_trusts(comity: Program) -> None:
    comity("init", "--hosts", "codex")
    assert hooks(comity("doctor", "--json"))["codex"] == ("warn", ".codex/hooks.json is not trusted yet")
    config = comity.home / ".codex" / "config.toml"
    config.parent.mkdir()
    file = comity.folder / ".codex/hooks.json"
    trust = f'[projects."{comity.folder}"]\ntrust_level = "trusted"\n'
    config.write_text(trust)
    assert hooks(comity("doctor", "--json"))["codex"][0] == "warn"
    config.write_text(f'{trust}[hooks.state."{file}:pre_tool_use:0:0"]\ntrusted_hash = "sha256:1"\n')
    assert hooks(comity("doctor", "--json"))["codex"][0] == "ok"


def test_a_canary_flies_for_every_host(comity: Program) -> None:
    """The hooks exactly as they are installed: told, refused, and let go on, in each host's form."""
    comity("init")
    before = comity.files()
    directory = str(Path(executable().strip("'")).parent)
    for wiring in WIRINGS:
        path = f"{directory}:/usr/bin:/bin"
        done = comity("doctor", "--canary", wiring.host, "--json", PATH=path)
        assert (done.code, done.json["ok"]) == (0, True), done.out
        assert len(done.json["checks"]) == 3
    assert comity.files() == before


@pytest.mark.parametrize("instead", ["/nowhere/comity", "/bin/echo", "exit 2;"])
def test_a_canary_dies_of_a_hook_that_is_broken(comity: Program, instead: str) -> None:
    comity("init", "--hosts", "claude-code")
    path = comity.folder / ".claude/settings.local.json"
    program = f"{instead} {running()}" if instead == "exit 2;" else instead.replace("/bin/echo", "/bin/echo comity")
    path.write_text(instead_of_ours(path.read_text(), program))
    done = comity("doctor", "--canary", "claude-code", "--json")
    assert (done.code, done.json["ok"]) == (1, False)
    assert all("not run" in check["detail"] for check in done.json["checks"])
    assert comity("doctor", "--canary", "emacs", "--json").error["reason"] == "agent_host.unknown"
    assert comity("doctor", "--canary", "codex").code == 1


@pytest.mark.parametrize("script", ["echo {}", "exit 2", "cat", ":"])
def test_a_canary_dies_of_a_program_that_is_broken(comity: Program, tmp_path: Path, script: str) -> None:
    """The command is as init writes it where hosts look on their PATH; what is found there is something else."""
    comity("init", "--hosts", "claude-code")
    path = comity.folder / ".claude/settings.local.json"
    path.write_text(instead_of_ours(path.read_text(), "comity"))
    program = tmp_path / "bin" / "comity"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    done = comity("doctor", "--canary", "claude-code", "--json", PATH=f"{program.parent}:/usr/bin:/bin")
    assert (done.code, done.json["ok"]) == (1, False)
    assert not any("not run" in check["detail"] for check in done.json["checks"])


@pytest.mark.parametrize("host", [wiring.host for wiring in WIRINGS])
def test_a_canary_runs_nothing_that_init_would_not_write(comity: Program, host: str) -> None:
    comity("init")
    wiring = next(one for one in WIRINGS if one.host == host)
    path = comity.folder / wiring.file
    evil = comity.folder / "evil"
    for bad in (f"touch {evil}; {running()}", f"{running()} hook {host} x; touch {evil}; comity", f"{evil}/comity"):
        text = path.read_text()
        path.write_text(text.replace("comity hook", f"{bad} hook") if wiring.shared else instead_of_ours(text, bad))
        done = comity("doctor", "--canary", host, "--json")
        assert done.code == 1, bad
        assert not evil.exists()
        status, said = hooks(comity("doctor", "--json"))[host]
        assert (status, "is not what init writes" in said) == ("warn", True)
        path.write_text(text)


def test_payloads_are_kept_without_anybodys_words(comity: Program) -> None:
    assert comity("doctor", "--capture", "--json").error["reason"] == "workspace.missing"
    comity("init", "--hosts", "claude-code")
    assert comity("doctor", "--capture").code == 0
    asked = {"file_path": "/secret/place/key.pem", "old_string": "my secret", "replace_all": True}
    fire(comity, "PreToolUse", tool_name="Edit", tool_input=asked, tool_use_id="toolu_1", prompt="a secret plan")
    folder = Path(captures_of(str(comity.db)))
    kept = [json.loads(path.read_text()) for path in folder.iterdir()]
    assert [(one["event"], one["payload"]) for one in kept] == [
        (
            "PreToolUse",
            {
                "session_id": "S1",
                "cwd": "<path>",
                "tool_name": "Edit",
                "tool_input": {"file_path": "<path>.pem", "old_string": "<9 characters>", "replace_all": True},
                "tool_use_id": "toolu_1",
                "prompt": "<13 characters>",
            },
        )
    ]
    assert comity("doctor", "--no-capture").code == 0
    assert not folder.exists()
    fire(comity, "PreToolUse", tool_name="Edit", tool_input=asked)
    assert not folder.exists()


def test_git_hooks_come_and_go_with_init(comity: Program) -> None:
    done = comity("init", "--hosts", "codex", "--git-hooks", "--dry-run", "--json")
    assert done.json["gitHooks"]["changed"] == []
    folder = comity.folder / ".git" / "hooks"
    before = sorted(path.name for path in folder.iterdir())
    done = comity("init", "--hosts", "codex", "--git-hooks", "--json")
    assert done.json["gitHooks"]["changed"] == [str(folder / "pre-commit"), str(folder / "pre-push")]
    assert hooks(comity("doctor", "--json"))["git"] == ("ok", "pre-commit, pre-push; never fired yet")
    (folder / "pre-push").unlink()
    assert hooks(comity("doctor", "--json"))["git"] == ("warn", "pre-push is missing")
    assert "gitHooks" not in comity("init", "--hosts", "codex", "--json").json
    comity("init", "--remove")
    assert sorted(path.name for path in folder.iterdir()) == before
    assert comity.files() == {}


def test_nothing_that_was_written_is_kept() -> None:
    secret = "correct horse"
    value = {"id": secret, "name": secret, "x": [secret, {"y": secret}], "n": 1, "z": None, "path": f"/a/{secret}"}
    assert secret not in json.dumps(redacted(value))
    assert redacted({"sessionId": "abc-1", "model": "m-5"}) == {"sessionId": "abc-1", "model": "m-5"}


def test_abilities_are_those_of_the_adapters(comity: Program) -> None:
    told = {host["host"]: host for host in comity("doctor", "--hosts", "--json").json["hosts"]}
    assert set(told) == {wiring.host for wiring in WIRINGS}
    assert told["kiro"]["mid_turn"] is False
    assert "Claude Code" in comity("doctor", "--hosts").out


def test_hooks_of_a_comity_that_knew_fewer_tools_are_named(comity: Program) -> None:
    comity("init", "--hosts", "claude-code")
    path = comity.folder / ".claude/settings.local.json"
    found = json.loads(path.read_text())
    found["hooks"]["PreToolUse"][0]["matcher"] = "Edit|Write|Bash"
    path.write_text(json.dumps(found))
    done = comity("doctor", "--json")
    assert detail(done, "claude-code")["older"] is True
    status, said = hooks(done)["claude-code"]
    assert (status, "every tool that may write" in said) == ("warn", True)
    comity("init", "--hosts", "claude-code")
    assert hooks(comity("doctor", "--json"))["claude-code"][0] == "ok"
