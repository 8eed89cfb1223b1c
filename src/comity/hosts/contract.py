"""The form that every host's hook events and answers are translated to. An adapter translates; it decides nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Container, Iterable, Mapping
from importlib import import_module

from comity.kernel.hints import Any, Literal
from comity.kernel.named_tuple import NamedTuple

SESSION = "comity-canary-session"  # of samples
OWN_TOOLS = r"mcp__macp__.+|(?:mcp_|MCP:)?(?:macp|masc)[_-].+"  # Comity's, as hosts call them
_MOST_WORD = 60
Moment = Literal["start", "prompt", "before", "after", "stop", "idle", "end", "other"]


class HostEvent(NamedTuple):
    """One event of a host, in the form that is common to all.

    ``start``: a context begins, ``end``: the session is over (``source`` says why); ``prompt``: the user spoke;
    ``before``: a tool is about to run, on ``files`` or with a shell ``command``; ``after``: a tool or a batch of them
    ran; ``stop``: the agent wants to stop; ``idle``: its turn is over, and this hook waits next to it. ``moved``: the
    model has answered since the last answer that could inject. ``session_id`` is empty for a host that does not tell
    it: then its process stands for the session.
    """

    moment: Moment
    session_id: str
    subagent_id: str = ""
    cwd: str = ""
    source: str = "startup"
    tool: str = ""
    files: tuple[str, ...] = ()
    command: str = ""
    unknown: str = ""  # tools that may write anything: what they changed is looked for afterwards
    moved: bool = False
    again: bool = False  # the agent goes on already since a hook asked it to
    last: bool = False  # no hook follows when this is refused: what is new goes with the refusal
    rests: bool = False  # the turn is over when nothing keeps it going
    glance: bool = False  # next to an idle session: look once, do not wait


class HookReply(NamedTuple):
    """What Comity says; all empty: nothing. ``inject`` is for the model's context, ``refuse`` says why a tool must not
    run, ``go_on`` why the agent should not stop, ``wake`` why an idle one should go on.
    """

    inject: str = ""
    refuse: str = ""
    go_on: str = ""
    wake: str = ""


NOTHING = HookReply()


class HookOutput(NamedTuple):
    """What the hook writes, and the code it ends with."""

    out: str = ""
    err: str = ""
    code: int = 0


class Abilities(NamedTuple):
    """What a host lets its hooks do; ``comity doctor`` and the documentation print it."""

    mid_turn: bool  # inject between two tool calls
    at_prompt: bool  # inject when the user speaks
    refuse: bool  # keep a tool call from running
    ask: bool  # have the user decide
    stop: bool  # keep the agent going at the end of its turn
    warn: bool  # say something before a tool that may run; else it is said at the next chance
    wake: str = ""  # the host's own way to wake an idle agent
    proven: str = ""  # the version of the real program that this was tried with; empty: documentation only
    source: str = ""
    checked: str = ""


def nothing(_: str) -> HookOutput:
    """No word, and success: what most hosts take as no objection."""
    return HookOutput()


class Adapter(NamedTuple):
    """One host. ``events`` are those that ``comity init`` installs, with their matcher (None: it takes none).

    ``read`` makes one form of an event and its payload; None for what is of no interest, and for another host that
    runs this one's hooks. ``write`` answers in the host's shape; with an empty reply it must let the agent go on.
    ``neutral`` lets an event go on of which nothing is known, ``guards`` are the events that precede an edit.
    ``sample`` is a payload: an event, in a folder, of an edit of a file there, as the host would tell it.
    ``waker`` is the module of a program that wakes a session, for a host whose hooks cannot do that by an answer.
    """

    host: str
    abilities: Abilities
    events: tuple[tuple[str, str | None], ...]
    read: Callable[[str, Mapping[str, Any]], HostEvent | None]
    write: Callable[[str, HostEvent, HookReply], HookOutput]
    sample: Callable[[str, str, str], dict[str, Any]]
    neutral: Callable[[str], HookOutput] = nothing
    guards: tuple[str, ...] = ()
    waker: str = ""


class Reach(NamedTuple):
    """What a call of a tool may change: files, and what its shell command does. ``unknown``: the tool's name, where it
    may write anything besides.
    """

    files: tuple[str, ...] = ()
    command: str = ""
    unknown: str = ""


NO_REACH = Reach()


def foreign(tool: str, asked: Mapping[str, Any], cwd: str, known: Container[str]) -> Reach:
    """What a tool may change that is none of the host's own: ``known`` are those. Comity's own tools change nothing."""
    if not tool or tool in known or re.match(OWN_TOOLS, tool):
        return NO_REACH
    found: Reach = import_module("comity.hosts.foreign_tools").reach(tool, asked, cwd)
    return found


def all_but(tools: Iterable[str]) -> str:
    """A matcher of every tool but these and Comity's own, for hosts whose matchers can look ahead."""
    return f"^(?!(?:{'|'.join(tools)}|{OWN_TOOLS})$).+"


def adapter_of(host: str) -> Adapter | None:
    """The host's adapter, of which only its own module is loaded; None for a host that is not known."""
    name = host.replace("-", "_")
    if not name.isidentifier():
        return None
    try:
        adapter: Adapter | None = getattr(import_module(f"comity.hosts.{name}"), "ADAPTER", None)
    except ModuleNotFoundError:
        return None
    return adapter if adapter is not None and adapter.host == host else None


def usual(event: str, folder: str, tool: str, **asked: object) -> dict[str, Any]:
    """A sample in the form that most hosts use."""
    transcript = os.path.join(folder, "transcript.jsonl")
    told = {"session_id": SESSION, "transcript_path": transcript, "cwd": folder, "hook_event_name": event}
    return {**told, "source": "startup", "tool_name": tool, "tool_input": asked}


def why(moment: Moment, payload: Mapping[str, Any]) -> str:
    """Why a context begins or, at its end, why that is over, in the host's word (``clear``: it begins anew); empty for
    what is no word.
    """
    if moment != "end":
        return begins(payload)
    word = text(payload, "reason", "trigger").strip().lower()
    return word if word.isidentifier() and len(word) <= _MOST_WORD else ""


def begins(payload: Mapping[str, Any]) -> str:
    """Why a context begins, ``startup`` for reasons that are not known (a fork is a session of its own)."""
    source = text(payload, "source")
    return source if source in ("resume", "clear", "compact") else "startup"


def text(payload: Mapping[str, Any], *names: str) -> str:
    """The first of these keys that holds text."""
    for name in names:
        value = payload.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def inner(payload: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The first of these keys that holds an object, or one as JSON text; else an empty one."""
    for name in names:
        value = payload.get(name)
        if isinstance(value, str) and value.lstrip().startswith("{"):
            value = parsed(value)
        if isinstance(value, dict):
            return value
    return {}


def paths(asked: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """The files that a tool's arguments name, each once: texts, lists of texts, and objects that hold such."""
    found: dict[str, None] = {}
    for name in names:
        value = asked.get(name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one:
                found[one] = None
            elif isinstance(one, dict):
                found |= dict.fromkeys(paths(one, *names))
    return tuple(found)


def said(content: Mapping[str, object]) -> HookOutput:
    """An answer that is one JSON document; none for an empty one."""
    return HookOutput(json.dumps(content)) if content else HookOutput()


def parsed(value: str) -> object:
    """The value of a JSON text; None for another text."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
