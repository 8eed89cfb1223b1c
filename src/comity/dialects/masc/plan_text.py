"""The short text of MASC's tools about plans, for a model to read. What agents wrote is quoted, each text on a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comity.kernel.quoting import called, quoted, word

Said = dict[str, Any]
_MOST_PLAN, _MOST_NOTE, _MOST_LISTED, _MOST_TITLE = 20_000, 2000, 50, 200


def begun(said: Said) -> str:
    """A plan that was begun, or is there."""
    return f"{'Begun' if said['created'] else 'There already'}.\n{plan(said)}"


def plan(said: Said) -> str:
    """One plan whole: its text, errors, notes, and what was delivered."""
    one = said["context"]
    holder = f", held by {called(one['holder'])}" if one["holder"] else ""
    lines = [f"Plan of {_label(one)} {quoted(one['title'], _MOST_TITLE)} [{word(one['status'])}]{holder}:"]
    lines.append(quoted(one["task_plan"], _MOST_PLAN) if one["task_plan"] else "(nothing is planned yet)")
    lines += [_error(error) for error in one["errors"]]
    left = one["note_count"] - len(one["notes"])
    lines += [f"... {left} older notes"] if left > 0 else []
    lines += [f"Note of {called(note['agent_id'])}: {quoted(note['note'], _MOST_NOTE)}" for note in one["notes"]]
    if one["deliverable"] is not None:
        lines.append(f"Delivered by {called(one['delivered_by'])}: {quoted(one['deliverable'], _MOST_PLAN)}")
    return "\n".join(lines)


def _error(error: Said) -> str:
    state = "resolved" if error["resolved"] else "open"
    kind = quoted(error["error_type"], _MOST_TITLE)
    context = f" ({quoted(error['context'], _MOST_NOTE)})" if error["context"] else ""
    return f"Error {error['error_index']}, {state}, {kind}: {quoted(error['message'], _MOST_NOTE)}{context}"


def noted(said: Said) -> str:
    """How much is in a plan now."""
    return (
        f"{_label(said)}: {_count(said['note_count'], 'note')}, {_count(said['error_count'], 'error')}, "
        f"{said['open_errors']} open."
    )


def plans(said: Said) -> str:
    """Several plans, a line each."""
    if not said["plans"]:
        return "No plans."
    lines = [_mark(one) for one in said["plans"][:_MOST_LISTED]]
    if said["more"] or len(said["plans"]) > _MOST_LISTED:
        lines.append("... and others; raise limit to see them.")
    return "\n".join(lines)


def _mark(one: Said) -> str:
    holder = f" ({called(one['holder'])})" if one["holder"] else ""
    facts = [_count(one["note_count"], "note"), f"{one['open_errors']} open errors"]
    facts += ["delivered"] if one["delivered"] else []
    return f"{_label(one)} [{word(one['status'])}] {quoted(one['title'], _MOST_TITLE)}{holder}: {', '.join(facts)}"


def current(said: Said) -> str:
    """The task that an agent works on."""
    if said["task_id"] is None:
        return "You hold no task."
    how = "" if said["chosen"] else " (you named none)"
    return f"You work on {_label(said)} [{word(said['status'])}] {quoted(said['title'], _MOST_TITLE)}{how}."


def _label(said: Said) -> str:
    return word(said["task"] or said["task_id"])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


PLAN_TEXTS: dict[str, Callable[[Any], str]] = {
    "masc_plan_init": begun,
    "masc_plan_update": plan,
    "masc_plan_get": plan,
    "masc_plan_set_task": current,
    "masc_plan_get_task": current,
    "masc_plan_clear_task": current,
    "masc_note_add": noted,
    "masc_deliver": noted,
    "masc_error_add": noted,
    "masc_error_resolve": noted,
    "masc_run_list": plans,
}
