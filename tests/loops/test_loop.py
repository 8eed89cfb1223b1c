"""The skeleton of loops: when they look, what a failure does, how they end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from comity.kernel.problem import Unavailable
from comity.loops.loop import Late, Loop

PATIENCE_S = 20


class Ticking(Loop):
    """Counts, and fails as told."""

    name = "ticking"
    period_s = 0.01

    def __init__(self, *failures: Exception) -> None:
        super().__init__()
        self.failures = list(failures)
        self.looks = 0
        self.enough = threading.Event()

    def look(self) -> None:
        self.looks += 1
        if self.looks >= 3:
            self.enough.set()
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def threads() -> Iterator[None]:
    """Whatever a test starts is gone at its end."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


@pytest.mark.usefixtures("threads")
def test_it_looks_until_it_is_stopped() -> None:
    loop = Ticking()
    loop.start()
    assert loop.enough.wait(PATIENCE_S)
    loop.stop()
    seen = loop.looks
    loop.stop()
    assert loop.looks == seen >= 3


@pytest.mark.usefixtures("threads")
def test_a_loop_that_never_started_can_be_stopped() -> None:
    Ticking().stop()


@pytest.mark.usefixtures("threads")
def test_stop_waits_for_a_look_that_is_under_way() -> None:
    began, go_on, over = threading.Event(), threading.Event(), threading.Event()

    class Slow(Loop):
        period_s = 0.01

        def look(self) -> None:
            began.set()
            go_on.wait(PATIENCE_S)
            over.set()

    loop = Slow()
    loop.start()
    assert began.wait(PATIENCE_S)
    stopper = threading.Thread(target=loop.stop)
    stopper.start()
    go_on.set()
    stopper.join(PATIENCE_S)
    assert over.is_set()


@pytest.mark.usefixtures("threads")
def test_a_loop_may_stop_itself() -> None:
    class Once(Ticking):
        def look(self) -> None:
            super().look()
            self.enough.set()
            self.stop()

    loop = Once()
    loop.start()
    assert loop.enough.wait(PATIENCE_S)
    loop.stop()
    assert loop.looks == 1


def test_a_failure_is_told_once_and_slows_it_down(capsys: pytest.CaptureFixture[str]) -> None:
    locked = [Unavailable("store.locked", "The database is locked.", "Try again.") for _ in range(12)]
    loop = Ticking(*locked)
    loop.jitter = 0.0
    loop.period_s = 2.0
    pauses = []
    for _ in range(12):
        assert not loop.once()
        pauses.append(loop.pause_s())
    assert pauses == [4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60]
    assert capsys.readouterr().err == "comity: ticking: The database is locked. It is tried again.\n"
    assert loop.once()
    assert loop.pause_s() == 2.0


def test_a_fault_of_ours_is_told_with_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, *_: told.append(kind))
    loop = Ticking(ZeroDivisionError(), ZeroDivisionError())
    assert [loop.once(), loop.once(), loop.once()] == [False, False, True]
    assert told == [ZeroDivisionError]


def test_pauses_are_spread_and_never_longer_than_the_period() -> None:
    loop = Ticking()
    loop.period_s = 2.0
    pauses = [loop.pause_s() for _ in range(500)]
    assert 1.0 <= min(pauses) < 1.2
    assert 1.8 < max(pauses) <= 2.0


@pytest.mark.usefixtures("threads")
def test_a_loop_that_has_nothing_to_do_yet_is_not_made() -> None:
    made: list[Ticking] = []
    is_made = threading.Event()
    due = [False, False, True]

    def make() -> Ticking:
        made.append(Ticking())
        is_made.set()
        return made[0]

    late = Late("late", 0.01, lambda: due.pop(0), make)
    late.look()
    late.look()
    assert made == []
    late.start()
    assert is_made.wait(PATIENCE_S)
    assert made[0].enough.wait(PATIENCE_S)
    late.stop()
    Late("late", 1.0, lambda: True, make).stop()
    assert len(made) == 1
