"""Somebody without a name on an open server: may look at whatever there is to see, and never makes it fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comity.doors.http.routes import table
from comity.kernel.record import camel
from comity.kernel.registry import AnyOp
from comity.rooms import REGISTRY
from tests.doors.http.byhand import Speak
from tests.doors.http.running import Server

READS = [op for op in REGISTRY if op.effect == "read"]


def in_a_query(value: Any) -> Any:
    if isinstance(value, bool | dict):
        return json.dumps(value)
    return value


@pytest.mark.parametrize("op", READS, ids=lambda op: op.name)
def test_no_read_fails_for_want_of_a_name(server: Server, op: AnyOp) -> None:
    query = {camel(key): in_a_query(value) for key, value in op.example.items() if key != "wait_ms"}
    told = server.get(f"/api/v1/{op.name}", params=query)
    assert told.status_code in (200, 401, 403, 404), told.text
    if told.status_code != 200:
        assert told.json()["hint"]


def test_nobody_has_no_situation(server: Server) -> None:
    told = server.get("/api/v1/agent.context")
    assert (told.status_code, told.json()["reason"]) == (401, "agent.unnamed")
    assert told.headers["www-authenticate"] == "Bearer"


def test_no_address_fails_for_want_of_a_name(server: Server) -> None:
    for route in table().routes:
        if route.method == "GET" and route.answer is not None:
            told = server.get(route.path)
            assert told.status_code < 500, (route.path, told.text)
    assert not [line for line in server.said if "Traceback" in line]


def test_no_tool_that_reads_fails_for_want_of_a_name(server: Server, speak: Speak) -> None:
    speaker = speak(server, "/mcp?tools=all")
    assert speaker.opened.status_code == 200, speaker.opened.text
    tools = speaker.post("tools/list").json()["result"]["tools"]
    reading = [tool["name"] for tool in tools if (tool.get("annotations") or {}).get("readOnlyHint")]
    assert len(reading) > 5
    for name in reading:
        told = speaker.post("tools/call", {"name": name, "arguments": {}})
        assert told.status_code == 200, (name, told.text)
        assert "error" not in told.json(), (name, told.text)
        assert "internal" not in told.text.lower(), (name, told.text)
    assert not [line for line in server.said if "Traceback" in line]


@pytest.mark.parametrize("headers", [{}, {"x-comity-agent": "somebody"}], ids=["nobody", "somebody"])
def test_which_folders_the_machine_has_is_nobodys_business(server: Server, headers: dict[str, str]) -> None:
    inside, outside = server.folder / "inside", server.folder.parent
    inside.mkdir(exist_ok=True)

    def place(path: str) -> tuple[int, dict[str, Any]]:
        told = server.get("/api/v1/workspace.place", params={"path": path}, headers=headers)
        body = told.json()
        return told.status_code, {key: body.get(key) for key in ("same", "reason", "hint")}

    assert place("inside") == place(str(inside)) == (200, {"same": True, "reason": None, "hint": None})
    assert place("nothing-there")[1]["reason"] == "path.unknown"
    elsewhere = (
        "/etc",
        "/nothing",
        "~",
        "~root",
        "~root/.ssh",
        "~nobody-such",
        str(outside),
        f"{outside}/nothing",
        "..",
    )
    answers = [place(path) for path in elsewhere]
    assert answers == [answers[0]] * len(elsewhere)
    assert (answers[0][0], answers[0][1]["reason"]) == (409, "project.other")
