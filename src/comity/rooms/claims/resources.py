"""Resources that are no files: a port, a staging environment, a browser.

A resource is named ``res:`` and a name. There is one of each name in a workspace, whichever checkout asks for it, and
nothing of it on the disk. Its claims stand beside those of files, under a repository of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from comity.kernel.javascript import distinct
from comity.kernel.problem import Invalid
from comity.rooms.claims.model import RESOURCES
from comity.rooms.claims.paths import Target

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


def sorted_out(texts: Iterable[str]) -> tuple[list[Target], list[str]]:
    """Which of these name resources, each once, and which do not. Raises Invalid ``resource.name``."""
    found: dict[Target, None] = {}
    rest = []
    for text in distinct(texts):
        name = _spelled(text)
        if name is None:
            rest.append(text)
        elif _NAME.fullmatch(name[len(RESOURCES) :]) is None:
            raise Invalid(
                "resource.name",
                f"{text[:120]!r} is no name of a resource.",
                "Use small letters, digits, dots, hyphens and underscores after res:, such as res:port-5432.",
            )
        else:
            found[Target(name, None)] = None
    return list(found), rest


def chosen(texts: Iterable[str], held: Iterable[str]) -> list[str]:
    """Which of the resources in ``held`` these texts mean: a ``*`` at the end is any rest."""
    names = [name for text in distinct(texts) if (name := _spelled(text))]
    return [
        one for one in held if any(one == name or (name[-1] == "*" and one.startswith(name[:-1])) for name in names)
    ]


def without(texts: Iterable[str]) -> list[str]:
    """Those of these texts that mean files."""
    return [text for text in texts if _spelled(text) is None]


def _spelled(text: str) -> str | None:
    """The text as a resource is named, whether it may have that name or not; None for a file."""
    name = text.strip().lower()
    return name if name.startswith(RESOURCES) else None
