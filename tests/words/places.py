"""Every place where words of agents reach a model, and how its view is obtained. A new tool needs a line here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from comity.dialects.dialect import Dialect
from comity.dialects.macp.dialect import MacpDialect
from comity.dialects.masc import resources
from comity.dialects.masc.dialect import MascDialect
from comity.hosts.catalog import ADAPTERS
from comity.hosts.contract import HookReply, adapter_of
from comity.kernel.problem import Problem
from comity.mcp import wire
from comity.mcp.offers import contents
from comity.rooms.edits import workspace_files
from tests.words.scene import Scene

View = Callable[[Scene], str]
_MASC, _MACP = MascDialect(), MacpDialect()


# -- hooks


def _stop(scene: Scene) -> str:
    scene.unread()
    return str(scene.ann.turn.stop().text)


def _next(scene: Scene) -> str:
    scene.unread()
    return str(scene.ann.turn.next().text)


def _stale(scene: Scene) -> str:
    scene.edited()
    return str(scene.ann.edit.check(files=[scene.path]).refusal)


def _breach(scene: Scene) -> str:
    """mal holds a file that a command of ann changes; what mal is told of it, with ann's command."""
    scene.mal.claim.acquire(files=["held.txt"])
    scene.ann.command.check(command="make")
    held = scene.folder / "held.txt"
    held.write_text(f"{held.read_text()[-99:]}.")
    scene.world.clock.advance(1)
    scene.ann.edit.compare(command=scene.path)
    return str(scene.mal.turn.next().text)


def _vital(scene: Scene) -> str:
    danger = workspace_files.Danger(f"git checkout {scene.path}", f"/x/{scene.path[4:]}", git=True, commit=scene.path)
    return workspace_files.refusal(danger).refusal


def _pause(scene: Scene) -> dict[str, Any]:
    """mal holds everybody up."""
    scene.mal.workspace.pause(reason=scene.path)
    return {}


def _paused(scene: Scene) -> str:
    _pause(scene)
    try:
        scene.ann.edit.check(files=["a.txt"])
    except Problem as problem:
        return f"{problem.message} {problem.hint}"
    finally:
        scene.mal.workspace.resume()
    raise AssertionError("a pause holds nobody up")


HOOKS: dict[str, View] = {
    "brief and messages at the start of a context": lambda scene: scene.ann.turn.start(source="compact").text,
    "messages between two tools": _next,
    "messages at the end of a turn": _stop,
    "refusal of an edit: a path": lambda scene: scene.ann.edit.check(files=[scene.path]).refusal,
    "warning before an edit: another implementation": lambda scene: scene.bob.edit.check(files=["adv.txt"]).warning,
    "refusal of a commit": lambda scene: scene.ann.edit.held(files=[scene.path]).refusal,
    "refusal of a push": lambda scene: scene.ann.edit.held(files=[scene.path], recorded_s=[250_000_000_000]).refusal,
    "refusal of a shell command": lambda scene: scene.ann.command.check(command="echo > 'held.txt'").refusal,
    "refusal of what would remove the database": _vital,
    "refusal of an edit: it was changed meanwhile": _stale,
    "notice of a change": _breach,
    "refusal of an edit: the workspace is paused": _paused,
}


def replies(texts: list[str]) -> Iterator[tuple[str, str, str]]:
    """Host and event, what the host is handed, and each text that it gives to its model from that."""
    inject, refuse, go_on = texts
    for host in ADAPTERS:
        adapter = adapter_of(host)
        assert adapter is not None
        for event, _ in adapter.events:
            heard = adapter.read(event, ADAPTERS[host].sample(event, "/x", "/x/a.py"))
            if heard is None:
                continue
            asked = HookReply(refuse=refuse) if heard.moment == "before" else HookReply(inject=inject, go_on=go_on)
            answer = adapter.write(event, heard, asked)
            raw = answer.out + answer.err
            told = _strings(json.loads(raw)) if raw.startswith("{") else [raw]
            for text in told:
                yield f"{host} {event}", raw, text


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in _strings(item)]


