"""Reference pages that are drawn from the tables that decide: agent hosts, states of a task, access."""

from __future__ import annotations

from comity.hosts.catalog import ADAPTERS
from comity.hosts.hook_install import WIRINGS
from comity.rooms import REGISTRY
from comity.rooms.tasks.machine import MACHINE, RULES
from comity.server.auth import access

_MARKS = {
    "role.insufficient": "R",
    "agent.unnamed": "U",
    "agent.mismatch": "M",
    "agent.bound": "B",
    "agent.unproven": "P",
}
_WHO = {
    "free_or_mine": "its holder, or anybody while it is free",
    "mine": "its holder",
    "mine_or_dispatched": "its holder or its dispatcher",
    "free_mine_or_dispatched": "its holder or its dispatcher, or anybody while it is free",
}
HOST_COLUMNS = (
    "host",
    "mid-turn messages",
    "messages at a prompt",
    "refuse an edit",
    "warn before it",
    "ask the user",
    "go on at stop",
    "wake",
    "tried",
)


def hosts_page() -> str:
    """What each agent host lets hooks do, as the adapters say."""
    lines = [
        "# Agent hosts",
        "",
        "What each host lets Comity's hooks do, made from the adapters' own data. [Hooks](../hooks.md) explains it.",
        "",
        f"| {' | '.join(HOST_COLUMNS)} |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    found = [(wiring, ADAPTERS[wiring.host]) for wiring in WIRINGS]
    for wiring, adapter in found:
        can = adapter.abilities
        able = (can.mid_turn, can.at_prompt, can.refuse, can.warn, can.ask, can.stop)
        cells = ("yes" if cell else "no" for cell in able)
        wake = f"`{can.wake}`" if can.wake else "no"
        tried = can.proven or "its documentation only"
        lines.append(f"| {wiring.title} | {' | '.join(cells)} | {wake} | {tried} |")
    lines += ["", "| host | name | file | hooked events | looked up |", "|---|---|---|---|---|"]
    for wiring, adapter in found:
        events = ", ".join(f"`{event}`" for event in wiring.events)
        source = f"[{adapter.abilities.checked}]({adapter.abilities.source})"
        lines.append(f"| {wiring.title} | `{wiring.host}` | `{wiring.file}` | {events} | {source} |")
    return "\n".join([*lines, ""])


def task_states_page() -> str:
    """The states of a task, drawn from the table that decides them."""
    lines = [
        "# States of a task",
        "",
        "Drawn from `rooms/tasks/machine.py`.",
        "",
        "```mermaid",
        MACHINE.diagram(),
        "```",
        "",
    ]
    lines += ["| operation | possible while | leads to | who | also checked |", "|---|---|---|---|---|"]
    for heard, rule in RULES.items():
        found = {state: to for (state, said), to in MACHINE.table.items() if said == heard}
        who = next(_WHO[check] for check in rule.checks if check in _WHO)
        also = {"profile": "profile", "ready": "dependencies"}
        more = ", ".join(also[check] for check in rule.checks if check in also) or "none"
        leads = ", ".join(dict.fromkeys(found.values()))
        lines.append(f"| `task.{heard}` | {', '.join(found)} | {leads} | {who} | {more} |")
    return "\n".join([*lines, ""])


def access_page() -> str:
    """What each role may do, and as whom, made from the table that a test holds against every door."""
    lines = [
        "# Access",
        "",
        "What the server answers, by the role of a token and by whose agent a request comes from. A test asks every",
        "cell of it over REST, MCP and WebSockets. [Authentication](../authentication.md) explains it.",
        "",
        "Each cell has five marks, for a request that comes from",
        "",
    ]
    lines += [f"{number}. {words}," for number, words in enumerate(access.CALLERS.values(), 1)]
    lines += ["", "| mark | meaning |", "| --- | --- |", "| ✓ | it is run |"]
    lines += [f"| {mark} | `{reason}` |" for reason, mark in _MARKS.items()]
    lines += ["", "MCP gives whoever has no name a new one (the third mark is then as the first), except readers.", ""]
    roles = ("reader", "worker", "admin")
    lines += [f"| operation | {' | '.join(roles)} | about what is another agent's |", "| --- | --- | --- | --- | --- |"]
    for op in REGISTRY:
        cells = [" ".join(_MARKS.get(access.refusal(op, role, one), "✓") for one in access.CALLERS) for role in roles]
        lines.append(f"| [{op.name}]({op.name}.md) | {' | '.join(cells)} | {access.OTHERS.get(op.name, '')} |")
    return "\n".join([*lines, ""])
