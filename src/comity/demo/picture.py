"""The account as a picture in text: who had which task and which file, on one line of time, and the checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text

from comity.demo.account import Account, Span
from comity.demo.cast import WORKERS
from comity.kernel.named_tuple import NamedTuple

COLOURS = dict(zip(WORKERS, ("green", "blue", "magenta"), strict=True))
_LABEL = 18
_LEAST = 20  # columns of time


class Signs(NamedTuple):
    """The characters that stand for things; ASCII where the terminal has nothing better."""

    bar: str
    wait: str
    free: str
    dead: str
    yes: str
    no: str
    arrow: str
    dot: str
    line: str
    more: str


PRETTY = Signs("█", "░", "·", "✗", "✓", "✗", "→", "●", "─", "…")
PLAIN = Signs("#", "-", ".", "x", "ok", "NO", ">", "*", "-", "~")


def account_text(account: Account, notes: Sequence[str], signs: Signs, width: int) -> Text:
    """The whole account; ``notes`` are further lines that follow the checks."""
    text = Text("\n")
    room = max(_LEAST, min(width, 120) - _LABEL - 2)
    scale = room / max(account.seconds, 0.1)
    text.append(f"{' who worked on what':<{_LABEL}} ", "bold")
    text.append(_clock(account.seconds, room) + "\n", "dim")
    for agent in WORKERS:
        _agent(text, account, agent, signs, room, scale)
    text.append("\n")
    text.append(f"{' who held the file':<{_LABEL}}\n", "bold")
    for file in account.files:
        cells = _Cells(room, scale, signs.free)
        for span in file.holds:
            cells.fill(span, signs.bar, COLOURS.get(span.agent_id, ""))
            if span.ended == "reaped":
                cells.mark(span.until_s, signs.dead)
        text.append(f" {file.path:<{_LABEL}}").append_text(cells.text()).append("\n")
    text.append("\n")
    for agent in WORKERS:
        text.append(f" {signs.bar}{signs.bar} ", COLOURS[agent])
        text.append(f"{agent:<6}", "dim")
    text.append(f" {signs.wait}{signs.wait} waits   {signs.dead} dies   001 task-001\n\n", "dim")
    _told(text, account)
    for check in account.checks:
        text.append(f" {signs.yes if check.ok else signs.no} ", "green" if check.ok else "bold red")
        text.append(f"{check.name}." if check.ok else f"{check.name}: {check.seen}")
        text.append("\n")
    for note in notes:
        text.append(f" {note}\n")
    text.append(f"\n {verdict(account)} ", "bold white on green" if account.ok else "bold white on red")
    text.append("\n\nTry it in your own repository: comity init\n")
    return text


def verdict(account: Account) -> str:
    """The account in one sentence."""
    if not account.ok:
        return f"NOT GOOD: {sum(not check.ok for check in account.checks)} checks fail."
    deaths = f"{len(account.deaths)} agent{'' if len(account.deaths) == 1 else 's'} killed"
    lost = f"{account.double_owners} double owners, {account.mail.lost} messages lost"
    return f"{len(account.tasks)} tasks, each done once; {deaths}, {lost}."


def _told(text: Text, account: Account) -> None:
    """The deaths, and the mail, in sentences."""
    for one in account.deaths:
        seconds = one.noticed_ms / 1000
        text.append(f" {one.agent_id} died at {one.at_s:.1f} s, noticed by {one.noticed_by} after {seconds:.1f} s.")
        for number, heir in zip(one.returned_tasks, one.taken_over_by, strict=True):
            text.append(f" {heir} went on with {number}.")
        text.append(f"\n Messages that waited until {one.agent_id} was back: {one.messages_waited}.\n")
    mail = account.mail
    text.append(f" {mail.messages} messages, {mail.deliveries} deliveries, half of them received within ")
    text.append(f"{mail.received_ms.p50} ms.\n {len(account.refusals)} claims refused, and granted later.\n\n")


def _agent(text: Text, account: Account, agent: str, signs: Signs, room: int, scale: float) -> None:
    """One line of time: its tasks with their numbers, its waits, its death."""
    cells = _Cells(room, scale, signs.free)
    held = sorted((span.from_s, span, task) for task in account.tasks for span in task.holds if span.agent_id == agent)
    for place, (_, span, task) in enumerate(held):
        cells.fill(span, signs.bar, COLOURS[agent] if place % 2 == 0 else f"dim {COLOURS[agent]}")
        worked = span
        for wait in account.waits:
            if wait.agent_id == agent and span.from_s <= wait.from_s <= span.until_s:
                worked = span._replace(from_s=wait.until_s)
                cells.fill(span._replace(until_s=wait.until_s), signs.wait, COLOURS[agent])
        cells.write(worked, task.number.removeprefix("task-"), f"bold white on {COLOURS[agent]}")
    for death in account.deaths:
        if death.agent_id == agent:
            until_s = death.at_s + death.noticed_ms / 1000
            cells.fill(Span(agent, death.at_s, until_s, ""), signs.dead, "bold red")
    done = sum(task.done_by == agent for task in account.tasks)
    text.append(f" {agent:<6}", f"bold {COLOURS[agent]}").append(f"{done:>3} done".ljust(_LABEL - 6))
    text.append_text(cells.text()).append("\n")


class _Cells:
    """A line of styled characters over time."""

    def __init__(self, room: int, scale: float, empty: str) -> None:
        self._scale = scale
        self._cells: list[tuple[str, str]] = [(empty, "dim")] * room

    def fill(self, span: Span, sign: str, style: str) -> None:
        for column in self._columns(span):
            self._cells[column] = (sign, style)

    def write(self, span: Span, label: str, style: str) -> None:
        """A label at the beginning of a span, if there is room for it."""
        columns = list(self._columns(span))
        if len(columns) >= len(label):
            for column, sign in zip(columns, label, strict=False):
                self._cells[column] = (sign, style)

    def mark(self, at_s: float, sign: str) -> None:
        self._cells[self._column(at_s)] = (sign, "bold red")

    def text(self) -> Text:
        return Text().join(Text(sign, style) for sign, style in self._cells)

    def _columns(self, span: Span) -> Iterable[int]:
        first = self._column(span.from_s)
        return range(first, max(first, self._column(span.until_s) - 1) + 1)

    def _column(self, at_s: float) -> int:
        return min(len(self._cells) - 1, max(0, int(at_s * self._scale)))


def _clock(seconds: float, room: int) -> str:
    end = f"{seconds:.0f} s"
    return "0 s".ljust(room - len(end)) + end
