"""The states of a task as a table (protocol reference section 4.8), and who may say what.

Authoritative for what is allowed; ``docs/reference/task-states.md`` is drawn from it. ``release`` and the checks of
dependencies are Comity's own.
"""

from __future__ import annotations

from comity.kernel.hints import Literal
from comity.kernel.machine import Machine
from comity.kernel.named_tuple import NamedTuple

Heard = Literal["claim", "start", "complete", "block", "cancel", "release"]
Check = Literal["free_or_mine", "mine", "mine_or_dispatched", "free_mine_or_dispatched", "profile", "state", "ready"]

PENDING, ACCEPTED, IN_PROGRESS = "pending", "accepted", "in-progress"
BLOCKED, DONE, CANCELLED = "blocked", "done", "cancelled"

OPEN = (PENDING, ACCEPTED, IN_PROGRESS, BLOCKED)
HELD = (ACCEPTED, IN_PROGRESS, BLOCKED)

MACHINE = Machine(
    PENDING,
    {
        (PENDING, "claim"): ACCEPTED,
        (PENDING, "start"): IN_PROGRESS,
        (PENDING, "cancel"): CANCELLED,
        (ACCEPTED, "start"): IN_PROGRESS,
        (ACCEPTED, "complete"): DONE,
        (ACCEPTED, "block"): BLOCKED,
        (ACCEPTED, "cancel"): CANCELLED,
        (ACCEPTED, "release"): PENDING,
        (IN_PROGRESS, "complete"): DONE,
        (IN_PROGRESS, "block"): BLOCKED,
        (IN_PROGRESS, "cancel"): CANCELLED,
        (IN_PROGRESS, "release"): PENDING,
        (BLOCKED, "start"): IN_PROGRESS,
        (BLOCKED, "complete"): DONE,
        (BLOCKED, "cancel"): CANCELLED,
        (BLOCKED, "release"): PENDING,
    },
    otherwise={"cancel": CANCELLED},
)


class Rule(NamedTuple):
    """What is checked, in this order, once the task is found; ``past`` is the event's verb."""

    past: str
    checks: tuple[Check, ...]


RULES: dict[Heard, Rule] = {
    "claim": Rule("claimed", ("free_or_mine", "profile", "state", "ready")),
    "start": Rule("started", ("free_or_mine", "profile", "state", "ready")),
    "complete": Rule("completed", ("mine", "state")),
    "block": Rule("blocked", ("mine", "state")),
    "cancel": Rule("cancelled", ("state", "free_mine_or_dispatched")),
    "release": Rule("released", ("state", "mine_or_dispatched")),
}
