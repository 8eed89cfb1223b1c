"""Searching 100,000 memories and 10,000 documents; and reading beside 100,000 values of the past against 100."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from pydoc_data.topics import topics
from typing import Any, NamedTuple

import comity
from bench.figures import Figure, Options, median, percentile, short
from bench.ground import CHANNEL, Ground
from comity.kernel.clock import Instant, SystemClock
from comity.kernel.ids import TimeOrderedIds
from comity.store.connection import connect

MEMORIES, DOCUMENTS, FINISHED = 100_000, 10_000, 1000
HISTORY = (100, 100_000)
LIVE = 200  # values that hold while the history is measured
AGENT = "reader"
BAR_MS = 15

MEMORY = (
    "INSERT INTO macp_ext_memories (memory_id, scope, memory_key, value_text, owner_agent_id, channel_id,"
    " author_agent_id, created_at, updated_at, archived_at, archived_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_DOC = (
    "INSERT INTO macp_ext_vault_docs (doc_id, doc_path, title, content, source_path, source_mtime, content_hash,"
    " updated_at) VALUES (?, ?, ?, ?, ?, ?, 'hash', ?)"
)
_TASK = (
    "INSERT INTO macp_ext_tasks (task_id, title, description, result_text, status, dispatcher_agent_id, created_at,"
    " updated_at) VALUES (?, ?, ?, ?, 'done', ?, ?, ?)"
)

Row = tuple[Any, ...]
Ask = Callable[..., Any]


class Language:
    """English as programmers write it: pieces of Python's own manual."""

    def __init__(self) -> None:
        self.chance = random.Random(7)
        self._words = " ".join(topics.values()).split()

    def say(self, count: int) -> str:
        """So many words in a row."""
        start = self.chance.randrange(len(self._words) - count)
        return " ".join(self._words[start : start + count])

    def ask(self) -> str:
        """What somebody looks for: one to three words in a row; one in four is the beginning of a word."""
        while True:
            said = self.say(self.chance.randint(1, 3))
            if self.chance.random() < 0.25:
                said = said.split()[0][: self.chance.randint(3, 5)]
            if len(said) >= 3 and any(word.isalnum() for word in said.split()):
                return said


class Times(NamedTuple):
    """Moments of the past, one after the other."""

    begin_ms: int
    step_ms: float

    def at(self, place: int) -> tuple[int, str]:
        """The moment of a row."""
        ms = self.begin_ms + int(place * self.step_ms)
        return ms, Instant.at(ms).iso


def measure(options: Options) -> list[Figure]:
    """Bars: half of all searches within 15 ms; medians with much history at most 1.5 of those with little."""
    return [*searches(options), *history(options)]


def searches(options: Options) -> list[Figure]:
    """Each kind of search, by the same questions."""
    with Ground(options.folder) as ground:
        workspace, language = ground.agent(AGENT), Language()
        memories, documents = options.size(MEMORIES, 5000), options.size(DOCUMENTS, 500)
        knowledge(ground, language, memories, documents)
        start = time.perf_counter()
        workspace.memory.search(query="anything")
        filling_s = time.perf_counter() - start
        questions = [language.ask() for _ in range(options.size(150, 40))]
        asks: dict[str, Ask] = {
            "memory search": workspace.memory.search,
            "memory search, ranked": partial(workspace.memory.search, rank=True),
            "vault search": workspace.vault.search,
            "vault search, ranked": partial(workspace.vault.search, rank=True),
            "context query": workspace.context.query,
            "search by relevance": workspace.search.find,
        }
        held = f"{memories:,} memories and {documents:,} documents"
        figures = [_asked(f"{name} over {held}, p50", ask, questions) for name, ask in asks.items()]
        figures[0] = figures[0]._replace(
            beside={**figures[0].beside, "index filled from nothing": f"in {short(filling_s)} s"}
        )
        workspace.close()
        return figures


