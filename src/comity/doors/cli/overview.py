"""Commands that look: status and agents. They register nothing and make no database."""

from __future__ import annotations

import sys
from typing import Any

from comity import spoiled_settings
from comity.doors.cli.command import Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import PRIORITY_STYLES, Column, Part, Screen, clock
from comity.doors.cli.tail import show_events
from comity.doors.cli.upkeep import show_pause
from comity.opening import Memory
from comity.rooms.channels.model import PRIORITIES
from comity.server.folder import agreement
from comity.server.folder.layout import masc_folder
from comity.server.folder.lock import running_server
from comity.setting_list import Aside

_NEWEST = 5


def _status(invocation: Invocation, _: Values) -> dict[str, Any]:
    spoiled = invocation.despite_spoiled()
    settings = invocation.settings
    result: dict[str, Any] = {
        "project": {"projectId": settings.project_id, "root": settings.root, "defaultChannel": settings.channel},
        "database": {"path": settings.db, "exists": invocation.exists()},
        "server": running_server(masc_folder(settings.root)),
        "aside": agreement.look(settings.root).aside,
        "replaced": Memory(settings).told,
        "spoiled": "" if spoiled is None else spoiled_settings.complaint(spoiled),
        "status": None,
        "channels": [],
        "agents": [],
        "events": [],
        "lost": [],
        "leftBehind": [],
        "waiting": [],
    }
    if invocation.exists():
        agents = invocation.call("agent.list").agents
        result["status"] = invocation.call("workspace.status")
        result["agents"] = agents
        result["channels"] = _channels(agents)
        result["events"] = invocation.call("event.list", newest=_NEWEST).events
        result["lost"] = invocation.call("rescue.list", lost=True, limit=_NEWEST).versions
        result["waiting"] = invocation.call("claim.list", limit=1).waiting
        result["leftBehind"] = [one for one in invocation.call("work.list").files if one.state == "left behind"]
    return result


def _channels(agents: list[Any]) -> list[dict[str, object]]:
    members: dict[str, list[str]] = {}
    for agent in agents:
        for channel in agent.channels:
            members.setdefault(channel, []).append(agent.agent_id)
    return [{"channelId": channel, "agentIds": listed} for channel, listed in sorted(members.items())]


def _show_status(screen: Screen, result: dict[str, Any]) -> None:
    project, database, status = result["project"], result["database"], result["status"]
    pairs: list[tuple[str, Part]] = [("Project", project["projectId"]), ("Database", database["path"])]
    if result["server"] is not None:
        pairs.append(("Server", f"{result['server'].url} (process {result['server'].pid})"))
    if status is None:
        screen.fields(pairs)
        _show_aside(screen, result["aside"])
        _show_spoiled(screen, result["spoiled"])
        if result["replaced"]:
            screen.say(("replaced: ", "bold red"), result["replaced"])
        screen.say("")
        screen.say("There is no database yet. It is made when the first agent starts:")
        screen.say("comity init, then open your agent hosts in this repository.", indent=2)
        return
    pending = status.pending
    pairs += [
        ("Agents", str(status.agents)),
        ("Channels", ", ".join(f"{one['channelId']} ({len(one['agentIds'])})" for one in result["channels"]) or "none"),
        ("Pending", str(pending.total)),
    ]
    for level, style in PRIORITY_STYLES.items():
        number = getattr(pending, PRIORITIES[level])
        if number:
            pairs.append((f"  {PRIORITIES[level]}", (str(number), style)))
    screen.fields(pairs)
    if status.paused is not None:
        show_pause(screen, status.paused)
    _show_aside(screen, result["aside"])
    _show_spoiled(screen, result["spoiled"])
    _show_trouble(screen, result)
    for one in result["lost"]:
        who = one.agent_name or one.agent_id or "nobody known"
        what = f"{one.file_path} of {who}, by {one.lost_by}; comity rescue gives it back"
        screen.say(("lost work: ", "bold red"), what)
    for one in result["leftBehind"][:_NEWEST]:
        screen.say(("left behind: ", "yellow"), f"{one.file_path}, uncommitted, by {one.agent_name or one.agent_id}")
    for one in result["waiting"][:_NEWEST]:
        what = f"{', '.join(one.files)}: {one.agent_name or one.agent_id}, behind {', '.join(one.behind)}"
        screen.say(("in line: ", "yellow"), what)
    if result["agents"]:
        screen.say("")
        _show_agents(screen, result["agents"])
    if result["events"]:
        screen.say("")
        screen.say(("Newest events", "bold"))
        show_events(screen, result["events"])


