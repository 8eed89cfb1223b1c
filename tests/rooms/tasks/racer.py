"""A process that races others for tasks: a line on its input is the start of a round, a line on its output the end.

    python -m tests.rooms.tasks.racer DATABASE AGENT_ID WAY

WAY is ``claim`` (each pending task by its id, in an order of its own), ``start`` and ``transition`` (the same),
``next``, or ``original``: a peer that claims as the original does. Each round answers one JSON line: the ids that were
won, and for each lost one who was said to have it.
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

from comity import Problem, Workspace
from comity.kernel.clock import SystemClock
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore
from tests.original_tasks import Refusal, Tasks, joined


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
    for task_id in shuffled(task_ids, chance):
        try:
            named = {"action": "claim"} if way == "transition" else {}
            won.append(workspace.call(f"task.{way}", {"task_id": task_id, **named}).task.task_id)
        except Problem as problem:
            if problem.reason != "task.taken":
                raise
            lost[task_id] = problem.data["assignedAgentId"]
    return {"won": won, "lost": lost}


def foreign_round(peer: Tasks, task_ids: list[str], chance: random.Random) -> dict[str, Any]:
    """What the original believes to have won."""
    won = []
    for task_id in shuffled(task_ids, chance):
        try:
            peer.do("claim", task_id)
        except Refusal:
            continue
        won.append(task_id)
    return {"won": won, "lost": {}}


def shuffled(task_ids: list[str], chance: random.Random) -> list[str]:
    """All of them, nearly in order, so that everybody wants the same ones at the same time."""
    places = {task_id: (place // 8, chance.random()) for place, task_id in enumerate(task_ids)}
    return sorted(task_ids, key=lambda task_id: places[task_id])


def main() -> None:
    """As the module says."""
    path, agent_id, way = sys.argv[1:]
    chance = random.Random(agent_id)
    if way == "original":
        peer = joined(path, agent_id, SystemClock())
        print("[]", flush=True)
        for line in sys.stdin:
            print(json.dumps(foreign_round(peer, json.loads(line), chance)), flush=True)
        peer.agent.close()
        return
    store = SqliteStore(path)
    workspace = Workspace(store, Actor(agent_id, f"{agent_id}-session", channel="main"))
    workspace.session.start()
    print("[]", flush=True)
    for line in sys.stdin:
        print(json.dumps(one_round(workspace, way, json.loads(line), chance)), flush=True)
    store.close()


if __name__ == "__main__":
    main()
