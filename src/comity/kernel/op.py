"""Operations: named, typed functions, the only way to read or change anything.

An operation is written once, with its bounds in the signature and its documentation in the docstring. Every door
(MCP tool, command, Python call, reference page, later REST and gRPC) is derived from the ``Op`` made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from comity.kernel.hints import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps

P = ParamSpec("P")
R = TypeVar("R")
Effect = Literal["read", "write"]
Needs = Literal["nothing", "session"]
Pausable = bool | Callable[[Mapping[str, Any]], bool]


class Wait(NamedTuple):
    """How an operation is waited for.

    ``empty`` tells of a result that there is nothing; ``on`` whose events may change that: the calling actor's, or
    any in the log.
    """

    empty: Callable[[Any], bool]
    on: Literal["actor", "log"]


class Op(Generic[P, R]):
    """One operation. ``run`` is its body; the pipeline in ``kernel.call`` is what runs it.

    ``needs`` "session": a session that is not its agent's active one is refused before the body is run.
    ``pausable``: it is refused while the workspace is paused; a function tells that from the arguments. A ``long`` one
    gets ``kernel.steps.Steps`` where others get a scope; if it ``ends_with_write``, all that it changes is changed by
    its last step, whose value is the answer. The answer of a ``secret`` one is for its caller alone: nothing keeps it
    or logs it.
    """

    __slots__ = (
        *("effect", "ends_with_write", "example", "long", "name", "needs"),
        *("pausable", "peek", "run", "secret", "signature", "waits"),
    )

    def __init__(
        self,
        name: str,
        run: Callable[Concatenate[Any, P], R],
        effect: Effect,
        example: dict[str, object],
        peek: Callable[Concatenate[Scope, P], R | None] | None = None,
        waits: Wait | None = None,
        *,
        needs: Needs = "nothing",
        pausable: Pausable = False,
        long: bool = False,
        ends_with_write: bool = False,
        secret: bool = False,
    ) -> None:
        self.name = name
        self.run = run
        self.effect = effect
        self.example = example
        self.peek = peek
        self.waits = waits
        self.needs = needs
        self.pausable = pausable
        self.long = long
        self.ends_with_write = ends_with_write
        self.secret = secret
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

    def __init__(self, name: str, *rest: Any, **marks: Any) -> None:
        self._name = name
        self._rest = rest
        self._marks = marks

    def __call__(self, run: Callable[Concatenate[Scope, P], R]) -> Op[P, R]:
        return Op(self._name, run, *self._rest, **self._marks)


class _LongDecorator:
    """Turns a function that gets ``Steps`` into a long operation, keeping its type."""

    def __init__(self, name: str, *rest: Any, **marks: Any) -> None:
        self._name = name
        self._rest = rest
        self._marks = marks

    def __call__(self, run: Callable[Concatenate[Steps, P], R]) -> Op[P, R]:
        return Op(self._name, run, *self._rest, long=True, **self._marks)


def long_op(
    name: str,
    *,
    effect: Effect,
    example: dict[str, object],
    waits: Wait | None = None,
    needs: Needs = "nothing",
    pausable: Pausable = False,
    ends_with_write: bool = False,
) -> _LongDecorator:
    """Make an operation of a function ``(steps, ...)`` that takes several transactions (``kernel.steps``).

    ``effect`` "read" changes nothing but own indexes. One that ``ends_with_write`` writes in a single step, its last,
    and answers what that step answers: under a caller's key it is then carried out and kept, or neither. Any other
    reserves the key first. ``needs`` "session" is asked in each transaction, so that a replaced session stops in time.
    """
    marks = {"needs": needs, "pausable": pausable, "ends_with_write": ends_with_write}
    return _LongDecorator(name, effect, example, None, waits, **marks)


def op(
    name: str,
    *,
    effect: Effect,
    example: dict[str, object],
    peek: Callable[..., Any] | None = None,
    waits: Wait | None = None,
    needs: Needs = "nothing",
    pausable: Pausable = False,
    secret: bool = False,
) -> _Decorator:
    """Make an operation of a function ``(scope, ...)``.

    ``name`` is ``noun.verb``. ``effect`` "read" runs in a read transaction, "write" in one that holds the write
    lock from its start. ``example`` holds arguments that work, for the documentation and the parity test.
    ``peek`` takes the same arguments and may answer a write operation from a read transaction alone, or return None
    to say that something must be written. With ``waits``, a caller that passes ``wait_ms`` is asked again when
    something arrives. ``needs`` "session" refuses callers without an active session, before the body and before
    ``peek``. A ``pausable`` one is refused while the workspace is paused. The answer of a ``secret`` one is never kept
    or logged.
    """
    return _Decorator(name, effect, example, peek, waits, needs=needs, pausable=pausable, secret=secret)
