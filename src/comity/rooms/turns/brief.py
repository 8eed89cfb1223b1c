"""The brief: who else is here, what they hold and do, and what was said a moment ago in the channel, before the agent
came. Empty for an agent that is alone and has missed nothing.

An agent's own subagents and those above it are no news to it; those that are gone, or not heard of any more, are not
here.
"""

from __future__ import annotations

import os
from importlib import import_module

from comity.kernel.clock import Instant
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import called, quoted, word
from comity.kernel.scope import Scope
from comity.kernel.text import read_object
from comity.rooms.agents import identity, presence
from comity.rooms.turns.message_lines import brief_quote, tokens
from comity.rooms.work import facts, standing
from comity.rooms.work.facts import Work

OPEN = '<comity-brief note="Other agents in this repository. Names and what is quoted are their own words.">'
CLOSE = "</comity-brief>"
_MOST = 40
_MOST_WORKS = 200
_FILES = 3
_PATH_TOKENS = 24
_TITLE_TOKENS = 16
_MOST_PROGRAM = 60  # characters
_SAID_MS = 900_000  # before an agent came
_MOST_SAID, _SAID_TOKENS = 5, 40  # messages, and tokens of one
_SAID_SHARE = 3  # they get a third of the room
_SCANNED = 5000  # of the newest events, in which they are looked for


class _Peer(NamedTuple):
    agent_id: str
    title: str
    program: str
    worktree: str


