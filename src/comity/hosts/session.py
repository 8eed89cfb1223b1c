"""The host's session that a server or a call belongs to, as the environment, the process and ``_meta`` tell."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from comity.kernel.scope import HostSession
from comity.process import host_process
from comity.settings import Settings

_MOST = 200  # characters of an id
# The host that puts such a key into ``_meta``, as the module of that name has it (a test compares them).
IN_META = {
    "x-codex-turn-metadata": "codex",
    "threadId": "codex",
    "sessionID": "opencode",
    "vscode.conversationId": "vscode",
}


def supposed(resolved: Settings) -> HostSession:
    """The host's session as far as the server's environment and its host's process tell."""
    pid, started = host_process()
    return HostSession(
        resolved.host,
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
    """Host, session and subagent, in the words of the first host whose keys are there; only its module is loaded."""
    for host in dict.fromkeys(host for key, host in IN_META.items() if key in meta):
        known = import_module(f"comity.hosts.{host}").HOST
        thread = _id(meta, known.thread_keys)
        session = _id(meta, known.session_keys) or thread
        if session:
            return host, session, thread if thread != session else ""
    return None


def _id(meta: Mapping[str, Any], paths: tuple[tuple[str, ...], ...]) -> str:
    """The first id that stands at one of these paths; empty when there is none."""
    for path in paths:
        value: object = meta
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, str) and 0 < len(value) <= _MOST and value.isprintable():
            return value
    return ""
