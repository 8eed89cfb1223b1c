"""The names of ``typing`` as light stand-ins, for modules that a hook loads: annotations are read by other programs.

Importing ``typing`` and subscribing its forms was a sixth of a hook's time, and a hook reads no annotation. Here
``Annotated[str, Text(min=1)]`` only keeps what it was given; ``kernel.signature`` makes the real thing of it where
arguments are checked or described. The stub next to this module shows type checkers the real names.
"""

from __future__ import annotations


class Form:
    """One form with what it was subscribed or called with."""

    __slots__ = ("args", "name")

    def __init__(self, name, args=()):
        self.name = name
        self.args = args

    def __getitem__(self, args):
        return Form(self.name, args if type(args) is tuple else (args,))

    def __call__(self, name):
        return Form(self.name, (name,))

    def __or__(self, other):
        return Form("Union", (self, other))

    def __ror__(self, other):
        return Form("Union", (other, self))

    def __mro_entries__(self, bases):
        return (_Subscribed,) if self.name == "Generic" else ()


class _Subscribed:
    """What ``Generic[T]`` adds to a class: it can be subscribed, to no effect."""

    __slots__ = ()

    def __class_getitem__(cls, args):
        return cls


def cast(_kind, value):
    """``value``; the type checker takes it for one of ``_kind``."""
    return value


Annotated = Form("Annotated")
Any = Form("Any")
ClassVar = Form("ClassVar")
Concatenate = Form("Concatenate")
Generic = Form("Generic")
Literal = Form("Literal")
ParamSpec = Form("ParamSpec")
Protocol = Form("Protocol")
Self = Form("Self")
TypeVar = Form("TypeVar")
