"""The resources ``masc://``: what the tools answer, to be read and watched. Each has a twin in JSON, ``masc://x.json``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from comity.dialects.dialect import Ask
from comity.dialects.masc import help as tool_help
from comity.dialects.masc.text import tell
from comity.dialects.masc.words import said, state
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.kernel.quoting import escaped
from comity.kernel.text import readable
from comity.mcp.surface import Listed
from comity.rooms import REGISTRY
from comity.rooms.tasks.machine import MACHINE

SCHEME = "masc://"
_TWIN = ".json"
_HELP = "tool-help"
_INDEX = "tool-help-index"
_TEXT, _JSON = "text/plain", "application/json"
_ACTIONS = {"complete": "done"}


class Resource(NamedTuple):
    """One resource: the operation behind it with what is passed to it, and the tool whose text it has.

    ``groups``: which changes touch it. ``takes``: parameters that its address may have, all whole numbers.
    """

    name: str
    title: str
    op: str
    text: str
    fixed: Mapping[str, Any]
    groups: tuple[str, ...]
    takes: Mapping[str, str]


TASKS, AGENTS, MESSAGES, WORKTREES, EVERY = "tasks", "agents", "messages", "worktrees", "everything"
_ALL = (EVERY, TASKS, AGENTS, MESSAGES)
# What a kind of event may have changed, by how its name begins.
_GROUPS = (
    ("task.", (TASKS,)),
    ("goal.", (TASKS,)),
    ("message.", (MESSAGES,)),
    ("session.", (AGENTS,)),
    ("agent.", (AGENTS, TASKS)),
    ("channel.", (AGENTS,)),
    ("claim.", (AGENTS,)),
    ("worktree.", (WORKTREES,)),
)
RESOURCES = (
    Resource("status", "Who is here and what is to be done", "workspace.overview", "masc_status", {}, _ALL, {}),
    Resource("tasks", "What is to be done", "task.survey", "masc_tasks", {}, (TASKS,), {}),
    Resource("who", "Who is here", "agent.list", "masc_who", {}, (AGENTS,), {}),
    Resource("agents", "The agents", "agent.list", "masc_agents", {}, (AGENTS,), {}),
    Resource(
        "messages",
        "What was said",
        "message.history",
        "masc_messages",
        {"limit": 10, "newest": True},
        (MESSAGES,),
        {"since_seq": "since_seq", "limit": "limit"},
    ),
    Resource("worktrees", "The checkouts", "worktree.list", "masc_worktree_list", {}, (WORKTREES, TASKS), {}),
    Resource("events", "What happened", "event.list", "events", {"newest": 50}, _ALL, {"limit": "newest"}),
    Resource("schema", "The states of a task", "", "schema", {}, (), {}),
    Resource(_INDEX, "What there is help for", "", _INDEX, {}, (), {}),
)
_BY_NAME = {resource.name: resource for resource in RESOURCES}


def listed() -> Listed:
    """What ``resources/list`` answers."""
    return [
        {"uri": f"{SCHEME}{one.name}{twin}", "name": f"{one.name}{twin}", "title": one.title, "mimeType": mime}
        for one in RESOURCES
        for twin, mime in (("", _TEXT), (_TWIN, _JSON))
    ]


def templates() -> Listed:
    """What ``resources/templates/list`` answers."""
    made = [
        {"uriTemplate": f"{SCHEME}{one.name}{{?{','.join(one.takes)}}}", "name": one.name, "title": one.title}
        for one in RESOURCES
        if one.takes
    ]
    help_on = {"uriTemplate": f"{SCHEME}{_HELP}/{{tool_name}}", "name": _HELP, "title": "Help on one tool"}
    return [{**one, "mimeType": _TEXT} for one in (*made, help_on)]


def changed(event_types: Collection[str]) -> tuple[str, ...]:
    """The addresses that events of these types may have changed; whatever happens changes the status and the log."""
    groups = {
        EVERY,
        *(group for start, some in _GROUPS for one in event_types if one.startswith(start) for group in some),
    }
    return tuple(f"{SCHEME}{one.name}{twin}" for one in RESOURCES if groups & set(one.groups) for twin in ("", _TWIN))


def parse(uri: str) -> Ask | None:
    """What the address of a resource asks for; None when there is none. Raises Invalid for parameters that cannot be.

    Its ``detail``: the resource's name, what its text is about, and whether it is told as JSON.
    """
    if not uri.startswith(SCHEME):
        return None
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    as_json = path.endswith(_TWIN)
    name = unquote(path.removesuffix(_TWIN))
    if name.startswith(f"{_HELP}/"):
        tool = name.removeprefix(f"{_HELP}/")
        return None if query or tool_help.describe(tool) is None else Ask(uri, detail=(_HELP, tool, as_json))
    found = _BY_NAME.get(name)
    if found is None:
        return None
    arguments: dict[str, Any] = dict(found.fixed)
    for key, value in parse_qsl(query, keep_blank_values=True):
        ours = found.takes.get(key)
        if ours is None or not value.isascii() or not value.isdigit() or len(value) > 15:
            takes = ", ".join(found.takes) or "none"
            raise Invalid(
                "resource.parameter", f"{uri[:200]}: {key!r} cannot be {value[:80]!r}.", f"It takes: {takes}."
            )
        arguments[ours] = int(value)
    op = REGISTRY.get(found.op) if found.op else None
    return Ask(uri, op, newest_unless_after(arguments), looks=True, detail=(name, found.text, as_json))


def newest_unless_after(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments that do not want the newest messages when those after a number are wanted."""
    if arguments.get("since_seq"):
        arguments.pop("newest", None)
    return arguments


def say(ask: Ask, result: Any) -> tuple[str, str]:
    """MIME type and text of what ``parse`` understood; ``result`` is the operation's, where there is one."""
    name, about, as_json = ask.detail
    if ask.op is not None:
        structured = said(result)
        text = tell(about, structured)
    elif name == _HELP:
        structured = tool_help.describe(about) or {}
        text = tool_help.as_text(structured)
    elif name == _INDEX:
        structured = {"tools": tool_help.index()}
        text = "\n".join(f"{one['name']}: {one['title']}" for one in structured["tools"])
    else:
        structured = _states()
        text = "\n".join(f"{one['from']} --{one['action']}--> {one['to']}" for one in structured["transitions"])
    return (_JSON, escaped(readable(structured))) if as_json else (_TEXT, text)


def _states() -> dict[str, Any]:
    """The table of task states that decides, in MASC's words."""
    return {
        "initial": state(MACHINE.initial),
        "states": [state(one) for one in MACHINE.states],
        "final": [state(one) for one in MACHINE.final],
        "transitions": [
            {"from": state(before), "action": _ACTIONS.get(heard, heard), "to": state(after)}
            for (before, heard), after in MACHINE.table.items()
        ],
    }
