"""HTTP answers: a status, headers and a body, mostly JSON."""

from __future__ import annotations

from collections.abc import Mapping
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


def header(scope: Scope, wanted: bytes) -> str | None:
    """The first header of a name in lower case."""
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value.decode("latin-1"))
    return None