def knowledge(ground: Ground, language: Language, memories: int, documents: int) -> None:
    """Rows as other implementations write them: nothing is in the index yet."""
    ids, ago = TimeOrderedIds(), SystemClock().now().ms - 30 * 86_400_000
    times = Times(ago, 29 * 86_400_000 / memories)
    places = [("workspace", None, None)] * 6 + [("channel", None, CHANNEL)] * 2 + [("agent", AGENT, None)] * 2
    rows: list[Row] = []
    for number in range(memories):
        ms, then = times.at(number)
        scope, owner, channel = places[number % 10]
        key = f"{language.say(2)} {number}"
        text = language.say(language.chance.randint(10, 30))
        rows.append((ids.new(ms), scope, key, text, owner, channel, AGENT, then, then, None, None))
    docs: list[Row] = []
    for number in range(documents):
        ms, then = times.at(number * memories // documents)
        path = f"docs/part{number % 100}/page{number}.md"
        docs.append((ids.new(ms), path, language.say(4), language.say(150), f"/project/{path}", then, then))
    tasks: list[Row] = []
    for number in range(FINISHED):
        ms, then = times.at(number)
        tasks.append((ids.new(ms), language.say(5), language.say(20), language.say(10), AGENT, then, then))
    write(ground.path, {MEMORY: rows, _DOC: docs, _TASK: tasks})


def write(path: str, rows: dict[str, list[Row]]) -> None:
    """Rows by the statement that inserts them, in one transaction."""
    connection = connect(path, "normal")
    connection.execute("BEGIN IMMEDIATE").fetchall()
    for statement, values in rows.items():
        connection.executemany(statement, values).fetchall()
    connection.execute("COMMIT").fetchall()
    connection.close()


def _asked(name: str, ask: Ask, questions: list[str]) -> Figure:
    taken = []
    for question in [questions[0], *questions]:
        start = time.perf_counter()
        ask(query=question)
        taken.append((time.perf_counter() - start) * 1000)
    taken = taken[1:]
    beside = {"p95": f"{short(percentile(taken, 95))} ms", "worst": f"{short(max(taken))} ms"}
    return Figure(name, median(taken), " ms", "at most", BAR_MS, beside)


def history(options: Options) -> list[Figure]:
    """Medians of what callers do, on a file with few values of the past and on one with many, in turn."""
    with Ground(options.folder) as small, Ground(options.folder) as large:
        many = options.size(HISTORY[1], 5000)
        readers = [_past(ground, past) for ground, past in ((small, HISTORY[0]), (large, many))]
        figures = [_growth(name, readers, work, many, options) for name, work in _WORK.items()]
        for reader in readers:
            reader.close()
        return figures


def _past(ground: Ground, past: int) -> comity.Workspace:
    """``LIVE`` keys, each with a value that holds, and ``past`` values that were replaced."""
    workspace, language, ids = ground.agent(AGENT), Language(), TimeOrderedIds()
    times = Times(SystemClock().now().ms - 86_400_000, 80_000_000 / (past + LIVE))
    rows: list[Row] = []
    for number in range(past + LIVE):
        ms, then = times.at(number)
        ended = (None, None) if number >= past else (then, "replaced")
        text = language.say(20)
        rows.append((ids.new(ms), "workspace", f"key {number % LIVE}", text, None, None, AGENT, then, then, *ended))
    write(ground.path, {MEMORY: rows})
    workspace.memory.search(query="anything")
    return workspace


_WORK: dict[str, Callable[[comity.Workspace], object]] = {
    "list memories": lambda it: it.memory.list(),
    "get a memory": lambda it: it.memory.get(key="key 7"),
    "search memories": lambda it: it.memory.search(query="the"),
    "context query": lambda it: it.context.query(query="key the"),
    "session context": lambda it: it.agent.context(),
}


def _growth(
    name: str,
    readers: list[comity.Workspace],
    work: Callable[[comity.Workspace], object],
    many: int,
    options: Options,
) -> Figure:
    times: list[list[float]] = [[], []]
    for number in range(options.size(400, 100)):
        for place in (0, 1) if number % 2 else (1, 0):
            start = time.perf_counter()
            work(readers[place])
            times[place].append(time.perf_counter() - start)
    few, much = (median(taken[len(taken) // 10 :]) for taken in times)
    beside = {
        f"{HISTORY[0]} in the past": f"{short(few * 1e6)} µs",
        f"{many:,} in the past": f"{short(much * 1e6)} µs",
    }
    return Figure(f"{name}, {many:,} past values", much / few, f" of {HISTORY[0]}", "at most", 1.5, beside)
