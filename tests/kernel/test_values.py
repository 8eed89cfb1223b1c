"""Records, problems, ids, times and JSON in columns."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.kernel import problem, text
from comity.kernel.clock import Instant, SystemClock
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.problem import Problem, Refused
from comity.kernel.record import camel, to_json
from comity.testing import START_MS, FakeClock

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


class Inner(NamedTuple):
    """A record in a record."""

    from_: str
    size_bytes: int = 0


class Outer(NamedTuple):
    """A record with everything."""

    agent_id: str | None
    inner: Inner
    many: list[Inner]
    some: dict[str, Inner]
    rarely: tuple[str, ...] = ()
    flag: bool = False


@given(value=JSON)
def test_plain_json_stays_as_it_is(value: Any) -> None:
    assert to_json(value) == value


@given(name=st.text(), size=st.integers(), rarely=st.lists(st.text()), flag=st.booleans())
def test_records_become_objects(name: str, size: int, rarely: list[str], flag: bool) -> None:
    inner = Inner(name, size)
    found = to_json(Outer(None, inner, [inner, inner], {"a_b": inner}, tuple(rarely), flag))
    small: dict[str, Any] = {"from": name} | ({"sizeBytes": size} if size else {})
    wanted: dict[str, Any] = {"agentId": None, "inner": small, "many": [small, small], "some": {"a_b": small}}
    if rarely:
        wanted["rarely"] = rarely
    if flag:
        wanted["flag"] = True
    assert found == wanted
    assert list(found) == list(wanted)
    json.dumps(found)


@pytest.mark.parametrize(
    ("snake", "wanted"), [("a", "a"), ("agent_id", "agentId"), ("from_", "from"), ("max_pending_x2", "maxPendingX2")]
)
def test_camel_case(snake: str, wanted: str) -> None:
    assert camel(snake) == wanted


@given(value=JSON)
def test_columns_hold_compact_json(value: Any) -> None:
    written = text.compact(value)
    assert json.loads(written) == value
    assert written == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@given(value=st.dictionaries(st.text(st.characters(codec="utf-8")), JSON))
def test_objects_are_read_back(value: dict[str, Any]) -> None:
    assert text.read_object(text.compact(value)) == json.loads(text.compact(value).encode("utf-8", "replace"))


@pytest.mark.parametrize(
    "column",
    ["", "{", "null", "[]", "1", '"x"', "{1:2}", "NaN", '{"a":NaN}', '{"a":-1e999}', "[" * 99_999, None, b"{}", 5],
)
def test_what_is_no_object(column: object) -> None:
    assert text.read_object(column) is None


@pytest.mark.parametrize("column", ["", "{}", "[1]", '["a",null]', '"a"', None])
def test_what_is_no_list_of_strings(column: object) -> None:
    assert text.read_strings(column) is None


def test_lists_of_strings() -> None:
    assert text.read_strings('["a","\\ud800","\\ud83d\\ude00"]') == ["a", "?", "😀"]


@pytest.mark.parametrize(("value", "written"), [(1.0, "1"), (0.0, "0"), (0.5, "0.5"), (1, "1")])
def test_numbers_as_javascript_writes_them(value: float, written: str) -> None:
    assert text.compact(text.number(value)) == written


@given(value=JSON)
def test_json_for_each_purpose_means_the_same(value: Any) -> None:
    line, document = text.json_line(value), text.document(value)
    for written in (text.readable(value), line, document):
        assert json.loads(written) == value
    assert line.isascii()
    assert "\n" not in line
    assert not set(line) & set("$`;&|<>()!'*?~#")
    assert document.isascii()
    assert document.endswith(b"\n")


def test_what_json_cannot_say_is_told_as_text() -> None:
    assert (
        text.lenient({"a": {1}, "b": "\ud800", "c": "é", "d": b"x"})
        == '{"a":"{1}","b":"?","c":"é","d":"b\'x\'"}'.encode()
    )


@given(position=st.integers(0, 10**18 - 1))
def test_a_cursor_leads_back_to_its_position(position: int) -> None:
    assert text.position_of(text.cursor_at(position)) == position


def test_an_empty_cursor_is_the_beginning() -> None:
    assert text.position_of("") == 0


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "٣", "²", "9" * 19, " 1", "1\n", None, 5, True, b"5"])
def test_what_is_no_cursor(cursor: object) -> None:
    with pytest.raises(problem.Invalid) as refused:
        text.position_of(cursor)
    assert refused.value.reason == "cursor.unknown"


TIMES = st.integers(0, 253_402_300_799_999)


@given(one=TIMES, other=TIMES)
def test_ids_are_in_the_order_of_time(one: int, other: int) -> None:
    ids = TimeOrderedIds()
    first, second = ids.new(one), ids.new(other)
    assert first != second
    if one != other:
        assert (first < second) == (one < other)
    for made, ms in ((first, one), (second, other)):
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made)
        assert int(made.replace("-", "")[:12], 16) == ms


def test_ids_of_one_moment_differ() -> None:
    ids = TimeOrderedIds()
    assert len({ids.new(START_MS) for _ in range(2_000)}) == 2_000


@given(one=TIMES, other=TIMES)
def test_times_as_text_are_in_the_order_of_time(one: int, other: int) -> None:
    first, second = Instant.at(one), Instant.at(other)
    assert len(first.iso) == 24
    assert (first.iso < second.iso) == (one < other)
    assert first.second == one // 1000


def test_known_moments() -> None:
    assert Instant.at(0).iso == "1970-01-01T00:00:00.000Z"
    assert Instant.at(1_709_164_799_999).iso == "2024-02-28T23:59:59.999Z"
    assert Instant.at(START_MS).iso == "2026-01-01T00:00:00.000Z"
    before, now = SystemClock().now(), SystemClock().now()
    assert before <= now


def test_the_fake_clock_stands_still_until_it_is_moved() -> None:
    clock = FakeClock()
    assert clock.now() == clock.now()
    assert clock.advance(1.5).iso == "2026-01-01T00:00:01.500Z"
    assert clock.advance(-0.501).ms == START_MS + 999


KINDS = {
    problem.Invalid: (400, "INVALID_ARGUMENT", 2),
    problem.Unauthenticated: (401, "UNAUTHENTICATED", 3),
    problem.Forbidden: (403, "PERMISSION_DENIED", 4),
    problem.NotFound: (404, "NOT_FOUND", 5),
    problem.Conflict: (409, "FAILED_PRECONDITION", 6),
    problem.Limited: (429, "RESOURCE_EXHAUSTED", 7),
    problem.Unavailable: (503, "UNAVAILABLE", 8),
    problem.Internal: (500, "INTERNAL", 70),
}


def test_the_eight_kinds_of_problem() -> None:
    assert set(Problem.__subclasses__()) == set(KINDS)
    for kind, numbers in KINDS.items():
        assert (kind.status, kind.grpc, kind.exit_code) == numbers
        made = kind("thing.broken", "It broke.", "Mend it.", agentId="a")
        assert str(made) == "It broke. (thing.broken)"
        assert made.as_dict() == {
            "kind": kind.kind,
            "reason": "thing.broken",
            "message": "It broke.",
            "hint": "Mend it.",
            "data": {"agentId": "a"},
        }
    assert len({kind.kind for kind in KINDS}) == 8


def test_a_refusal_carries_its_problem() -> None:
    limited = problem.Limited("queue.full", "Full.")
    refused = Refused(limited)
    assert refused.problem is limited
    assert not isinstance(refused, Problem)
