"""Callers, at every door: known by a token, by a name, and on an open server by being this user.

A server that wants no token is for the user who started it. Others of the same machine can reach its port all the same,
so a client without a token is looked at: the kernel tells whose the client's end of the connection is.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from starlette.types import Scope

from comity.kernel.problem import Unauthenticated
from comity.server.address import LOOPBACK
from comity.server.auth.authority import Authority
from comity.server.auth.principal import Principal
from comity.server.auth.wrong_tokens import WrongTokens
from comity.server.peer import Peers, Untold

_ROOT = 0
_KNOWN_S, _MOST_KNOWN = 0.2, 2000  # the system gives a port that its holder closed to no other for a second
Address = tuple[str, int]  # host and port


class Callers:
    """Tells who they are, or refuses them. Used on the event loop only."""

    def __init__(self, authority: Authority, peers: Peers) -> None:
        self._authority = authority
        self._peers = peers
        self._failures = WrongTokens()
        self._own = os.geteuid() if sys.platform == "linux" else None
        self._ours_until: dict[tuple[Address, Address], float] = {}  # connections of this user, for a moment

    def identify(self, scope: Scope, authorization: Sequence[str], name: Callable[[], str | None]) -> Principal:
        """Who shows these ``Authorization`` headers over a connection, as the agent that ``name`` tells, if it does.

        Raises Unauthenticated (``token.…``, ``peer.other_user``), Forbidden (``agent.…``), Limited, Invalid.
        """
        try:
            principal = self._authority.of(authorization or None)
        except Unauthenticated:
            if authorization:
                self._failures.note(_address(scope))
            raise
        if principal.token_id is None:
            self._require_this_user(scope)
        agent_id = name()
        return principal if agent_id is None else self._authority.named(principal, agent_id)

    def _require_this_user(self, scope: Scope) -> None:
        """Unauthenticated ``peer.other_user`` when another user of this machine asks."""
        client, server = connection(scope)
        if self._own is None or client is None or server is None or client[0] not in LOOPBACK:
            return
        now = time.monotonic()
        if now < self._ours_until.get((client, server), 0.0):
            return
        try:
            end = self._peers.end(client, server)
        except Untold:
            return
        if end is None or end.uid not in (self._own, _ROOT):
            raise Unauthenticated(
                "peer.other_user",
                "This server is open to the user who started it, and you are another one.",
                "Ask them for a token: `comity token create`.",
            )
        if len(self._ours_until) >= _MOST_KNOWN:
            self._ours_until.clear()
        if not _ends(scope):
            self._ours_until[client, server] = now + _KNOWN_S


def _ends(scope: Scope) -> bool:
    """Whether the server closes the connection after this request, so that its port may be another user's at once."""
    return any(name == b"connection" and b"close" in value.lower() for name, value in scope["headers"])


def connection(scope: Scope) -> tuple[Address | None, Address | None]:
    """The client's and the server's address and port, as far as the listener tells."""
    return _end(scope.get("client")), _end(scope.get("server"))


def _end(told: Any) -> Address | None:
    return (str(told[0]), int(told[1])) if told else None  # granian tells ports as text


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
