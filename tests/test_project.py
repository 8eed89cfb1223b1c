"""Finding the project of a folder, in repositories that the real git made."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from comity.kernel.problem import Invalid
from comity.project import find_project, find_workspace, slug


def git(*words: object, cwd: Path) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *identity, *map(str, words)], cwd=cwd, check=True, capture_output=True)


def repository(path: Path) -> Path:
    path.mkdir(parents=True)
    git("init", "-q", cwd=path)
    git("commit", "-q", "--allow-empty", "-m", "start", cwd=path)
    return path


def configure(folder: Path, **values: object) -> Path:
    path = folder / ".macp" / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values))
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return Path(tmp_path.resolve())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("My Project", "my-project"), ("  --A__b.C!! ", "a-b-c"), ("ünï", "n"), ("…", ""), ("a1", "a1")],
)
def test_slug(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_nearest_config_upward_wins(place: Path) -> None:
    root = repository(place / "repo")
    configure(root, projectId="outer")
    configure(root / "pkg", projectId="inner")
    (root / "pkg" / "deep").mkdir()
    (root / "other").mkdir()
    inner, outer = find_project(root / "pkg" / "deep"), find_project(root / "other")
    assert inner is not None
    assert outer is not None
    assert (inner.project_id, inner.root) == ("inner", str(root / "pkg"))
    assert (outer.project_id, outer.root, outer.worktree) == ("outer", str(root), None)


def test_search_stops_at_the_repository_root(place: Path) -> None:
    configure(place, projectId="above")
    assert find_project(repository(place / "repo")) is None
    loose = place / "loose" / "folder"
    loose.mkdir(parents=True)
    found = find_project(loose)
    assert found is not None
    assert found.project_id == "above"


def test_home_folder_captures_nothing_below_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(place))
    configure(place, projectId="home")
    (place / "work").mkdir()
    assert find_project(place / "work") is None
    found = find_project(place)
    assert found is not None
    assert found.project_id == "home"


def test_linked_worktree_shares_the_main_checkout(place: Path) -> None:
    root = repository(place / "repo")
    configure(root, projectId="shared")
    git("worktree", "add", "-q", place / "tree", cwd=root)
    configure(place / "tree", projectId="a committed config is not asked")
    (place / "tree" / "src").mkdir()
    found = find_project(place / "tree" / "src")
    assert found is not None
    assert (found.project_id, found.root, found.worktree) == ("shared", str(root), str(place / "tree"))
    assert find_workspace(place / "tree")[0].checkout == str(place / "tree")


def test_linked_worktree_of_a_nested_project(place: Path) -> None:
    root = repository(place / "repo")
    configure(root / "pkg", projectId="nested")
    git("worktree", "add", "-q", place / "tree", cwd=root)
    (place / "tree" / "pkg").mkdir()
    found = find_project(place / "tree" / "pkg")
    assert found is not None
    assert found.root == str(root / "pkg")
    assert find_workspace(place / "tree" / "pkg")[0].checkout == str(place / "tree" / "pkg")
    assert find_project(place / "tree") is None


def test_submodule_is_a_project_of_its_own(place: Path) -> None:
    root, part = repository(place / "repo"), repository(place / "part")
    configure(root, projectId="outer")
    git("submodule", "add", "-q", part, "part", cwd=root)
    assert find_project(root / "part") is None
    configure(root / "part", projectId="part")
    git("worktree", "add", "-q", place / "tree", cwd=root / "part")
    for start in (root / "part", place / "tree"):
        found = find_project(start)
        assert found is not None
        assert found.root == str(root / "part")


def test_bare_repository_is_a_project_that_its_worktrees_share(place: Path) -> None:
    root = repository(place / "repo")
    git("clone", "-q", "--bare", root, place / "bare.git", cwd=place)
    configure(place, projectId="above")
    for name in ("one", "two"):
        git("worktree", "add", "-q", "-b", name, place / name, cwd=place / "bare.git")
    assert find_project(place / "one") is None
    configure(place / "bare.git", projectId="bare")
    for start in (place / "one", place / "two", place / "bare.git" / "refs"):
        found = find_project(start)
        assert found is not None
        assert found.root == str(place / "bare.git")


def test_separate_git_folder_is_an_ordinary_repository(place: Path) -> None:
    (place / "repo" / "sub").mkdir(parents=True)
    git("init", "-q", f"--separate-git-dir={place / 'elsewhere'}", cwd=place / "repo")
    configure(place / "repo", projectId="apart")
    found = find_project(place / "repo" / "sub")
    assert found is not None
    assert found.root == str(place / "repo")


def test_the_git_folder_itself_belongs_to_its_checkout(place: Path) -> None:
    root = repository(place / "repo")
    configure(root, projectId="x")
    found = find_project(root / ".git" / "refs")
    assert found is not None
    assert found.root == str(root)


def test_a_bare_repository_in_a_checkout_is_no_project(place: Path) -> None:
    root = repository(place / "repo")
    inner = root / "docs" / "evil"
    git("clone", "-q", "--bare", root, inner, cwd=place)
    (inner / "wt").mkdir()
    for start in (inner, inner / "wt", inner / "refs"):
        workspace, found = find_workspace(start)
        assert (workspace.checkout, workspace.bare, found) == (str(root), False, False)
    configure(root, projectId="outer")
    assert find_workspace(inner / "wt")[0].root == str(root)


def test_a_bare_repository_beside_its_worktrees_stays_a_project(place: Path) -> None:
    """``.git`` is a file there that names the bare repository in the same folder."""
    git("clone", "-q", "--bare", repository(place / "from"), place / "all" / ".bare", cwd=place)
    (place / "all" / ".git").write_text("gitdir: ./.bare\n")
    git("worktree", "add", "-q", "-b", "one", place / "all" / "one", cwd=place / "all")
    roots = {find_workspace(place / "all" / start)[0].root for start in ("", "one", ".bare/refs")}
    assert roots == {str(place / "all" / ".bare")}


@pytest.mark.parametrize(
    ("config", "worktrees", "bare"),
    [
        ("[core]\n\tbare = true\n", "", True),
        ("[CORE] Bare\n", "", True),
        ('[core]\n\tbare = "t\\\nrue" ; yes\n', "", True),
        ('[core "x"]\n\tbare = true\n', "", False),
        ("[core.x]\n\tbare = true\n", "", False),
        ("[core]\n\tbare = true\n[core]\n\tbare = false\n", "", False),
        ("[core]\n\tbare = false # true\n", "[core]\n\tbare = true\n", False),
        ("[extensions]\n\tworktreeConfig = true\n", "[core]\n\tbare = true\n", True),
        ('[extensions "x"]\n\tworktreeConfig = true\n', "[core]\n\tbare = true\n", False),
        ("[include]\n\tpath = config.worktree\n", "[core]\n\tbare = true\n", False),
    ],
)
def test_the_configuration_is_read_as_git_reads_it(place: Path, config: str, worktrees: str, bare: bool) -> None:
    """But for what it includes."""
    git("init", "-q", "--bare", place / "bare.git", cwd=place)
    (place / "bare.git" / "config").write_text(config)
    (place / "bare.git" / "config.worktree").write_text(worktrees)
    assert find_workspace(place / "bare.git" / "refs")[0].bare is bare


@pytest.mark.parametrize("name", [".git", ".git/config", ".git/HEAD", "bare/config", "bare/HEAD", "linked/commondir"])
@pytest.mark.parametrize("kind", ["pipe", "device", "huge"])
def test_what_is_no_file_of_gits_keeps_nobody(place: Path, name: str, kind: str) -> None:
    root = place / "repo"
    path = root / name
    if name.startswith("linked"):
        root.mkdir()
        (root / ".git").write_text(f"gitdir: {root / 'linked'}\n")
    for folder in ("objects", "refs"):
        (path.parent / folder).mkdir(parents=True)
    for other in ("HEAD", "config"):
        (path.parent / other).write_text("[core]\n\tbare = true\n")
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.touch()
        os.truncate(path, 1 << 40)
    workspace = find_workspace(path.parent)[0]
    assert workspace.checkout == str(path.parent if name.startswith("bare") else root)
    assert not (name.startswith("bare") and workspace.bare) or (name, kind) == ("bare/HEAD", "huge"), "never read"


@pytest.mark.parametrize("pointer", [b"", b"gitdir:", b"gitdir: /nowhere/at/all\n", b"\xff\xfe", b"gitdir: a\0b"])
def test_broken_git_file_is_a_repository_root(place: Path, pointer: bytes) -> None:
    root = place / "repo"
    root.mkdir()
    (root / ".git").write_bytes(pointer)
    assert find_workspace(root)[0].checkout == str(root)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"{", "line 1"),
        (b'{\n"projectId": }', "line 2"),
        (b"\xff", "UTF-8"),
        (b"[]", "object"),
        (b'{"projectId": 3}', "projectId"),
        (b'{"dbPath": ["x"]}', "dbPath"),
        (b'{"dbPath": "a\\u0000b"}', "dbPath"),
        (b'{"defaultChannel": false}', "defaultChannel"),
        (b"[" * 100_000, "JSON"),
    ],
)
def test_unreadable_config_names_the_file_and_the_fault(place: Path, data: bytes, expected: str) -> None:
    path = configure(place)
    path.write_bytes(data)
    with pytest.raises(Invalid) as caught:
        find_project(place)
    assert caught.value.reason == "config.unreadable"
    assert str(path) in caught.value.message
    assert expected in caught.value.message
    assert caught.value.hint


def test_a_folder_in_place_of_the_config_is_unreadable(place: Path) -> None:
    (place / ".macp" / "config.json").mkdir(parents=True)
    with pytest.raises(Invalid, match=r"config\.unreadable"):
        find_project(place)


def test_values_are_trimmed_and_blank_means_absent(place: Path) -> None:
    root = place / "My Repo"
    configure(root, projectId="  ", defaultChannel=None, dbPath=" ", extra=1)
    found = find_project(root)
    assert found is not None
    assert (found.project_id, found.default_channel, found.db_path) == ("my-repo", "my-repo", None)
    configure(root, projectId=" A B ", defaultChannel=" Team One ", dbPath="x/y.db")
    found = find_project(root)
    assert found is not None
    assert (found.project_id, found.default_channel) == ("a-b", "Team One")
    assert found.db_path == str(root / "x" / "y.db")


def test_recorded_paths_move_along_with_the_project(place: Path) -> None:
    old = "/somewhere/else/repo"
    configure(place, projectRoot=old, dbPath=f"{old}/.macp/x.macp.db")
    found = find_project(place)
    assert found is not None
    assert found.moved_from == old
    assert found.db_path == str(place / ".macp" / "x.macp.db")
    configure(place, projectRoot=str(place), dbPath="/data/x.db")
    found = find_project(place)
    assert found is not None
    assert (found.moved_from, found.db_path) == (None, "/data/x.db")


@pytest.mark.parametrize("how", ["no way back", "a way back of its own"])
def test_a_git_file_that_came_along_makes_no_worktree_of_another_repository(tmp_path: Path, how: str) -> None:
    other, clone = repository(tmp_path / "other"), repository(tmp_path / "clone")
    git("worktree", "add", "-q", tmp_path / "tree", cwd=other)
    planted, private = clone / "docs", other / ".git/worktrees/tree"
    planted.mkdir()
    if how == "a way back of its own":
        private = clone / "fake/worktrees/x"
        private.mkdir(parents=True)
        (private / "commondir").write_text(f"{other}/.git\n")
        (private / "gitdir").write_text(f"{planted}/.git\n")
        (private / "HEAD").write_text("ref: refs/heads/main\n")
    (planted / ".git").write_text(f"gitdir: {private}\n")
    assert find_workspace(planted)[0].root == str(planted)
    assert find_workspace(tmp_path / "tree")[0].root == str(other)


@pytest.mark.parametrize("bare", [False, True])
def test_a_git_file_that_names_another_repository_leads_nowhere(tmp_path: Path, bare: bool) -> None:
    other = tmp_path / "other.git" if bare else repository(tmp_path / "other") / ".git"
    if bare:
        git("init", "-q", "--bare", other, cwd=tmp_path)
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / ".git").write_text(f"gitdir: {other}\n")
    found = find_workspace(planted)[0]
    assert (found.root, found.git) == (str(planted), "")
