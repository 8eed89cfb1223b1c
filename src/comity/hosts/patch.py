"""Patches in the form that OpenAI's models write: which files they would change."""

from __future__ import annotations

_HEADS = ("*** Update File: ", "*** Add File: ", "*** Delete File: ", "*** Move to: ")


def files(patch: str) -> tuple[str, ...]:
    """Every file that the patch names, once, as it is written there."""
    found = [
        line[len(head) :].strip()
        for line in patch.splitlines()
        for head in _HEADS
        if line.startswith(head) and line[len(head) :].strip()
    ]
    return tuple(dict.fromkeys(found))
