"""Repositories that bring links: in place of the database, of what lies beside it, and of whole folders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.hostile.registry import OWN, Door, Repository, add, hostile
from tests.hostile.world import World

_LOG_BYTES = 1_100_000  # a log that is turned over
BELLS = tuple(f"{number:02}" for number in range(32))


def _user_file(path: Path, world: World) -> None:
    world.link(path, world.bashrc)


def _relative(path: Path, world: World) -> None:
    world.link(path, "../../../.bashrc")


def _folder(path: Path, world: World) -> None:
    world.link(path, world.elsewhere)


def _dangling(path: Path, world: World) -> None:
    world.link(path, world.me / ".ssh" / "authorized_keys2")


def _zero(path: Path, world: World) -> None:
    world.link(path, "/dev/zero")


def _pipe(path: Path, world: World) -> None:
    world.link(path, world.fifo(world.folder / "docs" / "pipe"))


def _chain(path: Path, world: World) -> None:
    world.link(world.folder / "docs" / "a", "b")
    world.link(world.folder / "docs" / "b", "../../../.bashrc")
    world.link(path, "../docs/a")


_HOW: dict[str, tuple[str, Callable[[Path, World], None]]] = {
    "user-file": ("a link to the user's .bashrc", _user_file),
    "relative": ("a relative link to the user's .bashrc", _relative),
    "folder": ("a link to a folder outside", _folder),
    "dangling": ("a link to a key file of the user that is not there", _dangling),
    "zero": ("a link to /dev/zero", _zero),
    "pipe": ("a link to a pipe that nobody writes", _pipe),
    "chain": ("a link to a link that leads out", _chain),
}

# Suffix of the database's name, and the links that are tried there.
_BESIDE = {
    "": ("user-file", "dangling", "pipe"),
    ".hooks.log": ("user-file", "dangling", "pipe", "chain"),
    ".hooks.log.1": ("user-file",),
    "-wal": ("relative", "zero"),
    "-shm": ("dangling",),
    "-journal": ("user-file",),
    ".capture": ("folder",),
}


def _beside(suffix: str, how: str) -> None:
    what, make = _HOW[how]

    def build(folder: Path, world: World) -> None:
        path = world.beside(suffix)
        make(path, world)
        world.track(path)
        if suffix == ".hooks.log.1":
            world.track(world.write(world.beside(".hooks.log"), "x" * _LOG_BYTES))

    title = suffix.strip(".-") or "database"
    named = (_name(suffix),) if suffix else ("link", "not a regular file", "leads out", "outside")
    add(Repository(f"{title}-{how}", f"shop.macp.db{suffix} is {what}.", build, named, OWN))


def _name(suffix: str) -> str:
    """The name of a file beside the database."""
    return f"shop.macp.db{suffix}"


for _suffix, _ways in _BESIDE.items():
    for _way in _ways:
        _beside(_suffix, _way)


@hostile("$(cd;touch PWNED)", doors=OWN)
def log_line_for_a_shell(folder: Path, world: World) -> None:
    """F1: the log of a database that cannot be opened is a link to .bashrc, and its path is a shell command."""
    name = "$(cd;touch PWNED).db"
    database = world.write(world.macp / "d" / name, "no database\n" * 400)
    log = world.link(world.macp / "d" / f"{name}.hooks.log", "../../../../.bashrc")
    world.track(database, log)
    world.settings(f'db = ".macp/d/{name}"\n')


@hostile(".bell", doors=OWN)
def bells_are_links(folder: Path, world: World) -> None:
    """F2: every bell is a link to the user's private key."""
    world.track(*(world.link(world.beside(".bell") / name, world.secret) for name in BELLS))


@hostile(".bell", doors=OWN)
def bells_are_pipes(folder: Path, world: World) -> None:
    """Every bell is a pipe that nobody reads."""
    for name in BELLS:
        world.fifo(world.beside(".bell") / name)


@hostile(".bell", doors=OWN)
def bell_folder_is_a_link(folder: Path, world: World) -> None:
    """The folder of the bells is a link to a folder of the user."""
    world.track(world.link(world.beside(".bell"), world.elsewhere))


@hostile(".bell", doors=OWN)
def bell_folder_is_a_file(folder: Path, world: World) -> None:
    """The folder of the bells is a file."""
    world.track(world.write(world.beside(".bell"), "no folder\n"))


