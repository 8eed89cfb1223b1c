"""The list of hostile repositories, which the modules beside this one fill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from tests.hostile.world import World

Door = Literal["hooks", "mcp", "serve", "status", "doctor", "init", "canary"]
EVERY: tuple[Door, ...] = ("hooks", "mcp", "serve", "status", "doctor", "init", "canary")
OWN: tuple[Door, ...] = EVERY[:-1]  # without the canary, which runs in a project of its own
Build = Callable[[Path, World], None]


class Repository(NamedTuple):
    """One hostile repository.

    ``named``: ``comity doctor``, ``comity status`` or a door's own error must say one of these words, or ``each`` of
    them; nothing where there are none. ``within``: folders that it brought, in which the agent's shell stands, too.
    ``canaries``: hosts whose committed hooks ``comity doctor --canary`` tries. ``few``: one host's hooks tell all there
    is to tell. ``asks``: the agent wants to run commands for which hooks ask git.
    """

    name: str
    doc: str
    build: Build
    named: tuple[str, ...] = ()
    doors: tuple[Door, ...] = EVERY
    within: tuple[str, ...] = ()
    canaries: tuple[str, ...] = ("claude-code",)
    few: bool = False
    asks: bool = False
    each: bool = False


FOUND: dict[str, Repository] = {}


def add(repository: Repository) -> None:
    """List it."""
    assert repository.name not in FOUND, f"{repository.name} is there twice"
    FOUND[repository.name] = repository


def hostile(
    *named: str,
    doors: tuple[Door, ...] = EVERY,
    within: tuple[str, ...] = (),
    canaries: tuple[str, ...] = ("claude-code",),
    few: bool = False,
    asks: bool = False,
    each: bool = False,
) -> Callable[[Build], Build]:
    """List what this function builds, under its name; its docstring says what it is."""

    def listed(build: Build) -> Build:
        name = build.__name__.replace("_", "-")
        add(Repository(name, str(build.__doc__), build, named, doors, within, canaries, few, asks, each))
        return build

    return listed
