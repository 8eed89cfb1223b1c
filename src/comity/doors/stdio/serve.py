"""``comity mcp``: one agent session's MCP server over standard input and output.

Started by the agent's host; registers the agent, joins its channel, serves until the host closes the pipe or sends a
signal, and deregisters. Options and environment variables are those of the protocol (reference section 6.2).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping

from comity import settings
from comity.dialects.dialect import Dialect
from comity.dialects.macp.dialect import MacpDialect
from comity.doors.stdio.agent_session import AgentSession
from comity.doors.stdio.program import Runner, serve
from comity.hosts.session import supposed
from comity.kernel.hints import Any, Protocol
from comity.kernel.problem import Invalid, Problem
from comity.project import CONFIG, FOLDER, locate
from comity.setting_list import SETTINGS, Setting
from comity.workspace import Workspace, from_settings

_ABOUT = """\
Serve one agent session over standard input and output (MCP). Agent hosts start this themselves:
`comity init` writes it into their configuration. The environment variable in brackets does the same as
the option; MACP_PROJECT_ROOT names the folder in which to look for the project."""
_EXAMPLE = "comity mcp --agent-id planner --channel backend"


class Session(Runner, Protocol):
    """What runs the agent's calls, until the server ends."""

    def end(self, reason: str) -> None:
        """Close what was opened."""


def _no_hooks(_: settings.Settings) -> Callable[[], None]:
    return lambda: None


def main(
    arguments: list[str],
    open_workspace: Callable[[settings.Settings], Workspace] = from_settings,
    answer_hooks: Callable[[settings.Settings], Callable[[], None]] = _no_hooks,
) -> int:
    """Run ``comity mcp`` with these arguments; the exit code. ``open_workspace`` may bring loops along.

    ``answer_hooks`` has the server answer hooks of its host, too, and says what ends that.
    """
    if arguments and arguments[0] == "server":
        arguments = arguments[1:]
    try:
        resolved, complaint = _settings(parse(arguments))
        dialect = _dialect(resolved)
    except Problem as problem:
        print(f"error: {problem.message}\nhint: {problem.hint}", file=sys.stderr)
        return problem.exit_code
    for one in resolved.aside:
        print(f"comity mcp: set aside: {one.text} ({one.file}); comity trust agrees", file=sys.stderr)

    def session_of(found: settings.Settings) -> AgentSession:
        first: list[Callable[[Workspace, str], str]] = []

        def also(workspace: Workspace, client: Mapping[str, Any]) -> str:
            if not first:
                from comity.doors.stdio import more_hooks
                from comity.doors.stdio.first_answer import FirstAnswer  # with the first answer, not at the start

                first.append(FirstAnswer(found, complaint).words)
                threading.Thread(target=more_hooks.write, args=(found, client), daemon=True).start()
            return first[0](workspace, str(client.get("name") or ""))

        return AgentSession(lambda: open_workspace(found), supposed(found), joins=dialect.joins, also=also)

    ends: list[Callable[[], None]] = []

    def answer(found: settings.Settings) -> settings.Settings:
        ends.append(answer_hooks(found))
        return found

    session: Session = session_of(resolved)
    if outside := is_outside(resolved):
        from comity.doors.stdio.outside import Outside

        def settle() -> settings.Settings | None:
            found, _ = _settings(parse(arguments))
            return None if is_outside(found) else answer(found)

        session = Outside(settle, session_of, resolved.actor)
    begun = threading.Event()
    threading.Thread(
        target=_begin, args=(session, begun, (lambda: resolved) if outside else (lambda: answer(resolved))), daemon=True
    ).start()
    ended = serve(dialect, session, begun=begun)
    for end in ends:
        end()
    session.end(ended.reason)
    return ended.exit_code


def _settings(flags: dict[str, str]) -> tuple[settings.Settings, str]:
    """The settings, and what is wrong with them: a file that is spoiled keeps no server from starting. Raises Problem
    for a wrong option or variable.
    """
    try:
        return settings.resolve(flags, os.environ, os.getcwd()), ""
    except Invalid as error:
        from comity import spoiled_settings

        found = spoiled_settings.around(flags, os.environ, os.getcwd(), error, variables=False)
        complaint = spoiled_settings.complaint(error)
        print(f"comity mcp: {complaint}", file=sys.stderr)
        return found, complaint


def is_outside(resolved: settings.Settings) -> bool:
    """Whether these settings are of no project: neither a workspace nor a repository, and nobody named a database."""
    root = resolved.root
    if os.path.dirname(resolved.db) != os.path.join(root, FOLDER) or os.path.lexists(resolved.db):
        return False
    if os.path.lexists(os.path.join(root, FOLDER, CONFIG)):
        return False
    if root in (os.path.realpath(os.path.expanduser("~")), os.path.abspath(os.sep)):
        return True
    return not (resolved.git or os.path.isdir(os.path.join(root, FOLDER)) or locate(root).repository)


def parse(arguments: list[str]) -> dict[str, str]:
    """The options as settings. Raises Invalid."""
    if not arguments:
        return {}
    from comity.command_line import Command, parse  # most hosts give none

    schema = Setting("schema_path", (), None, "Ignored: the schema is part of the package.")
    given = parse(Command("comity mcp", _ABOUT, (*SETTINGS, schema), _EXAMPLE), arguments)
    if given.pop(schema.name, None) is not None:
        print(f"comity mcp: {schema.flag} is ignored: the schema is part of the package", file=sys.stderr)
    return given


def _dialect(resolved: settings.Settings) -> Dialect:
    if resolved.surface == "macp":
        return MacpDialect(resolved.tools)
    from comity.dialects.masc.dialect import MascDialect

    return MascDialect()


def _begin(session: Session, begun: threading.Event, answer: Callable[[], object]) -> None:
    """Register before the client is answered; a failure is told by the first call. Then ``answer`` hooks."""
    try:
        session.ready()
    except Problem as problem:
        print(f"comity mcp: {problem.message} {problem.hint}", file=sys.stderr)
    else:
        begun.set()
        answer()
    finally:
        begun.set()
