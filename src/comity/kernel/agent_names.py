"""How agents are called: which names none may have, at every way in, and which a client's program gives."""

from __future__ import annotations

from comity.kernel.lookalikes import is_reserved
from comity.kernel.problem import Invalid
from comity.kernel.quoting import quoted


def require_free(*wanted: str) -> None:
    """Invalid ``agent.reserved`` when one of these would be taken for Comity, the user or the host."""
    for name in wanted:
        if is_reserved(name):
            raise Invalid(
                "agent.reserved",
                f"No agent can be called {quoted(name)}: its words would be taken for those of somebody else.",
                "Choose another one, such as claude-1: where the agent is started (MACP_AGENT_ID, MACP_AGENT_NAME, "
                "--as), in its token or its header, or in the call.",
            )


def of_program(program: str) -> str:
    """The type of agent that a client's program is, for one that said no name."""
    name = "-".join(program.split("-")[:2])
    return "agent" if not name or is_reserved(name) else name
