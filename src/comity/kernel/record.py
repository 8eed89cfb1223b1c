"""Records: what operations answer. Typed tuples, so that a hook can use them without loading a validator.

JSON form: keys are camelCase, a trailing underscore is dropped (``from_`` is ``from``), and a field that has a
default is left out while it equals that default: those are the protocol's optional keys.

Modules that every server loads and that define records do without ``from __future__ import annotations``: a NamedTuple
compiles each annotation that is text, which took a twentieth of a server's start.
"""

from __future__ import annotations

from comity.kernel.hints import Any

_FORMS: dict[type, tuple[tuple[str, str, bool, object], ...]] = {}


def camel(name: str) -> str:
    """``delivery_id`` as ``deliveryId``."""
    head, *rest = name.strip("_").split("_")
    return head + "".join(part.capitalize() for part in rest)


def to_json(value: Any) -> Any:
    """``value`` with every record in it as a dict; other values as they are."""
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value
    if kind is list or kind is tuple:
        return [to_json(item) for item in value]
    if kind is dict:
        return {key: to_json(item) for key, item in value.items()}
    if not hasattr(kind, "_fields"):
        return value
    result = {}
    for (key, _, optional, default), item in zip(form(kind), value, strict=True):
        if not (optional and item == default):
            result[key] = to_json(item)
    return result


def form(kind: Any) -> tuple[tuple[str, str, bool, object], ...]:
    """Per field of a record type: JSON key, field name, whether it is optional, its default."""
    known = _FORMS.get(kind)
    if known is None:
        defaults = kind._field_defaults
        known = tuple((camel(f), f, f in defaults, defaults.get(f)) for f in kind._fields)
        _FORMS[kind] = known
    return known
