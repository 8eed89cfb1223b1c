"""What the files of a work tree ask for that needs the user's agreement; ``comity trust`` and others show it.

There are four: ``.macp/comity.toml`` and ``.macp/config.json``, ``.masc/config/server.toml`` and
``.masc/auth/config.json``. Each reader says itself what loosens.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

from comity import settings, trust
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem
from comity.project import ProjectLocation, project_of, tracked
from comity.server.auth import config as auth
from comity.server.folder import options
from comity.setting_list import Aside
from comity.settings import SettingsFile

AUTH_NAME = f"{auth.FOLDER}/{auth.FILE}"


class Wish(NamedTuple):
    """A file that asks for something. ``state``: agreed, changed since the user agreed, or open.

    ``path`` is how the record calls it; ``came``: git tracks it, so it came with the repository.
    """

    file: str
    path: str
    content: bytes
    asks: tuple[Aside, ...]
    state: Literal["agreed", "changed", "open"]
    came: bool


class Wishes(NamedTuple):
    """Every file that asks for something, and what is wrong with those that cannot be read."""

    all: tuple[Wish, ...]
    problems: tuple[Problem, ...]

    @property
    def left(self) -> tuple[Wish, ...]:
        """Those to which the user did not agree: what they ask for does not count."""
        return tuple(wish for wish in self.all if wish.state != "agreed")

    @property
    def aside(self) -> tuple[Aside, ...]:
        """What is set aside, one by one."""
        return tuple(one for wish in self.left for one in wish.asks)


def look(root: str) -> Wishes:
    """What the files of the workspace ``root`` ask for."""
    problems: list[Problem] = []
    asking: list[tuple[str, bytes, tuple[Aside, ...]]] = []
    for name, read in _READERS.items():
        try:
            content, asks = read(root)
        except Problem as problem:
            problems.append(problem)
            continue
        if asks:
            asking.append((name, content, asks))
    came = tracked(root, [name for name, _, _ in asking]) if asking else set[str]()
    return Wishes(
        tuple(_wish(root, name, content, asks, name in came) for name, content, asks in asking), tuple(problems)
    )


def paths(root: str) -> dict[str, str]:
    """How the record would call each of the files, by that and with its name."""
    return {trust.path_of(root, name): name for name in _READERS}


def _wish(root: str, name: str, content: bytes, asks: tuple[Aside, ...], came: bool) -> Wish:
    path = trust.path_of(root, name)
    agreed = trust.agreed(root, name, content)
    state: Literal["agreed", "changed", "open"] = "agreed" if agreed else "open"
    if not agreed and path in trust.load().files:
        state = "changed"
    return Wish(name, path, content, asks, state, came)


def _told(found: SettingsFile) -> tuple[bytes, tuple[Aside, ...]]:
    return found.content, found.asks()


def _config(root: str) -> tuple[bytes, tuple[Aside, ...]]:
    if not os.path.lexists(os.path.join(root, *settings.CONFIG_NAME.split("/"))):
        return b"", ()
    project = project_of(ProjectLocation(root, root))
    return project.content, settings.config_asks(project)


_READERS: dict[str, Callable[[str], tuple[bytes, tuple[Aside, ...]]]] = {
    settings.TOML_NAME: lambda root: _told(settings.toml_of(root)),
    settings.CONFIG_NAME: _config,
    options.FILE_NAME: lambda root: _told(options.read_file(root)),
    AUTH_NAME: lambda root: _told(auth.read_rules(os.path.join(root, auth.FOLDER))),
}
