"""What each role may do: every role whatever only reads, and what globs on the names of operations grant it.

What ``ADMIN_ONLY`` withholds, and what changes something and is granted by no line, is for admins. So an operation that
reads needs no line here, and one that writes is granted with its noun.

Roles are for calls over the network. Who can open the database file needs none: the command line, stdio servers and
hooks act with what the file system lets them.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

from comity.rooms.operations import READS

# What a reader may besides reading.
_READER = (
    "session.start",  # being here: one's own session
    "session.join",
    "session.renew",
    "session.end",
    "message.catch_up",  # one's own deliveries
)
_WORKER = (
    *_READER,
    "session.begin",
    "channel.*",
    "message.*",
    "goal.*",
    "task.*",
    "plan.*",
    "worktree.*",
    "integration.*",
    "radar.look",
    "claim.acquire",
    "claim.renew",
    "claim.release",
    "memory.*",
    "profile.*",
    "vault.*",
    "job.cancel",
    "turn.*",
    "agent.sleep",
    "agent.deactivate",
    "agent.delete",  # itself only, as the others
    "agent.reap",  # frees only what is proven dead, unless the caller oversees; servers do it all the time
)

GRANTS: dict[str, tuple[str, ...]] = {"reader": _READER, "worker": _WORKER, "admin": ("*",)}

# Operations for admins only, each with its reason. A test keeps the two tables whole for what changes something.
ADMIN_ONLY: dict[str, str] = {
    "token.list": "it tells who may come in",
    "token.get": "as above",
    "token.check": "servers ask it themselves",
    "token.create": "it hands out every role",
    "token.revoke": "it locks others out",
    "token.touch": "servers note it themselves",
    "job.take": "runners do it themselves",
    "job.renew": "as above",
    "job.finish": "as above",
    "job.reap": "as above",
    "workspace.prune": "it removes history for everybody",
    "workspace.pause": "it holds everybody up",
    "workspace.resume": "as above",
    "session.identify": "hooks of an agent host on this machine call it, in the name of the host's session",
    "session.leave": "as above",
    "session.errand": "commands on this machine call it, for a program that they run",
    "radar.turn": "sessions and servers do it by themselves",
    "claim.settle": "servers, hooks and commands that wait do it themselves",
    "edit.*": "it looks at files of this machine by any path",
    "command.*": "as above",
    "git.*": "as above",
    "work.*": "as above",
    "rescue.*": "it shows, and puts back, what is in files of this machine",
}


@lru_cache(maxsize=4096)
def allows(role: str, op_name: str) -> bool:
    """Whether a role grants an operation."""
    if any(fnmatchcase(op_name, glob) for glob in GRANTS.get(role, ())):
        return True
    return role in GRANTS and op_name in READS and not any(fnmatchcase(op_name, glob) for glob in ADMIN_ONLY)
