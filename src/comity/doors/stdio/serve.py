"""``comity mcp``: one agent session's MCP server over standard input and output.

Started by the agent's host; registers the agent, joins its channel, serves until the host closes the pipe or sends a
signal, and deregisters. Options and environment variables are those of the protocol (reference section 6.2); they are
read here by hand, since a command-line framework would double the start.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from comity import settings
from comity.declared import SETTINGS
from comity.dialects.dialect import Dialect
from comity.dialects.macp.dialect import MacpDialect
from comity.doors.stdio.program import serve
from comity.doors.stdio.seated import Seated
from comity.hosts.session import supposed
from comity.kernel.problem import Invalid, Problem
from comity.workspace import Workspace, from_settings

_IGNORED = {"--schema-path": "the schema is part of the package"}


def main(arguments: list[str], open_workspace: Callable[[settings.Settings], Workspace] = from_settings) -> int:
    """Run ``comity mcp`` with these arguments; the exit code. ``open_workspace`` may bring loops along."""
    if arguments and arguments[0] == "server":
        arguments = arguments[1:]
    if arguments and arguments[0] in ("help", "--help", "-h"):
        print(usage())
        return 0
    try:
        resolved = settings.resolve(parse(arguments), os.environ, os.getcwd())
        surface = _surface(resolved, open_workspace)
    except Problem as problem:
        print(f"error: {problem.message}\nhint: {problem.hint}", file=sys.stderr)
        return problem.exit_code
    for one in resolved.aside:
        print(f"comity mcp: set aside: {one.text} ({one.file}); comity trust agrees", file=sys.stderr)
    begun = threading.Event()
    threading.Thread(target=_begin, args=(surface, begun), daemon=True).start()
    ended = serve(surface, begun=begun)
    surface.end(ended.reason)
    return ended.exit_code


def parse(arguments: list[str]) -> dict[str, str | None]:
    """``--name value`` and ``--name=value`` as settings; the last of a repeated option wins. Raises Invalid."""
    known = {setting.flag: setting.name for setting in SETTINGS}
    flags: dict[str, str | None] = {}
    rest = list(arguments)
    while rest:
        word, joined, value = rest.pop(0).partition("=")
        if word not in known and word not in _IGNORED:
            raise Invalid("option.unknown", f"comity mcp has no option {word!r}.", "`comity mcp --help` lists them.")
        if not joined:
            if not rest or rest[0].startswith("--"):
                raise Invalid("option.value", f"{word} needs a value.", f"Write {word} VALUE or {word}=VALUE.")
            value = rest.pop(0)
        if word in _IGNORED:
            print(f"comity mcp: {word} is ignored: {_IGNORED[word]}", file=sys.stderr)
        else:
            flags[known[word]] = value
    return flags


def usage() -> str:
    """The help text."""
    rows = [f"  {setting.flag:<24} {setting.doc} [{setting.env}]" for setting in SETTINGS]
    return "\n".join(
        [
            "Usage: comity mcp [options]",
            "",
            "Serve one agent session over standard input and output (MCP). Agent hosts start this themselves:",
            "`comity init` writes it into their configuration. The environment variable in brackets does the same as",
            "the option; MACP_PROJECT_ROOT names the folder in which to look for the project.",
            "",
            *rows,
            "",
            "Example: comity mcp --agent-id planner --channel backend",
        ]
    )


def _surface(resolved: settings.Settings, open_workspace: Callable[[settings.Settings], Workspace]) -> Seated:
    return Seated(_dialect(resolved), lambda: open_workspace(resolved), supposed(resolved))


def _dialect(resolved: settings.Settings) -> Dialect:
    if resolved.surface == "macp":
        return MacpDialect(resolved.tools)
    from comity.dialects.masc.dialect import MascDialect

    return MascDialect()


def _begin(surface: Seated, begun: threading.Event) -> None:
    """Register before whoever connects is answered; a failure is told by the first call."""
    try:
        surface.ready()
    except Problem as problem:
        print(f"comity mcp: {problem.message} {problem.hint}", file=sys.stderr)
    finally:
        begun.set()
