"""What any store does, as ``kernel.scope.Store`` promises it: these tests hold for each one that there is."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from comity import Workspace
from comity.kernel.call import Pipeline
from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.op import Op
from comity.kernel.problem import Conflict, Problem, Refused, Unavailable
from comity.kernel.scope import Actor, Scope, Store, Tx
from comity.store.connection import BUSY_S
from comity.store.sqlite import SqliteStore
from comity.system.haste import HASTE
from comity.testing import FakeClock
from tests.store.contract.memory import MemoryStore

NOW = Instant.at(0)
THREADS, TIMES = 4, 25
LONG_S = 60.0  # for what comes at once

Make = Callable[[float], Store]


@pytest.fixture(params=["file", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes a store of one kind, given how long a transaction waits for its turn; each is closed in the end."""
    with ExitStack() as stores:

        def made(busy_s: float) -> Store:
            file = request.param == "file"
            store: Store = SqliteStore(tmp_path / "a.db", busy_s=busy_s) if file else MemoryStore(busy_s)
            stores.callback(store.close)
            return store

        yield made


@pytest.fixture
def store(make: Make) -> Store:
    return make(BUSY_S)


def put(tx: Tx, name: str, number: int = 1) -> None:
    """Keep a number under a name, in a table that has little else."""
    tx.run("channels.set_sequence", agent_id=name, next=number)


def kept(tx: Tx, name: str) -> int:
    """The number under a name; 0 for none."""
    row = tx.one("channels.next_sequence", agent_id=name)
    return int(row[0]) if row else 0


def commit(store: Store, name: str) -> None:
    with store.writing() as tx:
        put(tx, name)


def has(store: Store, name: str) -> bool:
    """Whether a new reader finds a name."""
    with store.reading() as tx:
        return kept(tx, name) > 0


@contextmanager
def half(store: Store) -> Iterator[Tx]:
    """A transaction that has written ``half``."""
    with store.writing() as tx:
        put(tx, "half")
        yield tx


def test_what_a_block_wrote_is_there_once_it_has_ended(store: Store) -> None:
    with store.writing() as tx:
        put(tx, "a")
        assert kept(tx, "a") == 1, "a writer sees what it wrote"
        assert not has(store, "a"), "and nobody else does yet"
    assert has(store, "a")


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt, Conflict])
def test_any_error_takes_everything_back(store: Store, kind: type[BaseException]) -> None:
    error = kind("a.b", "No.") if kind is Conflict else kind()
    with pytest.raises(kind) as raised, half(store):
        raise error
    assert raised.value is error, "it comes out as it is"
    assert not has(store, "half")
    commit(store, "next")
    assert has(store, "next")


def test_a_refusal_keeps_what_the_operation_wrote(store: Store) -> None:
    def refuse(scope: Scope) -> None:
        put(scope.tx, "tried")
        raise Refused(Conflict("door.shut", "It is shut.", "Knock."))

    pipeline = Pipeline(store, FakeClock(), TimeOrderedIds())
    with pytest.raises(Conflict, match="shut"):
        pipeline.run(Op("door.open", refuse, "write", {}, None, None), Actor("ann", "s"), {})
    assert has(store, "tried")


def test_a_reader_sees_one_moment_and_waits_for_nobody(store: Store) -> None:
    with store.reading() as before:
        assert kept(before, "a") == 0
        commit(store, "a")
        assert kept(before, "a") == 0
        with store.writing() as tx:
            put(tx, "b")
            assert has(store, "a"), "a reader that comes while somebody writes"
    assert has(store, "b")


def test_writers_come_one_after_the_other(store: Store) -> None:
    def count_up() -> None:
        for _ in range(TIMES):
            with store.writing() as tx:
                put(tx, "counter", kept(tx, "counter") + 1)

    threads = [threading.Thread(target=count_up) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_S)
    with store.reading() as tx:
        assert kept(tx, "counter") == THREADS * TIMES, "nobody overwrote what another had just counted"


def test_who_waits_too_long_for_a_turn_is_told(make: Make) -> None:
    store = make(0.05)
    assert store.busy_s == 0.05
    with store.writing(), pytest.raises(Unavailable) as told:
        commit(store, "a")
    assert told.value.reason == "store.locked"
    assert told.value.hint
    commit(store, "b")
    assert (has(store, "a"), has(store, "b")) == (False, True)


def test_a_thread_in_haste_waits_for_no_turn(make: Make) -> None:
    store = make(LONG_S)
    with store.writing(), HASTE, pytest.raises(Unavailable) as told:
        commit(store, "a")
    assert told.value.reason == "store.locked"
    with HASTE:
        commit(store, "b")
    assert has(store, "b")


def test_what_the_database_refuses_is_a_problem(store: Store) -> None:
    with pytest.raises(Problem) as told, half(store) as tx:
        tx.run("channels.add_member", channel_id="none", agent_id="nobody", session_id="none", now=NOW.iso)
    assert told.value.reason.startswith("store.")
    assert not has(store, "half")
    with store.reading() as tx, pytest.raises(LookupError):
        tx.one("channels.no_such_statement")
    commit(store, "next")
    assert has(store, "next")


