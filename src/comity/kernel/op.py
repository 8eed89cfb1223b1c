"""Operations: named, typed functions, the only way to read or change anything.

An operation is written once, with its bounds in the signature and its documentation in the docstring. Every door
(MCP tool, command, Python call, reference page, later REST and gRPC) is derived from the ``Op`` made here.
"""

from __future__ import annotations

from collections.abc import Callable

from comity.kernel.hints import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps

P = ParamSpec("P")
R = TypeVar("R")
Effect = Literal["read", "write"]


class Wait(NamedTuple):
    """How an operation is waited for.

    ``empty`` tells of a result that there is nothing yet; ``on`` whose events may change that: the calling actor's, or
    any in the log.
    """

    empty: Callable[[Any], bool]
    on: Literal["actor", "log"]


class Op(Generic[P, R]):
    """One operation. ``run`` is its body; the pipeline in ``kernel.call`` is what runs it.

    A ``long`` one gets ``kernel.steps.Steps`` where others get a scope. The answer of a ``secret`` one is for
    its caller alone: nothing keeps it or logs it.
    """

    __slots__ = ("effect", "example", "long", "name", "peek", "run", "secret", "signature", "waits")

    def __init__(
        self,
        name: str,
        run: Callable[Concatenate[Any, P], R],
        effect: Effect,
        example: dict[str, object],
        peek: Callable[Concatenate[Scope, P], R | None] | None = None,
        waits: Wait | None = None,
        *,
        long: bool = False,
        secret: bool = False,
    ) -> None:
        self.name = name
        self.long = long
        self.secret = secret
        self.run = run
        self.effect = effect
        self.example = example
        self.peek = peek
        self.waits = waits
        self.signature: Any = None  # built by kernel.validate for the first outside caller

    @property
    def doc(self) -> str:
        """The whole docstring."""
        return (self.run.__doc__ or "").strip()

    @property
    def summary(self) -> str:
        """The docstring's first line."""
        return self.doc.partition("\n")[0]


class _Decorator:
    """Turns the function below it into an operation, keeping its type."""

    def __init__(
        self, name: str, effect: Effect, example: dict[str, object], peek: Any, waits: Wait | None, *, secret: bool
    ) -> None:
        self._rest = (effect, example, peek, waits)
        self._name = name
        self._secret = secret

    def __call__(self, run: Callable[Concatenate[Scope, P], R]) -> Op[P, R]:
        return Op(self._name, run, *self._rest, secret=self._secret)


class _LongDecorator:
    """The same for a function that gets ``Steps``."""

    def __init__(self, name: str, effect: Effect, example: dict[str, object]) -> None:
        self._name = name
        self._rest = (effect, example)

    def __call__(self, run: Callable[Concatenate[Steps, P], R]) -> Op[P, R]:
        return Op(self._name, run, *self._rest, long=True)


def long_op(name: str, *, effect: Effect, example: dict[str, object]) -> _LongDecorator:
    """Make an operation of a function ``(steps, ...)`` that takes several transactions (``kernel.steps``).

    ``effect`` "read" changes nothing but own indexes.
    """
    return _LongDecorator(name, effect, example)


def op(
    name: str,
    *,
    effect: Effect,
    example: dict[str, object],
    peek: Callable[..., Any] | None = None,
    waits: Wait | None = None,
    secret: bool = False,
) -> _Decorator:
    """Make an operation of a function ``(scope, ...)``.

    ``name`` is ``noun.verb``. ``effect`` "read" runs in a read transaction, "write" in one that holds the write
    lock from its start. ``example`` holds arguments that work, for the documentation and the parity test.
    ``peek`` takes the same arguments and may answer a write operation from a read transaction alone, or return None
    to say that something must be written. With ``waits``, a caller that passes ``wait_ms`` is asked again when
    something arrives. The answer of a ``secret`` one is never kept or logged.
    """
    return _Decorator(name, effect, example, peek, waits, secret=secret)
