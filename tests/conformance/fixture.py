"""The tools, prompts and resources that the public MCP conformance runner asks a server for, as a dialect.

Names and contents are the runner's. What Comity does not do (completion, sampling, elicitation, input rounds, tasks) is
not here: those checks stand in ``expected.yml``.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from comity.dialects.dialect import Ask, Dialect
from comity.kernel.op import long_op
from comity.kernel.problem import Conflict, Problem
from comity.kernel.steps import Steps
from comity.mcp.surface import Content, Listed, UnknownPrompt, UnknownResource, UnknownTool

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


def _simple(_arguments: Mapping[str, Any]) -> Content:
    return "This is a simple text response for testing."


def _image(_arguments: Mapping[str, Any]) -> Content:
    return [IMAGE]


def _audio(_arguments: Mapping[str, Any]) -> Content:
    return [_media("audio", WAV, "audio/wav")]


def _resource(_arguments: Mapping[str, Any]) -> Content:
    return [_embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]


def _mixed(_arguments: Mapping[str, Any]) -> Content:
    data = _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
    return [_text("Multiple content types test:"), IMAGE, data]


def _fails(_arguments: Mapping[str, Any]) -> Content:
    raise Conflict("test.error", "This tool intentionally returns an error for testing", "Nothing helps.")


@long_op("task.progress", effect="read", example={})  # a name that workers are granted
def progress(steps: Steps) -> str:
    """Tell how far it is, as an operation of several transactions does."""
    for done in (0, 50, 100):
        steps.report(done, 100, "")
    return "It went through three steps."


def _quiet(_arguments: Mapping[str, Any]) -> Content:
    return "Nothing was logged."


def _told(arguments: Mapping[str, Any]) -> Content:
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
Run = Callable[[Mapping[str, Any]], Content]
TOOLS: dict[str, tuple[str, dict[str, Any], Run | None]] = {
    "test_simple_text": ("Answers text", _NOTHING, _simple),
    "test_image_content": ("Answers an image", _NOTHING, _image),
    "test_audio_content": ("Answers a sound", _NOTHING, _audio),
    "test_embedded_resource": ("Answers a resource", _NOTHING, _resource),
    "test_multiple_content_types": ("Answers text, an image and a resource", _NOTHING, _mixed),
    "test_error_handling": ("Always fails", _NOTHING, _fails),
    "test_tool_with_progress": ("Tells how far it is", _NOTHING, None),
    "test_logging_tool": ("Would log if it were asked to", _NOTHING, _quiet),
    "test_streaming_elicitation": ("Tells how far it is and asks for nothing", _NOTHING, None),
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


class Fixture(Dialect):
    """Everything that the runner asks for and Comity's core can say. Tools without a function of their own report."""

    name = "comity-conformance"
    version = "1.0"
    instructions = "For the conformance runner only."

    def tools(self) -> list[Any]:
        return [
            {"name": name, "description": f"{what}.", "inputSchema": schema}
            for name, (what, schema, _) in TOOLS.items()
        ]

    def ask(self, name: str, arguments: dict[str, Any]) -> Ask:
        if name not in TOOLS:
            raise UnknownTool(name)
        run = TOOLS[name][2]
        return Ask(name, progress) if run is None else Ask(name, detail=run(arguments))

    def say(self, ask: Ask, result: Any) -> tuple[Content, Any]:
        return result or ask.detail, None

    def complain(self, _ask: Ask | None, problem: Problem) -> str:
        return problem.message

    def resources(self) -> Listed:
        kinds = {TEXT: "text/plain", BINARY: "image/png", WATCHED: "text/plain"}
        return [{"uri": uri, "name": uri.partition("//")[2], "mimeType": mime} for uri, mime in kinds.items()]

    def resource_templates(self) -> Listed:
        return [{"uriTemplate": "test://template/{id}/data", "name": "template", "mimeType": "application/json"}]

    def resource(self, uri: str) -> Ask:
        found = _TEMPLATE.fullmatch(uri)
        if found is not None:
            told = f'{{"id":"{found[1]}","templateTest":true,"data":"Data for ID: {found[1]}"}}'
            return Ask(uri, detail=("application/json", told))
        if uri == BINARY:
            return Ask(uri, detail=("image/png", PNG))
        if uri in (TEXT, WATCHED):
            return Ask(uri, detail=("text/plain", f"This is the content of {uri}."))
        raise UnknownResource(uri)

    def say_resource(self, ask: Ask, _result: Any) -> tuple[str, str | bytes]:
        mime, content = ask.detail
        return mime, content

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
