"""Floor 2: what the house knows, standing in a line; each room may import those before it.

``OPERATIONS`` names every operation and the module that holds it, so that the registry need not import a room to know
what there is. ``tests/test_house.py`` keeps it true.
"""

from __future__ import annotations

from comity.kernel.registry import Registry

OPERATIONS: dict[str, tuple[str, ...]] = {
    "comity.rooms.agents.ops": ("session.renew", "agent.dead"),
    "comity.rooms.channels.ops": (
        "session.start",
        "channel.join",
        "channel.leave",
        "message.broadcast",
        "message.send",
        "message.poll",
        "message.read",
        "message.ack",
        "receipt.list",
    ),
    "comity.rooms.channels.arrival_ops": ("session.join",),
    "comity.rooms.channels.catch_up_ops": ("message.catch_up",),
    "comity.rooms.channels.announcement_ops": ("message.announce", "message.history"),
    "comity.rooms.goals.ops": (
        "goal.create",
        "goal.list",
        "goal.get",
        "goal.update",
        "goal.cascade",
    ),
    "comity.rooms.tasks.ops": (
        "task.dispatch",
        "task.claim",
        "task.start",
        "task.complete",
        "task.block",
        "task.cancel",
        "task.release",
        "task.get",
        "task.list",
        "task.archive",
        "task.ready",
        "task.next",
        "task.depend",
        "task.history",
    ),
    "comity.rooms.tasks.addition_ops": ("task.add", "task.add_many", "task.prioritize"),
    "comity.rooms.tasks.named_action_ops": ("task.transition", "task.take_next"),
    "comity.rooms.tasks.survey_ops": ("task.survey",),
    "comity.rooms.claims.ops": ("claim.acquire", "claim.renew", "claim.release", "claim.list"),
    "comity.rooms.memory.ops": (
        "memory.set",
        "memory.get",
        "memory.search",
        "memory.list",
        "memory.delete",
        "memory.resolve",
        "memory.history",
    ),
    "comity.rooms.profiles.ops": ("profile.register", "profile.get", "profile.list", "profile.find"),
    "comity.rooms.vault.ops": ("vault.register", "vault.search", "vault.get", "vault.list"),
    "comity.rooms.context.ops": ("context.query", "search.find"),
    "comity.rooms.lifecycle.ops": (
        "agent.list",
        "agent.context",
        "session.end",
        "session.leave",
        "agent.sleep",
        "agent.deactivate",
        "agent.delete",
        "agent.reap",
        "guide.show",
        "event.list",
        "workspace.status",
        "workspace.prune",
    ),
    "comity.rooms.lifecycle.session_begin_ops": (
        "session.begin",
        "workspace.overview",
        "workspace.check",
        "workspace.place",
        "guide.next",
    ),
    "comity.rooms.turns.identity_ops": ("session.identify",),
    "comity.rooms.turns.ops": ("turn.start", "turn.next", "turn.written", "turn.stop"),
    "comity.rooms.turns.wakeup_ops": ("turn.watch", "turn.wake"),
    "comity.rooms.edits.ops": ("edit.check",),
    "comity.rooms.edits.command_ops": ("command.check", "edit.compare", "edit.held", "git.check"),
    "comity.rooms.tokens.ops": (
        "token.create",
        "token.list",
        "token.get",
        "token.revoke",
        "token.check",
        "token.touch",
    ),
}

REGISTRY = Registry(OPERATIONS)
