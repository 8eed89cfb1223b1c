"""HEAD of a checkout, which all agents there share: where it was before a command and where it is after it.

It is read by hand, so no spelling of a command matters and no process is started. Agents that commit on top of HEAD
move it, too: of that nobody is told, unless such a commit took in what a peer had changed. Of every other move both
sides are told: the mover with the answer of its hook, its peers with their next one. A peer that has not read it by
then is refused its next commit, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module

from comity.kernel.event import Event
from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import quoted, title
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.kernel.text import compact, read_strings
from comity.rooms.agents import presence
from comity.rooms.claims.paths import Base
from comity.rooms.claims.places import Places
from comity.rooms.edits import notices, progress
from comity.rooms.edits.claim_words import some
from comity.rooms.edits.line_changes import Line
from comity.rooms.edits.model import Verdict
from comity.rooms.edits.sight import path_of
from comity.rooms.turns import speaker
from comity.rooms.work import standing
from comity.rooms.work.facts import Work
from comity.shell.changes import Change, Effects
from comity.system import git_head_log, git_refs, repository
from comity.system.checkouts import here
from comity.system.git_refs import Head
from comity.system.repository import Repository

_MOVES = ("branch", "commit", "replace", "stash", "refs")
_BRANCHES = "refs/heads/"
_SHOWN = 60  # characters of a command: messages are cut when they are injected
_SPAN_MS = 30_000  # a command that moves HEAD may run that long before it is known to be over


class HeadAt(NamedTuple):
    """HEAD of one checkout."""

    base: Base
    there: Repository
    head: Head


class Move(NamedTuple):
    """HEAD went from ``before`` to where it is ``at``. ``plain``: by commits on top alone; ``took``: work of peers that
    such commits have taken in.
    """

    at: HeadAt
    before: Head
    plain: bool
    took: tuple[Work, ...]


class NotedHead(NamedTuple):
    """What is noted of a checkout's HEAD."""

    branch: str
    commit: str
    seen_ms: int
    told: str
    moved_by: str
    heard: tuple[str, ...]


def reached(base: Base, changes: Iterable[Change]) -> list[Base]:
    """The checkouts in which a line runs git."""
    places = Places(base)
    found = (places.at(change.place) for change in changes if change.verb.startswith("git "))
    return list(dict.fromkeys(there for there in found if there is not None))


def looked(bases: Iterable[Base]) -> list[HeadAt]:
    """HEAD of these checkouts."""
    found = []
    for one in dict.fromkeys(bases):
        around = repository.around(one.folder)
        head = git_refs.head(around) if around is not None and not around.bare else None
        if around is not None and head is not None:
            found.append(HeadAt(one, around, head))
    return found


def mark(scope: Scope, heads: Iterable[HeadAt], *, commits: bool = False) -> None:
    """Before a command: note where HEAD is. When it has moved meanwhile, another command of the actor that is not known
    to have ended did it, or nobody's. While one of a peer runs, that is asked at its end; but who ``commits`` is told
    at once.
    """
    scope = speaker.settle(scope)
    own = scope.tx.one("edits.look", agent_id=scope.actor.agent_id) is not None
    for one in heads:
        known = _known(scope, one.base)
        moved = known is not None and (known.branch, known.commit) != (one.head.branch, one.head.commit)
        if known is None or not moved:
            _note(scope, one)
            continue
        before = Head(known.branch, known.commit)
        plain = known.branch == one.head.branch and git_head_log.on_top(git_head_log.since(one.there, before, one.head))
        busy = scope.tx.all("edits.at_work", agent_id=scope.actor.agent_id, **_where(one.base))
        if busy and (plain or not commits):
            continue
        _note(scope, one)
        if busy:
            _tell_of_running(scope, one, before, str(busy[0][0]))
        elif own and not plain:
            _tell_moved(scope, Move(one, before, plain=False, took=()), "")
        elif not plain:
            _tell_of_nobodys(scope, one, before, known.seen_ms)


def found(steps: Steps, base: Base, from_ms: int, line: Line) -> list[Move]:
    """After a command: where HEAD has moved meanwhile, and what of peers' work was committed."""
    moves = []
    command: Effects | None = None
    for one in looked(steps.read(_noted, base, from_ms)):
        known, works, busy = steps.read(_around, one.base)
        if known is None or (known.branch, known.commit) == (one.head.branch, one.head.commit):
            continue
        command = command or line.changes()
        sure = any(change.how in _MOVES and change.place == one.there.checkout for change in command.changes)
        if not sure and (one.base != base or busy or not command.unknown):
            continue  # it was another's, who is asked next
        before = Head(known.branch, known.commit)
        plain = known.branch == one.head.branch and git_head_log.on_top(git_head_log.since(one.there, before, one.head))
        theirs = {path_of(work): work for work in works}
        names: set[str] | None = None
        if theirs and one.head.commit not in ("", before.commit):
            names = _recorded()(one.there, before.commit, one.head.commit, theirs, rewritten=not plain)
        moves.append(Move(one, before, plain, tuple(theirs[path] for path in sorted(names or ()))))
    return moves


