"""Every adapter against payloads of its host: what it hears, and exactly what it answers.

A fixture says where its payload comes from and when: recorded from the program, or written from its documentation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.hosts.catalog import ADAPTERS
from comity.hosts.contract import NOTHING, Adapter, HookOutput, HookReply, HostEvent, adapter_of, inner, paths
from tests.rounds import rounds

FIXTURES = Path(__file__).parent / "fixtures"
CASES = [pytest.param(path, id=f"{path.parent.name}-{path.stem}") for path in sorted(FIXTURES.glob("*/*.json"))]
REPLIES = {
    "nothing": NOTHING,
    "inject": HookReply(inject="I"),
    "refuse": HookReply(refuse="R"),
    "go_on": HookReply(go_on="G"),
    "wake": HookReply(wake="W"),
}
BLOCKING = {"deny", "block", "ask", "force_ask", "continue", "defer"}


def known(host: str) -> Adapter:
    adapter = adapter_of(host)
    assert adapter is not None
    return adapter


def plain(heard: HostEvent | None) -> dict[str, Any] | None:
    """What was heard, without what is as it always is."""
    if heard is None:
        return None
    told = {name: value for name, value in heard._asdict().items() if value != HostEvent._field_defaults.get(name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}


def seen(answer: HookOutput) -> dict[str, Any]:
    out: object = answer.out
    if answer.out.startswith("{"):
        out = json.loads(answer.out)
    return {"out": out if answer.out else None, "err": answer.err, "code": answer.code}


def shown(wanted: dict[str, Any]) -> dict[str, Any]:
    return wanted | {"out": wanted["out"] if wanted["out"] != "" else None}


@pytest.mark.parametrize("path", CASES)
def test_a_payload_is_heard_and_answered_exactly(path: Path) -> None:
    fixture = json.loads(path.read_text(encoding="utf-8"))
    assert fixture["source"]
    assert fixture["date"]
    adapter = known(path.parent.name)
    heard = adapter.read(fixture["event"], fixture["payload"])
    assert plain(heard) == fixture["heard"]
    if heard is not None:
        for kind, wanted in fixture["answers"].items():
            assert seen(adapter.write(fixture["event"], heard, REPLIES[kind])) == shown(wanted), kind


@pytest.mark.parametrize("path", CASES)
def test_unknown_fields_change_nothing(path: Path) -> None:
    fixture = json.loads(path.read_text(encoding="utf-8"))
    more = {**fixture["payload"], "new_field": {"deep": [1, None]}, "another": "x" * 1000}
    adapter = known(path.parent.name)
    assert adapter.read(fixture["event"], more) == adapter.read(fixture["event"], fixture["payload"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("host", [host for host in ADAPTERS if (FIXTURES / host).is_dir()])
@settings(max_examples=rounds(30, 60), deadline=None)
@given(data=st.data())
def test_wrong_types_never_break_an_adapter(host: str, data: st.DataObject) -> None:
    """Each value of a real payload may be of any other type, at the top or inside the tool's arguments."""
    path = data.draw(st.sampled_from(sorted((FIXTURES / host).glob("*.json"))), "fixture")
    fixture = json.loads(path.read_text(encoding="utf-8"))
    payload = fixture["payload"]
    inside = [value for value in payload.values() if isinstance(value, dict) and value]
    where = data.draw(st.sampled_from([payload, *inside]), "where")
    where[data.draw(st.sampled_from(sorted(where)), "key")] = data.draw(JSON, "value")
    adapter = known(host)
    heard = adapter.read(fixture["event"], payload)
    if heard is not None:
        assert all(isinstance(value, str) for value in (heard.session_id, heard.subagent_id, heard.cwd, *heard.files))
        lets_go(adapter.write(fixture["event"], heard, NOTHING))


def lets_go(answer: HookOutput) -> None:
    """No host may take this for a block."""
    assert (answer.err, answer.code) == ("", 0)
    told = json.loads(answer.out) if answer.out else {}
    assert isinstance(told, dict)
    inside = told.get("hookSpecificOutput", {})
    said = {told.get("decision"), told.get("permission"), inside.get("permissionDecision"), inside.get("decision")}
    assert said.isdisjoint(BLOCKING)
    assert told.get("continue", True) is not False


@pytest.mark.parametrize("host", ADAPTERS)
def test_an_empty_answer_is_never_a_block(host: str) -> None:
    adapter = known(host)
    assert adapter.host == host
    for event in {name for name, _ in adapter.events} | {"Unheard-Of", ""}:
        lets_go(adapter.neutral(event))
    for guard in adapter.guards:
        assert guard in {name for name, _ in adapter.events}


@pytest.mark.parametrize("host", ["antigravity", "cursor"])
def test_hosts_that_want_a_word_get_one(host: str) -> None:
    """Antigravity denies without a decision; Cursor takes what is no JSON as a block."""
    adapter = known(host)
    words = {event: json.loads(adapter.neutral(event).out) for event, _ in adapter.events}
    wanted = {"PreInvocation": {}, "PreToolUse": {"decision": "allow"}, "Stop": {"decision": "allow"}}
    assert words == (wanted if host == "antigravity" else {event: {} for event in words})


def test_arguments_are_read_in_every_form() -> None:
    assert inner({"a": '{"b": 1}'}, "a") == {"b": 1}
    assert inner({"a": "{broken", "b": {}}, "a", "b") == {}
    assert paths({"p": ["a", {"p": "b"}, {"p": ["a"]}, 3, ""]}, "p") == ("a", "b")
