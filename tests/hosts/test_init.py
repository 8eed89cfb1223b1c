"""``init`` on real files: created, merged, run again, taken back."""

import json
import os
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

from comity.hosts.catalog import hosts
from comity.hosts.host import Host
from comity.hosts.init import InitReport, Options, Plan, apply, plan, remove
from comity.hosts.inspection import inspect
from comity.hosts.jsonc import find, parse
from comity.hosts.removal import sweep
from comity.kernel.problem import Conflict, Invalid

NPX = '{"command": "npx", "args": ["-y", "macp-mcp", "server"], "env": {"MACP_PROJECT_ROOT": "/p"}}'
JSON_HOSTS = [host for host in hosts() if host.format == "json" and host.name != "copilot-cli"]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = Path(tmp_path.resolve()) / "repo"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def run(root: Path, **options: object) -> InitReport:
    return apply(plan(root, Options(**options)))  # type: ignore[arg-type]


def take_back(root: Path) -> InitReport:
    return apply(remove(root))


def tree(root: Path) -> dict[str, bytes]:
    paths = (path for path in root.rglob("*") if ".git" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() if path.is_file() else b"" for path in paths}


def write(root: Path, name: str, text: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def entry(root: Path, host: Host, name: str = "macp") -> object:
    data = (root / host.file).read_text("utf-8-sig")
    node: object
    if host.format == "toml":
        node = tomllib.loads(data)
        for key in (*host.section, name):
            node = node.get(key) if isinstance(node, dict) else None
        return node
    found = find(parse(data), (*host.section, name))
    return found.plain() if found else None


def actions(made: Plan) -> dict[str, str]:
    return {change.name: change.action for change in made.changes}


def test_every_host_gets_its_entry_and_no_machine_path(repo: Path) -> None:
    assert run(repo).ok
    for host in hosts():
        assert entry(repo, host) == host.entry, host.name
    committed = {name for name in tree(repo) if not name.startswith(".macp")}
    assert not [name for name in committed if str(repo).encode() in tree(repo)[name]]
    status = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"], cwd=repo, capture_output=True, text=True, check=True
    ).stdout
    assert ".macp/.gitignore" in status
    assert ".macp/config.json" not in status
    assert ".macp/init.json" not in status


def test_config_has_the_protocols_keys(repo: Path) -> None:
    run(repo)
    config = json.loads((repo / ".macp/config.json").read_text())
    assert list(config) == [
        "version", "packageName", "projectRoot", "projectId", "defaultChannel", "dbPath", "createdAt", "updatedAt"
    ]  # fmt: skip
    assert (config["version"], config["projectRoot"]) == (1, str(repo))
    assert (config["projectId"], config["defaultChannel"]) == ("repo", "repo")
    assert config["dbPath"] == str(repo / ".macp/repo.macp.db")


def test_second_run_writes_nothing(repo: Path) -> None:
    run(repo)
    before = {path: path.stat() for path in repo.rglob("*") if path.is_file()}
    again = plan(repo)
    assert set(actions(again).values()) == {"unchanged"}
    assert again.diff() == ""
    assert apply(again).written == ()
    after = {path: path.stat() for path in repo.rglob("*") if path.is_file()}
    assert {p: (s.st_ino, s.st_mtime_ns) for p, s in before.items()} == {
        p: (s.st_ino, s.st_mtime_ns) for p, s in after.items()
    }


def test_dry_run_shows_a_diff_and_writes_nothing(repo: Path) -> None:
    write(repo, "AGENTS.md", "# Mine")
    before = tree(repo)
    made = plan(repo, Options(dry_run=True))
    assert apply(made).written == ()
    assert tree(repo) == before
    assert "--- a/AGENTS.md\n+++ b/AGENTS.md\n" in made.diff()
    assert "-# Mine\n\\ No newline at end of file\n+# Mine\n" in made.diff()
    assert "--- /dev/null\n+++ b/.mcp.json\n" in made.diff()
    assert "b/.macp/init.json" not in made.diff()


def test_remove_leaves_an_empty_repository_empty(repo: Path) -> None:
    run(repo)
    assert take_back(repo).ok
    assert tree(repo) == {}


def test_remove_never_deletes_the_database(repo: Path) -> None:
    run(repo)
    write(repo, ".macp/repo.macp.db", "rows")
    report = take_back(repo)
    assert tree(repo) == {".macp": b"", ".macp/repo.macp.db": b"rows", ".macp/.gitignore": b"*\n"}
    assert subprocess.run(["git", "-C", str(repo), "status", "--short"], capture_output=True, check=True).stdout == b""
    assert any("repo.macp.db" in note for note in report.plan.notes)


