"""``comity service``: have the server of this project start with the user's session."""

from __future__ import annotations

import os
from typing import Any

from cyclopts import App

from comity import settings
from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Screen
from comity.kernel.problem import Conflict, Invalid, Unavailable
from comity.server.folder.layout import masc_folder
from comity.server.folder.lock import running_server
from comity.server.folder.unit import Unit, unit_of

_TARGET = Option("target_dir", str | None, "A folder of the project; the working directory when not set.", None)
_PRINT = Option("print_", bool, "Only show what would be done.", default=False, flags=("--print",))
_MARK = "comity serve"


def _unit(values: Values) -> tuple[Unit, str]:
    target = values.get("target_dir")
    if target is not None and not os.path.isdir(target):
        raise Invalid("target.missing", f"There is no folder {target}.", "Give --target-dir a folder of the project.")
    root = settings.resolve({}, {} if target else os.environ, os.path.abspath(target or ".")).root
    return unit_of(root, os.path.expanduser("~")), root


def _install(_: Invocation, values: Values) -> dict[str, Any]:
    unit, root = _unit(values)
    before = _read(unit.path)
    if before is not None and _MARK not in before.replace("</string>\n    <string>", " "):
        raise Conflict("service.foreign", f"{unit.path} is not Comity's.", "Move it away first.", path=unit.path)
    if not values.get("print_"):
        try:
            os.makedirs(os.path.dirname(unit.path), exist_ok=True)
            with open(unit.path, "w", encoding="utf-8") as file:
                file.write(unit.content)
        except OSError as error:
            raise Unavailable("service.unwritable", f"{unit.path}: {error.strerror}.", "Check the folder.") from None
    done = {"written": not values.get("print_"), "changed": before != unit.content}
    return {"path": unit.path, "root": root, "content": unit.content, "run": list(unit.begin), **done}


def _show_installed(screen: Screen, done: dict[str, Any]) -> None:
    if not done["written"]:
        screen.exact((f"# {done['path']}", "dim"))
        for line in done["content"].splitlines():
            screen.exact((line, ""))
        screen.say("")
    else:
        screen.say(f"Wrote {done['path']}")
    screen.say("Run this to start the server now and with every session:")
    for line in done["run"]:
        screen.exact((f"  {line}", "bold"))


def _uninstall(_: Invocation, values: Values) -> dict[str, Any]:
    unit, _root = _unit(values)
    there = _read(unit.path) is not None
    if there and not values.get("print_"):
        try:
            os.remove(unit.path)
        except OSError as error:
            raise Unavailable("service.unwritable", f"{unit.path}: {error.strerror}.", "Check the folder.") from None
    return {"path": unit.path, "installed": there, "removed": there and not values.get("print_"), "run": list(unit.end)}


def _show_uninstalled(screen: Screen, done: dict[str, Any]) -> None:
    if not done["installed"]:
        screen.say(f"There is no {done['path']}.")
        return
    screen.say(f"{'Removed' if done['removed'] else 'Would remove'} {done['path']}")
    screen.say("Run this to stop a server that it started:")
    for line in done["run"]:
        screen.exact((f"  {line}", "bold"))


def _status(_: Invocation, values: Values) -> dict[str, Any]:
    unit, root = _unit(values)
    found = _read(unit.path)
    return {
        "path": unit.path,
        "installed": found is not None,
        "current": found == unit.content,
        "server": running_server(masc_folder(root)),
        "look": unit.look,
    }


def _show_status(screen: Screen, found: dict[str, Any]) -> None:
    state = "not installed" if not found["installed"] else "installed" if found["current"] else "another version's"
    server = found["server"]
    screen.fields(
        [
            ("Unit", f"{found['path']} ({state})"),
            ("Server", f"{server.url} (process {server.pid})" if server else "none"),
        ]
    )
    if found["installed"]:
        screen.exact((f"  {found['look']}", "bold"))


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


service = App(name="service", version_flags=[])
service.command(
    command(
        _install,
        show=_show_installed,
        options=(_TARGET, _PRINT),
        needs="nothing",
        doc="""Write a unit that starts this project's server with your session: systemd's, or launchd's on macOS.

        Needs no root and starts nothing by itself: it prints what to run.
        """,
        example="comity service install --print",
    ),
    name="install",
)
service.command(
    command(
        _uninstall,
        show=_show_uninstalled,
        options=(_TARGET, _PRINT),
        needs="nothing",
        doc="Remove the unit again.",
        example="comity service uninstall",
    ),
    name="uninstall",
)
_STATUS = command(
    _status,
    show=_show_status,
    options=(_TARGET,),
    needs="nothing",
    doc="Show whether the unit is there, and whether a server runs.",
    example="comity service status",
)
service.default(_STATUS)
service.command(_STATUS, name="status")
