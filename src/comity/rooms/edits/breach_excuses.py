"""Whether what happened to a held file while somebody's shell command ran may have been its holder's own doing.

The holder, or a subagent of it, changes its file by an editing tool or by shell commands of its own. How the file
looked before and after each of those is known, so that it excuses only what changed meanwhile. In doubt nobody is
accused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.agents import identity
from comity.rooms.claims.paths import Base
from comity.rooms.edits.looks import KEPT_MS
from comity.rooms.edits.model import EDIT_TAKES_MS
from comity.rooms.work import facts
from comity.rooms.work.facts import Asked, FilePlace
from comity.system.fingerprints import differ

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


def excused(
    scope: Scope,
    place: FilePlace,
    holder: str,
    path: str,
    window: Window,
    *,
    wide: bool,
    sure: bool = False,
    gone: bool = False,
) -> bool:
    """Whether the holder, or a subagent of it, may have changed the file itself. ``path`` is what looks at it call it.

    ``wide``: it holds a folder or a glob; of its own ones no agent looks at every file, so that any command of it
    excuses. ``sure``: the other's command says that it changes the file; then only an edit of the holder's own excuses.
    ``gone``: the work is, and not only changed; what was left running in the background does not do that to its own.
    """
    agents = [holder, *identity.descendants(scope, holder)]
    asked = facts.asked_at(scope, place.repository, place.worktree, [place.key], ())
    if any(one.agent_id in agents and _may_come(one, window) for one in asked):
        return True
    if sure:
        return False
    where = {"repository": place.repository, "worktree": place.worktree, "agents": compact(agents)}
    commands = []
    blunt = wide or window.looked_ms < scope.now.ms - KEPT_MS
    for from_ms, closed_ms, lingers_ms, here, files in scope.tx.all("edits.looks", **where):
        last_ms = _NEVER if closed_ms is None else int(closed_ms)
        lingers = int(lingers_ms) >= window.looked_ms and not gone
        if lingers or (blunt and last_ms >= window.looked_ms):
            return True
        if closed_ms is None:
            seen = json.loads(files).get(path) if here else None
            commands.append(Ran(int(from_ms), _NEVER, seen, None))
    rows = scope.tx.all("edits.own_changes", **where, file_path=place.key, since_ms=window.looked_ms)
    commands += [Ran(int(row[0]), int(row[1]), row[2], row[3]) for row in rows]
    return explains(commands, window)


def _may_come(asked: Asked, window: Window) -> bool:
    """Whether an edit that was let through may have been made in the window."""
    if asked.asked_ms >= window.looked_ms:
        return True
    return asked.asked_ms >= window.looked_ms - EDIT_TAKES_MS and not differ(asked.seen, window.before)


def note(scope: Scope, base: Base, paths: Sequence[str], from_ms: int, seen: tuple[dict[str, str], ...]) -> None:
    """A command of the actor changed these of what it holds. ``seen``: fingerprints before and after it."""
    before, after = seen
    for path in paths:
        place = FilePlace(base.repository, base.worktree, base.key(path))
        note_one(scope, place, scope.actor.agent_id, from_ms, (before.get(path), after.get(path)))


def note_one(scope: Scope, place: FilePlace, agent_id: str, from_ms: int, seen: tuple[str | None, str | None]) -> None:
    """An agent changed a file of its own between that moment and now."""
    scope.tx.run("edits.forget_own_changes", before_ms=scope.now.ms - KEPT_MS)
    scope.tx.run(
        "edits.own_change",
        repository=place.repository,
        worktree=place.worktree,
        file_path=place.key,
        agent_id=agent_id,
        from_ms=from_ms,
        now_ms=scope.now.ms,
        seen_before=seen[0],
        seen_after=seen[1],
    )
