"""A process that does one deed after another, each under its own key, and tells each answer.

    python -m tests.rooms.replies.doer DATABASE FIRST LAST

However many there are, all of them are one agent in one session, and do the same deeds under the same keys.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from comity import Problem, Workspace
from comity.kernel.record import to_json
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore

ME = Actor("ann", "ann-session", channel="main")


def deed(number: int) -> tuple[str, dict[str, Any]]:
    """An operation and its arguments; ``deed-N-`` stands in what it writes. The last one is refused."""
    name = f"deed-{number}-"
    return (
        ("task.dispatch", {"title": name}),
        ("claim.acquire", {"files": [f"{name}.py"]}),
        ("message.send", {"destination_agent_id": "bob", "content": name}),
        ("task.claim", {"task_id": name}),
    )[number % 4]


def main() -> None:
    """As the module says."""
    path, first, last = sys.argv[1:]
    workspace = Workspace(SqliteStore(path), ME, root=os.path.dirname(path))
    for number in range(int(first), int(last)):
        name, arguments = deed(number)
        try:
            answer = to_json(workspace.call(name, arguments, key=f"key-{number}"))
        except Problem as problem:
            answer = problem.as_dict()
        os.write(1, json.dumps([number, answer], sort_keys=True).encode() + b"\n")


if __name__ == "__main__":
    main()
