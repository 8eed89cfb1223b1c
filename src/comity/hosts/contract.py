"""One form for what every host's hooks say and want to hear. An adapter translates; it decides nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from comity.kernel.hints import Any, Literal
from comity.kernel.named_tuple import NamedTuple

Moment = Literal["start", "prompt", "before", "after", "stop", "idle", "end", "other"]


class Heard(NamedTuple):
    """What a host told, in one form.

    ``start``: a context begins (``source`` says why); ``prompt``: the user spoke; ``before``: a tool is about to run,
    on ``files`` or with a shell ``command``; ``after``: a tool or a batch of them ran; ``stop``: the agent wants to
    stop; ``idle``: its turn is over, and this hook waits beside it; ``end``: the session is over. ``moved``: the model
    has answered since the last answer that could inject. ``session_id`` is empty for a host that does not tell it: then
    its process stands for the session.
    """

    moment: Moment
    session_id: str
    subagent_id: str = ""
    cwd: str = ""
    source: str = "startup"
    tool: str = ""
    files: tuple[str, ...] = ()
    command: str = ""
    moved: bool = False
    again: bool = False  # the agent goes on already since a hook asked it to
    last: bool = False  # no hook follows when this is refused: what is new goes with the refusal
    rests: bool = False  # the turn is over when nothing keeps it going
    glance: bool = False  # beside an idle session: look once, do not wait


class Reply(NamedTuple):
    """What Comity says; all empty: nothing. ``inject`` is for the model's context, ``refuse`` says why a tool must not
    run, ``go_on`` why the agent should not stop yet, ``wake`` why an idle one should go on.
    """

    inject: str = ""
    refuse: str = ""
    go_on: str = ""
    wake: str = ""


NOTHING = Reply()


class Answer(NamedTuple):
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


def nothing(_: str) -> Answer:
    """No word, and success: what most hosts take as no objection."""
    return Answer()


class Adapter(NamedTuple):
    """One host. ``events`` are those that ``comity init`` installs, with their matcher (None: it takes none).

    ``read`` makes one form of an event and its payload; None for what is of no interest, and for another host that
    runs this one's hooks. ``write`` answers in the host's shape; with an empty reply it must let the agent go on.
    ``neutral`` lets an event go on of which nothing is known, ``guards`` are the events that precede an edit.
    ``waker`` is the module of a program that wakes a session, for a host whose hooks cannot do that by an answer.
    """

    host: str
    abilities: Abilities
    events: tuple[tuple[str, str | None], ...]
    read: Callable[[str, Mapping[str, Any]], Heard | None]
    write: Callable[[str, Heard, Reply], Answer]
    neutral: Callable[[str], Answer] = nothing
    guards: tuple[str, ...] = ()
    waker: str = ""


def begins(payload: Mapping[str, Any]) -> str:
    """Why a context begins, ``startup`` for reasons that nobody knows yet (a fork is a session of its own)."""
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
            value = _parsed(value)
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


def said(content: Mapping[str, object]) -> Answer:
    """An answer that is one JSON document; none for an empty one."""
    return Answer(json.dumps(content)) if content else Answer()


def _parsed(value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
