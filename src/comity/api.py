"""The Python API: every operation as a method of its noun, ``workspace.message.send(...)``.

Each method takes an operation's keyword arguments and answers its record; ``help()`` shows its documentation. All
raise ``comity.Problem``. Their types stand in ``api.pyi``: here everything is found when it is first used, so that a
server or a script loads only the rooms that it enters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from comity.rooms import OPERATIONS, REGISTRY


class Calls(Protocol):
    """Whatever runs an operation by name."""

    def call(self, name: str, arguments: Mapping[str, object], /) -> Any: ...


class Noun:
    """The operations on one kind of thing."""

    name = ""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        if verb.startswith("_") or verb not in _verbs(self.name):
            raise AttributeError(f"there is no operation {self.name}.{verb}")
        method = _method(self.calls, f"{self.name}.{verb}")
        setattr(self, verb, method)
        return method

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_verbs(self.name)})


def _method(calls: Calls, name: str) -> Callable[..., Any]:
    def method(**arguments: Any) -> Any:
        return calls.call(name, arguments)

    method.__doc__ = REGISTRY.get(name).doc
    method.__name__ = method.__qualname__ = name
    return method


def _verbs(noun: str) -> list[str]:
    names = (name.split(".") for listed in OPERATIONS.values() for name in listed)
    return [verb for one, verb in names if one == noun]


class _Attribute:
    """A noun as an attribute, made when it is first used; from then on the object holds it itself."""

    def __init__(self, noun: str) -> None:
        self.noun = noun

    def __get__(self, calls: Any, owner: type) -> Any:
        if calls is None:
            return _calls(self.noun)
        made = _calls(self.noun)(calls)
        setattr(calls, self.noun, made)
        return made


class Nouns:
    """The operations by noun: an attribute for each noun."""


for _name in REGISTRY.names():
    setattr(Nouns, _name.partition(".")[0], _Attribute(_name.partition(".")[0]))


def _calls(noun: str) -> type[Noun]:
    """The class of the operations on one kind of thing: ``MessageCalls`` for ``message``."""
    name = "".join(part.capitalize() for part in noun.split("_")) + "Calls"
    known: type[Noun] | None = globals().get(name)
    if known is None:
        known = type(name, (Noun,), {"name": noun, "__module__": __name__, "__doc__": f"The operations {noun}.*"})
        globals()[name] = known
    return known


def __getattr__(name: str) -> Any:
    """``SessionCalls`` is the operations called ``session.*``, and so on."""
    noun = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.removesuffix("Calls")).lower()
    if not name.endswith("Calls") or not _verbs(noun):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _calls(noun)
