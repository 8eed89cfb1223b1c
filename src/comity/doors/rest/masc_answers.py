"""What MASC's REST routes answer: what Comity's operations say, in that project's shapes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from comity.dialects.masc.words import OWN_STATES, state
from comity.kernel.clock import Instant
from comity.kernel.text import cursor_at, position_of
from comity.rooms.tasks.model import SHORT_STATES
from comity.server.route import Exchange

Object = dict[str, Any]
Asked = dict[str, Any]
STATES = tuple(SHORT_STATES.values())
_FINISHED = {"done": "include_done", "cancelled": "include_cancelled"}
_ROOM = "default"
_PAGE = 500  # messages that are read at once when only one agent's are wanted
_PAGES = 20
_HOUR_MS = 3_600_000


async def status(exchange: Exchange, _: Asked) -> Object:
    """Which project this is, and whether it is paused. There is no tempo here."""
    found = await _call(exchange, "workspace.status")
    paused = found.paused is not None
    return {"cluster": "default", "project": found.project_id, "tempo_interval_s": 0, "paused": paused}


async def tasks(exchange: Exchange, asked: Asked) -> Object:
    """Tasks, most urgent first."""
    status, limit, offset = asked["status"], asked["limit"], asked["offset"]
    if status:
        arguments: Asked = {"status": OWN_STATES.get(status, status)}
        counted = [status]
    else:
        arguments = {flag: asked[flag] for flag in _FINISHED.values()}
        counted = [one for one in STATES if one not in _FINISHED or asked[_FINISHED[one]]]
    found = await _call(exchange, "task.survey", limit=offset + limit, **arguments)
    total = len(found.tasks)
    if found.more:
        counts = (await _call(exchange, "workspace.overview")).counts.tasks
        total = max(total + 1, sum(counts.get(one, 0) for one in counted))
    listed = [
        {
            "id": task.number or task.task_id,
            "title": task.title,
            "description": task.description,
            "status": state(task.status),
            "priority": task.level,
            "assignee": task.assigned_agent_id,
            "created_at": task.created_at,
        }
        for task in found.tasks[offset:]
    ]
    return {"tasks": listed, "limit": limit, "offset": offset, "total": total}


async def agents(exchange: Exchange, asked: Asked) -> Object:
    """Agents that are here. What MASC dreams up for them stays empty."""
    glances = (await _call(exchange, "workspace.overview")).agents
    working = {one.agent_id: one.current_task for one in glances}
    listed = [
        {
            "name": agent.name,
            "status": "busy" if agent.status == "active" and working.get(agent.agent_id) else agent.status,
            "current_task": working.get(agent.agent_id),
            "emoji": "",
            "koreanName": "",
            "model": "",
            "traits": [],
            "interests": agent.interest_tags,
        }
        for agent in (await _call(exchange, "agent.list")).agents
    ]
    if asked["status"]:
        listed = [agent for agent in listed if agent["status"] == asked["status"]]
    limit, offset = asked["limit"], asked["offset"]
    return {"agents": listed[offset : offset + limit], "limit": limit, "offset": offset, "total": len(listed)}


async def messages(exchange: Exchange, asked: Asked) -> Object:
    """What was said in the default channel, oldest first: the newest of it, or what followed a number."""
    since, limit, sender = asked["since_seq"], asked["limit"], asked["agent"]
    cursor, found = since, []
    for _ in range(_PAGES if sender else 1):
        size = _PAGE if sender else limit
        # From the beginning it is the newest that are wanted; a follower gets what comes next.
        newest = not since and not sender
        page = await _call(exchange, "message.history", since_seq=cursor, limit=size, newest=newest)
        found += [one for one in page.messages if sender in ("", one.from_agent_id, one.from_name)]
        cursor = page.cursor
        if len(page.messages) < size or len(found) >= limit:
            break
    said = [
        {"from": one.from_name, "content": one.content, "timestamp": one.created_at, "seq": one.seq}
        for one in found[:limit]
    ]
    return {"messages": said, "limit": limit, "since_seq": since, "total": len(said)}


async def events(exchange: Exchange, asked: Asked) -> Object:
    """The log after a number, as MASC's activity."""
    after, limit = asked["after_seq"], asked["limit"]
    kinds = [kind.strip() for kind in (asked["kinds"] or asked["kind"]).split(",") if kind.strip()]
    wanted: Asked = {"event_types": kinds} if kinds else {}
    page = await _call(exchange, "event.list", after=cursor_at(after), limit=limit, **wanted)
    last = (await _call(exchange, "event.list", newest=1, limit=1)).events
    said = [_event(event) for event in page.events]
    return {
        "events": said,
        "count": len(said),
        "after_seq": after,
        "next_after_seq": position_of(page.cursor),
        "limit": limit,
        "room_id": _ROOM,
        "kinds": kinds,
        "latest_seq": last[-1].id if last else 0,
    }


def _event(event: Any) -> Object:
    actor = event.from_agent_id or event.agent_id
    about = event.message_id or event.delivery_id
    return {
        "seq": event.id,
        "ts_ms": _ms(event.timestamp),
        "ts_iso": event.timestamp,
        "room_id": _ROOM,
        "kind": event.event_type,
        "actor": {"kind": "agent", "id": actor} if actor else None,
        "subject": {"kind": "message", "id": about} if about else None,
        "payload": {**event.metadata, **({"excerpt": event.excerpt} if event.excerpt is not None else {})},
        "tags": [],
    }


async def timeline(exchange: Exchange, asked: Asked) -> Object:
    """What happened to one agent lately."""
    agent, hours, limit = asked["agent_name"], asked["since_hours"], asked["limit"]
    now_ms = time.time_ns() // 1_000_000
    page = await _call(exchange, "event.list", agent_id=agent[:200], newest=limit, limit=limit)
    recent = [event for event in page.events if _ms(event.timestamp) >= now_ms - hours * _HOUR_MS]
    said = [{"ts": one.timestamp, "type": one.event_type, "detail": one.metadata} for one in recent]
    period = {"from": Instant.at(now_ms - hours * _HOUR_MS).iso, "to": Instant.at(now_ms).iso, "hours": hours}
    return {"agent": agent, "period": period, "events": said, "summary": {"events": len(said)}}


async def _call(exchange: Exchange, name: str, **arguments: object) -> Any:
    return await exchange.server.call(exchange.principal, name, arguments)


def _ms(timestamp: str) -> int:
    """Milliseconds since 1970; 0 for what is no time: other programs write rows, too."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return 0
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
