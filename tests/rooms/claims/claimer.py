"""A process that races others for files: a line on its input is the start of a round, a line on its output its end.

    python -m tests.rooms.claims.claimer DATABASE AGENT_ID ROOT

Each input line is a JSON list of wishes: files and a mode. It claims them one after another, as many of each as are
free, and releases some; each output line is JSON: the claimed files with their fences, and the holders it was told of.
At the end of a round it holds what it claimed last.
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

from comity import Workspace
from comity.kernel.problem import Conflict
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore


def one_round(workspace: Workspace, wishes: list[tuple[list[str], str]], chance: random.Random) -> dict[str, Any]:
    """What was claimed, and who was in the way."""
    workspace.claim.release(files=["**"])
    won: list[tuple[str, int]] = []
    holders: set[str] = set()
    for files, mode in wishes:
        try:
            got = workspace.call("claim.acquire", {"files": files, "mode": mode, "partial": True})
        except Conflict as conflict:
            if conflict.reason != "claim.held":
                raise
            holders.update(one["agentId"] for one in conflict.data["conflicts"])  # type: ignore[attr-defined]
        else:
            won += [(claim.file_path, claim.fence) for claim in got.claims]
            holders.update(one.agent_id for one in got.conflicts)
            if chance.random() < 0.2:
                workspace.claim.release(files=chance.sample([claim.file_path for claim in got.claims], 1))
    return {"won": won, "holders": sorted(holders)}


def main() -> None:
    """As the module says."""
    path, agent_id, root = sys.argv[1:]
    store = SqliteStore(path)
    workspace = Workspace(store, Actor(agent_id, f"{agent_id}-session", channel="main", root=root))
    workspace.session.start()
    chance = random.Random(agent_id)
    print("[]", flush=True)
    for line in sys.stdin:
        print(json.dumps(one_round(workspace, json.loads(line), chance)), flush=True)
    store.close()


if __name__ == "__main__":
    main()