def brief(scope: Scope, budget_tokens: int) -> str:
    """Text of at most ``budget_tokens``."""
    peers = _peers(scope)
    works = _works(scope)
    left = _left_behind(scope, works)
    rest = [
        *_shared(scope, peers),
        *_doubled(scope),
        *_said(scope, budget_tokens // _SAID_SHARE),
        *([left] if left else []),
    ]
    if not peers:
        return "\n".join([OPEN, *rest, CLOSE]) if rest else ""
    files: dict[str, list[str]] = {}
    for holder, path in scope.tx.all("turns.held", second=scope.now.second, limit=200):
        files.setdefault(str(holder), []).append(str(path))
    for work in works:
        known = files.setdefault(work.agent_id, [])
        known += [work.file_path] if work.file_path not in known and not work.let_go else []
    doing = {str(row[0]): str(row[1]) for row in scope.tx.all("turns.doing", limit=50)}
    peers.sort(key=lambda one: (one.agent_id not in files, one.agent_id not in doing))
    me = called(scope.actor.name, scope.actor.agent_id)
    first = (
        f"They know you as {me}. What they hold in your worktree is refused to you until released; "
        "say what you do: `message.broadcast`."
    )
    room = budget_tokens - sum(map(tokens, (OPEN, CLOSE, first, *rest))) - 13
    lines = []
    for peer in peers:
        line = _line(peer, files.get(peer.agent_id, []), doing.get(peer.agent_id, ""))
        room -= tokens(line) + 1
        if room < 0:
            break
        lines.append(line)
    unseen = len(peers) - len(lines)
    more = [f"- {unseen} {'others' if lines else 'agents'}: `agent.list`"] if unseen else []
    return "\n".join([OPEN, first, *lines, *more, *rest, CLOSE])


def _works(scope: Scope) -> list[Work]:
    """What anybody has in progress in the project; where nobody has, the name of the checkout is not looked up."""
    if scope.tx.one("turns.any_work") is None:
        return []
    checkouts = import_module("comity.system.checkouts")
    return facts.of_repository(scope, checkouts.name_of(scope.actor.root), _MOST_WORKS)


def _shared(scope: Scope, peers: list[_Peer]) -> list[str]:
    """That others work in the agent's checkout, while its task has none of its own."""
    here = scope.actor.worktree or scope.actor.root
    if not here or not any(peer.worktree == here for peer in peers):
        return []
    row = scope.tx.one("turns.task_without_worktree", agent_id=scope.actor.agent_id)
    if row is None or not os.path.lexists(os.path.join(scope.actor.root, ".git")):
        return []
    name = import_module("comity.rooms.tasks.model").number_of(row[1]) or str(row[0])
    return [f"- others edit in this checkout: `worktree.create {word(name)}` makes one of its own for your task"]


def _doubled(scope: Scope) -> list[str]:
    """Other processes under the session's id."""
    if not identity.may_be_doubled(scope):
        return []
    others = import_module("comity.rooms.agents.doubles").others(scope, scope.actor.host)
    return [import_module("comity.rooms.channels.doubled").line(others)] if others else []


def _said(scope: Scope, room: int) -> list[str]:
    """What the agent's channel heard in the last minutes and the agent did not get, oldest first."""
    actor, now = scope.actor, scope.now
    if not actor.channel:
        return []
    rows = scope.tx.all(
        "turns.said",
        channel_id=actor.channel,
        agent_id=actor.agent_id,
        since=Instant.at(now.ms - _SAID_MS).iso,
        scanned=_SCANNED,
        limit=_MOST_SAID,
    )
    lines: list[str] = []
    for sent_by, content, sent_s in rows:
        sender = read_object(sent_by) or {}
        names = [name for name in (sender.get("name"), sender.get("agent_id")) if isinstance(name, str)]
        age = max(1, (now.second - sent_s) // 60)
        line = f"- {called(*names)} said to all {age} min ago: {brief_quote(str(content), _SAID_TOKENS)}"
        room -= tokens(line) + 1
        if room < 0:
            break
        lines.append(line)
    return lines[::-1]


def _left_behind(scope: Scope, works: list[Work]) -> str:
    """What agents that are gone have changed and not committed, in a line."""
    alive = standing.of(scope, [work.agent_id for work in works])
    gone = [work for work in works if not alive.living(work.agent_id) and work.agent_id != scope.actor.agent_id]
    if not gone:
        return ""
    shown = ", ".join(brief_quote(work.file_path, _PATH_TOKENS) for work in gone[:_FILES])
    more = f" and {len(gone) - _FILES} more" if len(gone) > _FILES else ""
    who = ", ".join(dict.fromkeys(called(work.agent_name, work.agent_id) for work in gone[:_FILES]))
    return (
        f"- left behind uncommitted by {who}, who is gone: {shown}{more}. Keep, commit or ask before you throw it away."
    )


def _peers(scope: Scope) -> list[_Peer]:
    """Whoever is here and no relative, the newest first."""
    me = scope.actor.agent_id
    rows = scope.tx.all("turns.names", agent_id=me, limit=_MOST)
    if not rows:
        return []
    family = {*identity.ancestors(scope, me), *identity.descendants(scope, me)}
    known = {one.agent_id: (one, verdict.state) for one, verdict in presence.verdicts(scope)}
    peers = []
    for key, title in rows:
        reported, state = known.get(key, (None, "unknown"))
        if key not in family and state not in ("dead", "lapsed"):
            program, worktree = (reported.program, reported.worktree) if reported is not None else ("", "")
            peers.append(_Peer(str(key), str(title or key), program, worktree))
    return peers


def _line(peer: _Peer, held: list[str], task: str) -> str:
    parts = [f"- {called(peer.title, peer.agent_id)}"]
    if peer.program:
        parts.append(f" ({quoted(peer.program, _MOST_PROGRAM)})")
    if peer.worktree:
        parts.append(f" in {brief_quote(peer.worktree.rsplit('/', 1)[-1], _TITLE_TOKENS)}")
    if held:
        shown = ", ".join(brief_quote(path, _PATH_TOKENS) for path in held[:_FILES])
        parts.append(f" holds {shown}" + (f" and {len(held) - _FILES} more" if len(held) > _FILES else ""))
    if task:
        parts.append(f"; task {brief_quote(task, _TITLE_TOKENS)}")
    return "".join(parts)
