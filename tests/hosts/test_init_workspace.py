"""``init`` on the workspace's own files, the managed blocks, clones and linked worktrees."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from comity.hosts.hook_install import WIRINGS
from comity.hosts.init import InitReport, Options, apply, plan, remove
from comity.hosts.markdown import END, START
from comity.kernel.problem import Invalid
from comity.project import find_project

ORIGINAL = f"{START}\n## MACP Coordination\n\nwritten by the original\n{END}"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = Path(tmp_path.resolve()) / "repo"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def run(root: Path, **options: object) -> InitReport:
    return apply(plan(root, Options(**options)))  # type: ignore[arg-type]


def git(*words: str, cwd: Path) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *words], cwd=cwd, check=True, capture_output=True)


def config(root: Path) -> dict[str, object]:
    value: dict[str, object] = json.loads((root / ".macp/config.json").read_text())
    return value


def names(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if ".git" not in path.parts and path.is_file()}


# --- .macp/config.json ------------------------------------------------------------------------------------------


def test_options_become_ids_and_an_absolute_path(repo: Path, tmp_path: Path) -> None:
    run(repo, project_id="My Team", channel="Big Talk", db="data/x.db")
    assert [config(repo)[key] for key in ("projectId", "defaultChannel", "dbPath")] == [
        "my-team", "big-talk", str(repo / "data/x.db")
    ]  # fmt: skip


def test_project_id_takes_channel_and_shared_database_along(repo: Path, tmp_path: Path) -> None:
    run(repo)
    run(repo, project_id="team")
    shared = str(tmp_path / "home/.macp/projects/team.macp.db")
    assert [config(repo)[key] for key in ("projectId", "defaultChannel", "dbPath")] == ["team", "team", shared]
    assert "`team`" in (repo / "AGENTS.md").read_text()


def test_explicit_channel_stays_when_the_project_id_changes(repo: Path) -> None:
    run(repo, channel="talk")
    run(repo, project_id="team")
    assert (config(repo)["projectId"], config(repo)["defaultChannel"]) == ("team", "talk")


def test_config_of_the_original_is_taken_as_it_is(repo: Path) -> None:
    values = {
        "version": 1,
        "packageName": "macp-mcp",
        "projectRoot": str(repo),
        "projectId": "repo",
        "defaultChannel": "repo",
        "dbPath": str(repo / ".macp/repo.macp.db"),
        "createdAt": "x",
        "updatedAt": "x",
        "mine": {"kept": [1]},
    }
    text = json.dumps(values, indent=2) + "\n"
    path = repo / ".macp/config.json"
    path.parent.mkdir()
    path.write_text(text)
    run(repo)
    assert path.read_text() == text
    run(repo, channel="talk")
    assert config(repo)["mine"] == {"kept": [1]}
    assert config(repo)["packageName"] == "macp-mcp"
    assert config(repo)["updatedAt"] != "x"
    apply(remove(repo))
    assert path.read_text() == text


def test_force_writes_the_config_anew_and_remove_gives_the_old_one_back(repo: Path) -> None:
    path = repo / ".macp/config.json"
    path.parent.mkdir()
    path.write_text('{"projectId": "old", "mine": 1')
    refused = run(repo)
    assert [problem.data["file"] for problem in refused.problems] == [".macp/config.json"]
    assert run(repo, force=True).ok
    assert "mine" not in config(repo)
    apply(remove(repo))
    assert path.read_text() == '{"projectId": "old", "mine": 1'


def test_moved_project_gets_its_new_place(repo: Path, tmp_path: Path) -> None:
    run(repo)
    moved = tmp_path.resolve() / "moved"
    shutil.move(repo, moved)
    found = find_project(moved)
    assert found is not None
    assert found.db_path == str(moved / ".macp/repo.macp.db")
    run(moved)
    assert (config(moved)["projectRoot"], config(moved)["projectId"]) == (str(moved), "repo")
    assert config(moved)["dbPath"] == str(moved / ".macp/repo.macp.db")
    apply(remove(moved))
    assert names(moved) == set()


def test_subfolder_of_a_repository_means_the_repository(repo: Path) -> None:
    (repo / "src").mkdir()
    report = run(repo / "src")
    assert (repo / ".mcp.json").exists()
    assert not (repo / "src/.mcp.json").exists()
    assert any(str(repo) in note for note in report.plan.notes)


# --- .macp/.gitignore -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("own", "first"), [("mine/\r\n*.db", True), ("mine/\r\n*.db\r\n!config.json", False)])
def test_ignore_lines_are_added_and_own_lines_stay_and_win(repo: Path, own: str, first: bool) -> None:
    path = repo / ".macp/.gitignore"
    path.parent.mkdir()
    path.write_bytes(own.encode())
    run(repo)
    lines = path.read_bytes().decode().split("\r\n")
    assert (lines[:2] == ["mine/", "*.db"]) is first
    assert lines.count("*.db") == 1
    assert {"*", "!comity.toml", "!.gitignore", "*.db-shm", "*.db-wal", "config.local.json"} <= set(lines)
    shown = {
        name for name in ("config.json", "x.db", "init.json", ".gitignore", "comity.toml") if not ignored(repo, name)
    }
    assert shown == {".gitignore", "comity.toml"} | (set() if first else {"config.json"})
    apply(remove(repo))
    assert path.read_bytes() == own.encode()


def ignored(root: Path, name: str) -> bool:
    asked = ["git", "check-ignore", "-q", f".macp/{name}"]
    return subprocess.run(asked, cwd=root, check=False).returncode == 0


def test_what_is_made_is_for_its_owner_whatever_the_mask(repo: Path) -> None:
    before = os.umask(0)
    try:
        run(repo)
    finally:
        os.umask(before)
    modes = {name: (repo / name).stat().st_mode & 0o777 for name in (".macp", ".macp/config.json", ".macp/init.json")}
    assert modes == {".macp": 0o700, ".macp/config.json": 0o600, ".macp/init.json": 0o600}
    assert not (repo / "AGENTS.md").stat().st_mode & 0o022


def test_no_link_is_followed_in_the_workspace_folder(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (repo / ".macp").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Invalid, match="is a link"):
        run(repo)
    assert list((tmp_path / "elsewhere").iterdir()) == []


# --- AGENTS.md, CLAUDE.md ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b"# Mine\n\n\n\ntext  \n",
        b"no end of line",
        b"# Mine\r\n\r\ntext\r\n",
        b"\xef\xbb\xbf# With a mark\n",
        b"\n\n",
        b"",
        b"before\n\n" + ORIGINAL.encode() + b"\n\n\n\n\nafter\n",
        ORIGINAL.replace("\n", "\r\n").encode(),
    ],
)
def test_only_the_block_changes(repo: Path, text: bytes) -> None:
    path = repo / "AGENTS.md"
    path.write_bytes(text)
    run(repo)
    new = path.read_bytes()
    head, _, rest = new.partition(START.encode())
    block, _, tail = rest.partition(END.encode())
    old_head, _, old_rest = text.partition(START.encode())
    if START.encode() in text:
        assert (head, tail) == (old_head, old_rest.partition(END.encode())[2])
    elif text.strip():
        assert head.startswith(text)
        assert head[len(text) :].strip() == b""
    assert (b"\r\n" in block) == (b"\r\n" in text)
    assert plan(repo).writes == ()
    path.write_bytes(new + b"later\n")
    apply(remove(repo))
    assert path.read_bytes() == (text + b"later\n" if text.strip() else b"later\n") or text == b"no end of line"


@pytest.mark.parametrize("text", [f"a\n{START}\nb\n", f"a\n{END}\n", f"{END}\n{START}\n"])
def test_markers_that_make_no_pair_are_an_error(repo: Path, text: str) -> None:
    (repo / "AGENTS.md").write_text(text)
    report = run(repo)
    (problem,) = report.problems
    assert problem.data["file"] == "AGENTS.md"
    assert "pair" in problem.message
    assert (repo / "AGENTS.md").read_text() == text


def test_claude_file_that_takes_agents_in_is_left_alone(repo: Path) -> None:
    (repo / "AGENTS.md").write_text("# Rules\n")
    (repo / "CLAUDE.md").write_text("# Claude\n\n@AGENTS.md\n")
    run(repo)
    assert START in (repo / "AGENTS.md").read_text()
    assert (repo / "CLAUDE.md").read_text() == "# Claude\n\n@AGENTS.md\n"


def test_block_that_the_original_wrote_since_stays_with_it(repo: Path) -> None:
    run(repo)
    (repo / "AGENTS.md").write_text(ORIGINAL + "\n")
    apply(remove(repo))
    assert (repo / "AGENTS.md").read_text() == ORIGINAL + "\n"


# --- other names, clones, records -------------------------------------------------------------------------------


def test_existing_jsonc_file_of_a_host_is_used(repo: Path) -> None:
    (repo / "opencode.jsonc").write_text("{\n  // mine\n}\n")
    (repo / ".kilo").mkdir()
    (repo / ".kilo/kilo.json").write_text("{}")
    run(repo)
    assert not (repo / "opencode.json").exists()
    assert not (repo / "kilo.json").exists()
    assert "// mine" in (repo / "opencode.jsonc").read_text()
    apply(remove(repo))
    assert (repo / "opencode.jsonc").read_text() == "{\n  // mine\n}\n"


def test_clone_keeps_the_teams_ids_and_can_be_cleaned_without_a_record(repo: Path, tmp_path: Path) -> None:
    (repo / ".mcp.json").write_text('{"mcpServers": {"other": {"command": "x"}}}')
    run(repo, project_id="team", channel="talk", db=".macp/team.macp.db")
    git("add", ".", cwd=repo)
    git("commit", "-q", "-m", "all", cwd=repo)
    clone = tmp_path.resolve() / "my clone"
    git("clone", "-q", str(repo), str(clone), cwd=repo)
    assert not (clone / ".macp/config.json").exists()
    assert apply(remove(clone)).ok
    assert (clone / ".codex/config.toml").read_text() == ""
    assert json.loads((clone / ".mcp.json").read_text()) == {"mcpServers": {"other": {"command": "x"}}}
    assert START not in (clone / "AGENTS.md").read_text()
    git("checkout", "-q", ".", cwd=clone)
    made = plan(clone)
    private = {wiring.file for wiring in WIRINGS if not wiring.shared}  # hooks name a path of the machine
    assert {change.name for change in made.writes} == {".macp/config.json", ".macp/init.json", "info/exclude"} | private
    apply(made)
    assert (config(clone)["projectId"], config(clone)["defaultChannel"]) == ("team", "talk")


def test_record_that_cannot_be_read_stops_everything(repo: Path) -> None:
    run(repo)
    (repo / ".macp/init.json").write_text("{")
    before = names(repo)
    for step in (plan, remove):
        with pytest.raises(Exception, match=r"init\.record_unreadable"):
            step(repo)
    assert names(repo) == before


def test_file_that_cannot_be_given_back_keeps_the_record(repo: Path) -> None:
    run(repo)
    (repo / ".cursor/mcp.json").write_text("{ broken")
    report = apply(remove(repo))
    assert not report.ok
    assert {".macp/init.json", ".macp/.gitignore", ".macp/config.json"} <= names(repo)
    assert (repo / ".cursor/mcp.json").read_text() == "{ broken"
    (repo / ".cursor/mcp.json").write_text("{}")
    assert apply(remove(repo)).ok
    assert names(repo) == set()


def test_removing_one_host_leaves_the_others(repo: Path) -> None:
    run(repo)
    apply(plan(repo, Options(remove=True, hosts=("kiro",))))
    assert not (repo / ".kiro").exists()
    assert (repo / ".cursor/mcp.json").exists()
    apply(remove(repo))
    assert names(repo) == set()


# --- linked worktrees -------------------------------------------------------------------------------------------


@pytest.fixture
def worktree(repo: Path) -> Path:
    git("commit", "-q", "--allow-empty", "-m", "start", cwd=repo)
    path = repo.parent / "tree"
    git("worktree", "add", "-q", str(path), cwd=repo)
    return path


def test_linked_worktree_shares_the_workspace_and_gets_its_own_host_files(repo: Path, worktree: Path) -> None:
    report = run(worktree)
    assert report.plan.root == repo
    assert (repo / ".macp/config.json").exists()
    assert not (worktree / ".macp").exists()
    assert (worktree / ".mcp.json").exists()
    assert not (repo / ".mcp.json").exists()
    assert plan(worktree).writes == ()
    assert any("linked worktree" in note for note in report.plan.notes)


@pytest.mark.parametrize("first", ["repo", "tree"])
def test_workspace_goes_with_the_last_checkout(repo: Path, worktree: Path, first: str) -> None:
    run(repo)
    run(worktree)
    one, other = (repo, worktree) if first == "repo" else (worktree, repo)
    report = apply(remove(one))
    assert (repo / ".macp/config.json").exists()
    assert any("also used" in note for note in report.plan.notes)
    assert not (one / ".mcp.json").exists()
    assert (other / ".mcp.json").exists()
    apply(remove(other))
    assert names(repo) | names(worktree) == set()


def test_worktree_that_is_gone_keeps_nothing_back(repo: Path, worktree: Path) -> None:
    run(repo)
    run(worktree)
    git("worktree", "remove", "--force", str(worktree), cwd=repo)
    apply(remove(repo))
    assert names(repo) == set()


def test_bare_repository_gets_a_workspace_and_no_host_files(repo: Path, tmp_path: Path) -> None:
    bare = tmp_path.resolve() / "bare.git"
    git("commit", "-q", "--allow-empty", "-m", "start", cwd=repo)
    git("clone", "-q", "--bare", str(repo), str(bare), cwd=repo)
    run(bare)
    assert (bare / ".macp/config.json").exists()
    assert not (bare / ".mcp.json").exists()
    assert config(bare)["projectId"] == "bare-git"


def test_no_process_is_started(repo: Path, worktree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(os, "posix_spawn", refuse)
    monkeypatch.setattr(os, "fork", refuse)
    assert run(worktree).ok
    assert apply(remove(worktree)).ok
