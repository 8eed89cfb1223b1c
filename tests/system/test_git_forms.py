"""Repositories of every form: what is told to have changed is what plain ``git status`` lists."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.system import git as asked
from comity.system import repository as reading
from tests.system.repositories import commit, dirty, git, listed, repository, write

Maker = Callable[[Path], Path]


def plain(place: Path) -> Path:
    return dirty(repository(place / "repo"))


def unborn(place: Path) -> Path:
    folder = place / "repo"
    folder.mkdir()
    git(folder, "init", "-q")
    return dirty(folder)


def no_index(place: Path) -> Path:
    git(place, "clone", "-q", "--no-checkout", repository(place / "from"), "repo")
    return place / "repo"


def detached(place: Path) -> Path:
    folder = repository(place / "repo")
    git(folder, "checkout", "-q", "--detach")
    return dirty(folder)


def link_for_head(place: Path) -> Path:
    folder = repository(place / "repo")
    (folder / ".git/HEAD").unlink()
    (folder / ".git/HEAD").symlink_to("refs/heads/main")
    return dirty(folder)


def branch_of_a_branch(place: Path) -> Path:
    folder = repository(place / "repo")
    git(folder, "symbolic-ref", "refs/heads/other", "refs/heads/main")
    git(folder, "symbolic-ref", "HEAD", "refs/heads/other")
    return dirty(folder)


def packed(place: Path) -> Path:
    folder = repository(place / "repo")
    for number in range(20):
        git(folder, "branch", f"main{number}")
    git(folder, "tag", "-a", "-m", "x", "v1")
    git(folder, "gc", "-q")
    assert not (folder / ".git/refs/heads/main").exists()
    return dirty(folder)


def linked(place: Path) -> Path:
    folder = repository(place / "repo")
    write(folder, "only here.txt")
    git(folder, "worktree", "add", "-q", "-b", "other", place / "tree")
    write(place / "tree", "a.txt", text="in the other\n")
    commit(place / "tree")
    git(folder, "pack-refs", "--all")
    return dirty(place / "tree")


def linked_to_bare(place: Path) -> Path:
    git(place, "clone", "-q", "--bare", repository(place / "from"), "bare.git")
    git(place / "bare.git", "worktree", "add", "-q", "-b", "other", place / "tree")
    return dirty(place / "tree")


def sha256(place: Path) -> Path:
    return dirty(repository(place / "repo", "--object-format=sha256"))


def _many(place: Path) -> Path:
    folder = repository(place / "repo")
    for name in (f"{top}/{name}.txt" for top in ("kept", "left", "other") for name in "xyz"):
        write(folder, name, text=f"{name}\n")
    commit(folder)
    return folder


def sparse(place: Path) -> Path:
    folder = _many(place)
    git(folder, "sparse-checkout", "set", "--no-cone", "/*", "!/left/")
    write(folder, "left/x.txt", text="there all the same\n")
    return dirty(folder)


def sparse_cone(place: Path) -> Path:
    folder = _many(place)
    git(folder, "sparse-checkout", "set", "--cone", "kept", "src")
    write(folder, "kept/x.txt", text="edited\n")
    return dirty(folder)


def sparse_index(place: Path) -> Path:
    folder = _many(place)
    git(folder, "sparse-checkout", "set", "--cone", "--sparse-index", "kept", "src")
    assert "left/\0" in git(folder, "ls-files", "-z", "--sparse")
    write(folder, "kept/x.txt", text="edited\n")
    return dirty(folder)


def sparse_linked(place: Path) -> Path:
    folder = _many(place)
    git(folder, "worktree", "add", "-q", "-b", "second", place / "tree")
    git(place / "tree", "sparse-checkout", "set", "--no-cone", "/*", "!/left/")
    write(place / "tree", "left/x.txt", text="there all the same\n")
    return dirty(place / "tree")


def split_index(place: Path) -> Path:
    folder = repository(place / "repo")
    git(folder, "update-index", "--split-index")
    assert list((folder / ".git").glob("sharedindex.*"))
    write(folder, "more.txt")
    git(folder, "add", "more.txt")
    return dirty(folder)


def partial(place: Path) -> Path:
    source = _many(place / "from")
    git(source, "config", "uploadpack.allowFilter", "true")
    git(place, "clone", "-q", "--filter=blob:none", "--no-checkout", source.as_uri(), "repo")
    folder = place / "repo"
    git(folder, "sparse-checkout", "set", "--cone", "src")
    git(folder, "checkout", "-q", "main")
    shutil.rmtree(source)  # whoever asks it now fails
    assert "?" in git(folder, "rev-list", "--objects", "--all", "--missing=print")
    return dirty(folder)


def shallow(place: Path) -> Path:
    source = _many(place / "from")
    git(place, "clone", "-q", "--depth=1", source.as_uri(), "repo")
    return dirty(place / "repo")


def work_tree_set(place: Path) -> Path:
    folder = repository(place / "repo")
    git(folder, "config", "core.worktree", "..")
    return dirty(folder)


def separate_git_folder(place: Path) -> Path:
    return dirty(repository(place / "repo", f"--separate-git-dir={place / 'else where'}"))


def replaced(place: Path) -> Path:
    folder = repository(place / "repo")
    commit(folder, "Second.")
    commit(folder, "Third.")
    git(folder, "replace", "--graft", "HEAD")
    return dirty(folder)


def grafted(place: Path) -> Path:
    folder = repository(place / "repo")
    commit(folder, "Second.")
    write(folder, ".git/info/grafts", text=git(folder, "rev-parse", "HEAD"))
    return dirty(folder)


def alternates(place: Path) -> Path:
    """Objects of others, which have objects of others."""
    first = repository(place / "first")
    git(place, "clone", "-q", "--shared", first, 'a "second"')
    commit(place / 'a "second"', "Its own.")
    git(place, "clone", "-q", "--shared", place / 'a "second"', "repo")
    relative = place / 'a "second"/.git/objects/info/alternates'
    relative.write_text(os.path.relpath(first / ".git/objects", place / 'a "second"/.git/objects') + "\n")
    write(place / "repo", "a.txt", text="its own, too\n")
    return dirty(place / "repo")


def attributes(place: Path) -> Path:
    """Line ends by attributes that are not committed."""
    folder = repository(place / "repo")
    write(folder, ".git/info/attributes", text="*.txt text eol=crlf\n")
    git(folder, "rm", "-q", "--cached", "-r", ".")
    git(folder, "reset", "-q", "--hard")
    assert (folder / "a.txt").read_bytes() == b"1\r\n"
    os.utime(folder / "a.txt", (1, 1))
    return dirty(folder)


def excludes(place: Path) -> Path:
    folder = repository(place / "repo")
    write(folder, ".git/info/exclude", text="new/\n")
    write(folder, "mine.tmp", "other.tmp")
    write(place, "my excludes", text="mine.*\n")
    git(folder, "config", "core.excludesFile", place / "my excludes")
    return dirty(folder)


def line_ends(place: Path) -> Path:
    folder = repository(place / "repo")
    git(folder, "config", "core.autocrlf", "input")
    (folder / "a.txt").write_bytes(b"1\r\n")
    return dirty(folder)


def file_modes(place: Path) -> Path:
    folder = repository(place / "repo")
    git(folder, "config", "core.fileMode", "false")
    (folder / "a.txt").chmod(0o755)
    return dirty(folder)


def index_of_version_4(place: Path) -> Path:
    folder = _many(place)
    git(folder, "update-index", "--index-version=4")
    return dirty(folder)


def cached_untracked(place: Path) -> Path:
    folder = dirty(repository(place / "repo"))
    git(folder, "config", "core.untrackedCache", "true")
    git(folder, "update-index", "--untracked-cache")
    git(folder, "status")
    write(folder, "src/later.txt")
    return folder


def watched(place: Path) -> Path:
    """The index says of every file that a monitor has seen no change."""
    folder = repository(place / "repo")
    write(place, "monitor", text="#!/bin/sh\nprintf 'token\\0'\n")
    (place / "monitor").chmod(0o755)
    git(folder, "config", "core.fsmonitor", place / "monitor")
    git(folder, "update-index", "--fsmonitor")
    git(folder, "status")
    git(folder, "config", "--unset", "core.fsmonitor")
    return dirty(folder)


def conflicting(place: Path) -> Path:
    folder = repository(place / "repo")
    git(folder, "checkout", "-q", "-b", "other")
    write(folder, "a.txt", text="theirs\n")
    commit(folder)
    git(folder, "checkout", "-q", "main")
    write(folder, "a.txt", text="ours\n")
    commit(folder)
    git(folder, "merge", "-q", "other", check=False)
    return folder


def one_inside(place: Path) -> Path:
    folder = repository(place / "repo")
    repository(folder / "inner")
    return dirty(folder)


def odd_names(place: Path) -> Path:
    folder = repository(place / "re\npo \"x\" \\ 'y'")
    write(folder, 'quo"ted\n.txt', "-dash", ":(top)x", "*.txt")
    return dirty(folder)


FORMS: tuple[Maker, ...] = (
    *(plain, unborn, no_index, detached, link_for_head, branch_of_a_branch, packed, linked, linked_to_bare, sha256),
    *(sparse, sparse_cone, sparse_index, sparse_linked, split_index, partial, shallow, work_tree_set),
    *(separate_git_folder, replaced, grafted, alternates, attributes, excludes, line_ends, file_modes),
    *(index_of_version_4, cached_untracked, watched, conflicting, one_inside, odd_names),
)


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "temporary"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def told(folder: Path) -> dict[str, set[str]]:
    found = asked.changed(str(folder), ignored=True)
    assert found is not None
    assert all(len(paths) == len(set(paths)) for paths in found)
    return {kind: set(paths) for kind, paths in found._asdict().items()}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_what_has_changed_is_what_git_says(tmp_path: Path, form: Maker) -> None:
    folder = form(tmp_path.resolve())
    git_folder = reading.git_folder(folder, shared=False)
    assert git_folder is not None
    index = Path(git_folder, "index")
    before = (index.read_bytes(), index.stat().st_mtime_ns) if index.exists() else None
    found = told(folder)
    assert before == ((index.read_bytes(), index.stat().st_mtime_ns) if index.exists() else None), "only looked at"
    assert found == listed(folder)
    assert found["tracked"]
    tracked = asked.changed(str(folder), untracked=False)
    assert tracked is not None
    assert (set(tracked.tracked), tracked.untracked, tracked.ignored) == (found["tracked"], [], [])
    there = reading.around(folder)
    assert there is not None
    names = git(folder, "diff", "--cached", "--name-only", "--no-renames", "-z").split("\0")
    assert asked.staged(there) == [str(folder / name) for name in names if name]
    assert os.listdir(tmp_path / "temporary") == [], "nothing stays behind"


def test_submodules_are_looked_into(tmp_path: Path) -> None:
    place = tmp_path.resolve()
    inmost, inner, outer = (repository(place / name) for name in ("inmost", "inner", "outer"))
    git(inner, "submodule", "--quiet", "add", inmost.as_uri(), "deep")
    commit(inner)
    git(outer, "submodule", "--quiet", "add", inner.as_uri(), "sub one")
    git(outer, "submodule", "--quiet", "add", inmost.as_uri(), "idle")
    git(outer, "submodule", "--quiet", "add", inmost.as_uri(), "moved")
    git(outer, "submodule", "--quiet", "update", "--init", "--recursive")
    commit(outer)
    git(outer, "submodule", "--quiet", "deinit", "idle")
    commit(outer / "moved", "Further.")
    checkouts = (outer, outer / "sub one", outer / "sub one/deep", outer / "moved")
    assert told(outer)["tracked"] == {str(outer / "moved")}, "another commit is checked out"
    for checkout in checkouts:
        dirty(checkout)
    alone = [listed(checkout, "--ignore-submodules=dirty") for checkout in checkouts]
    assert told(outer) == {kind: set().union(*(one[kind] for one in alone)) for kind in alone[0]}
    assert told(outer / "sub one/deep") == alone[2]


def test_the_rest_of_too_many_submodules_counts_as_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path.resolve()
    inner, outer = repository(place / "inner"), repository(place / "outer")
    for name in ("one", "two"):
        git(outer, "submodule", "--quiet", "add", inner.as_uri(), name)
    commit(outer)
    assert told(outer)["tracked"] == set()
    monkeypatch.setattr(asked, "MAX_SUBMODULES", 1)
    assert told(outer)["tracked"] == {str(outer / "two")}
    monkeypatch.setattr(asked, "MAX_DEPTH", 0)
    assert told(outer)["tracked"] == {str(outer / "one"), str(outer / "two")}


def test_the_users_own_settings_count(tmp_path: Path) -> None:
    """Also those that are included for this repository only."""
    folder = plain(tmp_path.resolve())
    write(folder, "mine.tmp", "usual.tmp")
    home = tmp_path / "home"
    write(home, ".config/git/ignore", text="usual.tmp\n")
    assert str(folder / "usual.tmp") in told(folder)["ignored"]
    write(home, ".gitconfig", text=f'[includeIf "gitdir:{folder}/"]\n\tpath = more\n')
    write(home, "more", text="[core]\n\texcludesFile = ~/mine\n\tfileMode = false\n")
    write(home, "mine", text="mine.tmp\n")
    (folder / "a.txt").chmod(0o755)
    found = told(folder)
    assert str(folder / "mine.tmp") in found["ignored"]
    assert str(folder / "usual.tmp") in found["untracked"]
    assert str(folder / "a.txt") in found["tracked"], "the repository's own setting comes first"
    git(folder, "config", "--unset", "core.fileMode")
    assert str(folder / "a.txt") not in told(folder)["tracked"]


def test_a_file_under_a_filter_is_compared_with_what_git_saw_last(tmp_path: Path) -> None:
    folder = repository(tmp_path.resolve() / "repo")
    git(folder, "config", "filter.up.clean", "tr a-z A-Z")
    write(folder, ".gitattributes", text="*.up filter=up\n")
    write(folder, "x.up", "y.up", text="text\n")
    commit(folder)
    assert git(folder, "show", "HEAD:x.up") == "TEXT\n"
    assert told(folder)["tracked"] == set(), "the index is as young as the files: git would run the filter"
    write(folder, "x.up", text="other\n")
    assert told(folder)["tracked"] == {str(folder / "x.up")}
    write(folder, "y.up", text="test\n")
    assert told(folder)["tracked"] == {str(folder / "x.up"), str(folder / "y.up")}, "the same size, another time"


def test_a_temporary_folder_in_the_checkout_is_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = plain(tmp_path.resolve())
    (folder / "tmp").mkdir()
    before = listed(folder)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "tmp"))
    assert told(folder) == before
