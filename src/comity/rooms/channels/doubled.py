"""Words about doubles: a second process that lives under a session's id (``agents.doubles``)."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.quoting import called
from comity.kernel.scope import HostSession, Scope
from comity.rooms.agents import doubles
from comity.rooms.agents.doubles import Double
from comity.rooms.channels import deliveries

_NOTICE_S = 86_400
_ADVICE = "both write one transcript: have your user end one of them, or fork"


def tell(scope: Scope, host: HostSession) -> None:
    """A word to those who have the id already, and to the log, when the actor turns out to be a double."""
    others = doubles.others(scope, host)
    me = called(scope.actor.name, scope.actor.agent_id)
    told = (
        f"A second process, {host.pid}, runs under your session id. Here it is {me}, an agent of its own: what it "
        f"holds is refused to you, and what you hold to it. But {_ADVICE}."
    )
    for one in others:
        deliveries.tell(scope, one.agent_id, told, "steering", _NOTICE_S)
    detail: dict[str, object] = {"host": host.host, "pid": host.pid, "others": [one.agent_id for one in others]}
    scope.emit(Event("session.doubled", agent_id=scope.actor.agent_id, metadata=detail))


def tell_itself(scope: Scope, host: HostSession) -> None:
    """The same word to a double, of which only its server is known: nobody briefs it."""
    others = doubles.others(scope, host)
    if others:
        told = line(others).removeprefix("- ").capitalize() + "."
        deliveries.tell(scope, scope.actor.agent_id, told, "steering", _NOTICE_S)


def line(others: list[Double]) -> str:
    """A line of the brief about them."""
    who = " and ".join(f"process {one.pid}, here {one.called}" for one in others)
    return f"- your session id is that of {who}, too. Each is an agent of its own, but {_ADVICE}"
