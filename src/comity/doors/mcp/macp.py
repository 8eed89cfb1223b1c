"""The MACP dialect: the protocol's tool names over Comity's operations (protocol reference section 5).

A table and its two translations. Arguments and results are the operations' own, in camelCase; ``tools.json`` holds the
prebuilt list, so that a server starts without building a schema (``tools/generate.py`` writes it).
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from comity import __version__
from comity.doors.mcp import toolsets, wire
from comity.doors.mcp.dialect import Listed, UnknownPrompt, UnknownResource
from comity.doors.mcp.seat import Seat
from comity.doors.mcp.surface import ToolCall, UnknownTool
from comity.doors.mcp.wording import in_dialect
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid, Problem
from comity.kernel.record import camel, to_json
from comity.kernel.signature import parameters
from comity.kernel.steps import Report
from comity.rooms import REGISTRY


class Tool(NamedTuple):
    """One tool: its name, the operation behind it, and its title for people."""

    name: str
    op: str
    title: str


TOOLS = (
    Tool("macp_get_instructions", "guide.show", "How to work with the other agents"),
    Tool("macp_register", "session.start", "Register or refresh this agent"),
    Tool("macp_join_channel", "channel.join", "Join a channel"),
    Tool("macp_leave_channel", "channel.leave", "Leave a channel"),
    Tool("macp_send_channel", "message.broadcast", "Send to a channel"),
    Tool("macp_send_direct", "message.send", "Send to one agent"),
    Tool("macp_poll", "message.poll", "Fetch pending messages"),
    Tool("macp_read_message", "message.read", "Read a long message"),
    Tool("macp_ack", "message.ack", "Acknowledge a message"),
    Tool("macp_ext_receipts", "receipt.list", "See what became of your messages"),
    Tool("macp_deregister", "session.end", "Leave and close the session"),
    Tool("macp_ext_list_agents", "agent.list", "List the agents that are here"),
    Tool("macp_ext_get_session_context", "agent.context", "Show where you stand"),
    Tool("macp_ext_claim_files", "claim.acquire", "Claim files before you edit"),
    Tool("macp_ext_release_files", "claim.release", "Release claimed files"),
    Tool("macp_ext_list_locks", "claim.list", "List claimed files"),
    Tool("macp_ext_set_memory", "memory.set", "Remember a value"),
    Tool("macp_ext_get_memory", "memory.get", "Read a memory"),
    Tool("macp_ext_search_memory", "memory.search", "Search memories"),
    Tool("macp_ext_list_memories", "memory.list", "List memories"),
    Tool("macp_ext_delete_memory", "memory.delete", "Forget a memory"),
    Tool("macp_ext_resolve_memory", "memory.resolve", "Settle a memory conflict"),
    Tool("macp_ext_register_profile", "profile.register", "Describe a role"),
    Tool("macp_ext_get_profile", "profile.get", "Read a profile"),
    Tool("macp_ext_list_profiles", "profile.list", "List profiles"),
    Tool("macp_ext_find_profiles", "profile.find", "Find profiles by skill"),
    Tool("macp_ext_create_goal", "goal.create", "Set a goal"),
    Tool("macp_ext_list_goals", "goal.list", "List goals"),
    Tool("macp_ext_get_goal", "goal.get", "Show a goal"),
    Tool("macp_ext_update_goal", "goal.update", "Change a goal"),
    Tool("macp_ext_get_goal_cascade", "goal.cascade", "Show trees of goals"),
    Tool("macp_ext_dispatch_task", "task.dispatch", "Put a task into the queue"),
    Tool("macp_ext_claim_task", "task.claim", "Take a task"),
    Tool("macp_ext_start_task", "task.start", "Begin a task"),
    Tool("macp_ext_complete_task", "task.complete", "Finish a task"),
    Tool("macp_ext_block_task", "task.block", "Mark a task as blocked"),
    Tool("macp_ext_cancel_task", "task.cancel", "Cancel a task"),
    Tool("macp_ext_get_task", "task.get", "Show a task"),
    Tool("macp_ext_list_tasks", "task.list", "List tasks"),
    Tool("macp_ext_archive_tasks", "task.archive", "Archive finished tasks"),
    Tool("macp_ext_release_task", "task.release", "Give a task back"),
    Tool("macp_ext_ready_tasks", "task.ready", "List tasks that may begin"),
    Tool("macp_ext_next_task", "task.next", "Claim the best ready task"),
    Tool("macp_ext_sleep_agent", "agent.sleep", "Mark yourself as resting"),
    Tool("macp_ext_deactivate_agent", "agent.deactivate", "Free everything and leave"),
    Tool("macp_ext_delete_agent", "agent.delete", "Leave for good"),
    Tool("macp_ext_register_vault", "vault.register", "Index a folder of documents"),
    Tool("macp_ext_search_vault", "vault.search", "Search documents"),
    Tool("macp_ext_get_vault_doc", "vault.get", "Read a document"),
    Tool("macp_ext_list_vault_docs", "vault.list", "List documents"),
    Tool("macp_ext_query_context", "context.query", "Search everything that is known"),
)
LIST_FILE = os.path.join(os.path.dirname(__file__), "tools.json")

INSTRUCTIONS = (
    "Other coding agents may work in this repository. You are registered already. Call macp_poll before you edit and "
    "every few tool calls, act on what it returns, then macp_ack. Tell others what you change with macp_send_channel. "
    "macp_get_instructions explains more."
)


def argument_names(op_name: str) -> dict[str, str]:
    """An operation's argument names in this dialect, by their own."""
    return {parameter.name: camel(parameter.name) for parameter in parameters(REGISTRY.get(op_name))}


