"""``NamedTuple`` as ``typing`` has it, made in a tenth of the time.

A hook is a whole process for every tool call, and making records was a third of it: ``typing`` compiles every
annotation that is text, and every constructor, at once. Here annotations stay text (the module needs ``from __future__
import annotations``), and a constructor is compiled when a record has been made a few times. The stub next to this
module shows type checkers the real one.
"""

from __future__ import annotations

from _collections import _tuplegetter as _field

_FEW = 30  # a hook makes fewer records of a kind


class _Record(tuple):
    """What all records share."""

    __slots__ = ()
    _fields = ()
    _field_defaults = {}

    @classmethod
    def _make(cls, values):
        """A record of an iterable of all its values."""
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    def _replace(self, /, **changes):
        """The same record with other values in some fields."""
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise TypeError(f"Got unexpected field names: {list(changes)!r}")
        return made

    def _asdict(self):
        return dict(zip(self._fields, self, strict=True))

    def __repr__(self):
        told = ", ".join(f"{name}={value!r}" for name, value in self._asdict().items())
        return f"{type(self).__name__}({told})"

    def __getnewargs__(self):
        return tuple(self)


class _Making(type):
    """Turns a class of annotated fields into a tuple type."""

    def __new__(cls, name, bases, space):
        if not bases:
            return super().__new__(cls, name, bases, space)
        fields = tuple(space.get("__annotations__", ()))
        if not fields:
            raise TypeError(f"{name} has no fields, or its module lacks `from __future__ import annotations`")
        defaults = {field: space.pop(field) for field in fields if field in space}
        for place, field in enumerate(fields):
            space[field] = _field(place, field)
        space.setdefault("__slots__", ())
        space |= {"_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
        made = type(name, (_Record,), space)
        made.__new__ = _constructor_of(made, fields, defaults)
        return made


class NamedTuple(metaclass=_Making):
    """A base for records: ``class Point(NamedTuple): x: int; y: int = 0``."""


def _constructor_of(made, fields, defaults):
    """A constructor that puts a compiled one in its own place when it has been called a few times, or wrongly."""
    calls = 0

    def first(cls, /, *values, **named):
        nonlocal calls
        calls += 1
        given = {**defaults, **dict(zip(fields, values, strict=False)), **named}
        right = len(given) == len(fields) >= len(values) and named.keys().isdisjoint(fields[: len(values)])
        if right and calls < _FEW:
            return tuple.__new__(cls, [given[field] for field in fields])
        arguments = ", ".join(fields)
        names = {"_new": tuple.__new__, "__name__": f"record_{made.__name__}"}
        real = eval(f"lambda _cls, {arguments}: _new(_cls, ({arguments},))", names)  # noqa: S307 (names of fields)
        real.__name__, real.__qualname__ = "__new__", f"{made.__name__}.__new__"
        real.__defaults__ = tuple(defaults.values())
        made.__new__ = real
        return real(cls, *values, **named)

    return first
