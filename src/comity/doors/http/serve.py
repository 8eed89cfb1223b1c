"""``comity serve``: from the command line to a server that is about to listen, and what may keep it from that.

Options and environment variables are read here by hand and nothing heavy is imported before they are understood:
``--print-port`` answers at once, and a user without the server's parts is told how to install them.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from importlib.util import find_spec

from comity import settings
from comity.command_line import Command, parse, refuse
from comity.kernel.problem import Conflict, Forbidden, Invalid, Problem, Unavailable
from comity.kernel.text import json_line
from comity.server.address import address_of
from comity.server.auth.authority import Authority, check_bind
from comity.server.auth.config import AuthConfig
from comity.server.folder.layout import prepare
from comity.server.folder.lock import ServerLock
from comity.server.folder.options import OPTIONS, ServerSettings, settle
from comity.server.folder.port import FIRST, FIXED
from comity.server.log import entry
from comity.setting_list import SETTINGS, Aside, Setting, as_path, told
from comity.settings import Settings
from comity.workspace import Workspace

PARTS = ("granian", "prometheus_client", "starlette")
INSTALL = "pip install 'comity[server]'"
_BACKLOG = 1024
_ASK_S = 1.0  # for a program that listens on the port already to say who it is
_TARGET = Setting(
    "target_dir",
    ("MASC_BASE_PATH",),
    "",
    "A folder of the project; the working directory when not set.",
    kind=as_path,
    unit="FOLDER",
)
_SHARED = ("db", "project_id", "durability")  # settings of the workspace that are options here, too
_OPTIONS = (
    _TARGET,
    *OPTIONS,
    *(one for one in SETTINGS if one.name in _SHARED),
    Setting("print_port", (), False, "Print the port and end; nothing is made.", kind=bool),
    Setting("loopback", (), False, f"This machine only, port {FIXED}.", kind=bool),
    Setting(
        "full",
        (),
        False,
        f"Every transport there is, port {FIXED}: WebSockets have a port of their own, too.",
        kind=bool,
    ),
)
COMMAND = Command(
    "comity serve",
    f"""\
Serve this project's workspace over the network: MCP, REST, live events. One server for each project;
its port follows from the project's folder ({FIRST} and up) unless it is set. Ctrl-C ends it.
The environment variables in brackets do the same as the option; .masc/config/server.toml comes last.""",
    _OPTIONS,
    "comity serve --target-dir ~/shop --port 9200",
)
Open = Callable[[Settings], Workspace]
Tend = Callable[[Workspace, float, Callable[[], object]], None]


def main(arguments: list[str], open_workspace: Open, tend: Tend) -> int:
    """Run ``comity serve`` with these arguments; the exit code. ``tend`` starts what a server does by the clock."""
    try:
        given = parse(COMMAND, arguments)
        target = _target(given)
        project = settings.resolve(given, _environment(target), target)
        own = settle(given, os.environ, project.root, loopback="loopback" in given, full="full" in given)
        if "print_port" in given:
            print(own.port)
            return 0
        return _serve(project, own, open_workspace, tend)
    except Problem as problem:
        return refuse(problem)


def _target(given: Mapping[str, str]) -> str:
    """The folder that was named, absolute; empty when none was. Raises Invalid ``target.missing``."""
    target: str = told((_TARGET,), given, os.environ, {}).get(_TARGET.name, "")
    if target and not os.path.isdir(target):
        raise Invalid("target.missing", f"There is no folder {target}.", "Give --target-dir a folder of the project.")
    return target


def _environment(target: str) -> Mapping[str, str]:
    """The environment; where the folder was named, nothing else may name it."""
    if not target:
        return os.environ
    return {name: value for name, value in os.environ.items() if name not in settings.PLACES}


def _serve(project: Settings, own: ServerSettings, open_workspace: Open, tend: Tend) -> int:
    _require_parts()
    folder = prepare(project.root)
    lock = ServerLock.take(folder)
    try:
        config = AuthConfig.read(folder)
        _tell((*project.aside, *own.aside, *config.aside), own.log_format)
        with open_workspace(project) as workspace:
            address = address_of(own)
            authority = Authority(workspace, config, required=check_bind(workspace, address.host, config))
            with ExitStack() as sockets:
                bound = sockets.enter_context(listening(address.host, address.port))
                ws_bound = sockets.enter_context(listening(address.host, address.ws_port)) if address.ws_port else None
                from comity.doors.http.startup_shutdown import ServerRun  # what it stands on takes a while to load

                tend(workspace, own.retention_days, authority.note_used)
                address = address._replace(port=bound.getsockname()[1])
                return ServerRun(workspace, authority, address, own, folder, lock, project.job_minutes * 60).run(
                    bound, ws_bound
                )
    finally:
        lock.release()


def _tell(left: tuple[Aside, ...], log_format: str) -> None:
    """Say what files of the tree ask for and do not get, as the lines of the log look."""
    for one in left:
        text = f"set aside: {one.text} ({one.file}); comity trust agrees"
        line = json_line(entry("warning", "setting.aside", text))
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
