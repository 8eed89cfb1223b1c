"""The header that names a request's agent: on an open server, or with a token of no agent."""

from __future__ import annotations

from starlette.datastructures import Headers

from comity.kernel.problem import Invalid

# The first is ours; the others are what clients of MASC send (server reference 1.2).
HEADERS = ("x-comity-agent", "x-masc-agent", "x-masc-agent-name", "x-gate-agent")
_MOST = 200


def name_in(headers: Headers) -> str | None:
    """The agent that a request's headers name. Raises Invalid ``agent.name``."""
    name = next((value for header in HEADERS if (value := headers.get(header))), None)
    return None if name is None else a_name(name)


def a_name(name: str) -> str:
    """``name`` as an agent's name. Raises Invalid ``agent.name``."""
    if not 0 < len(name) <= _MOST or not name.isprintable():
        raise Invalid("agent.name", "The agent's name is no name.", f"At most {_MOST} printable characters.")
    return name
