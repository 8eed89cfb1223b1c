"""A process that races others for tasks: a line on its input is the start of a round, a line on its output the end.

    python -m tests.rooms.tasks.racer DATABASE AGENT_ID WAY

WAY is ``claim`` (each pending task by its id, in an order of its own), ``start`` (the same) or ``next``. Each round
answers one JSON line: the ids that were won, and for each lost one who was said to have it.
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

from comity import Problem, Workspace
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore


def one_round(workspace: Workspace, way: str, task_ids: list[str], chance: random.Random) -> dict[str, Any]:
    """What was won and lost."""
    won: list[str] = []
    lost: dict[str, Any] = {}
    if way == "next":
        while True:
            task = workspace.task.next().task
            if task is None:
                return {"won": won, "lost": lost}
            won.append(task.task_id)
    near = sorted(task_ids, key=lambda task_id: (task_ids.index(task_id) // 8, chance.random()))
    for task_id in near:
        try:
            won.append(workspace.call(f"task.{way}", {"task_id": task_id}).task.task_id)
        except Problem as problem:
            if problem.reason != "task.taken":
                raise
            lost[task_id] = problem.data["assignedAgentId"]
    return {"won": won, "lost": lost}


def main() -> None:
    """As the module says."""
    path, agent_id, way = sys.argv[1:]
    store = SqliteStore(path)
    workspace = Workspace(store, Actor(agent_id, f"{agent_id}-session", channel="main"))
    workspace.session.start()
    chance = random.Random(agent_id)
    print("[]", flush=True)
    for line in sys.stdin:
        print(json.dumps(one_round(workspace, way, json.loads(line), chance)), flush=True)
    store.close()


if __name__ == "__main__":
    main()
