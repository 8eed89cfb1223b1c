"""What other rooms hold for an agent goes along when it turns out to be another, or begins a new session.

This room knows none of them. Each that holds something has a module ``holdings`` for it, which is loaded when the first
agent moves; what an agent holds is changed by the room whose table it stands in.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from comity.kernel.hints import Any
from comity.kernel.scope import Scope

_OF_AGENTS = ("claims", "work", "tasks", "plans", "channels", "turns")
_OF_SESSIONS = ("claims", "tasks")


def hand_over(scope: Scope, old: str, new: str, session_id: str) -> None:
    """All that one agent holds and that waits for it is another's from now on, in this session."""
    for room in _OF_AGENTS:
        _holdings(room).hand_over(scope, old, new, session_id)


def follow_session(scope: Scope, old_session_id: str, session_id: str) -> None:
    """What an agent holds goes over into its new session."""
    for room in _OF_SESSIONS:
        scope.tx.run(f"{room}.follow_session", session_id=session_id, old_session_id=old_session_id)


@cache
def _holdings(room: str) -> Any:
    return import_module(f"comity.rooms.{room}.holdings")
