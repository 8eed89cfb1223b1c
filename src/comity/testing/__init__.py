"""For tests, of Comity and of programs that use it: a clock that is moved by hand, a small world of agents, and a
model that answers agent hosts from a script.

>>> with World() as world:
...     ann, bob = world.agent("ann"), world.agent("bob")
...     sent = ann.message.broadcast(content="I start on the parser.", ttl_seconds=60)
...     print([delivery.content for delivery in bob.message.poll().deliveries])
...     later = world.clock.advance(62)
...     print(bob.message.poll().expired_delivery_ids == sent.delivery_ids)
['I start on the parser.']
True
"""

from comity.testing.model import ModelRequest, ScriptedModel, Step
from comity.testing.wires import ConversationPart, Say, Use
from comity.testing.world import START_MS, FakeClock, FakeMachine, FakeProcess, World

__all__ = [
    "START_MS",
    "ConversationPart",
    "FakeClock",
    "FakeMachine",
    "FakeProcess",
    "ModelRequest",
    "Say",
    "ScriptedModel",
    "Step",
    "Use",
    "World",
]
