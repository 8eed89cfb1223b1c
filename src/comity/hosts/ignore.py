"""``.macp/.gitignore`` and git's ``info/exclude``: missing lines are added, the user's own lines stay."""

from __future__ import annotations

from comity.hosts.jsonc_edit import Undo, newline_of
from comity.ignored import SHARED

LINES = (
    # ours: everything is left out but what a team shares; lines of the user come after these, and win
    "*",
    *(f"!{name}" for name in SHARED),
    # the original's
    "*.db",
    "*.db-shm",
    "*.db-wal",
    "config.local.json",
)


def put(text: str, lines: tuple[str, ...] = LINES) -> tuple[str, Undo | None]:
    """Add the missing lines; a line the user negated (``!config.json``) counts as decided.

    They stand at the end, or before lines of the user that negate, since the last line that matches decides.
    """
    there = {line.strip() for line in text.splitlines()}
    missing = [line for line in lines if line not in there and f"!{line}" not in there]
    if not missing:
        return text, None
    newline = newline_of(text)
    lead = newline if text and not text.endswith("\n") else ""
    added = "".join(line + newline for line in missing)
    if any(line.startswith("!") for line in there):
        return added + text, Undo("lines", (), missing)
    return text + lead + added, Undo("lines", (), missing, hollow=lead)


def take_out(text: str, undo: Undo) -> str:
    """``text`` without the lines that were added."""
    ours = list(undo.value) if isinstance(undo.value, list) else []
    kept = text.splitlines(keepends=True)
    for line in ours:
        at = [i for i, other in enumerate(kept) if other.strip() == line]
        if at:
            del kept[at[-1]]
    return "".join(kept)
