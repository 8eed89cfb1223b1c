"""Headers of MCP 2026-07-28 that repeat what the body says: both must agree.

Authoritative: MCP 2026-07-28, Streamable HTTP, "Standard MCP Request Headers", "Custom Headers from Tool Parameters".
Gateways route by the headers, so a server that believed the body alone could be made to do what no gateway let through.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.datastructures import Headers

from comity.mcp.era import REQUEST_VERSIONS, VERSION_KEY, unsupported
from comity.mcp.request import Rejected

VERSION = "mcp-protocol-version"
METHOD, NAME = "mcp-method", "mcp-name"
MISMATCH = -32020
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_PARAM, _DECLARED = "mcp-param-", "x-mcp-header"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ENCODED = re.compile(r"=\?base64\?(.*)\?=", re.DOTALL)
_WHOLE = re.compile(r"-?[0-9]+(\.0*)?")


def check(headers: Headers, message: Mapping[str, Any], schema: object) -> None:
    """Raises Rejected unless headers and body agree. ``schema``: the input schema of the tool that is called."""
    for name in (VERSION, METHOD, NAME):
        if len(headers.getlist(name)) > 1:
            raise _mismatch(f"{name} header appears more than once")
    params = message.get("params")
    params = params if isinstance(params, dict) else {}
    meta = params.get("_meta")
    version = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    if version is not None and headers.get(VERSION) != version:
        raise _mismatch(f"{VERSION} header does not match the request's own protocol version")
    if (said := headers.get(VERSION, "")) not in REQUEST_VERSIONS:
        raise unsupported(said)  # whatever else its headers say is that version's business
    method = message.get("method")
    if headers.get(METHOD) != method:
        raise _mismatch(f"{METHOD} header does not match the request's method")
    key = _NAMED.get(str(method))
    if key is not None and params.get(key) is not None and _decoded(headers.get(NAME)) != params[key]:
        raise _mismatch(f"{NAME} header does not match params.{key}")
    if method == "tools/call":
        given = params.get("arguments")
        for path, header, kind in _declared(schema):
            _check_param(headers, header, kind, path, given)


def _check_param(headers: Headers, header: str, kind: object, path: tuple[str, ...], given: object) -> None:
    name, told = f"{_PARAM}{header.lower()}", headers.getlist(f"{_PARAM}{header.lower()}")
    for step in path:
        given = given.get(step) if isinstance(given, dict) else None
    if len(told) > 1:
        raise _mismatch(f"{name} header appears more than once")
    value = ("true" if given else "false") if isinstance(given, bool) else given
    if not isinstance(value, str | int | float):  # nothing that a header can say
        if told:
            raise _mismatch(f"{name} header is there, and the argument {'.'.join(path)} is not")
        return
    if not told:
        raise _mismatch(f"{name} header is missing, and the argument {'.'.join(path)} is there")
    said = _decoded(told[0])
    if said is None or not (said == str(value) or (kind == "integer" and _same_number(said, value))):
        raise _mismatch(f"{name} header does not match the argument {'.'.join(path)}")


def _same_number(said: str, value: object) -> bool:
    return (
        _WHOLE.fullmatch(said) is not None and isinstance(value, int | float) and int(said.partition(".")[0]) == value
    )


def _declared(schema: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, object]]:
    """Path, header and type of each argument that a schema says is told in a header, too."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name, part in properties.items() if isinstance(properties, dict) else ():
        header = part.get(_DECLARED) if isinstance(part, dict) else None
        if isinstance(header, str) and _TOKEN.fullmatch(header):
            yield (*path, name), header, part.get("type")
        yield from _declared(part, (*path, name))


def _decoded(value: str | None) -> str | None:
    """A header's text; None when its encoding is broken, so that it matches nothing."""
    wrapped = _ENCODED.fullmatch(value) if value is not None else None
    if wrapped is None:
        return value
    try:
        raw = base64.b64decode(wrapped[1], validate=True)
        return raw.decode() if base64.b64encode(raw).decode() == wrapped[1] else None
    except (binascii.Error, ValueError):
        return None


def _mismatch(told: str) -> Rejected:
    return Rejected(MISMATCH, told)
