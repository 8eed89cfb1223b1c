"""The four wire formats in which agent hosts talk to models, each read and answered: Anthropic's messages, OpenAI's
responses and chat completions, Gemini's generated content. All answers can be streams of server-sent events.

Only what a script needs is read: who said what, and which tools there are. Only what hosts need is answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from comity.kernel.named_tuple import NamedTuple

Who = Literal["system", "user", "model", "tool"]
Json = dict[str, Any]


class Say(NamedTuple):
    """The model says this and ends its turn."""

    text: str


class Use(NamedTuple):
    """The model calls a tool of its host. Some tools of OpenAI's responses take text; there tools may also stand in a
    namespace, written before the name and a slash.
    """

    tool: str
    arguments: Mapping[str, Any] | str = {}


class ConversationPart(NamedTuple):
    """One thing said in the conversation so far. ``tool`` is the tool that the model called, where this is a call."""

    who: Who
    text: str
    tool: str = ""


class Wire(NamedTuple):
    """One format. ``parts`` and ``tools`` read a request; ``stream`` and ``whole`` answer it."""

    name: str
    parts: Callable[[Json], Iterator[ConversationPart]]
    tools: Callable[[Json], Iterator[str]]
    stream: Callable[[str, tuple[Say | Use, ...], str], Iterator[Json | str]]
    whole: Callable[[str, tuple[Say | Use, ...], str], Json]


def _plain(content: object) -> str:
    """The text in a content, which is text, or a list of objects with text, or anything else as JSON."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_plain(item) for item in content)
    if isinstance(content, dict):
        for key in ("text", "content", "output"):
            if key in content:
                return _plain(content[key])
        return json.dumps(content)
    return "" if content is None else str(content)


def _objects(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _who(role: object) -> Who:
    return {"assistant": "model", "model": "model", "tool": "tool", "user": "user"}.get(str(role), "system")  # type: ignore[return-value]


# -- Anthropic messages


def _messages_parts(body: Json) -> Iterator[ConversationPart]:
    if "system" in body:
        yield ConversationPart("system", _plain(body["system"]))
    for message in _objects(body.get("messages")):
        who, content = _who(message.get("role")), message.get("content")
        if not isinstance(content, list):
            yield ConversationPart(who, _plain(content))
            continue
        for item in _objects(content):
            if item.get("type") == "tool_use":
                yield ConversationPart("model", json.dumps(item.get("input")), str(item.get("name")))
            elif item.get("type") == "tool_result":
                yield ConversationPart("tool", _plain(item.get("content")))
            else:
                yield ConversationPart(who, _plain(item))


def _messages_tools(body: Json) -> Iterator[str]:
    return (str(tool.get("name")) for tool in _objects(body.get("tools")))


_TOKENS = {"input_tokens": 100, "output_tokens": 10}


def _messages_whole(model: str, step: tuple[Say | Use, ...], answer_id: str) -> Json:
    blocks: list[Json] = [
        {"type": "text", "text": one.text}
        if isinstance(one, Say)
        else {
            "type": "tool_use",
            "id": f"toolu_{answer_id}_{place}",
            "name": one.tool,
            "input": _fields(one),
        }
        for place, one in enumerate(step)
    ]
    return {
        "id": f"msg_{answer_id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": blocks,
        "stop_reason": "tool_use" if _calls(step) else "end_turn",
        "stop_sequence": None,
        "usage": _TOKENS,
    }


def _messages_stream(model: str, step: tuple[Say | Use, ...], answer_id: str) -> Iterator[Json]:
    whole = _messages_whole(model, step, answer_id)
    yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    for index, block in enumerate(whole["content"]):
        if block["type"] == "text":
            empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": _TOKENS}
    yield {"type": "message_stop"}


# -- OpenAI responses


def _responses_parts(body: Json) -> Iterator[ConversationPart]:
    if body.get("instructions"):
        yield ConversationPart("system", _plain(body["instructions"]))
    for item in _objects(body.get("input")):
        kind = str(item.get("type", "message"))
        if kind in ("function_call", "custom_tool_call"):
            yield ConversationPart("model", _plain(item.get("arguments", item.get("input"))), _full_name(item))
        elif kind.endswith("_output"):
            yield ConversationPart("tool", _plain(item.get("output")))
        elif kind == "message":
            yield ConversationPart(_who(item.get("role")), _plain(item.get("content")))


def _full_name(item: Json) -> str:
    """Tools may stand in a namespace, which a call names together with the tool."""
    return f"{item['namespace']}/{item.get('name')}" if item.get("namespace") else str(item.get("name"))


def _responses_tools(body: Json) -> Iterator[str]:
    for tool in _objects(body.get("tools")):
        name = str(tool.get("name", tool.get("type")))
        if tool.get("type") == "namespace":
            yield from (f"{name}/{one.get('name')}" for one in _objects(tool.get("tools")))
        else:
            yield name


def _responses_items(step: tuple[Say | Use, ...], answer_id: str) -> list[Json]:
    items: list[Json] = []
    for place, one in enumerate(step):
        item_id = f"{answer_id}_{place}"
        if isinstance(one, Say):
            content = [{"type": "output_text", "text": one.text, "annotations": []}]
            items.append({"type": "message", "id": f"msg_{item_id}", "role": "assistant", "content": content})
            continue
        if isinstance(one.arguments, str):
            item = {"type": "custom_tool_call", "id": f"ctc_{item_id}", "call_id": f"call_{item_id}"}
            items.append({**item, "name": one.tool, "input": one.arguments, "status": "completed"})
            continue
        namespace, _, name = one.tool.rpartition("/")
        item = {"type": "function_call", "id": f"fc_{item_id}", "call_id": f"call_{item_id}", "name": name}
        if namespace:
            item["namespace"] = namespace
        items.append({**item, "arguments": json.dumps(_fields(one))})
    return items


def _responses_whole(model: str, step: tuple[Say | Use, ...], answer_id: str) -> Json:
    return {
        "id": f"resp_{answer_id}",
        "object": "response",
        "status": "completed",
        "model": model,
        "output": _responses_items(step, answer_id),
        "usage": {**_TOKENS, "total_tokens": 110},
    }


def _responses_stream(model: str, step: tuple[Say | Use, ...], answer_id: str) -> Iterator[Json]:
    whole = _responses_whole(model, step, answer_id)
    yield {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}}
    for index, item in enumerate(whole["output"]):
        yield {"type": "response.output_item.added", "output_index": index, "item": item}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": whole}


