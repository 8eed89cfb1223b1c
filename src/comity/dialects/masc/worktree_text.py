"""The short text of MASC's tools about worktrees and the radar, for a model to read. Names of files are quoted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comity.kernel.quoting import called, quoted, word

Said = dict[str, Any]
_MOST_PATH, _MOST_LISTED, _MOST_NOTE = 400, 40, 600


def made(said: Said) -> str:
    """A worktree to work in."""
    one = said["worktree"]
    begun = "Made" if said["created"] else "There already:"
    where = f"{begun} {quoted(one['path'], _MOST_PATH)} on branch {word(one['branch'])}, from {word(one['base'])}."
    copied = [f"{len(said['copied'])} untracked files came along."] if said["copied"] else []
    return "\n".join([where, *copied, *_notes(said), "Next: work there; masc_radar tells what will conflict."])


def listed(said: Said) -> str:
    """Every checkout in a line."""
    lines = [_line(one) for one in said["worktrees"][:_MOST_LISTED]]
    left = len(said["worktrees"]) - len(lines)
    return "\n".join([*lines, *([f"... and {left} more."] if left else []), *_notes(said)])


def _line(one: Said) -> str:
    who = f", {called(one.get('agent_name'), one['agent_id'])}" if one.get("agent_id") else ""
    task = f" for {word(one['task'])}" if one.get("task") else ""
    gone = " (gone)" if one.get("owner") == "gone" else ""
    apart = f"{one.get('ahead', '?')} ahead, {one.get('behind', '?')} behind {word(one['base'])}" if one["base"] else ""
    facts = [f"{one.get('changed', '?')} files changed", *([apart] if apart else [])]
    facts += [name for name in ("merged", "abandoned") if one.get(name)]
    facts += [] if one["state"] == "there" else [word(one["state"])]
    return (
        f"{quoted(one['name'], _MOST_PATH)} [{word(one['branch'] or 'detached')}]{task}{who}{gone}: {', '.join(facts)}"
    )


def removed(said: Said) -> str:
    """What became of it."""
    branch = f" and its branch {word(said['branch'])}" if said["branch_deleted"] else ""
    return "\n".join([f"Removed {quoted(said['path'], _MOST_PATH)}{branch}.", *_notes(said)])


def radar(said: Said) -> str:
    """Pairs that do not go together, then how many do."""
    meeting = [pair for pair in said["pairs"] if pair["state"] == "conflict" or pair["signs"]]
    clean = sum(pair["state"] == "clean" for pair in said["pairs"])
    lines = [line for pair in meeting[:_MOST_LISTED] for line in _pair(pair)]
    return "\n".join([*lines, f"{clean} of {len(said['pairs'])} pairs go together.", *_notes(said)])


def _pair(pair: Said) -> list[str]:
    state = "will conflict" if pair["state"] == "conflict" else "go together"
    kind = "" if pair["committed"] else " (with uncommitted work)"
    found = [f"{quoted(pair['one'], _MOST_PATH)} and {quoted(pair['other'], _MOST_PATH)} {state}{kind}:"]
    for one in pair["conflicts"][:_MOST_LISTED]:
        paths = ", ".join(quoted(path, _MOST_PATH) for path in one["paths"])
        lines = "; ".join(_lines(at) for at in one.get("lines", ()))
        found.append(f"  {paths}: {word(one['kind'])}{f' at lines {lines}' if lines else ''}")
    return found + [f"  {quoted(sign, _MOST_NOTE)}" for sign in pair["signs"]]


def _lines(at: Said) -> str:
    one, other = (f"{span['first']}-{span['last']}" for span in (at["one"], at["other"]))
    return f"{one} against {other}"


def _notes(said: Said) -> list[str]:
    return [note[:_MOST_NOTE] for note in said["notes"]]


WORKTREE_TEXTS: dict[str, Callable[[Any], str]] = {
    "masc_worktree_create": made,
    "masc_worktree_list": listed,
    "masc_worktree_remove": removed,
    "masc_radar": radar,
}
