"""The tools, prompts and resources that the public MCP conformance runner asks a server for, as a dialect.

Names and contents are the runner's. What Comity does not do (completion, sampling, elicitation, input rounds, tasks) is
not here: those checks stand in ``expected.yml``.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection
from typing import Any

from comity.dialects.dialect import Listed, UnknownPrompt, UnknownResource
from comity.dialects.seat import Seat
from comity.kernel.problem import Conflict, Problem
from comity.mcp.surface import Content, ToolCall, UnknownTool

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
WAV = b"RIFF\x26\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\2\0\0\0\x80\x80"
WATCHED, TEXT, BINARY = "test://watched-resource", "test://static-text", "test://static-binary"
_TEMPLATE = re.compile(r"test://template/([^/]+)/data")
_NOTHING = {"type": "object", "properties": {}}


def _text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def _media(kind: str, data: bytes, mime: str) -> dict[str, Any]:
    return {"type": kind, "data": base64.b64encode(data).decode(), "mimeType": mime}


def _embedded(uri: str, mime: str, said: str) -> dict[str, Any]:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime, "text": said}}


IMAGE = _media("image", PNG, "image/png")


# -- tools


def _simple(_arguments: dict[str, Any], _call: ToolCall) -> Content:
    return "This is a simple text response for testing."


def _image(_arguments: dict[str, Any], _call: ToolCall) -> Content:
    return [IMAGE]


def _audio(_arguments: dict[str, Any], _call: ToolCall) -> Content:
    return [_media("audio", WAV, "audio/wav")]


def _resource(_arguments: dict[str, Any], _call: ToolCall) -> Content:
    return [_embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]


def _mixed(_arguments: dict[str, Any], _call: ToolCall) -> Content:
    data = _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
    return [_text("Multiple content types test:"), IMAGE, data]


def _fails(_arguments: dict[str, Any], _call: ToolCall) -> Content:
    raise Conflict("test.error", "This tool intentionally returns an error for testing", "Nothing helps.")


def _progress(_arguments: dict[str, Any], call: ToolCall) -> Content:
    for done in (0, 50, 100):
        call.progress(done, 100)
    return "It went through three steps."


def _quiet(_arguments: dict[str, Any], _call: ToolCall) -> Content:
    return "Nothing was logged."


def _told(arguments: dict[str, Any], _call: ToolCall) -> Content:
    return f"Arguments: {', '.join(sorted(arguments))}"


SCHEMA_2020 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
MIRRORED = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "priority": {"type": "integer", "x-mcp-header": "Priority"},
        "query": {"type": "string"},
    },
    "required": ["region"],
}
Run = Callable[[dict[str, Any], ToolCall], Content]
TOOLS: dict[str, tuple[str, dict[str, Any], Run]] = {
    "test_simple_text": ("Answers text", _NOTHING, _simple),
    "test_image_content": ("Answers an image", _NOTHING, _image),
    "test_audio_content": ("Answers a sound", _NOTHING, _audio),
    "test_embedded_resource": ("Answers a resource", _NOTHING, _resource),
    "test_multiple_content_types": ("Answers text, an image and a resource", _NOTHING, _mixed),
    "test_error_handling": ("Always fails", _NOTHING, _fails),
    "test_tool_with_progress": ("Tells how far it is", _NOTHING, _progress),
    "test_logging_tool": ("Would log if it were asked to", _NOTHING, _quiet),
    "test_streaming_elicitation": ("Tells how far it is and asks for nothing", _NOTHING, _progress),
    "json_schema_2020_12_tool": ("Tool with JSON Schema 2020-12 features", SCHEMA_2020, _told),
    "test_header_arguments": ("Has arguments that headers say, too", MIRRORED, _told),
}


# -- prompts


def _said(content: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": content}


def _argument(name: str) -> dict[str, Any]:
    return {"name": name, "description": f"The {name}", "required": True}


Say = Callable[[dict[str, str]], list[dict[str, Any]]]
PROMPTS: dict[str, tuple[str, list[str], Say]] = {
    "test_simple_prompt": ("Text", [], lambda _: [_text("This is a simple prompt for testing.")]),
    "test_prompt_with_arguments": (
        "Text with two arguments",
        ["arg1", "arg2"],
        lambda given: [_text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")],
    ),
    "test_prompt_with_embedded_resource": (
        "A resource and text",
        ["resourceUri"],
        lambda given: [
            _embedded(given["resourceUri"], "text/plain", "Embedded resource content for testing."),
            _text("Please process the embedded resource above."),
        ],
    ),
    "test_prompt_with_image": ("An image and text", [], lambda _: [IMAGE, _text("Please analyze the image above.")]),
}


class Fixture:
    """Everything that the runner asks for and Comity's core can say."""

    name = "comity-conformance"
    version = "1.0"
    instructions = "For the conformance runner only."
    joins = False

    def tools(self) -> list[Any]:
        return [
            {"name": name, "description": f"{what}.", "inputSchema": schema}
            for name, (what, schema, _) in TOOLS.items()
        ]

    def call(self, _seat: Seat, name: str, arguments: dict[str, Any], call: ToolCall) -> Content:
        if name not in TOOLS:
            raise UnknownTool(name)
        return TOOLS[name][2](arguments, call)

    def render_result(self, result: Content) -> tuple[Content, Any]:
        return result, None

    def render_problem(self, problem: Problem) -> str:
        return problem.message

    def resources(self) -> Listed:
        kinds = {TEXT: "text/plain", BINARY: "image/png", WATCHED: "text/plain"}
        return [{"uri": uri, "name": uri.partition("//")[2], "mimeType": mime} for uri, mime in kinds.items()]

    def resource_templates(self) -> Listed:
        return [{"uriTemplate": "test://template/{id}/data", "name": "template", "mimeType": "application/json"}]

    def read_resource(self, _seat: Seat, uri: str, _call: ToolCall) -> tuple[str, str | bytes]:
        if uri == BINARY:
            return "image/png", PNG
        if uri in (TEXT, WATCHED):
            return "text/plain", f"This is the content of {uri}."
        found = _TEMPLATE.fullmatch(uri)
        if found is None:
            raise UnknownResource(uri)
        return "application/json", f'{{"id":"{found[1]}","templateTest":true,"data":"Data for ID: {found[1]}"}}'

    def prompts(self) -> Listed:
        return [
            {"name": name, "description": f"{what}.", "arguments": [_argument(one) for one in wanted]}
            for name, (what, wanted, _) in PROMPTS.items()
        ]

    def get_prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        if name not in PROMPTS:
            raise UnknownPrompt(name)
        return {"messages": [_said(content) for content in PROMPTS[name][2](arguments)]}

    def changed(self, event_types: Collection[str]) -> Collection[str]:
        return [WATCHED] if event_types else []