# -- tools


def _tool(dialect: Dialect, name: str, arguments: Callable[[Scene], dict[str, Any]], scene: Scene) -> str:
    """The text item. A refusal is an answer, too."""
    ask = None
    try:
        ask = dialect.ask(name, arguments(scene))
        assert ask.op is not None
        text, structured = dialect.say(ask, scene.bob.perform(ask.op, ask.arguments))
    except Problem as problem:
        return dialect.complain(ask, problem)
    return str(text) + SEPARATOR + wire.encode(structured).decode()


SEPARATOR = "\n--structured--\n"


def _with(**arguments: str) -> Callable[[Scene], dict[str, Any]]:
    """Arguments; a value that begins with ``.`` is an attribute of the scene."""
    return lambda scene: {
        name: getattr(scene, value[1:]) if value.startswith(".") else value for name, value in arguments.items()
    }


_NONE = _with()

MASC: dict[str, Callable[[Scene], dict[str, Any]]] = {
    "masc_start": _NONE,
    "masc_status": _NONE,
    "masc_workflow_guide": _NONE,
    "masc_join": _NONE,
    "masc_who": _NONE,
    "masc_agents": _NONE,
    "masc_heartbeat": _NONE,
    "masc_broadcast": lambda scene: {"message": f"@mal {scene.world.clock.ms}"},
    "masc_messages": _NONE,
    "masc_add_task": _with(title="a task of bob's"),
    "masc_batch_add_tasks": lambda _: {"tasks": [{"title": "one of bob's"}]},
    "masc_tasks": _NONE,
    "masc_claim_next": _NONE,
    "masc_transition": _with(task_id=".taken", action="claim"),
    "masc_claim_task": _with(task_id=".waits"),
    "masc_complete_task": _with(task_id=".task", notes="long enough to be notes"),
    "masc_release_task": _with(task_id=".task"),
    "masc_cancel_task": _with(task_id=".taken", reason="x"),
    "masc_task_history": _with(task_id=".task"),
    "masc_update_priority": lambda scene: {"task_id": scene.open, "priority": 1 + scene.world.clock.ms % 5},
    "masc_plan_init": _with(task_id=".open"),
    "masc_plan_update": lambda scene: {"task_id": scene.open, "content": f"now {scene.world.clock.ms}"},
    "masc_plan_get": _with(task_id=".open"),
    "masc_plan_set_task": _with(task_id=".task"),
    "masc_plan_get_task": _NONE,
    "masc_plan_clear_task": _NONE,
    "masc_note_add": _with(task_id=".open", note="a note of bob's"),
    "masc_deliver": _with(task_id=".open", content="what bob made"),
    "masc_error_add": _with(task_id=".open", error_type="test", message="one of bob's fails"),
    "masc_error_resolve": lambda scene: {"task_id": scene.open, "error_index": 0},
    "masc_run_list": _NONE,
    "masc_set_current_task": _with(task_id=".task"),
    "masc_run_init": _with(task_id=".open"),
    "masc_run_plan": lambda scene: {"task_id": scene.open, "plan": f"then {scene.world.clock.ms}"},
    "masc_run_log": _with(task_id=".open", note="another note of bob's"),
    "masc_run_deliverable": _with(task_id=".open", deliverable="what bob made then"),
    "masc_run_get": _with(task_id=".open"),
    "masc_worktree_create": _with(task_id=".task"),
    "masc_worktree_list": _NONE,
    "masc_worktree_remove": _with(task_id=".task"),
    "masc_radar": _NONE,
    "masc_check": _NONE,
    "masc_set_room": lambda scene: {"path": str(scene.folder)},
    "masc_pause": _pause,
    "masc_resume": _pause,
    "masc_list_tasks": _NONE,
    "masc_room_status": _NONE,
}
MACP: dict[str, Callable[[Scene], dict[str, Any]]] = {
    "macp_get_instructions": _NONE,
    "macp_join_channel": _with(channel_id="main"),
    "macp_send_direct": lambda scene: {"destinationAgentId": "mal", "content": f"x {scene.world.clock.ms}"},
    "macp_poll": _NONE,
    "macp_ext_receipts": _NONE,
    "macp_ext_list_agents": _NONE,
    "macp_ext_get_session_context": _NONE,
    "macp_ext_claim_files": lambda scene: {"files": [scene.path]},
    "macp_ext_list_locks": _NONE,
    "macp_ext_get_memory": _with(key=".key", scope="workspace"),
    "macp_ext_search_memory": _with(query="zq7x", scope="workspace"),
    "macp_ext_list_memories": _with(scope="workspace"),
    "macp_ext_get_profile": _with(slug="p"),
    "macp_ext_list_profiles": _NONE,
    "macp_ext_find_profiles": _with(skillTag="words"),
    "macp_ext_list_goals": _NONE,
    "macp_ext_get_goal_cascade": _NONE,
    "macp_ext_claim_task": _with(taskId=".taken"),
    "macp_ext_start_task": _with(taskId=".task"),
    "macp_ext_complete_task": _with(taskId=".task", result="long enough to be notes"),
    "macp_ext_block_task": _with(taskId=".task", reason="x"),
    "macp_ext_cancel_task": _with(taskId=".taken", reason="x"),
    "macp_ext_release_task": _with(taskId=".task"),
    "macp_ext_get_task": _with(taskId=".task"),
    "macp_ext_list_tasks": _NONE,
    "macp_ext_ready_tasks": _NONE,
    "macp_ext_next_task": _NONE,
    "macp_ext_list_jobs": _NONE,
    "macp_ext_get_job": _with(jobId=".job"),
    "macp_ext_cancel_job": _with(jobId=".job"),
    "macp_ext_list_rescued": _NONE,
    "macp_ext_show_rescued": lambda scene: {"file": scene.path},
    "macp_ext_restore_rescued": lambda scene: {"file": scene.path},
    "macp_ext_query_context": _with(query="zq7x"),
}
# Tools whose answers hold nothing but what the caller has just said, ids and numbers; the rest is in the tables above.
OWN_WORDS = frozenset(
    {
        "masc_leave",
        "macp_register",
        "macp_leave_channel",
        "macp_send_channel",
        "macp_read_message",
        "macp_ack",
        "macp_deregister",
        "macp_ext_release_files",
        "macp_ext_set_memory",
        "macp_ext_delete_memory",
        "macp_ext_resolve_memory",
        "macp_ext_register_profile",
        "macp_ext_create_goal",
        "macp_ext_get_goal",
        "macp_ext_update_goal",
        "macp_ext_dispatch_task",
        "macp_ext_archive_tasks",
        "macp_ext_sleep_agent",
        "macp_ext_deactivate_agent",
        "macp_ext_delete_agent",
        "macp_ext_register_vault",
        "macp_ext_index_vault",
        "macp_ext_search_vault",
        "macp_ext_get_vault_doc",
        "macp_ext_list_vault_docs",
    }
)


def _resource(uri: str, scene: Scene) -> str:
    ask = _MASC.resource(uri)
    mime, text = _MASC.say_resource(ask, None if ask.op is None else scene.bob.perform(ask.op, ask.arguments))
    assert json.loads(b"{" + contents(uri, mime, text, modern=False) + b"}")["contents"][0]["text"] == text
    return text


TOOLS: dict[str, View] = {
    **{name: partial(_tool, _MACP, name, arguments) for name, arguments in MACP.items()},
    **{name: partial(_tool, _MASC, name, arguments) for name, arguments in MASC.items()},
}
RESOURCES: dict[str, View] = {one["uri"]: partial(_resource, one["uri"]) for one in resources.listed()}
PLACES: dict[str, View] = {**RESOURCES, **TOOLS, **HOOKS}
