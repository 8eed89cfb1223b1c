"""The index: whoever writes, it follows; it never grows without end; and it fails without harm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apsw
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from comity import Workspace
from comity.kernel.problem import Unavailable
from comity.rooms.memory.index import milliseconds
from comity.testing import World
from tests.original_knowledge import Knower
from tests.sim.conftest import Fault
from tests.sim.conftest import fault as fault  # noqa: PLC0414 (a fixture)
from tests.wire_format import check, rows

KINDS = ("memory", "vault_doc", "task", "goal")
SEARCHABLE = {
    ("memory", "SELECT memory_id FROM macp_ext_memories WHERE archived_at IS NULL"),
    ("vault_doc", "SELECT doc_id FROM macp_ext_vault_docs"),
    ("task", "SELECT task_id FROM macp_ext_tasks WHERE status = 'done'"),
    ("goal", "SELECT goal_id FROM macp_ext_goals"),
}


def consistent(path: str) -> None:
    """The index holds exactly the rows that can be found, each once, in all its tables."""
    connection = apsw.Connection(path)
    for kind, sql in SEARCHABLE:
        listed = connection.execute("SELECT doc, id FROM comity_search_docs WHERE kind = ?", (kind,)).fetchall()
        assert sorted(str(row[1]) for row in listed) == sorted(row[0] for row in connection.execute(sql)), kind
        docs = sorted(int(str(row[0])) for row in listed)
        for table in ("text", "words"):
            assert sorted(row[0] for row in connection.execute(f"SELECT rowid FROM comity_{kind}_{table}_fts")) == docs
    connection.close()
    check(path)


def test_an_index_of_before_has_its_words_without_spaces_filled_in(world: World) -> None:
    ann = world.agent("ann")
    for number in range(3):
        ann.memory.set(key=f"日本語 {number}", value="認証モジュールはトークンを更新する", scope="workspace")
        ann.memory.set(key=f"english {number}", value="the module refreshes the token", scope="workspace")
    assert len(ann.memory.search(query="認証", rank=True).entries) == 3
    connection = apsw.Connection(world.path)  # as it was before
    for doc, title, body in connection.execute(
        "SELECT d.doc, m.memory_key, m.value_text"
        " FROM comity_search_docs d JOIN macp_ext_memories m ON m.memory_id = d.id"
    ).fetchall():
        connection.execute("DELETE FROM comity_memory_words_fts WHERE rowid = ?", (doc,))
        connection.execute(
            "INSERT INTO comity_memory_words_fts (rowid, title, body) VALUES (?, ?, ?)", (doc, title, body)
        )
    connection.execute("UPDATE comity_search_state SET spaced = 0")
    connection.close()
    before = rows(
        world.path,
        "SELECT doc FROM comity_search_docs WHERE id IN (SELECT memory_id FROM macp_ext_memories"
        " WHERE memory_key LIKE 'english%') ORDER BY doc",
    )
    assert len(ann.memory.search(query="認証", rank=True).entries) == 3
    assert len(ann.memory.search(query="token", rank=True).entries) == 3
    assert rows(world.path, "SELECT kind, spaced FROM comity_search_state") == [(None, 1)]
    kept = rows(
        world.path,
        "SELECT doc FROM comity_search_docs WHERE id IN (SELECT memory_id FROM macp_ext_memories"
        " WHERE memory_key LIKE 'english%') ORDER BY doc",
    )
    assert kept == before, "what is in the index as it should be stays"
    consistent(world.path)


class Writers(RuleBasedStateMachine):
    """Comity and the original write in any order; after a search the index is exact."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.ann = self.world.agent("ann")
        self.peer = Knower(self.world.path, "peer", "peer-session", self.world.clock)
        self.peer.register()
        self.peer.join("main")

    key = st.sampled_from(["a", "b", "c"])
    value = st.sampled_from(["one", "two", "three"])
    scope: Any = st.sampled_from(["workspace", "agent", "channel"])

    @rule(key=key, value=value, scope=scope)
    def set(self, key: str, value: str, scope: Any) -> None:
        self.world.clock.advance(0.5)
        self.ann.memory.set(key=key, value=value, scope=scope)

    @rule(key=key, value=value)
    def remember(self, key: str, value: str) -> None:
        self.peer.remember(key, value)

    @rule(key=key)
    def forget(self, key: str) -> None:
        self.peer.forget(key)

    @rule(key=key, value=value)
    def resolve(self, key: str, value: str) -> None:
        self.ann.memory.resolve(key=key, scope="workspace", chosen_value=value)

    @rule(names=st.lists(st.sampled_from("xyz"), unique=True))
    def wipe(self, names: list[str]) -> None:
        self.peer.index_vault("/r", [(name, name, f"text of {name}") for name in names])

    @rule(status=st.sampled_from(["done", "pending"]))
    def finish(self, status: str) -> None:
        self.peer.finish_task("t", "d", None, status)

    @rule()
    def reopen(self) -> None:
        self.peer.sql("UPDATE macp_ext_tasks SET status = CASE status WHEN 'done' THEN 'pending' ELSE 'done' END")

    @rule()
    def goal(self) -> None:
        self.peer.sql("DELETE FROM macp_ext_goals")
        self.peer.set_goal("g", "d")

    @rule()
    def search(self) -> None:
        self.ann.context.query(query="one two")

    @invariant()
    def whole(self) -> None:
        self.ann.search.find(query="one")
        consistent(self.world.path)

    def teardown(self) -> None:
        self.peer.close()
        self.world.close()


