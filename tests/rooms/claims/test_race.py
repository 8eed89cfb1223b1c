"""Eight processes race for a thousand paths: by the log, no file ever has two owners (reference E-15)."""

from __future__ import annotations

import json
import random
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from comity.testing import World
from tests.prefork.started import Started
from tests.sim.processes import spawn
from tests.wire_format import audit, check, rows

PROCESSES = 8
FOLDERS, EACH = 20, 50
FILES = [f"d{folder}/f{number}.py" for folder in range(FOLDERS) for number in range(EACH)]
GLOBS = ["d1/*7.py", "**/f42.py", "d?/f3.py", "d1[0-3]/f9.py", "*/f1?.py", "d5/**"]


@cache
def meant(path: str) -> frozenset[str]:
    """The files that a path or glob of this test means, told in another way than the product does."""
    if path in FILES:
        return frozenset({path})
    if "*" not in path and "?" not in path:
        return frozenset(file for file in FILES if file.startswith(path + "/"))
    pattern = path.replace("**/", "*/").replace("/**", "/*")
    return frozenset(file for file in FILES if fnmatchcase(file, pattern))


def wishes(chance: random.Random) -> list[tuple[list[str], str]]:
    """Every file, ten at a time, in an order of one's own that stays near the others'; now and then more."""
    order = sorted(range(0, len(FILES), 10), key=lambda start: start // 60 + 1.2 * chance.random())
    result = [(FILES[start : start + 10], "exclusive" if chance.random() < 0.8 else "shared") for start in order]
    for _ in range(20):
        many = chance.choice([f"d{chance.randrange(FOLDERS)}", chance.choice(GLOBS)])
        result.insert(chance.randrange(len(result)), ([many], chance.choice(["exclusive", "shared"])))
    return result


class Owners:
    """Who has which file, as the log tells."""

    def __init__(self) -> None:
        self.claims: dict[tuple[str, str], str] = {}  # the mode by agent and path
        self.fences: dict[tuple[str, str], int] = {}
        self.exclusive: dict[str, str] = {}
        self.newest = 0

    def hear(self, event: dict[str, Any]) -> None:
        told, agent = json.loads(event["metadata_json"]), event["agent_id"]
        if event["event_type"] == "claim.acquired":
            for path, fence in zip(told["files"], told["fences"], strict=True):
                again = self.claims.get((agent, path)) == told["mode"]
                assert fence == self.fences[agent, path] if again else fence > self.newest, (path, fence, self.newest)
                self.fences[agent, path], self.newest = fence, max(fence, self.newest)
                self.claims[agent, path] = told["mode"]
        elif event["event_type"] in {"claim.released", "claim.expired"}:
            for path in told["files"]:
                del self.claims[agent, path]
        if event["event_type"] == "claim.acquired":
            self.check(agent, told["files"])

    def check(self, agent: str, files: list[str]) -> None:
        """Nobody else has anything of what was just claimed, unless both share it."""
        mine = {path: meant(path) for path in files}
        for (other, path), mode in self.claims.items():
            if other != agent:
                theirs = meant(path)
                for own, covered in mine.items():
                    shared = mode == self.claims[agent, own] == "shared"
                    assert shared or covered.isdisjoint(theirs), f"{agent} has {own} while {other} has {path}"


class Race:
    """The processes."""

    def __init__(self, world: World, root: Path) -> None:
        self.names = [f"racer-{place}" for place in range(PROCESSES)]
        self.processes = [spawn("tests.rooms.claims.claimer", world.path, name, root) for name in self.names]
        for process in self.processes:
            self._answer(process)  # registered

    def round(self, chance: random.Random) -> dict[str, Any]:
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps(wishes(chance)).encode() + b"\n")
            process.stdin.flush()
        return {name: self._answer(process) for name, process in zip(self.names, self.processes, strict=True)}

    def _answer(self, process: Started) -> Any:
        assert process.stdout is not None
        return json.loads(process.stdout.readline())

    def close(self) -> None:
        for process in self.processes:
            process.communicate()
            assert process.returncode == 0


@pytest.mark.slow
def test_no_file_has_two_owners(world: World, root: Path) -> None:
    race = Race(world, root)
    chance = random.Random(1)
    told = [race.round(chance) for _ in range(5)]
    race.close()
    check(world.path)
    owners = Owners()
    events = audit(world.path, "claim.%")
    for event in events:
        owners.hear(event)
    unreleased = rows(world.path, "SELECT agent_id, file_path FROM macp_ext_file_claims WHERE released_at IS NULL")
    assert sorted(owners.claims) == sorted(unreleased)
    acquired = {(e["agent_id"], path) for e in events if e["event_type"] == "claim.acquired"
                for path in json.loads(e["metadata_json"])["files"]}  # fmt: skip
    assert {(name, path) for answers in told for name, one in answers.items() for path, _ in one["won"]} == acquired
    winners = [name for name in race.names if any(one[name]["won"] for one in told)]
    assert len(winners) == PROCESSES, "one process was faster than all others: no race"
    assert sum(event["event_type"] == "claim.refused" for event in events) > 20