def test_what_hooks_wrote_beside_the_database_goes_with_them(repo: Path) -> None:
    run(repo)
    for name in ("repo.macp.db", "repo.macp.db.hooks.log", "repo.macp.db.hooks.log.1", "repo.macp.db.capture/a.json"):
        write(repo, f".macp/{name}", "x")
    made = remove(repo)
    sweep(made)
    assert (repo / ".macp/repo.macp.db.hooks.log").exists(), "not before the hooks are taken out"
    apply(made)
    sweep(made)
    assert sorted(tree(repo)) == [".macp", ".macp/.gitignore", ".macp/repo.macp.db"]


STYLES = {
    "two spaces": '{\n  // servers\n  "SECTION": {\n    "other": {"command": "x"} // keep\n  },\n  "z": [1, 2],\n}\n',
    "tabs": '{\n\t"a": 1,\n\t"SECTION": {\n\t\t"other": {\n\t\t\t"command": "x"\n\t\t}\n\t}\n}\n',
    "crlf": '{\r\n    "SECTION": {\r\n        "other": {"command": "x"}\r\n    } /* end */\r\n}\r\n',
    "byte order mark": '\ufeff{"SECTION": {"other": {"command": "x"}}}',
    "one line": '{"SECTION": {"other": {"command": "x"}}, "z": null}',
    "no section": '{\n    "z": {}\n}',
    "replaced": '{\n  "SECTION": {\n    "macp": NPX,\n    "other": {"command": "x"}\n  }\n}\n',
    "empty": "",
    "only a remark": "// nothing yet\n",
}


@pytest.mark.parametrize("style", STYLES)
def test_merging_keeps_everything_else_and_remove_gives_it_back(repo: Path, style: str) -> None:
    """In the file of every host, all at once."""
    texts = [STYLES[style].replace("SECTION", host.section[0]).replace("NPX", NPX) for host in JSON_HOSTS]
    paths = [write(repo, host.file, text) for host, text in zip(JSON_HOSTS, texts, strict=True)]
    assert len(set(paths)) == len(JSON_HOSTS)
    assert run(repo).ok
    for host, text in zip(JSON_HOSTS, texts, strict=True):
        merged(repo, host, text)
    again = actions(plan(repo))
    assert {again[host.file] for host in JSON_HOSTS} == {"unchanged"}
    assert take_back(repo).ok
    assert [path.read_bytes() for path in paths] == [text.encode() for text in texts]


def merged(repo: Path, host: Host, text: str) -> None:
    """The host's file holds the entry, and what was there."""
    new = (repo / host.file).read_bytes().decode()
    assert entry(repo, host) == host.entry, host.name
    if "other" in text:
        assert entry(repo, host, "other") == {"command": "x"}, host.name
    for mark in ("// servers", "// keep", "/* end */", "// nothing yet", '"z": [1, 2],\n'):
        assert (mark in new) == (mark in text), host.name
    assert new.startswith("\ufeff") == text.startswith("\ufeff"), host.name
    if "\r\n" in text:
        assert new.count("\n") == new.count("\r\n"), host.name
    if "\t" in text:
        assert '\n\t\t"macp": {\n\t\t\t' in new, host.name


TOMLS = {
    "plain": '# mine\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "y" # keep\n',
    "no end of line": 'model = "x"',
    "crlf": '# mine\r\nmodel = "x"\r\n\r\n[other]\r\na = 1\r\n',
    "inline": 'mcp_servers = { other = { command = "y" } }\nmodel = "x"\n',
    "dotted": 'mcp_servers.other.command = "y"\n',
    "replaced": '[mcp_servers.macp]\ncommand = "npx"\nargs = ["-y", "macp-mcp"]\n\n[mcp_servers.macp.env]\nA = "b"\n\n'
    "[zzz]\na = 1 # keep\n",
    "byte order mark": '\ufeffmodel = "x"\n',
}


@pytest.mark.parametrize("style", TOMLS)
def test_codex_keeps_everything_else_and_gets_it_back(repo: Path, style: str) -> None:
    text = TOMLS[style]
    path = write(repo, ".codex/config.toml", text)
    assert run(repo).ok
    new = path.read_bytes().decode()
    plain = tomllib.loads(new.removeprefix("\ufeff"))
    assert plain["mcp_servers"]["macp"] == {"command": "comity", "args": ["mcp"]}
    assert new.count("# keep") == text.count("# keep")
    if "\r\n" in text:
        assert new.count("\n") == new.count("\r\n")
    assert actions(plan(repo))[".codex/config.toml"] == "unchanged"
    path.write_bytes(path.read_bytes() + b"# later\n")
    take_back(repo)
    left = path.read_bytes().decode().removeprefix("\ufeff")
    assert "# later" in left
    assert tomllib.loads(left) == tomllib.loads(text.removeprefix("\ufeff"))