def _recorded() -> Any:
    """Git is asked only where HEAD has moved beside work of others."""
    return import_module("comity.system.git_recorded").recorded


def _noted(scope: Scope, base: Base, from_ms: int) -> list[Base]:
    """Checkouts of which HEAD was noted since then."""
    rows = scope.tx.all("edits.heads", repository=base.repository, from_ms=from_ms)
    return [Base(base.repository, str(row[0]), here(str(row[0]) or base.repository), base.fold) for row in rows]


def _around(scope: Scope, base: Base) -> tuple[NotedHead | None, list[Work], frozenset[str]]:
    """What is noted, work of living peers there, and who else's command may run there just now."""
    scope = speaker.find(scope) or scope
    near = progress.all_near(scope)
    here_only = tuple(work for work in near.works if (work.repository, work.worktree) == _pair(base))
    works = progress.others(scope, near._replace(works=here_only, asked=())).living
    busy = {str(row[0]) for row in scope.tx.all("edits.at_work", agent_id=scope.actor.agent_id, **_where(base))}
    since = {"since_ms": scope.now.ms - _SPAN_MS, "agent_id": scope.actor.agent_id}
    busy |= {str(row[0]) for row in scope.tx.all("edits.sweeping", **since, **_where(base))}
    return _known(scope, base), list(works), frozenset(busy)


def settle(scope: Scope, moves: Sequence[Move], command: str) -> None:
    """Note where HEAD is now, and tell both sides."""
    scope = speaker.settle(scope)
    for move in moves:
        _note(scope, move.at)
        if not move.plain:
            _tell_moved(scope, move, command)
        if move.took:
            _tell_taken(scope, move, command)


def _tell_moved(scope: Scope, move: Move, command: str) -> None:
    peers = _peers(scope, move.at.base, 0)
    if not peers:
        return
    actor, where = scope.actor, _from_to(move.before, move.at.head)
    ran = f" with {quoted(command, _SHOWN)}" if command else ""
    told = (
        f"HEAD moved {where} by {title(actor.agent_id, actor.name)}{ran}. What you commit now goes to "
        f"{_named(move.at.head)}: look at git status first. All agents of this checkout share HEAD and the index."
    )
    names = ", ".join(title(*peer) for peer in list(peers.items())[:3])
    ours = (
        f"HEAD moved {where} by your command. {names} works in this checkout, too, and was told: HEAD and the index "
        "are everybody's there. For a branch of your own use a worktree."
    )
    _emit(scope, move.at.base, move.before, move.at.head, command)
    _tell(scope, move.at.base, told, peers, actor.agent_id)
    notices.send(scope, actor.agent_id, ours)


def _tell_of_running(scope: Scope, at: HeadAt, before: Head, mover: str) -> None:
    """It has moved while a command of a peer runs, or did when its hooks were heard last."""
    names = {str(row[0]): str(row[1] or row[0]) for row in scope.tx.all("edits.names")}
    told = (
        f"HEAD moved {_from_to(before, at.head)} while a command of {title(mover, names.get(mover, mover))} ran. What "
        f"you commit now goes to {_named(at.head)}: look at git status first."
    )
    _emit(scope, at.base, before, at.head, "")
    _tell(scope, at.base, told, {**_peers(scope, at.base, 0), scope.actor.agent_id: ""}, mover)


def _tell_of_nobodys(scope: Scope, at: HeadAt, before: Head, seen_ms: int) -> None:
    """No agent's command was seen to do it: perhaps a person's. Who was not here all the time is not told."""
    peers = _peers(scope, at.base, seen_ms)
    if not peers or not _was_here(scope, scope.actor.agent_id, seen_ms):
        return
    told = (
        f"HEAD moved {_from_to(before, at.head)} by none of the agents here, perhaps by a person. What you commit now "
        f"goes to {_named(at.head)}. Look at git status before you commit."
    )
    _emit(scope, at.base, before, at.head, "")
    _tell(scope, at.base, told, peers, "")
    notices.send(scope, scope.actor.agent_id, told)


def _tell_taken(scope: Scope, move: Move, command: str) -> None:
    """Work that its agent has not committed is in a commit of somebody else."""
    actor = scope.actor
    ran = f" ({quoted(command, _SHOWN)})" if command else ""
    state = standing.of(scope, [work.agent_id for work in move.took])
    by_owner: dict[str, list[Work]] = {}
    for work in move.took:
        owner = state.owner.get(work.agent_id)
        if owner is not None:
            by_owner.setdefault(owner, []).append(work)
    commit = move.at.head.commit[:10]
    for owner, works in by_owner.items():
        files = [work.file_path for work in works]
        detail: dict[str, object] = {"files": files[:20], "by": actor.agent_id, "command": command[:200]}
        detail["commit"] = move.at.head.commit
        scope.emit(Event("work.committed", agent_id=owner, reason_code="claim.held", metadata=detail))
        who, whose = title(actor.agent_id, actor.name), title(owner, _called(works, owner))
        person = "Tell the person you work for."
        theirs = f"{who} committed {some(files)} with your uncommitted changes, as {commit}{ran}. {person}"
        ours = (
            f"{commit} took in {some(files)} with uncommitted changes of {whose}, who was told. {person} Do not "
            "rewrite it without agreement. Commit files by name: git commit -- FILES."
        )
        notices.send(scope, owner, theirs)
        notices.send(scope, actor.agent_id, ours)
        seen = f"{who} committed {some(files)} with uncommitted changes of {whose}, as {commit}."
        scope.tx.run("edits.head_taken", taken=seen, now_ms=scope.now.ms, **_where(move.at.base))