Writers.TestCase.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)
test_the_index_follows_every_writer = pytest.mark.filterwarnings("default")(Writers.TestCase)


@pytest.fixture
def scene(world: World) -> tuple[Workspace, Knower]:
    ann = world.agent("ann")
    peer = Knower(world.path, "peer", "peer-session", world.clock)
    peer.register()
    peer.join("main")
    return ann, peer


def test_rows_from_before_comity_are_found(tmp_path: Any) -> None:
    world_clock = World(tmp_path / "made-later.db")
    clock = world_clock.clock
    world_clock.close()
    path = tmp_path / "old.db"
    peer = Knower(path, "peer", "peer-session", clock)
    peer.register()
    for number in range(1200):
        peer.sql("BEGIN") if number == 0 else None
        peer.remember(f"k{number}", f"old value {number}")
    peer.set_goal("an old goal", "")
    peer.sql("COMMIT")
    peer.close()
    with World(path, clock=clock) as world:
        found = world.agent("ann").memory.search(query="OLD VALUE 77", limit=50)
        assert {entry.key for entry in found.entries} == {"k77", *(f"k{number}" for number in range(770, 780))}
        assert [one.kind for one in world.agent("ann").context.query(query="goal").results] == ["goal"]
        consistent(world.path)


def test_changes_are_noted_whoever_makes_them_and_do_not_pile_up(world: World, scene: tuple[Workspace, Knower]) -> None:
    ann, peer = scene
    peer.remember("k", "v")
    peer.sql("UPDATE macp_ext_memories SET memory_id = 'renamed'")
    peer.sql("DELETE FROM macp_ext_memories")
    noted = sorted(row[0] for row in rows(world.path, "SELECT change FROM comity_changes"))
    assert noted == ["delete", "delete", "insert", "update"]
    rows(
        world.path,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)"
        " INSERT INTO comity_changes (kind, id, change) SELECT 'memory', 'none', 'update' FROM n",
    )
    ((count,),) = rows(world.path, "SELECT count(*) FROM comity_changes")
    assert 100_000 <= count <= 101_000
    ann.memory.set(key="after", value="the gap", scope="workspace")
    assert [entry.key for entry in ann.memory.search(query="the gap").entries] == ["after"]
    consistent(world.path)


def test_the_log_keeps_some_of_what_is_indexed(world: World, scene: tuple[Workspace, Knower]) -> None:
    ann, _ = scene
    rows(
        world.path,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"
        " INSERT INTO comity_changes (kind, id, change) SELECT 'memory', 'none', 'update' FROM n",
    )
    ann.memory.search(query="anything")
    ((count, newest),) = rows(world.path, "SELECT count(*), max(seq) FROM comity_changes")
    assert (count, newest) == (10_000, 30_000)


