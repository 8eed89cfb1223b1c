"""Antigravity's hooks (reference: antigravity.google/docs/hooks; measured by others with agy 1.1.2 to 1.1.26).

Payloads are in camelCase and do not name their event. There is no event for the user's prompt: ``PreInvocation`` comes
before every request to the model, so what was injected at one has been answered at the next of the same turn; the first
of a turn proves nothing, since the turn before may have been broken off. A tool call whose hook does not answer with a
decision is denied.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.hosts.contract import Abilities, Adapter, Answer, Heard, Reply, inner, said, text
from comity.kernel.hints import Any

EDITS = ("write_to_file", "replace_file_content", "multi_replace_file_content")
SHELL = "run_command"


def read(event: str, payload: Mapping[str, Any]) -> Heard | None:
    """One form for an event."""
    session_id = text(payload, "conversationId")
    if not session_id:
        return None
    spaces = payload.get("workspacePaths")
    folder = next((one for one in spaces if isinstance(one, str)), "") if isinstance(spaces, list) else ""
    if event == "PreInvocation":
        number = payload.get("invocationNum")
        first = number == 0 and payload.get("initialNumSteps") in (0, 1)
        answered = isinstance(number, int) and number > 0
        return Heard("start" if first else "after", session_id, cwd=folder, moved=answered)
    if event == "Stop":
        tries = payload.get("executionNum")
        done = text(payload, "terminationReason") in ("", "model_stop") and not payload.get("error")
        again = not done or (isinstance(tries, int) and tries > 1)
        return Heard("stop", session_id, cwd=folder, moved=done, again=again)
    if event != "PreToolUse":
        return None
    call = inner(payload, "toolCall")
    asked = inner(call, "args")
    tool = text(call, "name")
    path = _bare(text(asked, "TargetFile"))
    return Heard(
        "before",
        session_id,
        cwd=_bare(text(asked, "Cwd")) or folder,
        tool=tool,
        files=(path,) if tool in EDITS and path else (),
        command=_bare(text(asked, "CommandLine")) if tool == SHELL else "",
    )


def _bare(value: str) -> str:
    """Some versions send arguments as JSON text, in quotes."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def neutral(event: str) -> Answer:
    """No objection: a decision where one is needed."""
    return said({"decision": "allow"}) if event in ("PreToolUse", "Stop") else Answer("{}")


def write(event: str, heard: Heard, reply: Reply) -> Answer:
    """The answer as Antigravity takes it."""
    if heard.moment == "before" and reply.refuse:
        return said({"decision": "deny", "reason": reply.refuse})
    if heard.moment == "stop" and reply.go_on:
        return said({"decision": "continue", "reason": reply.go_on})
    if heard.moment in ("start", "after") and reply.inject:
        return said({"injectSteps": [{"ephemeralMessage": reply.inject}]})
    return neutral(event)


ADAPTER = Adapter(
    "antigravity",
    Abilities(
        mid_turn=True,
        at_prompt=True,
        refuse=True,
        ask=True,
        stop=True,
        warn=False,
        source="https://antigravity.google/docs/hooks",
        checked="2026-11-22",
    ),
    (("PreInvocation", None), ("PreToolUse", "|".join((*EDITS, SHELL))), ("Stop", None)),
    read,
    write,
    neutral,
    ("PreToolUse",),
)