def test_rows_come_and_go_by_name(store: Store) -> None:
    texts = ["", "é", "\U0001f600", "a\nb", "'; --", "{deadline}", "x" * 100_000]
    with store.writing() as tx:
        tx.many("channels.set_sequence", [(text, place) for place, text in enumerate(texts, 1)])
        added = [tx.run("channels.add_channel", channel_id="a", now=NOW.iso) for _ in range(2)]
    assert added == [1, 0], "how many rows were changed"
    with store.reading() as tx:
        assert [kept(tx, text) for text in texts] == list(range(1, len(texts) + 1))
        assert tx.one("channels.next_sequence", agent_id="nobody") is None
        assert tx.all("channels.joined", agent_id="nobody") == []


def test_events_stand_in_the_order_of_their_commits(store: Store) -> None:
    for part in (("a.one", "a.two"), ("b.one",)):
        with store.writing() as tx:
            tx.append([Event(kind, agent_id="ann", subjects=(("task", "7"),)) for kind in part], NOW)
    with pytest.raises(ZeroDivisionError), half(store) as tx:  # noqa: PT012 (what is raised comes after the event)
        tx.append([Event("c.lost")], NOW)
        raise ZeroDivisionError
    wanted = dict.fromkeys(("event_types", "agent_id", "channel_id"))
    with store.reading() as tx:
        events = tx.all("lifecycle.events", after=0, limit=10, min_priority=0, **wanted)
        last = tx.one("lifecycle.last_event")
    assert [event[1] for event in events] == ["a.one", "a.two", "b.one"]
    ids = [event[0] for event in events]
    assert ids == sorted(set(ids))
    assert last == (ids[-1],)


@pytest.mark.parametrize("agents", [("ann",), ()], ids=["an agent", "everybody"])
def test_a_waiter_hears_what_is_committed_after_it_was_made(store: Store, agents: tuple[str, ...]) -> None:
    waiter = store.waiter(agents)
    assert not waiter.wait(0)
    commit(store, "a")
    store.ring({"ann"})
    assert waiter.wait(LONG_S)
    assert has(store, "a"), "who is woken finds what was committed"
    while waiter.wait(0):
        pass  # it may tell more than once, and not for ever
    waiter.close()


def test_a_waiter_is_woken_while_it_waits(store: Store) -> None:
    waiter, heard = store.waiter(("ann",)), []
    waits = threading.Thread(target=lambda: heard.append(waiter.wait(LONG_S)))
    waits.start()
    commit(store, "a")
    store.ring({"ann"})
    waits.join(LONG_S)
    assert heard == [True]
    waiter.close()


def test_an_event_loop_can_watch_a_waiter(store: Store) -> None:
    waiter = store.waiter(())
    assert not waiter.rang()
    commit(store, "a")
    store.ring({"ann"})
    if waiter.descriptor >= 0:
        assert select.select([waiter.descriptor], [], [], LONG_S)[0]
        assert waiter.rang()
        assert not select.select([waiter.descriptor], [], [], 0)[0]
    assert waiter.wait(0), "whoever asks now and then finds it in any case"
    assert waiter.period_s <= 1
    waiter.close()


def test_a_wait_can_be_cancelled(store: Store) -> None:
    waiter, heard = store.waiter(("ann",)), []
    waits = threading.Thread(target=lambda: heard.append(waiter.wait(LONG_S)))
    waits.start()
    waiter.cancel()
    waits.join(LONG_S)
    assert heard == [False]
    assert not waiter.wait(LONG_S), "also one that begins afterwards"
    waiter.close()


def test_it_knows_its_size_and_where_it_stands(store: Store) -> None:
    before = store.size_bytes()
    commit(store, "x" * 1_000_000)
    assert store.size_bytes() > before > 0
    store.look()


def test_it_is_closed_with_a_transaction_open(store: Store) -> None:
    with store.reading() as tx:
        store.close()
        assert kept(tx, "a") == 0
    store.close()


def test_agents_work_on_it(store: Store) -> None:
    ann, bob = (Workspace(store, Actor(name, f"{name}-1", channel="main")) for name in ("ann", "bob"))
    for agent in (ann, bob):
        agent.session.start()
    heard: list[str] = []
    waits = threading.Thread(
        target=lambda: heard.extend(one.content for one in bob.message.poll(wait_ms=int(LONG_S * 1000)).deliveries)
    )
    waits.start()
    ann.message.send(destination_agent_id="bob", content="hello")
    waits.join(LONG_S)
    assert heard == ["hello"]
    ann.claim.acquire(files=["a.py"])
    with pytest.raises(Conflict) as refused:
        bob.claim.acquire(files=["a.py"])
    assert "ann" in refused.value.message
    ann.task.add(title="x")
    bob.task.claim(task_id="task-001")
    assert [event.event_type for event in ann.event.list(event_types=["task.*"]).events] == [
        "task.dispatched",
        "task.claimed",
    ]
