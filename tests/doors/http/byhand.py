"""Speaking MCP over HTTP by hand, where every header and byte counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from tests.doors.http.running import Server, comity

TIMEOUT_S = 30.0
VERSION = "2025-11-25"
ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


def token(server: Server, *options: str) -> dict[str, str]:
    """The header with a new token."""
    made = comity(server.folder, "token", "create", *options, "--json")
    assert made.returncode == 0, made.stderr
    return {"authorization": f"Bearer {json.loads(made.stdout)['secret']}"}


class Speaker:
    """One session by hand."""

    def __init__(
        self,
        server: Server,
        path: str = "/mcp",
        headers: dict[str, str] | None = None,
        version: str = VERSION,
        client: str = "by-hand",
    ) -> None:
        self.path = path
        self.http = httpx2.Client(base_url=server.url, headers=headers, timeout=TIMEOUT_S)
        asked = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": client, "version": "1"}}
        self.own: dict[str, str] = {}
        self.opened = self.post("initialize", asked)
        if self.opened.status_code == 200:
            self.own = {"mcp-session-id": self.opened.headers["mcp-session-id"], "mcp-protocol-version": version}
            self.notify("notifications/initialized")

    def post(self, method: str, params: Any = None, number: int | str = 1, **headers: str) -> httpx2.Response:
        """One request."""
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}
        return self.http.post(self.path, json=body, headers={**ACCEPT, **self.own, **headers})

    def notify(self, method: str, **params: Any) -> httpx2.Response:
        """One notification."""
        body = {"jsonrpc": "2.0", "method": method, "params": params}
        return self.http.post(self.path, json=body, headers={**ACCEPT, **self.own})

    def call(self, name: str, number: int | str = 1, **arguments: Any) -> Any:
        """A tool's result."""
        answer = self.post("tools/call", {"name": name, "arguments": arguments}, number)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    @contextmanager
    def calling(self, name: str, number: int | str, **arguments: Any) -> Iterator[httpx2.Response]:
        """A tool call whose answer comes as a stream."""
        params = {"name": name, "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
        with self.http.stream("POST", self.path, json=body, headers={**ACCEPT, **self.own}) as answer:
            yield answer

    @contextmanager
    def listening(self, last: str = "", path: str = "") -> Iterator[httpx2.Response]:
        """A stream by GET."""
        headers = {"accept": "text/event-stream", **self.own, **({"last-event-id": last} if last else {})}
        with self.http.stream("GET", path or self.path, headers=headers) as answer:
            yield answer

    def close(self) -> None:
        """Leave without a word."""
        self.http.close()


Speak = Callable[..., Speaker]


class Event(dict[str, str]):
    """One server-sent event by its fields."""

    @property
    def message(self) -> dict[str, Any]:
        """Its data."""
        found: dict[str, Any] = json.loads(self["data"])
        return found


def events(answer: httpx2.Response) -> Iterator[Event]:
    """The events of a stream as they come; comments are left out."""
    found = Event()
    for line in answer.iter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(":")
            found[name] = value.strip()
        elif not line and found:
            yield found
            found = Event()
