"""The table of the MASC front door: every row is true, listed once, and cheap for a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpe_openai
import pytest

from comity.dialects.masc import dialect as masc
from comity.dialects.masc import help as masc_help
from comity.dialects.masc import resources as masc_resources
from comity.dialects.masc.dialect import MascDialect
from comity.dialects.masc.text import TEXTS
from comity.dialects.masc.tools import HELP, TOOLS, words
from comity.kernel.signature import parameters
from comity.rooms import REGISTRY

DEFAULT = {tool.name for tool in TOOLS if not tool.alias} | {HELP}
MOST_TOKENS = 3_200


def listed(*, hidden: bool = False) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(MascDialect(hidden=hidden).tools())
    return found


def test_rows_name_arguments_that_their_operations_have() -> None:
    for tool in TOOLS:
        own = {parameter.name for parameter in parameters(REGISTRY.get(tool.op))}
        assert {*tool.arguments.values(), *tool.fixed, *filter(None, [tool.wish])} <= own, tool.name
        assert {*tool.states} <= {*tool.arguments}, tool.name
        required = {parameter.name for parameter in parameters(REGISTRY.get(tool.op)) if parameter.required}
        assert required <= {*tool.arguments.values(), *tool.fixed}, tool.name


def test_the_list_has_each_tool_once_and_aliases_on_demand() -> None:
    assert len({tool.name for tool in TOOLS}) == len(TOOLS)
    assert {tool["name"] for tool in listed()} == DEFAULT
    assert {tool["name"] for tool in listed(hidden=True)} == {tool.name for tool in TOOLS} | {HELP}
    assert len(Path(masc.LIST_FILE).read_text(encoding="utf-8").splitlines()) == len(TOOLS) + 1
    assert {*TEXTS, HELP} >= DEFAULT, "a tool without a text of its own"


def test_the_list_costs_few_tokens() -> None:
    encoding = bpe_openai.get_encoding("o200k_base")
    costs = {
        tool["name"]: sum(
            len(encoding.encode(text))
            for text in (tool["name"], tool["description"], json.dumps(tool["inputSchema"], separators=(",", ":")))
        )
        for tool in listed()
    }
    assert sum(costs.values()) <= MOST_TOKENS, sorted(costs.items(), key=lambda item: -item[1])[:5]


def test_advice_names_tools_and_leaves_other_words() -> None:
    said = words().say("Call `task.take_next`, then `task.transition`, not task.add_many.")
    assert said == "Call masc_claim_next, then masc_transition, not task.add_many."
    assert words().say("`message.poll` or `my.file`") == "masc_messages or `my.file`"
    assert all(tool.alias == "" for tool in TOOLS if words().names[tool.op] == tool.name)


@pytest.mark.parametrize("tool", sorted(tool.name for tool in TOOLS))
def test_there_is_help_for_each_tool(tool: str) -> None:
    assert masc_help.describe(tool) is not None


def test_every_event_changes_resources_that_exist() -> None:
    addresses = {str(one["uri"]) for one in masc_resources.listed()}
    changed = {kind: {*MascDialect().changed({kind})} for kind in ("task.claimed", "message.send", "claim.held", "x.y")}
    assert {"masc://status", "masc://events.json"} <= changed["x.y"] <= changed["task.claimed"] <= addresses
    assert "masc://tasks.json" in changed["task.claimed"]
    assert "masc://tasks.json" not in changed["message.send"]
    assert "masc://messages" in changed["message.send"]
    assert "masc://agents" in changed["claim.held"]
