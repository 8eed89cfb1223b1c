"""MASC's words for what the rooms answer: keys in snake_case, its names for a task's states, priorities from 1 to 5."""

from __future__ import annotations

from typing import Any

from comity.dialects.masc.tools import words
from comity.kernel.record import form
from comity.rooms.lifecycle.model import Checked, Checks, Step, TaskGlance, Trouble
from comity.rooms.tasks.model import History, NewTask, Task, TaskEvent, Transition, Waited

STATES = {"pending": "todo", "accepted": "claimed", "in-progress": "in_progress"}
OWN_STATES = {theirs: ours for ours, theirs in STATES.items()}

# What fields are called when it is not their own name; None leaves one out.
_KEYS: dict[Any, dict[str, str | None]] = {
    Task: {
        "number": "id",
        "level": "priority",
        "priority": None,
        "revision": "version",
        "assigned_agent_id": "assignee",
        "dispatcher_agent_id": "created_by",
        "result": "notes",
        "handoff": "handoff_context",
    },
    NewTask: {"level": None, "profile_slug": "required_preset"},
    Waited: {"number": "id"},
    TaskGlance: {"number": "id", "level": "priority", "state": "status"},
    Step: {"action": "tool"},
    History: {"number": "id", "revision": "version"},
}
_STATE_FIELDS = {(Task, "status"), (Waited, "status"), (Transition, "from_state")}
_ADVICE = {(Step, "reason"), (Checked, "fix_hint"), (Checks, "fix_hint"), (Trouble, "hint")}
_STATE_KEYS = frozenset({"from", "to", "status", "fromStatus", "toStatus"})
_Form = tuple[tuple[str, str, bool, object], ...]
_FORMS: dict[Any, _Form] = {}


def form_of(kind: Any) -> _Form:
    """As ``record.form``: per field that is told its key, its name, whether it is optional, its default."""
    known = _FORMS.get(kind)
    if known is None:
        renamed = _KEYS.get(kind, {})
        keys = [(renamed.get(field, field.strip("_")) or "", field, more, rest) for _, field, more, rest in form(kind)]
        known = _FORMS[kind] = tuple(one for one in keys if one[0])
    return known


def said(value: Any) -> Any:
    """``value`` with every record in it as a dict in MASC's words; other values as they are."""
    kind = type(value)
    if kind is list or kind is tuple:
        return [said(item) for item in value]
    if kind is dict:
        return {key: said(item) for key, item in value.items()}
    if not hasattr(kind, "_fields"):
        return value
    result = {}
    for key, field, optional, default in form_of(kind):
        item = getattr(value, field)
        if optional and item == default:
            continue
        if (kind, field) in _STATE_FIELDS:
            result[key] = state(item)
        elif (kind, field) in _ADVICE and isinstance(item, str):
            result[key] = words().say(item)
        elif (kind, field) == (Step, "action"):
            result[key] = words().names.get(item, item)
        else:
            result[key] = said(item)
    if result.get("id", "") is None:  # a task that another implementation made has no number yet
        result["id"] = value.task_id
    if kind is TaskEvent:
        result["metadata"] = {key: state(item) if key in _STATE_KEYS else item for key, item in value.metadata.items()}
    return result


def state(status: Any) -> Any:
    """A task's state in MASC's words."""
    return STATES.get(status, status) if isinstance(status, str) else status
