"""What ``init`` has written, executed once: whether the programs that hosts will start are there, answer, and stay."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import comity
from comity import settings as project_settings
from comity.hosts import canary, files, hook_edit
from comity.hosts.catalog import ADAPTERS, hosts
from comity.hosts.hook_install import BY_PATH, program_of, running, wirings
from comity.hosts.host import STDIO, Wiring
from comity.hosts.jsonc import MalformedJsonc
from comity.hosts.layout import in_place
from comity.hosts.plan import Plan
from comity.hosts.versions import everything
from comity.kernel.problem import Problem
from comity.process import ThisProcess, absent
from comity.workspace import from_settings

HOW = "`uv tool install comity` or `pipx install comity` puts it where it stays"
_CACHES = (os.path.join(".cache", ""), os.path.join("uv", "archive-"), os.path.join("uv", "builds-"), "pip-ephem")


def notes(made: Plan) -> Iterator[str]:
    """What the user is to know of the programs that the written files start."""
    if not made.writes:
        return
    starting = _starting(made)
    if starting and shutil.which(BY_PATH) is None:
        more = f" and {len(starting) - 1} more" if len(starting) > 1 else ""
        yield f"{BY_PATH} is not on PATH: {starting[0]}{more} name it so, and no host can start the server; {HOW}"
    if (cached := _cached()) is not None:
        yield f"Comity runs from a cache, {cached}: what names it breaks when the cache is emptied; {HOW}"
    tried: set[str] = set()
    for wiring in wirings(made.options.hosts) if made.options.hooks else ():
        placed = in_place(wiring, made.checkout)
        commands = _installed(placed, made.checkout)
        program = program_of(next(iter(commands.values()), ""), placed.host)
        if not program or program in tried or (program == BY_PATH and shutil.which(BY_PATH) is None):
            continue
        tried.add(program)
        if wrong := answers(placed.host, commands):
            yield f"hooks in {placed.file} do not answer: {wrong}; {HOW}"


def answers(host: str, commands: dict[str, str]) -> str:
    """What is wrong when the hook of a session's start is run once as it is installed; empty: nothing.

    It runs in a project made for it. ``commands`` are those that ``vouched`` found.
    """
    start = ADAPTERS[host].events[0][0]
    if start not in commands:
        return ""
    try:
        (first, *_) = canary.fly(host, {start: commands[start]}, {commands[start]}, prepare)
    except Problem as problem:
        return f"they cannot be tried here: {problem.message}"
    except OSError as error:
        return f"they cannot be tried here: {error.strerror or error}"
    return first.wrong


def vouched(text: str, wiring: Wiring) -> dict[str, str]:
    """The commands in a host's file, by event, that this Comity would write there: others may have come with somebody's
    repository, and are not run. Raises MalformedJsonc.
    """
    known = hook_edit.written(text, everything(wiring), (running(), BY_PATH))
    return {event: command for event, command in hook_edit.commands(text, wiring).items() if command in known}


def _installed(wiring: Wiring, checkout: Path) -> dict[str, str]:
    """Those of the file as it is now; none of a file that cannot be read."""
    try:
        data = files.look(checkout, wiring.file).data
        return vouched(files.decode(wiring.file, data)[1], wiring) if data else {}
    except (Problem, MalformedJsonc):
        return {}


def prepare(folder: str) -> None:
    """A project in ``folder``, in which a peer holds a file."""
    os.mkdir(os.path.join(folder, ".macp"))
    resolved = project_settings.resolve({"agent_id": canary.PEER}, {}, folder)
    with from_settings(resolved, ThisProcess(absent("comity", "", folder))) as peer:
        peer.call("session.start", {})
        peer.call("claim.acquire", {"files": [canary.HELD]})


def _starting(made: Plan) -> list[str]:
    """The files that start the server by its name."""
    by_name = {name for host in hosts() if STDIO["command"] in _words(host.entry) for name in (host.file, *host.others)}
    return (
        [change.name for change in made.changes if change.name in by_name and change.after]
        if not made.options.url
        else []
    )


def _words(entry: dict[str, object]) -> list[object]:
    found = entry.get("command")
    return found if isinstance(found, list) else [found]


def _cached() -> str | None:
    """The place that this Comity runs from, where it is one that is emptied from time to time."""
    places = (os.path.abspath(sys.argv[0]), sys.executable, os.path.dirname(comity.__file__))
    passing = os.path.join(os.path.realpath(tempfile.gettempdir()), "")
    for place in places:
        if any(part in place for part in _CACHES) or os.path.realpath(place).startswith(passing):
            return place
    return None
