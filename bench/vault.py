"""Indexing 10,000 Markdown files: the first run, one with nothing changed, and one with a few files changed."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from pydoc_data.topics import topics

import comity
from bench.figures import Figure, Options, median, short
from bench.ground import Ground
from comity.rooms.vault.model import Indexed

FILES = 10_000
BAR_S = 1
RUNS = 5
_CHANGED = 100  # files of the last run
_LONG_AGO_S = 1_600_000_000
_WORDS_EACH = 200


def measure(options: Options) -> list[Figure]:
    """Bar: a run with nothing changed takes a second."""
    count = options.size(FILES, 500)
    with Ground(options.folder) as ground:
        root = Path(ground.folder, "project")
        _write(root, range(count), _LONG_AGO_S)
        workspace = ground.agent("librarian")
        librarian = workspace.acting_as(workspace.actor._replace(root=str(root)))
        first_s, first = _run(librarian)
        again = [_run(librarian) for _ in range(RUNS)]
        _write(root, range(0, count, count // _CHANGED), _LONG_AGO_S + 1)
        changed_s, changed = _run(librarian)
        workspace.close()
    if (first.added, [done.unchanged for _, done in again], changed.updated) != (count, [count] * RUNS, _CHANGED):
        raise AssertionError("the runs did not find what was written")
    beside = {
        "slowest": f"{short(max(taken for taken, _ in again))} s",
        "first run": f"{short(first_s)} s",
        f"with {_CHANGED} changed": f"{short(changed_s)} s",
    }
    unchanged_s = median(taken for taken, _ in again)
    return [Figure(f"indexing {count:,} files of which none changed", unchanged_s, " s", "at most", BAR_S, beside)]


def _write(root: Path, numbers: range, modified_s: int) -> None:
    """Markdown files in a hundred folders; what they say depends on when they were written."""
    chance, words = random.Random(modified_s), " ".join(topics.values()).split()
    for number in numbers:
        path = root / f"part{number % 100}" / f"page{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        start = chance.randrange(len(words) - _WORDS_EACH)
        text = " ".join(words[start : start + _WORDS_EACH])
        path.write_text(f"# Page {number}\n\n{text}\n", encoding="utf-8")
        os.utime(path, (modified_s, modified_s))


def _run(librarian: comity.Workspace) -> tuple[float, Indexed]:
    start = time.perf_counter()
    done: Indexed = librarian.vault.register(path=".")
    return time.perf_counter() - start, done
