"""What git tracks, from indexes that the real git wrote: of every version, of both hashes, whole and in halves."""

import subprocess
from pathlib import Path

import pytest

from comity.project import tracked
from comity.system.git_index import listed

NAMES = (".macp/config.json", ".macp/init.json", "deep/er/file.txt", "none.txt")


def git(*words: object, cwd: Path) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *identity, *map(str, words)], cwd=cwd, check=True, capture_output=True)


def repository(folder: Path, *options: str) -> Path:
    folder.mkdir()
    git("init", "-q", *options, cwd=folder)
    return folder


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)], ids=["sha1", "sha256"])
@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("many", [0, 300])
def test_what_is_tracked_is_found(tmp_path: Path, options: tuple[str, ...], version: int, many: int) -> None:
    root = repository(tmp_path / "repo", *options)
    assert tracked(root, NAMES) == set()
    put(root, ".macp/config.jso", *NAMES, *(f"dir{number % 7}/{'x' * number}.txt" for number in range(many and 200)))
    git("add", ".macp/config.jso", "deep", cwd=root)
    git("update-index", "--index-version", version, cwd=root)
    if version == 3:
        git("add", "-N", "none.txt", cwd=root)
        git("rm", "-q", "--cached", "none.txt", cwd=root)
    if many:
        git("add", *(f"dir{number}" for number in range(7)), cwd=root)
    assert tracked(root, NAMES) == {"deep/er/file.txt"}
    git("add", "-f", ".macp/config.json", cwd=root)
    assert tracked(root, NAMES) == {".macp/config.json", "deep/er/file.txt"}
    assert tracked(root / "deep", ("er/file.txt", "../.macp/init.json")) == {"er/file.txt"}
    git("-c", "user.name=t", "commit", "-q", "-m", "x", cwd=root)
    git("worktree", "add", "-q", tmp_path / "tree", cwd=root)
    assert tracked(tmp_path / "tree", NAMES) == {".macp/config.json", "deep/er/file.txt"}


def test_upper_and_lower_case_are_one(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    put(root, ".MACP/Config.json")
    git("add", ".", cwd=root)
    assert tracked(root, NAMES) == {".macp/config.json"}


def test_a_folder_that_is_one_entry_brings_what_is_in_it(tmp_path: Path) -> None:
    part, root = repository(tmp_path / "part"), repository(tmp_path / "repo")
    put(part, "config.json")
    git("add", ".", cwd=part)
    git("commit", "-q", "-m", "x", cwd=part)
    git("submodule", "add", "-q", part, ".macp", cwd=root)
    assert tracked(root, NAMES) == {".macp/config.json", ".macp/init.json"}
    other = repository(tmp_path / "other")
    (other / ".macp").symlink_to(part)
    git("add", ".", cwd=other)
    assert tracked(other, NAMES) == {".macp/config.json", ".macp/init.json"}


def test_of_an_index_in_two_halves_git_is_asked(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    put(root, "a.txt", *NAMES)
    git("add", "a.txt", cwd=root)
    git("update-index", "--split-index", cwd=root)
    assert listed(str(root / ".git"), NAMES) is None
    assert tracked(root, NAMES) == set()
    git("add", "-f", *NAMES[:1], cwd=root)
    assert listed(str(root / ".git"), NAMES) is None
    assert tracked(root, NAMES) == set(NAMES[:1])


def test_a_file_called_link_is_no_other_half(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    put(root, "link", "some/link", "z/link", *NAMES)
    git("add", "link", "some", "z", ".macp/init.json", cwd=root)
    assert tracked(root, NAMES) == {".macp/init.json"}


@pytest.mark.parametrize("data", [b"", b"DIRC", b"DIRC\0\0\0\x05\0\0\0\1", b"x" * 1000])
def test_what_is_no_index_tells_nothing(tmp_path: Path, data: bytes) -> None:
    root = repository(tmp_path / "repo")
    (root / ".git" / "index").write_bytes(data)
    assert listed(str(root / ".git"), NAMES) is None
    assert tracked(root, NAMES) == set(NAMES)


def test_an_index_that_breaks_off_tells_nothing(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    put(root, *NAMES)
    git("add", ".", cwd=root)
    whole = (root / ".git" / "index").read_bytes()
    for size in range(60, len(whole), 7):
        (root / ".git" / "index").write_bytes(whole[:size])
        found = listed(str(root / ".git"), (".macp/init.json",))
        assert found in (None, set(), {".macp/init.json"})


def test_where_there_is_no_git_nothing_is_tracked(tmp_path: Path) -> None:
    put(tmp_path, *NAMES)
    assert tracked(tmp_path, NAMES) == set()
