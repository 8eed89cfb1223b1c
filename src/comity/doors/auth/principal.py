"""Who is behind a request."""

from __future__ import annotations

from typing import Literal

from comity.kernel.named_tuple import NamedTuple

Role = Literal["reader", "worker", "admin"]


class Principal(NamedTuple):
    """Whoever a request comes from. ``agent_id`` None: nobody has said; ``token_id`` None: no token was shown."""

    agent_id: str | None
    role: Role
    token_id: str | None
