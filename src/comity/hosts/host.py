"""What there is to know about one agent host, as data; each host is a module of its own next to this one.

A hook loads the module of its own host only, so nothing heavy is imported here or there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from comity.kernel.hints import Literal
from comity.kernel.named_tuple import NamedTuple

SERVER = "macp"  # the original's name too: under another one both would start, and one agent have two identities
COMMAND = "comity"
ARGS = ("mcp",)
ORIGINALS = ("macp-mcp", "macp-server")

REMOTE = "/mcp?tools="  # in the address of every entry for a server elsewhere

STDIO: dict[str, object] = {"command": COMMAND, "args": list(ARGS)}
ROOT_VARIABLE = "MACP_PROJECT_ROOT"


class Include(NamedTuple):
    """A list in the host's file that must hold ``value``; a missing list begins with ``also`` after it."""

    path: tuple[str, ...]
    value: str
    also: tuple[str, ...] = ()


Version = tuple[int, ...]  # 2.1.120 as (2, 1, 120)


class Span(NamedTuple):
    """The versions of a host that take something that is written for it, and what goes without it.

    ``greatest`` is empty where every later one takes it. ``harmful``: a version that does not take it drops more than
    that, so it is written only for versions that are known to; ``instead`` is the event that stands in for it then.
    """

    least: Version
    greatest: Version = ()
    lost: str = ""
    harmful: bool = False
    instead: str = ""

    def holds(self, version: Version) -> bool:
        """Whether this version takes it."""
        return self.least <= version and (not self.greatest or version <= self.greatest)


def events(moments: Mapping[str, object], **matchers: str) -> tuple[tuple[str, str | None], ...]:
    """Events to install: all that the host has, with the matchers of those that take one."""
    return tuple((event, matchers.get(event)) for event in moments)


def ends_well(_: str) -> str:
    """The end of a command, for hosts that take one that fails for a refusal."""
    return "|| true"


class Wiring(NamedTuple):
    """Where a host's hooks stand, and how. ``file`` is relative to the checkout, ``hooked`` are events with matchers.

    ``form`` is ``groups`` (for each event, groups of a matcher and its hooks; ``root`` leads to the events), ``list``
    (for each event a list of hooks below ``hooks``), ``bundle`` (groups below ``comity``), or ``file``: the whole file
    is ``whole``, for the path of the program. ``timeout`` is what a hook's time is called, ``second`` one second in the
    host's unit. ``typed``: each hook says that it is a command; ``named`` is its name. ``end`` ends an event's command.
    """

    file: str
    hooked: tuple[tuple[str, str | None], ...]
    form: Literal["groups", "list", "bundle", "file"]
    root: tuple[str, ...] = ("hooks",)
    timeout: str = "timeout"
    second: int = 1
    typed: bool = True
    named: str = ""
    end: Callable[[str], str] = lambda _: ""
    # An event of ours next to the host's, for a hook that waits: the host's event that starts it, and what it needs.
    idle: tuple[str, str, dict[str, object]] | None = None
    inline: str = ""  # another file, in TOML, in which the hooks stand where it has some already
    toml: bool = False  # the file is TOML
    shared: bool = False  # it is committed with other settings
    silent: bool = False  # its commands say nothing and end well where their program is gone
    defaults: tuple[tuple[tuple[str, ...], object], ...] = ()  # keys that a new file needs
    whole: Callable[[str], str] | None = None
    todo: str = ""  # what the user has to do before the host runs them
    trusted: Callable[[str, str], bool | None] | None = None  # whether the host says so, by checkout and file
    oldest: Version = ()  # the first version of the host that hooks are written for; empty: versions do not matter
    spans: Mapping[str, Span] = {}  # by event, or by event and field of its answer: what not every version takes
    host: str = ""  # its name and title, put in where all are listed
    title: str = ""

    @property
    def events(self) -> tuple[str, ...]:
        """The events that are hooked, each once."""
        return tuple(dict.fromkeys(event for event, _ in self.hooked))


class UserHookFile(NamedTuple):
    """The file of a host's user-level hooks: ``name`` in the folder of ``variable``, else in ``folder`` of the home."""

    variable: str
    folder: str
    name: str
    todo: str = ""  # what the user has to do before the host runs them


class Host(NamedTuple):
    """A host, its project file and its hooks. ``checked`` is the day the fact was looked up at ``source``."""

    name: str
    title: str
    source: str
    checked: str
    file: str = ""  # of its servers, relative to the checkout; empty: a project has none
    section: tuple[str, ...] = ()  # the keys that lead to the servers in that file
    entry: dict[str, object] = {}
    program: str | None = None  # the command that starts the host, where it has one
    format: str = "json"  # or "toml"
    others: tuple[str, ...] = ()  # other names the file may have; an existing one is used when ``file`` is missing
    defaults: tuple[tuple[tuple[str, ...], object], ...] = ()  # keys that are added when missing
    includes: tuple[Include, ...] = ()
    note: str = ""  # what the user has to do or to know
    http: dict[str, object] | None = None  # the entry for a server elsewhere, where the host speaks HTTP; URL is it
    bearer: dict[str, object] | None = None  # what a token adds to that: TOKEN_ENV names its variable
    hooks: Wiring | None = None
    user_hooks: UserHookFile | None = None
    aliases: tuple[str, ...] = ()  # how its name also begins: as an MCP client, as a program, in hooks
    session: str = ""  # the environment variable that holds its session id
    folder: str = ""  # the one that holds the folder it was opened in
    # Where a call's ``_meta`` has the id of its session, and of its thread: paths of keys, the first with an id counts.
    # A thread is a subagent unless it is the session, and stands for a session that is not told.
    session_keys: tuple[tuple[str, ...], ...] = ()
    thread_keys: tuple[tuple[str, ...], ...] = ()
    instructions: tuple[str, ...] = ()  # the files of instructions that it reads instead of AGENTS.md
    yields: tuple[str, ...] = ()  # files of instructions that it reads only where no AGENTS.md stands
    yields_below: bool = False  # also those of folders below the one with AGENTS.md
    yields_also: Callable[[str], tuple[str, ...]] | None = None  # further ones by its settings, for a checkout
    variables: tuple[str, ...] = ()  # further files of a project that set variables for what it starts


def starts(entry: object) -> str | None:
    """Which implementation a server entry starts: ``comity``, ``macp`` (the original) or None."""
    if not isinstance(entry, dict):
        return None
    if any(REMOTE in str(entry.get(key)) for key in ("url", "httpUrl")):
        return "comity"
    words: list[object] = []
    for key in ("command", "args"):
        value = entry.get(key)
        words += value if isinstance(value, list) else [value]
    names = [_program(word) for word in words if isinstance(word, str)]
    if COMMAND in names:
        return "comity"
    return "macp" if any(name in ORIGINALS for name in names) else None


def _program(word: str) -> str:
    """``/opt/bin/comity.exe`` or ``comity@1.2`` as ``comity``."""
    name = word.replace("\\", "/").rsplit("/", 1)[-1].lower()
    return name.partition("@")[0].removesuffix(".exe").removesuffix(".cmd")
