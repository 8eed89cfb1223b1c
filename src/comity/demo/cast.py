"""Who plays in the demo and what there is to do: made anew from a seed, the same for the same seed.

Four agents work on a small shop: a planner hands out tasks, three workers take them. Nothing here talks to a server.
"""

from __future__ import annotations

from random import Random
from typing import Literal

from comity.kernel.named_tuple import NamedTuple

Era = Literal["legacy", "auto"]
Priority = Literal["interrupt", "steering", "advisory", "info"]
PRIORITIES: tuple[Priority, ...] = ("interrupt", "steering", "advisory", "info")

PLANNER, VICTIM = "planner", "ben"


class CastMember(NamedTuple):
    """One agent. ``era``: which of MCP's two ways to connect its client speaks, as real hosts differ too."""

    agent_id: str
    role: str
    era: Era


class Job(NamedTuple):
    """A task before it is dispatched; ``after`` is the title of one that must be done first."""

    title: str
    files: tuple[str, ...]
    priority: str
    after: str = ""


CAST = (
    CastMember(PLANNER, "hands out the tasks", "auto"),
    CastMember("ada", "takes tasks", "legacy"),
    CastMember(VICTIM, "takes tasks", "auto"),
    CastMember("cleo", "takes tasks", "legacy"),
)
WORKERS = tuple(part.agent_id for part in CAST if part.agent_id != PLANNER)

FILES = (
    *("src/api.py", "src/cart.py", "src/orders.py", "src/prices.py"),
    *("web/cart.ts", "web/checkout.ts", "web/search.ts", "web/theme.css"),
)
_FIRST = (  # two of the first three want the same file
    Job("Prices in whole cents", ("src/cart.py", "src/prices.py"), "P1"),
    Job("An empty cart is no error", ("src/cart.py",), "P1"),
    Job("Search by category", ("web/search.ts",), "P1"),
)
_LATER = (
    Job("Orders keep a currency", ("src/orders.py", "src/prices.py"), "P2", after=_FIRST[0].title),
    Job("Checkout shows the tax", ("web/checkout.ts",), "P2"),
    Job("The cart tells its total", ("src/cart.py", "web/cart.ts"), "P2"),
    Job("Search ignores accents", ("web/search.ts",), "P2", after=_FIRST[2].title),
    Job("An order can be cancelled", ("src/api.py", "src/orders.py"), "P2"),
    Job("Limit a page of the API", ("src/api.py",), "P2"),
    Job("Dark colours", ("web/theme.css", "web/cart.ts"), "P3"),
    Job("Checkout asks only once", ("web/checkout.ts",), "P3"),
    Job("Round at the end only", ("src/prices.py",), "P3"),
)
_LABEL = "Files: "


def jobs(count: int, seed: int) -> list[Job]:
    """So many tasks, in the order in which they are dispatched; titles differ."""
    later = list(_LATER)
    Random(seed).shuffle(later)
    found: list[Job] = []
    for turn in range(1, 2 + count // (len(_FIRST) + len(later))):
        again = "" if turn == 1 else f" ({turn})"
        found += [
            job._replace(title=job.title + again, after=job.after and job.after + again) for job in (*_FIRST, *later)
        ]
    return found[:count]


def urgent(file: str) -> Job:
    """The task that comes in between, on a file that somebody holds."""
    return Job("The shop is down", (file,), "P0")


def description(files: tuple[str, ...]) -> str:
    """A task's description, which names the files to change."""
    return _LABEL + " ".join(files)


def files_of(text: str) -> list[str]:
    """The files that a task's description names."""
    return text.removeprefix(_LABEL).split()
