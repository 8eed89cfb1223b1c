"""``comity demo``: play, read the file, tell. The exit code is 0 only when every check holds."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import FrameType
from typing import NoReturn

from comity.demo.account import Account
from comity.demo.hooked import Comparison, compare
from comity.demo.picture import verdict
from comity.demo.screen import Nobody
from comity.demo.view import Terminal, View
from comity.doors.cli.screen import write_json
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid, Unavailable

_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
MIN_TASKS, MAX_TASKS = 6, 500


class DemoDocument(NamedTuple):
    """What ``--json`` prints. ``folder`` and ``database`` are null unless they were kept."""

    ok: bool
    verdict: str
    seed: int
    folder: str | None
    database: str | None
    account: Account
    hooks: Comparison


class Interrupted(BaseException):
    """A signal ended the demo."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


@contextmanager
def interruptible() -> Iterator[None]:
    """A signal that would end the process raises Interrupted within, so that everything is cleared away."""
    if threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        yield
        return
    before = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    raise Interrupted(number)


def run(*, tasks: int = 12, json_output: bool = False, seed: int = 7, keep: bool = False) -> int:
    """Play the demo with so many tasks and tell what the file says. Raises Problem when it cannot be played.

    ``seed`` decides the order of the tasks and how long they take. ``keep`` leaves the temporary repository for a look;
    otherwise it is removed in every case, as the processes are ended. Answers 0 when every check holds, 1 when one does
    not, and 128 and a signal's number when a signal ended it.
    """
    if not MIN_TASKS <= tasks <= MAX_TASKS:
        raise Invalid("demo.tasks", f"The demo cannot have {tasks} tasks.", f"It takes {MIN_TASKS} to {MAX_TASKS}.")
    if find_spec("mcp") is None:
        raise _no_client("is not installed")
    view = None if json_output else View(Terminal())
    try:
        if view is not None:
            view.opening()
        try:
            from comity.demo.performance import perform  # it loads the MCP client, an extra
        except ImportError as error:
            if not (error.name or "").startswith("mcp"):
                raise
            raise _no_client(f"cannot be used ({error})") from error
        outcome = perform(view or Nobody(), tasks, seed, keep=keep)
        if outcome.account is None:
            raise Interrupted(outcome.signal)
        account = outcome.account
        if view is not None:
            view.before_comparison()
        with interruptible():
            comparison = compare()
        ok = account.ok and comparison.ok
        folder, database = (outcome.folder, outcome.database) if keep else (None, None)
        if view is None:
            document = DemoDocument(ok, verdict(account), seed, folder, database, account, comparison)
            write_json(document)
        else:
            view.compared(comparison)
            notes = [f"The repository stays in {folder}"] if folder else []
            notes += [f"NOT GOOD: {fault}" for fault in comparison.faults()]
            view.closing(account, notes)
    except Interrupted as interrupted:
        sys.stderr.write("\nInterrupted: the processes are ended.\n")
        return 128 + interrupted.signal
    finally:
        if view is not None:
            view.stop()
    return 0 if ok else 1


def _no_client(why: str) -> Unavailable:
    return Unavailable(
        "demo.no_client",
        f"The demo drives its agents with the official MCP client, which {why}.",
        "Install it with: pip install 'comity[demo]'",
    )
