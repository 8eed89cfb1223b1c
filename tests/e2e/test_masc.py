"""The MASC front door over a real pipe: with the official SDK's client in both eras, and beside the MACP tools."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import jsonschema  # type: ignore[import-untyped]
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent, TextResourceContents

from comity.dialects.masc.tools import HELP, TOOLS
from comity.kernel.agent_names import is_made
from tests.e2e.served import TIMEOUT_S, Era, Served, common, database
from tests.mcp.driven import SOURCES, initialize, request

pytestmark = pytest.mark.anyio


def options(folder: Path) -> list[str]:
    return ["--db", str(database(folder)), "--channel", "main", "--surface", "masc"]


@asynccontextmanager
async def connected(folder: Path, era: Era = "auto") -> AsyncIterator[Client]:
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "comity", "mcp", *options(folder)],
        cwd=folder,
        env={"PYTHONPATH": str(SOURCES), "HOME": str(folder / "home")},
    )
    with anyio.fail_after(TIMEOUT_S):
        async with Client(stdio_client(command), mode=era, read_timeout_seconds=TIMEOUT_S) as client:
            yield client


async def called(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """A tool's answer, which is of the shape that the tool list promises."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    (item,) = result.content
    assert isinstance(item, TextContent)
    assert 0 < len(item.text) < 4000
    structured = result.structured_content
    assert isinstance(structured, dict)
    listed = {one.name: one for one in (await client.list_tools()).tools}
    if tool in listed:
        jsonschema.Draft202012Validator(listed[tool].output_schema).validate(structured)
    assert not any(letter.isupper() for key in structured for letter in key)
    return structured


def problem(result: dict[str, Any]) -> dict[str, Any]:
    """The Problem that a tool answered."""
    assert result["isError"] is True
    told: dict[str, Any] = json.loads(result["content"][0]["text"])
    assert list(told) == ["code", "kind", "message", "hint", "recovery", "retryable", "details"]
    assert told["hint"]
    assert set(told["recovery"]) == {"tool", "reason"}
    return told


