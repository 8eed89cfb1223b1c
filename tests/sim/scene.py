"""A scene: an operation that is about to be called, for tests that let its statements fail."""

from __future__ import annotations

from typing import Any, NamedTuple

from comity import Workspace


class Scene(NamedTuple):
    """The call, and the reason for which it is refused even without a fault, if it is."""

    workspace: Workspace
    operation: str
    arguments: dict[str, Any]
    refusal: str | None = None
