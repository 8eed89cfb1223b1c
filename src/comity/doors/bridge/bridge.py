"""``comity mcp --url``: the tools of a server elsewhere, for a host that speaks MCP over standard input and output.

Each line of the host is one message to the server's ``/mcp``, each message of the server one line to the host. The
session is the server's; when it is lost, as after a restart, another is opened the way the host opened the first, with
the same agent, and the host is told that what it follows may have changed. The token comes out of the environment.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any, BinaryIO

from comity.command_line import Command, parse, refuse
from comity.doors.bridge.answers import VERSION_KEY, header_text, problem_of, refusal
from comity.doors.bridge.link import Address, Http, HttpAnswer, Lost, drop
from comity.kernel.problem import Invalid, Problem, Unavailable
from comity.mcp import wire
from comity.setting_list import BY_NAME, Setting, told
from comity.settings import host_session

PATIENCE_S = 15.0  # for a server that is being started again
_FIRST_S, _MOST_S = 0.1, 2.0  # between two tries
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_ACCEPT = "application/json, text/event-stream"
COMMAND = Command(
    "comity mcp --url",
    """\
Serve the tools of a server elsewhere (`comity serve`) over standard input and output (MCP), for agent hosts that
know no other transport. The environment variable in brackets does the same as the option.""",
    (
        Setting("url", (), "", "The server: https://HOST:PORT.", kind=str, unit="URL"),
        Setting("token_env", (), "", "The environment variable that holds the token for it.", unit="NAME"),
        *(BY_NAME[name] for name in ("surface", "tools", "agent_id")),
    ),
    "comity mcp --url https://build:9200 --token-env COMITY_TOKEN",
)


def main(arguments: list[str]) -> int:
    """Run the bridge with these arguments; the exit code."""
    try:
        bridge = _bridge(arguments, os.environ)
    except Problem as problem:
        return refuse(problem)
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), _stop)
    try:
        bridge.run(sys.stdin.buffer)
    except (SystemExit, KeyboardInterrupt):
        pass
    finally:
        bridge.end()
        sys.stdout.flush()
    os._exit(0)  # threads may wait for answers that will not be read


def _stop(*_: object) -> None:
    raise SystemExit(0)


def _bridge(arguments: list[str], environ: Mapping[str, str]) -> Bridge:
    given = told(COMMAND.options, parse(COMMAND, arguments), environ, {})
    surface, tools = (given.get(name, BY_NAME[name].default) for name in ("surface", "tools"))
    address = Address(given.get("url", ""), surface if surface == "masc" or tools == "all" else tools)
    token = _token(given.get("token_env", ""), environ)
    if token and not address.secure and address.host not in ("127.0.0.1", "localhost", "::1"):
        sys.stderr.write(f"comity mcp: the token goes to {address.shown} in clear text; use https.\n")
    agent = given.get("agent_id") or ("" if token else host_session(environ)[0])
    return Bridge(Http(address), token, agent)


def _token(name: str, environ: Mapping[str, str]) -> str:
    if not name:
        return ""
    token = environ.get(name, "").strip()
    if not token:
        raise Invalid(
            "token.no_variable",
            f"The environment variable {name} holds no token.",
            f"Set it: export {name}=... with what `comity token create` printed on the server.",
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Invalid("token.malformed", f"What {name} holds is no token.", "Copy it anew; it begins with comity_.")
    return token


class Bridge:
    """One host's session with one server."""

    def __init__(self, http: Http, token: str, agent: str, out: BinaryIO | None = None) -> None:
        self._http = http
        self._token = token
        self._agent = agent
        self._out = out or sys.stdout.buffer
        self._writing = threading.Lock()
        self._opening = threading.Lock()
        self._over = threading.Event()
        self._session = ""
        self._version = ""
        self._opened: dict[str, Any] | None = None  # the host's initialize
        self._server: object = None
        self._subscribed: set[str] = set()
        self._running: dict[object, HTTPConnection] = {}
        self._cancelled: set[object] = set()
        self._seen = False  # the server has answered before
        self._listening = False

    def run(self, source: BinaryIO) -> None:
        """Forward lines until there are no more."""
        lines = wire.Lines()
        while chunk := os.read(source.fileno(), 1 << 16):
            for line in lines.feed(chunk):
                self._line(line)

    def end(self) -> None:
        """End the session at the server."""
        self._over.set()
        if self._session:
            try:
                self._http.ask("DELETE", self._headers(None)).close()
            except (Problem, Lost):
                return

    def _line(self, line: bytes | None) -> None:
        if line is None or not line.strip():
            return
        try:
            message = wire.decode(line)
        except wire.MalformedMessage as bad:
            self._write(wire.error(None, wire.PARSE_ERROR, str(bad)))
            return
        if not isinstance(message, dict):
            self._write(wire.error(None, wire.INVALID_REQUEST, "Send one message a line: batches are not taken."))
        elif wrong := _wrong(message):
            if "id" in message:  # to anything else there is no answer
                self._write(wire.error(None, wire.INVALID_REQUEST, wrong))
        elif "id" in message and "method" in message:
            begin = self._initialize if message["method"] == "initialize" else self._request
            threading.Thread(target=self._answered, args=(begin, message), daemon=True).start()
        else:
            self._notify(message)

    def _answered(self, work: Any, message: dict[str, Any]) -> None:
        """Run ``work``; whatever becomes of it, the host gets an answer, unless it wants none."""
        try:
            work(message)
        except Problem as problem:
            self._write(refusal(message, problem))
        except Lost:
            if message["id"] in self._cancelled:
                return
            lost = Unavailable(
                "server.lost",
                f"The connection to {self._http.address.shown} broke while the call ran.",
                "It may have been carried out: look first, then repeat it if need be.",
            )
            self._write(refusal(message, lost))
        finally:
            self._running.pop(message["id"], None)
            self._cancelled.discard(message["id"])

    # -- what the host sends

    def _initialize(self, message: dict[str, Any]) -> None:
        with self._opening:
            self._opened = message
            answer = self._open()
        self._write(wire.encode(answer))

    def _open(self) -> dict[str, Any]:
        """Open a session as the host asked; the server's answer. Raises Problem and Lost."""
        assert self._opened is not None, "the host has opened a session"
        answer = self._patiently(self._opened)  # meanwhile other requests go on with the old session, and are refused
        found = self._read(answer, self._opened["id"])
        result = found.get("result")
        if isinstance(result, dict):
            self._session = answer.header("mcp-session-id")
            self._version = str(result.get("protocolVersion", ""))
            self._server = result.get("serverInfo")
        return found

    def _request(self, message: dict[str, Any]) -> None:
        session = self._session
        answer = self._patiently(message)
        if answer.status == 404 and session and self._opened is not None:
            answer.body()
            self._renew(session)
            answer = self._patiently(message)
        if message["method"] in ("resources/subscribe", "resources/unsubscribe"):
            self._note(message)
        self._write(wire.encode(self._read(answer, message["id"])))

    def _note(self, message: dict[str, Any]) -> None:
        uri = str((message.get("params") or {}).get("uri"))
        (self._subscribed.add if message["method"].endswith("/subscribe") else self._subscribed.discard)(uri)

    def _notify(self, message: dict[str, Any]) -> None:
        if message.get("method") == "notifications/cancelled":
            request_id = (message.get("params") or {}).get("requestId")
            if not wire.is_id(request_id):
                return
            running = self._running.get(request_id)
            if running is not None and not self._session:
                self._cancelled.add(request_id)
                drop(running)  # without a session, that is how a call is cancelled
                return
        try:
            self._http.ask("POST", self._headers(message), wire.encode(message)).body()
        except (Problem, Lost) as error:
            sys.stderr.write(f"comity mcp: a notification was not sent: {error}\n")
        if message.get("method") == "notifications/initialized" and not self._listening:
            self._listening = True
            threading.Thread(target=self._listen, daemon=True).start()

    # -- the session

    def _renew(self, lost: str) -> None:
        """Open another session in the place of one that the server has no more. Raises Problem and Lost."""
        with self._opening:
            if self._session != lost:
                return
            before = self._server
            self._open()
            self._tell("notifications/initialized")
            for uri in sorted(self._subscribed):
                self._tell("resources/subscribe", {"uri": uri}, f"comity-{uri}")
        if self._server != before:
            self._write(wire.notification("notifications/tools/list_changed", {}))
        for uri in sorted(self._subscribed):
            self._write(wire.notification("notifications/resources/updated", {"uri": uri}))

    def _tell(self, method: str, params: dict[str, Any] | None = None, request_id: str = "") -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params or {}}
        if request_id:
            message["id"] = request_id
        self._http.ask("POST", self._headers(message), wire.encode(message)).body()

    def _listen(self) -> None:
        """Forward what the server sends by itself, on one stream after another."""
        last, heard, pause = "", "", _FIRST_S
        while not self._over.is_set():
            with self._opening:
                session = self._session
            last = last if session == heard else ""
            heard = session
            headers = {
                **self._headers(None),
                "accept": "text/event-stream",
                **({"last-event-id": last} if last else {}),
            }
            try:
                answer = self._http.ask("GET", headers)
                if answer.status == 404:
                    answer.body()
                    self._renew(session)
                elif answer.status == 405:
                    answer.close()
                    return  # this server has no such stream
                elif answer.status != 200:
                    answer.body()
                    pause = min(pause * 2, _MOST_S)
                else:
                    pause = _FIRST_S
                    for event_id, data in answer.events():
                        last = event_id or last
                        self._forward(data)
            except (Problem, Lost):
                pause = min(pause * 2, _MOST_S)
            self._over.wait(pause)

    # -- the wire

    def _patiently(self, message: dict[str, Any]) -> HttpAnswer:
        """Send a request; a server that is being started again is waited for. Raises Problem and Lost."""
        waited, pause = 0.0, _FIRST_S

        def sending(connection: HTTPConnection) -> None:
            self._running[message["id"]] = connection

        while True:
            try:
                answer = self._http.ask("POST", self._headers(message), wire.encode(message), sending)
            except Unavailable as problem:
                if not self._seen or waited >= PATIENCE_S or problem.reason != "server.unreachable":
                    raise
            else:
                self._seen = True
                if answer.status != 503 or waited >= PATIENCE_S:
                    self._agent = self._agent or answer.header("x-comity-agent")
                    return answer
                answer.body()
            self._over.wait(pause)
            waited, pause = waited + pause, min(pause * 2, _MOST_S)

    def _read(self, answer: HttpAnswer, request_id: object) -> dict[str, Any]:
        """The answer to a request; what comes before it on its stream is forwarded. Raises Problem and Lost."""
        if answer.media == "text/event-stream":
            return self._read_stream(answer, request_id)
        body = answer.body()
        try:
            found = wire.decode(body)
        except wire.MalformedMessage:
            found = None
        if isinstance(found, dict) and ("result" in found or "error" in found):
            return {**found, "id": request_id}
        raise problem_of(answer.status, found if isinstance(found, dict) else {}, self._http.address.shown)

    def _read_stream(self, answer: HttpAnswer, request_id: object) -> dict[str, Any]:
        last = ""
        while True:
            try:
                for event_id, data in answer.events():
                    last = event_id or last
                    found = self._forward(data, request_id)
                    if found is not None:
                        return found
            except Lost:
                if not last:
                    raise
            if not last:
                raise Lost("the stream ended before the answer")
            headers = {**self._headers(None), "accept": "text/event-stream", "last-event-id": last}
            answer = self._http.ask("GET", headers)
            if answer.status != 200:
                answer.body()
                raise Lost("the stream is gone")

    def _forward(self, data: str, request_id: object = None) -> dict[str, Any] | None:
        """Hand a message to the host, except for the answer to ``request_id``."""
        if not data.strip():
            return None
        try:
            message = wire.decode(wire.to_bytes(data))
        except wire.MalformedMessage:
            return None
        own = request_id is not None and isinstance(message, dict) and "method" not in message
        if own and message.get("id") == request_id:
            answer: dict[str, Any] = message
            return answer
        self._write(wire.encode(message))
        return None

    def _headers(self, message: dict[str, Any] | None) -> dict[str, str]:
        headers = {"accept": _ACCEPT, "user-agent": "comity-mcp"}
        if message is not None:
            headers["content-type"] = "application/json"
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        if self._agent:
            headers["x-comity-agent"] = self._agent
        params = (message or {}).get("params")
        params = params if isinstance(params, dict) else {}
        meta = params.get("_meta")
        version = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
        session = "" if message is not None and message.get("method") == "initialize" else self._session
        if message is not None and isinstance(version, str) and not session:
            headers |= {"mcp-protocol-version": version, "mcp-method": str(message.get("method"))}
            key = _NAMED.get(str(message.get("method")))
            if key:
                headers["mcp-name"] = header_text(str(params.get(key)))
        elif session:
            headers["mcp-session-id"] = session
            headers["mcp-protocol-version"] = self._version
        return headers

    def _write(self, line: bytes) -> None:
        with self._writing:
            try:
                self._out.write(line + b"\n")
                self._out.flush()
            except (OSError, ValueError):
                self._over.set()


def _wrong(message: dict[str, Any]) -> str:
    """What keeps this from being a message that can be forwarded and answered; empty when nothing does."""
    if "method" in message and "id" in message and not wire.is_id(message["id"]):
        return "A request id is a string or an integer; without one, leave it out."
    if "method" in message and not wire.is_text(message["method"]):
        return 'A message has a "method".'
    return "" if isinstance(message.get("params") or {}, dict) else "params must be an object."