def test_a_row_that_changed_since_is_not_answered_wrongly(world: World, scene: tuple[Workspace, Knower]) -> None:
    """As when another process writes between this one's indexing and its reading."""
    ann, peer = scene
    first = peer.remember("k", "the old text")
    ann.memory.search(query="old")
    peer.sql("UPDATE macp_ext_memories SET value_text = 'the new text' WHERE memory_id = ?", first)
    rows(world.path, "UPDATE comity_search_state SET position = (SELECT max(seq) FROM comity_changes)")
    assert ann.memory.search(query="old").entries == []
    peer.sql("DELETE FROM macp_ext_memories")
    rows(world.path, "UPDATE comity_search_state SET position = (SELECT max(seq) FROM comity_changes)")
    assert ann.memory.search(query="the").entries == []
    assert ann.search.find(query="old").results == []


def test_odd_rows_are_read_mildly(world: World, scene: tuple[Workspace, Knower]) -> None:
    ann, _ = scene
    columns = "memory_id, scope, memory_key, value_text, author_agent_id, created_at, updated_at, tags_json"
    for number, (text, time, tags) in enumerate(
        [
            ("nul \0 inside odd", "", "[]"),
            (b"odd \xff blob", "yesterday", "{"),
            ("odd", "9999-12-31T23:59:59.999Z", "7"),
        ]
    ):
        rows(
            world.path,
            f"INSERT INTO macp_ext_memories ({columns}) VALUES (?, 'workspace', ?, ?, 'ann', ?, ?, ?)",
            *(f"m{number}", f"k{number}", text, time, time, tags),
        )
    rows(
        world.path,
        f"INSERT INTO macp_ext_memories ({columns})"
        " VALUES ('m9', 'workspace', 'k9', CAST(x'6f6464ff' AS TEXT), 'ann', '2026', '2026', '[1]')",
    )
    found = ann.memory.search(query="odd").entries
    assert {entry.memory_id for entry in found} == {"m0", "m1", "m2", "m9"}
    assert [entry.memory_id for entry in found][:2] == ["m1", "m2"]  # times are compared as text
    assert found[0].value == "odd \ufffd blob"
    assert all(entry.tags == [] for entry in found)
    assert len(ann.memory.list().entries) == 4
    assert len(ann.context.query(query="odd").results) == 4


def test_a_failed_statement_while_indexing_harms_nothing(fault: Fault) -> None:
    with World() as world:
        ann = world.agent("ann")
        peer = Knower(world.path, "peer", "peer-session", world.clock)
        peer.register()
        calls: list[Callable[[], Any]] = [
            lambda: ann.memory.search(query="text", rank=True),
            lambda: ann.context.query(query="text"),
        ]
        for call in calls:
            world.clock.advance(1)
            peer.remember("k", f"text of {world.clock.ms}")
            peer.finish_task("text", "", None)
            for n in range(1, 200):
                fault.arm(n)
                try:
                    call()
                except Unavailable:
                    assert fault.struck
                struck = fault.struck
                fault.disarm()
                check(world.path)
                if not struck:
                    break
            else:
                pytest.fail("a search of 200 statements?")
            call()
            consistent(world.path)
        peer.close()


@pytest.mark.parametrize(
    ("timestamp", "ms"),
    [
        ("1970-01-01T00:00:00.000Z", 0),
        ("2026-01-01T00:00:00.000Z", 1_767_225_600_000),
        ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
        ("2026-01-01T00:00:00Z", 1_767_225_600_000),
        ("2026-01-01 00:00:00.5", 1_767_225_600_500),
        ("", 0),
        ("tomorrow, as soon as I can", 0),
        ("²026-01-01T00:00:00.000Z", 0),
    ],
)
def test_times(timestamp: str, ms: int) -> None:
    assert milliseconds(timestamp) == ms
