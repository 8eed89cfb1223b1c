"""JSON-RPC 2.0 on bytes: one message per line, hostile lines included.

Authoritative: JSON-RPC 2.0 and the stdio transport of MCP (2024-11-05 to 2026-07-28): UTF-8, one message
per line, no newline inside a message. What can go wrong: a peer sends lines that are no JSON, no UTF-8, too
deep or too long. Each is a `MalformedMessage` with a sentence; none of them ends the connection.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from comity.kernel.quoting import escaped

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
UNSUPPORTED_PROTOCOL_VERSION = -32022  # MCP 2026-07-28, "Error Codes"

MAX_LINE_BYTES = 16 * 1024 * 1024


class MalformedMessage(ValueError):
    """A line that is no message. The text says why and is safe to send back."""


class Lines:
    """Cuts a byte stream into lines and never holds more than ``limit_bytes`` of an unfinished one.

    A longer line is reported once, as None, as soon as it is too long; the rest of it is thrown away and
    the next line is read as usual.
    """

    __slots__ = ("_discarding", "_limit", "_parts", "_size")

    def __init__(self, limit_bytes: int = MAX_LINE_BYTES) -> None:
        self._limit = limit_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._discarding = False

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """The lines that ``chunk`` completes, without their newline; None for one that is too long."""
        *complete, rest = chunk.split(b"\n")
        for piece in complete:
            line = self._take(piece)
            if self._discarding:
                self._discarding = False
            else:
                yield line
        if rest and not self._discarding:
            self._parts.append(rest)
            self._size += len(rest)
            if self._size > self._limit:
                self._drop()
                self._discarding = True
                yield None

    def flush(self) -> bytes:
        """What came after the last newline, at the end of the input."""
        return self._take(b"") or b""

    def _take(self, piece: bytes) -> bytes | None:
        size = self._size + len(piece)
        if not self._parts:
            return piece if size <= self._limit else None
        self._parts.append(piece)
        line = b"".join(self._parts) if size <= self._limit else None
        self._drop()
        return line

    def _drop(self) -> None:
        self._parts.clear()
        self._size = 0


def decode(line: bytes) -> Any:
    """The JSON value in one line. Raises MalformedMessage."""
    try:
        return _DECODER.decode(line.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as bad:
        raise MalformedMessage(f"The line is not UTF-8 (byte {bad.start}).") from None
    except RecursionError:
        raise MalformedMessage("The line is nested too deeply.") from None
    except json.JSONDecodeError as bad:
        raise MalformedMessage(f"The line is not JSON: {bad.msg} (character {bad.pos}).") from None
    except ValueError:  # a number with thousands of digits, or NaN
        raise MalformedMessage("The line holds a number that JSON does not allow.") from None


def encode(value: object) -> bytes:
    """``value`` as compact JSON on one line; lone surrogates become U+FFFD.

    Non-ASCII is raw, but what is not seen and angle brackets are escapes: a client may show the line to its model.

    Raises TypeError, ValueError or RecursionError for what JSON cannot say.
    """
    return to_bytes(escaped(_ENCODER.encode(value)))


def pretty(value: object, *, lenient: bool = False) -> str:
    """``value`` as JSON with two-space indentation and the same escapes: the text item of a tool result.

    When ``lenient``, what JSON cannot say is told as text.
    """
    return escaped((_LENIENT if lenient else _PRETTY).encode(value))


def to_bytes(text: str) -> bytes:
    """UTF-8. A lone surrogate, which UTF-8 cannot hold and clients refuse even escaped, becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def error(request_id: object, code: int, message: str, data: object = None) -> bytes:
    """A JSON-RPC error response; ``request_id`` None when it could not be read (JSON-RPC 2.0, section 5)."""
    body: dict[str, object] = {"code": code, "message": message}
    if data is not None:
        body["data"] = data
    return encode({"jsonrpc": "2.0", "id": request_id, "error": body})


def notification(method: str, params: dict[str, object]) -> bytes:
    """A JSON-RPC notification."""
    return encode({"jsonrpc": "2.0", "method": method, "params": params})


def is_text(value: object) -> bool:
    """Whether ``value`` is a string that UTF-8 can hold, so that it can be sent back unchanged."""
    if type(value) is not str:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_id(value: object) -> bool:
    """Whether ``value`` may be a request id or a progress token: a string or an integer, never null."""
    return type(value) is int or is_text(value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_PRETTY = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=2)
_LENIENT = json.JSONEncoder(ensure_ascii=False, indent=2, default=str)
