"""The principal: who a request comes from."""

from __future__ import annotations

from typing import Literal

from comity.kernel.named_tuple import NamedTuple

Role = Literal["reader", "worker", "admin"]


class Principal(NamedTuple):
    """The caller of a request.

    ``agent_id`` None: the caller is no agent; ``token_id`` None: no token was shown. ``bound``: the token itself names
    the agent. ``asked``: each request says the agent, and was looked at before it was let in.
    """

    agent_id: str | None
    role: Role
    token_id: str | None
    bound: bool = False
    asked: bool = False
