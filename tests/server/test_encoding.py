"""Answers as JSON: what is made fast is what the kernel makes."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from comity.kernel.record import to_json
from comity.kernel.text import compact
from comity.server.encoding import encoded, said

WORDS = st.text(max_size=4)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)


class Inner(NamedTuple):
    """A record in a record."""

    from_: str
    more: dict[str, Any] | None = None


class Outer(NamedTuple):
    """A record with everything."""

    agent_id: str | None
    inner: Inner
    many: list[Inner]
    some: dict[str, Inner]
    anything: Any
    rarely: tuple[str, ...] = ()
    perhaps: Inner | None = None
    flag: bool = False


INNER = st.builds(Inner, WORDS, st.none() | st.dictionaries(WORDS, JSON, max_size=1))
RECORDS = st.builds(
    Outer,
    st.none() | WORDS,
    INNER,
    st.lists(INNER, max_size=2),
    st.dictionaries(WORDS, INNER, max_size=1),
    JSON,
    st.lists(WORDS, max_size=2).map(tuple),
    st.none() | INNER,
    st.booleans(),
)


def plainly(value: Any) -> Any:
    """What a client reads of what the standard library writes."""
    return json.loads(compact(value).encode("utf-8", "replace"))


@given(record=RECORDS)
def test_records_are_what_the_kernel_makes_of_them(record: Outer) -> None:
    read = json.loads(encoded(said([record])))
    assert read == plainly(to_json([record]))
    assert list(read[0]) == list(to_json(record))


@given(value=JSON)
def test_the_fast_encoder_writes_what_the_plain_one_writes(value: Any) -> None:
    assert json.loads(encoded(value)) == plainly(value)
