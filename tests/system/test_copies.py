"""A copy is whole or absent, whenever the process dies; and nothing but the store is touched."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.system.copies import Copies

BIG = b"line\n" * 200_000
CALLS = ("mkdir", "open", "write", "close", "replace", "fsync", "utime")


@pytest.fixture
def store(tmp_path: Path) -> Copies:
    return Copies(str(tmp_path), durable=True)


def test_what_is_kept_is_read_again(store: Copies, tmp_path: Path) -> None:
    for data in (b"", b"text\n", bytes(range(256)) * 99, BIG):
        assert store.read(store.keep(data)) == data
    found = [path for path in (tmp_path / "copies").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert sum(path.stat().st_size for path in found) < len(BIG) / 20, "compressed"


def test_the_same_is_kept_once(store: Copies, tmp_path: Path) -> None:
    assert store.keep(b"same") == store.keep(b"same")
    assert len([path for path in (tmp_path / "copies").rglob("*") if path.is_file()]) == 1


def test_what_is_no_file_is_not_kept(store: Copies, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * 1001)
    for name in ("pipe", "large", "none", "."):
        assert store.keep_file(str(tmp_path / name), 1000) is None
    (tmp_path / "small").write_text("x")
    (tmp_path / "small").chmod(0o755)
    kept = store.keep_file(str(tmp_path / "small"), 1000)
    assert kept is not None
    assert (kept.size_bytes, kept.mode, store.read(kept.content)) == (1, 0o755, b"x")


def test_of_a_link_it_is_kept_where_it_leads(store: Copies, tmp_path: Path) -> None:
    """What is behind it stays unread."""
    (tmp_path / "secret").write_text("not to be read")
    (tmp_path / "link").symlink_to("secret")
    kept = store.keep_file(str(tmp_path / "link"), 1000)
    assert kept is not None
    assert stat.S_ISLNK(kept.mode)
    assert store.read(kept.content) == b"secret"


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-5], lambda data: b"junk", lambda data: data[:9] + b"?" + data[10:]]
)
def test_a_damaged_copy_is_told_as_such(store: Copies, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    content = store.keep(b"something that is kept\n" * 20)
    path = tmp_path / "copies" / content[:2] / content[2:]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="damaged"):
        store.read(content)


def test_nothing_is_followed_out_of_the_folder(store: Copies, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "copies").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"link|folder"):
        store.keep(b"x")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.disk
def test_a_process_that_dies_at_any_call_leaves_a_copy_whole_or_none(tmp_path: Path) -> None:
    """The n-th system call is its last, for every n until it lives."""
    for number in range(200):
        base = tmp_path / str(number)
        base.mkdir()
        (base / "user.py").write_text("the user's\n")
        if _killed_at(number, base):
            copies = Copies(str(base))
            for folder in (base / "copies").glob("??"):
                for path in folder.iterdir():
                    if not path.name.startswith("new-"):
                        assert copies.read(folder.name + path.name) == BIG
            assert (base / "user.py").read_text() == "the user's\n"
            assert copies.read(copies.keep(BIG)) == BIG, "it works again"
            assert copies.remove_all_but({copies.keep(BIG)}, least_s=0.0) in (0, 1)
        else:
            assert number > 5
            return
    raise AssertionError("it never came to its end")


def _killed_at(number: int, base: Path) -> bool:
    """Keep something in a process whose ``number``-th call of the system kills it; whether it was killed."""
    child = os.fork()
    if child == 0:
        left = [number]
        for name in CALLS:
            setattr(os, name, _deadly(getattr(os, name), left))
        try:
            Copies(str(base), durable=True).keep(BIG)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _deadly(call: Callable[..., object], left: list[int]) -> Callable[..., object]:
    def deadly(*arguments: object, **options: object) -> object:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return call(*arguments, **options)

    return deadly
