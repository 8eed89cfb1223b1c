"""A Problem as MASC's clients read it: one object, with the same fields whatever went wrong."""

from __future__ import annotations

from comity.dialects.masc.tools import words
from comity.dialects.masc.words import state
from comity.kernel.problem import Problem
from comity.mcp import wire

# MASC's own words for kinds of failure.
_KINDS = {
    "invalid": "validation_error",
    "unauthenticated": "auth_required",
    "forbidden": "permission_denied",
    "not_found": "not_found",
    "conflict": "conflict",
    "limited": "rate_limited",
    "unavailable": "unavailable",
    "internal": "internal_error",
}
_AGAIN = ("limited", "unavailable")  # the same call may work later
# What to call next, by reason and else by kind.
_RECOVERY = {
    "MACP_ERR_SESSION_UNKNOWN": (
        "masc_join",
        "Your session is over, or a newer process has it; this begins a new one.",
    ),
    "MACP_ERR_SENDER_NOT_ACTIVE": ("masc_join", "Your session is over; this begins a new one."),
    "MACP_ERR_SENDER_NOT_MEMBER": ("masc_start", "This joins the channel of the workspace."),
    "agent.mismatch": ("masc_check", "This says who you are."),
    "task.stale": ("masc_tasks", "This shows the present version; decide anew, then pass it as expected_version."),
    "task.duplicate": ("masc_tasks", "This shows the task that is there already."),
    "task.unknown": ("masc_tasks", "This lists the tasks."),
    "invalid": ("masc_tool_help", "This shows the arguments that the tool takes."),
    "conflict": ("masc_status", "This shows how things stand."),
    "not_found": ("masc_status", "This shows what there is."),
}


def problem_text(problem: Problem) -> str:
    """The object as indented JSON."""
    tool, why = _RECOVERY.get(problem.reason) or _RECOVERY.get(problem.kind) or ("masc_workflow_guide", "This goes on.")
    shape = {
        "code": problem.reason,
        "kind": _KINDS.get(problem.kind, "internal_error"),
        "message": problem.message,
        "hint": words().say(problem.hint),
        "recovery": {"tool": tool, "reason": why},
        "retryable": problem.kind in _AGAIN,
        "details": {_snake(key): state(value) if key == "status" else value for key, value in problem.data.items()},
    }
    return wire.pretty(shape, lenient=True)


def _snake(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
