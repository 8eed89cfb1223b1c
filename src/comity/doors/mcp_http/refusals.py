"""Refusals of requests by the transport itself: an HTTP status and a JSON-RPC error."""

from __future__ import annotations

from comity.mcp import wire


class RefusedRequest(Exception):
    """The request gets this HTTP status and JSON-RPC error."""

    def __init__(self, status: int, code: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.request_id: object = None
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def of(self, request_id: object) -> RefusedRequest:
        """The refusal as the answer to a request of this id."""
        self.request_id = request_id if wire.is_id(request_id) else None
        return self
