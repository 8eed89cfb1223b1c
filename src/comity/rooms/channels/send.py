"""Sending: one transaction for a whole send, an outcome for each recipient (MACP v1.0 sections 2.5 and 2.6).

A recipient whose queue is full and holds nothing of lower rank refuses the message; that leaves its audit row and
stops nobody else from getting it. When everybody refuses, the send is refused.
"""

from __future__ import annotations

import json

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.problem import Conflict, Forbidden, Invalid, Limited, NotFound, Refused
from comity.kernel.quoting import called
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact
from comity.rooms.agents import presence
from comity.rooms.channels import loop_damper
from comity.rooms.channels.deliveries import insert, make_room, notice, recipient
from comity.rooms.channels.model import DAY_S, TTL_S, Draft, Refusal, Sent, Waiting

_STEERING, _INTERRUPT = 2, 3
_MOST_WAITING = 20  # recipients of whom the answer tells that they do not see it now
_FULL = "MACP_ERR_QUEUE_FULL_REJECT_INCOMING"


def broadcast(scope: Scope, channel: str, draft: Draft) -> Sent:
    """To every other active member of the channel; to nobody, and nothing written, when there is none."""
    _check_json(draft)
    actor = scope.actor
    found = scope.tx.one(
        "channels.channel_sender", channel_id=channel, agent_id=actor.agent_id, session_id=actor.session_id
    )
    state, member = found or _inactive(scope)
    if state != "active":
        raise NotFound(
            "MACP_ERR_CHANNEL_NOT_FOUND",
            f"There is no active channel {channel!r}.",
            "Join it first: joining makes a channel.",
            channelId=channel,
        )
    if not member:
        raise Forbidden(
            "MACP_ERR_SENDER_NOT_MEMBER",
            f"Agent {actor.agent_id} is not a member of channel {channel!r}.",
            "Join the channel, then send again.",
            agentId=actor.agent_id,
            sessionId=actor.session_id,
            channelId=channel,
        )
    recipients = scope.tx.all(
        "channels.channel_recipients",
        channel_id=channel,
        agent_id=actor.agent_id,
        second=scope.now.second,
        now_ms=scope.now.ms,
    )
    return _damped(scope, recipients, draft, channel)


def send(scope: Scope, destination: str, draft: Draft) -> Sent:
    """To one agent, whatever channels it is in: by its id, or by its name when no other has that."""
    _check_json(draft)
    actor, tx = scope.actor, scope.tx
    recipients, named = recipient(scope, destination), []
    if not recipients:
        named = tx.all("channels.agents_named", name=destination)
        recipients = recipient(scope, named[0][0]) if len(named) == 1 else []
    if not recipients:
        if tx.one("agents.active_session", agent_id=actor.agent_id, session_id=actor.session_id) is None:
            _inactive(scope)
        raise NotFound(
            "MACP_ERR_DESTINATION_UNKNOWN",
            f"Several agents are called {destination!r}." if named[1:] else f"No agent {destination!r} is active here.",
            "List the agents (`agent.list`) and use an id as it is shown there.",
            destinationAgentId=destination,
        )
    return _damped(scope, recipients, draft, None)


def _inactive(scope: Scope) -> Row:
    actor = scope.actor
    raise Conflict(
        "MACP_ERR_SENDER_NOT_ACTIVE",
        f"Session {actor.session_id} of agent {actor.agent_id} is not active.",
        "It ended, or a newer process registered this agent. Register again, then send.",
        agentId=actor.agent_id,
        sessionId=actor.session_id,
    )


def _check_json(draft: Draft) -> None:
    if draft.content_type == "application/json":
        try:
            json.loads(draft.content)
        except (ValueError, RecursionError) as error:
            raise Invalid(
                "content.not_json",
                f"The content is not JSON: {error}.",
                "Send valid JSON, or text/plain.",
            ) from None


