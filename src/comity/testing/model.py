"""A model that answers from a script, for programs that want one over the network: agent hosts, offline.

>>> with ScriptedModel([Use("read", {"filePath": "a.py"}), Say("Done.")]) as model:
...     model.url.startswith("http://127.0.0.1:")
True

One server speaks the four formats of ``comity.testing.wires``, each at its provider's own paths below ``url``. It
records every request, so that a test can look at what an agent's context held.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from comity.kernel.named_tuple import NamedTuple
from comity.testing.wires import ConversationPart, Json, Say, Use, Wire, wire_of

Step = Say | Use | tuple[Say | Use, ...]  # several together are one batch


class ModelRequest(NamedTuple):
    """What a host asked of the model. ``number`` counts the requests that offer tools, from 0."""

    number: int
    wire: str
    path: str
    model: str
    tools: tuple[str, ...]
    parts: tuple[ConversationPart, ...]
    body: Json

    @property
    def text(self) -> str:
        """Everything in it."""
        return "\n".join(part.text for part in self.parts)

    @property
    def news(self) -> str:
        """What came since the model spoke last: results of tools, the user's words, what hooks injected."""
        said = [place for place, part in enumerate(self.parts) if part.who == "model"]
        return "\n".join(part.text for part in self.parts[(said[-1] + 1 if said else 0) :])


Script = Callable[[ModelRequest], Step]


class ScriptedModel:
    """A server on this machine's loopback interface. ``script`` is a list of steps or a function of the request.

    A list is gone through once, and then the model says "Done."; a function may look at the request, and may wait for
    something to happen. Hosts also ask for titles and the like: requests without tools, recorded in ``asides`` and
    answered with ``aside``.
    """

    def __init__(self, script: Script | Iterable[Step], *, aside: str = "{}") -> None:
        steps = None if callable(script) else iter(list(script))
        self._script: Script = script if callable(script) else lambda _: next(steps, Say("Done."))  # type: ignore[arg-type]
        self._aside = aside
        self.requests: list[ModelRequest] = []
        self.asides: list[ModelRequest] = []
        self.unknown: list[str] = []  # paths that no format knows
        self.errors: list[Exception] = []  # raised by the script
        self._answers = 0
        self._lock = threading.Lock()
        self._server = _ModelServer(("127.0.0.1", 0), _Handler)
        self._server.model = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, wire: Wire, path: str, body: Json) -> tuple[str, tuple[Say | Use, ...], str]:
        """The model's name, what it does, and the answer's id."""
        tools, parts = tuple(wire.tools(body)), tuple(wire.parts(body))
        name = str(body.get("model") or path.rpartition("/")[2].partition(":")[0])
        with self._lock:
            kept = self.requests if tools else self.asides
            request = ModelRequest(len(kept), wire.name, path, name, tools, parts, body)
            kept.append(request)
            self._answers += 1
            answer_id = f"{self._answers:06d}"
        step = self._step(request) if tools else Say(self._aside)
        return name, (step,) if isinstance(step, Say | Use) else step, answer_id

    def _step(self, request: ModelRequest) -> Step:
        try:
            return self._script(request)
        except Exception as error:  # noqa: BLE001 (the test looks at it; the host gets an answer)
            self.errors.append(error)
            return Say(f"The script failed: {error!r}")

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _ModelServer(ThreadingHTTPServer):
    daemon_threads = True
    model: ScriptedModel

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A host that is gone before its answer is no failure."""


class _Handler(BaseHTTPRequestHandler):
    server: _ModelServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        data = self._body()
        wire = wire_of(path)
        if wire is None:
            self.server.model.unknown.append(f"POST {path}")
            self._send({"input_tokens": 100, "totalTokens": 100})  # two providers count tokens this way
            return
        body = json.loads(data)
        model, step, answer_id = self.server.model.answer(wire, path, body)
        if body.get("stream") or path.endswith(":streamGenerateContent"):
            self._begin("text/event-stream")
            for event in wire.stream(model, step, answer_id):
                self._put(event)
            self._chunk(b"")
        else:
            self._send(wire.whole(model, step, answer_id))

    def do_GET(self) -> None:
        self.server.model.unknown.append(f"GET {self.path}")
        self._send({"object": "list", "data": [], "models": []})

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _put(self, event: Json | str) -> None:
        """One server-sent event; named when its format names events."""
        text = event if isinstance(event, str) else json.dumps(event)
        name = event.get("type") if isinstance(event, dict) else None
        self._chunk((f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _send(self, answer: Json) -> None:
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
