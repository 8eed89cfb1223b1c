"""A live canary: an installed hook, run exactly as it is installed, in a project of its own where a peer holds a file.

Only a command that ``comity init`` would write is run: a host's file may have come with somebody's repository. The
start of a session must be answered with who is there, an edit of the held file with a refusal, an edit of a free one
with no objection; each in the host's own form.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable

from comity.declared import shown
from comity.hosts.adapters import adapter_of
from comity.hosts.contract import NOTHING, Adapter, Answer, Heard, Reply
from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple

TIMEOUT_S = 30
_MOST_SHOWN = 200
SESSION, PEER = "comity-canary-session", "comity-canary-peer"
HELD, FREE = "held.txt", "free.txt"
Payload = dict[str, Any]
_OWN = ("MACP_", "COMITY_", "CLAUDE_PROJECT_DIR")  # what would lead a hook to another project


class Trial(NamedTuple):
    """What came of one event: ``wrong`` is empty when all is well."""

    event: str
    wanted: str
    wrong: str


def _claude(event: str, folder: str, path: str) -> Payload:
    return {
        "session_id": SESSION,
        "transcript_path": os.path.join(folder, "transcript.jsonl"),
        "cwd": folder,
        "hook_event_name": event,
        "source": "startup",
        "tool_name": "Write",
        "tool_input": {"file_path": path, "content": "x"},
    }


def _patch(event: str, folder: str, path: str) -> Payload:
    patch = f"*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch"
    return {**_claude(event, folder, path), "tool_name": "apply_patch", "tool_input": {"command": patch}}


def _antigravity(event: str, folder: str, path: str) -> Payload:
    call = {"name": "write_to_file", "args": {"TargetFile": path}}
    first = {"invocationNum": 0, "initialNumSteps": 1} if event == "PreInvocation" else {"toolCall": call, "stepIdx": 1}
    return {"conversationId": SESSION, "workspacePaths": [folder], **first}


def _cursor(event: str, folder: str, path: str) -> Payload:
    return {
        "conversation_id": SESSION,
        "generation_id": "1",
        "cursor_version": "0",
        "workspace_roots": [folder],
        "hook_event_name": event,
        "tool_name": "Write",
        "tool_input": {"file_path": path},
    }


def _vscode(event: str, folder: str, path: str) -> Payload:
    asked = {"tool_name": "create_file", "tool_input": {"filePath": path}}
    named = {"sessionId": SESSION, "hookEventName": event, "timestamp": "2026-11-22T00:00:00.000Z"}
    return {**named, "cwd": folder, "source": "new", **asked}


def _copilot(_: str, folder: str, path: str) -> Payload:
    asked = {"toolName": "create", "toolArgs": {"path": path}}
    return {"sessionId": SESSION, "timestamp": 1, "cwd": folder, "source": "new", **asked}


def _droid(event: str, folder: str, path: str) -> Payload:
    return {**_claude(event, folder, path), "tool_name": "Create"}


def _gemini(event: str, folder: str, path: str) -> Payload:
    told = {"timestamp": "2026-11-22T00:00:00.000Z", "tool_name": "write_file"}
    return {**_claude(event, folder, path), **told}


def _opencode(_: str, folder: str, path: str) -> Payload:
    return {"session_id": SESSION, "cwd": folder, "tool": "write", "args": {"filePath": path}}


def _kiro(event: str, folder: str, path: str) -> Payload:
    asked = {"tool_name": "fs_write", "tool_input": {"command": "create", "path": path}}
    return {"hook_event_name": event, "session_id": SESSION, "cwd": folder, **asked}


PAYLOADS: dict[str, Callable[[str, str, str], Payload]] = {
    "claude-code": _claude,
    "codex": _patch,
    "gemini-cli": _gemini,
    "antigravity": _antigravity,
    "opencode": _opencode,
    "cursor": _cursor,
    "vscode": _vscode,
    "copilot-cli": _copilot,
    "factory-droid": _droid,
    "kiro": _kiro,
}


def fly(host: str, commands: dict[str, str], known: set[str], prepare: Callable[[str], None]) -> list[Trial]:
    """Try the host's installed ``commands``, those of them that are ``known`` to be ours.

    ``prepare`` makes a project in a folder, where ``PEER`` holds ``HELD``.
    """
    adapter = adapter_of(host)
    assert adapter is not None
    with tempfile.TemporaryDirectory(prefix="comity-canary-") as made:
        folder = os.path.realpath(made)
        prepare(folder)
        trials = []
        for event, wanted, name in _flights(adapter):
            if event not in commands:
                trials.append(Trial(event, wanted, "no hook is installed for it"))
                continue
            if commands[event] not in known:
                trials.append(
                    Trial(event, wanted, f"not run, since it is not what init writes: {_quoted(commands[event])}")
                )
                continue
            payload = PAYLOADS[host](event, folder, os.path.join(folder, name))
            trials.append(Trial(event, wanted, _fault(adapter, event, wanted, commands[event], payload, folder)))
        return trials


def _quoted(command: str) -> str:
    return json.dumps(shown(command, _MOST_SHOWN), ensure_ascii=False)


def _flights(adapter: Adapter) -> list[tuple[str, str, str]]:
    """Events, what is wanted of them, and the file that they are about."""
    start = next(event for event, _ in adapter.events)
    return [
        (start, "inject", FREE),
        *((event, wanted, name) for event in adapter.guards for wanted, name in (("refuse", HELD), ("nothing", FREE))),
    ]


def _fault(adapter: Adapter, event: str, wanted: str, command: str, payload: Payload, folder: str) -> str:
    """What is wrong with the answer."""
    heard = adapter.read(event, payload)
    if heard is None:
        return "the adapter does not know its own payload"
    try:
        done = subprocess.run(  # noqa: S602 (as the host runs it, from its own file)
            command,
            shell=True,
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(_OWN)},
            input=json.dumps(payload).encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"
    got = Answer(done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"), done.returncode)
    return _differs(adapter, event, heard, wanted, got)


def _differs(adapter: Adapter, event: str, heard: Heard, wanted: str, got: Answer) -> str:
    """How an answer differs from what the adapter makes of such a reply."""
    if wanted == "nothing":
        plain = adapter.write(event, heard, NOTHING)
        return "" if (got.out, got.code) == (plain.out, plain.code) else f"it objects to nothing: {_shown(got)}"
    word = HELD if wanted == "refuse" else PEER
    model = adapter.write(event, heard, Reply(refuse=word) if wanted == "refuse" else Reply(inject=word))
    if got.code != model.code:
        return f"exit code {got.code} instead of {model.code}: {_shown(got)}"
    for name, said, modelled in (("output", got.out, model.out), ("error output", got.err, model.err)):
        if modelled and word not in said:
            return f"{name} does not name {word}: {_shown(got)}"
        if modelled.startswith("{") and _form(said) != _form(modelled):
            return f"{name} is not of the host's form: {_shown(got)}"
    return ""


def _form(text: str) -> object:
    """The keys of a JSON document, without its texts."""

    def keys(value: object) -> object:
        if isinstance(value, dict):
            return {name: keys(inside) for name, inside in value.items()}
        return [keys(inside) for inside in value] if isinstance(value, list) else type(value).__name__

    try:
        return keys(json.loads(text))
    except ValueError:
        return text


def _shown(got: Answer) -> str:
    return (got.out or got.err or f"exit code {got.code}")[:200].replace("\n", " ")
