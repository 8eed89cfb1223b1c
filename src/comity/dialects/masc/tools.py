"""MASC's tools as a table: their names and argument names over Comity's operations.

A new tool is a new row. What a row cannot say belongs into an operation, not into the door.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from comity.dialects.words import Words, or_commands
from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple

NONE: Mapping[str, Any] = {}

CUT_MOST, CUT_DEFAULT = 50, 20
DEFAULT_MESSAGES = 10  # as many as MASC answers


class Tool(NamedTuple):
    """One tool. ``arguments`` are the operation's names by the tool's; ``fixed`` ones are passed unless they are given.

    ``described`` stands in the place of the operation's own summary. ``named``: ``agent_name`` is part of its schema;
    it may be sent with every tool. It is only compared, but where one ``enters`` with it; ``wish`` is the operation's
    argument that takes it, too. ``alias`` is the tool that this is another name for; then it is not listed. ``without``
    are arguments that are taken and mean nothing here. ``cut``: the list in the answer that ``limit`` shortens.
    ``looks``: a caller that is no agent may call it and stays none, as it is where the operation reads. ``states``:
    arguments that say a task's state.
    """

    name: str
    op: str
    title: str
    arguments: Mapping[str, str] = NONE
    fixed: Mapping[str, Any] = NONE
    described: str = ""
    named: bool = False
    alias: str = ""
    without: tuple[str, ...] = ()
    cut: str = ""
    looks: bool = False
    enters: bool = False
    wish: str = ""
    states: tuple[str, ...] = ()

    @property
    def takes(self) -> tuple[str, ...]:
        """Every argument's name."""
        own = (*self.arguments, *(("limit",) if self.cut else ()), *self.without)
        return (*(("agent_name",) if self.named else ()), *own)


def _same(*names: str, **renamed: str) -> dict[str, str]:
    return {**{name: name for name in names}, **renamed}


_TRANSITION = _same(
    "task_id", "notes", "reason", expected_version="expected_revision", handoff_context="handoff", lease_s="lease_s"
)
_LIST_TASKS = _same("status", "include_done", "include_cancelled", "limit")
_REWRITE = _same("task_id", "content", expected_version="expected_revision")
_STATES = ("status",)

