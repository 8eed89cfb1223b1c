"""What every operation answers fits the JSON Schema that its tool publishes."""

from __future__ import annotations

from collections.abc import Callable

import jsonschema  # type: ignore[import-untyped]
import pytest

from comity.kernel import schema
from comity.kernel.record import to_json
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
