"""The Python API: the types that are written down are those of the operations."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import comity
from comity import api
from comity.kernel.op import Op
from comity.rooms import OPERATIONS
from comity.testing import World

STUB = Path(comity.__file__).with_name("api.pyi")


def written() -> dict[str, str]:
    """Per operation that the stub gives a type, the name of the operation that the type is taken from."""
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    rooms = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("comity.rooms.")
        for alias in node.names
    }
    found = {}
    for noun in (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name.endswith("Calls")):
        for line in noun.body:
            if isinstance(line, ast.Assign) and isinstance(line.value, ast.Call):
                room, function = ast.unparse(line.value.args[0]).split(".")
                op = getattr(import_module(rooms[room]), function)
                assert isinstance(op, Op)
                found[f"{noun.name.removesuffix('Calls').lower()}.{ast.unparse(line.targets[0])}"] = op.name
    return found


def test_every_operation_has_its_type() -> None:
    assert sorted(written()) == sorted(name for listed in OPERATIONS.values() for name in listed)
    assert {name: of for name, of in written().items() if name != of} == {}


def test_every_noun_is_an_attribute_of_a_workspace() -> None:
    with World() as world:
        ann = world.agent("ann")
        for name in written():
            noun, verb = name.split(".")
            method = getattr(getattr(ann, noun), verb)
            assert method.__name__ == name
            assert method.__doc__
            assert verb in dir(getattr(ann, noun))


def test_what_is_no_operation_is_no_attribute() -> None:
    with World() as world:
        with pytest.raises(AttributeError, match=r"no operation message\.shout"):
            world.agent("ann").message.shout  # type: ignore[attr-defined]  # noqa: B018
        with pytest.raises(AttributeError):
            api.NobodyCalls  # type: ignore[attr-defined]  # noqa: B018
        with pytest.raises(TypeError):
            world.agent("ann").agent.list("positional")  # type: ignore[call-arg]
