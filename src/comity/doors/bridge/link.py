"""The bridge's half of the wire: requests to one server with the standard library, and the events of a stream.

One connection for each request that is under way; those that are done are kept for the next. No proxy is used, and no
redirect is followed: the token goes to the server that the user named.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from comity.kernel.problem import Invalid, Unavailable

CONNECT_S = 10.0
QUIET_S = 90.0  # without a byte, after which a connection counts as lost; the server pings far more often
_MOST_IDLE = 8
_MOST_LINE = 32 * 1024 * 1024


Sending = Callable[[HTTPConnection], None]


class Lost(Exception):
    """The connection broke after the request was sent."""


class Address:
    """Where the server is. Raises Invalid for what is no address of one."""

    def __init__(self, url: str, tools: str) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
            raise Invalid(
                "url.invalid", f"{url[:200]} is no address of a server.", "Write --url https://HOST:PORT, no more."
            )
        try:
            port = parts.port
        except ValueError:
            raise Invalid("url.invalid", f"{url[:200]} has no port that there is.", "Ports go up to 65535.") from None
        self.secure = parts.scheme == "https"
        self.host = parts.hostname
        self.port = port or (443 if self.secure else 80)
        path = "/mcp" if parts.path in ("", "/") else parts.path
        query = parts.query or (f"tools={tools}" if path == "/mcp" and tools else "")
        self.target = f"{path}?{query}" if query else path
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.shown = f"{parts.scheme}://{host}:{self.port}"


class HttpAnswer:
    """One HTTP answer, its body still to be read."""

    def __init__(self, wire: Http, connection: HTTPConnection, response: HTTPResponse) -> None:
        self._wire = wire
        self._connection = connection
        self._response = response
        self.status = response.status
        self.media = (response.getheader("content-type") or "").partition(";")[0].strip().lower()

    def header(self, name: str) -> str:
        """One header; empty when there is none."""
        return self._response.getheader(name) or ""

    def body(self) -> bytes:
        """The whole body. Raises Lost."""
        try:
            body = self._response.read()
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise Lost(str(error)) from None
        self._wire.give(self._connection, self._response)
        return body

    def events(self) -> Iterator[tuple[str, str]]:
        """Id and data of each server-sent event, to the end of the stream. Raises Lost."""
        event_id, name, data = "", "message", list[str]()
        try:
            while line := self._response.readline(_MOST_LINE):
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                if text:
                    field, _, value = text.partition(":")
                    value = value.removeprefix(" ")
                    if field == "id":
                        event_id = value
                    elif field == "event":
                        name = value
                    elif field == "data":
                        data.append(value)
                elif data:
                    if name == "message":
                        yield event_id, "\n".join(data)
                    event_id, name, data = "", "message", []
        except (OSError, HTTPException, ValueError, AttributeError) as error:
            raise Lost(str(error)) from None
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the connection, also while another thread reads from it."""
        drop(self._connection)


class Http:
    """Connections to one server. Thread-safe."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._context = ssl.create_default_context() if address.secure else None
        self._idle: list[HTTPConnection] = []
        self._lock = threading.Lock()

    def ask(
        self, method: str, headers: Mapping[str, str], body: bytes | None = None, sending: Sending | None = None
    ) -> HttpAnswer:
        """Send one request and read the head of its answer. ``sending`` hears on which connection.

        Raises Unavailable ``server.unreachable`` when nothing was sent, Lost when it may have arrived.
        """
        connection = self._kept() or self._connect()
        if sending is not None:
            sending(connection)
        return self._send(connection, method, headers, body)

    def _kept(self) -> HTTPConnection | None:
        """An idle connection that the server has not closed."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.sock is not None and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            drop(connection)

    def _connect(self) -> HTTPConnection:
        host, port = self.address.host, self.address.port
        connection = (
            HTTPConnection(host, port, timeout=CONNECT_S)
            if self._context is None
            else HTTPSConnection(host, port, timeout=CONNECT_S, context=self._context)
        )
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(
                "server.untrusted",
                f"The certificate of {self.address.shown} is not trusted: {error.verify_message}.",
                "Name its authority in SSL_CERT_FILE, or use the name that the certificate is for.",
            ) from None
        except OSError as error:
            raise Unavailable(
                "server.unreachable",
                f"No server answers at {self.address.shown}: {error.strerror or error}.",
                "Start it there with `comity serve`, or correct --url.",
            ) from None
        connection.sock.settimeout(QUIET_S)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _send(
        self, connection: HTTPConnection, method: str, headers: Mapping[str, str], body: bytes | None
    ) -> HttpAnswer:
        try:
            connection.request(method, self.address.target, body=body, headers=dict(headers))
            return HttpAnswer(self, connection, connection.getresponse())
        except (OSError, HTTPException, ValueError, AttributeError) as error:
            raise Lost(str(error)) from None

    def give(self, connection: HTTPConnection, response: HTTPResponse) -> None:
        """A connection whose answer was read to its end."""
        with self._lock:
            if not response.will_close and connection.sock is not None and len(self._idle) < _MOST_IDLE:
                self._idle.append(connection)
                return
        drop(connection)


def drop(connection: HTTPConnection) -> None:
    """Close a connection; its reader sees the end."""
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):  # the other side was faster
            sock.shutdown(socket.SHUT_RDWR)
    connection.close()
