"""Eight processes do the same deeds under the same keys and are killed at any instant: each deed is done once."""

from __future__ import annotations

import json
import random
from pathlib import Path

from comity.testing import World
from tests.prefork.started import Started
from tests.rooms.replies.doer import ME, deed
from tests.rounds import rounds
from tests.sim.processes import spawn
from tests.wire_format import check, rows

PROCESSES = 8
ROUNDS = rounds(6, 60)
DEEDS = 20  # of one round
SEED = 14
EFFECTS = {
    "task.dispatch": "SELECT count(*) FROM macp_ext_tasks WHERE title = ?",
    "claim.acquire": "SELECT count(*) FROM audit_log WHERE event_type = 'claim.acquired'"
    " AND instr(metadata_json, ?) > 0",
    "message.send": "SELECT count(*) FROM messages WHERE content = ?",
    "task.claim": "SELECT 1 WHERE ? <> ''",
}


class Doers:
    """The eight of one round; what each answered, by deed."""

    def __init__(self, path: str, first: int) -> None:
        self._life = (path, first, first + DEEDS)
        self.answers: dict[int, set[str]] = {}
        self.running = [self._born() for _ in range(PROCESSES)]

    def _born(self) -> Started:
        return spawn("tests.rooms.replies.doer", *self._life)

    def hear(self, place: int, lines: int) -> None:
        """Read so many answers of one of them, or as many as there are."""
        output = self.running[place].stdout
        assert output is not None
        for line in iter(output.readline, b"") if lines < 0 else (output.readline() for _ in range(lines)):
            if line.endswith(b"\n"):
                number, answer = json.loads(line)
                self.answers.setdefault(number, set()).add(json.dumps(answer, sort_keys=True))

    def kill(self, place: int) -> None:
        """Kill one, hear what it had told, and start its successor, which does it all again."""
        self.running[place].kill()
        self.hear(place, -1)
        self.running[place].communicate()
        self.running[place] = self._born()

    def end(self) -> None:
        """Hear everybody to the end."""
        for place, one in enumerate(self.running):
            self.hear(place, -1)
            one.communicate()
            assert one.returncode == 0


def test_whoever_is_killed_each_deed_is_done_once_and_answered_alike(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with World(tmp_path / "killed.macp.db") as world:
        world.agent("bob", max_pending_messages=100_000)
        world.agent("ann", session_id=ME.session_id)
        for first in range(0, ROUNDS * DEEDS, DEEDS):
            doers = Doers(world.path, first)
            for place in chance.sample(range(PROCESSES), PROCESSES):
                doers.hear(place, chance.randrange(DEEDS))
                doers.kill(place)
            doers.end()
            deeds = range(first, first + DEEDS)
            assert {number: len(doers.answers[number]) for number in deeds} == dict.fromkeys(deeds, 1)
            done = {number: rows(world.path, EFFECTS[deed(number)[0]], f"deed-{number}-") for number in deeds}
            assert done == {number: [(1,)] for number in deeds}
        check(world.path)
