"""What versions of a host take of what ``init`` writes for it: the table stands in each host's ``Wiring.spans``.

Some events and fields are passed over by a version that does not know them; others cost it the whole file, or a warning
at every start. So the latter are written only for versions that are known to take them, and for a version that is not
known, only what each supported version takes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from comity.hosts.host import Version, Wiring

Versions = Mapping[str, Version | None]  # by name of host: None where the program is there and does not tell
_NUMBERS = re.compile(r"(?<![\d.])(\d{1,6})\.(\d{1,6})\.(\d{1,9})(?!\.?\d)")


def parse(text: str) -> Version | None:
    """The first version in what a program prints, such as ``codex-cli 0.169.0``; None without one."""
    found = _NUMBERS.search(text)
    return tuple(map(int, found.groups())) if found else None


def shown(version: Version) -> str:
    """The version as people write it."""
    return ".".join(map(str, version))


def supported(wiring: Wiring, version: Version | None) -> bool:
    """Whether hooks are written for this version at all."""
    return version is None or version >= wiring.oldest


def taken(wiring: Wiring, version: Version | None) -> Wiring:
    """The hooks that this version takes; None: those that every supported version takes."""
    hooked = dict[tuple[str, str | None], None]()
    for event, matcher in wiring.hooked:
        span = wiring.spans.get(event)
        if span is None or not span.harmful or (version is not None and span.holds(version)):
            hooked[event, matcher] = None
        elif span.instead:
            hooked[span.instead, None] = None
    idle = wiring.idle if wiring.idle is not None and any(event == wiring.idle[0] for event, _ in hooked) else None
    return wiring._replace(hooked=tuple(hooked), idle=idle)


def everything(wiring: Wiring) -> Wiring:
    """The hooks that any version may be given, for telling what is ours."""
    more = tuple((span.instead, None) for span in wiring.spans.values() if span.instead)
    return wiring._replace(hooked=(*wiring.hooked, *more))


def lost(wiring: Wiring, version: Version | None) -> tuple[str, ...]:
    """What goes without the events and fields that this version does not take, each with the version that does."""
    return tuple(
        f"{span.lost} (from {shown(span.least)} on)"
        for span in wiring.spans.values()
        if span.lost and not (version is not None and span.holds(version)) and (version is not None or span.harmful)
    )
