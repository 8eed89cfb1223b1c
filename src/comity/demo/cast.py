"""Who plays in the demo and what they say: made anew from a seed, the same for the same seed.

Four agents work on a small shop: a planner steers, two workers edit, a reviewer asks. Nothing here talks to a server.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Literal, NamedTuple

Era = Literal["legacy", "auto"]
Priority = Literal["interrupt", "steering", "advisory", "info"]
PRIORITIES: tuple[Priority, ...] = ("interrupt", "steering", "advisory", "info")

KILL_AT, RETURN_AT = 0.45, 0.70  # parts of the whole time
VICTIM = "backend"
REVIEW_CHARACTERS = 24_000  # more than one poll's budget of 16384 bytes: it arrives as an excerpt


class Part(NamedTuple):
    """One agent. ``era``: which of MCP's two ways to connect its client speaks, as real hosts differ too."""

    agent_id: str
    role: str
    era: Era


class Line(NamedTuple):
    """One thing to say, ``at_s`` seconds after the start; ``to`` is an agent id, or None for the whole channel."""

    at_s: float
    priority: Priority
    to: str | None
    type: str
    text: str


CAST = (
    Part("planner", "decides who does what", "auto"),
    Part("backend", "edits src/", "legacy"),
    Part("frontend", "edits web/", "auto"),
    Part("reviewer", "reads every change", "legacy"),
)

FILES = {
    "backend": ("src/api.py", "src/cart.py", "src/prices.py", "src/orders.py"),
    "frontend": ("web/cart.ts", "web/search.ts", "web/checkout.ts", "web/theme.css"),
}
_PLANS = (
    "next: {file}, before anything else",
    "{file} waits until the API is settled",
    "prices are integers, cents, everywhere",
    "one commit per file, please",
    "leave {file} alone, it is being split",
    "cart first, search after that",
)
_EDITS = ("editing {file}", "adding tests for {file}", "splitting {file} in two", "renaming total() in {file}")
_NEWS = ("done with {file}, free again", "{file}: new field `currency`", "{file} needs the new API")
_QUESTIONS = ("why the cache in {file}?", "{file}: what if the cart is empty?", "may I simplify {file}?")
_ANSWERS = ("yes, covered by a test", "good catch, fixed", "go ahead", "it halves the queries")


def lines(part: Part, seconds: float, seed: int) -> list[Line]:
    """Everything an agent says of its own accord, in order of time."""
    random = Random(f"{seed}-{part.agent_id}")
    said = [*_talk(part.agent_id, seconds, random), *_scenes(part.agent_id, seconds)]
    return sorted(said, key=lambda line: line.at_s)


def reply(agent_id: str, kind: str, text: str) -> tuple[Priority, str, str] | None:
    """What an agent says back to a message of this type: priority, type and text; None for nothing."""
    if kind == "question":
        return "advisory", "answer", _ANSWERS[sum(text.encode()) % len(_ANSWERS)]
    if kind == "broken" and agent_id in FILES:
        return "steering", "holding", "I hold my merge until main is green"
    return None


def review() -> str:
    """A review that is longer than one poll's budget."""
    found: list[str] = []
    size = 0
    while size < REVIEW_CHARACTERS:
        number = len(found) + 1
        found.append(f"web/checkout.ts:{number * 7}: note {number}: name the unit, and test the empty cart.")
        size += len(found[-1]) + 1
    return "\n".join(["Review of web/checkout.ts, all notes:", *found])


def _times(first_s: float, gap_s: float, seconds: float, random: Random) -> Iterator[float]:
    at_s = first_s
    while at_s < seconds:
        yield at_s
        at_s += gap_s * random.uniform(0.7, 1.3)


def _talk(agent_id: str, seconds: float, random: Random) -> Iterator[Line]:
    every = [file for files in FILES.values() for file in files]
    if agent_id == "planner":
        for at_s in _times(0.8, 1.3, seconds, random):
            yield Line(at_s, "steering", None, "plan", random.choice(_PLANS).format(file=random.choice(every)))
    elif agent_id == "reviewer":
        for at_s in _times(0.7, 1.1, seconds, random):
            worker = random.choice(tuple(FILES))
            text = random.choice(_QUESTIONS).format(file=random.choice(FILES[worker]))
            yield Line(at_s, "advisory", worker, "question", text)
        for at_s in _times(0.4, 0.5, seconds, random):
            yield Line(at_s, "info", None, "progress", f"read {random.randint(1, 60)} files")
    else:
        for at_s in _times(0.3, 1.5, seconds, random):
            text = random.choice(_EDITS).format(file=random.choice(FILES[agent_id]))
            yield Line(at_s, "steering", None, "editing", text)
        for at_s in _times(1.2, 1.7, seconds, random):
            text = random.choice(_NEWS).format(file=random.choice(FILES[agent_id]))
            yield Line(at_s, "advisory", None, "discovery", text)
        for at_s in _times(0.2, 0.3, seconds, random):
            yield Line(at_s, "info", None, "progress", f"{random.randint(20, 400)} tests pass")


def _scenes(agent_id: str, seconds: float) -> Iterator[Line]:
    """What happens in every performance, at its part of the time."""
    scenes: dict[str, tuple[tuple[float, Priority, str | None, str, str], ...]] = {
        "planner": (
            (0.0, "steering", None, "plan", "backend takes src/, frontend takes web/"),
            (0.56, "interrupt", None, "stop", "nobody touches src/orders.py now"),
        ),
        "frontend": (
            (0.26, "interrupt", None, "broken", "main is broken by my merge: hold yours"),
            (0.36, "steering", None, "mended", "main is green again, go on"),
            (0.74, "steering", VICTIM, "handover", "I need `currency` in src/api.py"),
        ),
        "reviewer": (
            (0.18, "steering", "frontend", "review", review()),
            (0.54, "advisory", VICTIM, "question", "is src/cart.py safe to merge?"),
        ),
    }
    for part, priority, to, kind, text in scenes.get(agent_id, ()):
        yield Line(part * seconds, priority, to, kind, text)
