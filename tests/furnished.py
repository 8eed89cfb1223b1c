"""A workspace in which the example of every operation means something."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comity import Workspace
from comity.rooms import REGISTRY

_PLACEHOLDER = re.compile(r"^(0190d3f0-0000-7000-8000-[0-9a-f]{12}|0123456789ab|0{64})$")


def write_files(folder: Path) -> None:
    """The files that examples name."""
    (folder / "README.md").write_text("# Parser\n\nHow to build and test: make test.\n", encoding="utf-8")
    (folder / "src").mkdir()
    (folder / "src" / "parser.py").write_text("", encoding="utf-8")


def furnish(ann: Workspace, bob: Workspace) -> dict[str, str]:
    """Two agents at work in that folder; what the placeholders of examples stand for, by argument."""
    for agent in (ann, bob):
        agent.session.start()
        agent.channel.join(channel_id="backend")
    for title in ("Write the lexer", "Write the parser"):
        bob.task.dispatch(title=title)
    ann.task.claim(task_id="task-001")
    ann.plan.begin(task_id="task-001", content="1. Tokens. 2. Tests.")
    ann.plan.add_error(task_id="task-001", error_type="test", message="1e5 is read as a name.")
    goal = ann.goal.create(type="project_goal", title="Release 1.0").goal
    ann.claim.acquire(files=["src/parser.py"], reason="new grammar")
    bob.claim.acquire(files=["docs/**"], reason="chapters")
    ann.edit.check(files=["src/parser.py"])
    Path(ann.actor.root, "src/parser.py").write_text("grammar = 1\n", encoding="utf-8")
    ann.edit.landed()
    for agent, value in ((ann, "make test"), (bob, "make check")):
        agent.memory.set(key="build command", value=value, scope="workspace", tags=["build"])
    ann.call("profile.register", REGISTRY.get("profile.register").example)
    ann.vault.register(path=".")
    job = ann.vault.index(path=".").job
    ann.job.take(kinds=[job.kind], lease_s=3600)  # so that no other runner changes it
    token = ann.token.create(role="worker")
    sent = bob.message.send(destination_agent_id="ann", content="The grammar is in docs/grammar.md.")
    unknown = "0190d3f0-0000-7000-8000-000000000000"  # a digest that is over: confirming it changes nothing
    return {
        "job_id": job.job_id,
        "goal_id": goal.goal_id,
        "delivery_id": sent.delivery_ids[0],
        "injection_id": unknown,
        "token_id": token.token.token_id,
        "digest": hashlib.sha256(token.secret.rpartition("_")[2].encode()).hexdigest(),
    }


def arguments_of(name: str, stands_for: Mapping[str, str]) -> dict[str, Any]:
    """The operation's example with its placeholders filled in."""
    example = REGISTRY.get(name).example
    return {
        key: stands_for[key] if isinstance(value, str) and _PLACEHOLDER.match(value) else value
        for key, value in example.items()
    }
