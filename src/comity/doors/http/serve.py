"""``comity serve``: from the command line to a server that is about to listen, and what may keep it from that.

Options and environment variables are read here by hand and nothing heavy is imported before they are understood:
``--print-port`` answers at once, and whoever did not install the server's parts is told how.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from importlib.util import find_spec
from typing import NamedTuple

from comity import settings
from comity.declared import SETTINGS, Aside
from comity.kernel.problem import Conflict, Forbidden, Invalid, Problem, Unavailable
from comity.server.address import place_of
from comity.server.auth.authority import Authority, check_bind
from comity.server.auth.config import AuthConfig
from comity.server.folder.layout import prepare
from comity.server.folder.lock import ServerLock
from comity.server.folder.options import OPTIONS, ServerSettings, settle
from comity.server.folder.port import FIRST, FIXED
from comity.settings import Settings
from comity.workspace import Workspace

PARTS = ("granian", "prometheus_client", "starlette")
INSTALL = "pip install 'comity[server]'"
_BACKLOG = 1024
_ASK_S = 1.0  # for whoever listens on the port already to say who it is
_WORKSPACE = ("db", "project_id", "durability")  # settings of the workspace that are options here, too
_SWITCHES = {
    "--print-port": "Print the port and end; nothing is made.",
    "--loopback": f"This machine only, port {FIXED}.",
    "--full": f"Every transport there is, port {FIXED}: WebSockets have a port of their own, too.",
}
Open = Callable[[Settings], Workspace]
Tend = Callable[[Workspace, float, Callable[[], object]], None]


class Asked(NamedTuple):
    """What the command line says. ``given`` are the server's settings, ``workspace`` those of the workspace."""

    target_dir: str
    given: dict[str, list[str]]
    workspace: dict[str, str | None]
    switches: frozenset[str]


def main(arguments: list[str], open_workspace: Open, tend: Tend) -> int:
    """Run ``comity serve`` with these arguments; the exit code. ``tend`` starts what a server does by the clock."""
    if set(arguments) & {"--help", "-h"} or arguments[:1] == ["help"]:
        print(usage())
        return 0
    try:
        asked = parse(arguments)
        project = settings.resolve(asked.workspace, _environment(asked), asked.target_dir)
        own = settle(
            asked.given,
            os.environ,
            project.root,
            loopback="--loopback" in asked.switches,
            full="--full" in asked.switches,
        )
        if "--print-port" in asked.switches:
            print(own.port)
            return 0
        return _serve(project, own, open_workspace, tend)
    except Problem as problem:
        print(f"error: {problem.message}\nhint: {problem.hint}", file=sys.stderr)
        return problem.exit_code


def parse(arguments: list[str]) -> Asked:
    """``--name value`` and ``--name=value``; the last wins, except where several may stand. Raises Invalid."""
    own = {option.flag: option for option in OPTIONS}
    lent = {setting.flag: setting.name for setting in SETTINGS if setting.name in _WORKSPACE}
    target = ""
    given: dict[str, list[str]] = {}
    workspace: dict[str, str | None] = {}
    switches: set[str] = set()
    rest = list(arguments)
    while rest:
        word, joined, value = rest.pop(0).partition("=")
        if word in _SWITCHES and not joined:
            switches.add(word)
            continue
        if word not in own and word not in lent and word != "--target-dir":
            raise Invalid(
                "option.unknown", f"comity serve has no option {word[:80]!r}.", "`comity serve --help` lists them."
            )
        if not joined:
            if not rest or rest[0].startswith("--"):
                raise Invalid("option.value", f"{word} needs a value.", f"Write {word} VALUE or {word}=VALUE.")
            value = rest.pop(0)
        if word == "--target-dir":
            target = value
        elif word in lent:
            workspace[lent[word]] = value
        else:
            before = given.get(own[word].name, []) if own[word].repeated else []
            given[own[word].name] = [*before, value]
    target = target or os.environ.get("MASC_BASE_PATH", "").strip()
    if target and not os.path.isdir(target):
        raise Invalid("target.missing", f"There is no folder {target}.", "Give --target-dir a folder of the project.")
    return Asked(os.path.abspath(target) if target else "", given, workspace, frozenset(switches))


