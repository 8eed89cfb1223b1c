"""What a person sees while the demo plays: a headline, a legend, one line for each message, and a footer that counts.

Lines come from the log of the file, not from the scripts. On a terminal the footer stays at the bottom; elsewhere
there are plain lines only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.rule import Rule
from rich.text import Text

from comity.demo.account import Account
from comity.demo.cast import CAST, PRIORITIES, Priority
from comity.demo.picture import account_text
from comity.demo.screen import Said

STYLES: dict[Priority, str] = {
    "interrupt": "bold white on red",
    "steering": "black on yellow",
    "advisory": "black on cyan",
    "info": "dim",
}
LANES = dict(zip((part.agent_id for part in CAST), ("magenta", "green", "blue", "bright_yellow"), strict=True))
_MEANINGS: dict[Priority, str] = {
    "interrupt": "stop and read",
    "steering": "changes what others do next",
    "advisory": "good to know soon",
    "info": "for the record, only counted here",
}
_HEADLINE = (
    "Four coding agents work in one git repository. Each has its own `comity mcp`\n"
    "process; they see each other and talk through one SQLite file, without a server.\n"
    "Half way one of them is killed. Watch what becomes of its messages."
)
_BAR = 12


class Terminal(Console):
    """Standard output. When its reader is gone, everything ends and is cleared away, as after a signal."""

    def on_broken_pipe(self) -> None:
        """Raise what the door knows how to tell; print nothing more."""
        self.quiet = True
        raise BrokenPipeError


class View:
    """The screen. Use it in a ``with`` statement around the performance."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._fancy = console.is_terminal and not console.is_dumb_terminal
        self._plain = not (console.encoding or "").lower().startswith("utf")
        self._processes: Mapping[str, int] = {}
        self._deliveries: Counter[Priority] = Counter()
        self._messages = 0
        self._acknowledged = 0
        self._live = Live(get_renderable=self._footer, console=console, refresh_per_second=8, transient=True)

    def opening(self) -> None:
        """Before anything is loaded or started."""
        self._print(Text("Comity demo", style="bold"))
        self._print(Text(_HEADLINE + "\n"))

    def cast(self, processes: Mapping[str, int]) -> None:
        """Everybody is connected: who plays, and what the colours mean. From here on the footer stands."""
        self._processes = processes
        for part in CAST:
            line = Text.assemble("  ", self._dot(part.agent_id), " ", (f"{part.agent_id:<9}", LANES[part.agent_id]))
            line.append(f" {part.role:<22} process {processes[part.agent_id]}")
            self._print(line)
        self._print(Text(""))
        for pair in (PRIORITIES[:2], PRIORITIES[2:]):
            legend = Text("  ")
            for priority in pair:
                legend.append(f" {priority:^9} ", STYLES[priority])
                legend.append(f" {_MEANINGS[priority]:<20}")
            self._print(legend)
        self._print(Text(""))
        if self._fancy:
            self._live.start()

    def said(self, message: Said, deliveries: int) -> None:
        """A message is in the file."""
        self._messages += 1
        self._deliveries[message.priority] += deliveries
        if message.priority == "info":
            return
        line = Text(f"{message.at_s:5.1f} ")
        line.append(f" {message.priority:<9} ", STYLES[message.priority])
        line.append(f" {message.sender:>8}", LANES.get(message.sender, ""))
        line.append(self._mark(" → ", " > "), "dim")
        line.append(f"{message.to or 'all':<8} ", LANES.get(message.to or "", "dim"))
        line.append(" ".join(message.text.split()), "bold" if message.priority == "interrupt" else "")
        self._print(line)

    def acknowledged(self) -> None:
        """A delivery was acknowledged."""
        self._acknowledged += 1

    def died(self, at_s: float, agent_id: str, process: int, *, killed: bool) -> None:
        """A server process is gone."""
        how = f"is killed (SIGKILL {process}) holding a message" if killed else f"ended unexpectedly ({process})"
        line = Text(f"{at_s:5.1f} {self._mark('✗', 'x')} {agent_id} {how}; the others go on", "bold red")
        self._print(line)

    def returned(self, at_s: float, agent_id: str, waited: int) -> None:
        """A new process took the agent over."""
        told = f"{agent_id} is back under its id: {waited} messages waited in the file"
        self._print(Text(f"{at_s:5.1f} {self._mark('●', '*')} {told}", "bold green"))

    def closing(self, account: Account, ok: bool, notes: Sequence[str]) -> None:
        """The account, at the end."""
        self.stop()
        self._print(Text(""))
        self._print(Rule("what the file says, read after all processes ended", characters=self._mark("─", "-")))
        self._console.print(account_text(account, ok, notes, unicode=not self._plain), soft_wrap=True)

    def stop(self) -> None:
        """Take the footer away."""
        if self._live.is_started:
            self._live.stop()

    def _footer(self) -> Group:
        who = Text(" ")
        for part in CAST:
            alive = bool(self._processes.get(part.agent_id))
            who.append_text(self._dot(part.agent_id) if alive else Text(self._mark("✗", "x"), "bold red"))
            who.append(f" {part.agent_id}", LANES[part.agent_id] if alive else "red strike")
            who.append("   ")
        bars = Text(" ")
        most = max(self._deliveries.values(), default=1)
        for priority in PRIORITIES:
            count = self._deliveries[priority]
            bars.append(f"{priority} ")
            bars.append(self._mark("▇", "=") * -(-count * _BAR // (most * 2)), STYLES[priority].split(" on ")[-1])
            bars.append(f" {count}  ")
        total = sum(self._deliveries.values())
        counts = f" {self._messages} messages, {total} deliveries, {self._acknowledged} acknowledged, "
        waiting = Text(f"{max(0, total - self._acknowledged)} waiting", "bold")
        return Group(Rule(characters=self._mark("─", "-"), style="dim"), who, bars, Text(counts).append_text(waiting))

    def _print(self, line: Text | Rule) -> None:
        self._console.print(line, no_wrap=True, overflow="ellipsis" if not self._plain else "crop")

    def _dot(self, agent_id: str) -> Text:
        return Text(self._mark("●", "*"), LANES[agent_id])

    def _mark(self, symbol: str, plain: str) -> str:
        return plain if self._plain else symbol
