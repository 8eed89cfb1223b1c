"""Claiming five files, against their bare rows; and claims with 100,000 of them in the past against 100."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import apsw

import comity
from bench.blocks import Pair, Work, compare
from bench.figures import Figure, Options, median, short
from bench.ground import DURABILITIES, Ground
from comity.kernel.clock import Instant, SystemClock
from comity.kernel.ids import TimeOrderedIds
from comity.store.connection import connect

HISTORY = (100, 100_000)
AGENT, PEER = "worker", "peer"
FILES = 5
BLOCK = 100
LIVE = 200  # claims of the peer that stand while the history is measured

_CLAIM = (
    "INSERT INTO macp_ext_file_claims (claim_id, file_path, agent_id, session_id, claimed_at, expires_at, reason,"
    " released_at, release_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_DETAILS = (
    "INSERT INTO comity_claim_details (claim_id, file_path, mode, fence, tree, repository, worktree, agent_id)"
    " VALUES (?, ?, 'exclusive', ?, 0, ?, '', ?)"
)
_FENCE = "UPDATE comity_fence SET newest = newest + ?"
_AUDIT = (
    "INSERT INTO audit_log (event_type, agent_id, reason_code, metadata_json, timestamp)"
    " VALUES ('claim.acquired', ?, 'MACP_OK', ?, ?)"
)
_FREE = (
    "UPDATE macp_ext_file_claims SET released_at = claimed_at, release_reason = 'released' WHERE released_at IS NULL"
)

Row = tuple[Any, ...]


class Yard(NamedTuple):
    """A file with two agents, and a connection for bare rows with the same settings."""

    workspace: comity.Workspace
    peer: comity.Workspace
    connection: apsw.Connection


def yard(ground: Ground, past: int) -> Yard:
    """``past`` claims of which nine of ten were released, and one of ten lapsed."""
    workspace, peer = ground.agent(AGENT), ground.agent(PEER)
    connection = connect(ground.path, "full" if ground.durability == "full" else "normal")
    ids, now = TimeOrderedIds(), SystemClock().now()
    then = Instant.at(now.ms - 86_400_000).iso
    rows: list[Row] = []
    details: list[Row] = []
    for number in range(past):
        claim_id, path = ids.new(now.ms), f"src/part{number % 100}/file{number % 1000}.py"
        released = (then, "released") if number % 10 else (None, None)
        rows.append((claim_id, path, AGENT, f"session-{AGENT}", then, then, "because", *released))
        details.append((claim_id, path, number, workspace.actor.root, AGENT))
    connection.execute("BEGIN IMMEDIATE").fetchall()
    connection.executemany(_CLAIM, rows).fetchall()
    connection.executemany(_DETAILS, details).fetchall()
    connection.execute(_FENCE, (past,)).fetchall()
    connection.execute("COMMIT").fetchall()
    return Yard(workspace, peer, connection)


def close(made: Yard) -> None:
    """Let go of the file."""
    made.connection.close()
    made.workspace.close()
    made.peer.close()


def measure(options: Options) -> list[Figure]:
    """Bars: a claim at least 0.5 of bare; medians with much history at most 1.5 of those with little."""
    figures = []
    for durability in DURABILITIES:
        with Ground(options.folder, durability) as ground:
            made = yard(ground, 0)
            rounds = 5 if options.quick else 41
            figures.append(compare(f"claim {FILES} files ({durability})", claims(made), rounds, BLOCK, 0.5))
            close(made)
    return figures + history(options)


def claims(made: Yard) -> Pair:
    """Comity's claim of five new files and the bare one."""
    ids, clock = TimeOrderedIds(), SystemClock()
    counter = iter(range(10**9))
    root, cursor = made.workspace.actor.root, made.connection.cursor()

    def names() -> list[str]:
        return [f"src/part{(number := next(counter)) % 100}/file{number}.py" for _ in range(FILES)]

    def ours(count: int) -> list[Work]:
        return [partial(made.workspace.claim.acquire, files=names(), reason="because") for _ in range(count)]

    def theirs(count: int) -> list[Work]:
        return [partial(_bare, cursor, *_rows(names(), root, ids, clock.now())) for _ in range(count)]

    def clean() -> None:
        made.connection.execute(_FREE).fetchall()

    return Pair(ours, theirs, clean)


def _rows(files: list[str], root: str, ids: TimeOrderedIds, now: Instant) -> tuple[list[Row], list[Row], Row]:
    claim_id, expires_at = ids.new(now.ms), Instant.at(now.ms + 1_800_000).iso
    rows = [(claim_id, path, AGENT, f"session-{AGENT}", now.iso, expires_at, "because", None, None) for path in files]
    details = [(claim_id, path, number, root, AGENT) for number, path in enumerate(files)]
    told = json.dumps({"claim_id": claim_id, "mode": "exclusive", "files": files, "expires_at": expires_at})
    return rows, details, (AGENT, told, now.iso)


def _bare(cursor: apsw.Cursor, rows: list[Row], details: list[Row], audit: Row) -> None:
    cursor.execute("BEGIN IMMEDIATE")
    cursor.executemany(_CLAIM, rows)
    cursor.executemany(_DETAILS, details)
    cursor.execute(_FENCE, (FILES,))
    cursor.execute(_AUDIT, audit)
    cursor.execute("COMMIT")


def history(options: Options) -> list[Figure]:
    """Medians of what callers do, on a file with little past and on one with much, in turn."""
    with Ground(options.folder) as small, Ground(options.folder) as large:
        yards = [yard(ground, past) for ground, past in zip((small, large), HISTORY, strict=True)]
        for made in yards:
            made.peer.claim.acquire(files=[f"lib/{number}.py" for number in range(LIVE)])
        figures = [_growth(name, yards, work, options) for name, work in _WORK.items()]
        for made in yards:
            close(made)
    return figures


def _claim_files(made: Yard) -> Work:
    return partial(made.workspace.claim.acquire, files=[f"src/part7/file{number}.py" for number in range(FILES)])


def _claim_folder(made: Yard) -> Work:
    return partial(made.workspace.claim.acquire, files=["src/part7", "src/**/*.md"])


def _list(made: Yard) -> Work:
    return partial(made.workspace.claim.list)


def _list_folder(made: Yard) -> Work:
    return partial(made.workspace.claim.list, files=["src/part7"])


def _release(made: Yard) -> Work:
    return partial(made.workspace.claim.release, files=["src/**"])


_WORK: dict[str, Callable[[Yard], Work]] = {
    f"claim {FILES} files": _claim_files,
    "claim a folder and a glob": _claim_folder,
    "list claims": _list,
    "list claims in a folder": _list_folder,
    "release by glob": _release,
}


def _growth(name: str, yards: list[Yard], work: Callable[[Yard], Work], options: Options) -> Figure:
    works = [work(made) for made in yards]
    times: list[list[float]] = [[], []]
    for number in range(120 if options.quick else 600):
        for place in (0, 1) if number % 2 else (1, 0):
            start = time.perf_counter()
            works[place]()
            times[place].append(time.perf_counter() - start)
    few, many = (median(taken[len(taken) // 10 :]) for taken in times)
    beside = {
        f"{past:,} in the past": f"{short(taken * 1e6)} µs" for past, taken in zip(HISTORY, (few, many), strict=True)
    }
    return Figure(f"{name}, {HISTORY[1]:,} past claims", many / few, f" of {HISTORY[0]}", "at most", 1.5, beside)
