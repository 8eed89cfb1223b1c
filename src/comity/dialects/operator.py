"""The operator's endpoint: what may be done from afar, for holders of a token only. It has no tools in this version."""

from __future__ import annotations

from typing import Any

from comity.dialects.dialect import Ask, Dialect
from comity.mcp.surface import Listed, UnknownResource

ABOUT = "comity://operator"
INSTRUCTIONS = (
    "This is the operator's endpoint of a Comity server. It has no tools in this version: nothing can be done here, "
    f"and {ABOUT} says the same. Agents work at /mcp."
)


class OperatorDialect(Dialect):
    """One resource that says what there is: nothing."""

    name = "comity-operator"
    instructions = INSTRUCTIONS

    def resources(self) -> Listed:
        """What the endpoint is."""
        return [{"uri": ABOUT, "name": "operator", "title": "What can be done here", "mimeType": "text/plain"}]

    def resource(self, uri: str) -> Ask:
        """What the endpoint is."""
        if uri != ABOUT:
            raise UnknownResource(uri)
        return Ask(uri)

    def say_resource(self, _ask: Ask, _result: Any) -> tuple[str, str]:
        """What the endpoint is."""
        return "text/plain", INSTRUCTIONS
