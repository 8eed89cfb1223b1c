"""Checks of the sessions that are at work: whether hooks are heard of each, without which nobody checks its edits, and
whether one session is in several processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from comity.doors.cli.findings import Finding, fail, ok, warn
from comity.doors.cli.screen import count
from comity.hosts import hookless
from comity.setting_list import shown

CHECK = "Sessions"
_HERE = ("alive", "leased")
_HINT = (
    "Run `comity init` where that host was started, and trust the project in it; or `comity init --user-hooks`, which "
    "works in every folder. Then start the host anew."
)
_NONE = "That host has no hooks: its agent has to claim files and look for messages by itself."


def of_agents(listed: Iterable[Any]) -> Iterator[Finding]:
    """Of the agents that are listed, those whose host runs no hook, and those that share a session id."""
    agents = [one for one in listed if one.presence is not None and one.presence.state in _HERE]
    bare = [one for one in agents if not one.presence.hooks]
    for one in bare:
        where = f" in {shown(one.presence.worktree, 300)}" if one.presence.worktree else ""
        program, name = shown(one.presence.program), shown(one.name)
        what = f"no hooks of {program} are heard for {name}{where}: nobody checks its edits"
        if one.presence.program.casefold().startswith(hookless.NAMES):
            yield warn(CHECK, what, _NONE)
        else:
            yield fail(CHECK, what, _HINT)
    twice = {frozenset((one.agent_id, *one.presence.doubles)): one for one in agents if one.presence.doubles}
    for ids, one in twice.items():
        names = ", ".join(shown(agent_id) for agent_id in sorted(ids))
        told = f"{len(ids)} processes run under the session id {shown(one.presence.host_session_id)}: {names}"
        yield warn(CHECK, told, "Each is an agent of its own, but they write one transcript: end one, or fork.")
    if agents and not (bare or twice):
        yield ok(CHECK, f"{count(len(agents), 'agent')}, none without hooks, each with a session of its own")