def test_remove_after_edits_takes_out_our_part_only(repo: Path) -> None:
    path = write(repo, ".mcp.json", '{\n  "mcpServers": {\n    "macp": ' + NPX + "\n  }\n}\n")
    notes = write(repo, "AGENTS.md", "# Mine\n\n\n\n```\n\n\n\n```  \n")
    run(repo)
    path.write_text(path.read_text().replace("{\n", '{\n  "added": true,\n', 1))
    notes.write_bytes(notes.read_bytes() + b"\nAdded below.\n")
    report = take_back(repo)
    assert report.ok
    assert path.read_text() == '{\n  "added": true,\n  "mcpServers": {\n    "macp": ' + NPX + "\n  }\n}\n"
    assert notes.read_text() == "# Mine\n\n\n\n```\n\n\n\n```  \n\nAdded below.\n"
    assert not (repo / ".macp").exists()


def test_edit_between_two_runs_is_kept_and_the_first_original_too(repo: Path) -> None:
    path = write(repo, "opencode.json", '{"mcp": {"macp": ' + NPX + '}, "instructions": "A.md"}')
    run(repo)
    settings = json.loads(path.read_text())
    assert settings["instructions"] == ["A.md", "AGENTS.md"]
    settings["theme"] = "dark"
    settings["instructions"] = "A.md"
    path.write_text(json.dumps(settings))
    run(repo)
    assert json.loads(path.read_text())["instructions"] == ["A.md", "AGENTS.md"]
    take_back(repo)
    assert json.loads(path.read_text()) == {"mcp": {"macp": json.loads(NPX)}, "instructions": "A.md", "theme": "dark"}


def test_entry_that_the_original_put_back_meanwhile_is_what_remove_gives_back(repo: Path) -> None:
    run(repo)
    path = repo / ".mcp.json"
    path.write_text('{\n  "mcpServers": {\n    "macp": ' + NPX + "\n  }\n}\n")
    run(repo)
    assert json.loads(path.read_text())["mcpServers"]["macp"]["command"] == "comity"
    take_back(repo)
    assert path.read_text() == '{\n  "mcpServers": {\n    "macp": ' + NPX + "\n  }\n}\n"


def test_half_a_character_in_a_value_survives(repo: Path) -> None:
    path = write(repo, "opencode.json", r'{"instructions": "\ud800.md"}')
    assert run(repo).ok
    assert r'["\ud800.md", "AGENTS.md"]' in path.read_text()


def test_own_changes_to_our_entry_are_kept(repo: Path) -> None:
    mine = {"command": "/opt/venv/bin/comity", "args": ["mcp", "--agent-name", "anna"]}
    path = write(repo, ".mcp.json", json.dumps({"mcpServers": {"macp": mine}}))
    before = path.read_bytes()
    made = plan(repo)
    assert actions(made)[".mcp.json"] == "unchanged"
    assert any("kept" in note for note in made.notes)
    apply(made)
    assert path.read_bytes() == before


def test_second_server_under_another_name_is_reported(repo: Path) -> None:
    write(repo, ".mcp.json", '{"mcpServers": {"bus": {"command": "npx", "args": ["macp-mcp@2.1.0", "server"]}}}')
    assert any('"bus"' in note for note in plan(repo).notes)
    assert inspect(repo)[0].doubles == ("bus",)


