"""What the account of a performance holds: every task, every file, every death. Pure, from rows to a report."""

from __future__ import annotations

from typing import Any

from comity.demo import cast, mail
from comity.demo.board import Board, Fact, Hold, Reaped
from comity.demo.mail import Check, Delivered, Mail
from comity.demo.screen import Refusal
from comity.kernel.named_tuple import NamedTuple


class TaskRow(NamedTuple):
    """A task as the file has it at the end."""

    number: str
    title: str
    description: str
    priority: str
    status: str
    agent_id: str | None
    handoff: dict[str, Any]


class Rows(NamedTuple):
    """What the file says. ``sends``, ``acks`` and ``ends`` are delivery ids of the log; ``ends`` without success."""

    deliveries: list[Delivered]
    sends: list[str]
    acks: list[str]
    ends: list[str]
    log: list[Fact]
    tasks: list[TaskRow]
    unreleased: int
    integrity: str


class StageLog(NamedTuple):
    """What the agents were told by their servers, and the stage did; the file is believed, this only compared.

    ``edits`` are the lines that were added to each file of the repository, ``deaths`` agents and times in milliseconds.
    """

    sent: set[str]
    acknowledged: set[str]
    completed: list[tuple[str, str]]
    failures: list[str]
    refusals: list[Refusal]
    deaths: list[tuple[str, float]]
    edits: dict[str, list[str]]
    tasks: int
    origin_ms: float


class Span(NamedTuple):
    """Seconds since the start in which an agent had something, or waited for it; ``ended`` says how it ended."""

    agent_id: str
    from_s: float
    until_s: float
    ended: str
    files: tuple[str, ...] = ()


class TaskStory(NamedTuple):
    """A task: who had it, who did it, and what a holder that died left to the next one."""

    number: str
    title: str
    priority: str
    done_by: str | None
    completions: int
    holds: list[Span]
    handoff: str = ""


class FileStory(NamedTuple):
    """A file, who held it when, and the lines that were added to it."""

    path: str
    holds: list[Span]
    edits: list[str]


class DeathStory(NamedTuple):
    """An agent that died: who noticed, how and how soon, what became free, who went on, and what waited for it."""

    agent_id: str
    at_s: float
    noticed_by: str
    noticed_ms: int
    how: str
    released_files: list[str]
    returned_tasks: list[str]
    taken_over_by: list[str]
    registrations: int
    messages_waited: int


class Account(NamedTuple):
    """The whole account."""

    tasks: list[TaskStory]
    files: list[FileStory]
    waits: list[Span]
    refusals: list[Refusal]
    deaths: list[DeathStory]
    double_owners: int
    mail: Mail
    seconds: float
    checks: list[Check]

    @property
    def ok(self) -> bool:
        """Whether every check holds."""
        return all(check.ok for check in self.checks)


def settle(rows: Rows, told: StageLog) -> Account:
    """The account of what the file says."""
    board = Board()
    for fact in rows.log:
        board.apply(fact)
    end_ms = max((fact.at_ms for fact in rows.log), default=0)

    def seconds(at_ms: float | None) -> float:
        return round(((end_ms if at_ms is None else at_ms) - told.origin_ms) / 1000, 2)

    def spans(holds: list[Hold]) -> list[Span]:
        return [Span(one.agent_id, seconds(one.from_ms), seconds(one.until_ms), one.ended) for one in holds]

    tasks = []
    for row in rows.tasks:
        task = board.tasks.get(row.number)
        holds, completions = (spans(task.holds), task.completed) if task else ([], 0)
        done_by = row.agent_id if row.status == "done" else None
        note = str(row.handoff.get("summary", ""))
        tasks.append(TaskStory(row.number, row.title, row.priority, done_by, completions, holds, note))
    account = Account(
        tasks,
        [FileStory(path, spans(board.files.get(path, [])), lines) for path, lines in told.edits.items()],
        [Span(w.agent_id, seconds(w.from_ms), seconds(w.until_ms), "", tuple(w.files)) for w in board.waits],
        told.refusals,
        [_death(one, board, rows, told, seconds(one.at_ms)) for one in board.reaped],
        len(board.doubles),
        mail.settle(rows.deliveries, rows.sends, rows.acks, rows.ends, told.sent, told.acknowledged, board.reaped),
        seconds(None),
        [],
    )
    return account._replace(checks=_checks(account, board, rows, told))


