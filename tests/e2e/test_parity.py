"""The same answer through every door: each operation's example in Python, over MCP, REST and at the command line.

Every door finds the same furnished repository and acts as the same agent in the same session. Answers are compared
without what must differ: ids made by the call, and times.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.types import TextContent

import comity
from comity import Problem, Workspace
from comity.dialects.macp.tools import TOOLS, words
from comity.dialects.names import argument_names
from comity.doors.http.routes import table
from comity.kernel.record import camel, to_json
from comity.rooms import OPERATIONS, REGISTRY
from comity.server.address import ServerAddress
from comity.server.application import Application
from comity.server.auth.authority import Authority
from comity.server.auth.config import AuthConfig
from comity.server.auth.grants import allows
from comity.server.route import RouteTable
from comity.server.state import ServerState
from tests.doors.cli.program import Program
from tests.furnished import arguments_of, furnish, write_files
from tests.prefork.spoken import spoken
from tests.prefork.started import Started

MADE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?")
PASSING = {"ageS", "leaseLeftS", "lastSeenS", "idleS", "heldS", "score", "pid", "program", "how", "known", "scanMs"}
PASSING |= {"tokenId", "secret"}  # chance made them
AT_A_PROMPT = {"leaseExpiresAt"}  # a task that is taken there has a lease, since nobody can look at an agent there
NAMES = sorted(name for listed in OPERATIONS.values() for name in listed)
BEFORE = {
    "task.claim": ("task.release",),
    "worktree.remove": ("worktree.create",),
    "integration.run": ("worktree.create",),
    "integration.begin": ("worktree.create",),
}
REFUSED = ("integration.run", "integration.begin")  # no check command is named there
TIMEOUT_S = 30.0


def opened(folder: Path, agent_id: str) -> Workspace:
    return comity.open(folder, agent_id=agent_id, session_id=f"cli-{agent_id}")


def furnish_repository(folder: Path) -> dict[str, str]:
    """A repository in which every example means something; what its placeholders stand for, by argument."""
    write_files(folder)
    identity = ("-c", "user.name=Tess", "-c", "user.email=tess@example.com", "-c", "commit.gpgsign=false")
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Begin."]):
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)
    with opened(folder, "ann") as ann, opened(folder, "agent-2") as bob:
        return furnish(ann, bob)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("furnished") / "repository"
    folder.mkdir()
    stands_for = furnish_repository(folder)
    shutil.copytree(folder, folder.with_name("furnished"))
    return folder, stands_for


def in_python(folder: Path, name: str, arguments: dict[str, Any]) -> Any:
    with opened(folder, "ann") as ann:
        try:
            return to_json(ann.call(name, arguments))
        except Problem as problem:
            return {"reason": problem.reason, "message": problem.message, "hint": problem.hint}


def at_the_prompt(folder: Path, name: str, arguments: dict[str, Any]) -> Any:
    done = Program(folder, folder / "home")("call", name, "--arguments", json.dumps(arguments), "--json", "--as", "ann")
    answer = done.json
    if done.code:
        return {key: answer["error"][key] for key in ("reason", "message", "hint")}
    return answer


def over_mcp(folder: Path, name: str, arguments: dict[str, Any]) -> Any:
    (tool,) = (tool.name for tool in TOOLS if tool.op == name)
    names = argument_names(REGISTRY.get(name))
    given = {names[key]: value for key, value in arguments.items()}

    async def ask() -> Any:
        own = Program(folder, folder / "home").environment(MACP_SESSION_ID="cli-ann")
        with (
            anyio.fail_after(TIMEOUT_S),
            Started(["mcp", "--agent-id", "ann"], cwd=folder, env=own, stderr=None) as server,
        ):
            async with Client(spoken(server), mode="auto", read_timeout_seconds=TIMEOUT_S) as client:
                result = await client.call_tool(tool, given)
        if result.is_error:
            assert isinstance(result.content[0], TextContent)
            told = json.loads(result.content[0].text)
            return {"reason": told["reasonCode"], "message": told["message"], "hint": told["hint"]}
        return result.structured_content

    return anyio.run(ask)


@cache
def routes() -> RouteTable:
    """They hold nothing of a server."""
    return table()


def over_rest(folder: Path, name: str, arguments: dict[str, Any]) -> Any:
    """The server's whole application, without a socket: a process for each operation would take minutes."""
    op = REGISTRY.get(name)
    given = {camel(key): value for key, value in arguments.items()}
    path, who = f"/api/v1/{name}", {"x-comity-agent": "ann"}

    async def ask(server: ServerState) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=Application(server, routes()), client=("in-process", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=server.address.url) as client:
            if op.effect == "read":
                return await client.get(path, params=given, headers=who)
            return await client.post(path, json=given, headers=who)

    with comity.open(folder, agent_id="server", session_id="server") as workspace:
        server = ServerState(workspace, Authority(workspace, AuthConfig(), required=False), ServerAddress())
        server.ready = True
        told = anyio.run(ask, server)
        server.calls.close()
    answer = told.json()
    if told.status_code == 403 and answer["reason"] == "role.insufficient":
        return None
    return (
        answer if told.is_success else {"reason": answer["reason"], "message": answer["title"], "hint": answer["hint"]}
    )


def comparable(value: Any) -> Any:
    """An answer without made ids and times."""
    if isinstance(value, dict):
        shown = {key: part for key, part in value.items() if key not in AT_A_PROMPT}
        return {key: "passing" if key in PASSING else comparable(part) for key, part in shown.items()}
    if isinstance(value, list):
        return [comparable(part) for part in value]
    if isinstance(value, str):
        return TIME.sub("TIME", MADE.sub("ID", value))
    return value


def in_macp(answer: Any) -> Any:
    """An answer whose advice names the protocol's tools in the place of operations."""
    if not isinstance(answer, dict):
        return answer
    return {key: words().say(part) if key in ("hint", "instructions") else part for key, part in answer.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_door_gives_the_same_answer(furnished: tuple[Path, dict[str, str]], name: str) -> None:
    folder, stands_for = furnished
    doors = {"python": in_python, "prompt": at_the_prompt, "rest": over_rest}
    if name in {tool.op for tool in TOOLS}:
        doors["mcp"] = over_mcp
    answers = {}
    for door, ask in doors.items():
        shutil.rmtree(folder)
        shutil.copytree(folder.with_name("furnished"), folder)
        for before in BEFORE.get(name, ()):
            in_python(folder, before, arguments_of(before, stands_for))
        answers[door] = comparable(ask(folder, name, arguments_of(name, stands_for)))
    assert answers["prompt"] == answers["python"]
    assert answers.get("mcp", in_macp(answers["python"])) == in_macp(answers["python"])
    if answers["rest"] is None:
        assert not allows("worker", name)
    else:
        assert answers["rest"] == answers["python"]
    refused = "reason" in answers["python"] and "hint" in answers["python"]
    assert refused == (name in REFUSED), answers
