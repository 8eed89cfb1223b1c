"""``init`` and hooks: installed beside the user's own, out of git, run as installed, taken back to the byte."""

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from comity.hosts import hook_edit
from comity.hosts.contract import adapter_of
from comity.hosts.hook_install import WIRINGS, running
from comity.hosts.host import Wiring
from comity.hosts.init import InitReport, Options, apply, plan, remove
from comity.hosts.versions import taken
from tests.doors.cli.program import TIMEOUT_S, Program
from tests.hosts.installed import instead_of_ours

HOSTS = [pytest.param(wiring, id=wiring.host) for wiring in WIRINGS]
TRUNCATED = '{"session_id": "x", "tool_'


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = Path(tmp_path.resolve()) / "repo"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def run(root: Path, **options: object) -> InitReport:
    return apply(plan(root, Options(**options)))  # type: ignore[arg-type]


def tree(root: Path) -> dict[str, bytes]:
    """Every file of the checkout, and git's list of what is out of it."""
    paths = (path for path in root.rglob("*") if ".git" not in path.parts and path.is_file())
    found = {str(path.relative_to(root)): path.read_bytes() for path in paths}
    return found | {"exclude": (root / ".git/info/exclude").read_bytes()}


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout


def unseen(root: Path) -> set[str]:
    """What git would add."""
    return set(git(root, "status", "--porcelain", "--untracked-files=all").replace("?? ", "").split())


@pytest.mark.parametrize("wiring", HOSTS)
def test_installed_commands_run_as_they_are_installed(repo: Path, tmp_path: Path, wiring: Wiring) -> None:
    """Through a shell without a PATH to anything of ours; and when the executable has gone, nothing is blocked."""
    assert run(repo, hosts=(wiring.host,)).ok
    text = (repo / wiring.file).read_text()
    found = hook_edit.commands(text, wiring)
    assert set(found) == set(taken(wiring, None).events)
    environment = {**Program(repo, tmp_path).environment(), "PATH": "/usr/bin:/bin"}
    adapter = adapter_of(wiring.host)
    assert adapter is not None
    for event in adapter.guards:
        command = found[event]
        for line in (command, instead_of_ours(command, str(tmp_path / "gone" / "comity"))):
            named = line.replace(" comity ", f" {running()} ") if wiring.shared else line
            done = subprocess.run(
                ["/bin/sh", "-c", named], cwd=repo, env=environment, input=TRUNCATED.encode(), capture_output=True,
                timeout=TIMEOUT_S, check=False,
            )  # fmt: skip
            assert done.returncode in (0, 127), (event, done)
            assert done.returncode == 0 or wiring.host in {"cursor", "opencode"}
            assert not wiring.silent or line == command or (done.stdout, done.stderr) == (b"", b"")
            allowed = [{}, {"decision": "allow"}]
            assert json.loads(done.stdout or b"{}") in allowed
            if wiring.host == "antigravity":
                assert json.loads(done.stdout) == {"decision": "allow"}


def test_no_path_of_this_machine_can_be_committed(repo: Path) -> None:
    run(repo)
    program = shlex.split(running())[0].encode()
    assert {name for name in unseen(repo) if program in (repo / name).read_bytes()} == set()
    private = {name for name, data in tree(repo).items() if program in data and name != ".macp/init.json"}
    assert private == {wiring.file for wiring in WIRINGS if not wiring.shared}


@pytest.mark.parametrize("version", ["2", "4"])
def test_a_tracked_file_finds_comity_by_path(repo: Path, version: str) -> None:
    git(repo, "config", "index.version", version)
    for name in (".cursor/hooks", "a", ".cursor/rules/x.md", "src/.cursor/hooks.json", "z"):
        write(repo, name, "x")
    git(repo, "add", ".")
    run(repo, hosts=("cursor",))
    assert running() in (repo / ".cursor/hooks.json").read_text()
    apply(remove(repo))
    write(repo, ".cursor/hooks.json", '{"version": 1, "hooks": {}}\n')
    git(repo, "add", ".cursor/hooks.json")
    run(repo, hosts=("cursor",))
    text = (repo / ".cursor/hooks.json").read_text()
    assert '"comity hook cursor preToolUse"' in text
    assert running() not in text


@pytest.mark.parametrize("wiring", HOSTS)
def test_installing_twice_changes_nothing_and_removing_gives_everything_back(repo: Path, wiring: Wiring) -> None:
    before = tree(repo)
    run(repo, hosts=(wiring.host,))
    after = tree(repo)
    assert after != before
    assert run(repo, hosts=(wiring.host,)).written == ()
    assert tree(repo) == after
    assert apply(remove(repo)).ok
    assert tree(repo) == before
    assert [path for path in repo.iterdir() if path.name != ".git"] == []


MINE = """{
  // mine
  "hooks": {
    "PreToolUse": [
      {"matcher": "Bash", "hooks": [{"type": "command", "command": "./mine.sh"}]} // first
    ],
    "Stop": []
  },
  "permissions": {"allow": ["Bash(ls)"]},
}
"""


