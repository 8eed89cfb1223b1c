"""What a person sees while the demo plays: lines of what happens, and below them the board, on which tasks move.

Lines come from the log of the file and from what servers answered, never from what the scripts intend. On a terminal
the board stays at the bottom; elsewhere there are plain lines only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from comity.demo.account import Account
from comity.demo.board import Board, Fact, held
from comity.demo.cast import CAST, FILES, PLANNER, VICTIM, WORKERS, Priority
from comity.demo.hooked import Comparison
from comity.demo.picture import COLOURS, PLAIN, PRETTY, account_text
from comity.demo.screen import Refusal, Said

STYLES: dict[Priority, str] = {
    "interrupt": "bold white on red",
    "steering": "black on yellow",
    "advisory": "black on cyan",
    "info": "dim",
}
_HEADLINE = (
    "Four coding agents work in one git repository. Each has its own `comity mcp` process; they share one SQLite file "
    "and no server. They take tasks, claim files before they edit them, and talk. One is killed over its work: watch "
    "its task.\n"
)
_WIDEST = 120
_PANEL = 78
_PREFIX = 22  # time, agent and verb
_CELL = 19  # one file with its holder


class Terminal(Console):
    """Standard output. When its reader is gone, everything ends and is cleared away, as after a signal."""

    def on_broken_pipe(self) -> None:
        """Raise what the door knows how to tell; print nothing more."""
        self.quiet = True
        raise BrokenPipeError


class View:
    """The screen. Call ``stop`` in the end, whatever happens."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._fancy = console.is_terminal and not console.is_dumb_terminal
        self._plain = not (console.encoding or "").lower().startswith("utf")
        self._signs = PLAIN if self._plain else PRETTY
        self._processes: Mapping[str, int] = {}
        self._board = Board()
        self._origin_ms = 0
        self._now_ms = 0
        self._shown: set[str] = set()  # holders whose refusal was shown in full
        self._deliveries = 0
        self._acknowledged = 0
        self._live = Live(get_renderable=self._footer, console=console, refresh_per_second=10, transient=True)

    def opening(self) -> None:
        """Before anything is loaded or started."""
        self._print(Text("Comity demo", style="bold"))
        self._console.print(Text(_HEADLINE), width=min(self._console.width, _PANEL))

    def cast(self, processes: Mapping[str, int], board: Board, origin_ms: int) -> None:
        """Everybody is connected: who plays. From here on the board stands."""
        self._processes, self._board = processes, board
        self._origin_ms = self._now_ms = origin_ms
        for part in CAST:
            line = Text.assemble(" ", self._dot(part.agent_id), " ", self._name(part.agent_id, 9))
            line.append(f"process {processes[part.agent_id]:<8} {part.role}")
            self._print(line)
        self._print(Text(""))
        if self._fancy:
            self._live.start()

    def happened(self, fact: Fact) -> None:
        """A task begun or done, a death noticed; the rest is on the board only."""
        self._now_ms = max(self._now_ms, fact.at_ms)
        if fact.kind == "claim.acquired":
            task = self._board.task_of(fact.agent_id)
            what = f"{_short(task.number)} {task.title}: " if task else ""
            self._line(fact.agent_id, "claims", what + " ".join(fact.about["files"]))
        elif fact.kind == "task.completed":
            self._line(fact.agent_id, "done", _short(fact.about["number"]), "bold")
        elif fact.kind == "agent.reaped":
            numbers = [self._board.number(task_id) for task_id in fact.about["returned_task_ids"]]
            free = " ".join([*map(_short, numbers), *fact.about["released_files"]]) or "nothing"
            self._line(fact.about["reaped_by"], "notices", f"{fact.agent_id} is dead, frees {free}", "bold green")

    def said(self, message: Said, deliveries: int) -> None:
        """A message is in the file."""
        self._deliveries += deliveries
        if message.priority == "info":
            return
        self._now_ms = max(self._now_ms, message.at_ms)
        text = Text.assemble((f" {message.priority:<9} ", STYLES[message.priority]))
        text.append(" " + " ".join(message.text.split()), "bold" if message.priority == "interrupt" else "")
        self._line(message.sender, f"{self._signs.arrow} {message.to or 'all'}", text)

    def acknowledged(self) -> None:
        """A delivery was acknowledged."""
        self._acknowledged += 1

    def refused(self, refusal: Refusal) -> None:
        """The answer in full, once for each holder."""
        if refusal.holder in self._shown or (self._shown and refusal.holder != VICTIM):
            self._line(refusal.agent_id, "waits", f"{refusal.file} is held by {refusal.holder}", "yellow")
            return
        self._shown.add(refusal.holder)
        facts = (
            ("holder", refusal.holder),
            ("reason", refusal.reason),
            ("since", f"{refusal.age_seconds} s, until {refusal.expires_at[11:19]} UTC"),
            ("hint", refusal.hint),
        )
        self._panel(f"{refusal.agent_id} may not claim {refusal.file}", facts, "yellow")

    def handed_over(self, agent_id: str, number: str, title: str, note: str) -> None:
        """The next holder reads what happened to the last one."""
        self._panel(f"{agent_id} goes on with {number}", (("task", title), ("note", note)), "green")

    def died(self, agent_id: str, process: int, *, killed: bool) -> None:
        """A server process is gone."""
        how = f"is killed (SIGKILL {process})" if killed else f"ended unexpectedly ({process})"
        task = self._board.task_of(agent_id)
        over = f" over {task.number}" if task else ""
        self._line(agent_id, self._signs.dead, f"{how}{over}; the others go on", "bold red")

    def returned(self, agent_id: str, waited: int) -> None:
        """A new process took the agent over."""
        self._line(agent_id, self._signs.dot, f"is back under its id; messages that waited: {waited}", "bold green")

    def before_comparison(self) -> None:
        """The second act begins."""
        self.stop()
        self._print(Text(""))
        self._print(Rule("the same edits, with hooks and without", characters=self._signs.line))

    def compared(self, comparison: Comparison) -> None:
        """Both runs of the second act."""
        self._panel("emil wants to edit what dora holds", [("hook", comparison.refusal)], "red")
        self._panel("and hears of it before the next step", [("hook", comparison.message)], "yellow")
        kept, lost = comparison.guarded, comparison.unguarded
        table = Table(box=box.ASCII if self._plain else box.SIMPLE, show_edge=False)
        for title in ("dora and emil edit the same files", "with hooks", "without"):
            table.add_column(title, justify="left" if title.startswith("dora") else "right")
        rows = (
            ("edits of a held file refused", kept.refused, lost.refused),
            ("edits overwritten", kept.overwritten, lost.overwritten),
            ("messages heard between two steps", kept.mid_turn, lost.mid_turn),
            ("messages heard after the work", kept.late, lost.late),
        )
        for name, left, right in rows:
            table.add_row(name, str(left), str(right))
        self._console.print(table)

    def closing(self, account: Account, notes: Sequence[str]) -> None:
        """The account, at the end."""
        self.stop()
        self._print(Text(""))
        self._print(Rule("what the file says afterwards", characters=self._signs.line))
        width = self._console.width
        self._console.print(account_text(account, notes, self._signs, width), soft_wrap=width < 40)

    def stop(self) -> None:
        """Take the board away."""
        if self._live.is_started:
            self._live.stop()

    def _line(self, agent_id: str, verb: str, text: str | Text, style: str = "") -> None:
        line = Table.grid()
        line.add_column(no_wrap=True, width=_PREFIX)
        line.add_column(overflow="fold")
        at = Text(f"{max(0, self._now_ms - self._origin_ms) / 1000:5.1f} ", "dim")
        told = text if isinstance(text, Text) else Text(text, style)
        line.add_row(Text.assemble(at, self._name(agent_id, 8), (verb, style)), told)
        self._console.print(line)

    def _panel(self, title: str, facts: Sequence[tuple[str, str]], colour: str) -> None:
        body = Table.grid(padding=(0, 2))
        for name, value in facts:
            body.add_row(Text(name, "bold"), Text(value))
        frame = box.ASCII if self._plain else box.ROUNDED
        width = min(self._console.width, _PANEL)
        self._console.print(Panel(body, frame, title=title, title_align="left", border_style=colour, width=width))

    def _footer(self) -> Group:
        """The board: the queue, each worker with its task, what is done, each file with its holder, the mail."""
        board, lines = self._board, [self._chips("queue", [(task.number, "") for task in self._board.pending()])]
        lines += [self._worker(agent) for agent in WORKERS]
        lines.append(self._chips("done", [(task.number, task.holds[-1].agent_id) for task in board.done()]))
        width = min(self._console.width, _WIDEST)
        across = max(1, (width - 1) // _CELL)
        files = sorted({*FILES, *board.files})
        for first in range(0, len(files), across):
            row = Text(" ")
            for file in files[first : first + across]:
                row.append_text(self._file(file))
            lines.append(row)
        waiting = max(0, self._deliveries - self._acknowledged)
        lines.append(Text(f" mail    {self._deliveries} deliveries, {waiting} waiting", "dim"))
        for line in lines:
            line.no_wrap, line.overflow = True, "crop" if self._plain else "ellipsis"
        return Group(Rule(characters=self._signs.line, style="dim"), *lines)

    def _worker(self, agent: str) -> Text:
        alive = bool(self._processes.get(agent))
        mark = self._dot(agent) if alive else Text(self._signs.dead, "bold red")
        line = Text.assemble(" ", mark, " ", (f"{agent:<6}", COLOURS[agent] if alive else "red strike"))
        task, wait = self._board.task_of(agent), self._board.wait_of(agent)
        if task is not None:
            line.append(_short(task.number), f"bold white on {COLOURS[agent]}")
            line.append(f" {task.title:<26} ")
        if wait is not None:
            line.append(f"waits for {' '.join(wait.files)} ({', '.join(wait.holders)})", "yellow")
        elif task is not None:
            mine = [file for file, holds in self._board.files.items() if (now := held(holds)) and now.agent_id == agent]
            line.append(f"edits {' '.join(mine)}" if mine else "")
        elif not alive:
            line.append("dead", "bold red")
        return line

    def _file(self, file: str) -> Text:
        """A cell: the file, coloured by its holder, with a mark when an agent waits for it."""
        hold = held(self._board.files.get(file, []))
        wanted = any(wait.until_ms is None and file in wait.files for wait in self._board.waits)
        name = f"{file}{' !' if wanted else ''}"
        if hold is None:
            return Text(f"{name:<{_CELL}}", "dim")
        return Text.assemble((name, f"bold white on {COLOURS.get(hold.agent_id, 'red')}"), " " * (_CELL - len(name)))

    def _chips(self, title: str, numbers: Sequence[tuple[str, str]]) -> Text:
        line = Text(f" {title:<8}", "dim")
        for number, agent in numbers:
            line.append(_short(number), f"bold white on {COLOURS[agent]}" if agent else "bold")
            line.append(" ")
        return line

    def _print(self, line: RenderableType) -> None:
        self._console.print(line, no_wrap=True, overflow="ellipsis" if not self._plain else "crop")

    def _name(self, agent_id: str, width: int) -> Text:
        return Text(f"{agent_id:<{width}}", COLOURS.get(agent_id, "cyan" if agent_id == PLANNER else "dim"))

    def _dot(self, agent_id: str) -> Text:
        return Text(self._signs.dot, COLOURS.get(agent_id, "cyan"))


def _short(number: str) -> str:
    return number.removeprefix("task-")
