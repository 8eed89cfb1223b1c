"""The commands: name, where it is, and one line. Each is imported when it is called or its help is asked for."""

from __future__ import annotations

from typing import Any

from comity import __version__
from comity.doors.cli.screen import Screen
from comity.kernel.named_tuple import NamedTuple

STDIN = "\0-"  # what the parser is given for an argument of "-"; no argument can hold a NUL
BETWEEN = "\0"  # the words of another program's line
HELP = "Let many coding agents work in one repository: a message bus on one SQLite file."


class CommandEntry(NamedTuple):
    """One command. ``where`` is ``module:attribute`` below ``comity.doors.cli``."""

    name: str
    where: str
    summary: str


GROUPS: dict[str, tuple[CommandEntry, ...]] = {
    "Set up": (
        CommandEntry("init", "setup:init", "Tell every agent host of this repository about Comity"),
        CommandEntry("doctor", "doctor:doctor", "Find out what is wrong, and what to do about it"),
        CommandEntry("trust", "trust:trust", "Agree to settings that came with the repository, or take it back"),
        CommandEntry("demo", "plain:demo", "Watch four agents work through one file"),
    ),
    "Look": (
        CommandEntry("status", "overview:status", "Who is here, what waits for whom, what happened last"),
        CommandEntry("agents", "overview:agents", "The agents that are here"),
        CommandEntry("claims", "claims:claims", "Who works on which files"),
        CommandEntry("tail", "tail:tail", "Follow what happens, live"),
    ),
    "Take part": (
        CommandEntry("send", "messages:send", "Send to a channel, or to one agent"),
        CommandEntry("poll", "messages:poll", "Fetch pending messages, most urgent first"),
        CommandEntry("read", "messages:read", "Read one message whole"),
        CommandEntry("receipts", "receipts:receipts", "What became of messages: queued, injected, seen, acknowledged"),
        CommandEntry("ack", "messages:ack", "Acknowledge a message, so that it does not come back"),
        CommandEntry("claim", "claims:claim", "Claim files or resources before using them, or stand in line"),
        CommandEntry("release", "claims:release", "Release what is claimed, or give up a place in line"),
        CommandEntry("join", "messages:join", "Join a channel"),
        CommandEntry("leave", "messages:leave", "Leave a channel, or all and end the session"),
    ),
    "Work": (
        CommandEntry("tasks", "tasks:tasks", "The tasks: who does what, what is ready"),
        CommandEntry("task", "tasks:task", "Dispatch, take, do and give back a task"),
        CommandEntry("plan", "plans:plan", "The plan of a task: write, note, deliver; which task you work on"),
        CommandEntry("worktree", "worktrees:worktree", "A checkout of its own for each task: add, list, remove"),
        CommandEntry("radar", "radar:radar", "Which checkouts will conflict, before anybody merges"),
        CommandEntry("integrate", "integrate:integrate", "Bring finished branches home, checked together first"),
        CommandEntry("goals", "goals:goals", "The goals as trees, with their progress"),
    ),
    "Know": (
        CommandEntry("memory", "memory:memory", "What agents remember together: list, set, search, settle"),
        CommandEntry("profiles", "profiles:profiles", "The roles that agents can take on"),
        CommandEntry("vault", "vault:vault", "The project's documents: add a folder, search, show"),
        CommandEntry("context", "vault:context", "What is known about something, scored by the words it holds"),
        CommandEntry("search", "vault:search", "The same by relevance, whole words"),
    ),
    "Keep": (
        CommandEntry("jobs", "jobs:jobs", "What runs in the background: list, show, cancel"),
        CommandEntry("rescue", "rescue:rescue", "Copies of uncommitted work: list, show, diff, restore"),
        CommandEntry("pause", "upkeep:pause", "Hold everybody up: no work is taken, no file edited"),
        CommandEntry("resume", "upkeep:resume", "Let everybody go on after a pause"),
        CommandEntry("prune", "upkeep:prune", "Remove what is old and finished"),
    ),
    "Serve": (
        CommandEntry("serve", "plain:serve", "Serve this project over the network: MCP, REST, live events"),
        CommandEntry("service", "units:service", "Have the server start with your session: systemd or launchd"),
        CommandEntry("token", "tokens:token", "Who may use the server over the network: create, list, revoke"),
    ),
    "For programs": (
        CommandEntry("mcp", "plain:mcp", "Serve one agent session over MCP (agent hosts start this)"),
        CommandEntry("call", "plain:call", "Run any operation by name"),
        CommandEntry("schema", "describe:schema", "Tables, SQL, operations and an agent prompt, as JSON"),
        CommandEntry("completion", "plain:completion", "Completion for bash, zsh or fish"),
        CommandEntry("version", "plain:version", "Versions of Comity, Python and SQLite"),
    ),
}
ENTRIES = {entry.name: entry for group in GROUPS.values() for entry in group}


def build() -> Any:
    """The parser (a ``cyclopts.App``), with every command still unloaded."""
    from cyclopts import App, Parameter

    app = App(
        name="comity",
        help=HELP,
        version=f"comity {__version__}",
        help_format="plaintext",
        default_parameter=Parameter(negative_iterable=(), negative_none=()),
        print_error=False,
        exit_on_error=False,
    )
    for title, group in GROUPS.items():
        for entry in group:
            app.command(f"comity.doors.cli.{entry.where}", name=entry.name, group=title)
    return app


def overview(screen: Screen) -> None:
    """What `comity --help` says; no command is loaded for it."""
    screen.say(("Usage: ", "bold"), "comity COMMAND [OPTIONS]")
    screen.say("")
    screen.say(HELP)
    width = max(map(len, ENTRIES)) + 4
    for title, group in GROUPS.items():
        screen.say("")
        screen.say((title, "bold"))
        for entry in group:
            screen.item(f"  {entry.name}", entry.summary, width)
    screen.say("")
    screen.say("Every command takes --json, and --help shows its options with an example.")
    screen.say(("Example: ", "bold"), "comity init, then open your agents here, then comity status")