TOOLS = (
    Tool(
        "masc_start",
        "session.begin",
        "Come in, and take up a task",
        _same("path", "task_title", room="path"),
        described="Join the workspace and see where you stand; with task_title, also add that task and claim it.",
        named=True,
        enters=True,
    ),
    Tool("masc_status", "workspace.overview", "Who is here and what is to be done"),
    Tool(
        "masc_join",
        "session.join",
        "Join as an agent",
        _same(capabilities="interest_tags"),
        described="Join as an agent of a type; the answer has the name under which others reach you.",
        named=True,
        enters=True,
        wish="name",
    ),
    Tool("masc_leave", "session.end", "Leave", _same("reason"), named=True),
    Tool("masc_who", "agent.list", "Who is here"),
    Tool("masc_agents", "agent.list", "List the agents", cut="agents"),
    Tool("masc_heartbeat", "session.renew", "Say that you are alive", named=True),
    Tool(
        "masc_broadcast",
        "message.announce",
        "Say something to everybody",
        {"message": "content"},
        named=True,
        without=("format",),
    ),
    Tool(
        "masc_messages",
        "message.catch_up",
        "Read what was said",
        _same("since_seq", "limit"),
        {"limit": DEFAULT_MESSAGES, "newest": True},
        looks=True,
    ),
    Tool(
        "masc_add_task",
        "task.add",
        "Add a task",
        _same("title", "description", "contract", priority="level", required_preset="profile_slug"),
    ),
    Tool("masc_batch_add_tasks", "task.add_many", "Add several tasks", _same("tasks")),
    Tool("masc_tasks", "task.survey", "List the tasks", _LIST_TASKS, states=_STATES),
    Tool(
        "masc_claim_next",
        "task.take_next",
        "Claim the next task",
        described="Claim the best task that may begin; one that you hold goes back to the queue for it.",
        named=True,
    ),
    Tool(
        "masc_transition",
        "task.transition",
        "Claim, start, finish, cancel or release a task",
        {"action": "action", **_TRANSITION},
        named=True,
    ),
    Tool("masc_task_history", "task.history", "What happened to a task", _same("task_id", "limit")),
    Tool(
        "masc_update_priority",
        "task.prioritize",
        "Change a task's priority",
        _same("task_id", priority="level", expected_version="expected_revision"),
    ),
    Tool("masc_plan_init", "plan.begin", "Begin a task's plan", _same("task_id", "content")),
    Tool("masc_plan_update", "plan.update", "Write a task's plan", _REWRITE),
    Tool("masc_plan_get", "plan.get", "Read a task's plan", _same("task_id", "notes")),
    Tool("masc_plan_set_task", "plan.set_task", "Say which task you work on", _same("task_id"), named=True),
    Tool("masc_plan_get_task", "plan.get_task", "Which task you work on"),
    Tool("masc_plan_clear_task", "plan.clear_task", "Work on no task in particular"),
    Tool("masc_note_add", "plan.note", "Add a note to a task's plan", _same("task_id", "note")),
    Tool("masc_deliver", "plan.deliver", "Say what was made for a task", _same("task_id", "content")),
    Tool(
        "masc_error_add",
        "plan.add_error",
        "Write down what went wrong with a task",
        _same("task_id", "error_type", "message", "context"),
    ),
    Tool("masc_error_resolve", "plan.resolve_error", "An error is resolved", _same("task_id", "error_index")),
    Tool("masc_run_list", "plan.list", "List the plans", _same("only_open", "limit")),
    Tool(
        "masc_worktree_create",
        "worktree.create",
        "Have a checkout of its own for a task",
        _same("task_id", "base_branch", "repo_name"),
        named=True,
    ),
    Tool("masc_worktree_list", "worktree.list", "List the worktrees: whose, for which task, what is in them"),
    Tool(
        "masc_worktree_remove",
        "worktree.remove",
        "Take a worktree away, without losing work",
        _same("force", "reason", task_id="name"),
        named=True,
    ),
    Tool(
        "masc_radar", "radar.look", "Which worktrees will conflict, before anybody merges", _same("anew", "conflicts")
    ),
    Tool("masc_check", "workspace.check", "Check where you stand", _same("assertions")),
    Tool(
        "masc_workflow_guide",
        "guide.next",
        "What to do next",
        described="Tell where you stand and which tool to call next, and why.",
    ),
    Tool("masc_set_room", "workspace.place", "Check that a folder is this workspace", _same("path", room="path")),
    Tool("masc_pause", "workspace.pause", "Pause the workspace", _same("reason", "minutes")),
    Tool("masc_resume", "workspace.resume", "End a pause"),
    Tool(
        "masc_set_current_task",
        "plan.set_task",
        "Say which task you work on",
        _same("task_id"),
        named=True,
        alias="masc_plan_set_task",
    ),
    Tool("masc_run_init", "plan.begin", "Begin a task's plan", _same("task_id"), named=True, alias="masc_plan_init"),
    Tool(
        "masc_run_plan",
        "plan.update",
        "Write a task's plan",
        _same("task_id", plan="content"),
        alias="masc_plan_update",
    ),
    Tool("masc_run_log", "plan.note", "Add a note to a task's plan", _same("task_id", "note"), alias="masc_note_add"),
    Tool(
        "masc_run_deliverable",
        "plan.deliver",
        "Say what was made for a task",
        _same("task_id", deliverable="content"),
        alias="masc_deliver",
    ),
    Tool("masc_run_get", "plan.get", "Read a task's plan", _same("task_id"), alias="masc_plan_get"),
    Tool("masc_list_tasks", "task.survey", "List the tasks", _LIST_TASKS, states=_STATES, alias="masc_tasks"),
    Tool("masc_room_status", "workspace.overview", "Who is here and what is to be done", alias="masc_status"),
    *(
        Tool(
            f"masc_{verb}_task",
            "task.transition",
            f"{verb.capitalize()} a task",
            _TRANSITION,
            {"action": action},
            named=True,
            alias="masc_transition",
        )
        for verb, action in (("claim", "claim"), ("complete", "done"), ("release", "release"), ("cancel", "cancel"))
    ),
)
HELP = "masc_tool_help"

# Arguments that MASC knows and this door refuses, and what to do instead.
GONE = {
    "evaluator_cascade": "No model reviews a task here. Leave it out.",
    "completion_contract": "What the notes must tell belongs to the task: pass contract to masc_add_task.",
    "force": "Nobody acts on a task in another's name. Ask its holder, or let the claim lapse.",
}

# Operations that are another tool's here. Reading acknowledges, and a mentioned agent gets a message of their own.
_NEAREST = {
    "message.poll": "masc_messages",
    "message.read": "masc_messages",
    "message.ack": "masc_messages",
    "message.broadcast": "masc_broadcast",
    "message.send": "masc_broadcast",
    "session.start": "masc_join",
    "task.start": "masc_transition with the action start",
}
_ABOUT = {"message.send": "masc_broadcast to @{}"}


@cache
def words(_tools: str = "all") -> Words:
    """What MASC's agents call operations; it has no sets of tools."""
    return or_commands({**_NEAREST, **{tool.op: tool.name for tool in reversed(TOOLS)}}, _ABOUT)