class MacpDialect:
    """The protocol's tools, or those of the set called ``tools``."""

    name = "comity"
    version = __version__
    instructions = INSTRUCTIONS
    joins = False

    def __init__(self, tools: str = "all") -> None:
        self._tools = tools
        self._ops = {tool.name: tool.op for tool in TOOLS if toolsets.shown(tool.name, tools)}
        self._own_names: dict[str, dict[str, str]] = {}

    def tools(self) -> bytes:
        """The prebuilt tool list, or the part of it that is shown."""
        with open(LIST_FILE, "rb") as file:
            return toolsets.select(file.read(), self._tools)

    def call(self, seat: Seat, name: str, arguments: dict[str, Any], call: ToolCall) -> Any:
        """The operation's record."""
        op_name = self._ops.get(name)
        if op_name is None:
            raise UnknownTool(name)
        own = self._own_names.get(name)
        if own is None:
            own = self._own_names[name] = {theirs: ours for ours, theirs in argument_names(op_name).items()}
        renamed = {own.get(key, key): value for key, value in arguments.items()}
        try:
            return seat.of(call.meta).call(op_name, renamed, call.cancelled, _progress(call))
        except Invalid as problem:
            raise in_dialect(problem, name, op_name, {ours: theirs for theirs, ours in own.items()}) from None

    def render_result(self, result: Any) -> tuple[str, Any]:
        """Indented JSON for the model, the same object for the program."""
        structured = to_json(result)
        return wire.pretty(structured), structured

    def render_problem(self, problem: Problem) -> str:
        """The protocol's error shape (section 5.3) and a hint."""
        shape = {
            "reasonCode": problem.reason,
            "message": problem.message,
            "metadata": problem.data,
            "hint": problem.hint,
        }
        return wire.pretty(shape, lenient=True)

    def resources(self) -> Listed:
        """None: the protocol has no resources."""
        return []

    def resource_templates(self) -> Listed:
        """None."""
        return []

    def read_resource(self, _seat: Seat, uri: str, _call: ToolCall) -> tuple[str, str]:
        """There are none."""
        raise UnknownResource(uri)

    def prompts(self) -> Listed:
        """None: the protocol has no prompts."""
        return []

    def get_prompt(self, name: str, _arguments: dict[str, str]) -> dict[str, Any]:
        """There are none."""
        raise UnknownPrompt(name)

    def changed(self, _event_types: Collection[str]) -> Collection[str]:
        """There are no resources that change."""
        return ()


def _progress(call: ToolCall) -> Report:
    """How far a long operation is, as the protocol says it: a total that is not known is left out."""
    return lambda done, total, what: call.progress(done, total or None, what)
