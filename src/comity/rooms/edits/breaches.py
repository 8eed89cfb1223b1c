"""What a shell command did to files that peers hold: their fingerprints before it, and again after it.

Nothing else can be known of a program that writes by itself. A file is looked at directly where a claim names it; git
lists what changed where a claim names a folder or a glob. When nobody else holds anything, nothing is looked at.

What the holder may have done itself is no breach (``breach_excuses``): its own files are looked at, too.
"""

from __future__ import annotations

import json
import os
import stat
import zlib

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import called, quoted
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.agents import identity
from comity.rooms.channels import deliveries
from comity.rooms.claims.overlaps import Held, Wanted
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits import breach_excuses
from comity.rooms.edits.claim_words import some, titled
from comity.rooms.edits.edit_guard import others
from comity.rooms.edits.model import Breach, Compared
from comity.rooms.turns import speaker
from comity.system import git

MAX_FILES = 500
MAX_CLAIMS = 2000
_WHOLE_BYTES = 2_000_000  # larger files are known by size and time
_TTL_S = 86_400

Prints = dict[str, str]


class Ground(NamedTuple):
    """What is held in the caller's work tree, and since when that is known. ``wide``: folders and globs of peers."""

    plain: tuple[str, ...]
    wide: tuple[Target, ...]
    read_ms: int


class Before(NamedTuple):
    """The look that was taken before a command, between two moments."""

    looked_ms: int
    from_ms: int
    prints: Prints


def held_here(scope: Scope, base: Base) -> tuple[list[Held], list[Held]]:
    """Exclusive claims in this work tree: those of peers, and those of the actor and its ancestors."""
    family = {scope.actor.agent_id, *identity.ancestors(scope, scope.actor.agent_id)}
    rows = scope.tx.all("claims.active", second=scope.now.second, agent_id=None, limit=MAX_CLAIMS)
    held = [one for one in map(Held.read, rows) if one.mode == "exclusive" and not one.elsewhere(base)]
    return [one for one in held if one.agent_id not in family], [one for one in held if one.agent_id in family]


def held_by_peers(scope: Scope, base: Base) -> list[Held]:
    """Exclusive claims in this work tree of agents that are neither the actor nor its ancestors."""
    return held_here(scope, base)[0]


def ground(scope: Scope, base: Base) -> Ground | None:
    """What is to be looked at; None when no other agent is about."""
    scope = speaker.look(scope) or scope
    if not others(scope):
        return None
    peers, own = held_here(scope, base)
    wide = [Target(one.file_path, bool(one.tree)) for one in peers if _wide(base, one)]
    plain = [one.file_path for one in (*peers, *own) if not _wide(base, one)]
    return Ground(tuple(dict.fromkeys(plain))[:MAX_FILES], tuple(wide), scope.now.ms)


def _wide(base: Base, held: Held) -> bool:
    if "*" in held.file_path or "?" in held.file_path:
        return True
    return bool(held.tree) and os.path.isdir(os.path.join(base.folder, held.file_path))


def prints(base: Base, near: Ground, known: Prints) -> Prints:
    """Fingerprints of what is held, and of whatever was looked at before."""
    paths = dict.fromkeys([*near.plain, *known])
    if near.wide:
        listed = git.changed(base.folder) or git.Changed([], [], [])
        listed_here = (path for path in (*listed.tracked, *listed.untracked) if _is_text(path))
        inside = [os.path.relpath(path, base.folder) for path in listed_here]
        files = [Target(path, tree=False) for path in inside if not path.startswith("..")]
        wanted = Wanted(base, files)
        for target in near.wide:
            paths |= dict.fromkeys(wanted.met_by(target.pattern(base)))
    return {path: fingerprint(os.path.join(base.folder, path)) for path in list(paths)[:MAX_FILES]}


def _is_text(path: str) -> bool:
    """Names of other encodings have no place in the store: they are not watched."""
    return not any("\ud800" <= letter <= "\udfff" for letter in path)