def _death(one: Reaped, board: Board, rows: Rows, told: StageLog, at_s: float) -> DeathStory:
    numbers = [board.number(task_id) for task_id in one.task_ids]
    later = [
        next((hold.agent_id for hold in board.tasks[number].holds if hold.from_ms >= one.at_ms), "nobody")
        for number in numbers
    ]
    registered = [fact.at_ms for fact in rows.log if (fact.kind, fact.agent_id) == ("session.register", one.agent_id)]
    back_ms = next((at_ms for at_ms in registered if at_ms >= one.at_ms), None)
    died_ms = max((at for agent, at in told.deaths if agent == one.agent_id and at <= one.at_ms), default=one.at_ms)
    return DeathStory(
        one.agent_id,
        round(at_s - (one.at_ms - died_ms) / 1000, 2),
        one.by,
        round(one.at_ms - died_ms),
        one.how,
        one.files,
        numbers,
        later,
        len(registered),
        mail.waited(rows.deliveries, one.agent_id, back_ms),
    )


def _checks(account: Account, board: Board, rows: Rows, told: StageLog) -> list[Check]:
    done = [task for task in account.tasks if task.done_by and task.completions == 1]
    doers = {row.number: row.agent_id for row in rows.tasks}
    wrong = [number for number, agent_id in told.completed if doers.get(number) != agent_id]
    held = rows.unreleased + sum(task.done_by is None for task in account.tasks)
    return [
        Check("The file is sound", rows.integrity == "ok", rows.integrity),
        Check(
            "Every task is done, exactly once, and by whom the file says",
            len(done) == len(account.tasks) == told.tasks and not wrong,
            f"{len(done)} of {told.tasks} tasks" + "".join(f"; {number} differs" for number in wrong),
        ),
        Check(
            "No task and no file ever had two owners",
            not board.doubles,
            board.doubles[0] if board.doubles else f"{_holds(account)} holds in the log, none overlaps",
        ),
        _edits(rows, told),
        Check("Nothing is held any more", held == 0, f"{rows.unreleased} claims, {held - rows.unreleased} tasks"),
        *_deaths(account, told),
        *mail.checks(account.mail, rows.deliveries, rows.sends, rows.acks, told.sent, told.acknowledged),
        Check("No call failed", not told.failures, told.failures[0] if told.failures else "none"),
    ]


def _holds(account: Account) -> int:
    return sum(len(task.holds) for task in account.tasks) + sum(len(file.holds) for file in account.files)


def _edits(rows: Rows, told: StageLog) -> Check:
    """Agents write whole files anew, so two at the same time would lose lines."""
    wanted = {path: set[str]() for path in told.edits}
    for row in rows.tasks:
        for path in cast.files_of(row.description):
            wanted[path].add(f"{row.number} {row.title}")
    wrong = [path for path, lines in told.edits.items() if sorted(lines) != sorted(wanted[path])]
    count = sum(map(len, told.edits.values()))
    seen = f"{count} edits in {len(told.edits)} files" + "".join(f"; {path} differs" for path in wrong)
    return Check("Every edit is in its file, none overwritten", not wrong, seen)


def _deaths(account: Account, told: StageLog) -> list[Check]:
    """Each death was noticed, the work went to others, and the dead came back for their messages."""
    stories = account.deaths
    by_others = all(story.noticed_by != story.agent_id for story in stories)
    heirs = [pair for story in stories for pair in zip(story.returned_tasks, story.taken_over_by, strict=True)]
    orphans = [number for number, by in heirs if by == "nobody"]
    absent = [story.agent_id for story in stories if story.registrations < 2]
    seen = ", ".join(f"{story.agent_id} by {story.noticed_by} after {story.noticed_ms} ms" for story in stories)
    return [
        Check(
            "Every death was noticed by another agent",
            by_others and 0 < len(told.deaths) == len(stories),
            f"{len(told.deaths)} died; {seen or 'none noticed'}",
        ),
        Check(
            "What the dead had was taken over",
            not orphans,
            ", ".join(orphans) or ", ".join(f"{number} by {by}" for number, by in heirs),
        ),
        Check("The dead came back under their ids", not absent, ", ".join(absent) or "all of them"),
    ]