BROKEN = {
    "bad json": (b'{\n  "a": 1\n  "b": 2\n}', "line 3"),
    "open comment": (b"{\n /* ", "line 2"),
    "not utf-8": (b'{\n"a": "\xff"}', "line 2"),
    "wrong shape": (b'{"mcpServers": []}', "mcpServers"),
    "no object": (b"[]", "not an object"),
    "doubled key": (b'{"mcpServers": {},\n"mcpServers": {}}', "line 2"),
    "too deep": (b"[" * 5000, "nested"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_unreadable_file_is_left_alone_and_the_others_are_done(repo: Path, fault: str) -> None:
    data, expected = BROKEN[fault]
    path = write(repo, ".mcp.json", data)
    report = run(repo)
    assert path.read_bytes() == data
    assert (report.ok, report.exit_code) == (False, 2)
    (problem,) = report.problems
    assert problem.data["file"] == ".mcp.json"
    assert expected in problem.message
    assert "left as it is" in problem.hint or "left as it was" in problem.hint
    assert entry(repo, next(host for host in hosts() if host.name == "cursor"))
    state = inspect(repo)[0]
    assert (state.present, state.entry) == (True, False)


def test_folder_pipe_and_links_are_refused(repo: Path, tmp_path: Path) -> None:
    (repo / ".mcp.json").mkdir()
    os.mkfifo(repo / "kilo.json")
    outside = write(tmp_path, "outside.json", "{}")
    (repo / "opencode.json").symlink_to(outside)
    (repo / ".cursor").symlink_to(tmp_path)
    (repo / ".factory").write_text("a file where a folder is needed")
    (repo / "AGENTS.md").symlink_to("nowhere.md")
    (repo / ".amp").symlink_to(repo / ".git")
    report = run(repo)
    wrong = {str(problem.data["file"]): problem.reason for problem in report.problems}
    assert wrong == {
        ".mcp.json": "file.unreadable",
        "kilo.json": "file.unreadable",
        "opencode.json": "file.outside",
        ".cursor/mcp.json": "file.outside",
        ".cursor/hooks.json": "file.outside",
        ".factory/mcp.json": "file.unreadable",
        ".factory/hooks.json": "file.unreadable",
        "AGENTS.md": "file.unreadable",
        ".amp/settings.json": "file.outside",
    }
    assert outside.read_text() == "{}"
    assert not (tmp_path / "mcp.json").exists()
    assert not (repo / "CLAUDE.md").exists()


def test_links_inside_the_repository_are_followed(repo: Path) -> None:
    real = write(repo, "conf/mcp.json", "{}\n")
    (repo / ".mcp.json").symlink_to("conf/mcp.json")
    notes = write(repo, "AGENTS.md", "# Mine\n")
    (repo / "CLAUDE.md").symlink_to("AGENTS.md")
    report = run(repo)
    assert report.ok
    assert (repo / ".mcp.json").is_symlink()
    assert (repo / "CLAUDE.md").is_symlink()
    assert b"comity" in real.read_bytes()
    assert notes.read_text().count("MACP-MCP:START") == 1
    take_back(repo)
    assert (real.read_text(), notes.read_text()) == ("{}\n", "# Mine\n")
    assert (repo / ".mcp.json").is_symlink()


def test_mode_of_a_file_is_kept_and_the_record_is_private(repo: Path) -> None:
    path = write(repo, ".mcp.json", "{}")
    path.chmod(0o640)
    run(repo)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE((repo / ".macp/init.json").stat().st_mode) == 0o600


def test_file_that_changes_between_plan_and_apply_is_not_overwritten(repo: Path) -> None:
    path = write(repo, ".mcp.json", "{}")
    made = plan(repo)
    path.write_text('{"new": 1}')
    report = apply(made)
    assert [type(problem) for problem in report.problems] == [Conflict]
    assert path.read_text() == '{"new": 1}'
    assert (repo / ".cursor/mcp.json").exists()


def test_nothing_half_written_stays_behind(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(repo, ".mcp.json", "{}")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    made = plan(repo)
    monkeypatch.setattr(os, "replace", fail)
    report = apply(made)
    assert not report.ok
    assert report.exit_code == 8
    assert path.read_text() == "{}"
    assert not [name for name in tree(repo) if name.endswith(".tmp")]


def test_unknown_host_and_useless_ids_are_refused(repo: Path) -> None:
    for options in (Options(hosts=("emacs",)), Options(project_id="…"), Options(channel=" "), Options(db=" ")):
        with pytest.raises(Invalid) as caught:
            plan(repo, options)
        assert caught.value.message
    assert tree(repo) == {}


def test_only_the_chosen_hosts_are_written(repo: Path) -> None:
    run(repo, hosts=("codex",))
    assert set(tree(repo)) == {
        ".macp", ".macp/config.json", ".macp/.gitignore", ".macp/init.json", ".codex", ".codex/config.toml",
        ".codex/hooks.json", "AGENTS.md"
    }  # fmt: skip


def test_inspect_tells_what_each_host_has(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = write(tmp_path, "bin/codex", "#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    write(repo, ".mcp.json", '{"mcpServers": {"macp": ' + NPX + "}}")
    write(repo, ".cursor/mcp.json", '{"mcpServers": {"macp": {"url": "http://x"}}}')
    run(repo, hosts=("codex",))
    states = {state.name: state for state in inspect(repo)}
    assert [*states] == [host.name for host in hosts()]
    assert (states["claude-code"].starts, states["copilot-cli"].starts) == ("macp", "macp")
    assert (states["cursor"].starts, states["cursor"].ours) == ("other", False)
    assert (states["codex"].ours, states["codex"].program) == (True, str(program))
    assert (states["zed"].present, states["zed"].entry, states["zed"].valid) == (False, False, True)
