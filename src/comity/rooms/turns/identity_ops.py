"""Who a host's session is. Servers ask it at every call, so it loads nothing of what is told in a turn."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.turns import speaker
from comity.rooms.turns.model import Identity, Registering


def _known(scope: Scope, *, register: bool = True) -> Identity | None:
    found = speaker.look(scope) if register else speaker.find(scope)
    return None if found is None else speaker.identity_of(found)


@op("session.identify", effect="write", example={}, peek=_known)
def identify_session(scope: Scope, *, register: Registering = True) -> Identity:
    """Say which agent a session of an agent host is, registering it when it is new."""
    return speaker.identity_of(speaker.settle(scope) if register else speaker.become(scope))
