"""A process that races others for tasks and paths: ``python -m bench.racer DATABASE AGENT_ID WAY``.

A line on its input is a JSON list: ``tasks`` and their ids, or ``paths`` and those. With the WAY ``claim`` it claims
each task by its id, in an order that is near that of the others; with ``next`` whatever is ready, until nothing is.
Paths it claims ten at a time, as many of each ten as are free. The answer is a line of JSON: what was won, and who was
said to hold each that was lost.
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import comity
from bench.ground import CHANNEL
from comity import Problem
from comity.kernel.record import to_json

_NEAR = 40  # places that an order differs by
_AT_ONCE = 10  # paths of one claim


def shuffled(names: list[str], chance: random.Random) -> list[str]:
    """All of them, nearly in order, so that everybody wants the same ones at the same time."""
    places = {name: (place // _NEAR, chance.random()) for place, name in enumerate(names)}
    return sorted(names, key=lambda name: places[name])


def tasks(workspace: comity.Workspace, task_ids: list[str], told: dict[str, Any]) -> None:
    """Claim each."""
    for task_id in task_ids:
        try:
            workspace.task.claim(task_id=task_id)
            told["won"].append(task_id)
        except Problem as problem:
            if problem.reason != "task.taken":
                raise
            told["lost"][task_id] = problem.data["assignedAgentId"]


def ready_tasks(workspace: comity.Workspace, told: dict[str, Any]) -> None:
    """Claim the best, until there is none."""
    while (task := workspace.task.next().task) is not None:
        told["won"].append(task.task_id)


def paths(workspace: comity.Workspace, files: list[str], told: dict[str, Any]) -> None:
    """Claim each, exclusively."""
    for start in range(0, len(files), _AT_ONCE):
        wanted = files[start : start + _AT_ONCE]
        try:
            got = to_json(workspace.claim.acquire(files=wanted, partial=True))
        except Problem as problem:
            if problem.reason != "claim.held":
                raise
            got = {"conflicts": problem.data["conflicts"], "refused": wanted}
        told["won"] += [claim["filePath"] for claim in got.get("claims", ())]
        holders = {one["filePath"]: one["agentId"] for one in got.get("conflicts", ())}
        told["lost"] |= {path: holders.get(path) for path in got.get("refused", ())}


def main() -> None:
    """As the module says."""
    path, agent_id, way = sys.argv[1:]
    chance = random.Random(agent_id)
    workspace = comity.open(path, agent_id=agent_id, session_id=f"session-{agent_id}", channel=CHANNEL)
    workspace.session.start()
    print("[]", flush=True)
    for line in sys.stdin:
        kind, names = json.loads(line)
        told: dict[str, Any] = {"won": [], "lost": {}}
        if kind == "paths":
            paths(workspace, shuffled(names, chance), told)
        elif way == "next":
            ready_tasks(workspace, told)
        else:
            tasks(workspace, shuffled(names, chance), told)
        print(json.dumps(told), flush=True)
    workspace.close()


if __name__ == "__main__":
    main()