@pytest.mark.parametrize("later", ["", "edited"])
def test_hooks_of_the_user_stay(repo: Path, later: str) -> None:
    path = write(repo, ".claude/settings.local.json", MINE)
    run(repo, hosts=("claude-code",))
    text = path.read_text()
    assert "./mine.sh" in text
    assert "// mine" in text
    assert text.count("hook claude-code PreToolUse") == 1
    if later:
        path.write_text(text.replace('"allow": ["Bash(ls)"]', '"allow": []'))
    apply(remove(repo))
    assert path.read_text() == (MINE.replace('"allow": ["Bash(ls)"]', '"allow": []') if later else MINE)


def test_hooks_that_the_user_adds_to_ours_stay(repo: Path) -> None:
    run(repo, hosts=("cursor",))
    path = repo / ".cursor/hooks.json"
    content = json.loads(path.read_text())
    content["hooks"]["stop"].append({"command": "mine"})
    path.write_text(json.dumps(content))
    apply(remove(repo))
    assert json.loads(path.read_text()) == {"version": 1, "hooks": {"stop": [{"command": "mine"}]}}


def test_a_moved_executable_is_followed(repo: Path) -> None:
    run(repo, hosts=("claude-code", "antigravity", "opencode"))
    before = tree(repo)
    for name in (".claude/settings.local.json", ".agents/hooks.json", ".opencode/plugins/comity.js"):
        path = repo / name
        path.write_text(instead_of_ours(path.read_text(), "/old/bin/comity"))
    run(repo, hosts=("claude-code", "antigravity", "opencode"))
    for name in (".claude/settings.local.json", ".agents/hooks.json", ".opencode/plugins/comity.js"):
        assert (repo / name).read_bytes() == before[name]
    apply(remove(repo))
    assert set(tree(repo)) == {"exclude"}


def test_without_a_record_our_hooks_are_found_all_the_same(repo: Path) -> None:
    write(repo, ".claude/settings.local.json", MINE)
    run(repo, hosts=("claude-code",))
    (repo / ".macp/init.json").unlink()
    apply(remove(repo))
    assert "comity" not in (repo / ".claude/settings.local.json").read_text()
    assert "./mine.sh" in (repo / ".claude/settings.local.json").read_text()


def test_a_plugin_of_the_user_is_left_alone(repo: Path) -> None:
    path = write(repo, ".opencode/plugins/comity.js", "// mine\n")
    report = run(repo, hosts=("opencode",))
    assert path.read_text() == "// mine\n"
    assert any("not ours" in note for note in report.plan.notes)
    apply(remove(repo))
    assert path.read_text() == "// mine\n"


def test_hosts_join_one_by_one_and_leave_together(repo: Path) -> None:
    before = tree(repo)
    for host in ("codex", "cursor", "claude-code"):
        run(repo, hosts=(host,))
    lines = (repo / ".git/info/exclude").read_text().splitlines()
    own = ["/.macp/*", "!/.macp/comity.toml", "/.masc/"]
    private = ["/.codex/hooks.json", "/.cursor/hooks.json", "/.claude/settings.local.json"]
    assert sorted(line for line in lines if line.startswith(("/", "!"))) == sorted([*own, *private])
    apply(remove(repo))
    assert tree(repo) == before


def test_worktrees_share_what_git_leaves_out(repo: Path) -> None:
    git(repo, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x")
    git(repo, "worktree", "add", "-q", str(repo.parent / "tree"))
    before = tree(repo)
    run(repo, hosts=("claude-code",))
    run(repo.parent / "tree", hosts=("claude-code",))
    assert ".claude/settings.local.json" not in unseen(repo.parent / "tree")
    apply(remove(repo))
    assert "/.claude/settings.local.json" in (repo / ".git/info/exclude").read_text()
    apply(remove(repo.parent / "tree"))
    assert tree(repo) == before


def test_a_project_in_a_folder_of_the_repository_and_in_a_submodule(repo: Path) -> None:
    write(repo, "part/.macp/config.json", "{}")
    (repo / "part/.cursor").mkdir()
    run(repo / "part", hosts=("cursor",))
    assert (repo / "part/.cursor/hooks.json").exists()
    assert "part/.cursor/hooks.json" not in unseen(repo)
    inner = repo.parent / "inner"
    (repo / ".git/modules").mkdir()
    subprocess.run(["git", "init", "-q", "--separate-git-dir", str(repo / ".git/modules/sub"), str(inner)], check=True)
    run(inner, hosts=("cursor",))
    assert ".cursor/hooks.json" not in unseen(inner)
    assert "hooks.json" in (repo / ".git/modules/sub/info/exclude").read_text()


def test_hooks_can_be_left_out_and_the_rest_of_a_host_is_told_what_to_do(repo: Path) -> None:
    run(repo, hooks=False)
    assert not any((repo / wiring.file).exists() for wiring in WIRINGS if not wiring.shared)
    notes = run(repo, hosts=("codex",)).plan.notes
    assert any("/hooks" in note for note in notes)


def test_a_folder_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = tmp_path / "plain"
    root.mkdir()
    assert run(root, hosts=("claude-code",)).ok
    assert (root / ".claude/settings.local.json").exists()
    assert apply(remove(root)).ok
    assert os.listdir(root) == []