def _show_trouble(screen: Screen, result: dict[str, Any]) -> None:
    """Agents without hooks, work of one agent in a commit of another, and loops of messages."""
    bare = [agent for agent in result["agents"] if agent.presence is not None and not agent.presence.hooks]
    for agent in bare:
        screen.say(("no hooks: ", "bold red"), f"{agent.name}: nobody checks its edits; comity doctor says what to do")
    for told in result["status"].committed:
        screen.say(("committed by another: ", "bold red"), told)
    for loop in result["status"].damped:
        screen.say((f"{loop.sender} to {loop.target}: messages held back: {loop.times}, ", "yellow"), loop.why)


def _show_spoiled(screen: Screen, spoiled: str) -> None:
    if spoiled:
        screen.say(("spoiled: ", "bold red"), spoiled)


def _show_aside(screen: Screen, left: tuple[Aside, ...]) -> None:
    for one in left:
        screen.say(("set aside: ", "yellow"), f"{one.text} ({one.file}); comity trust agrees")


status = command(
    _status,
    show=_show_status,
    needs="project",
    doc="""Show the project, who is here, what waits for whom, and what happened last.

    Registers nothing and makes nothing.
    """,
    example="comity status --json",
)


def _agents(invocation: Invocation, values: Values) -> Any:
    spoiled = invocation.despite_spoiled()
    if spoiled is not None:
        print(f"spoiled: {spoiled_settings.complaint(spoiled)}", file=sys.stderr)
    invocation.require_database()
    return invocation.call("agent.list", **values)


def _show_list(screen: Screen, listed: Any) -> None:
    if not listed.agents:
        screen.say("No agent is here.")
        return
    _show_agents(screen, listed.agents)
    screen.say("")
    columns = (Column("Agent", flexible=True), Column("Known because", flexible=True), Column("In", flexible=True))
    screen.table(columns, [(agent.agent_id, *_known(agent.presence)) for agent in listed.agents])


def _known(presence: Any) -> tuple[str, str]:
    """How it is known whether an agent lives, and where it runs."""
    if presence is None:
        return "it reports no presence, so nobody judges it", ""
    where = (presence.program, presence.machine, presence.worktree)
    heard = f", last heard of at {clock(presence.last_seen)}" if presence.state != "alive" else ""
    return presence.how + heard, " ".join(part for part in where if part)


def _life(presence: Any) -> Part:
    if presence is None:
        return "unknown"
    if not presence.hooks and presence.state in ("alive", "leased"):
        return f"{presence.state}, no hooks", "bold red"
    styles = {"dead": "bold red", "lapsed": "yellow"}
    return presence.state, styles.get(presence.state, "")


def _show_agents(screen: Screen, agents: list[Any]) -> None:
    columns = (
        Column("Agent", flexible=True),
        Column("Name", flexible=True),
        Column("Role", flexible=True),
        Column("Channels", flexible=True),
        Column("Pending", right=True),
        Column("Since"),
        Column("Life"),
    )
    rows = [
        (
            agent.agent_id,
            "" if agent.name == agent.agent_id else agent.name,
            agent.role or "",
            ", ".join(agent.channels),
            _load(agent),
            clock(agent.registered_at),
            _life(agent.presence),
        )
        for agent in agents
    ]
    screen.table(columns, rows)


def _load(agent: Any) -> Part:
    near = agent.pending_deliveries >= agent.max_pending_messages * 0.8
    return str(agent.pending_deliveries), "bold red" if near else ""


agents = command(
    _agents,
    show=_show_list,
    ops=("agent.list",),
    needs="project",
    example="comity agents --json",
)