def _damped(scope: Scope, recipients: list[Row], draft: Draft, channel: str | None) -> Sent:
    """Deliver, unless it is a repetition or part of a loop. A recipient whose messages are held back is told so."""
    if not recipients:
        return _deliver(scope, recipients, draft, channel)
    try:
        passage = loop_damper.enter(scope, draft, None if channel is not None else recipients[0][0], channel)
    except Refused as refused:
        if refused.problem.data.pop("tellRecipient", False):
            notice(scope, recipients[0], refused.problem.message, "advisory", 3600)
        raise
    if isinstance(passage, Sent):
        return passage
    sent = _deliver(scope, recipients, draft, channel)
    if passage is not None:
        loop_damper.note(scope, passage, draft, sent)
    return sent


def _deliver(scope: Scope, recipients: list[Row], draft: Draft, channel: str | None) -> Sent:
    message_id, level = scope.new_id(), draft.level
    events: list[Event] = []
    takers: list[tuple[str, int]] = []
    refused: list[Refusal] = []
    quiet: list[str] = []
    for agent_id, limit, pending, sequence, is_quiet in recipients:
        if pending < limit or make_room(scope, agent_id, level, message_id, events):
            takers.append((agent_id, sequence))
            if is_quiet:
                quiet.append(agent_id)
        else:
            refused.append(_refusal(agent_id, level, message_id, channel, events))
    delivery_ids = insert(scope, takers, draft, message_id, channel, events) if takers else []
    scope.emit(*events)
    if refused and not takers:
        raise Refused(_all_refused(refused))
    told = _waiting(scope, quiet[:_MOST_WAITING], draft) if quiet else ()
    return Sent(message_id, delivery_ids, [agent_id for agent_id, _ in takers], tuple(refused), waiting=told)


def _waiting(scope: Scope, agent_ids: list[str], draft: Draft) -> tuple[Waiting, ...]:
    """Those who do not see the message now: since when, when they will, what would wake them, how long it waits."""
    lasts = draft.ttl_seconds is None and draft.level >= _STEERING
    wait_s = max(TTL_S, scope.actor.mail_days * DAY_S) if lasts else draft.ttl_seconds or TTL_S
    until = Instant.at(scope.now.ms + wait_s * 1000).iso
    rows = scope.tx.all("channels.attendance", agent_ids=compact(agent_ids), now_ms=scope.now.ms)
    gone: set[str] = set()
    if any(row[4] is not None for row in rows):
        gone = {one.agent_id for one, verdict in presence.verdicts(scope) if verdict.state in ("dead", "lapsed")}
    found = []
    for agent_id, rested_ms, watched, hooked, seen_ms, sleeps_since in rows:
        seen_at = "its next prompt or tool" if hooked else "its next poll"
        if agent_id in gone:
            since = Instant.at(seen_ms).iso
            found.append(Waiting(agent_id, "away", since, f"{seen_at}, once it is back", "", until))
        elif rested_ms is not None or sleeps_since is not None:
            since = Instant.at(rested_ms).iso if rested_ms is not None else str(sleeps_since)
            found.append(Waiting(agent_id, "idle", since, seen_at, _woken_by(draft, watched=bool(watched)), until))
    return tuple(found)


def _woken_by(draft: Draft, *, watched: bool) -> str:
    """What makes an idle agent look sooner, as far as is known here."""
    if not watched:
        return "its user"
    if draft.level < _STEERING:
        return "a steering or interrupt message"
    return (
        "this message" if draft.level == _INTERRUPT else "this message, unless its user lets interrupts alone wake it"
    )


def _refusal(agent_id: str, level: int, message_id: str, channel: str | None, events: list[Event]) -> Refusal:
    detail: dict[str, object] = {"incoming_priority": level, "destination_agent_id": agent_id}
    events.append(Event("message.reject", message_id, None, agent_id, channel, _FULL, detail))
    return Refusal(
        agent_id, _FULL, f"The queue of {called(agent_id)} is full, and nothing in it ranks below this message."
    )


def _all_refused(refused: list[Refusal]) -> Limited:
    return Limited(
        _FULL,
        refused[0].message if len(refused) == 1 else f"The queues of all {len(refused)} recipients are full.",
        "Send with a higher priority, or wait until they have acknowledged what is pending.",
        destinationAgentId=refused[0].agent_id,
        refused=[{"agentId": one.agent_id, "reasonCode": one.reason_code} for one in refused],
    )
