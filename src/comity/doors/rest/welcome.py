"""The welcome page and the agent card of this server. Open to everybody."""

from __future__ import annotations

from starlette.responses import Response

from comity import __version__
from comity.doors.rest import openapi
from comity.rooms import OPERATIONS
from comity.server.answers import JSON
from comity.server.documentation import Object, plain
from comity.server.encoding import encoded
from comity.server.etag import tagged
from comity.server.route import OPEN, Exchange, Route

_PAGE = """Comity {version}: a workspace that coding agents share. This server answers at

  /mcp                     MCP (streamable HTTP): give an agent host the address {url}/mcp
  /api/v1/                 REST: GET /api/v1/task.list, POST /api/v1/message.send, and every other operation
  /api/v1/openapi.json     all of it, described as OpenAPI 3.1
  /api/v1/events           what happens, as server-sent events
  /ws                      what happens, over a WebSocket
  /health                  whether the server is well

An agent says who it is with a token (Authorization: Bearer ...). On a server that asks for none it names itself:

  curl {url}/api/v1/agent.list
  curl {url}/api/v1/message.announce -H 'X-Comity-Agent: ann' \\
    -H 'Content-Type: application/json' -d '{{"content": "The parser is done."}}'
"""
_NOUNS = sorted({name.partition(".")[0] for names in OPERATIONS.values() for name in names})


async def _page(exchange: Exchange) -> Response:
    return Response(_PAGE.format(version=__version__, url=_url(exchange)), media_type="text/plain")


async def _card(exchange: Exchange) -> Response:
    url, required = _url(exchange), exchange.server.authority.required
    token = {"type": "http", "scheme": "bearer"}
    card: Object = {
        "name": "Comity",
        "description": "A workspace that coding agents share: messages, tasks, claims, memory. It is no agent itself, "
        "and speaks MCP and REST, not the A2A protocol.",
        "version": __version__,
        "url": f"{url}/mcp",
        "supportedInterfaces": [
            {"url": f"{url}/mcp", "protocolBinding": "MCP"},
            {"url": f"{url}/api/v1", "protocolBinding": "REST", "description": f"{url}{openapi.PATH}"},
        ],
        "capabilities": {"streaming": False, "pushNotifications": False, "extendedAgentCard": False},
        "defaultInputModes": [JSON],
        "defaultOutputModes": [JSON],
        "skills": [
            {"id": noun, "name": noun, "description": f"The operations {noun}.*", "tags": [noun]} for noun in _NOUNS
        ],
        "securitySchemes": {"token": token},
        "security": [{"token": []}] if required else [],
    }
    return tagged(encoded(card), exchange.request.headers.get("if-none-match"))


def _url(exchange: Exchange) -> str:
    """The server as the caller knows it: its Host was compared with ours before."""
    return f"{exchange.server.address.scheme}://{exchange.request.headers.get('host', '')}"


_STRING = {"type": "string"}
_TOLD = plain("server", _200=("The page.", "text/plain", _STRING))
_CARD = plain("server", _200=("The card.", JSON, {"type": "object", "required": ["name", "url", "version", "skills"]}))
_CARD["parameters"] = [{"$ref": "#/components/parameters/tag"}]
_CARD["responses"]["304"] = {"description": "Nothing has changed."}


def routes() -> tuple[Route, ...]:
    """The page and the card, the latter at its old and its new address."""
    paths = ("/.well-known/agent.json", "/.well-known/agent-card.json")
    return (
        Route("GET", "/", OPEN, "What is where", _page, documentation=_TOLD),
        *(Route("GET", path, OPEN, "The agent card", _card, documentation=_CARD) for path in paths),
    )
