"""What a sender is told of its messages: what happened, and never more."""

from __future__ import annotations

from comity import Workspace
from comity.testing import FakeMachine, World
from tests.original import Original
from tests.sim.turn_scenes import hooked


def states(sender: Workspace) -> dict[str, str]:
    """The state of the newest message, by recipient."""
    return {one.agent_id: one.state for one in sender.receipt.list(limit=1).messages[0].receipts}


def test_a_message_on_its_way(world: World) -> None:
    ann, bob = hooked(world, "ann"), world.agent("bob")
    ann.turn.start()
    cid = world.agent("cid")
    sent = bob.message.broadcast(content="The grammar has changed.")
    assert states(bob) == {"ann": "queued", "cid": "queued"}
    said = ann.turn.next(moved=True)
    assert states(bob) == {"ann": "queued", "cid": "queued"}, "leased is not yet given"
    ann.turn.written(injection_id=said.injection_id)
    cid.message.poll()
    assert states(bob) == {"ann": "injected", "cid": "surfaced"}
    ann.turn.next(moved=True)
    cid.message.ack(delivery_id=sent.delivery_ids[1])
    assert states(bob) == {"ann": "seen", "cid": "acknowledged"}
    (message,) = bob.receipt.list(message_id=sent.message_id).messages
    assert (message.from_agent_id, message.excerpt) == ("bob", "The grammar has changed.")
    assert message.receipts[0].seen_at == world.clock.now().iso
    assert ann.receipt.list().messages == [], "one's own"
    assert ann.receipt.list(sender_id="bob").messages == bob.receipt.list().messages


def test_what_never_arrives(world: World) -> None:
    ann, bob = world.agent("ann", max_pending_messages=1), world.agent("bob")
    first = bob.message.send(destination_agent_id="ann", content="low", priority="info")
    bob.message.send(destination_agent_id="ann", content="high", ttl_seconds=5)
    assert bob.receipt.list(message_id=first.message_id).messages[0].receipts[0].state == "dropped"
    world.clock.advance(7)
    assert states(bob) == {"ann": "expired"}, "though nobody has marked it"
    ann.message.poll()
    assert states(bob) == {"ann": "expired"}
    assert bob.receipt.list(message_id="no such message").messages == []


def test_seen_is_not_acknowledged(world: World) -> None:
    ann, bob = hooked(world, "ann"), world.agent("bob")
    ann.turn.start()
    bob.message.send(destination_agent_id="ann", content="word " * 900, ack_level="processed")
    ann.turn.written(injection_id=ann.turn.next().injection_id)
    ann.turn.next(moved=True)
    (receipt,) = bob.receipt.list().messages[0].receipts
    assert (receipt.state, receipt.cut) == ("seen", True)
    server = world.agent("ann", observer=FakeMachine().start())
    server.message.ack(delivery_id=receipt.delivery_id)
    assert states(bob) == {"ann": "acknowledged"}


def test_messages_of_and_to_other_implementations(world: World) -> None:
    bob = world.agent("bob")
    other = Original(world.path, "ann", "ann-1", world.clock)
    other.register()
    other.join("main")
    bob.message.broadcast(content="hello")
    assert states(bob) == {"ann": "queued"}
    other.poll()
    assert states(bob) == {"ann": "surfaced"}
    other.close()
