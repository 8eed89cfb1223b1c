"""The registry: every operation by name, without importing a room before one of its operations is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from comity.kernel.hints import Any
from comity.kernel.op import Op
from comity.kernel.problem import NotFound

AnyOp = Op[Any, Any]


class Registry:
    """Finds operations. ``rooms`` maps an ops module's name to the names of the operations in it."""

    def __init__(self, rooms: Mapping[str, tuple[str, ...]]) -> None:
        self._rooms = rooms
        self._where = {name: module for module, names in rooms.items() for name in names}
        self._known: dict[str, AnyOp] = {}

    def names(self) -> tuple[str, ...]:
        """Every operation's name, in the order of the rooms."""
        return tuple(self._where)

    def get(self, name: str) -> AnyOp:
        """The operation called ``name``; NotFound ``operation.unknown`` when there is none."""
        known = self._known.get(name)
        if known is None:
            module = self._where.get(name)
            if module is None:
                raise NotFound("operation.unknown", f"There is no operation {name!r}.", "`comity schema` lists them.")
            self._known.update(operations(import_module(module)))
            known = self._known[name]
        return known

    def __iter__(self) -> Iterator[AnyOp]:
        return (self.get(name) for name in self._where)


def operations(module: object) -> dict[str, AnyOp]:
    """The operations that a module holds, by name."""
    return {value.name: value for value in vars(module).values() if isinstance(value, Op)}
