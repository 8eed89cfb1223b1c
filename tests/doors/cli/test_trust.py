"""What came with a repository: it is set aside, every door says so, and the user agrees once or does not."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.doors.cli.program import Program

OFF = 'enforcement = "off"\nvault_outside = true\n'


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def write(comity: Program, name: str, text: str, *, tracked: bool = True) -> Path:
    path = comity.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if tracked:
        git(comity.folder, "add", "-f", name)
    return path


def record(comity: Program) -> Path:
    return comity.home / ".config" / "comity" / "trust.json"


def findings(comity: Program, check: str) -> list[str]:
    checks = comity("doctor", "--json").json["checks"]
    return [one["detail"] for one in checks if one["check"] == check and one["status"] == "warn"]


def asides(comity: Program) -> list[str]:
    return [f"{one['name']}={one['value']}" for one in comity("status", "--json").json["aside"]]


def test_where_nothing_asks_nothing_is_written(comity: Program) -> None:
    assert "No file here asks" in comity("trust").out
    assert comity("trust", "--yes", "--json").json["files"] == []
    assert comity("init").code == 0
    assert comity("trust", "--remove").out == "You had agreed to no file here.\n"
    assert not (comity.home / ".config").exists()


def test_what_is_set_aside_is_said_at_every_door(comity: Program) -> None:
    write(comity, ".macp/comity.toml", OFF)
    assert asides(comity) == ["enforcement=off", "vault_outside=true"]
    assert 'set aside: enforcement = "off" (.macp/comity.toml); comity trust agrees' in comity("status").out
    said = '.macp/comity.toml sets enforcement = "off": set aside, since it came with the repository'
    assert findings(comity, "Settings")[0] == said
    started = comity("mcp").err.splitlines()
    assert started[0] == 'comity mcp: set aside: enforcement = "off" (.macp/comity.toml); comity trust agrees'
    assert comity("trust", "--yes").code == 0
    assert (asides(comity), findings(comity, "Settings"), comity("mcp").err) == ([], [], "")
    write(comity, ".macp/comity.toml", f"{OFF}max_hops = 0\n")
    assert "it changed since you agreed" in findings(comity, "Settings")[0]
    assert comity("trust", "--json").json["files"][0]["state"] == "changed"


def test_what_the_servers_files_ask_for_is_said_too(comity: Program) -> None:
    write(comity, ".masc/config/server.toml", 'allow_origin = ["http://evil.example"]\n')
    write(comity, ".masc/auth/config.json", '{"require_token": false}')
    assert asides(comity) == ["allow_origin=http://evil.example", "require_token=false"]
    listed = comity("trust", "--list", "--json").json
    assert [(one["file"], one["tracked"], one["state"]) for one in listed["files"]] == [
        (".masc/config/server.toml", True, "open"),
        (".masc/auth/config.json", True, "open"),
    ]
    comity("trust", "--yes")
    assert asides(comity) == []
    assert len(json.loads(record(comity).read_text())["files"]) == 2


@pytest.mark.parametrize("how", ["comity.toml", "config.json", "project id"])
def test_a_database_elsewhere_makes_no_second_one(comity: Program, how: str) -> None:
    outside = comity.folder.parent / "outside.db"
    if how == "comity.toml":
        write(comity, ".macp/comity.toml", f'db = "{outside}"\n')
    elif how == "config.json":
        write(comity, ".macp/config.json", json.dumps({"dbPath": str(outside)}))
    else:
        write(comity, ".macp/comity.toml", 'project_id = "theirs"\n')
    before = comity.files()
    payload = json.dumps({"session_id": "S1", "cwd": str(comity.folder), "source": "startup"}).encode()
    for words in (("status",), ("send", "x"), ("agents",), ("tail", "--no-follow"), ("token", "list")):
        done = comity(*words, "--json")
        assert (done.code, done.error["reason"]) == (4, "trust.needed"), words
    for words in (("mcp",), ("serve",)):
        done = comity(*words)
        assert (done.code, "comity trust" in done.err) == (4, True), words
    assert comity("hook", "claude-code", "SessionStart", stdin=payload).code == 0
    assert "comity trust" in " ".join(comity("doctor").out.split())
    assert comity("status", "--db", str(comity.folder / "own.db")).code == 0
    assert comity.files() == before
    assert not outside.exists()
    assert not (comity.home / ".macp").exists()
    assert comity("trust", "--yes").code == 0
    assert comity("send", "x").code == 0
    assert outside.exists() == (how != "project id")


def test_it_is_taken_back(comity: Program) -> None:
    write(comity, ".macp/comity.toml", OFF)
    comity("trust", "--yes")
    done = comity("trust", "--remove", "--json").json
    assert (done["outcome"], done["changed"]) == ("removed", [".macp/comity.toml"])
    assert asides(comity) == ["enforcement=off", "vault_outside=true"]


def test_without_a_terminal_nobody_is_taken_to_agree(comity: Program) -> None:
    write(comity, ".macp/comity.toml", OFF)
    done = comity("trust", stdin=b"y\n")
    assert (done.code, "comity trust --yes" in done.out) == (2, True)
    assert comity("trust", "--json").json["outcome"] == "listed"
    assert not record(comity).exists()


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"\n", 4), (b"\x04", 4)])
def test_on_a_terminal_it_asks(comity: Program, answer: bytes, code: int) -> None:
    write(comity, ".macp/comity.toml", OFF)
    outer, inner = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "comity", "trust"],
        cwd=comity.folder,
        env=comity.environment(TERM="dumb"),
        stdin=inner,
        stdout=inner,
        stderr=inner,
    ) as process:
        os.close(inner)
        said = b""
        while b"[y/N]" not in said:
            said += os.read(outer, 4096)
        assert b"enforcement" in said
        os.write(outer, answer)
        assert process.wait(60) == code
    os.close(outer)
    assert record(comity).exists() == (code == 0)


def test_a_record_in_the_tree_is_refused(comity: Program) -> None:
    write(comity, ".macp/comity.toml", OFF)
    inside = str(comity.folder / "config")
    assert comity("trust", "--yes", "--json", XDG_CONFIG_HOME=inside).error["reason"] == "trust.inside"
    assert not (comity.folder / "config").exists()


def test_a_damaged_record_is_told(comity: Program) -> None:
    write(comity, ".macp/comity.toml", OFF)
    comity("trust", "--yes")
    record(comity).write_text("{")
    assert any("the record of what you agreed to" in one for one in findings(comity, "Settings"))
    assert asides(comity) == ["enforcement=off", "vault_outside=true"]


def test_a_file_that_cannot_be_read_is_named(comity: Program) -> None:
    write(comity, ".masc/config/server.toml", "port = ")
    done = comity("trust", "--json")
    assert (done.code, done.json["problems"][0]["reason"]) == (2, "config.unreadable")
    assert "server.toml" in comity("trust").out
    assert "server.toml" in comity("doctor").out


# --- init -------------------------------------------------------------------------------------------------------


def test_init_agrees_to_what_the_user_set_up(comity: Program) -> None:
    outside = comity.folder.parent / "outside.db"
    write(comity, ".macp/comity.toml", OFF, tracked=False)
    done = comity("init", "--db", str(outside), "--hosts", "codex", "--json").json
    assert done["agreed"] == [".macp/comity.toml", ".macp/config.json"]
    assert comity("send", "x").code == 0
    assert (outside.exists(), asides(comity)) == (True, [])
    comity("init", "--remove")
    assert list(json.loads(record(comity).read_text())["files"]) == [str(comity.folder / ".macp/comity.toml")]


def test_init_does_not_agree_to_what_came_along(comity: Program) -> None:
    write(comity, ".macp/comity.toml", OFF)
    write(comity, ".macp/config.json", json.dumps({"dbPath": "/elsewhere/x.db"}))
    done = comity("init", "--hosts", "codex", "--json")
    assert done.json["agreed"] == []
    assert sum("came with the repository" in note for note in done.json["notes"]) == 3
    assert comity("status", "--json").error["reason"] == "trust.needed"
    assert not record(comity).exists()


def test_a_shared_database_in_its_usual_place_needs_nothing(comity: Program) -> None:
    comity("init", "--project-id", "team", "--hosts", "codex")
    assert comity("send", "x").code == 0
    assert (comity.home / ".macp/projects/team.macp.db").exists()
    assert not (comity.home / ".config").exists()


def test_a_record_of_init_that_git_tracks_is_not_ours(comity: Program) -> None:
    comity("init", "--hosts", "codex")
    git(comity.folder, "add", "-f", ".macp/init.json")
    before = comity.files()
    for words in (("init",), ("init", "--remove"), ("init", "--hosts", "kiro")):
        done = comity(*words, "--json")
        assert (done.code, done.error["reason"]) == (4, "init.record_tracked")
        assert "git rm --cached" in done.error["hint"]
    assert comity.files() == before
    assert any("init.json" in one for one in findings(comity, "Settings"))
    git(comity.folder, "rm", "-q", "--cached", ".macp/init.json")
    assert comity("init", "--remove").code == 0


def test_remove_deletes_nothing_beside_a_database_that_a_file_names(comity: Program) -> None:
    comity("init", "--hosts", "codex")
    theirs = comity.folder.parent / "x.db"
    logs = [Path(f"{theirs}.hooks.log"), Path(f"{theirs}.hooks.log.1")]
    for log in logs:
        log.write_text("mine")
    write(comity, ".macp/config.json", json.dumps({"dbPath": str(theirs)}))
    comity("init", "--remove")
    (comity.folder / ".macp/config.json").unlink(missing_ok=True)
    comity("init", "--remove")
    assert all(log.exists() for log in logs)


# --- what host files set ----------------------------------------------------------------------------------------

ENTRY: dict[str, Any] = {"command": "comity", "args": ["mcp"]}
SETS = [
    (".claude/settings.json", '{\n // a comment\n "env": {"COMITY_ENFORCEMENT": "off"}}', "COMITY_ENFORCEMENT=off"),
    (".mcp.json", json.dumps({"mcpServers": {"macp": {**ENTRY, "env": {"MACP_DB_PATH": "/x"}}}}), "MACP_DB_PATH=/x"),
    (".mcp.json", '{"mcpServers": {"macp": {"command": "comity", "args": ["mcp", "--db", "/x"]}}}', "--db=/x"),
    (
        ".mcp.json",
        '{"mcpServers": {"macp": {"command": "env", "args": ["COMITY_WAKE=off", "comity"]}}}',
        "COMITY_WAKE=off",
    ),
    (".codex/config.toml", '[mcp_servers.macp.env]\nMACP_AGENT_ID = "bob"\n', "MACP_AGENT_ID=bob"),
    (".codex/config.toml", '[shell_environment_policy]\nset = { COMITY_BYPASS = "1" }\n', "COMITY_BYPASS=1"),
    (
        ".cursor/hooks.json",
        '{"hooks": {"stop": [{"command": "MASC_HOST=0.0.0.0 comity hook cursor stop"}]}}',
        "MASC_HOST=0.0.0.0",
    ),
    (".vscode/settings.json", '{"terminal.integrated.env.linux": {"XDG_CONFIG_HOME": "x"}}', "XDG_CONFIG_HOME=x"),
    (
        "opencode.json",
        '{"mcp": {"macp": {"environment": {"COMITY_VAULT_OUTSIDE": true}}}}',
        "COMITY_VAULT_OUTSIDE=True",
    ),
    (".gemini/.env", "# x\nexport COMITY_MAX_HOPS=0\n", "COMITY_MAX_HOPS=0"),
]


@pytest.mark.parametrize(("name", "text", "said"), SETS, ids=[one[2] for one in SETS])
def test_what_a_committed_host_file_sets_is_named(comity: Program, name: str, text: str, said: str) -> None:
    write(comity, name, text, tracked=False)
    assert findings(comity, "Environment") == []
    git(comity.folder, "add", "-f", name)
    expected = (
        f"{name}, which came with the repository, sets {said} for the host's programs: it counts as if you had set it"
    )
    assert findings(comity, "Environment") == [expected]
    listed = comity("trust", "--json").json["setByHosts"]
    assert [f"{one['name']}={one['value']}" for one in listed] == [said]


def test_what_init_writes_itself_is_not_named(comity: Program) -> None:
    comity("init")
    git(comity.folder, "add", "-A")
    assert findings(comity, "Environment") == []
    assert findings(comity, "Settings") == []
