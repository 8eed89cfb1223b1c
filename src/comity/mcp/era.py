"""The era of MCP that a request belongs to: its version was settled by a handshake, or stands in the request itself.

Authoritative: MCP 2026-07-28, "Versioning and Compatibility" and "Per-request protocol fields".
"""

from __future__ import annotations

from comity.mcp import wire
from comity.mcp.request import Rejected, Request

HANDSHAKE_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")  # newest first
REQUEST_VERSIONS = ("2026-07-28",)
BATCH_VERSION = "2025-03-26"  # the only revision with JSON-RPC batches

META = "io.modelcontextprotocol/"
VERSION_KEY = META + "protocolVersion"
CAPABILITIES_KEY = META + "clientCapabilities"
CLIENT_KEY = META + "clientInfo"
SERVER_KEY = META + "serverInfo"

_ONLY_MODERN = frozenset({"server/discover", "subscriptions/listen"})


def settle(request: Request, method: str, *, alone: bool = False) -> bool:
    """Read a request's own version and client, if it brings them; false: it belongs to the handshake's era.

    ``alone``: it was said elsewhere that there is no handshake. Raises Rejected for an envelope with errors.
    """
    meta = request.meta
    enveloped = VERSION_KEY in meta or CAPABILITIES_KEY in meta or method in _ONLY_MODERN
    if not alone and (method == "initialize" or not enveloped):
        return False
    missing = [key for key in (VERSION_KEY, CAPABILITIES_KEY) if key not in meta]
    if missing:
        raise Rejected(wire.INVALID_PARAMS, f"params._meta lacks {' and '.join(missing)}.")
    version = meta[VERSION_KEY]
    if type(version) is not str or type(meta[CAPABILITIES_KEY]) is not dict:
        raise Rejected(wire.INVALID_PARAMS, f"{VERSION_KEY} is a string, {CAPABILITIES_KEY} an object.")
    if version not in REQUEST_VERSIONS:
        raise unsupported(version)
    if request.batch is not None:
        raise Rejected(wire.INVALID_REQUEST, f"MCP {version} has no batches.")
    client = meta.get(CLIENT_KEY)
    request.modern, request.version = True, version
    request.client = client if type(client) is dict else {}
    return True


def unsupported(version: str) -> Rejected:
    """The refusal of a request's own version. It lists what ``server/discover`` lists."""
    told = "Unsupported protocol version"
    if version in HANDSHAKE_VERSIONS:
        told = "This protocol version is spoken after initialize, not by _meta"
    return Rejected(wire.UNSUPPORTED_PROTOCOL_VERSION, told, {"supported": REQUEST_VERSIONS, "requested": version})
