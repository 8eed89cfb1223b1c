"""The commands: name, where it is, and one line. Each is imported when it is called or its help is asked for."""

from __future__ import annotations

from typing import Any

from comity import __version__
from comity.doors.cli.screen import Screen
from comity.kernel.named_tuple import NamedTuple

STDIN = "\0-"  # what the parser is given for an argument of "-"; no argument can hold a NUL
HELP = "Let many coding agents work in one repository: a message bus on one SQLite file."


class Entry(NamedTuple):
    """One command. ``where`` is ``module:attribute`` below ``comity.doors.cli``."""

    name: str
    where: str
    summary: str


GROUPS: dict[str, tuple[Entry, ...]] = {
    "Set up": (
        Entry("init", "setup:init", "Tell every agent host of this repository about Comity"),
        Entry("doctor", "doctor:doctor", "Find out what is wrong, and what to do about it"),
        Entry("trust", "trust:trust", "Agree to settings that came with the repository, or take it back"),
        Entry("demo", "plain:demo", "Watch four agents work through one file"),
    ),
    "Look": (
        Entry("status", "overview:status", "Who is here, what waits for whom, what happened last"),
        Entry("agents", "overview:agents", "The agents that are here"),
        Entry("claims", "claims:claims", "Who works on which files"),
        Entry("tail", "tail:tail", "Follow what happens, live"),
    ),
    "Take part": (
        Entry("send", "messages:send", "Send to a channel, or to one agent"),
        Entry("poll", "messages:poll", "Fetch pending messages, most urgent first"),
        Entry("read", "messages:read", "Read one message whole"),
        Entry("receipts", "receipts:receipts", "What became of messages: queued, injected, seen, acknowledged"),
        Entry("ack", "messages:ack", "Acknowledge a message, so that it does not come back"),
        Entry("claim", "claims:claim", "Claim files, folders or globs before editing them"),
        Entry("release", "claims:release", "Release claimed files"),
        Entry("join", "messages:join", "Join a channel"),
        Entry("leave", "messages:leave", "Leave a channel, or all and end the session"),
    ),
    "Work": (
        Entry("tasks", "tasks:tasks", "The tasks: who does what, what is ready"),
        Entry("task", "tasks:task", "Dispatch, take, do and give back a task"),
        Entry("goals", "goals:goals", "The goals as trees, with their progress"),
    ),
    "Know": (
        Entry("memory", "memory:memory", "What agents remember together: list, set, search, settle"),
        Entry("profiles", "profiles:profiles", "The roles that agents can take on"),
        Entry("vault", "vault:vault", "The project's documents: add a folder, search, show"),
        Entry("context", "vault:context", "What is known about something, scored by the words it holds"),
        Entry("search", "vault:search", "The same by relevance, whole words"),
    ),
    "Keep": (Entry("prune", "upkeep:prune", "Remove what is old and finished"),),
    "Serve": (
        Entry("serve", "plain:serve", "Serve this project over the network: MCP, REST, live events"),
        Entry("service", "units:service", "Have the server start with your session: systemd or launchd"),
        Entry("token", "tokens:token", "Who may use the server over the network: create, list, revoke"),
    ),
    "For programs": (
        Entry("mcp", "plain:mcp", "Serve one agent session over MCP (agent hosts start this)"),
        Entry("call", "plain:call", "Run any operation by name"),
        Entry("schema", "describe:schema", "Tables, SQL, operations and an agent prompt, as JSON"),
        Entry("completion", "plain:completion", "Completion for bash, zsh or fish"),
        Entry("version", "plain:version", "Versions of Comity, Python and SQLite"),
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
