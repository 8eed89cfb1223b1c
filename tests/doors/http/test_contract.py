"""Every documented operation does what the OpenAPI document says, whatever it is sent: schemathesis makes the requests.

Streams are left out, since they do not end. The seed is fixed; ``CONTRACT_EXAMPLES`` asks for more of them.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from comity.doors.http.routes import table
from tests.doors.http.running import Server, comity, repository, serving
from tests.rounds import rounds

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", rounds(1, 4)))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
STREAMS = {route.path for route in table().routes if route.app is not None}
QUICKLY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    verbosity=Verbosity.quiet,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server, and the token of an admin who is agent ann: it may call everything."""
    folder = repository(tmp_path_factory.mktemp("contract"))
    made = comity(folder, "token", "create", "--role", "admin", "--agent", "ann", "--json")
    assert made.returncode == 0, made.stderr
    token = next(part for part in made.stdout.replace('"', " ").split() if part.startswith("comity_"))
    with serving(folder) as server:
        yield server, token


def bounded(value: Any) -> Any:
    """Arguments that do not make the server wait."""
    if isinstance(value, dict):
        return {key: 0 if key == "waitMs" and isinstance(item, int | float) else item for key, item in value.items()}
    return value


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
def test_every_operation_answers_as_documented(admin: tuple[Server, str], mode: GenerationMode) -> None:
    server, token = admin
    schema = schemathesis.openapi.from_url(f"{server.url}/api/v1/openapi.json")
    found: list[str] = []
    with requests.Session() as session:
        for result in schema.get_all_operations():
            operation = result.ok()  # type: ignore[union-attr]
            if operation.path in STREAMS:
                continue

            def ask(case: Any) -> None:
                case.headers = {k: v for k, v in (case.headers or {}).items() if k != "X-Comity-Agent"}
                case.body, case.query = bounded(case.body), bounded(case.query)
                case.call_and_validate(
                    session=session, headers={"Authorization": f"Bearer {token}"}, checks=CHECKS, timeout=30
                )

            try:
                with suppress(Unsatisfiable):  # nothing can be wrong where nothing is asked
                    strategy = operation.as_strategy(generation_mode=mode)
                    seed(5)(QUICKLY(given(case=strategy)(ask)))()
            except BaseExceptionGroup as failures:  # all of them are told at the end
                found += [f"{operation.label}: {failure}" for failure in (failures, *failures.exceptions)]
    assert not found, "\n\n".join([f"{len(found)} failures", *found[:20], "".join(server.said)[-20_000:]])
