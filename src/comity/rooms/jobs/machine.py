"""The states of a job as a table. ``docs/jobs.md`` shows the diagram that is drawn from it.

A cancellation is a verdict at once, also of a job that runs: from then on its runner's writes are refused, and the
runner stops the effect when it looks. A runner that ends in good order lets go of its job (``release``); one that died
is found out by others (``lapse``). Either way the job waits again where its kind may be repeated, else it is
``interrupted``.
"""

from __future__ import annotations

from comity.kernel.machine import Machine

WAITING, RUNNING = "waiting", "running"
DONE, FAILED, CANCELLED, INTERRUPTED = "done", "failed", "cancelled", "interrupted"
OPEN = (WAITING, RUNNING)
MOST_LAPSES = 3  # a job over which so many runners died is not tried again

MACHINE = Machine(
    WAITING,
    {
        (WAITING, "begin"): RUNNING,
        (WAITING, "cancel"): CANCELLED,
        (RUNNING, "finish"): DONE,
        (RUNNING, "fail"): FAILED,
        (RUNNING, "cancel"): CANCELLED,
        (RUNNING, "release"): WAITING,
        (RUNNING, "lapse"): WAITING,
        (RUNNING, "interrupt"): INTERRUPTED,
    },
)


def left_behind(repeatable: bool, lapses: int, *, died: bool) -> str:
    """What a running job hears when its runner is gone; ``lapses`` counts this one, too, where the runner ``died``."""
    if not repeatable or lapses >= MOST_LAPSES:
        return "interrupt"
    return "lapse" if died else "release"
