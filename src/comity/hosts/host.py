"""What there is to know about one agent host, as data; each host is a module of its own beside this one."""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple

SERVER = "macp"  # the original's name too: under another one both would start, and one agent have two identities
COMMAND = "comity"
ARGS = ("mcp",)
ORIGINALS = ("macp-mcp", "macp-server")

REMOTE = "/mcp?tools="  # in the address of every entry for a server elsewhere

STDIO: dict[str, object] = {"command": COMMAND, "args": list(ARGS)}
ROOT_VARIABLE = "MACP_PROJECT_ROOT"


class Include(NamedTuple):
    """A list in the host's file that must hold ``value``; a missing list begins with ``beside`` after it."""

    path: tuple[str, ...]
    value: str
    beside: tuple[str, ...] = ()


class Host(NamedTuple):
    """A host and its project file. ``checked`` is the day the fact was looked up at ``source``."""

    name: str
    title: str
    file: str  # relative to the checkout
    section: tuple[str, ...]  # the keys that lead to the servers in that file
    entry: dict[str, object]
    source: str
    checked: str
    program: str | None = None  # the command that starts the host, where it has one
    format: str = "json"  # or "toml"
    others: tuple[str, ...] = ()  # other names the file may have; an existing one is used when ``file`` is missing
    defaults: tuple[tuple[tuple[str, ...], object], ...] = ()  # keys that are added when missing
    includes: tuple[Include, ...] = ()
    note: str = ""  # what the user has to do or to know
    http: dict[str, object] | None = None  # the entry for a server elsewhere, where the host speaks HTTP; URL is it
    bearer: dict[str, object] | None = None  # what a token adds to that: TOKEN_ENV names its variable


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
