"""Who a request is from, besides its token: on an open server, or with a token of no agent, a header says it."""

from __future__ import annotations

from starlette.datastructures import Headers

from comity.doors.auth.principal import Principal
from comity.kernel.problem import Forbidden, Invalid

# The first is ours; the others are what clients of MASC send (server reference 1.2).
HEADERS = ("x-comity-agent", "x-masc-agent", "x-masc-agent-name", "x-gate-agent")
_MOST = 200


def named(principal: Principal, headers: Headers) -> Principal:
    """The principal with the agent that a header names. Raises Invalid, and Forbidden for another's name."""
    name = next((value for header in HEADERS if (value := headers.get(header))), None)
    if name is None:
        return principal
    if len(name) > _MOST or not name.isprintable():
        raise Invalid("agent.name", "The agent's name is no name.", f"At most {_MOST} printable characters.")
    if principal.agent_id is None:
        return principal._replace(agent_id=name)
    if name != principal.agent_id:
        raise Forbidden(
            "agent.mismatch",
            f"The token belongs to {principal.agent_id}, the request says that it comes from {name}.",
            "Leave the header out, or use that agent's own token.",
        )
    return principal
