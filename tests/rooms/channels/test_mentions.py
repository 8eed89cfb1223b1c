"""Which parts of a text mention somebody, and whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.rooms.channels.mentions import Meant, Mention, Person, mentions, read, resolve

HERE = [
    Person("claude-calm-otter", "claude-calm-otter"),
    Person("claude-bold-owl", "claude-bold-owl"),
    Person("6f1c", "codex-keen-finch"),
    Person("bob", "Robert"),
    Person("claudette", "claudette"),
    Person("twin-a", "twin"),
    Person("twin-b", "twin"),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@bob", ["@bob"]),
        ("Hello @bob, @@claude and @x-y: look!", ["@bob", "@@claude", "@x-y"]),
        ("(@bob) [@cid] \"@dan\" '@eve' @fay's @gus.", ["@bob", "@cid", "@dan", "@eve", "@fay", "@gus"]),
        ("@bob @bob @@bob", ["@bob", "@@bob"]),
        ("@claude-calm-otter- @a.b. @a.b-", ["@claude-calm-otter", "@a.b"]),
        ("@bob:main @bob: x", ["@bob:main", "@bob"]),
        ("@Zoë ok", ["@Zoë"]),
        ("ann@example.org foo@bar x.@y /@z a@@b", []),
        ("@types/node @scope/pkg@1.2 npm i @scope/x", []),
        ("@decorator() @@ @ @- @. @@@bob", []),
        ("say `@bob` or ```\n@cid\n``` and ```py\n@dan", []),
        ("`a` @bob `b`", ["@bob"]),
        ("a lone ` before @bob", ["@bob"]),
        ("", []),
        (
            "**@bob** *@cid* _@dan_ __@eve__ ~~@fay~~ **_@gus_** **@hal:**",
            ["@bob", "@cid", "@dan", "@eve", "@fay", "@gus", "@hal"],
        ),
        ("cc:@bob to:@cid (@dan) 1.@eve 2. @fay ->@gus", ["@bob", "@cid", "@dan", "@eve", "@fay", "@gus"]),
        ("snake_@bob a_@cid *a*@dan", ["@dan"]),
        ("@bob_2 @_x_ _@bob_2_", ["@bob_2", "@_x_"]),
        ("~~~\n@bob\n~~~\n@cid\n~~~~ sh\n~~~\n@dan\n~~~~\n@eve", ["@cid", "@eve"]),
        ("~~~\n```\n@bob\n~~~\n@cid", ["@cid"]),
        ("> ~~~\n> @bob\n> ~~~\n> @cid", ["@cid"]),
        ("~~~\n@bob, and never an end", []),
        ("see:\n\n    @bob\n\n\t@cid\n\n@dan", ["@dan"]),
        ("a paragraph\n    goes on with @bob", ["@bob"]),
        ("- an item\n\n    of which @bob knows\n\nEnd.\n\n    @cid", ["@bob"]),
        ("https://x.org/@bob and ssh://git@bob:22/x but @cid", ["@cid"]),
        ("请@bob看一下。@alice。", ["@bob看一下", "@alice"]),
        ("\uff20bob", ["@bob"]),
    ],
)
def test_what_is_a_mention(text: str, found: list[str]) -> None:
    assert [one.text for one in mentions(text)] == found


@pytest.mark.parametrize(
    ("text", "agent_ids", "unknown"),
    [
        ("@bob", ["bob"], []),
        ("@Robert", ["bob"], []),
        ("@BOB", ["bob"], []),
        ("@claude", ["claude-calm-otter"], []),
        ("@Claude", ["claude-calm-otter"], []),
        ("@claude-bold-owl", ["claude-bold-owl"], []),
        ("@claude-bold", ["claude-bold-owl"], []),
        ("@@claude", ["claude-calm-otter", "claude-bold-owl"], []),
        ("@@claude @claude @claude-bold-owl", ["claude-calm-otter", "claude-bold-owl"], []),
        ("@codex", ["6f1c"], []),
        ("@@codex", ["6f1c"], []),
        ("@codex-keen-finch", ["6f1c"], []),
        ("@claud @@clau @gemini", [], ["@claud", "@@clau", "@gemini"]),
        ("@bob:main", ["bob"], []),
        ("@twin", [], ["@twin"]),
        ("@@twin", ["twin-a", "twin-b"], []),
        ("@gone", [], ["@gone"]),
        ("@bob/review @types/node @bob(reviewer) @decorator()", ["bob"], ["@types", "@decorator"]),
        ("@[bob] @{bob} #@bob x/@bob +@bob", ["bob"], []),
        ("@claude/sdk @claude(x)", [], ["@claude"]),
        ("@claude/sdk @claude", ["claude-calm-otter"], []),
        ("@bob@claudette @bob@example.org", ["bob", "claudette"], ["@example.org"]),
        ("@bob看一下 @bob님 @太郎さん @次郎さん", ["bob", "taro"], ["@次郎さん"]),
        ("a@bob bob@bob.org @ bob", [], []),
    ],
)
def test_who_is_meant(text: str, agent_ids: list[str], unknown: list[str]) -> None:
    here = [*HERE, Person("gone-x", "gone-x"), Person("taro", "太郎")]
    found = resolve(read(text), here, lambda: {person.agent_id: True for person in HERE})
    assert found == Meant(agent_ids, unknown)


def test_nobody_is_asked_for_the_living_unless_a_type_is_meant() -> None:
    def living() -> dict[str, bool]:
        raise AssertionError("nobody is meant by type")

    assert resolve(mentions("@bob @nobody"), HERE, living) == Meant(["bob"], ["@nobody"])


def test_who_may_be_dead_comes_last() -> None:
    alive = {"claude-calm-otter": False, "claude-bold-owl": True}
    assert resolve(mentions("@claude"), HERE, lambda: alive).agent_ids == ["claude-bold-owl"]
    assert resolve(mentions("@@claude"), HERE, lambda: alive).agent_ids == ["claude-bold-owl", "claude-calm-otter"]
    assert resolve(mentions("@claude"), HERE, lambda: {"claude-calm-otter": False}).agent_ids == ["claude-calm-otter"]


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z]{1,5}){0,2}", fullmatch=True)
BETWEEN = st.sampled_from([" ", ", ", ". ", "\n", "! (", ") ", ": ", "; see x@y.org, "])


@given(st.lists(st.tuples(st.booleans(), NAMES, BETWEEN), max_size=12))
def test_every_mention_is_found_in_order_and_once(parts: list[tuple[bool, str, str]]) -> None:
    text = " " + "".join(f"{'@@' if whole else '@'}{name}{between}" for whole, name, between in parts)
    assert mentions(text) == list(dict.fromkeys(Mention(name, whole) for whole, name, _ in parts))


@given(st.text(alphabet="@ab-.:`/ (\n", max_size=60))
def test_any_text_is_read(text: str) -> None:
    for one in read(text):
        assert one.name in text
    for one in mentions(text):
        assert one.text in text