async def refused(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    return problem(result.model_dump(by_alias=True, mode="json", exclude_none=True))


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_a_task_from_start_to_done(tmp_path: Path, era: Era) -> None:
    async with connected(tmp_path, era) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names == {tool.name for tool in TOOLS if not tool.alias} | {HELP}
        looked = await called(client, "masc_status")
        assert (looked["you"]["joined"], looked["counts"]["agents"]) == (False, 0)

        begun = await called(client, "masc_start", agent_name="claude", task_title="Write the lexer")
        name = begun["overview"]["you"]["name"]
        assert is_made(name)
        assert name.startswith("claude-")
        first = begun["task"]
        assert (first["id"], first["status"], first["priority"], first["assignee"]) == (
            *("task-001", "in_progress", 3),
            begun["agent_id"],
        )
        added = (await called(client, "masc_add_task", title="Write the parser", priority=1))["task"]
        assert (added["status"], added["priority"], added["version"]) == ("todo", 1, 1)
        told = await refused(client, "masc_add_task", title=" write  the PARSER ")
        assert (told["code"], told["kind"]) == ("task.duplicate", "conflict")
        batch = await called(client, "masc_batch_add_tasks", tasks=[{"title": "x", "priority": 5}, {"title": "y"}])
        assert [task["priority"] for task in batch["tasks"]] == [5, 3]

        taken = await called(client, "masc_claim_next")
        assert (taken["task"]["id"], taken["task"]["status"], taken["released"]["id"]) == (
            *("task-002", "claimed"),
            "task-001",
        )
        moved = await called(client, "masc_transition", task_id="task-002", action="start")
        assert (moved["changed"], moved["from_state"], moved["task"]["status"]) == (True, "claimed", "in_progress")
        assert not (await called(client, "masc_transition", task_id="task-002", action="start"))["changed"]
        done = {"task_id": "task-002", "action": "done", "notes": "Parser and 14 tests."}
        stale = await refused(client, "masc_transition", **done, expected_version=1)
        assert (stale["code"], stale["details"]["revision"], stale["details"]["status"]) == (
            *("task.stale", moved["task"]["version"]),
            "in_progress",
        )
        finished = await called(client, "masc_transition", **done, expected_version=moved["task"]["version"])
        assert finished["task"]["status"] == "done"
        history = await called(client, "masc_task_history", task_id="task-002")
        assert [event["event_type"].partition(".")[2] for event in history["events"]][-1] == "completed"

        await called(client, "masc_update_priority", task_id="task-003", priority=2)
        open_tasks = (await called(client, "masc_tasks"))["tasks"]
        assert [(task["id"], task["priority"]) for task in open_tasks] == [
            *(("task-003", 2), ("task-004", 3)),
            ("task-001", 3),
        ]
        assert [task["id"] for task in (await called(client, "masc_tasks", status="done"))["tasks"]] == ["task-002"]
        checks = await called(client, "masc_check", assertions=["joined", "task_claimed"])
        assert [one["passed"] for one in checks["assertions"]] == [True, False]
        assert "masc_claim_next" in checks["fix_hint"]
        assert (await called(client, "masc_workflow_guide"))["guidance"][0]["tool"] == "masc_claim_next"
        assert (await called(client, "masc_set_room"))["root"]
        assert (await called(client, HELP, tool_name="mcp__masc__masc_transition"))["required"] == ["action", "task_id"]
        assert (await called(client, "masc_heartbeat"))["renewed"]
        assert (await called(client, "masc_leave"))["agent_id"] == begun["agent_id"]
        gone = await refused(client, "masc_claim_next")
        assert gone["recovery"]["tool"] == "masc_join"
        assert (await called(client, "masc_join", agent_name="claude"))["agent_id"] == begun["agent_id"]


async def test_two_agents_of_one_type_and_who_is_who(tmp_path: Path) -> None:
    async with connected(tmp_path) as first, connected(tmp_path) as second:
        ann = await called(first, "masc_join", agent_name="claude", capabilities=["ocaml"])
        bob = await called(second, "masc_join", agent_name="claude")
        assert ann["kind"] == bob["kind"] == "claude"
        assert ann["agent_id"] != bob["agent_id"]
        agents = await called(first, "masc_agents", limit=1)
        assert (len(agents["agents"]), agents["count"]) == (1, 2)
        who = {agent["agent_id"]: agent for agent in (await called(first, "masc_who"))["agents"]}
        assert who[ann["agent_id"]]["interest_tags"] == ["ocaml"]

        for mine in ("claude", ann["name"], ann["agent_id"]):
            assert (await called(first, "masc_broadcast", agent_name=mine, message=f"as {mine}"))["recipients"] == 1
        told = await refused(first, "masc_broadcast", agent_name=bob["name"], message="in another's name")
        assert (told["code"], told["kind"]) == ("agent.mismatch", "permission_denied")
        assert ann["name"] in told["hint"]
        assert (await refused(first, "masc_join", agent_name=bob["name"]))["code"] == "agent.mismatch"

        sent = await called(first, "masc_broadcast", message=f"@{bob['name']} and @nobody, look", format="compact")
        assert (sent["mentioned"], sent["unknown_mentions"]) == ([bob["agent_id"]], ["@nobody"])
        read = await called(second, "masc_messages", limit=2)
        assert [one["seq"] for one in read["messages"]] == [read["messages"][0]["seq"], sent["seq"]]
        assert read["cursor"] == read["latest_seq"] == sent["seq"]
        assert [one["type"] for one in read["direct"]] == ["mention"]
        await called(first, "masc_broadcast", message="later")
        later = await called(second, "masc_messages", since_seq=read["cursor"])
        assert [one["content"] for one in later["messages"]] == ["later"]
        assert "direct" not in later
        assert (await called(second, "masc_status"))["attention"] == []


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_resources_and_prompts(tmp_path: Path, era: Era) -> None:
    async with connected(tmp_path, era) as client:
        listed = [str(one.uri) for one in (await client.list_resources()).resources]
        assert {"masc://status", "masc://status.json", "masc://schema", "masc://tool-help-index"} <= set(listed)
        for uri in listed:
            (content,) = (await client.read_resource(uri)).contents
            assert isinstance(content, TextResourceContents)
            assert content.text
            if uri.endswith(".json"):
                json.loads(content.text)
        (content,) = (await client.read_resource("masc://who.json")).contents
        assert isinstance(content, TextResourceContents)
        assert json.loads(content.text)["agents"] == []
        await called(client, "masc_add_task", title="one")
        for uri, says in (
            ("masc://tasks", "task-001"),
            ("masc://events?limit=1", "task.dispatched"),
            ("masc://tool-help/masc_join", "capabilities"),
            ("masc://messages?since_seq=3&limit=2", "since_seq="),
        ):
            (content,) = (await client.read_resource(uri)).contents
            assert isinstance(content, TextResourceContents)
            assert says in content.text
        assert len((await client.list_resource_templates()).resource_templates) == 3
        assert [one.name for one in (await client.list_prompts()).prompts] == ["tool_help", "command_truth"]
        assert "expected_version" in str(
            (await client.get_prompt("tool_help", {"tool_name": "masc_transition"})).messages
        )
        assert "masc_claim_next" in str((await client.get_prompt("command_truth")).messages)
        for wrong in ("masc://nothing", "masc://messages?since_seq=-1", "masc://tool-help/none", "file:///etc/passwd"):
            with pytest.raises(Exception, match=r"Resource not found|cannot be|not found"):
                await client.read_resource(wrong)


def test_a_task_goes_from_one_surface_to_the_other(tmp_path: Path) -> None:
    with Served(tmp_path, *options(tmp_path)) as masc, Served(tmp_path, *common(tmp_path, "mac")) as macp:
        macp.tool("macp_poll")
        task = masc.tool("masc_add_task", title="from masc", priority=2)["task"]
        assert macp.tool("macp_ext_claim_task", taskId=task["id"])["task"]["title"] == "from masc"
        (seen,) = masc.tool("masc_tasks")["tasks"]
        assert (seen["status"], seen["assignee"], seen["version"]) == ("claimed", "mac", 2)
        assert problem(masc.result(masc.begin("masc_claim_task", task_id=task["id"])))["kind"] == "conflict"

        given = macp.tool("macp_ext_dispatch_task", title="from macp", priority="P0")["task"]
        mine = masc.tool("masc_claim_task", task_id=given["number"])["task"]
        assert (mine["id"], mine["priority"], mine["status"]) == (given["number"], 1, "claimed")
        masc.tool("masc_complete_task", task_id=mine["id"], notes="All of it is done.")
        assert macp.tool("macp_ext_get_task", taskId=given["taskId"])["task"]["result"] == "All of it is done."

        macp.tool("macp_send_channel", content="to all")
        macp.tool("macp_send_direct", destinationAgentId=mine["assignee"], content="to you alone")
        read = masc.tool("masc_messages")
        assert [one["content"] for one in read["messages"]] == ["to all"]
        assert [one["content"] for one in read["direct"]] == ["to you alone"]
        masc.tool("masc_broadcast", message="@mac: thanks")
        assert [one["content"].rpartition(": ")[2] for one in macp.tool("macp_poll")["deliveries"]] == ["thanks"] * 2


def test_plans_in_mascs_words_and_under_both_of_its_names(tmp_path: Path) -> None:
    with Served(tmp_path, *options(tmp_path)) as masc:
        masc.tool("masc_start", task_title="Write the lexer")
        assert masc.tool("masc_plan_init", task_id="task-001")["created"]
        written = masc.tool("masc_run_plan", task_id="task-001", plan="1. Tokens.")["context"]
        assert (written["task_plan"], written["status"]) == ("1. Tokens.", "in_progress")
        stale = masc.result(
            masc.begin("masc_plan_update", task_id="task-001", content="x", expected_version=written["version"] - 1)
        )
        assert problem(stale)["code"] == "plan.stale"
        assert masc.tool("masc_note_add", task_id="task-001", note="one")["note_count"] == 1
        assert masc.tool("masc_run_log", task_id="task-001", note="two")["note_count"] == 2
        masc.tool("masc_error_add", task_id="task-001", error_type="test", message="1e5 fails")
        assert masc.tool("masc_error_resolve", task_id="task-001", error_index=0)["open_errors"] == 0
        masc.tool("masc_deliver", task_id="task-001", content="src/lexer.py")
        assert masc.tool("masc_set_current_task", task_id="task-001")["chosen"]
        plan = masc.tool("masc_plan_get")["context"]
        assert [note["note"] for note in plan["notes"]] == ["one", "two"]
        assert plan["errors"][0]["resolved"]
        assert plan["deliverable"] == "src/lexer.py"
        assert masc.tool("masc_run_get", task_id="task-001")["context"] == plan
        assert [one["task"] for one in masc.tool("masc_run_list")["plans"]] == ["task-001"]
        assert masc.tool("masc_plan_clear_task")["task"] == "task-001", "it is held, so it is the current one"


def test_other_names_and_what_is_refused(tmp_path: Path) -> None:
    with Served(tmp_path, *options(tmp_path)) as masc:
        assert masc.tool("masc_room_status")["you"]["joined"] is False
        assert masc.tool("masc_list_tasks")["tasks"] == []
        masc.tool("masc_start", room=".", task_title="one")
        assert masc.tool("masc_release_task", task_id="task-001", handoff_context={"summary": "half"})["changed"]
        (task,) = masc.tool("masc_tasks")["tasks"]
        assert task["handoff_context"]["summary"] == "half"
        assert masc.tool("masc_cancel_task", task_id="task-001", reason="enough")["task"]["status"] == "cancelled"
        wrong: list[tuple[str, dict[str, Any], str, str]] = [
            ("masc_transition", {"task_id": "x", "action": "done", "force": True}, "argument.unknown", "Nobody acts"),
            ("masc_transition", {"task_id": "x", "action": "finish"}, "argument.invalid", "Correct"),
            ("masc_add_task", {"title": "x", "priority": 9}, "argument.invalid", "Correct"),
            ("masc_add_task", {}, "argument.missing", "title"),
            ("masc_update_priority", {"task_id": "x"}, "argument.missing", "priority"),
            ("masc_start", {"path": ".", "room": "/"}, "argument.twice", "one of them"),
            ("masc_agents", {"limit": 0}, "argument.invalid", "Correct"),
            ("masc_join", {"agent_name": 7}, "argument.invalid", "session"),
            ("masc_set_room", {"path": "/"}, "project.other", "project"),
            (HELP, {"tool_name": "none"}, "tool.unknown", "masc_start"),
            (HELP, {}, "argument.missing", "tool_name"),
        ]
        for tool, arguments, code, hint in wrong:
            told = problem(masc.result(masc.begin(tool, **arguments)))
            assert (told["code"], hint in told["hint"]) == (code, True), told
        told = problem(masc.result(masc.begin("masc_update_priority", task_id="task-001", priority=0)))
        assert "level" not in told["message"]


def test_a_subscriber_hears_of_its_own_changes(tmp_path: Path) -> None:
    with Served(tmp_path, *options(tmp_path)) as masc:
        masc.ask(initialize("i"))
        assert masc.ask(request("s", "resources/subscribe", uri="masc://tasks.json"))["result"] == {}
        added = masc.begin("masc_add_task", title="one")
        heard = [masc.receive(), masc.receive()]  # the answer and the news come from two threads
        assert {one.get("id") for one in heard} == {added, None}
        assert [one["params"] for one in heard if "id" not in one] == [{"uri": "masc://tasks.json"}]
        masc.tool("masc_broadcast", message="hello")
        masc.ping()


def test_a_session_that_its_host_names_stays_that_agent(tmp_path: Path) -> None:
    host = {"CLAUDE_CODE_SESSION_ID": "0190d3f0-1111-7000-8000-00000000beef"}
    with Served(tmp_path, *options(tmp_path), env=host) as masc:
        joined = masc.tool("masc_join", agent_name="claude")
        assert (joined["agent_id"], joined["name"]) == (host["CLAUDE_CODE_SESSION_ID"], "claude-beef")
        assert masc.tool("masc_broadcast", agent_name="claude", message="hello")["seq"] > 0
    with Served(tmp_path, *options(tmp_path), "--agent-id", "dora") as masc:
        assert masc.tool("masc_start", agent_name="gemini")["agent_id"] == "dora"