# -- OpenAI chat completions


def _chat_parts(body: Json) -> Iterator[ConversationPart]:
    for message in _objects(body.get("messages")):
        who = _who(message.get("role"))
        if message.get("content"):
            yield ConversationPart(who, _plain(message["content"]))
        for call in _objects(message.get("tool_calls")):
            function = call.get("function", {})
            yield ConversationPart("model", str(function.get("arguments")), str(function.get("name")))


def _chat_tools(body: Json) -> Iterator[str]:
    return (str(tool.get("function", {}).get("name")) for tool in _objects(body.get("tools")))


def _chat_message(step: tuple[Say | Use, ...], answer_id: str) -> Json:
    texts = [one.text for one in step if isinstance(one, Say)]
    calls = [
        {
            "index": place,
            "id": f"call_{answer_id}_{place}",
            "type": "function",
            "function": {"name": one.tool, "arguments": json.dumps(_fields(one))},
        }
        for place, one in enumerate(_calls(step))
    ]
    message: Json = {"role": "assistant", "content": "\n".join(texts) if texts else None}
    return {**message, "tool_calls": calls} if calls else message


def _chat_chunk(model: str, answer_id: str, **fields: Any) -> Json:
    return {"id": f"chatcmpl-{answer_id}", "created": 0, "model": model, **fields}


_CHAT_TOKENS = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def _chat_whole(model: str, step: tuple[Say | Use, ...], answer_id: str) -> Json:
    choice = {"index": 0, "message": _chat_message(step, answer_id), "finish_reason": _chat_end(step)}
    return _chat_chunk(model, answer_id, object="chat.completion", choices=[choice], usage=_CHAT_TOKENS)


def _chat_stream(model: str, step: tuple[Say | Use, ...], answer_id: str) -> Iterator[Json | str]:
    for delta, end in ((_chat_message(step, answer_id), None), ({}, _chat_end(step))):
        choice = {"index": 0, "delta": delta, "finish_reason": end}
        yield _chat_chunk(model, answer_id, object="chat.completion.chunk", choices=[choice])
    yield _chat_chunk(model, answer_id, object="chat.completion.chunk", choices=[], usage=_CHAT_TOKENS)
    yield "[DONE]"


def _chat_end(step: tuple[Say | Use, ...]) -> str:
    return "tool_calls" if _calls(step) else "stop"


# -- Gemini


def _gemini_parts(body: Json) -> Iterator[ConversationPart]:
    if "systemInstruction" in body:
        yield ConversationPart(
            "system", "\n".join(_plain(part) for part in _objects(body["systemInstruction"].get("parts")))
        )
    for content in _objects(body.get("contents")):
        for part in _objects(content.get("parts")):
            if "functionCall" in part:
                call = part["functionCall"]
                yield ConversationPart("model", json.dumps(call.get("args")), str(call.get("name")))
            elif "functionResponse" in part:
                yield ConversationPart("tool", _plain(part["functionResponse"].get("response")))
            else:
                yield ConversationPart(_who(content.get("role")), _plain(part))


def _gemini_tools(body: Json) -> Iterator[str]:
    for group in _objects(body.get("tools")):
        yield from (str(tool.get("name")) for tool in _objects(group.get("functionDeclarations")))


def _gemini_whole(model: str, step: tuple[Say | Use, ...], answer_id: str) -> Json:
    parts: list[Json] = [
        {"text": one.text}
        if isinstance(one, Say)
        else {"functionCall": {"id": f"{answer_id}_{place}", "name": one.tool, "args": _fields(one)}}
        for place, one in enumerate(step)
    ]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": answer_id}


def _gemini_stream(model: str, step: tuple[Say | Use, ...], answer_id: str) -> Iterator[Json]:
    yield _gemini_whole(model, step, answer_id)


def _fields(call: Use) -> Json:
    return {"input": call.arguments} if isinstance(call.arguments, str) else dict(call.arguments)


def _calls(step: tuple[Say | Use, ...]) -> list[Use]:
    return [one for one in step if isinstance(one, Use)]


MESSAGES = Wire("anthropic-messages", _messages_parts, _messages_tools, _messages_stream, _messages_whole)
RESPONSES = Wire("openai-responses", _responses_parts, _responses_tools, _responses_stream, _responses_whole)
CHAT = Wire("openai-chat", _chat_parts, _chat_tools, _chat_stream, _chat_whole)
GEMINI = Wire("gemini", _gemini_parts, _gemini_tools, _gemini_stream, _gemini_whole)


def wire_of(path: str) -> Wire | None:
    """The format of a request by its path; None when no model is asked to speak."""
    for ending, wire in (("/messages", MESSAGES), ("/responses", RESPONSES), ("/chat/completions", CHAT)):
        if path.endswith(ending):
            return wire
    return GEMINI if path.endswith((":streamGenerateContent", ":generateContent")) else None
