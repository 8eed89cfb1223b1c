"""ETags: reads are answered with one, and a client that shows it again in If-None-Match gets 304 and no body."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from starlette.responses import Response

from comity.server.answers import JSON, Answer


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


def _holds(if_none_match: str, tag: str) -> bool:
    return if_none_match.strip() == "*" or any(
        part.strip().removeprefix("W/") == tag for part in if_none_match.split(",")
    )
