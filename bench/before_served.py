"""This version's server and an earlier one's in turn: blocks of requests over one connection to each.

``BEFORE`` names the commit, as in ``before``. Both servers stand on repositories of their own and are asked by the same
bare client: a REST read and a broadcast by an agent that names itself, the same with a token, and ``masc_status`` and
``masc_broadcast`` in an MCP session.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.before import NAMED, both, compared
from bench.figures import Figure, Options
from bench.served import free_port

_JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
_START_S = 30.0


def measure(options: Options) -> list[Figure]:
    """Bar: at most 1.05 of before, each."""
    with both(options, _Side) as sides:
        rounds, figures = options.size(61, 5), []
        for what in sides[0].works:
            figures += compared(what, rounds, [side.works[what] for side in sides])
        return figures


class _Side:
    """One version's server, and what it is asked."""

    def __init__(self, sources: Path, folder: Path) -> None:
        folder.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NAMED)}
        unbounded = {"COMITY_MAX_PER_MINUTE": "0", "COMITY_REPEAT_S": "0", "COMITY_MAX_HOPS": "0"}
        environment = kept | unbounded | {"HOME": str(folder), "PYTHONPATH": str(sources)}
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        program, port = [sys.executable, "-m", "comity"], free_port()
        make = [*program, "token", "create", "--role", "worker", "--agent", "tess", "--json"]
        made = subprocess.run(make, cwd=folder, env=environment, check=True, capture_output=True, text=True)
        self._process = subprocess.Popen(
            [*program, "serve", "--port", str(port)], cwd=folder, env=environment, stderr=subprocess.DEVNULL
        )
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._wait()
        named = {"x-comity-agent": "ann"}
        token = {"authorization": f"Bearer {json.loads(made.stdout)['secret']}"}
        session = self._session()
        told = {"content": "The lexer is done; the parser is next."}
        self.works: dict[str, Callable[[], float]] = {
            "100 REST reads by a name": partial(self._get, "/api/v1/agent.list", named),
            "100 REST reads with a token": partial(self._get, "/api/v1/agent.list", token),
            "40 REST broadcasts by a name": partial(self._post, "/api/v1/message.broadcast", told, named),
            "100 masc_status": partial(self._tool, session, "masc_status", {}, 100),
            "40 masc_broadcast": partial(self._tool, session, "masc_broadcast", {"message": told["content"]}, 40),
        }

    def close(self) -> None:
        """End the server."""
        self._http.close()
        self._process.terminate()
        self._process.wait(30)

    def _wait(self) -> None:
        end = time.monotonic() + _START_S
        while time.monotonic() < end:
            try:
                if self._ask("GET", "/health/ready", None, {})[0] == http.client.OK:
                    return
            except OSError:
                self._http.close()
            time.sleep(0.05)
        raise SystemExit("the server did not start")

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes, Any]:
        self._http.request(method, path, body, headers)
        answer = self._http.getresponse()
        return answer.status, answer.read(), answer.headers

    def _get(self, path: str, headers: dict[str, str]) -> float:
        began = time.perf_counter()
        for _ in range(100):
            status, body, _ = self._ask("GET", path, None, headers)
            assert status == http.client.OK, body
        return time.perf_counter() - began

    def _post(self, path: str, value: object, headers: dict[str, str]) -> float:
        body, told = json.dumps(value).encode(), _JSON | headers
        began = time.perf_counter()
        for _ in range(40):
            status, answer, _ = self._ask("POST", path, body, told)
            assert status == http.client.OK, answer
        return time.perf_counter() - began

    def _session(self) -> dict[str, str]:
        hello = {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        }
        request = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}
        status, body, headers = self._ask("POST", "/mcp", json.dumps(request).encode(), _JSON)
        assert status == http.client.OK, body
        return _JSON | {"mcp-session-id": headers["mcp-session-id"]}

    def _tool(self, session: dict[str, str], name: str, arguments: dict[str, Any], times: int) -> float:
        began = time.perf_counter()
        for number in range(times):
            params = {"name": name, "arguments": arguments}
            request = {"jsonrpc": "2.0", "id": number + 1, "method": "tools/call", "params": params}
            status, body, _ = self._ask("POST", "/mcp", json.dumps(request).encode(), session)
            assert status == http.client.OK, body
            assert b'"isError":true' not in body, body
        return time.perf_counter() - began
