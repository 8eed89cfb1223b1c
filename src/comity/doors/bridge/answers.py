"""Answers of the bridge itself: Problems in the place of answers that do not come; and headers out of messages."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from comity.kernel.problem import Internal, Invalid, Problem, Unauthenticated, Unavailable
from comity.mcp import wire

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_CODE = -32000


def header_text(value: str) -> str:
    """A value as MCP wants it in a header: in base64 when a header cannot hold it."""
    if value.isascii() and value.isprintable() and value == value.strip() and not value.startswith("=?"):
        return value
    return f"=?base64?{b64encode(value.encode()).decode()}?="


def problem_of(status: int, body: dict[str, Any], where: str) -> Problem:
    """What an answer that is no JSON-RPC means."""
    told = str(body.get("title") or body.get("message") or f"{where} answered with HTTP status {status}.")[:1000]
    hint = str(body.get("hint") or "")
    if status in (401, 403):
        create = "Make a token on the server with `comity token create`, and name its variable with --token-env."
        return Unauthenticated(str(body.get("reason") or "server.unauthorised"), told, hint or create)
    if status == 503:
        return Unavailable(str(body.get("reason") or "server.busy"), told, hint or "Try again in a minute.")
    if status == 404:
        return Invalid("server.no_mcp", f"There is no MCP at {where}.", "Is --url the address of `comity serve`?")
    return Internal(str(body.get("reason") or "server.answer"), told, hint or "Is --url the address of `comity serve`?")


def refusal(message: dict[str, Any], problem: Problem) -> bytes:
    """A Problem as the answer to a request: in a tool's result, where the model reads it, else as an error."""
    if message["method"] == "tools/call":
        text = wire.pretty({"reason": problem.reason, "message": problem.message, "hint": problem.hint})
        result: dict[str, Any] = {"content": [{"type": "text", "text": text}], "isError": True}
        meta = (message.get("params") or {}).get("_meta")
        if isinstance(meta, dict) and VERSION_KEY in meta:
            result["resultType"] = "complete"
        return wire.encode({"jsonrpc": "2.0", "id": message["id"], "result": result})
    data = {"reason": problem.reason, "hint": problem.hint}
    return wire.error(message["id"], _CODE, f"{problem.message} {problem.hint}", data)
