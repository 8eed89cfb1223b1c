"""Announcing: the channel gets it, the mentioned get it directly, and everybody can read it later by number."""

from __future__ import annotations

import random
import threading

import pytest

from comity import Problem, Workspace
from comity.kernel.scope import Limits
from comity.testing import FakeMachine, World
from tests.original import Original
from tests.rooms.channels.rows import put
from tests.wire_format import check, dump, rows


def heard(agent: Workspace) -> list[tuple[str, int, str | None]]:
    """What waits for an agent: its kind, how urgent it is, and its channel."""
    return [(one.type, one.priority, one.channel_id) for one in agent.message.poll(max_messages=100).deliveries]


CHANNEL, DIRECT = ("broadcast", 1, "main"), ("mention", 2, None)


def test_mentions_reach_exactly_their_targets(world: World) -> None:
    ann = world.agent("ann", name="Ann")
    agents = {name: world.agent(name) for name in ("bob", "claude-calm-otter", "claude-bold-owl", "claudette")}
    agents["codex-far-away"] = world.agent("codex-far-away", channel="other")
    said = ann.message.announce(content="  @bob and @@claude, ask @codex; not @gemini, @ann or x@claudette.org\n")
    assert said.recipients == 4
    assert said.mentioned == ["bob", "claude-bold-owl", "claude-calm-otter", "codex-far-away"]
    assert said.unknown_mentions == ["@gemini"]
    assert said.refused == ()
    assert {name: heard(agent) for name, agent in agents.items()} == {
        "bob": [DIRECT, CHANNEL],
        "claude-calm-otter": [DIRECT, CHANNEL],
        "claude-bold-owl": [DIRECT, CHANNEL],
        "claudette": [CHANNEL],
        "codex-far-away": [DIRECT],
    }
    (direct,) = agents["codex-far-away"].message.poll().deliveries
    text = "@bob and @@claude, ask @codex; not @gemini, @ann or x@claudette.org"
    assert direct.content == f"Ann mentions you in channel main: {text}"
    assert direct.context.source_references == [f"message:{said.message_id}"]
    assert heard(ann) == []
    check(world.path)


def test_emphasis_and_punctuation_keep_nobody_from_hearing_it(world: World) -> None:
    ann, bob, alice = world.agent("ann"), world.agent("bob"), world.agent("alice")
    written = (
        *(
            "**@bob** please look",
            "*@bob*",
            "**@bob:**",
            "_@bob_",
            "cc:@bob",
            "to:@bob",
            "@bob/alice",
            "@bob(reviewer)",
        ),
        *("1.@bob", "@bob@alice", "#@bob", "- @bob", "| @bob |", "> **@bob**"),
    )
    for text in written:
        said = ann.message.announce(content=text)
        assert said.mentioned[0] == "bob", text
        assert said.unknown_mentions == [], text
    assert [one for one in heard(bob) if one == DIRECT] == [DIRECT] * len(written)
    assert [one for one in heard(alice) if one == DIRECT] == [DIRECT], "only @bob@alice names her"


def test_what_looks_like_a_mention_and_reaches_nobody_is_named(world: World) -> None:
    ann = world.agent("ann")
    said = ann.message.announce(
        content="**@carol**, @dan/eve, cc:@fay, @gus(x), @[hal] and a@b.org, `@ian`, @types/node"
    )
    assert (said.mentioned, said.unknown_mentions) == ([], ["@carol", "@dan", "@fay", "@gus", "@hal", "@types"])
    assert ann.message.history().messages[0].mentions == ["@carol", "@fay"]


