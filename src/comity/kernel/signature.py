"""What an operation takes and answers, read from its annotations: for doors, which check and describe arguments."""

from __future__ import annotations

import typing
from types import CodeType, GenericAlias
from typing import Any

from comity.kernel.hints import Form
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.registry import AnyOp


class Parameter(NamedTuple):
    """One argument of an operation. ``annotation`` carries its bounds; ``required`` ones have no default."""

    name: str
    annotation: Any
    required: bool
    default: Any


def parameters(op: AnyOp) -> tuple[Parameter, ...]:
    """The arguments, in the order of the signature, without the scope."""
    run = op.run
    code: CodeType = run.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    positional = run.__defaults__ or ()
    defaults = dict(zip(names[code.co_argcount - 1 - len(positional) :], positional, strict=False))
    defaults.update(run.__kwdefaults__ or {})
    hints = hints_of(run)
    return tuple(Parameter(name, hints[name], name not in defaults, defaults.get(name)) for name in names)


def hints_of(described: Any) -> dict[str, Any]:
    """Resolved annotations of an operation's body or of a record type, bounds included."""
    hints = typing.get_type_hints(described, include_extras=True)
    return {name: _real(hint) for name, hint in hints.items()}


def _real(hint: Any) -> Any:
    """The hint with the forms of ``typing`` in the places of their stand-ins."""
    if isinstance(hint, Form):
        form: Any = getattr(typing, hint.name)
        return form[tuple(map(_real, hint.args))] if hint.args else form
    origin = typing.get_origin(hint)
    if origin is None or origin is typing.Literal:
        return hint
    args = tuple(map(_real, typing.get_args(hint)))
    if isinstance(hint, GenericAlias):
        return origin[args]
    return typing.Annotated[args] if origin is typing.Annotated else typing.Union[args]  # noqa: UP007 (a list of parts)
