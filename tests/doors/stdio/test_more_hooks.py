"""A server that hears the version of its host adds the hooks that ``init`` did not dare to write."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.doors.cli.program import TIMEOUT_S, Program
from tests.mcp.driven import request

FILE = ".claude/settings.local.json"


@pytest.fixture
def prepared(tmp_path: Path) -> Program:
    """A folder in which ``init`` could not ask Claude Code for its version."""
    home, folder = tmp_path / "home", tmp_path / "garden"
    home.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    comity = Program(folder, home)
    comity("init", "--hosts", "claude-code", PATH="/usr/bin:/bin")
    assert "PostToolBatch" not in (comity.folder / FILE).read_text()
    return comity


def served(comity: Program, version: str) -> Generator[str]:
    """Start a server for that version and call it once; the lines of its standard error."""
    client = {"name": "claude-code", "version": version}
    asked = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
    process = subprocess.Popen(
        [sys.executable, "-m", "comity", "mcp"],
        cwd=comity.folder,
        env=comity.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        for line in (request(0, "initialize", **asked), request(1, "tools/call", name="macp_poll", arguments={})):
            process.stdin.write(json.dumps(line) + "\n")
            process.stdin.flush()
            assert process.stdout.readline()
        yield from process.stderr
    finally:
        process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0


@pytest.mark.timeout(120)
def test_hooks_of_the_version_are_written_once(prepared: Program) -> None:
    lines = served(prepared, "2.1.332")
    assert "comity mcp: hooks of claude-code are now those of 2.1.332\n" in lines
    lines.close()
    text = (prepared.folder / FILE).read_text()
    assert "PostToolBatch" in text
    assert "asyncRewake" in text
    prepared("init", "--remove")
    assert not (prepared.folder / FILE).exists()
