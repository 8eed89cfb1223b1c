"""The radar: how soon both sides read of a conflict, what looking at what changed costs against looking at everything,
and whether what it says is what `git merge` then does.

Twenty worktrees of a repository with 5,000 files, one living `comity mcp`; an agent commits lines that another one has
changed, and it counts until the message is in both inboxes. Then 300 seeded pairs of random edits, renames, deletions,
modes, binary files and uncommitted work, each merged for real afterwards.

    python -m bench radar
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, Options, median, percentile
from comity import Workspace
from comity.kernel.clock import Instant
from comity.rooms.radar.sight import OBJECTS
from comity.testing import World
from comity.testing.world import FakeClock
from tests.rooms.radar import random_edits

FILES, WORKTREES, ROUNDS, ANEW, PAIRS = 5000, 20, 15, 5, 300
LINES = 40
MOST_S = 20.0
_LOOK_S = 0.01


class RealClock(FakeClock):
    """The time as it is."""

    def now(self) -> Instant:
        """The present moment."""
        self.ms = time.time_ns() // 1_000_000
        return super().now()


def measure(options: Options) -> list[Figure]:
    """All of it."""
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        soon, ratio = _twenty(Path(folder).resolve(), options)
    return [soon, ratio, _pairs(options)]


def _twenty(folder: Path, options: Options) -> tuple[Figure, Figure]:
    root = folder / "repo"
    _repository(root, options.size(FILES, 500))
    with World(root / ".macp" / "repo.macp.db", clock=RealClock()) as world:
        agents = [
            world.agent(f"agent-{number:02}", root=str(root), database=world.path)
            for number in range(options.size(WORKTREES, 6))
        ]
        places = []
        for agent in agents:
            task = agent.task.dispatch(title=f"The task of {agent.actor.agent_id}").task.number
            places.append(Path(agent.worktree.create(task_id=str(task)).worktree.path))
        for number, place in enumerate(places):
            _edit(place / f"src/d{number}/f{number}.txt", 3, "own")
            random_edits.git(place, "commit", "-qam", "Own.")
        server = subprocess.Popen(
            [sys.executable, "-m", "comity", "mcp", "--agent-id", "watcher"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert server.stdin is not None
        assert server.stdout is not None
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
        server.stdin.write(json.dumps(asked).encode() + b"\n")
        server.stdin.flush()
        server.stdout.readline()
        _wait_for_a_look(agents[0], len(places))
        try:
            took = [_until_told(agents, places, turn) for turn in range(options.size(ROUNDS, 3))]
        finally:
            server.stdin.close()
            server.wait()
        part, whole = _costs(agents[0], places, root, options.size(ANEW, 2))
    soon = Figure(
        f"radar: a commit in one of {len(places)} worktrees, until both inboxes have the message, p50",
        median(took),
        " s",
        "at most",
        2.0,
        {"p90": f"{percentile(took, 90):.2f} s", "rounds": str(len(took))},
    )
    ratio = Figure(
        "radar: looking after one commit, of looking at every checkout and pair anew",
        median(part) / median(whole),
        " x",
        "at most",
        0.3,
        {"after one commit": f"{median(part) * 1000:.0f} ms", "anew": f"{median(whole) * 1000:.0f} ms"},
    )
    return soon, ratio


def _repository(root: Path, files: int) -> None:
    for number in range(files):
        path = root / f"src/d{number % 100}/f{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{number} {line}\n" for line in range(LINES)))
    (root / ".macp").mkdir()
    random_edits.git(root, "init", "-q", "-b", "main")
    (root / ".git" / "info").mkdir(exist_ok=True)
    (root / ".git" / "info" / "exclude").write_text(".macp/\n")
    random_edits.git(root, "add", ".")
    random_edits.git(root, "commit", "-qm", "Begin.")


def _edit(path: Path, line: int, text: str) -> None:
    lines = path.read_text().splitlines(keepends=True)
    lines[line] = f"{text}\n"
    path.write_text("".join(lines))


def _wait_for_a_look(agent: Workspace, checkouts: int) -> None:
    until = time.monotonic() + 60
    while len(agent.radar.show().checkouts) <= checkouts and time.monotonic() < until:
        time.sleep(_LOOK_S)


def _until_told(agents: list[Workspace], places: list[Path], turn: int) -> float:
    """Seconds from a commit that meets another one until both agents have a message."""
    one, other = turn % len(agents), (turn + 1) % len(agents)
    name = f"src/d{50 + turn}/f{50 + turn}.txt"
    _edit(places[one] / name, 5, f"one {turn}")
    random_edits.git(places[one], "commit", "-qam", "One.")
    time.sleep(1.5)  # that one is seen, and meets nobody
    both = agents[one], agents[other]
    for agent in both:
        _empty(agent)
    _edit(places[other] / name, 5, f"other {turn}")
    random_edits.git(places[other], "commit", "-qam", "Other.")
    began = time.monotonic()
    waiting = set(both)
    while waiting and time.monotonic() - began < MOST_S:
        waiting = {agent for agent in waiting if not any(name in text for text in _texts(agent))}
        time.sleep(_LOOK_S)
    return time.monotonic() - began


def _texts(agent: Workspace) -> list[str]:
    return [one.content for one in agent.message.poll().deliveries]


def _empty(agent: Workspace) -> None:
    for one in agent.message.poll().deliveries:
        agent.message.ack(delivery_id=one.delivery_id)


def _costs(agent: Workspace, places: list[Path], root: Path, rounds: int) -> tuple[list[float], list[float]]:
    part, whole = [], []
    agent.radar.look()
    for turn in range(rounds):
        _edit(places[turn] / f"src/d{turn}/f{turn}.txt", 7, f"cost {turn}")
        random_edits.git(places[turn], "commit", "-qam", "Cost.")
        began = time.perf_counter()
        agent.radar.look()
        part.append(time.perf_counter() - began)
        shutil.rmtree(root / ".macp" / OBJECTS)
        with agent.store.writing() as tx:
            for pair in agent.radar.show().pairs:
                tx.run("radar.drop_pair", one=pair.one, other=pair.other)
        began = time.perf_counter()
        agent.radar.look(anew=True)
        whole.append(time.perf_counter() - began)
    return part, whole


def _pairs(options: Options) -> Figure:
    """How many predictions came true: conflict or not, of each pair."""
    true = conflicting = 0
    count = options.size(PAIRS, 20)
    for seed in range(count):
        dice = random.Random(seed)
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made).resolve() / "pair"
            folder.mkdir()
            random_edits.begin(folder, dice)
            (folder / ".git" / "info").mkdir(exist_ok=True)
            (folder / ".git" / "info" / "exclude").write_text(".worktrees/\n.macp/\n")
            sides = [folder / ".worktrees" / name for name in ("one", "two")]
            for side in sides:
                random_edits.git(folder, "worktree", "add", "-q", "-b", side.name, str(side))
                random_edits.change(side, dice)
            with World(os.path.join(made, "x.db")) as world:
                found = world.agent("eve", root=str(folder), database=world.path).radar.look()
            predicted = any(one.state == "conflict" and one.one.startswith(".worktrees") for one in found.pairs)
            really = bool(random_edits.conflicts(*sides))
            true += predicted == really
            conflicting += really
    return Figure(
        f"radar: what it predicts is what git merge then does, of {count} seeded pairs",
        true,
        "",
        "at least",
        count,
        {"conflicting": str(conflicting)},
    )
