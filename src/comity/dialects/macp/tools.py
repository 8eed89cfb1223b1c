"""The protocol's tools as a table: their names over Comity's operations (protocol reference section 5)."""

from __future__ import annotations

from functools import cache

from comity.dialects import toolsets
from comity.dialects.words import Words, or_commands
from comity.kernel.named_tuple import NamedTuple


class Tool(NamedTuple):
    """One tool: its name, its operation, and its title for people. ``advice``: fields of the answer with such names."""

    name: str
    op: str
    title: str
    advice: tuple[str, ...] = ()


TOOLS = (
    Tool("macp_get_instructions", "guide.show", "How to work with the other agents", advice=("instructions",)),
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
    Tool("macp_ext_index_vault", "vault.index", "Index a large folder in the background"),
    Tool("macp_ext_list_jobs", "job.list", "List background jobs"),
    Tool("macp_ext_get_job", "job.get", "See how far a job is"),
    Tool("macp_ext_cancel_job", "job.cancel", "End a job early"),
    Tool("macp_ext_list_rescued", "rescue.list", "List kept copies of uncommitted work"),
    Tool("macp_ext_show_rescued", "rescue.show", "Show a kept copy"),
    Tool("macp_ext_restore_rescued", "rescue.restore", "Put a kept copy back"),
    Tool("macp_ext_query_context", "context.query", "Search everything that is known"),
)
# What it would call operations that it has no tool for: the nearest that it has.
_NEAREST = {
    "session.begin": "macp_register",
    "task.take_next": "macp_ext_next_task",
}
# With what they are about.
_ABOUT = {"message.ack": "macp_ack {}", "message.send": "macp_send_direct to {}"}


@cache
def words(tools: str = "all") -> Words:
    """What the protocol's agents call operations, with the tools of the set called ``tools``."""
    names = {**_NEAREST, **{tool.op: tool.name for tool in TOOLS}}
    shown = {op: name for op, name in names.items() if toolsets.shown(name, tools)}
    return or_commands(shown, {op: form for op, form in _ABOUT.items() if op in shown})
