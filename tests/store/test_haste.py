"""Haste: a thread that must not wait is told at once, and leaves what takes long to others."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from comity.kernel.problem import Unavailable
from comity.store.sqlite import SqliteStore
from comity.store.sync import LogSync
from comity.system.haste import HASTE

LOG_BYTES = 4096 * 1100


def write(store: SqliteStore, name: str) -> None:
    with store.writing() as tx:
        tx.run("channels.add_channel", channel_id=name * 3000, now="")


def test_a_locked_file_is_told_at_once_and_only_on_that_thread(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db", busy_s=60)
    patient = threading.Thread(target=write, args=(store, "p"))
    with store.writing():
        with HASTE, pytest.raises(Unavailable) as told:
            write(store, "h")
        patient.start()
    patient.join(30)
    assert told.value.reason == "store.locked"
    with store.reading() as tx:
        assert tx.one("channels.channel_sender", channel_id="p", agent_id="", session_id="") is None
    with HASTE:
        write(store, "h")
    store.close()


def test_a_long_log_is_copied_by_another_thread(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    copied: list[str] = []
    tidy, done = store.tidy, threading.Event()

    def seen() -> None:
        tidy()
        copied.append(threading.current_thread().name)
        done.set()

    store.sync = LogSync(store.path, seen, active=True)
    for number in range(1500):
        write(store, f"{number:04}")
        if done.is_set():
            break
    assert done.wait(30)
    store.close()
    assert set(copied) == {"comity-sync"}


def test_a_very_long_log_is_copied_by_whoever_writes(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    store.sync = LogSync(store.path, lambda: None, active=True)  # it does not keep up
    for number in range(2000):
        write(store, f"{number:04}")
    assert os.path.getsize(f"{store.path}-wal") < 4 * LOG_BYTES
    store.close()
