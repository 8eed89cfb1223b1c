"""Generated JSONC documents: what is put in and taken out again leaves every byte as it was."""

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from comity.hosts.jsonc import find, parse
from comity.hosts.jsonc_edit import include, remove, revert, set_value
from tests.rounds import rounds

calm = settings(max_examples=rounds(30, 100), deadline=None, suppress_health_check=[HealthCheck.too_slow])

PATH = ("mcpServers", "macp")
ENTRY = {"command": "comity", "args": ["mcp"], "env": {"A": "b"}}
MINE = {"mcpServers", "macp"}

blanks = st.sampled_from(["", "", " ", "  ", "\t", "\n", "\n  ", "\n\n    ", "\n\t"])
remarks = st.sampled_from(["", "", "", "// one, {two}\n", "/* a, b */", "/* a\n b */", '// "macp": {}\n'])
gaps = st.builds("".join, st.tuples(blanks, remarks, blanks))
texts = st.sampled_from(["", "x", "a.b", 'q"uote', "sl/ash //no", "/* no */", "ünï", "\u2028", "🙂", ","])
keys = st.one_of(texts, st.sampled_from(["mcpServers", "other", "context"]))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False), texts
)


@st.composite
def written(draw: Any, value: object) -> str:
    if isinstance(value, dict):
        items = [
            draw(gaps)
            + json.dumps(key, ensure_ascii=draw(st.booleans()))
            + draw(gaps)
            + ":"
            + draw(gaps)
            + draw(written(item))
            + draw(gaps)
            for key, item in value.items()
        ]
        brackets = "{}"
    elif isinstance(value, list):
        items = [draw(gaps) + draw(written(item)) + draw(gaps) for item in value]
        brackets = "[]"
    else:
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    tail = "," + draw(gaps) if items and draw(st.booleans()) else "" if items else draw(gaps)
    return brackets[0] + ",".join(items) + tail + brackets[1]


values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
servers = st.dictionaries(texts, values, max_size=3)


@st.composite
def documents(draw: Any) -> str:
    root: dict[str, Any] = draw(st.dictionaries(keys.filter(lambda key: key != "mcpServers"), values, max_size=4))
    if draw(st.booleans()):
        root["mcpServers"] = draw(servers)
        if draw(st.booleans()):
            root["mcpServers"]["macp"] = draw(values)
        root = dict(draw(st.permutations(list(root.items()))))
    text: str = draw(gaps) + draw(written(root)) + draw(gaps)
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def plain(text: str) -> dict[str, object]:
    root = parse(text)
    assert root is not None
    value = root.plain()
    assert isinstance(value, dict)
    return value


@calm
@given(documents())
@example('{"mcpServers":{// remark\n"macp":null}}')
@example("{}")
@example("{ }")
@example("{\n}")
@example("{ // only a remark\n}")
@example("{\n  // one\n  // two\n}")
@example('{"a": 1 // remark\n}')
@example('{"a": 1, /* x */ }')
@example('{\n  "mcpServers": {},\n}\n')
@example('{\r\n\t"a": 1\r\n}\r\n')
def test_put_in_and_taken_out_is_the_same_text(text: str) -> None:
    changed, undo = set_value(text, PATH, ENTRY)
    before, after = plain(text), plain(changed)
    inner = before.get("mcpServers", {})
    assert isinstance(inner, dict)
    assert after == {**before, "mcpServers": {**inner, "macp": ENTRY}}
    assert list(after) == list(before) + [key for key in after if key not in before]
    assert revert(changed, undo) == text


@calm
@given(documents())
def test_a_second_time_changes_nothing_but_the_same_place(text: str) -> None:
    once, _ = set_value(text, PATH, ENTRY)
    node = find(parse(once), PATH)
    twice, _ = set_value(once, PATH, ENTRY)
    assert node is not None
    assert plain(twice) == plain(once)
    assert twice[: node.start] == once[: node.start]


@calm
@given(documents(), st.dictionaries(texts.filter(lambda key: key not in MINE), scalars, min_size=1, max_size=2))
def test_taken_out_after_others_were_added_leaves_the_others(text: str, added: dict[str, object]) -> None:
    changed, undo = set_value(text, PATH, ENTRY)
    for key, value in added.items():
        changed, _ = set_value(changed, ("mcpServers", key), value)
    left = plain(revert(changed, undo))
    old = plain(text).get("mcpServers", {})
    assert isinstance(old, dict)
    assert left == {**plain(text), "mcpServers": {**old, **added}}


@calm
@given(documents())
@example('{"mcpServers":{// remark\n"macp":null}}')
def test_removing_without_a_record_leaves_all_other_keys(text: str) -> None:
    changed, _ = set_value(text, PATH, ENTRY)
    left = plain(remove(changed, PATH))
    inner = plain(text).get("mcpServers", {})
    assert isinstance(inner, dict)
    others = {key: value for key, value in inner.items() if key != "macp"}
    assert left == {**plain(text), "mcpServers": others}


@calm
@given(documents(), st.sampled_from([None, "X.md", ["X.md"], [], ["AGENTS.md"], ["A.md", "B.md"]]))
def test_a_list_gets_its_item_once_and_gives_it_back(text: str, there: object) -> None:
    path = ("context", "fileName")
    text, _ = set_value(text, ("context",), {} if there is None else {"fileName": there})
    changed, undo = include(text, path, "AGENTS.md", ("GEMINI.md",))
    node = find(parse(changed), path)
    assert node is not None
    names = node.plain()
    old = [] if there is None else [there] if isinstance(there, str) else list(there) if isinstance(there, list) else []
    assert isinstance(names, list)
    assert names.count("AGENTS.md") == 1
    assert [name for name in names if name in old] == old
    assert include(changed, path, "AGENTS.md") == (changed, None)
    assert (revert(changed, undo) if undo else changed) == text
