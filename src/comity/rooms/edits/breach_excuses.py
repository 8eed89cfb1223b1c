"""Whether what happened to a held file while somebody's shell command ran may have been its holder's own doing.

The holder, or a subagent of it, changes its file by an editing tool, which the guard notes, or by shell commands of its
own. How the file looked before and after each of those is known, so that a command excuses only what changed while it
ran. In doubt nobody is accused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.agents import identity
from comity.rooms.claims.paths import Base
from comity.rooms.edits.edit_guard import EDIT_TAKES_MS

KEPT_MS = 3_600_000  # how long the changes of a command are remembered, and what it left running is believed to run
_LEAVES = re.compile(r"(?<![&>|<])&(?![&>])|\b(?:nohup|setsid|disown|tmux|screen|daemonize)\b")
_NEVER = 1 << 62


class Ran(NamedTuple):
    """A command of the holder, and how the file looked before and after it, None where nobody looked."""

    from_ms: int
    until_ms: int
    before: str | None
    after: str | None


class Window(NamedTuple):
    """The command of another in which the file changed, and how it looked then."""

    looked_ms: int  # after the first look
    seen_ms: int  # before the second
    before: str | None
    after: str | None


def differ(one: str | None, other: str | None) -> bool:
    """Whether two fingerprints are of different contents; not when one of them is not known."""
    return one is not None and other is not None and one.partition("|")[2] != other.partition("|")[2]


def leaves_running(command: str) -> bool:
    """Whether a command line may leave something running."""
    return _LEAVES.search(command) is not None


def explains(commands: Sequence[Ran], window: Window) -> bool:
    """Whether every change within the window fell into one of the commands. Pure."""
    known = window.before
    for ran in _merged(commands):
        if ran.until_ms < window.looked_ms:
            continue
        if ran.from_ms > window.looked_ms and differ(known, ran.before):
            return False
        if ran.until_ms >= window.seen_ms:
            return True
        known = ran.after
    return bool(commands) and not differ(known, window.after)


def _merged(commands: Sequence[Ran]) -> list[Ran]:
    """In order; those that ran at once as one."""
    merged: list[Ran] = []
    for ran in sorted(commands):
        last = merged[-1] if merged else None
        if last is not None and ran.from_ms <= last.until_ms:
            later = ran if ran.until_ms > last.until_ms else last
            merged[-1] = last._replace(until_ms=later.until_ms, after=later.after)
        else:
            merged.append(ran)
    return merged


def excused(scope: Scope, base: Base, holder: str, path: str, window: Window, *, wide: bool) -> bool:
    """Whether the holder, or a subagent of it, may have changed the file itself. ``wide``: it holds a folder or a glob;
    of its own ones no agent looks at every file, so that any command of it excuses.
    """
    agents = [holder, *identity.descendants(scope, holder)]
    if _edited(scope, base, agents, path, window):
        return True
    place = {"repository": base.repository, "worktree": base.worktree, "agents": compact(agents)}
    commands = []
    blunt = wide or window.looked_ms < scope.now.ms - KEPT_MS
    for from_ms, closed_ms, lingers_ms, here, files in scope.tx.all("edits.looks", **place):
        last_ms = _NEVER if closed_ms is None else int(closed_ms)
        if int(lingers_ms) >= window.looked_ms or (blunt and last_ms >= window.looked_ms):
            return True
        if closed_ms is None:
            seen = json.loads(files).get(path) if here else None
            commands.append(Ran(int(from_ms), _NEVER, seen, None))
    rows = scope.tx.all("edits.own_changes", **place, file_path=base.key(path), since_ms=window.looked_ms)
    commands += [Ran(int(row[0]), int(row[1]), row[2], row[3]) for row in rows]
    return explains(commands, window)


def _edited(scope: Scope, base: Base, agents: list[str], path: str, window: Window) -> bool:
    """Whether they were let edit it since, or shortly before and had not done so yet."""
    keys = compact([base.key(path)])
    row = scope.tx.one("edits.last", keys=keys, repository=base.repository, worktree=base.worktree)
    if row is None or row[1] not in agents or int(row[2]) < window.looked_ms - EDIT_TAKES_MS:
        return False
    written = (window.before or "").partition("|")[0]
    return int(row[2]) >= window.looked_ms or int(written or 0) < int(row[2])


def note(scope: Scope, base: Base, paths: Sequence[str], from_ms: int, seen: tuple[dict[str, str], ...]) -> None:
    """A command of the actor changed these of what it holds. ``seen``: fingerprints before and after it."""
    scope.tx.run("edits.forget_own_changes", before_ms=scope.now.ms - KEPT_MS)
    before, after = seen
    for path in paths:
        scope.tx.run(
            "edits.own_change",
            repository=base.repository,
            worktree=base.worktree,
            file_path=base.key(path),
            agent_id=scope.actor.agent_id,
            from_ms=from_ms,
            now_ms=scope.now.ms,
            seen_before=before.get(path),
            seen_after=after.get(path),
        )
