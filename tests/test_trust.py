"""The record of what the user agreed to: by place and content, private, and outside the tree it speaks of."""

import json
import os
import stat
from pathlib import Path

import pytest

from comity import trust
from comity.kernel.problem import Limited, Unavailable

NAME = ".macp/comity.toml"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return folder


@pytest.fixture
def root(tmp_path: Path, home: Path) -> str:
    folder = tmp_path / "repo"
    folder.mkdir()
    return str(folder)


def test_what_is_agreed_to_is_one_content_at_one_place(root: str, tmp_path: Path) -> None:
    assert not trust.agreed(root, NAME, b"x")
    trust.agree({trust.path_of(root, NAME): b"x"})
    assert trust.agreed(root, NAME, b"x")
    assert not trust.agreed(root, NAME, b"x ")
    assert not trust.agreed(root, ".macp/config.json", b"x")
    assert not trust.agreed(str(tmp_path), NAME, b"x")
    (tmp_path / "link").symlink_to(root)
    assert trust.agreed(str(tmp_path / "link"), NAME, b"x")
    assert trust.forget([trust.path_of(root, NAME), "/nowhere"]) == [trust.path_of(root, NAME)]
    assert not trust.agreed(root, NAME, b"x")


def test_the_record_is_the_users_own(root: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust.agree({trust.path_of(root, NAME): b"x"})
    file = home / ".config" / "comity" / "trust.json"
    assert str(file) == trust.where()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert os.listdir(file.parent) == ["trust.json"]
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert trust.agreed(root, NAME, b"x")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "other"))
    assert not trust.agreed(root, NAME, b"x")
    trust.agree({trust.path_of(root, NAME): b"x"})
    assert (home / "other" / "comity" / "trust.json").exists()


def test_a_record_inside_the_tree_does_not_count(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", os.path.join(root, "config"))
    trust.agree({trust.path_of(root, NAME): b"x"})
    assert trust.inside(root)
    assert trust.load().files
    assert not trust.agreed(root, NAME, b"x")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version": 2, "files": {}}', b'{"version": 1, "files": {"a": 1}}', b"[" * 100_000, b"\xff"],
)
def test_a_damaged_record_counts_as_empty_and_is_told(root: str, content: bytes) -> None:
    trust.agree({trust.path_of(root, NAME): b"x"})
    Path(trust.where()).write_bytes(content)
    found = trust.load()
    assert found.files == {}
    assert found.wrong
    assert not trust.agreed(root, NAME, b"x")
    trust.agree({trust.path_of(root, NAME): b"x"})
    assert trust.agreed(root, NAME, b"x")


@pytest.mark.parametrize("what", ["link", "folder", "pipe", "huge"])
def test_a_record_that_is_no_plain_file_counts_as_empty(root: str, tmp_path: Path, what: str) -> None:
    trust.agree({trust.path_of(root, NAME): b"x"})
    file = Path(trust.where())
    good = file.read_bytes()
    file.unlink()
    if what == "link":
        (tmp_path / "theirs").write_bytes(good)
        file.symlink_to(tmp_path / "theirs")
    elif what == "folder":
        file.mkdir()
    elif what == "pipe":
        os.mkfifo(file)
    else:
        file.write_bytes(good + b" " * trust.MAX_BYTES)
    assert trust.load().wrong
    assert not trust.agreed(root, NAME, b"x")


def test_the_record_stays_small(root: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "MAX_BYTES", 1000)
    there = os.path.join(root, "there")
    Path(there).touch()
    for number in range(20):
        trust.agree({f"/gone/{number}/{'x' * 60}": b"x", there: b"y"})
    assert there in trust.load().files
    assert Path(trust.where()).stat().st_size <= 1000
    with pytest.raises(Limited) as refused:
        trust.agree({os.path.join(root, f"{'./' * number}there"): b"" for number in range(30)})
    assert refused.value.reason == "trust.full"
    assert there in trust.load().files


def test_a_folder_in_the_way_is_told(root: str, home: Path) -> None:
    (home / ".config").write_text("no folder")
    with pytest.raises(Unavailable) as refused:
        trust.agree({trust.path_of(root, NAME): b"x"})
    assert refused.value.reason == "trust.unwritable"


def test_the_record_is_json_that_people_can_read(root: str) -> None:
    trust.agree({trust.path_of(root, NAME): b"x"})
    found = json.loads(Path(trust.where()).read_text())
    assert found == {"version": 1, "files": {trust.path_of(root, NAME): trust.digest(b"x")}}
