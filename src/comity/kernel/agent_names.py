"""How agents are called: which names none may have, at every way in, and what a made name tells."""

from __future__ import annotations

from comity.kernel.lookalikes import is_reserved
from comity.kernel.problem import Invalid
from comity.kernel.quoting import quoted

_PARTS = 3  # of a name that was made here: <type>-<adjective>-<animal>


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


def is_made(name: str) -> bool:
    """Whether a name looks like one that was made here."""
    parts = name.split("-")
    return len(parts) >= _PARTS and all(parts)


def kind_of(name: str) -> str:
    """The type that a made name begins with; any other name is its own."""
    return name.rsplit("-", 2)[0] if is_made(name) else name