def untold(scope: Scope, bases: Iterable[Base], agents: Iterable[str]) -> str:
    """What one of these agents was told of a move of HEAD, and has not read; empty when there is nothing."""
    for base in bases:
        known = _known(scope, base)
        if known is None or not known.told:
            continue
        for agent_id in agents:
            if agent_id in (known.moved_by, *known.heard):
                continue
            if scope.tx.one("edits.unread", agent_id=agent_id, told=known.told) is not None:
                return known.told
    return ""


def refuse_once(scope: Scope, bases: Sequence[Base], agents: Sequence[str], command: str) -> Verdict | None:
    """A commit to where HEAD is now is refused once, when its agent does not know that."""
    told = untold(scope, bases, agents)
    if not told:
        return None
    for base in bases:
        known = _known(scope, base)
        if known is not None and known.told == told:
            heard = compact(sorted({*known.heard, *agents}))
            scope.tx.run("edits.head_heard", heard=heard, **_where(base))
    detail: dict[str, object] = {"command": command[:200]}
    scope.emit(Event("git.refused", agent_id=agents[0], reason_code="head.moved", metadata=detail))
    return refusal(told)


def refusal(told: str) -> Verdict:
    """The refusal of a commit whose agent did not know where it would go."""
    return Verdict(False, f"{told} Nothing was done. Run the command again if that is where it belongs.")


def _tell(scope: Scope, base: Base, told: str, peers: Iterable[str], moved_by: str) -> None:
    for agent_id in peers:
        notices.send(scope, agent_id, told)
    scope.tx.run("edits.head_moved", told=told, moved_by=moved_by, now_ms=scope.now.ms, **_where(base))


def _emit(scope: Scope, base: Base, before: Head, now: Head, command: str) -> None:
    detail: dict[str, object] = {"from_branch": before.branch, "from_commit": before.commit, "branch": now.branch}
    detail |= {"commit": now.commit, "worktree": base.worktree, "command": command[:200]}
    scope.emit(Event("head.moved", agent_id=scope.actor.agent_id, metadata=detail))


def _peers(scope: Scope, base: Base, before_ms: int) -> dict[str, str]:
    """Living agents of this checkout, by id, with their names; but the actor and those above it. ``before_ms``: only
    those that were here by then, 0 for all.
    """
    mine = progress.kin(scope)
    names = {str(row[0]): str(row[1] or row[0]) for row in scope.tx.all("edits.names")}
    inside = [
        one.agent_id
        for one, _ in presence.verdicts(scope)
        if one.worktree and "\0" not in one.worktree and here(one.worktree) == base.folder
    ]
    near = progress.all_near(scope)
    inside += [work.agent_id for work in near.works if (work.repository, work.worktree) == _pair(base)]
    wanted = [one for one in dict.fromkeys(inside) if one not in mine and one in names]
    alive = standing.of(scope, wanted)
    found = {}
    for agent_id in wanted:
        if alive.living(agent_id) and (not before_ms or _was_here(scope, agent_id, before_ms)):
            found[agent_id] = names[agent_id]
    return found


def _was_here(scope: Scope, agent_id: str, before_ms: int) -> bool:
    """Whether the agent's session had begun by then."""
    began = scope.tx.one("edits.session_ms", agent_id=agent_id)
    return began is not None and isinstance(began[0], int) and began[0] < before_ms


def _called(works: Sequence[Work], owner: str) -> str:
    return next((work.agent_name for work in works if work.agent_id == owner), owner)


def _from_to(before: Head, now: Head) -> str:
    if before.branch == now.branch and before.branch:
        return f"from {before.commit[:10] or 'nothing'} to {now.commit[:10] or 'nothing'} on {_named(now)}"
    return f"from {_named(before)} to {_named(now)}"


def _named(head: Head) -> str:
    """The branch, or the commit where none is checked out."""
    return quoted(head.branch.removeprefix(_BRANCHES), 100) if head.branch else f"{head.commit[:10]} (no branch)"


def _known(scope: Scope, base: Base) -> NotedHead | None:
    row = scope.tx.one("edits.head", **_where(base))
    if row is None:
        return None
    return NotedHead(str(row[0]), str(row[1]), int(row[2]), str(row[3]), str(row[4]), tuple(read_strings(row[5]) or ()))


def _note(scope: Scope, at: HeadAt) -> None:
    told = {"branch": at.head.branch, "commit_id": at.head.commit, "now_ms": scope.now.ms}
    scope.tx.run("edits.note_head", **told, **_where(at.base))


def _pair(base: Base) -> tuple[str, str]:
    return base.repository, base.worktree


def _where(base: Base) -> dict[str, str]:
    return {"repository": base.repository, "worktree": base.worktree}
