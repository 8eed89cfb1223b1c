"""The smaller questions to git: stashes, what is staged, commits that a push brings or takes away."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.system import git as asked
from comity.system import git_refs
from comity.system.repository import Repository, around
from tests.system.repositories import commit, git, repository, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path.resolve() / "repo")


def there(folder: Path) -> Repository:
    found = around(folder)
    assert found is not None
    return found


def test_the_stash_is_what_git_lists(root: Path) -> None:
    assert asked.stashes(str(root)) == []
    for name in ("a.txt", "b.txt", "src/c.txt"):
        write(root, name, text="stashed\n")
        git(root, "stash", "push", "-q", "-m", f'of "{name}"')
    write(root, "a.txt", text="stashed\n")
    git(root, "stash", "-q")
    git(root, "stash", "drop", "-q", "stash@{1}")
    git(root, "worktree", "add", "-q", root / "tree")
    git(root, "pack-refs", "--all")
    listed = [line.split() for line in git(root, "stash", "list", "--format=%gd %ct").splitlines()]
    for folder in (root, root / "src", root / "tree"):
        assert [[entry.name, str(entry.made_ms // 1000)] for entry in asked.stashes(str(folder))] == listed
        assert len(listed) == 3
        for name, _ in listed:
            assert asked.stashed_files(str(folder), name) == git(root, "stash", "show", "--name-only", name).split()
    for odd in ("stash@{3}", "stash@{-1}", "stash@{x}", "stash", "", "--output=x", "stash@{²}"):
        assert asked.stashed_files(str(root), odd) == []


def test_what_is_staged_is_that_of_the_index_that_is_named(root: Path) -> None:
    write(root, "a.txt", text="staged\n")
    git(root, "add", "a.txt")
    assert asked.staged(there(root)) == [str(root / "a.txt")]
    other = root / ".git/next-index-1.lock"
    other.write_bytes((root / ".git/index").read_bytes())
    git(root, "reset", "-q")
    assert asked.staged(there(root)) == []
    assert asked.staged(there(root), str(other)) == [str(root / "a.txt")]
    outside = root / "index"
    other.rename(outside)
    assert asked.staged(there(root), str(outside)) is None, "no index of this repository"


def test_a_commit_in_a_submodule_is_staged(root: Path, tmp_path: Path) -> None:
    git(root, "submodule", "--quiet", "add", repository(tmp_path.resolve() / "inner").as_uri(), "sub")
    commit(root)
    commit(root / "sub", "Further.")
    git(root, "add", "sub")
    assert asked.staged(there(root)) == [str(root / "sub")]


@pytest.mark.parametrize("packs", [False, True])
def test_commits_that_a_remote_lacks(root: Path, packs: bool) -> None:
    first = git(root, "rev-parse", "HEAD").strip()
    git(root, "update-ref", "refs/remotes/origin/main", first)
    git(root, "tag", "-a", "-m", "x", "v1")
    for name in ("a.txt", "new ü.txt"):
        write(root, name, text="pushed\n")
        commit(root)
    if packs:
        git(root, "pack-refs", "--all")
    last = git(root, "rev-parse", "HEAD").strip()
    files = [[str(root / "new ü.txt")], [str(root / "a.txt")]]
    for remote_commit in (None, first, "1" * 40):
        found = asked.unpushed(there(root), last, remote_commit, 10)
        assert found is not None
        assert [one.files for one in found] == files
        assert all(abs(one.written_s - int(git(root, "log", "-1", "--format=%at"))) < 60 for one in found)
    assert len(asked.unpushed(there(root), last, None, 1) or ()) == 1
    assert asked.unpushed(there(root), last, last, 10) == []
    for odd in ("HEAD", "--all", "", "1" * 40):
        assert asked.unpushed(there(root), odd, None, 10) is None


@pytest.mark.parametrize(
    "named",
    [(), ("origin",), ("origin", "main"), ("origin", "HEAD"), ("origin", "HEAD:main"), ("origin", "HEAD~1:main")],
)
def test_commits_that_a_forced_push_takes_away(root: Path, named: tuple[str, ...]) -> None:
    commit(root, "Theirs.")
    git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
    before = asked.overwritten_commits(str(root), named)
    assert before is not None
    assert len(before) == ("~" in "".join(named)), "what is pushed has it"
    git(root, "commit", "-q", "--allow-empty", "--amend", "-m", "Ours.")
    lost = asked.overwritten_commits(str(root), named)
    assert lost is not None
    assert [line.partition(" ")[2] for line in lost] == ["Theirs. (Tess)"]
    git(root, "checkout", "-q", "--detach")
    if named in ((), ("origin",), ("origin", "HEAD")):
        assert asked.overwritten_commits(str(root), named) == [], "no branch is pushed"


def test_names_are_resolved_as_git_does(root: Path) -> None:
    commit(root, "Second.")
    git(root, "tag", "-a", "-m", "x", "v1")
    git(root, "branch", "topic/one")
    git(root, "update-ref", "refs/remotes/origin/main", "HEAD~1")
    git(root, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    for packs in (False, True):
        if packs:
            git(root, "pack-refs", "--all")
        for text in ("HEAD", "@", "main", "topic/one", "v1", "origin/main", "origin", "refs/heads/main", "heads/main"):
            for steps in ("", "~0", "^{}") if text == "v1" else ("", "~1", "^", "^1~0"):
                found = git_refs.resolve(there(root), text + steps)
                if "{" in steps:
                    assert found is None, "not read here"
                elif git(root, "rev-parse", text + steps, check=False).strip() != text + steps:
                    assert found is not None, text
                    assert git(root, "rev-parse", found) == git(root, "rev-parse", text + steps)
        for odd in ("none", "../HEAD", "refs/../HEAD", "main@{1}", ":/Second", "a..b", "-x", "", "refs/heads/main\n"):
            assert git_refs.resolve(there(root), odd) is None, odd


def test_a_shallow_clone_ends_where_it_ends(root: Path, tmp_path: Path) -> None:
    commit(root, "Second.")
    git(tmp_path, "clone", "-q", "--depth=1", root.as_uri(), "shallow")
    folder = tmp_path.resolve() / "shallow"
    git(folder, "commit", "-q", "--amend", "--allow-empty", "-m", "Ours.")
    lost = asked.overwritten_commits(str(folder), ("origin", "main"))
    assert lost is not None
    assert [line.partition(" ")[2] for line in lost] == ["Second. (Tess)"]


def test_names_that_are_kept_in_another_way_are_asked_of_git(root: Path) -> None:
    """The git of this machine may not know it: then there is no answer, and never a wrong one."""
    git(root, "config", "core.repositoryFormatVersion", "1")
    git(root, "config", "extensions.refStorage", "reftable")
    (root / ".git/HEAD").write_text("ref: refs/heads/.invalid\n")
    assert asked.changed(str(root)) is None
