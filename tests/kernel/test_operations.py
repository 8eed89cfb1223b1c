"""Operations, their validators, schemas and the registry."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel import schema
from comity.kernel.argument import Items, Number, Text
from comity.kernel.op import op
from comity.kernel.problem import Invalid, NotFound
from comity.kernel.record import to_json
from comity.kernel.registry import Registry
from comity.kernel.scope import Scope
from comity.kernel.signature import parameters
from comity.kernel.validate import validate
from comity.rooms import REGISTRY
from comity.testing import World
from tests.rounds import rounds

Name = Annotated[str, Text("A name.", min=2, max=5)]
Names = Annotated[list[Name], Items("Some names.", max=3)]
Share = Annotated[float, Number("A share.", ge=0, le=1)]
Count = Annotated[int, Number("A count.", ge=1, le=9)]


class Answer(NamedTuple):
    """What the toy answers."""

    given: str
    extra_words: tuple[str, ...] = ()


@op("toy.play", effect="read", example={"name": "abc"})
def play(
    scope: Scope,
    *,
    name: Name,
    names: Names | None = None,
    share: Share = 0.5,
    count: Count | None = None,
    level: Literal[0, 1, "low"] = "low",
    really: bool = False,
) -> Answer:
    """Play with arguments.

    In two paragraphs.
    """
    return Answer(name)


def test_what_an_operation_tells_about_itself() -> None:
    assert (play.name, play.effect, play.summary) == ("toy.play", "read", "Play with arguments.")
    assert play.doc.endswith("In two paragraphs.")
    assert [(p.name, p.required, p.default) for p in parameters(play)] == [
        ("name", True, None),
        ("names", False, None),
        ("share", False, 0.5),
        ("count", False, None),
        ("level", False, "low"),
        ("really", False, False),
    ]


@pytest.mark.parametrize(
    ("arguments", "checked"),
    [
        ({"name": "ab"}, {"name": "ab"}),
        ({"name": "ab", "names": None, "count": None}, {"name": "ab"}),
        ({"name": "ab", "names": ("abc", "äöü")}, {"name": "ab", "names": ["abc", "äöü"]}),
        ({"name": "ab", "count": 3.0, "share": 1}, {"name": "ab", "count": 3, "share": 1}),
        ({"name": "ab", "level": 1.0, "really": True}, {"name": "ab", "level": 1, "really": True}),
    ],
    ids=str,
)
def test_good_arguments(arguments: dict[str, Any], checked: dict[str, Any]) -> None:
    assert validate(play, arguments) == checked
    assert {key: type(value) for key, value in validate(play, arguments).items()} == {
        key: type(value) for key, value in checked.items()
    }


@pytest.mark.parametrize(
    ("arguments", "reason", "says"),
    [
        ({}, "argument.missing", "name"),
        ({"name": None}, "argument.invalid", "null"),
        ({"name": "a"}, "argument.invalid", "2 to 5 characters"),
        ({"name": "abcdef"}, "argument.invalid", "2 to 5 characters"),
        ({"name": 3}, "argument.invalid", "text"),
        ({"name": "a\0b"}, "argument.invalid", "NUL"),
        ({"name": "a\ud800"}, "argument.invalid", "surrogate"),
        ({"name": "ab", "names": "ab"}, "argument.invalid", "list"),
        ({"name": "ab", "names": ["ab"] * 4}, "argument.invalid", "items"),
        ({"name": "ab", "names": ["ab", 1]}, "argument.invalid", "each item"),
        ({"name": "ab", "names": {"ab": 1}}, "argument.invalid", "list"),
        ({"name": "ab", "count": 0}, "argument.invalid", "1 to 9"),
        ({"name": "ab", "count": 2.5}, "argument.invalid", "whole number"),
        ({"name": "ab", "count": True}, "argument.invalid", "whole number"),
        ({"name": "ab", "share": float("nan")}, "argument.invalid", "0 to 1"),
        ({"name": "ab", "share": float("inf")}, "argument.invalid", "0 to 1"),
        ({"name": "ab", "share": "0.5"}, "argument.invalid", "number"),
        ({"name": "ab", "level": True}, "argument.invalid", "one of 0, 1, low"),
        ({"name": "ab", "level": []}, "argument.invalid", "one of 0, 1, low"),
        ({"name": "ab", "really": 1}, "argument.invalid", "true or false"),
        ({"name": "ab", "Name": "ab"}, "argument.unknown", "Name"),
        ({"name": "ab", "x" * 10_000: 1}, "argument.unknown", "xxx"),
    ],
    ids=lambda value: str(value)[:50].encode("ascii", "replace").decode(),
)
def test_bad_arguments_are_told_in_words(arguments: dict[str, Any], reason: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        validate(play, arguments)
    problem = refused.value
    assert problem.reason == reason
    assert says in problem.message
    assert "toy.play" in problem.message
    assert problem.hint
    assert len(problem.message) < 300


def test_input_schema() -> None:
    name = {"type": "string", "minLength": 2, "maxLength": 5}
    properties = {
        "name": name,
        "names": {"type": "array", "items": name, "maxItems": 3},
        "share": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "level": {"enum": [0, 1, "low"], "default": "low"},
        "isReal": {"type": "boolean", "default": False},
    }
    assert schema.input_schema(play, {"really": "isReal"}) == {
        "type": "object",
        "properties": properties,
        "required": ["name"],
    }
    told = [schema.argument_schema(parameter, told=True) for parameter in parameters(play)]
    assert told[0] == {**name, "description": "A name."}
    assert told[1]["items"] == told[0]
    assert [one.get("description") for one in told[1:]] == ["Some names.", "A share.", "A count.", None, None]


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 12),
    st.floats(),
    st.text(max_size=7),
    st.lists(st.one_of(st.text(max_size=7), st.integers()), max_size=5),
    st.sampled_from(["ab", "low", 0.5, ["ab", "abc"]]),
)


@settings(max_examples=rounds(150, 400), deadline=None, derandomize=True)
@given(arguments=st.dictionaries(st.sampled_from(["name", "names", "share", "count", "level", "really"]), VALUES))
def test_the_validator_takes_what_the_schema_allows(arguments: dict[str, Any]) -> None:
    """Apart from text that no file can hold, and null for what may be left out."""
    given_ones = {key: value for key, value in arguments.items() if value is not None or key == "name"}
    strict = jsonschema.Draft202012Validator(schema.input_schema(play, {}))
    allowed = strict.is_valid(given_ones)
    try:
        validate(play, arguments)
        taken = True
    except Invalid as problem:
        taken = False
        allowed = (
            allowed and "NUL" not in problem.message and "NaN" not in str(arguments) and "nan" not in str(arguments)
        )
    assert taken == allowed


def test_answers_fit_their_output_schemas() -> None:
    with World() as world:
        ann, bob = world.agent("ann"), world.agent("bob", max_pending_messages=1)
        ann.message.send(destination_agent_id="bob", content="x" * 1000, priority="interrupt")
        answers: list[tuple[str, Any]] = [
            ("session.start", ann.session.start()),
            ("channel.join", ann.channel.join(channel_id="side")),
            ("channel.leave", ann.channel.leave(channel_id="side")),
            ("message.send", ann.message.send(destination_agent_id="ann", content="x" * 1000)),
            ("message.broadcast", ann.message.broadcast(content="x", priority="interrupt")),
            ("message.poll", bob.message.poll()),
            ("message.poll", ann.message.poll(budget_bytes=10)),
            ("agent.list", ann.agent.list()),
            ("event.list", ann.event.list()),
            ("workspace.status", ann.workspace.status()),
            ("workspace.prune", ann.workspace.prune()),
            ("guide.show", ann.guide.show()),
        ]
        (delivery,) = bob.message.poll().deliveries
        answers += [
            ("message.read", bob.message.read(delivery_id=delivery.delivery_id)),
            ("message.ack", bob.message.ack(delivery_id=delivery.delivery_id)),
            ("session.end", ann.session.end()),
        ]
    for name, answer in answers:
        jsonschema.Draft202012Validator(schema.output_schema(REGISTRY.get(name))).validate(to_json(answer))


def test_the_registry() -> None:
    registry = Registry({__name__: ("toy.play",)})
    assert registry.names() == ("toy.play",)
    with pytest.raises(NotFound) as refused:
        registry.get("toy.break")
    assert refused.value.reason == "operation.unknown"
    assert "toy.break" in refused.value.message
    for name in REGISTRY.names():
        assert REGISTRY.get(name) is REGISTRY.get(name)