def usage() -> str:
    """The help text."""
    rows = [("--target-dir P", "A folder of the project; the working directory when not set. [MASC_BASE_PATH]")]
    rows += [(f"{option.flag} {option.value}", f"{option.doc} [{', '.join(option.env)}]") for option in OPTIONS]
    rows += [
        (f"{one.flag} {'FILE' if one.name == 'db' else 'X'}", f"{one.doc} [{one.env}]")
        for one in SETTINGS
        if one.name in _WORKSPACE
    ]
    rows += list(_SWITCHES.items())
    return "\n".join(
        [
            "Usage: comity serve [options]",
            "",
            "Serve this project's workspace over the network: MCP, REST, live events. One server for each project;",
            f"its port follows from the project's folder ({FIRST} and up) unless it is set. Ctrl-C ends it.",
            "The environment variables in brackets do the same as the option; .masc/config/server.toml comes last.",
            "",
            *(f"  {flag:<28} {doc}" for flag, doc in rows),
            "",
            "Example: comity serve --target-dir ~/shop --port 9200",
        ]
    )


def _environment(asked: Asked) -> Mapping[str, str]:
    """The environment; where the folder was named, nothing else may name it."""
    if not asked.target_dir:
        return os.environ
    elsewhere = ("MACP_PROJECT_ROOT", "CLAUDE_PROJECT_DIR")
    return {name: value for name, value in os.environ.items() if name not in elsewhere}


def _serve(project: Settings, own: ServerSettings, open_workspace: Open, tend: Tend) -> int:
    _require_parts()
    folder = prepare(project.root)
    lock = ServerLock.take(folder)
    try:
        config = AuthConfig.read(folder)
        _tell((*project.aside, *own.aside, *config.aside), own.log_format)
        with open_workspace(project) as workspace:
            place = place_of(own)
            authority = Authority(workspace, config, required=check_bind(workspace, place.host, config))
            with ExitStack() as sockets:
                bound = sockets.enter_context(listening(place.host, place.port))
                beside = sockets.enter_context(listening(place.host, place.ws_port)) if place.ws_port else None
                from comity.doors.http.life import Life  # what it stands on takes a while to load

                tend(workspace, own.retention_days, authority.note_used)
                place = place._replace(port=bound.getsockname()[1])
                return Life(workspace, authority, place, own, folder, lock).run(bound, beside)
    finally:
        lock.release()


def _tell(left: tuple[Aside, ...], log_format: str) -> None:
    """Say what files of the tree ask for and do not get, as the lines of the log look."""
    for one in left:
        text = f"set aside: {one.text} ({one.file}); comity trust agrees"
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"ts": at, "level": "warning", "event": "setting.aside", "message": text})
        print(line if log_format == "json" else f"comity serve: {text}", file=sys.stderr)


def _require_parts() -> None:
    missing = [name for name in PARTS if find_spec(name) is None]
    if missing:
        raise Unavailable(
            "server.not_installed",
            f"The server needs parts that are not installed: {', '.join(missing)}.",
            f"Install them with: {INSTALL}",
            missing=missing,
        )


def listening(host: str, port: int) -> socket.socket:
    """A bound socket that listens. Raises Conflict ``port.busy``, Forbidden, Invalid."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise Invalid("address.unknown", f"{host} is no address of this machine.", "Give --host another.") from None
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share the port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(_BACKLOG)
        bound.setblocking(False)
    except PermissionError:
        bound.close()
        raise Forbidden("port.forbidden", f"You may not listen on port {port}.", "Take one above 1023.") from None
    except OSError as error:
        bound.close()
        if error.errno is not None and error.strerror and "in use" in error.strerror.lower():
            raise _busy(host, port) from None
        raise Invalid("address.unknown", f"{host}:{port}: {error.strerror}.", "Give --host another address.") from None
    return bound


def _busy(host: str, port: int) -> Conflict:
    who = "A Comity server of another folder" if _is_comity(host, port) else "Another program"
    return Conflict(
        "port.busy",
        f"{who} listens on {host}:{port}.",
        f"Choose another port with --port, or end that program (`lsof -i :{port}` names it).",
        port=port,
    )


def _is_comity(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=_ASK_S)
    try:
        connection.request("GET", "/health")
        return b'"comity"' in connection.getresponse().read(1000)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
