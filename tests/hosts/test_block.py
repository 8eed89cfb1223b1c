"""The managed block of AGENTS.md names the tools that the project's servers have."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from comity.dialects.macp.tools import TOOLS as MACP
from comity.dialects.masc.tools import TOOLS as MASC
from comity.hosts import markdown
from comity.hosts.init import apply, plan

LISTED = {"macp": {tool.name for tool in MACP}, "masc": {tool.name for tool in MASC}}


def named(text: str) -> set[str]:
    return set(re.findall(r"`((?:macp|masc)_[a-z_]+)`", text))


@pytest.mark.parametrize("surface", LISTED)
def test_it_names_tools_that_are_listed_and_states_the_ids(surface: str) -> None:
    text = markdown.block("shop", "main", surface)
    assert named(text)
    assert named(text) <= LISTED[surface]
    assert markdown.ids(text) == ("shop", "main")
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    ("toml", "surface"),
    [('surface = "masc"', "masc"), ('surface = "macp"', "macp"), ("", "macp"), ("surface =", "macp")],
)
def test_init_writes_that_of_the_setting(tmp_path: Path, toml: str, surface: str) -> None:
    folder = tmp_path / "shop"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".macp").mkdir()
    (folder / ".macp" / "config.json").write_text(json.dumps({}))
    (folder / ".macp" / "comity.toml").write_text(toml)
    assert apply(plan(folder)).ok
    assert named((folder / "AGENTS.md").read_text()) <= LISTED[surface]
    again = plan(folder)
    assert [change for change in again.changes if change.writes] == []
