"""Answers: JSON bodies, and for reads the tag by which a client knows that nothing has changed."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from comity.server.encoding import encoded

JSON = "application/json"


class Answer(Response):
    """A whole answer: a status, its headers in lower case, and a body."""

    def __init__(self, body: bytes, status: int, headers: Mapping[str, str], media_type: str = "") -> None:
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        if media_type:
            self.raw_headers.append((b"content-type", media_type.encode("latin-1")))
        if body or status != 304:
            self.raw_headers.append((b"content-length", str(len(body)).encode("latin-1")))


def json_response(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Answer(encoded(value), status, {}, JSON)


def tagged(body: bytes, if_none_match: str | None, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer to a read, with its ETag; 304 and no body for a client that has it."""
    return Tagged(body).answer(if_none_match, headers)


class Tagged:
    """A JSON body that may be answered often, with its tag."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.tag = f'"{blake2b(body, digest_size=16).hexdigest()}"'

    def answer(self, if_none_match: str | None, headers: Mapping[str, str] | None = None) -> Response:
        """The answer; 304 and no body for a client that has it."""
        sent = {"etag": self.tag, "cache-control": "private, no-cache", **(headers or {})}
        if if_none_match is not None and _holds(if_none_match, self.tag):
            return Answer(b"", 304, sent)
        return Answer(self.body, 200, sent, JSON)


def header(scope: Scope, wanted: bytes) -> str | None:
    """The first header of a name in lower case."""
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value.decode("latin-1"))
    return None


def _holds(if_none_match: str, tag: str) -> bool:
    return if_none_match.strip() == "*" or any(
        part.strip().removeprefix("W/") == tag for part in if_none_match.split(",")
    )
