"""How a refusal or a warning names a claim: who holds what, why, since when and until when."""

from __future__ import annotations

from comity.kernel.quoting import SOMEBODY, called, quoted, title
from comity.kernel.scope import Scope
from comity.rooms.claims.model import WAITING
from comity.rooms.claims.overlaps import Held, Met
from comity.rooms.work.facts import BACKGROUND, Asked, Work

MOST_TOLD = 3
# In place of the id of a claim: it is held by the fact that it was changed, or that a change was let through just now.
WORK, ASKED = "work", "asked"
_REASON_LENGTH = 120


def says(scope: Scope, met: Met) -> str:
    """One claim in a sentence."""
    held = met.held
    if held.claim_id == WORK:
        age = span(scope.now.second - (held.since or 0))
        return f"{titled(held)} changed {quoted(met.path)} {age} ago and has not committed it."
    if held.claim_id == ASKED:
        return f"{titled(held)} was let edit {quoted(met.path)} {span(scope.now.second - (held.since or 0))} ago."
    why = f", {quoted(held.reason, _REASON_LENGTH)}" if held.reason else ""
    age = f"{span(scope.now.second - held.since)} ago" if held.since is not None else "some time ago"
    if held.mode == WAITING:
        since = span(scope.now.second - (held.since or 0))
        return f"{titled(held)} has stood in line for {quoted(met.path)} for {since}{why}, and has its turn first."
    how = "claimed" if held.mode == "exclusive" else "shares" if held.mode == "shared" else "announced work on"
    where = " in another worktree" if met.elsewhere else ""
    left = span(left_s(scope, held))
    return f"{titled(held)} {how} {quoted(met.path)}{where} {age}{why}; it lapses in {left} unless renewed."


def left_behind(scope: Scope, work: Work) -> str:
    """Work whose agent is gone, has let it go, or is not known for certain, in a sentence."""
    age = span((scope.now.ms - work.changed_ms) // 1000)
    how = "let go by" if work.let_go else "left behind by"
    how = "perhaps made by what a command left running of" if work.how == BACKGROUND else how
    what = f"Uncommitted changes of {quoted(work.file_path)}, made {age} ago, were {how}"
    return f"{what} {title(work.agent_id, work.agent_name)}."


def asks(scope: Scope, asked: Asked) -> str:
    """A change that was asked for and is not made yet, in a sentence."""
    age = span((scope.now.ms - asked.asked_ms) // 1000)
    who = title(asked.agent_id, asked.agent_name)
    return f"{who} asked to edit {quoted(asked.file_path)} {age} ago and may yet do it: its user may have to agree."


def titled(held: Held) -> str:
    """The holder's name, and its id where that differs."""
    return title(held.agent_id, held.agent_name)


def whom(agent_id: str) -> str:
    """Whom to ask, and how to reach them."""
    who = called(agent_id)
    if who == SOMEBODY:
        return "its holder (`agent.list` says who is here)"
    return f"{who} (`message.send {who}`)"


def left_s(scope: Scope, held: Held) -> int:
    """Seconds until the claim lapses."""
    expiry = scope.tx.one("edits.second_of", timestamp=held.expires_at)
    return int(expiry[0]) - scope.now.second if expiry and isinstance(expiry[0], int) else 0


def span(seconds: int) -> str:
    """A time in words."""
    seconds = max(0, seconds)
    return f"{seconds} s" if seconds < 90 else f"{seconds // 60} min" if seconds < 5400 else f"{seconds // 3600} h"


def some(files: list[str], most: int = 5) -> str:
    """The first few of many files."""
    told = ", ".join(quoted(path) for path in files[:most])
    return f"{told} and {len(files) - most} more" if len(files) > most else told
