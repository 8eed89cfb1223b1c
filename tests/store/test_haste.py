"""Haste: a thread that must not wait is told at once, and leaves what takes long to others."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from comity.kernel.problem import Unavailable
from comity.store.haste import HASTE
from comity.store.sqlite import SqliteStore

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


def test_a_long_log_is_left_to_others(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    log, number = f"{store.path}-wal", 0
    HASTE.owes_tidying = False
    with HASTE:
        while os.path.getsize(log) < LOG_BYTES:
            number += 1
            write(store, f"{number:04}")
    assert HASTE.owes_tidying
    size = os.path.getsize(log)
    store.tidy()
    HASTE.owes_tidying = False
    with HASTE:
        write(store, "x")
    assert not HASTE.owes_tidying
    assert os.path.getsize(log) == size, "it was begun anew"
    store.close()
