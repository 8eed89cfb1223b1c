"""What each role may do: globs on the names of operations. What no line grants is for admins only.

Roles are for calls over the network. Whoever can open the database file needs none: the command line, stdio servers and
hooks act with what the file system lets them.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

_READER = (
    "session.start",  # being here: one's own session
    "session.join",
    "session.renew",
    "session.end",
    "agent.list",
    "agent.context",
    "agent.dead",
    "message.read",  # one's own deliveries
    "message.history",  # channels one is in
    "message.catch_up",  # the same, and one's own deliveries
    "receipt.list",
    "goal.list",
    "goal.get",
    "goal.cascade",
    "task.get",
    "task.list",
    "task.survey",
    "task.ready",
    "task.history",
    "claim.list",
    "memory.get",
    "memory.search",
    "memory.list",
    "memory.history",
    "profile.get",
    "profile.list",
    "profile.find",
    "vault.search",
    "vault.get",
    "vault.list",
    "context.query",
    "search.find",
    "guide.*",
    "event.list",
    "workspace.status",
    "workspace.overview",
    "workspace.check",
    "workspace.place",
)
_WORKER = (
    *_READER,
    "session.begin",
    "channel.*",
    "message.*",
    "goal.*",
    "task.*",
    "claim.*",
    "memory.*",
    "profile.*",
    "vault.*",
    "turn.*",
    "agent.sleep",
    "agent.deactivate",
    "agent.delete",  # itself only, as the others
    "agent.reap",  # frees only what is proven dead; servers do it all the time
)

GRANTS: dict[str, tuple[str, ...]] = {"reader": _READER, "worker": _WORKER, "admin": ("*",)}

# Operations that change something and are for admins only, each with its reason. A test keeps the two tables whole.
ADMIN_ONLY: dict[str, str] = {
    "token.create": "it hands out every role",
    "token.revoke": "it locks others out",
    "token.touch": "servers note it themselves",
    "workspace.prune": "it removes history for everybody",
    "session.identify": "hooks of an agent host on this machine call it, in the name of the host's session",
    "session.leave": "as above",
    "edit.*": "it looks at files of this machine by any path",
    "command.*": "as above",
    "git.*": "as above",
}


@lru_cache(maxsize=4096)
def allows(role: str, op_name: str) -> bool:
    """Whether a role grants an operation."""
    return any(fnmatchcase(op_name, glob) for glob in GRANTS.get(role, ()))
