"""The short text that a model reads together with the structured answer of a MASC tool.

What agents wrote stands in it as it does everywhere: each text quoted on one line, names and ids as plain words. Each
function takes the answer in MASC's words; ``TEXTS`` names it by tool. What no function knows is told as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from comity.dialects.masc.plan_text import PLAN_TEXTS
from comity.dialects.masc.worktree_text import WORKTREE_TEXTS
from comity.kernel.quoting import called, quoted, title, word
from comity.mcp import wire
from comity.rooms.channels.deliveries import NOTICE, SPEAKER

Said = dict[str, Any]
_MOST_TASKS, _MOST_AGENTS, _MOST_WAITING = 30, 40, 5
_EXCERPT = 2000
_TITLE, _PATH = 200, 400


def tell(tool: str, said: Any) -> str:
    """The text for an answer of ``tool``."""
    text = TEXTS.get(tool)
    return text(said) if text is not None else wire.pretty(said)


def task_line(task: Said) -> str:
    """One task in a line."""
    holder = f" ({called(task['assignee'])})" if task.get("assignee") else ""
    waits = ", ".join(_id(one) for one in task.get("waiting_on", ()))
    told = f"{_id(task)} [{word(task['status'])}] P{word(task['priority'])} {quoted(task['title'], _TITLE)}{holder}"
    return f"{told}; waits for {waits}" if waits else told


def tasks(said: Said) -> str:
    """A list of tasks."""
    listed = said["tasks"]
    if not listed:
        return "No tasks."
    lines = [task_line(task) for task in listed[:_MOST_TASKS]]
    more = len(listed) - _MOST_TASKS
    if more > 0 or said.get("more"):
        lines.append(f"... and {more} more here." if more > 0 else "... and others; raise limit to see them.")
    return "\n".join(lines)


def added(said: Said) -> str:
    """One task that was added."""
    return f"Added {task_line(said['task'])}"


def added_many(said: Said) -> str:
    """Several tasks that were added."""
    return "\n".join(["Added:", *map(task_line, said["tasks"])])


def prioritized(said: Said) -> str:
    """A task with its new priority."""
    return f"Now {task_line(said['task'])} (version {said['task']['version']})"


def transition(said: Said) -> str:
    """From which state to which."""
    task = said["task"]
    if not said["changed"]:
        return f"{_id(task)}: {word(task['status'])} already (no-op; version {task['version']})"
    return f"{_id(task)}: {word(said.get('from_state', '?'))} -> {word(task['status'])} (version {task['version']})"


def claimed(said: Said) -> str:
    """The next task, or why there is none."""
    released = said.get("released")
    note = f"\nGiven back: {task_line(released)}" if released else ""
    if said["task"] is None:
        return f"Nothing to claim: {said.get('why') or 'the queue is empty'}.{note}"
    return f"Claimed {task_line(said['task'])}{note}\nNext: masc_transition with action start, then done with notes."


def history(said: Said) -> str:
    """What happened to a task."""
    lines = [*map(_event_line, said["events"])]
    return "\n".join([f"{_id(said)} (version {said['version']})", *(lines or ["No events."])])


def agents(said: Said) -> str:
    """Who is here."""
    if not said["agents"]:
        return "Nobody is here."
    lines = [_agent_line(agent) for agent in said["agents"][:_MOST_AGENTS]]
    left = len(said["agents"]) - len(lines)
    return "\n".join([*lines, *([f"... and {left} more."] if left else [])])


def _agent_line(agent: Said) -> str:
    presence = agent.get("presence") or {}
    seen = f", {word(presence['state'])}, last seen {word(presence['last_seen'][:19])}" if presence else ""
    seen += "" if presence.get("hooks", True) else ", no hooks"
    return f"{title(agent['agent_id'], agent['name'])}: {word(agent['status'])}{seen}"


def joined(said: Said) -> str:
    """Who the session is now."""
    name, key = word(said["name"]), word(said["agent_id"])
    told = "" if name == key else f" (agent id {key})"
    return f"You are {name}{told}. Others reach you with @{name}; leave agent_name out, or send this."


def left(said: Said) -> str:
    """What a session that ended held."""
    files, returned = said.get("released_files", ()), said.get("returned_task_ids", ())
    freed = f" Released {len(files)} claims; {len(returned)} tasks are back in the queue." if files or returned else ""
    return f"{word(said['agent_id'])} has left.{freed} masc_join brings it back."


def heartbeat(said: Said) -> str:
    """Whether a sign of life counted."""
    if said["renewed"]:
        return f"{word(said['agent_id'])} is alive."
    return f"{word(said['agent_id'])}: nothing to renew (the session has no lease, or is over; masc_join starts one)."


def announced(said: Said) -> str:
    """A message that was sent, and who was meant."""
    parts = [f"#{said['seq']} in {word(said['channel_id'])}, to {said['recipients']} agents"]
    if said["mentioned"]:
        parts.append(f"mentioned: {', '.join(map(called, said['mentioned']))}")
    if said["unknown_mentions"]:
        parts.append(f"nobody is called {', '.join(map(word, said['unknown_mentions']))}")
    if said.get("waiting"):
        parts.append(f"not seen now by {', '.join(map(_waits, said['waiting'][:_MOST_WAITING]))}")
    if said.get("repeated"):
        parts.append("the same was said a moment ago, so nothing was sent again")
    return "; ".join(parts) + "."


def _waits(one: Said) -> str:
    woken = f", or woken by {one['woken_by']}" if one["woken_by"] else ""
    return f"{called(one['agent_id'])} ({one['state']} since {word(one['since'][:16])}: at {one['seen_at']}{woken})"


def messages(said: Said) -> str:
    """What was said, with the number to go on from."""
    lines = [_message_line(one) for one in said["messages"]]
    direct = [f"To you alone, {_said_line(one)}" for one in said.get("direct", ())]
    return "\n".join([*direct, *(lines or ["No messages."]), f"Go on with since_seq={said['cursor']}."])


def _message_line(one: Mapping[str, Any]) -> str:
    return f"#{one['seq']} {_said_line(one)}"


def _said_line(one: Mapping[str, Any]) -> str:
    content = one["content"]
    cut = f" ({len(content)} characters)" if len(content) > _EXCERPT else ""
    at = word(one["created_at"][:16]).replace("T", " ")
    itself = (one["from_agent_id"], one["from_name"], one.get("type")) == (SPEAKER, SPEAKER, NOTICE)
    who = SPEAKER if itself else called(one["from_name"], one["from_agent_id"])
    return f"[{at}] {who}: {quoted(content, _EXCERPT)}{cut}"


def overview(said: Said) -> str:
    """The workspace at a glance."""
    counts, you = said["counts"], said["you"]
    states = ", ".join(f"{number} {state}" for state, number in counts["tasks"].items() if number)
    holds = ", ".join(f"{_id(task)} ({word(task['status'])})" for task in you["current_tasks"]) or "no task"
    name = word(you["name"]) if you["name"] else "nobody yet"
    lines = [
        f"{word(said['project_id'])} at {word(said['root'], _PATH)}, channel {word(said['channel'])}",
        f"{counts['agents']} agents; tasks: {states or 'none'}",
        f"You: {name}{'' if you['joined'] else ' (not joined)'}, with {holds}",
        *(f"! {line}" for line in said["attention"]),
        *map(_glance_line, said["agents"]),
        *map(task_line, said["tasks"]),
        *steps(said["next_steps"]),
    ]
    return "\n".join(lines)


def _id(task: Said) -> str:
    return word(task.get("id") or task["task_id"])


def _glance_line(agent: Said) -> str:
    busy = f" {word(agent['current_task'])}" if agent["current_task"] else ""
    return f"- {called(agent['name'], agent['agent_id'])}: {word(agent['status'])}{busy}"


def steps(listed: list[Said]) -> list[str]:
    """What to do next, a line each."""
    return [f"Next: {one['tool']} - {one['reason']}" for one in listed]


def begun(said: Said) -> str:
    """Who came in, and with which task."""
    task, trouble = said["task"], said.get("task_problem")
    lines = [f"You are {word(said['overview']['you']['name'])} (agent id {word(said['agent_id'])})."]
    if task is not None:
        lines.append(f"Your task: {task_line(task)}")
    if trouble is not None:
        lines.append(f"No task: {trouble['message']} {trouble['hint']}")
    return "\n".join([*lines, overview(said["overview"])])


def checks(said: Said) -> str:
    """Which assertions hold, and what to do about the others."""
    return "\n".join(
        f"{'ok' if one['passed'] else 'NO'} {one['assertion']}{'' if one['passed'] else ': ' + one['fix_hint']}"
        for one in said["assertions"]
    )


def guidance(said: Said) -> str:
    """Where the caller stands, and what to do."""
    return "\n".join([f"You are {said['current_state']}.", *steps(said["guidance"])])


def place(said: Said) -> str:
    """Which project this is."""
    return f"This workspace is {word(said['project_id'])} at {word(said['root'], _PATH)}."


def paused(said: Said) -> str:
    """The pause that lasts now."""
    until = said["pause"].get("until")
    return f"Paused until {word(until)}." if until else "Paused until somebody calls masc_resume."


def resumed(said: Said) -> str:
    """Whether there was a pause."""
    return "The workspace goes on." if said["resumed"] else "The workspace is not paused."


def events(said: Said) -> str:
    """What the log tells."""
    return "\n".join(map(_event_line, said["events"])) or "No events."


def _event_line(one: Said) -> str:
    who = f" {called(one['agent_id'])}" if one["agent_id"] else ""
    return f"{word(one['timestamp'][:19])} {word(one['event_type'])}{who}"


TEXTS: dict[str, Callable[[Any], str]] = {
    "masc_start": begun,
    "masc_status": overview,
    "masc_check": checks,
    "masc_workflow_guide": guidance,
    "masc_set_room": place,
    "masc_join": joined,
    "masc_leave": left,
    "masc_who": agents,
    "masc_agents": agents,
    "masc_heartbeat": heartbeat,
    "masc_broadcast": announced,
    "masc_messages": messages,
    "masc_add_task": added,
    "masc_batch_add_tasks": added_many,
    "masc_tasks": tasks,
    "masc_claim_next": claimed,
    "masc_transition": transition,
    "masc_task_history": history,
    "masc_update_priority": prioritized,
    "masc_pause": paused,
    "masc_resume": resumed,
    "events": events,
    **PLAN_TEXTS,
    **WORKTREE_TEXTS,
}
