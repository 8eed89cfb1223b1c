"""Waking: from another process, by the slow look, by cancelling, and without any notification."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from comity import Workspace
from comity.store import doorbell
from comity.store.bell import Bell
from comity.store.sqlite import SqliteStore
from comity.testing import World
from tests.sim.processes import spawn
from tests.wire_format import rows


class Button:
    """Cancels a waiting call."""

    def __init__(self) -> None:
        self.armed = threading.Event()
        self.callbacks: list[object] = []

    def is_set(self) -> bool:
        return False

    def on_set(self, callback: object) -> object:
        self.callbacks.append(callback)
        self.armed.set()
        return lambda: self.callbacks.remove(callback)

    def press(self) -> None:
        for callback in list(self.callbacks):
            callback()  # type: ignore[operator]


def poll_in_thread(workspace: Workspace, answers: list[list[str]], wait_ms: float = 30_000) -> threading.Thread:
    def wait() -> None:
        polled = workspace.call("message.poll", {"wait_ms": wait_ms})
        answers.append([one.content for one in polled.deliveries])

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize("followed", [("sink",), ()], ids=["an agent", "the log"])
def test_a_commit_of_another_process_rings(tmp_path: Path, followed: tuple[str, ...]) -> None:
    with World(tmp_path / "a.db") as world:
        world.agent("sink", channel="")
        waiter = world.store.waiter(followed)
        process = spawn("tests.sim.writer", world.path, "ann", 30, 1, "sink")
        assert waiter._doorbell.wait(60), "nobody rang"
        process.communicate()
        assert waiter.wait(0)
        waiter.close()
        assert rows(world.path, "SELECT count(*) > 0 FROM messages") == [(1,)]


def test_a_bell_for_somebody_else_does_not_ring(tmp_path: Path) -> None:
    """Unless both are in one group: agents are spread over a few files."""
    bell = Bell(str(tmp_path / "bell"))
    others = [name for name in map(str, range(20)) if bell.files([name]) != bell.files(["me"])]
    mine = doorbell.make(bell.files(["me"]))
    bell.ring(others)
    assert not mine.wait(0)
    bell.ring(["me"])
    assert mine.wait(10)
    assert not mine.wait(0), "one ring wakes once"
    mine.close()
    bell.close()


def test_a_waiting_poll_hears_another_thread_and_gives_its_connection_back(tmp_path: Path) -> None:
    with World(tmp_path / "a.db") as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        answers: list[list[str]] = []
        threads = [poll_in_thread(bob, answers), poll_in_thread(bob, answers, 30_000.0)]
        ann.message.send(destination_agent_id="bob", content="wake up")
        for thread in threads:
            thread.join(60)
        assert answers == [["wake up"]] * 2


def test_a_wait_that_is_over_answers_empty(tmp_path: Path) -> None:
    with World(tmp_path / "a.db") as world:
        ann = world.agent("ann")
        for wait_ms in (0, 1, 30, 30.0):
            assert ann.call("message.poll", {"wait_ms": wait_ms}) == ([], [], [], ())
        page = ann.event.list(newest=1)
        assert ann.event.list(after=page.cursor, wait_ms=30) == ([], page.cursor)


def test_cancelling_ends_a_wait(tmp_path: Path) -> None:
    with World(tmp_path / "a.db") as world:
        ann = world.agent("ann")
        button, answers = Button(), []

        def wait() -> None:
            answers.append(ann.call("message.poll", {"wait_ms": 60_000}, button))  # type: ignore[arg-type]

        thread = threading.Thread(target=wait)
        thread.start()
        assert button.armed.wait(60)
        button.press()
        thread.join(60)
        assert answers == [([], [], [], ())]
        assert button.callbacks == []


@pytest.mark.parametrize("fault", [OSError("out of watches")])
def test_without_notification_a_waiter_looks_more_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: OSError
) -> None:
    def refuse(self: object, paths: list[str]) -> None:
        raise fault

    for kind in ("InotifyDoorbell", "KqueueDoorbell"):
        monkeypatch.setattr(getattr(doorbell, kind), "__init__", refuse)
    assert isinstance(doorbell.make([]), doorbell.NoDoorbell)
    with World(tmp_path / "a.db") as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        answers: list[list[str]] = []
        thread = poll_in_thread(bob, answers)
        ann.message.send(destination_agent_id="bob", content="found by looking")
        thread.join(60)
        assert answers == [["found by looking"]]


def test_no_doorbell_can_be_interrupted() -> None:
    bell = doorbell.NoDoorbell()
    assert not bell.wait(0)
    bell.interrupt()
    assert bell.wait(60)
    bell.close()


def test_a_waiter_that_is_cancelled_before_it_waits(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    waiter = store.waiter(["ann"])
    waiter.cancel()
    assert not waiter.wait(60)
    waiter.close()
    store.close()


@pytest.mark.parametrize("broken", ["gone", "a file"])
def test_a_bell_folder_that_is_gone_or_in_the_way(tmp_path: Path, broken: str) -> None:
    """The bell is a hint: sending and waiting work without it."""
    with World(tmp_path / "a.db") as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        ann.message.send(destination_agent_id="bob", content="before")
        shutil.rmtree(f"{world.path}.bell", ignore_errors=True)
        if broken == "a file":
            Path(f"{world.path}.bell").write_text("in the way")
        with World(world.path, clock=world.clock) as other:
            ann2 = other.agent("ann", session_id="ann-session-1", start=False)
            bob2 = other.agent("bob", session_id="bob-session-2", start=False)
            bob2.message.ack(delivery_id=bob2.message.poll(wait_ms=30).deliveries[0].delivery_id)
            assert bob2.message.poll(wait_ms=30).deliveries == []
            ann2.message.send(destination_agent_id="bob", content="after")
            assert [one.content for one in bob.message.poll(wait_ms=1_000).deliveries] == ["after"]
