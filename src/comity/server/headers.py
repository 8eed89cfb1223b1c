"""Headers of a request with an index: many are asked for, and Starlette looks through all each time."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope


class Heads(Headers):
    """Starlette's headers, for reading only, with an index."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        self._index: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            self._index.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))

    def __getitem__(self, key: str) -> str:
        return self._index[key.lower()][0]

    def get(self, key: str, default: Any = None) -> Any:
        """The first value, or the default."""
        found = self._index.get(key.lower())
        return found[0] if found else default

    def getlist(self, key: str) -> list[str]:
        """Every value."""
        return list(self._index.get(key.lower(), ()))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._index