def fingerprint(path: str) -> str:
    """When a file was last written, in milliseconds, and after a bar what tells its content; empty for no file.

    What is no plain file is none: a pipe or a terminal may keep whoever opens it for ever.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            seen = os.fstat(file.fileno())
            if not stat.S_ISREG(seen.st_mode):
                return ""
            content = seen.st_mtime_ns if seen.st_size > _WHOLE_BYTES else zlib.crc32(file.read())
            return f"{seen.st_mtime_ns // 1_000_000}|{seen.st_size}:{content:x}"
    except (OSError, ValueError):
        return ""


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


def remember(scope: Scope, base: Base, prints: Prints, from_ms: int) -> int:
    """The look before a command; one that is open yet keeps what it saw first, and its time."""
    scope = speaker.settle(scope)
    looked_ms = scope.now.ms
    before = _open(scope)
    if before is not None and looked_ms - before.looked_ms < _TTL_S * 1000:
        from_ms, looked_ms, prints = before.from_ms, before.looked_ms, {**prints, **before.prints}
    scope.tx.run(
        "edits.remember_look",
        agent_id=scope.actor.agent_id,
        repository=base.repository,
        worktree=base.worktree,
        from_ms=from_ms,
        looked_ms=looked_ms,
        files=compact(prints),
    )
    return len(prints)


def before(scope: Scope) -> Before | None:
    """The open look of the actor, if any."""
    settled = speaker.look(scope)
    return _open(settled or scope)


def _open(scope: Scope) -> Before | None:
    row = scope.tx.one("edits.look", agent_id=scope.actor.agent_id)
    if row is None:
        return None
    found = json.loads(row[2])
    return Before(int(row[0]), int(row[1]), {str(path): str(seen) for path, seen in found.items()})


def compare(scope: Scope, base: Base, looked: Before, after: Prints, seen_ms: int, command: str) -> Compared:
    """What changed though a peer holds it; an event for each holder, and a message to both sides. ``seen_ms``: before
    the first file was looked at again.
    """
    scope = speaker.settle(scope)
    lingers_ms = scope.now.ms + breach_excuses.KEPT_MS if breach_excuses.leaves_running(command) else 0
    scope.tx.run("edits.close_look", agent_id=scope.actor.agent_id, now_ms=scope.now.ms, lingers_ms=lingers_ms)
    # Of what was not there to be seen before (a folder's file that had no changes), having changes is the change.
    files = [
        path
        for path, seen in after.items()
        if path not in looked.prints or breach_excuses.differ(looked.prints[path], seen)
    ]
    if not files:
        return Compared([])
    peers, own = held_here(scope, base)
    wanted = Wanted(base, [Target(path, tree=False) for path in files])
    mine = dict.fromkeys(path for held in own for path in _met(wanted, base, held))
    breach_excuses.note(scope, base, list(mine), looked.from_ms, (looked.prints, after))
    found: dict[str, tuple[Held, list[str]]] = {}
    for held in peers:
        if held.since is not None and held.since * 1000 > looked.looked_ms + 1000:
            continue  # claimed later than the command began
        known = found.setdefault(held.agent_id, (held, []))[1]
        wide = _wide(base, held)
        for path in _met(wanted, base, held):
            window = breach_excuses.Window(looked.looked_ms, seen_ms, looked.prints.get(path), after[path])
            if path not in known and not breach_excuses.excused(scope, base, held.agent_id, path, window, wide=wide):
                known.append(path)
    breaches = {holder: (held, sorted(paths)) for holder, (held, paths) in found.items() if paths}
    for held, paths in breaches.values():
        _tell(scope, held, paths, command)
    return Compared([Breach(path, holder) for holder, (_, paths) in breaches.items() for path in paths])


def _met(wanted: Wanted, base: Base, held: Held) -> list[str]:
    return list(wanted.met_by(Target(held.file_path, bool(held.tree)).pattern(base)))


def _tell(scope: Scope, held: Held, paths: list[str], command: str) -> None:
    actor = scope.actor
    detail: dict[str, object] = {"files": paths[:20], "by": actor.agent_id, "command": command[:200]}
    scope.emit(Event("edit.breached", agent_id=held.agent_id, reason_code="claim.held", metadata=detail))
    who = called(actor.name, actor.agent_id)
    what = some(paths)
    ran = f" ({quoted(command, 120)})" if command else ""
    theirs = f"While a shell command of {who}{ran} ran, {what} changed, which you hold. Read it before you go on."
    ours = f"While your shell command{ran} ran, {what} changed, which {titled(held)} holds. Its holder was told."
    _send(scope, held.agent_id, theirs)
    _send(scope, actor.agent_id, ours)


def _send(scope: Scope, agent_id: str, content: str) -> None:
    """A word of Comity itself; a queue that is full stops nothing."""
    for recipient in deliveries.recipient(scope, agent_id):
        deliveries.notice(scope, recipient, content, "steering", _TTL_S)
