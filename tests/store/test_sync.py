"""Which process syncs the log, and when: by file times alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from comity.store.sync import LogSync

LONG_AGO_NS = 1_600_000_000_000_000_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log that was last written long ago."""
    path = tmp_path / "a.db-wal"
    path.write_bytes(b"x")
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    return path


def make(log: Path) -> LogSync:
    return LogSync(str(log).removesuffix("-wal"), lambda: None, active=True)


def test_without_a_log_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert not make(tmp_path / "a.db-wal").sync()


def test_one_process_syncs_for_all(log: Path) -> None:
    ours, theirs = make(log), make(log)
    assert ours.sync()
    assert not ours.sync()
    assert not theirs.sync()


def test_a_log_that_grew_is_synced_again(log: Path) -> None:
    ours, theirs = make(log), make(log)
    assert ours.sync()
    os.utime(log, ns=(LONG_AGO_NS + 1_000_000, LONG_AGO_NS + 1_000_000))
    assert theirs.sync()
    assert not ours.sync()


def test_a_log_of_this_very_moment_is_not_marked_as_done(log: Path) -> None:
    """The next write may get the same file time."""
    far_ns = LONG_AGO_NS * 2
    os.utime(log, ns=(far_ns, far_ns))
    sync = make(log)
    assert sync.sync()
    assert sync.sync()


def test_closing_syncs_what_was_written(log: Path) -> None:
    sync = make(log)
    sync.wrote()
    sync.close()
    assert not make(log).sync()
    sync.wrote()  # after the end no timer starts
    sync.close()


def test_full_durability_needs_no_timer(log: Path) -> None:
    sync = LogSync(str(log).removesuffix("-wal"), lambda: None, active=False)
    sync.wrote()
    sync.close()
    assert make(log).sync(), "nobody synced it by timer"
