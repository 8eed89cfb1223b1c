"""Who holds what, told by the log alone: tasks, files, waits and deaths, and everything that had two owners at once.

Pure. The picture on the screen and the account at the end are made from it; neither believes the agents.
"""

from __future__ import annotations

from typing import Any

from comity.kernel.named_tuple import NamedTuple


class Fact(NamedTuple):
    """One row of the log. ``about`` is its metadata; ``at_ms`` counts from 1970."""

    at_ms: int
    kind: str
    agent_id: str
    about: dict[str, Any]


class Hold:
    """Somebody has a task or a file. ``ended`` says how: completed, released, reaped; empty while it lasts."""

    def __init__(self, agent_id: str, from_ms: int) -> None:
        self.agent_id = agent_id
        self.from_ms = from_ms
        self.until_ms: int | None = None
        self.ended = ""


class Wait:
    """Somebody waits for files, since a claim was refused."""

    def __init__(self, agent_id: str, files: list[str], holders: list[str], from_ms: int) -> None:
        self.agent_id = agent_id
        self.files = files
        self.holders = holders
        self.from_ms = from_ms
        self.until_ms: int | None = None


class Task:
    """A task and everybody who had it, in order."""

    def __init__(self, number: str, title: str) -> None:
        self.number = number
        self.title = title
        self.holds: list[Hold] = []
        self.completed = 0


class Reaped(NamedTuple):
    """An agent that others found dead, and what became free."""

    at_ms: int
    agent_id: str
    by: str
    how: str
    files: list[str]
    task_ids: list[str]


class Board:
    """The state after every fact that was ``apply``-ed, in the order of the log."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.files: dict[str, list[Hold]] = {}
        self.waits: list[Wait] = []
        self.reaped: list[Reaped] = []
        self.doubles: list[str] = []  # what had two owners, or was done without one
        self._numbers: dict[str, str] = {}
        self._freed: dict[str, list[str]] = {}  # by agent: what others freed of it before it was reaped

    def apply(self, fact: Fact) -> None:
        """Take in what happened next."""
        noun, _, verb = fact.kind.partition(".")
        if noun == "task" and "number" in fact.about:
            self._task(fact, verb)
        elif noun == "claim":
            self._claim(fact, verb)
        elif fact.kind == "agent.reaped":
            about = fact.about
            files = dict.fromkeys((*self._freed.pop(str(fact.agent_id), ()), *about["released_files"]))
            freed = (list(files), about["returned_task_ids"])
            self.reaped.append(Reaped(fact.at_ms, fact.agent_id, about["reaped_by"], about["reason"], *freed))
            self._stop_waiting(fact)

    def number(self, task_id: str) -> str:
        """A task's number."""
        return self._numbers.get(task_id, task_id)

    def pending(self) -> list[Task]:
        """Tasks without a holder that are not done."""
        return [task for task in self.tasks.values() if not task.completed and held(task.holds) is None]

    def done(self) -> list[Task]:
        """Tasks that are done, in the order in which that happened."""
        return sorted(
            (task for task in self.tasks.values() if task.completed), key=lambda task: task.holds[-1].until_ms or 0
        )

    def task_of(self, agent_id: str) -> Task | None:
        """What an agent works on."""
        for task in self.tasks.values():
            hold = held(task.holds)
            if hold is not None and hold.agent_id == agent_id:
                return task
        return None

    def wait_of(self, agent_id: str) -> Wait | None:
        """What an agent waits for."""
        return next((wait for wait in self.waits if wait.agent_id == agent_id and wait.until_ms is None), None)

    def _task(self, fact: Fact, verb: str) -> None:
        about = fact.about
        number = str(about["number"])
        if verb == "dispatched":
            self._numbers[about["task_id"]] = number
            self.tasks[number] = Task(number, about["title"])
            return
        task = self.tasks[number]
        if verb in ("claimed", "started"):
            if task.completed:
                self.doubles.append(f"{number}: taken by {fact.agent_id} after it was done")
            self._take(task.holds, fact, number)
        elif verb == "completed":
            task.completed += 1
            self._let_go(task.holds, fact, number, "completed")
        elif verb in ("released", "cancelled"):
            self._let_go(task.holds, fact, number, "reaped" if "by" in about else verb)

    def _claim(self, fact: Fact, verb: str) -> None:
        files: list[str] = fact.about.get("files", [])
        if verb == "refused":
            wait = self.wait_of(fact.agent_id)
            if wait is None:
                self.waits.append(Wait(fact.agent_id, files, fact.about["holders"], fact.at_ms))
            else:
                wait.files, wait.holders = files, fact.about["holders"]
        elif verb == "acquired":
            self._stop_waiting(fact)
            for file in files:
                self._take(self.files.setdefault(file, []), fact, file)
        elif verb in ("released", "expired"):
            reaped = fact.about.get("reason") == "reaped"
            if reaped:
                self._freed.setdefault(str(fact.agent_id), []).extend(files)
            for file in files:
                self._let_go(self.files.setdefault(file, []), fact, file, "reaped" if reaped else verb)

    def _stop_waiting(self, fact: Fact) -> None:
        wait = self.wait_of(fact.agent_id)
        if wait is not None:
            wait.until_ms = fact.at_ms

    def _take(self, holds: list[Hold], fact: Fact, name: str) -> None:
        hold = held(holds)
        if hold is None:
            holds.append(Hold(fact.agent_id, fact.at_ms))
        elif hold.agent_id != fact.agent_id:
            self.doubles.append(f"{name}: {fact.agent_id} took what {hold.agent_id} held")

    def _let_go(self, holds: list[Hold], fact: Fact, name: str, ended: str) -> None:
        hold = held(holds)
        if hold is None or hold.agent_id != fact.agent_id:
            self.doubles.append(f"{name}: {ended} by {fact.agent_id}, who did not hold it")
        else:
            hold.until_ms, hold.ended = fact.at_ms, ended


def held(holds: list[Hold]) -> Hold | None:
    """The hold that lasts, if any."""
    return holds[-1] if holds and not holds[-1].ended else None