def test_code_mentions_nobody(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    for text in ("~~~\n@bob\n~~~", "```\n@bob\n```", "    @bob (indented code)", "look:\n\n    @bob()\n", "`@bob`"):
        said = ann.message.announce(content=text)
        assert (said.mentioned, said.unknown_mentions) == ([], []), text
    assert DIRECT not in heard(bob)


@pytest.mark.parametrize("content", [" ", "\n\t", "\u00a0"])
def test_what_is_blank_is_refused(world: World, content: str) -> None:
    ann = world.agent("ann")
    before = dump(world.path)
    with pytest.raises(Problem) as refused:
        ann.message.announce(content=content)
    assert refused.value.reason == "message.blank"
    assert dump(world.path) == before


def test_a_type_means_the_first_that_lives(world: World) -> None:
    machine = FakeMachine()
    first = machine.start()
    world.agent("claude-calm-otter", observer=first)
    world.clock.advance(1)
    world.agent("claude-bold-owl", observer=machine.start())
    ann = world.agent("ann", observer=machine.start())
    assert ann.message.announce(content="@claude one").mentioned == ["claude-calm-otter"]
    machine.end(first)
    assert ann.message.announce(content="@claude two").mentioned == ["claude-bold-owl"]
    assert ann.message.announce(content="@@claude three").mentioned == ["claude-bold-owl"]
    assert ann.message.announce(content="@claude-calm-otter").mentioned == ["claude-calm-otter"]  # by its own name


def test_a_full_queue_stops_nobody_else(world: World) -> None:
    ann, bob, cid = world.agent("ann"), world.agent("bob", max_pending_messages=1), world.agent("cid")
    ann.message.send(destination_agent_id="bob", content="now", priority="interrupt")
    said = ann.message.announce(content="@bob @cid")
    assert (said.recipients, said.mentioned) == (1, ["cid"])
    assert [(one.agent_id, one.reason_code) for one in said.refused] == [
        ("bob", "MACP_ERR_QUEUE_FULL_REJECT_INCOMING")
    ] * 2
    assert heard(cid) == [DIRECT, CHANNEL]
    assert len(heard(bob)) == 1


def test_repeating_it_sends_nothing_again(world: World) -> None:
    host = FakeMachine().start(program="codex")
    ann = world.agent("ann", limits=Limits(repeat_s=30), observer=host)
    bob = world.agent("bob")
    first = ann.message.announce(content="@bob")
    bob.message.announce(content="between")
    again = ann.message.announce(content="@bob")
    assert (again.message_id, again.seq, again.repeated) == (first.message_id, first.seq, True)
    assert heard(bob) == [DIRECT, CHANNEL]


def test_mentions_to_and_fro_are_damped_too(world: World) -> None:
    limits = Limits(per_minute=3)
    ann = world.agent("ann", limits=limits, observer=FakeMachine().start(program="codex"))
    world.agent("bob", channel="other")
    told = [ann.message.announce(content=f"@bob {number}") for number in range(4)]
    assert [len(one.mentioned) for one in told] == [1, 1, 1, 0]
    assert told[3].refused[0].reason_code == "message.too_often"


def test_what_nobody_was_there_to_hear_is_read_later(world: World) -> None:
    ann = world.agent("ann")
    said = ann.message.announce(content="I begin")
    assert (said.recipients, said.mentioned) == (0, [])
    assert heard(ann) == []
    bob = world.agent("bob")
    (one,) = bob.message.history().messages
    assert (one.seq, one.message_id, one.from_agent_id, one.content) == (said.seq, said.message_id, "ann", "I begin")
    check(world.path)


def test_history_is_in_order_whoever_wrote(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    world.agent("cid")
    peer = Original(world.path, "old", "old-session", world.clock)
    peer.register()
    peer.join("main")
    said = [ann.message.announce(content="one @bob").seq]
    bob.message.broadcast(content="two", priority="steering")
    bob.message.send(destination_agent_id="ann", content="secret")
    peer.send_channel("main", "three")
    said.append(bob.message.announce(content="four").seq)
    told = ann.message.history()
    assert [one.content for one in told.messages] == ["one @bob", "two", "three", "four"]
    assert [one.from_agent_id for one in told.messages] == ["ann", "bob", "old", "bob"]
    assert [one.priority for one in told.messages] == ["advisory", "steering", "advisory", "advisory"]
    assert told.messages[0].mentions == ["@bob"]
    numbers = [one.seq for one in told.messages]
    assert numbers == sorted(numbers)
    assert [numbers[0], numbers[3]] == said
    assert told.cursor == told.latest_seq == numbers[3]
    assert ann.message.history(since_seq=told.cursor) == ([], told.cursor, told.latest_seq)
    assert [one.content for one in ann.message.history(newest=True, limit=2).messages] == ["three", "four"]
    step = ann.message.history(limit=2)
    assert [one.content for one in ann.message.history(since_seq=step.cursor).messages] == ["three", "four"]
    peer.close()


def test_only_members_read_and_only_their_channel(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob", channel="other", oversees=False)
    ann.message.announce(content="for main")
    bob.message.announce(content="for other")
    assert [one.content for one in bob.message.history().messages] == ["for other"]
    for agent, reason in (
        (bob, "MACP_ERR_SENDER_NOT_MEMBER"),
        (world.agent("x", start=False), "MACP_ERR_SESSION_UNKNOWN"),
    ):
        with pytest.raises(Problem) as refused:
            agent.message.history(channel_id="main")
        assert refused.value.reason == reason


def test_malformed_and_long_messages_are_told_as_far_as_they_go(world: World) -> None:
    ann = world.agent("ann")
    ann.message.announce(content="x" * 20_000)
    put(
        world.path,
        channel_id="main",
        from_json="broken",
        priority=9,
        destination_agent_id="ann",
        to="main",
        state="odd",
    )
    rows(
        world.path,
        "INSERT INTO audit_log (event_type, message_id, delivery_id, agent_id, channel_id, timestamp)"
        " SELECT 'message.send', message_id, delivery_id, 'ann', 'main', '' FROM messages WHERE state = 'odd'",
    )
    long, broken = ann.message.history().messages
    assert (len(long.content), long.cut) == (10_000, True)
    assert (broken.from_name, broken.priority, broken.content, broken.cut) == ("unknown", "unknown", "by hand", False)


def test_a_follower_misses_nothing_and_hears_nothing_twice(world: World) -> None:
    """While threads announce, one follows the cursor."""
    readers, speakers = world.agent("reader"), [world.agent(f"speaker-{place}") for place in range(4)]
    over = threading.Event()
    told: list[str] = []

    def follow() -> None:
        chance, cursor = random.Random(1), 0
        while True:
            last = over.is_set()
            page = readers.message.history(since_seq=cursor, limit=chance.randint(1, 7))
            told.extend(one.content for one in page.messages)
            cursor = page.cursor
            if last and not page.messages:
                return

    def speak(agent: Workspace) -> None:
        for number in range(25):
            agent.message.announce(content=f"{agent.actor.agent_id} {number}")

    follower = threading.Thread(target=follow)
    threads = [threading.Thread(target=speak, args=(agent,)) for agent in speakers]
    for thread in (follower, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    follower.join()
    assert len(told) == len(set(told)) == 100
    for agent in speakers:
        mine = [text for text in told if text.startswith(f"{agent.actor.agent_id} ")]
        assert mine == [f"{agent.actor.agent_id} {number}" for number in range(25)]
