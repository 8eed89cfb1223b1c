"""Answers: JSON bodies, and for reads the tag by which a client knows that nothing has changed."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from starlette.responses import Response

from comity.doors.http.encoding import encoded

JSON = "application/json"


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(encoded(value), status, headers, JSON)


def tagged(body: bytes, if_none_match: str | None, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer to a read, with its ETag; 304 and no body for a client that has it."""
    tag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    sent = {"etag": tag, "cache-control": "private, no-cache", **(headers or {})}
    if if_none_match is not None and _holds(if_none_match, tag):
        return Response(None, 304, sent)
    return Response(body, 200, sent, JSON)


def _holds(if_none_match: str, tag: str) -> bool:
    return if_none_match.strip() == "*" or any(
        part.strip().removeprefix("W/") == tag for part in if_none_match.split(",")
    )
