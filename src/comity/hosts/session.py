"""Which session of its host a server or a call belongs to: what the environment, the process and ``_meta`` tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comity.kernel.scope import HostSession
from comity.process import host_process
from comity.settings import Settings

_MOST = 200  # characters of an id
# By the host's short name in the environment: its name for hooks.
_HOSTS = {"claude": "claude-code", "gemini": "gemini-cli"}


def supposed(resolved: Settings) -> HostSession:
    """The host's session as far as the server's environment and its host's process tell."""
    pid, started = host_process()
    return HostSession(
        _HOSTS.get(resolved.program, resolved.program),
        resolved.host_session_id,
        "",
        pid,
        started,
        hearsay=True,
        server=resolved.session_id,
        named=resolved.agent_id if resolved.named else "",
    )


def told(meta: Mapping[str, Any], supposition: HostSession) -> HostSession:
    """The session that a call's ``_meta`` names; what is supposed when it names none."""
    found = _in_meta(meta)
    if found is None:
        return supposition
    host, session_id, subagent_id = found
    return HostSession(host, session_id, subagent_id, supposition.pid, supposition.started, named=supposition.named)


def _in_meta(meta: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Host, session and subagent. Codex runs a subagent in a thread of its own within the session."""
    turn = meta.get("x-codex-turn-metadata")
    turn = turn if isinstance(turn, dict) else {}
    thread = _id(turn.get("thread_id")) or _id(meta.get("threadId"))
    session = _id(turn.get("session_id")) or thread
    if session:
        return "codex", session, thread if thread != session else ""
    for key, host in (("sessionID", "opencode"), ("vscode.conversationId", "vscode")):
        if found := _id(meta.get(key)):
            return host, found, ""
    return None


def _id(value: object) -> str:
    return value if isinstance(value, str) and 0 < len(value) <= _MOST and value.isprintable() else ""
