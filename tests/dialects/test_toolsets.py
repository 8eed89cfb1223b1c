"""What the tool lists cost a model, in tokens, and which tools each set has."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import bpe_openai
import pytest

from comity import settings
from comity.dialects.macp.dialect import LIST_FILE, MacpDialect
from comity.dialects.macp.tools import TOOLS
from comity.dialects.toolsets import CORE, SETS, WORKSPACE
from comity.doors.stdio import serve
from comity.kernel.problem import Invalid
from comity.mcp.surface import UnknownTool
from comity.rooms import REGISTRY

# The vocabulary of OpenAI's o200k models, which the package brings along. Other models' counts are near it.
ENCODING = "o200k_base"
MOST = {"core": 1_200, "workspace": 3_000, "all": 6_500}


@cache
def encoding() -> Any:
    return bpe_openai.get_encoding(ENCODING)


def listed(tools: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(MacpDialect(tools).tools())
    return found


def tokens(tool: dict[str, Any]) -> int:
    """Name, description and input schema: what hosts put before the model."""
    schema = json.dumps(tool["inputSchema"], ensure_ascii=False, separators=(",", ":"))
    return sum(len(encoding().encode(text)) for text in (tool["name"], tool["description"], schema))


@pytest.mark.parametrize("tools", MOST)
def test_a_list_costs_few_tokens(tools: str) -> None:
    costs = {tool["name"]: tokens(tool) for tool in listed(tools)}
    dear = sorted(costs.items(), key=lambda item: -item[1])[:5]
    assert sum(costs.values()) <= MOST[tools], f"{sum(costs.values())} tokens; the dearest: {dear}"


@pytest.mark.parametrize("place", ["option", "environment", "config"])
def test_a_set_is_chosen_by_option_environment_or_config(tmp_path: Path, place: str) -> None:
    (tmp_path / ".macp").mkdir()
    (tmp_path / ".macp" / "config.json").write_text("{}")
    text = f'tools = "{"core" if place == "config" else "all"}"\n'
    (tmp_path / ".macp" / "comity.toml").write_text(text)
    environment = {"HOME": str(tmp_path), "COMITY_TOOLS": {"environment": "core", "option": "all"}.get(place, "")}
    flags = serve.parse(["--tools", "core"] if place == "option" else [])
    chosen = settings.resolve(flags, environment, str(tmp_path)).tools
    assert [tool["name"] for tool in listed(chosen)] == list(CORE)


def test_a_set_that_is_none_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        settings.resolve({"tools": "some"}, {}, str(tmp_path))
    assert refused.value.reason == "setting.invalid"
    assert "core or workspace or all" in refused.value.hint


def test_the_tokenizer_counts() -> None:
    assert len(encoding().encode("Fetch pending messages, most urgent first.")) == 8


def test_the_sets_hold_one_another_and_name_tools_that_exist() -> None:
    names = [tool.name for tool in TOOLS]
    assert len(set(names)) == len(names)
    assert SETS["core"] < SETS["workspace"] < set(names)
    assert [tool["name"] for tool in listed("all")] == names
    assert [tool["name"] for tool in listed("core")] == list(CORE)
    assert {tool["name"] for tool in listed("workspace")} == set(WORKSPACE)


def test_the_file_has_one_tool_a_line() -> None:
    """Sets are cut out of it without parsing."""
    with open(LIST_FILE, encoding="utf-8") as file:
        assert len(file.read().splitlines()) == len(TOOLS)


def test_tools_of_other_sets_are_unknown() -> None:
    dialect = MacpDialect("core")
    for tool in TOOLS:
        if tool.name in CORE:
            assert dialect.ask(tool.name, {}).op is REGISTRY.get(tool.op)
        else:
            with pytest.raises(UnknownTool):
                dialect.ask(tool.name, {})
