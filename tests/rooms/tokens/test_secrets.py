"""What is said to be secret is where nobody keeps it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from comity.dialects.macp.tools import TOOLS as MACP
from comity.dialects.masc.tools import TOOLS as MASC
from comity.kernel.argument import Text
from comity.kernel.problem import Conflict, Invalid, Unauthenticated
from comity.kernel.signature import parameters
from comity.rooms import REGISTRY
from comity.testing import World
from tests.wire_format import dump

SECRET = {op.name for op in REGISTRY if op.secret}
SECRET_ARGUMENTS = {
    (op.name, one.name) for op in REGISTRY for one in parameters(op) if isinstance(one.given, Text) and one.given.secret
}


def test_these_are_the_secrets_there_are() -> None:
    assert {"token.create"} == SECRET
    assert {("token.check", "digest")} == SECRET_ARGUMENTS


def test_no_secret_goes_through_a_tool() -> None:
    """A model would read it, and MCP sessions keep their last messages to send them again."""
    tools = {tool.op for tool in MACP} | {tool.op for tool in MASC}
    assert not tools & SECRET
    assert not tools & {name for name, _ in SECRET_ARGUMENTS}


def test_a_secret_is_in_no_file_and_in_no_event(world: World) -> None:
    ann = world.agent("ann")
    made = ann.call("token.create", {"role": "reader"}, key="k")
    secret = made.secret.rpartition("_")[2]
    with pytest.raises(Conflict) as refused:
        ann.call("token.create", {"role": "reader"}, key="k")
    assert secret not in json.dumps(refused.value.as_dict())
    assert secret not in json.dumps(dump(world.path), default=str)
    folder = Path(os.path.dirname(world.path))
    kept = [path.name for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert kept == []


def test_no_complaint_repeats_a_secret_argument(world: World) -> None:
    ann = world.agent("ann")
    for digest, kind in (("s3cr3t" * 10, Invalid), ("5ec2e7" * 10 + "abcd", Unauthenticated)):
        with pytest.raises(kind) as refused:
            ann.token.check(token_id="0" * 12, digest=digest)
        assert digest not in json.dumps(refused.value.as_dict())
