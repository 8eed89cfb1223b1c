"""A server that a host starts where no project is: it makes none there, and says what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from comity.launcher import asking
from tests.doors.cli.program import Program
from tests.mcp.driven import TIMEOUT_S, initialize, request


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The user's home folder, in which something else of the protocol's lies."""
    found = tmp_path / "home"
    (found / ".macp" / "projects").mkdir(parents=True)
    (found / "notes").mkdir()
    return found


class Server:
    """`comity mcp`, started in a folder; each call is answered before the next one."""

    def __init__(self, folder: Path, home: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "comity", "mcp"],
            cwd=folder,
            env=Program(folder, home).environment(**environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.ask(initialize(0))

    def ask(self, line: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def call(self, name: str, **arguments: object) -> tuple[bool, dict[str, Any]]:
        """Whether a tool refused, and what it said."""
        result = self.ask(request(1, "tools/call", name=name, arguments=arguments))["result"]
        return bool(result.get("isError")), json.loads(result["content"][0]["text"])

    def end(self) -> None:
        self.process.communicate(timeout=TIMEOUT_S)
        assert self.process.returncode == 0


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("where", ["", "notes"])
def test_outside_a_project_nothing_is_made_and_every_tool_says_what_to_do(home: Path, where: str) -> None:
    before = tree(home)
    server = Server(home / where, home)
    for name, arguments in (
        ("macp_ext_list_agents", {}),
        ("macp_poll", {}),
        ("macp_send_channel", {"content": "hello"}),
        ("macp_ext_claim_files", {"files": ["a.py"]}),
    ):
        refused, told = server.call(name, **arguments)
        assert (refused, told["reasonCode"]) == (True, "project.none"), told
        assert "MACP_PROJECT_ROOT" in told["hint"]
    refused, told = server.call("macp_get_instructions")
    assert not refused
    assert "macp_poll" in told["instructions"]
    server.end()
    assert tree(home) == before


def test_once_there_is_a_project_the_next_call_finds_it(home: Path) -> None:
    server = Server(home / "notes", home)
    assert server.call("macp_poll")[0]
    assert Program(home / "notes", home)("init", "--hosts", "zed").code == 0
    refused, told = server.call("macp_ext_list_agents")
    assert not refused
    assert len(told["agents"]) == 1
    assert list(Path(asking.runtime_folder()).glob(f"*.{server.process.pid}")), "it answers hooks there"
    server.end()


@pytest.mark.parametrize("inside", ["repository", "workspace", "named database"])
def test_inside_a_project_it_begins_as_ever(home: Path, inside: str) -> None:
    folder = home / "notes"
    environment = {}
    if inside == "repository":
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
    elif inside == "workspace":
        (folder / ".macp").mkdir()
    else:
        environment = {"MACP_DB_PATH": str(home / "elsewhere.db")}
    server = Server(folder, home, **environment)
    assert not server.call("macp_ext_list_agents")[0]
    server.end()


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("{folder}", True),
        ("file://{folder}", True),
        ("file://localhost{folder}", True),
        ("FILE:{folder}", True),
        ("file://elsewhere{folder}", False),
        ("file://", False),
    ],
)
def test_the_projects_folder_is_named_as_a_path_or_as_mcp_names_roots(home: Path, named: str, found: bool) -> None:
    garden = home / "garden shed ü"
    garden.mkdir()
    assert Program(garden, home)("init", "--hosts", "zed").code == 0
    path = str(garden) if named == "{folder}" else str(garden).replace(" ", "%20").replace("ü", "%C3%BC")
    done = Program(home / "notes", home)("status", "--json", MACP_PROJECT_ROOT=named.format(folder=path))
    if found:
        assert done.json["project"]["root"] == str(garden)
    else:
        assert done.error["reason"] == "setting.invalid"


def test_modules_of_the_project_are_not_taken_for_pythons(home: Path) -> None:
    folder = home / "notes"
    (folder / ".macp").mkdir()
    for name in ("json", "queue", "select", "socket", "tempfile", "string", "apsw"):
        (folder / f"{name}.py").write_text("print('PROJECT')\nraise SystemExit(3)\n")
    path = os.pathsep.join((".", Program(folder, home).environment()["PYTHONPATH"]))
    server = Server(folder, home, PYTHONPATH=path)
    assert not server.call("macp_ext_list_agents")[0]
    server.end()
