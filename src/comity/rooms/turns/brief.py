"""The brief: who else is here, what they hold and do, and what waits. Empty for an agent that is alone."""

from __future__ import annotations

from comity.kernel.scope import Scope
from comity.rooms.turns.quoting import name, plain, tokens

OPEN = '<comity-brief note="Facts about other agents in this repository; names and titles are their own words.">'
CLOSE = "</comity-brief>"
_MOST = 12
_FILES = 3
_TITLE = 60


def brief(scope: Scope, budget_tokens: int) -> str:
    """Text of at most about ``budget_tokens``."""
    agent_id = scope.actor.agent_id
    peers = scope.tx.all("turns.peers", agent_id=agent_id, limit=_MOST + 1)
    if not peers:
        return ""
    files: dict[str, list[str]] = {}
    for holder, path in scope.tx.all("turns.held", second=scope.now.second, limit=200):
        files.setdefault(str(holder), []).append(plain(str(path)))
    doing = {str(row[0]): plain(str(row[1]))[:_TITLE] for row in scope.tx.all("turns.doing", limit=50)}
    lines = [OPEN, f"You are {name(agent_id)} for them. Files that they hold are refused to you until released."]
    room = budget_tokens - tokens(OPEN) - tokens(CLOSE) - tokens(lines[1]) - 12
    told = 0
    for peer_id, title, program, worktree in peers[:_MOST]:
        line = _line(str(peer_id), str(title or peer_id), str(program), str(worktree), files, doing)
        room -= tokens(line) + 1
        if room < 0:
            break
        lines.append(line)
        told += 1
    if told < len(peers):
        lines.append("- and others: comity agents")
    return "\n".join([*lines, CLOSE])


def _line(
    peer_id: str, title: str, program: str, worktree: str, files: dict[str, list[str]], doing: dict[str, str]
) -> str:
    held = files.get(peer_id, [])
    parts = [f"- {name(title)}"]
    if program:
        parts.append(f" ({name(program)})")
    if worktree:
        parts.append(f" in worktree {plain(worktree.rsplit('/', 1)[-1])[:_TITLE]}")
    if held:
        more = f" and {len(held) - _FILES} more" if len(held) > _FILES else ""
        parts.append(f" holds {', '.join(held[:_FILES])}{more}")
    if peer_id in doing:
        parts.append(f'; task "{doing[peer_id]}"')
    return "".join(parts)
