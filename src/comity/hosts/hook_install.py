"""The hooks that ``comity init`` installs in each host's file.

A hook's command names the running executable by its absolute path: a host's environment may have no PATH, and a path
to a script that is missing would make an interpreter fail with 2, which hosts take for a block. Such a path belongs to
one machine, so it goes only into files that git does not track; those that git does not ignore by themselves are
named in ``info/exclude``. A file that git tracks, and one that hosts share with their committed settings, gets
``comity`` from PATH instead.
"""

from __future__ import annotations

import os
import shlex
import shutil
import site
import sys
from importlib.util import find_spec

from comity import launcher
from comity.hosts import compiled_launcher
from comity.hosts.catalog import HOSTS
from comity.hosts.host import Wiring
from comity.hosts.jsonc_edit import Path
from comity.kernel.named_tuple import NamedTuple

BY_PATH = "comity"
# Without a quote, since it stands in quotes of shells and of JSON; the launcher's folder follows it.
LAUNCH = (
    "import posix,sys;D=sys.argv.pop(1);sys.path.insert(0,D);"
    "posix.access(D,posix.R_OK)or posix._exit(127);import asking;asking.main(D)"
)
_LAUNCHED = ("-I", "-S", "-c", LAUNCH)
TIMEOUT_S = 10
_SHORT_S = 3  # where a host allows no more
_SHORT = "SessionEnd"
_OR_NOTHING = ">/dev/null 2>&1 || exit 0; "
_DAY_S = 86_400  # for a hook that waits next to an idle session
WIRINGS = tuple(host.hooks._replace(host=host.name, title=host.title) for host in HOSTS if host.hooks is not None)


class Piece(NamedTuple):
    """What is to stand in a host's file: ``value`` at ``path``, or in the list there (``listed``)."""

    path: Path
    value: object
    listed: bool = True


def running() -> str:
    """How a host starts a hook of this Comity, as a shell takes it: the launcher (``comity.launcher``).

    That is the interpreter by its absolute path, isolated and without site, so that nothing of a project runs in it; it
    ends as a missing program does when Comity is gone. Where there are no servers to be asked: the executable.
    """
    if not (sys.platform.startswith("linux") and _stands_alone()):
        return executable()
    compiled = compiled_launcher.found(launched())
    return shlex.quote(compiled) if compiled else shlex.join(launched())


def _stands_alone() -> bool:
    """Whether an interpreter that looks at no environment finds what Comity needs: beside it, or where packages are."""
    found = find_spec("apsw")
    places = [
        os.path.dirname(os.path.dirname(launcher.__path__[0])),
        *site.getsitepackages(),
        site.getusersitepackages(),
    ]
    folder = os.path.dirname(found.origin) if found is not None and found.origin else ""
    return os.path.realpath(os.path.dirname(folder)) in map(os.path.realpath, places)


def launched() -> tuple[str, ...]:
    """The Python launcher of this Comity: the words that start it, without those of the hook."""
    return (sys.executable, *_LAUNCHED, os.path.dirname(launcher.__file__))


def is_launcher(words: list[str], checkout: str) -> bool:
    """Whether these words start the launcher of an installed Comity, one that does not lie in this checkout."""
    if len(words) != len(_LAUNCHED) + 2 or tuple(words[1:-1]) != _LAUNCHED:
        return False
    folder = words[-1]
    own = os.path.join("comity", "launcher")
    inside = bool(checkout) and os.path.realpath(folder).startswith(os.path.join(checkout, ""))
    return os.path.isabs(folder) and folder.endswith(os.sep + own) and not inside


def executable() -> str:
    """How to start this Comity, as a shell takes it: the absolute path of its executable, in quotes where needed."""
    installed = os.path.join(os.path.dirname(sys.executable), "comity")
    called = os.path.abspath(sys.argv[0]) if os.path.basename(sys.argv[0]) == "comity" else ""
    for path in (called, installed, shutil.which("comity") or ""):
        if path and os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK):
            return shlex.quote(path)
    return f"{shlex.quote(sys.executable)} -m comity"


def command(program: str, host: str, event: str, end: str = "", silent: bool = False) -> str:
    """What the host runs for an event; ``silent``: nothing, where the program is gone."""
    lead = f"command -v {shlex.quote(shlex.split(program)[0])} {_OR_NOTHING}" if silent else ""
    return f"{lead}{program} hook {host} {event} {end}".rstrip()


def program_of(text: str, host: str) -> str:
    """The program that an installed command runs, as a shell takes it."""
    lead = text.partition(f" hook {host} ")[0]
    return lead.rpartition(_OR_NOTHING)[2]


def ours(value: object, host: str) -> bool:
    """Whether a piece of a host's file runs Comity's hook, of whatever path."""
    if isinstance(value, str):
        words = value.replace("'", " ").replace('"', " ").split()
        return any(
            words[at : at + 2] == ["hook", host] and "comity" in " ".join(words[:at]).lower()
            for at in range(len(words))
        )
    if isinstance(value, dict):
        return any(ours(inside, host) for inside in value.values())
    return isinstance(value, list) and any(ours(inside, host) for inside in value)


def pieces(wiring: Wiring, program: str) -> tuple[Piece, ...]:
    """What stands in the host's file when its hooks run ``program``; nothing when the whole file is ours."""
    if wiring.form == "bundle":
        bundle = {event: [_matching(wiring, program, event, matcher)] for event, matcher in wiring.hooked}
        return (Piece(("comity",), bundle, listed=False),)
    return tuple(_piece(wiring, program, event, matcher) for event, matcher in wiring.hooked if wiring.form != "file")


def _piece(wiring: Wiring, program: str, event: str, matcher: str | None) -> Piece:
    if wiring.idle is not None and event == wiring.idle[0]:
        _, event_added, more = wiring.idle
        waiting = {**_entry(wiring, command(program, wiring.host, event, silent=wiring.silent), _DAY_S), **more}
        return Piece((*wiring.root, event_added), {"hooks": [waiting]})
    return Piece((*wiring.root, event), _matching(wiring, program, event, matcher))


def _matching(wiring: Wiring, program: str, event: str, matcher: str | None) -> dict[str, object]:
    """An event's hook with its matcher; ``groups`` hold hooks, and so do those groups of a bundle that match."""
    run = command(program, wiring.host, event, wiring.end(event), wiring.silent)
    hook = _entry(wiring, run, _SHORT_S if event == _SHORT else TIMEOUT_S)
    grouped = wiring.form == "groups" or (wiring.form == "bundle" and matcher is not None)
    found: dict[str, object] = {"hooks": [hook]} if grouped else hook
    return found if matcher is None else {"matcher": matcher, **found}


def _entry(wiring: Wiring, run: str, wait_s: int) -> dict[str, object]:
    found: dict[str, object] = {"type": "command"} if wiring.typed else {}
    found |= {"command": run} | ({"name": wiring.named} if wiring.named else {})
    return {**found, wiring.timeout: wait_s * wiring.second}


def wirings(names: tuple[str, ...] | None) -> tuple[Wiring, ...]:
    """The hooks of these hosts, all for None."""
    return tuple(one for one in WIRINGS if names is None or one.host in names)
