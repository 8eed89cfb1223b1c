"""The scripted model over HTTP, in each of its formats."""

import json
import urllib.request
from typing import Any

import pytest

from comity.testing import ModelRequest, Say, ScriptedModel, Step, Use

CALL = {"path": "a.py"}
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "/v1/messages": (
        {"stream": True, "tools": [{"name": "read"}], "messages": [{"role": "user", "content": "Go."}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "read", "input": CALL}]},
        {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "found"}]}]},
        "messages",
    ),
    "/v1/responses": (
        {
            "stream": True,
            "tools": [{"type": "function", "name": "read"}],
            "input": [{"role": "user", "content": "Go."}],
        },
        {"type": "function_call", "name": "read", "arguments": json.dumps(CALL)},
        {"type": "function_call_output", "output": "found"},
        "input",
    ),
    "/v1/chat/completions": (
        {
            "stream": True,
            "tools": [{"type": "function", "function": {"name": "read"}}],
            "messages": [{"role": "user", "content": "Go."}],
        },
        {"role": "assistant", "tool_calls": [{"function": {"name": "read", "arguments": json.dumps(CALL)}}]},
        {"role": "tool", "content": "found"},
        "messages",
    ),
    "/v1beta/models/m:streamGenerateContent?alt=sse": (
        {
            "tools": [{"functionDeclarations": [{"name": "read"}]}],
            "contents": [{"role": "user", "parts": [{"text": "Go."}]}],
        },
        {"role": "model", "parts": [{"functionCall": {"name": "read", "args": CALL}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "read", "response": {"output": "found"}}}]},
        "contents",
    ),
}


def post(url: str, body: dict[str, Any]) -> str:
    data = json.dumps(body).encode()
    asked = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.parametrize("path", ASKED)
def test_a_script_is_answered_and_what_was_asked_is_known(path: str) -> None:
    body, call, result, turns = ASKED[path]

    def script(request: ModelRequest) -> Step:
        return (Use("read", CALL), Use("read", {"path": "b.py"})) if not request.number else Say("Done with it.")

    with ScriptedModel(script) as model:
        first = post(model.url + path, body)
        second = post(model.url + path, {**body, turns: [*body[turns], call, result]})
        post(model.url + path, {turns: body[turns], "stream": True})
    assert "a.py" in first
    assert "b.py" in first
    assert all(json.loads(line[6:]) for line in first.splitlines() if line.startswith("data: {"))
    assert "Done with it." in second
    assert [request.news for request in model.requests] == ["Go.", "found"]
    assert model.requests[1].tools == ("read",)
    assert [part.tool for part in model.requests[1].parts if part.who == "model"] == ["read"]
    assert json.loads(model.requests[1].parts[-2].text) == CALL
    assert len(model.asides) == 1
    assert (model.errors, model.unknown) == ([], [])
