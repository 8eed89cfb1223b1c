"""MASC's words for what the rooms answer: keys in snake_case, its names for a task's states, priorities from 1 to 5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comity.dialects.masc.tools import words
from comity.kernel.record import form
from comity.rooms.lifecycle.model import Checked, Checks, Step, TaskGlance, Trouble
from comity.rooms.plans.model import BegunPlan, CurrentTask, OnePlan, Plan, PlanMark
from comity.rooms.tasks.model import SHORT_STATES, History, NewTask, Task, TaskEvent, Transition, Waited
from comity.rooms.worktrees.model import MadeWorktree, RemovedWorktree, Worktrees

OWN_STATES = {theirs: ours for ours, theirs in SHORT_STATES.items()}

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
    OnePlan: {"plan": "context"},
    BegunPlan: {"plan": "context"},
    Plan: {"revision": "version"},
}
_Form = tuple[tuple[str, str, bool, object], ...]
_FORMS: dict[Any, _Form] = {}
_PLAIN = frozenset({str, int, float, bool, type(None)})
_SAYINGS: dict[Any, tuple[tuple[str, int, bool, object, Callable[[Any], Any]], ...]] = {}


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
    if kind in _PLAIN:
        return value
    if kind is list or kind is tuple:
        return [said(item) for item in value]
    if kind is dict:
        return {key: said(item) for key, item in value.items()}
    sayings = _SAYINGS.get(kind)
    if sayings is None:
        if not hasattr(kind, "_fields"):
            return value
        sayings = _SAYINGS[kind] = tuple(
            (key, kind._fields.index(field), optional, default, _SAY.get((kind, field), said))
            for key, field, optional, default in form_of(kind)
        )
    result = {}
    for key, place, optional, default, say in sayings:
        item = value[place]
        if not (optional and item == default):
            result[key] = say(item)
    if result.get("id", "") is None:  # a task that another implementation made has no number
        result["id"] = value.task_id
    return result


def state(status: Any) -> Any:
    """A task's state in MASC's words."""
    return SHORT_STATES.get(status, status) if isinstance(status, str) else status


def _advice(text: Any) -> Any:
    """A text that names operations, in MASC's words."""
    return words().say(text) if isinstance(text, str) else said(text)


def _pieces_of_advice(texts: Any) -> Any:
    """Several such texts."""
    return [_advice(text) for text in texts]


def _tool(action: Any) -> Any:
    """The tool that an operation is."""
    return words().names.get(action, action)


def _moved(metadata: Any) -> Any:
    """What is told of an event of a task's, its states in MASC's words."""
    return {key: state(item) if key in _STATE_KEYS else item for key, item in metadata.items()}


_STATE_KEYS = frozenset({"from", "to", "status", "fromStatus", "toStatus"})
# How fields are said that are not said as they are.
_SAY: dict[tuple[Any, str], Callable[[Any], Any]] = {
    (Task, "status"): state,
    (Waited, "status"): state,
    (Transition, "from_state"): state,
    (TaskEvent, "metadata"): _moved,
    (Plan, "status"): state,
    (PlanMark, "status"): state,
    (CurrentTask, "status"): state,
    (Step, "action"): _tool,
    (Step, "reason"): _advice,
    (Checked, "fix_hint"): _advice,
    (Checks, "fix_hint"): _advice,
    (Trouble, "hint"): _advice,
    (MadeWorktree, "notes"): _pieces_of_advice,
    (MadeWorktree, "next"): _advice,
    (RemovedWorktree, "notes"): _pieces_of_advice,
    (Worktrees, "notes"): _pieces_of_advice,
}
