"""What lies in the way of a file is seen, named, and never followed."""

import os
import threading
from pathlib import Path

import pytest

from comity.system import files


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x").write_bytes(b"12345")
    assert files.read(str(tmp_path), "a/x", 5) == b"12345"
    with pytest.raises(files.Unsafe, match="larger than 4 bytes"):
        files.read(str(tmp_path), "a/x", 4)


@pytest.mark.parametrize("name", ["link", "way/x", "dangling"])
def test_no_link_is_followed_at_any_part_of_the_way(tmp_path: Path, name: str) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/x").write_bytes(b"secret")
    (tmp_path / "link").symlink_to("real/x")
    (tmp_path / "way").symlink_to("real")
    (tmp_path / "dangling").symlink_to(tmp_path / "made")
    for flags in (os.O_RDONLY, os.O_RDWR | os.O_CREAT):
        with pytest.raises(files.Unsafe, match="is a link"):
            files.open_file(str(tmp_path), name, flags)
    assert not (tmp_path / "made").exists()


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match=r"regular file|folder"):
            files.read(str(tmp_path), name, 10)
    with pytest.raises(files.Unsafe, match="no regular file"):
        files.open_file(str(tmp_path), "pipe", os.O_WRONLY)


def test_a_file_with_a_second_name_is_read_and_not_written(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"secret")
    os.link(tmp_path / "key", tmp_path / "bell")
    assert files.read(str(tmp_path), "bell", 10) == b"secret"
    with pytest.raises(files.Unsafe, match="second name"):
        files.open_file(str(tmp_path), "bell", os.O_WRONLY)


def test_a_way_upward_is_none(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "x").write_bytes(b"1")
    with pytest.raises(files.Unsafe, match="upward"):
        files.read(str(tmp_path / "in"), "../x", 10)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_is_refused_and_a_folder_owners_is_not(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"1")
    os.chown(tmp_path / "theirs", 65534, 65534)
    with pytest.raises(files.Unsafe, match="another user"):
        files.read(str(tmp_path), "theirs", 10)
    os.chown(tmp_path, 65534, 65534)
    assert files.read(str(tmp_path), "theirs", 10) == b"1"


def test_modes_are_fixed_whatever_the_mask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        files.make_folder(str(tmp_path), "box")
        files.write_new(str(tmp_path), "box/x", b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "box").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "box/x").stat().st_mode & 0o777 == 0o600
    assert not files.write_new(str(tmp_path), "box/x", b"2")
    assert not files.make_folder(str(tmp_path), "box")


def test_a_folder_is_not_made_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "box").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(files.Unsafe, match="is a link"):
        files.make_folder(str(tmp_path), "box")
    with pytest.raises(files.Unsafe, match="is a link"):
        files.make_folder(str(tmp_path), "box/inner")


def test_a_folder_that_is_swapped_for_a_link_gives_nothing_away(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x").write_bytes(b"secret")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/x").write_bytes(b"plain")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(tmp_path / "in", tmp_path / "aside")
            os.symlink("outside", tmp_path / "in")
            os.unlink(tmp_path / "in")
            os.rename(tmp_path / "aside", tmp_path / "in")

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen = set()
    try:
        for _ in range(2000):
            try:
                seen.add(files.read(str(tmp_path), "in/x", 10))
            except OSError:
                continue
    finally:
        stop.set()
        swapper.join()
    assert seen <= {b"plain"}
