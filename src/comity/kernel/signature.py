"""What an operation takes and answers, read from its annotations: for doors, which check and describe arguments."""

from __future__ import annotations

from types import CodeType

from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.registry import AnyOp
from comity.kernel.shape import Nullable, Shape, shape_of


class Parameter(NamedTuple):
    """One argument of an operation. ``required`` ones have no default; null stands for a default where there is one."""

    name: str
    shape: Shape
    required: bool
    default: Any

    @property
    def given(self) -> Shape:
        """What the argument is when it is not left out."""
        return self.shape.inner if not self.required and isinstance(self.shape, Nullable) else self.shape


_READ: dict[AnyOp, tuple[tuple[Parameter, ...], Shape]] = {}


def parameters(op: AnyOp) -> tuple[Parameter, ...]:
    """The arguments, in the order of the signature, without the scope."""
    return _read(op)[0]


def answer_of(op: AnyOp) -> Shape:
    """The shape of the answer."""
    return _read(op)[1]


def _read(op: AnyOp) -> tuple[tuple[Parameter, ...], Shape]:
    known = _READ.get(op)
    if known is None:
        run = op.run
        code: CodeType = run.__code__
        names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
        positional = run.__defaults__ or ()
        defaults = dict(zip(names[code.co_argcount - 1 - len(positional) :], positional, strict=False))
        defaults.update(run.__kwdefaults__ or {})
        shapes = {name: shape_of(hint, run.__globals__) for name, hint in run.__annotations__.items() if name in names}
        taken = tuple(Parameter(name, shapes[name], name not in defaults, defaults.get(name)) for name in names)
        known = _READ[op] = taken, shape_of(run.__annotations__["return"], run.__globals__)
    return known
