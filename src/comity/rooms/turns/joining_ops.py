"""Who a host's session is. Servers ask it at every call, so it loads nothing of what is told in a turn."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.turns import settling
from comity.rooms.turns.model import Identity, Registering


def _known(scope: Scope, *, register: bool = True) -> Identity | None:
    found = settling.look(scope) if register else settling.find(scope)
    return None if found is None else settling.identity_of(found)


@op("session.identify", effect="write", example={}, peek=_known)
def identify_session(scope: Scope, *, register: Registering = True) -> Identity:
    """Say which agent a session of an agent host is, registering it when it is new."""
    return settling.identity_of(settling.settle(scope) if register else settling.become(scope))