@hostile(".hooks.log", doors=OWN)
def log_is_a_hard_link(folder: Path, world: World) -> None:
    """The hooks' log is a second name of the user's .bashrc."""
    world.hard_link(world.beside(".hooks.log"), world.bashrc)


@hostile(".bell", doors=OWN)
def bells_are_hard_links(folder: Path, world: World) -> None:
    """Every bell is a second name of the user's private key."""
    for name in BELLS:
        world.hard_link(world.beside(".bell") / name, world.secret)


@hostile("hard link", "several names", "other name", "names", doors=OWN)
def database_is_a_hard_link(folder: Path, world: World) -> None:
    """The database is a second name of another project's database."""
    world.hard_link(world.database, world.other_database)


def _macp_is(name: str, what: str, to: Callable[[World], Path | str]) -> None:
    def build(folder: Path, world: World) -> None:
        world.git("rm", "-rqf", "--cached", "--", ".macp")
        world.track(world.link(world.macp, to(world)))

    add(Repository(f"macp-{name}", f".macp is a link to {what}.", build, ("link", "outside", "leads out"), OWN))


_macp_is("elsewhere", "a folder of the user", lambda world: world.elsewhere)
_macp_is("dangling", "a folder in the home that is not there", lambda world: "../../new")
_macp_is("other", "that of another project", lambda world: "../other/.macp")
_macp_is("git", "the git folder", lambda world: ".git")


def _masc_is(name: str, inner: str, what: str, to: Callable[[World], Path | str], *named: str) -> None:
    def build(folder: Path, world: World) -> None:
        world.track(world.link(world.masc / inner if inner else world.masc, to(world)))

    title = f".masc/{inner}" if inner else ".masc"
    doors: tuple[Door, ...] = ("mcp", "serve", "status", "doctor", "init")
    add(Repository(f"masc-{name}", f"{title} is a link to {what}.", build, named or (title,), doors))


def _today(world: World) -> str:
    return f"server-{datetime.now(UTC):%Y-%m-%d}.jsonl"


_masc_is("elsewhere", "", "a folder of the user", lambda world: world.elsewhere)
_masc_is("dangling", "", "a folder in the home that is not there", lambda world: "../../new")
_masc_is("config", "config", "a folder of the user", lambda world: world.elsewhere)
_masc_is("logs", "logs", "a folder of the user", lambda world: world.elsewhere)
_masc_is("lock-file", "server.lock", "the user's .bashrc", lambda world: world.bashrc, "server.lock")
_masc_is("auth-file", "auth/config.json", "the user's notes", lambda world: world.notes, "auth/config.json")
_masc_is("personas", "config/personas", "a folder of the user", lambda world: world.elsewhere, "personas")
_masc_is("persona", "config/personas/builder.toml", "the user's notes", lambda world: world.notes, "builder.toml")


@hostile(".masc/logs", doors=("serve", "status", "doctor"))
def server_log_is_a_link(folder: Path, world: World) -> None:
    """The server's log of today is a link to the user's .bashrc."""
    world.track(world.link(world.masc / "logs" / _today(world), world.bashrc))


@hostile("server.lock", doors=("serve", "status", "doctor"))
def server_lock_is_a_pipe(folder: Path, world: World) -> None:
    """The server's lock is a pipe."""
    world.fifo(world.masc / "server.lock")


def _init_target(name: str, inner: str, to: Callable[[World], Path | str]) -> None:
    def build(folder: Path, world: World) -> None:
        world.track(world.link(folder / inner, to(world)))

    doors: tuple[Door, ...] = ("hooks", "doctor", "init", "canary")
    add(Repository(f"init-{name}", f"{inner} is a link out of the repository.", build, (inner,), doors, few=True))


_init_target("ignore", ".macp/.gitignore", lambda world: world.bashrc)
_init_target("record", ".macp/init.json", lambda world: world.notes)
_init_target("agents", "AGENTS.md", lambda world: "../../notes.txt")
_init_target("claude", ".claude", lambda world: world.elsewhere)
_init_target("mcp", ".mcp.json", lambda world: world.me / ".mcp.json")
_init_target("cursor", ".cursor", lambda world: "../../.config")
_init_target("exclude", ".github", lambda world: ".git")
