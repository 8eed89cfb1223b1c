"""A call under its caller's key: one effect, and the first answer again, whichever record or refusal that was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from comity import Problem, Workspace
from comity.kernel.call import Key, Pipeline
from comity.kernel.event import Event
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.op import long_op, op
from comity.kernel.problem import Conflict, Invalid, NotFound, Unavailable
from comity.kernel.registry import AnyOp
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.kernel.validate import validate
from comity.rooms import REGISTRY
from comity.rooms.agents.sessions import require_session
from comity.rooms.replies.idempotency import KEPT_MS, RESERVED_MS, Keyed
from comity.store.sqlite import SqliteStore
from comity.testing import World
from tests.sim.scene import Scene
from tests.sim.test_faults import SCENES
from tests.wire_format import dump, rows
from tests.worlds import fresh

# They end or replace the session that the repetition comes from; who asks is another agent then.
CHANGING_THE_CALLER = ("session.join", "session.identify")


def attempt(call: Callable[[], Any]) -> tuple[Any, ...]:
    """What came of a call: its record with its type, or the refusal's parts."""
    try:
        result = call()
    except Problem as problem:
        return type(problem), problem.reason, problem.message, problem.hint, json.dumps(problem.data, default=list)
    return type(result), result


def without_keys(path: str) -> Any:
    return {table: held for table, held in dump(path).items() if table != "comity_answers"}


@pytest.mark.parametrize("make", SCENES, ids=lambda make: f"{make.__module__.rpartition('.')[2]}-{make.__name__}")
def test_every_operation_answers_the_same_again_and_changes_nothing(make: Callable[[World], Scene]) -> None:
    with fresh() as world:
        scene = make(world)
        op = REGISTRY.get(scene.operation)
        if op.effect == "read" or op.name in CHANGING_THE_CALLER or op.secret:
            return
        again = Workspace(world.store, scene.workspace.actor, clock=world.clock, observer=scene.workspace.observer)
        first = attempt(lambda: scene.workspace.call(op.name, scene.arguments, key="k"))
        after = without_keys(world.path)
        key = Key("k")
        second = attempt(lambda: again.call(op.name, scene.arguments, key=key))
        assert second == first
        if rows(world.path, "SELECT 1 FROM comity_answers WHERE outcome <> 'running'"):
            assert key.replayed
            assert without_keys(world.path) == after


