"""Looking registers nothing and makes nothing; init, prune, version and help do what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

from comity import __version__
from comity.doors.cli.catalog import ENTRIES
from comity.testing import FakeClock, World
from tests.doors.cli.program import Program
from tests.original import Original


def test_status_before_anything_exists(comity: Program) -> None:
    seen = comity("status")
    assert seen.code == 0
    assert "There is no database yet" in seen.out
    assert "comity init" in seen.out
    answer = comity("status", "--json").json
    assert answer["project"]["projectId"] == "garden"
    assert answer["database"] == {"path": str(comity.db), "exists": False}
    assert answer["status"] is None
    assert comity.files() == {}


@pytest.mark.parametrize(
    "arguments",
    [["agents"], ["tail"], ["prune"], ["ack", "x"], ["read", "x"], ["leave"], ["call", "agent.list"]],
    ids=lambda arguments: str(arguments[0]),
)
def test_without_a_database_there_is_a_hint(comity: Program, arguments: list[str]) -> None:
    missing = comity(*arguments)
    assert missing.code == 5
    assert str(comity.db) in missing.err
    assert "hint: Run `comity init`" in missing.err
    assert comity.files() == {}


def test_status_shows_who_is_here_and_what_waits(comity: Program) -> None:
    comity("poll", "--as", "bob")
    comity("send", "mind the parser", "--as", "ann", "--priority", "interrupt")
    before = comity("agents", "--json").json
    seen = comity("status").out
    for word in ("garden", "ann", "bob", "interrupt", "mind the parser"):
        assert word in seen
    answer = comity("status", "--json").json
    assert answer["status"]["pending"] == {"total": 1, "interrupt": 1, "steering": 0, "advisory": 0, "info": 0}
    assert answer["channels"] == [{"channelId": "garden", "agentIds": ["ann", "bob"]}]
    assert answer["events"][-1]["eventType"] == "message.send"
    assert comity("agents", "--json").json == before


def test_agents_are_shown_with_what_is_known_of_their_life_and_how(comity: Program) -> None:
    comity("poll", "--as", "ann")
    original = Original(comity.db, "old", "old-1", FakeClock())
    original.register()
    original.close()
    ann, old = comity("agents", "--json").json["agents"]
    assert (ann["presence"]["state"], ann["presence"]["how"]) == ("leased", "its lease runs")
    assert "pid" not in ann["presence"]
    assert "presence" not in old
    shown = " ".join(comity("agents").out.split())
    for words in ("leased", "its lease runs", "unknown", "reports no presence"):
        assert words in shown


def test_any_folder_of_the_repository_is_the_same_project(comity: Program) -> None:
    inner = comity.folder / "src" / "deep"
    inner.mkdir(parents=True)
    comity("poll", "--as", "bob")
    assert comity("send", "hi", "--as", "ann", "--json", cwd=inner).json["recipientAgentIds"] == ["bob"]


def test_database_and_project_may_be_named(comity: Program) -> None:
    comity("poll", "--db", "elsewhere.db", "--durability", "full")
    assert (comity.folder / "elsewhere.db").exists()
    assert not comity.db.exists()
    comity("poll", "--project-id", "Shared One")
    assert (comity.home / ".macp" / "projects" / "shared-one.macp.db").exists()


def test_init_shows_writes_and_gives_back(comity: Program) -> None:
    (comity.folder / "AGENTS.md").write_text("# Ours\n")
    before = comity.files()
    shown = comity("init", "--dry-run", "--hosts", "claude-code,codex")
    assert shown.code == 0
    assert "+++ b/.mcp.json" in shown.out
    assert "Would do" in shown.out
    assert comity.files() == before
    done = comity("init", "--hosts", "claude-code,codex", "--channel", "talk", "--json").json
    assert (done["projectId"], done["defaultChannel"]) == ("garden", "talk")
    assert {file["file"]: file["action"] for file in done["files"]}[".mcp.json"] == "create"
    assert (comity.folder / ".codex" / "config.toml").exists()
    assert comity("status", "--json").json["project"]["defaultChannel"] == "talk"
    again = comity("init", "--hosts", "claude-code,codex", "--json").json
    assert {file["action"] for file in again["files"]} == {"unchanged"}
    assert comity("init", "--remove").code == 0
    assert comity.files() == before


def test_init_names_what_it_cannot_read(comity: Program) -> None:
    (comity.folder / ".mcp.json").write_text('{"mcpServers": ')
    done = comity("init", "--hosts", "claude-code", "--json")
    assert done.code == 2
    assert done.json["problems"][0]["reason"] == "file.unreadable"
    assert (comity.folder / ".mcp.json").read_text() == '{"mcpServers": '
    unknown = comity("init", "--hosts", "emacs", "--json")
    assert (unknown.code, unknown.error["reason"]) == (2, "agent_host.unknown")


def test_prune_goes_on_until_nothing_is_left(comity: Program) -> None:
    comity.db.parent.mkdir()
    with World(comity.db) as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        for _ in range(2100):
            sent = ann.message.send(destination_agent_id="bob", content="old")
            bob.message.ack(delivery_id=sent.delivery_ids[0])
        ann.message.send(destination_agent_id="bob", content="pending")
    would = comity("prune", "--older-than-days", "1", "--dry-run", "--json").json
    assert (would["messages"], would["dryRun"]) == (2100, True)
    assert "2,100" in comity("prune", "--older-than-days", "1", "--dry-run").out
    done = comity("prune", "--older-than-days", "1", "--json").json
    assert (done["messages"], done["more"]) == (2100, False)
    assert comity("prune", "--older-than-days", "1", "--json").json["messages"] == 0
    assert comity("call", "workspace.status").json["deliveries"] == 1


def test_version(comity: Program) -> None:
    assert comity("--version").out == f"comity {__version__}\n"
    assert comity("version", "--json").json["version"] == __version__
    assert comity("version").out.startswith(f"comity {__version__} (Python 3.")


def test_help_lists_every_command(comity: Program) -> None:
    listed = comity()
    assert listed.code == 0
    assert listed.out == comity("--help").out == comity("help").out
    assert comity("help", "send").out == comity("send", "--help").out
    assert all(f"  {name}" in listed.out for name in ENTRIES)


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in ("mcp", "serve")])
def test_help_of_every_command_has_an_example(comity: Program, name: str) -> None:
    shown = comity(name, "--help")
    assert shown.code == 0
    assert f"Usage: comity {name}" in shown.out
    assert "Example: " in shown.out
    assert "--json" in shown.out
    assert shown.err == ""


def test_every_command_is_in_the_documentation() -> None:
    told = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in ENTRIES if f"comity {name}" not in told] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(comity: Program, shell: str) -> None:
    script = comity("completion", shell).out
    assert "prune" in script
    assert "older-than-days" in script
    path = Path("/bin", shell)
    if path.exists():
        checked = subprocess.run([path, "-n"], input=script.encode(), capture_output=True, check=False)
        assert checked.returncode == 0, checked.stderr
    assert comity("completion", shell, "--json").json == {"shell": shell, "script": script}


def test_the_server_starts_without_the_command_line(comity: Program) -> None:
    code = (
        "import atexit, sys; sys.argv = ['comity', {!r}, '--help']; import comity.__main__ as m\n"
        "loaded = lambda: sorted({{'cyclopts', 'rich', 'comity.doors.cli'}} & set(sys.modules))\n"
        "atexit.register(lambda: print(loaded(), file=sys.stderr)); sys.exit(m.main())"
    )
    for word in ("mcp", "server"):
        done = subprocess.run(
            [sys.executable, "-c", code.format(word)],
            cwd=comity.folder,
            env=comity.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr.splitlines()[-1] == "[]"
        assert "--agent-id" in done.stdout
