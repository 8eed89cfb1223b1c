"""What every operation answers fits the JSON Schema that its tool publishes, and is read back from its JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

import jsonschema  # type: ignore[import-untyped]
import pytest

from comity.kernel import schema
from comity.kernel.record import to_json
from comity.kernel.record_reader import reader
from comity.kernel.signature import answer_of
from comity.rooms import REGISTRY
from comity.testing import World
from tests.sim.scene import Scene
from tests.sim.test_faults import SCENES
from tests.worlds import fresh


@pytest.mark.parametrize("make", SCENES, ids=lambda make: make.__name__)
def test_answers_fit_their_output_schemas(make: Callable[[World], Scene]) -> None:
    with fresh() as world:
        scene = make(world)
        if scene.refusal is None:
            answer = to_json(scene.workspace.call(scene.operation, scene.arguments))
            wanted = schema.output_schema(REGISTRY.get(scene.operation))
            jsonschema.Draft202012Validator(wanted).validate(answer)


@pytest.mark.parametrize("make", SCENES, ids=lambda make: make.__name__)
def test_answers_are_read_back_from_their_json_as_they_were(make: Callable[[World], Scene]) -> None:
    with fresh() as world:
        scene = make(world)
        if scene.refusal is None:
            answer = scene.workspace.call(scene.operation, scene.arguments)
            read = reader(answer_of(REGISTRY.get(scene.operation)))
            assert read(json.loads(json.dumps(to_json(answer)))) == answer
