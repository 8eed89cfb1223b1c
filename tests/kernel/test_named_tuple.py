"""Records: everything that ``typing.NamedTuple`` would do, and nothing that it would refuse."""

from __future__ import annotations

import pickle
import typing

import pytest

from comity.kernel import named_tuple


class Real(typing.NamedTuple):
    """A record."""

    place: int
    name: str = "a"
    more: tuple[str, ...] = ()

    @property
    def twice(self) -> int:
        """Twice the place."""
        return self.place * 2

    def size(self) -> int:
        """How much there is."""
        return len(self.more) + len(self)


class Light(named_tuple.NamedTuple):
    """A record."""

    place: int
    name: str = "a"
    more: tuple[str, ...] = ()

    @property
    def twice(self) -> int:
        """Twice the place."""
        return self.place * 2

    def size(self) -> int:
        """How much there is."""
        return len(self.more) + len(self)


BOTH = pytest.mark.parametrize("kind", [Real, Light])
MANY = 50  # calls, after which the constructor is another


@BOTH
def test_making(kind: type[Real]) -> None:
    for _ in range(MANY):
        made: Real = kind(1, more=("x",))
        assert tuple(made) == (1, "a", ("x",))
        assert (made.place, made.name, made.more, made.twice, made.size()) == (1, "a", ("x",), 2, 4)
        assert kind(place=2, name="b") == kind._make([2, "b", ()]) == made._replace(place=2, name="b", more=())


@BOTH
@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), ((1, "a", (), 4), {}), ((1,), {"place": 2}), ((1,), {"other": 2}), ((), {"name": "b", "other": 2})],
)
def test_making_wrongly(kind: type[Real], values: tuple[object, ...], named: dict[str, object]) -> None:
    for _ in range(MANY):
        with pytest.raises(TypeError):
            kind(*values, **named)  # type: ignore[arg-type]
        assert kind(7) == (7, "a", ())


@BOTH
def test_what_is_known_of_it(kind: type[Real]) -> None:
    made = kind(1)
    assert made._asdict() == {"place": 1, "name": "a", "more": ()}
    assert repr(made) == f"{kind.__name__}(place=1, name='a', more=())"
    assert (kind._fields, kind._field_defaults) == (("place", "name", "more"), {"name": "a", "more": ()})
    assert kind.__doc__ == "A record."
    assert typing.get_type_hints(kind) == {"place": int, "name": str, "more": tuple[str, ...]}
    assert isinstance(made, tuple)
    match made:
        case kind(place, name):
            assert (place, name) == (1, "a")
    with pytest.raises(TypeError):
        kind._make([1])
    with pytest.raises((TypeError, ValueError)):
        made._replace(other=1)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        made.place = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        made.another = 2  # type: ignore[attr-defined]


@BOTH
def test_it_can_be_pickled_and_inherited(kind: type[Real]) -> None:
    class Below(kind):  # type: ignore[misc, valid-type]
        __slots__ = ()

    assert pickle.loads(pickle.dumps(kind(1, "b"))) == (1, "b", ())
    below = Below(3)
    assert (type(below), below.twice, type(below._replace(place=4))) == (Below, 6, Below)


def test_a_module_without_text_annotations_is_told_so() -> None:
    with pytest.raises(TypeError, match="from __future__ import annotations"):
        exec("class A(NamedTuple):\n    pass", {"NamedTuple": named_tuple.NamedTuple})
