"""Files that were there before ``init``: of another shape, with hooks in them, or of no use to it; and the way back."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from comity.hosts import hook_edit, toml_edit
from comity.hosts.hook_install import BY_PATH, WIRINGS, running
from comity.hosts.init import InitReport, Options, apply, plan, remove
from comity.hosts.layout import in_place, inlined

CODEX = next(wiring for wiring in WIRINGS if wiring.host == "codex")
INLINE = inlined(CODEX)
CONFIG, HOOKS = ".codex/config.toml", ".codex/hooks.json"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CODEX_HOME", raising=False)
    root = Path(tmp_path.resolve()) / "repo"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def run(root: Path, **options: object) -> InitReport:
    return apply(plan(root, Options(**options)))  # type: ignore[arg-type]


def write(root: Path, name: str, text: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def hooks(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((root / CONFIG).read_text())["hooks"]
    return found


# --- a file of another shape --------------------------------------------------------------------------------------

FLAT = [
    '{"tracker": {"command": "npx", "args": ["tracker"]}}',
    '{"search": {"type": "http", "url": "https://mcp.example.com"}}',
    '{\n  // ours\n  "a": {"command": "x"},\n  "b": {"httpUrl": "y"},\n}\n',
]


@pytest.mark.parametrize("text", FLAT)
def test_servers_that_stand_at_the_top_are_still_read(repo: Path, text: str) -> None:
    path = write(repo, ".mcp.json", text)
    made = plan(repo)
    report = apply(made)
    assert report.ok
    assert path.read_text() == text
    assert any(".mcp.json: left alone" in note and "mcpServers" in note for note in made.notes)
    assert apply(remove(repo)).ok
    assert path.read_text() == text


OTHER = ["{}", '{"inputs": []}', '{"$schema": "x", "note": {"a": 1}}', '{"a": {"url": "x"}, "b": {"c": {}}}', ""]


@pytest.mark.parametrize("text", OTHER)
def test_other_keys_at_the_top_are_no_servers(repo: Path, text: str) -> None:
    path = write(repo, ".mcp.json", text)
    assert run(repo).ok
    assert json.loads(path.read_text())["mcpServers"]["macp"]["command"] == "comity"
    assert apply(remove(repo)).ok
    assert path.read_text() == text


# --- hooks beside those that stand in Codex's settings ------------------------------------------------------------

OWN = '[[hooks.SessionStart]]\n[[hooks.SessionStart.hooks]]\ntype = "command"\ncommand = "mine"\n'
INLINE_FORMS = [
    OWN,
    f'# mine\nmodel = "x"\n\n{OWN}\n[projects."/p"]\ntrust_level = "trusted"\n',
    '[hooks]\nSessionStart = [{ hooks = [{ type = "command", command = "mine" }] }] # one line\n',
    'hooks = { SessionStart = [{ hooks = [{ type = "command", command = "mine" }] }] }\n',
    '[[hooks.Stop]]\nmatcher = "x"\nhooks = [{ type = "command", command = "mine" }]\n[mcp_servers.o]\ncommand = "y"\n',
    OWN.rstrip("\n"),
    OWN.replace("\n", "\r\n"),
]


@pytest.mark.parametrize("text", INLINE_FORMS)
def test_hooks_stand_where_the_users_stand(repo: Path, text: str) -> None:
    path = write(repo, CONFIG, text)
    (event,) = hooks(repo)
    before = hooks(repo)[event]
    assert run(repo).ok
    assert not (repo / HOOKS).exists()
    assert hooks(repo)[event][: len(before)] == before
    found = hook_edit.commands(path.read_text(), INLINE)
    assert set(found) == set(hook_edit.commands(hook_edit.merge("", CODEX, BY_PATH, ()).text, CODEX)) - {"Idle"}
    assert all(f"; {BY_PATH} hook codex " in one for one in found.values()), "committed, so without a path"
    assert hook_edit.holds(path.read_text(), in_place(CODEX, repo), BY_PATH)[0] == len(found)
    assert plan(repo).writes == ()
    assert apply(remove(repo)).ok
    assert path.read_bytes() == text.encode()


@pytest.mark.parametrize("text", INLINE_FORMS)
def test_hooks_come_out_of_settings_that_were_edited_since(repo: Path, text: str) -> None:
    path = write(repo, CONFIG, text)
    run(repo)
    now = path.read_text().replace("timeout = 10", "timeout = 11").replace("mine", "yours")
    path.write_text(f"# on top\n{now}\n[extra]\na = 1\n", newline="")
    assert apply(remove(repo)).ok
    left = tomllib.loads(path.read_text())
    wanted = tomllib.loads(text.replace("mine", "yours"))
    assert left == {**wanted, "extra": {"a": 1}}
    assert "# on top" in path.read_text()


def test_settings_without_hooks_leave_them_in_their_own_file(repo: Path) -> None:
    write(repo, CONFIG, 'model = "x"\n[hooks.state."a:b"]\ntrusted_hash = "1"\n')
    assert run(repo).ok
    assert running() in (repo / HOOKS).read_text().replace('\\"', '"')
    assert hook_edit.every((repo / CONFIG).read_text(), INLINE) == []


def test_hooks_move_when_the_user_writes_some_into_the_settings(repo: Path) -> None:
    assert run(repo).ok
    path = repo / CONFIG
    path.write_text(path.read_text() + OWN)
    assert run(repo).ok
    assert not (repo / HOOKS).exists()
    assert hook_edit.commands(path.read_text(), INLINE)
    assert plan(repo).writes == ()
    assert apply(remove(repo)).ok
    assert path.read_text() == OWN


def test_hooks_of_the_user_in_both_files_leave_ours_where_they_were(repo: Path) -> None:
    write(repo, CONFIG, OWN)
    write(repo, HOOKS, '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "mine"}]}]}}')
    assert run(repo).ok
    assert "hook codex Stop" in (repo / HOOKS).read_text()
    assert (repo / CONFIG).read_text().count("[[hooks.") == 2


def test_toml_that_is_no_toml_is_named(repo: Path) -> None:
    path = write(repo, CONFIG, OWN + "= 3\n")
    report = run(repo)
    assert report.exit_code == 2
    assert path.read_text() == OWN + "= 3\n"
    assert toml_edit.matches("a = 1", {"a": 1})


# --- the way back -------------------------------------------------------------------------------------------------

UNREAD = {
    "single quotes": b"{ 'mcpServers': {} }",
    "half": b'{"mcpServers": {',
    "not utf-8": b"\xff\xfe{\x00}\x00",
    "a list": b"[]",
}


@pytest.mark.parametrize("fault", UNREAD)
@pytest.mark.parametrize("name", [".cursor/mcp.json", ".mcp.json", "opencode.json", ".kiro/agents/comity.json"])
def test_a_file_that_init_never_wrote_keeps_nothing_from_going(repo: Path, name: str, fault: str) -> None:
    path = write(repo, name, UNREAD[fault])
    assert run(repo).exit_code == 2
    report = apply(remove(repo))
    assert (report.ok, report.exit_code) == (True, 0)
    assert all(change.note.startswith("not ours: ") for change in report.plan.changes if change.name == name)
    assert path.read_bytes() == UNREAD[fault]
    assert not (repo / ".macp").exists()


def test_links_that_lead_nowhere_or_out_keep_nothing_from_going(repo: Path, tmp_path: Path) -> None:
    write(repo, "AGENTS.md", "# Rules\n")
    (repo / "CLAUDE.md").symlink_to("nowhere.md")
    outside = write(tmp_path, "outside.json", '{"comity": 1}')
    (repo / ".mcp.json").symlink_to(outside)
    os.mkfifo(repo / "kilo.json")
    assert run(repo).exit_code == 2
    assert apply(remove(repo)).exit_code == 0
    assert (repo / "AGENTS.md").read_text() == "# Rules\n"
    assert not (repo / ".macp").exists()


def test_a_file_of_ours_that_broke_since_is_named_and_the_rest_goes(repo: Path) -> None:
    assert run(repo).ok
    path = repo / ".cursor/mcp.json"
    path.write_bytes(path.read_bytes()[:-3])
    report = apply(remove(repo))
    assert report.exit_code == 2
    assert [problem.data["file"] for problem in report.problems] == [".cursor/mcp.json"]
    assert not (repo / ".vscode").exists()
    assert (repo / ".macp/init.json").exists()
    path.write_text("{}")
    assert apply(remove(repo)).exit_code == 0
    assert not (repo / ".macp").exists()


def test_a_clone_is_told_of_a_broken_file_that_names_comity(repo: Path) -> None:
    path = write(repo, ".mcp.json", '{"mcpServers": {"macp": {"command": "comity"')
    report = apply(remove(repo))
    assert [problem.data["file"] for problem in report.problems] == [".mcp.json"]
    assert path.exists()


def test_what_a_killed_run_left_half_written_goes_with_the_next(repo: Path) -> None:
    ended = subprocess.Popen(["/bin/true"])
    ended.wait()
    half = write(repo, f".amp/.settings.json.{ended.pid}.abcdefgh.tmp", "{")
    living = write(repo, f".vscode/.mcp.json.{os.getpid()}.abcdefgh.tmp", "{")
    other = write(repo, ".amp/.settings.json.backup.tmp", "{")
    assert run(repo).ok
    assert (half.exists(), living.exists(), other.exists()) == (False, True, True)
    assert apply(remove(repo)).ok
    assert [path.name for path in (repo / ".amp").iterdir()] == [other.name]
