"""The order in which an operation is run, and what becomes of whoever is stopped at each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from comity.kernel.argument import Text
from comity.kernel.call import Before, Pipeline
from comity.kernel.event import Event
from comity.kernel.hints import Annotated
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.op import long_op, op
from comity.kernel.problem import Conflict, Forbidden, Invalid, Problem, Refused
from comity.kernel.registry import AnyOp
from comity.kernel.scope import Actor, Scope
from comity.kernel.steps import Steps
from comity.kernel.validate import validate
from comity.rooms.agents.sessions import require_session
from comity.testing import World
from tests.worlds import fresh

Word = Annotated[str, Text("A word.", min=1, max=9)]


class Said(NamedTuple):
    """What was said."""

    word: str


def _peek(scope: Scope, *, word: str) -> Said | None:
    return Said("seen") if word == "known" else None


@op("toy.say", effect="write", needs="session", example={"word": "hi"}, peek=_peek)
def say(scope: Scope, *, word: Word) -> Said:
    """Say a word."""
    scope.emit(Event("toy.said", agent_id=scope.actor.agent_id, metadata={"word": word}))
    if word == "no":
        raise Conflict("toy.no", "No.", "Say yes.")
    return Said(word)


@op("toy.hear", effect="read", needs="session", example={})
def hear(scope: Scope) -> Said:
    """Hear nothing."""
    return Said("")


@long_op("toy.tell", effect="write", needs="session", example={"word": "hi"})
def tell(steps: Steps, *, word: Word) -> Said:
    """Look, and say a word twice, in three transactions."""
    steps.read(lambda scope: scope.now)
    steps.report(1, 3, "saying")
    for _ in range(2):
        steps.write(lambda scope: scope.emit(Event("toy.said", agent_id=scope.actor.agent_id, metadata={"word": word})))
    return Said(word)


class Stage:
    """A pipeline over one world, with what each step noted."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.noted: list[str] = []
        self.forbidden = ""
        self.refused: Problem | Refused | None = None
        self.ann = world.agent("ann").actor
        self.pipeline = Pipeline(
            world.store,
            world.clock,
            TimeOrderedIds(),
            self._validate,
            self._permit,
            before=(self._before,),
            session=self._session,
        )

    def _permit(self, one: AnyOp, actor: Actor) -> None:
        self.noted.append("permit")
        if self.forbidden == one.name:
            raise Forbidden("role.insufficient", "You may not.", "Ask somebody who may.")

    def _validate(self, one: AnyOp, arguments: Mapping[str, object]) -> dict[str, Any]:
        self.noted.append("validate")
        return validate(one, arguments)

    def _before(self, scope: Scope, one: AnyOp, values: Mapping[str, Any]) -> None:
        self.noted.append(f"before {one.name} {values.get('word', '')}".strip())
        if self.refused is not None:
            if isinstance(self.refused, Refused):
                scope.emit(Event("toy.refused", agent_id=scope.actor.agent_id))
            raise self.refused

    def _session(self, scope: Scope) -> None:
        self.noted.append("session")
        require_session(scope)

    def run(self, one: AnyOp, actor: Actor | None = None, **arguments: object) -> Any:
        """One call, noted from the start."""
        self.noted.clear()
        return self.pipeline.run(one, actor or self.ann, arguments)

    def events(self) -> list[str]:
        """The toy's events."""
        found = self.world.agent("log", start=False).event.list(event_types=["toy.*"]).events
        return [event.event_type for event in found]


@pytest.fixture
def stage() -> Iterator[Stage]:
    with fresh() as world:
        yield Stage(world)


def test_a_write_is_permitted_then_validated_then_checked_then_asked_for_its_session(stage: Stage) -> None:
    assert stage.run(say, word="hi") == Said("hi")
    assert stage.noted == ["permit", "validate", "session", "before toy.say hi", "session"], "the peek asks, too"
    assert stage.run(hear) == Said("")
    assert stage.noted == ["permit", "validate", "session"], "a read is not checked"


def test_each_refusal_keeps_the_later_steps_from_being_taken(stage: Stage) -> None:
    stranger = stage.ann._replace(session_id="another")
    stage.forbidden = "toy.say"
    with pytest.raises(Forbidden):
        stage.run(say, stranger, word="far too long a word")
    assert stage.noted == ["permit"]
    stage.forbidden = ""
    with pytest.raises(Invalid):
        stage.run(say, stranger, word="far too long a word")
    assert stage.noted == ["permit", "validate"]
    with pytest.raises(Conflict, match="not the active session"):
        stage.run(say, stranger, word="hi")
    assert stage.noted == ["permit", "validate", "session"]
    stage.refused = Conflict("toy.held", "Not now.", "Wait.")
    with pytest.raises(Conflict, match="Not now"):
        stage.run(say, word="hi")
    assert stage.noted[2:] == ["session", "before toy.say hi"]
    assert stage.events() == []


def test_an_answer_by_reading_alone_is_not_checked(stage: Stage) -> None:
    stage.refused = Conflict("toy.held", "Not now.", "Wait.")
    assert stage.run(say, word="known") == Said("seen")
    assert stage.noted == ["permit", "validate", "session"]


def test_what_a_check_wrote_lasts_only_with_refused(stage: Stage) -> None:
    stage.refused = Refused(Conflict("toy.held", "Not now.", "Wait."))
    with pytest.raises(Conflict, match="Not now"):
        stage.run(say, word="hi")
    assert stage.events() == ["toy.refused"]


def test_a_long_operation_is_checked_until_its_first_write_and_asked_for_its_session_always(stage: Stage) -> None:
    assert stage.run(tell, word="hi") == Said("hi")
    checked = ["before toy.tell hi", "session"]
    assert stage.noted == ["permit", "validate", *checked, *checked, "session"]
    assert stage.events() == ["toy.said", "toy.said"]


def test_a_replaced_session_stops_a_long_operation_between_two_writes(stage: Stage) -> None:
    def replace(*_: object) -> None:
        stage.world.agent("ann")

    with pytest.raises(Conflict) as refused:
        stage.pipeline.run(tell, stage.ann, {"word": "hi"}, replace)
    assert refused.value.reason == "MACP_ERR_SESSION_UNKNOWN"
    assert stage.events() == []


def test_a_check_sees_what_the_change_stands_on(stage: Stage) -> None:
    seen: list[int] = []

    def count(scope: Scope, one: AnyOp, values: Mapping[str, Any]) -> None:
        row = scope.tx.one("lifecycle.counts")
        assert row is not None
        seen.append(row[4] or 0)

    checks: tuple[Before, ...] = (count,)
    pipeline = Pipeline(stage.world.store, stage.world.clock, TimeOrderedIds(), before=checks, session=require_session)
    for word in ("one", "two"):
        pipeline.run(say, stage.ann, {"word": word})
    assert seen[1] == seen[0] + 1, "the second check saw the first event"
