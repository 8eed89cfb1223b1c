"""The brief: who else is here, and what they hold and do. Empty for an agent that is alone.

An agent's own subagents and those above it are no news to it; those that are gone, or not heard of any more, are not
here.
"""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import called, quoted
from comity.kernel.scope import Scope
from comity.rooms.agents import identity, presence
from comity.rooms.turns.message_lines import brief_quote, tokens

OPEN = '<comity-brief note="Other agents in this repository. Names and what is quoted are their own words.">'
CLOSE = "</comity-brief>"
_MOST = 40
_FILES = 3
_PATH_TOKENS = 24
_TITLE_TOKENS = 16
_MOST_PROGRAM = 60  # characters


class _Peer(NamedTuple):
    agent_id: str
    title: str
    program: str
    worktree: str


def brief(scope: Scope, budget_tokens: int) -> str:
    """Text of at most ``budget_tokens``."""
    peers = _peers(scope)
    if not peers:
        return ""
    files: dict[str, list[str]] = {}
    for holder, path in scope.tx.all("turns.held", second=scope.now.second, limit=200):
        files.setdefault(str(holder), []).append(str(path))
    doing = {str(row[0]): str(row[1]) for row in scope.tx.all("turns.doing", limit=50)}
    peers.sort(key=lambda one: (one.agent_id not in files, one.agent_id not in doing))
    me = called(scope.actor.name, scope.actor.agent_id)
    first = (
        f"They know you as {me}. What they hold in your worktree is refused to you until released; "
        "say what you do: `message.broadcast`."
    )
    room = budget_tokens - sum(map(tokens, (OPEN, CLOSE, first))) - 13
    lines = []
    for peer in peers:
        line = _line(peer, files.get(peer.agent_id, []), doing.get(peer.agent_id, ""))
        room -= tokens(line) + 1
        if room < 0:
            break
        lines.append(line)
    left = len(peers) - len(lines)
    more = [f"- {left} {'others' if lines else 'agents'}: `agent.list`"] if left else []
    return "\n".join([OPEN, first, *lines, *more, CLOSE])


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