def test_the_same_key_for_something_else_is_a_conflict(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.call("task.dispatch", {"title": "one"}, key="k")
    for name, arguments in (("task.dispatch", {"title": "two"}), ("task.add", {"title": "one"})):
        with pytest.raises(Conflict) as refused:
            ann.call(name, arguments, key="k")
        assert refused.value.reason == "idempotency.reused"
    assert bob.call("task.dispatch", {"title": "two"}, key="k").task.title == "two", "another agent's key is another"


def test_spellings_of_the_same_arguments_are_the_same(world: World) -> None:
    ann = world.agent("ann")
    first = ann.call("task.add", {"title": "one", "level": 2, "description": None}, key="k")
    assert ann.call("task.add", {"level": 2.0, "title": "one"}, key="k") == first


@pytest.mark.parametrize("key", ["", "k" * 201, "clé", "a\nb", "\x7f"])
def test_what_is_no_key_is_refused(world: World, key: str) -> None:
    with pytest.raises(Invalid) as refused:
        world.agent("ann").call("task.dispatch", {"title": "one"}, key=key)
    assert refused.value.reason == "idempotency.key"


def test_a_refusal_by_the_state_is_kept_and_a_complaint_about_the_form_is_not(world: World) -> None:
    ann = world.agent("ann")
    with pytest.raises(NotFound) as first:
        ann.call("task.claim", {"task_id": "task-001"}, key="k")
    ann.task.dispatch(title="now it is there")
    with pytest.raises(NotFound) as second:
        ann.call("task.claim", {"task_id": "task-001"}, key="k")
    assert second.value.as_dict() == first.value.as_dict()
    with pytest.raises(Invalid):
        ann.call("task.dispatch", {"title": ""}, key="form")
    assert ann.call("task.dispatch", {"title": "mended"}, key="form").task.title == "mended"


def test_an_ended_session_is_not_an_answer(world: World) -> None:
    old = world.agent("ann")
    new = world.agent("ann")
    with pytest.raises(Conflict) as refused:
        old.call("task.dispatch", {"title": "one"}, key="k")
    assert refused.value.reason == "MACP_ERR_SESSION_UNKNOWN"
    assert new.call("task.dispatch", {"title": "one"}, key="k").task.title == "one"
    assert old.call("task.dispatch", {"title": "one"}, key="k").task.title == "one", "what was done can be learned"


def test_a_pause_is_not_an_answer_and_hides_none(world: World) -> None:
    ann = world.agent("ann")
    done = ann.call("task.dispatch", {"title": "one"}, key="before")
    ann.workspace.pause()
    with pytest.raises(Conflict) as refused:
        ann.call("task.dispatch", {"title": "two"}, key="during")
    assert refused.value.reason == "workspace.paused"
    assert ann.call("task.dispatch", {"title": "one"}, key="before") == done
    ann.workspace.resume()
    assert ann.call("task.dispatch", {"title": "two"}, key="during").task.title == "two"


def test_after_a_day_a_key_is_free_again(world: World) -> None:
    ann = world.agent("ann")
    ann.call("task.dispatch", {"title": "one"}, key="k")
    world.clock.ms += KEPT_MS + 1
    ann.call("task.dispatch", {"title": "one"}, key="k")
    assert len(ann.task.list().tasks) == 2
    assert rows(world.path, "SELECT count(*) FROM comity_answers") == [(1,)]


def test_an_empty_answer_of_what_waits_is_looked_for_anew(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    assert ann.call("message.poll", {"wait_ms": 0}, key="k").deliveries == []
    bob.message.send(destination_agent_id="ann", content="hello")
    first = ann.call("message.poll", {"wait_ms": 10}, key="k")
    assert [one.content for one in first.deliveries] == ["hello"]
    bob.message.send(destination_agent_id="ann", content="more")
    assert ann.call("message.poll", key="k") == first, "how long somebody waits is not what they ask"


def test_a_secret_is_kept_nowhere_and_told_once(world: World) -> None:
    ann = world.agent("ann")
    made = ann.call("token.create", {"role": "reader"}, key="k")
    with pytest.raises(Conflict) as refused:
        ann.call("token.create", {"role": "reader"}, key="k")
    assert refused.value.reason == "idempotency.secret"
    assert "once" in refused.value.message
    assert len(ann.token.list().tokens) == 1
    secret = made.secret.rpartition("_")[2]
    assert secret not in json.dumps(dump(world.path), default=str)
    assert rows(world.path, "SELECT outcome, answer FROM comity_answers") == [("secret", None)]


def test_an_answer_that_this_version_cannot_read_was_given_all_the_same(world: World) -> None:
    ann = world.agent("ann")
    ann.call("task.dispatch", {"title": "one"}, key="k")
    rows(world.path, "UPDATE comity_answers SET answer = '{\"job\": 1}'")
    with pytest.raises(Conflict) as refused:
        ann.call("task.dispatch", {"title": "one"}, key="k")
    assert refused.value.reason == "idempotency.unreadable"
    assert len(ann.task.list().tasks) == 1


class Count(NamedTuple):
    """How often the toy was played."""

    played: int


def play(scope: Scope) -> int:
    scope.emit(Event("toy.played", agent_id=scope.actor.agent_id))
    scope.wakes.add("bob")
    return 1


@op("toy.refuse", effect="write", example={})
def refuse(scope: Scope) -> Count:
    """Write, and then refuse without keeping what was written."""
    play(scope)
    raise Conflict("toy.no", "No.", "Never.")


@op("toy.fail", effect="write", example={})
def fail(scope: Scope) -> Count:
    """Write, and then meet a failure that passes."""
    play(scope)
    raise Unavailable("toy.away", "Away.", "Later.")


class Toy:
    """Long operations over one world: each play is an event; ``stop`` is raised between the first play and the next."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stop: BaseException | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.store = SqliteStore(world.path, busy_s=0.01)
        self.pipeline = Pipeline(self.store, world.clock, TimeOrderedIds(), validate, session=require_session)
        self.ann = world.agent("ann").actor

        @long_op("toy.play", effect="write", example={})
        def play_twice(steps: Steps) -> Count:
            """Play twice, and look around in between."""
            first = steps.write(play)
            self.meanwhile()
            if self.stop is not None:
                raise self.stop
            return Count(first + steps.write(play))

        self.op: AnyOp = play_twice

    def close(self) -> None:
        self.store.close()

    def run(self, one: AnyOp, key: str = "k") -> Any:
        return self.pipeline.run(one, self.ann, {}, None, Keyed(Key(key)))

    def played(self) -> int:
        return int(rows(self.world.path, "SELECT count(*) FROM audit_log WHERE event_type = 'toy.played'")[0][0])


@pytest.fixture
def toy(world: World) -> Iterator[Toy]:
    """Over a connection of its own."""
    made = Toy(world)
    yield made
    made.close()


def test_what_a_body_wrote_before_it_refused_is_taken_back_and_the_refusal_kept(toy: Toy, world: World) -> None:
    for _ in range(2):
        with pytest.raises(Conflict, match="No"):
            toy.run(refuse)
    assert toy.played() == 0
    assert rows(world.path, "SELECT operation, outcome FROM comity_answers") == [("toy.refuse", "problem")]


def test_a_failure_keeps_nothing(toy: Toy, world: World) -> None:
    with pytest.raises(Unavailable):
        toy.run(fail)
    assert toy.played() == 0
    assert rows(world.path, "SELECT count(*) FROM comity_answers") == [(0,)]


def test_a_long_operation_under_way_keeps_a_second_one_out(toy: Toy, world: World) -> None:
    met: list[str] = []

    def again() -> None:
        toy.meanwhile = lambda: None
        with pytest.raises(Conflict) as refused:
            toy.run(toy.op)
        met.append(refused.value.reason)

    toy.meanwhile = again
    assert toy.run(toy.op) == Count(2)
    assert met == ["idempotency.in_progress"]
    assert toy.run(toy.op) == Count(2)
    assert toy.played() == 2


def test_a_long_operation_that_failed_may_be_tried_again(toy: Toy, world: World) -> None:
    for stop in (Unavailable("toy.away", "Away.", "Later."), KeyboardInterrupt(), Conflict("call.cancelled", "", "")):
        toy.stop = stop
        with pytest.raises(type(stop)):
            toy.run(toy.op)
    toy.stop = Conflict("toy.no", "No.", "Never.")
    for _ in range(2):
        with pytest.raises(Conflict, match="No"):
            toy.run(toy.op)
    assert toy.played() == 4, "the last refusal was an answer"


def test_a_reservation_that_could_not_be_taken_back_lapses(toy: Toy, world: World) -> None:
    """As that of a process that was killed: nobody settles it."""
    writing = world.store.writing()
    toy.meanwhile = writing.__enter__
    toy.stop = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        toy.run(toy.op)
    writing.__exit__(None, None, None)
    toy.stop, toy.meanwhile = None, lambda: None
    world.clock.ms += RESERVED_MS
    with pytest.raises(Conflict) as refused:
        toy.run(toy.op)
    assert refused.value.reason == "idempotency.in_progress"
    world.clock.ms += 1
    assert toy.run(toy.op) == Count(2)


def test_a_call_that_was_given_up_is_fenced_by_the_one_that_took_over(toy: Toy, world: World) -> None:

    def take_over() -> None:
        toy.meanwhile = lambda: None
        world.clock.ms += RESERVED_MS + 1
        assert toy.run(toy.op) == Count(2)

    toy.meanwhile = take_over
    with pytest.raises(Conflict) as refused:
        toy.run(toy.op)
    assert refused.value.reason == "idempotency.lost"
    assert toy.played() == 3, "its first write, and both of the other's"
    assert toy.run(toy.op) == Count(2)


def test_each_write_of_a_long_operation_is_a_sign_of_life(toy: Toy, world: World) -> None:

    def wait() -> None:
        world.clock.ms += RESERVED_MS - 1

    toy.meanwhile = wait
    assert toy.run(toy.op) == Count(2)
    assert toy.played() == 2
