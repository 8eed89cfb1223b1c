"""The table of access: what an operation answers, by the role of a token and by whose agent the request comes from.

``docs/reference/access.md`` is made from it, and a test holds every cell against REST, MCP and WebSockets. It decides
nothing itself: ``grants``, ``authority`` and the operations do.
"""

from __future__ import annotations

from typing import Literal

from comity.kernel.registry import AnyOp
from comity.server.auth.grants import allows

Caller = Literal["own", "other", "unnamed", "named", "elsewhere"]

# Whose agent a request comes from, in words.
CALLERS: dict[Caller, str] = {
    "own": "the agent that its token names",
    "other": "another agent than its token names",
    "unnamed": "nobody: its token names no agent, or none is wanted, and it says no name",
    "named": "a free name that it says itself, with a token of no agent or where none is wanted",
    "elsewhere": "the same with the name of an agent that has a token of its own",
}

# Reads about the caller itself: a nameless one has nothing to read.
ABOUT_ONESELF = ("agent.context",)

# What becomes of a request about what is another agent's, by operation: a reason, or what is left out.
OTHERS: dict[str, str] = {
    **dict.fromkeys(
        (
            *("task.start", "task.complete", "task.block", "task.release", "task.transition"),
            *("task.cancel", "task.claim"),
        ),
        "task.not_yours or task.taken: only its holder, or its dispatcher where that is said, moves a task",
    ),
    "claim.acquire": "claim.held: it names the holder",
    "claim.renew": "claim.not_held: a claim is its holder's",
    "claim.release": "nothing is released: a claim is its holder's",
    "message.read": "MACP_ERR_DELIVERY_NOT_FOUND: a delivery is its recipient's",
    "message.ack": "MACP_ERR_DELIVERY_NOT_FOUND: a delivery is its recipient's",
    "message.history": "MACP_ERR_SENDER_NOT_MEMBER for a channel that is not the default one and that one is not in",
    "message.catch_up": "as message.history; direct messages are one's own alone",
    "message.broadcast": "MACP_ERR_SENDER_NOT_MEMBER in a channel that one is not in",
    "message.announce": "MACP_ERR_SENDER_NOT_MEMBER in a channel that one is not in",
    "receipt.list": "who got it, without a word of a direct message or of a channel that one may not read",
    "event.list": "that it happened, without a word of a direct message or of a channel that one may not read",
    "memory.get": "another agent's memory does not exist; a channel's is for members",
    "memory.list": "as memory.get",
    "memory.search": "as memory.get",
    "memory.history": "as memory.get",
    "memory.set": "as memory.get",
    "memory.delete": "as memory.get",
    "session.end": "one's own session alone; a reader's only where the server began it",
    "agent.sleep": "oneself alone",
    "agent.deactivate": "oneself alone",
    "agent.delete": "oneself alone",
    "turn.start": "one's own turns alone",
}


def refusal(op: AnyOp, role: str, caller: Caller, *, names: bool = False) -> str:
    """The reason for which such a request is refused; empty when the operation is run.

    ``names``: the door gives a nameless caller a name, as MCP does for all but readers.
    """
    if caller == "other":
        return "agent.mismatch"
    if caller in ("named", "elsewhere") and role == "reader":
        return "agent.unproven"
    if caller == "elsewhere":
        return "agent.bound"
    if not allows(role, op.name):
        return "role.insufficient"
    if caller == "unnamed" and (op.effect == "write" or op.name in ABOUT_ONESELF) and not (names and role != "reader"):
        return "agent.unnamed"
    return ""
