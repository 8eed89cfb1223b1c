"""The eight kinds of Problem: what can go wrong in the world, as every door translates it.

A Problem carries a stable ``reason`` (``noun.why``, or the protocol's own ``MACP_ERR_*`` code where MACP v1.0
section 2.10 has one), a ``message`` for people, a ``hint`` that says what to do next, and ``data`` with the facts.
"""

from __future__ import annotations

from comity.kernel.hints import ClassVar


class Problem(Exception):
    """Something in the world prevents the operation. Raise one of the eight subclasses."""

    kind: ClassVar[str] = "internal"
    status: ClassVar[int] = 500  # HTTP status code
    grpc: ClassVar[str] = "INTERNAL"
    exit_code: ClassVar[int] = 70

    def __init__(self, reason: str, message: str, hint: str = "", **data: object) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.hint = hint
        self.data = data

    def __str__(self) -> str:
        return f"{self.message} ({self.reason})"

    def as_dict(self) -> dict[str, object]:
        """JSON form: ``kind``, ``reason``, ``message``, ``hint``, ``data``."""
        return {
            "kind": self.kind,
            "reason": self.reason,
            "message": self.message,
            "hint": self.hint,
            "data": self.data,
        }


class Invalid(Problem):
    """The arguments are wrong."""

    kind, status, grpc, exit_code = "invalid", 400, "INVALID_ARGUMENT", 2


class Unauthenticated(Problem):
    """Who are you?"""

    kind, status, grpc, exit_code = "unauthenticated", 401, "UNAUTHENTICATED", 3


class Forbidden(Problem):
    """You may not."""

    kind, status, grpc, exit_code = "forbidden", 403, "PERMISSION_DENIED", 4


class NotFound(Problem):
    """There is no such thing."""

    kind, status, grpc, exit_code = "not_found", 404, "NOT_FOUND", 5


class Conflict(Problem):
    """The present state says no."""

    kind, status, grpc, exit_code = "conflict", 409, "FAILED_PRECONDITION", 6


class Limited(Problem):
    """A bound was met."""

    kind, status, grpc, exit_code = "limited", 429, "RESOURCE_EXHAUSTED", 7


class Unavailable(Problem):
    """The store or the model is away."""

    kind, status, grpc, exit_code = "unavailable", 503, "UNAVAILABLE", 8


class Internal(Problem):
    """Our fault: a reference, no details."""

    kind, status, grpc, exit_code = "internal", 500, "INTERNAL", 70


class Refused(Exception):
    """Raised by an operation to say no *and* keep what it wrote, such as a rejection's audit row.

    The pipeline commits the transaction and then raises ``problem``; any other exception rolls back.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem
