"""The protocol in memory: what a file must say after any sequence of operations, in the plainest words.

Written from MACP v1.0 (protocol reference section 2) and the deliberate differences of ``docs/compatibility.md``, not
from the code: lists, dicts and loops, one agent at a time.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from tests.original import greedy

PENDING = ("queued", "surfaced")


class Refused(Exception):
    """An operation that the protocol refuses; the first argument is the reason."""


class Box:
    """One delivery."""

    def __init__(
        self, sender: str, recipient: str, channel: str | None, priority: int, size: int, at_ms: int, ttl: int
    ) -> None:
        self.id = ""
        self.sender = sender
        self.recipient, self.channel, self.priority = recipient, channel, priority
        self.size, self.at_ms, self.ttl = size, at_ms, ttl
        self.sequence = 0
        self.state = "queued"
        self.levels = {"queued"}

    def live(self, now_ms: int) -> bool:
        return self.state in PENDING and self.at_ms // 1000 + self.ttl >= now_ms // 1000


class Session(NamedTuple):
    """An agent's newest session."""

    session_id: str
    active: bool
    limit: int


class Model:
    """The whole workspace."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.sessions: dict[str, Session] = {}
        self.members: dict[str, dict[str, str]] = {}
        self.boxes: list[Box] = []
        self.next: Counter[str] = Counter()
        self.audit: Counter[str] = Counter()

    def active(self, agent: str, session_id: str) -> bool:
        session = self.sessions.get(agent)
        return session is not None and session.active and session.session_id == session_id

    def start(self, agent: str, session_id: str, limit: int, channel: str) -> None:
        old = self.sessions.get(agent)
        if old is not None and old.session_id != session_id:
            self._leave_all(agent)
        self.sessions[agent] = Session(session_id, True, limit)
        self.audit["session.register"] += 1
        self.join(agent, session_id, channel)

    def end(self, agent: str, session_id: str) -> None:
        if self.active(agent, session_id):
            self.sessions[agent] = self.sessions[agent]._replace(active=False)
            self._leave_all(agent)
            self.audit["session.deregister"] += 1

    def join(self, agent: str, session_id: str, channel: str) -> list[str]:
        if not self.active(agent, session_id):
            raise Refused("MACP_ERR_SESSION_UNKNOWN")
        members = self.members.setdefault(channel, {})
        members[agent] = session_id
        self.audit["channel.join"] += 1
        return sorted(set(members) - {agent})

    def leave(self, agent: str, session_id: str, channel: str) -> bool:
        if not self.active(agent, session_id):
            raise Refused("MACP_ERR_SESSION_UNKNOWN")
        left = self.members.get(channel, {}).pop(agent, None) is not None
        self.audit["channel.leave"] += left
        return left

    def send(self, agent: str, session_id: str, recipient: str, box: dict[str, Any]) -> list[Box]:
        if not self.active(agent, session_id):
            raise Refused("MACP_ERR_SENDER_NOT_ACTIVE")
        there = self.sessions.get(recipient)
        if there is None or not there.active:
            raise Refused("MACP_ERR_DESTINATION_UNKNOWN")
        return self._deliver(agent, [recipient], None, box)

    def broadcast(self, agent: str, session_id: str, channel: str, box: dict[str, Any]) -> list[Box]:
        if not self.active(agent, session_id):
            raise Refused("MACP_ERR_SENDER_NOT_ACTIVE")
        if channel not in self.members:
            raise Refused("MACP_ERR_CHANNEL_NOT_FOUND")
        if agent not in self.members[channel]:
            raise Refused("MACP_ERR_SENDER_NOT_MEMBER")
        return self._deliver(agent, sorted(set(self.members[channel]) - {agent}), channel, box)

    def expire(self, agent: str) -> tuple[list[str], list[Box]]:
        """What is overdue, and what its senders are told of what nobody has read, where their queues have room."""
        gone = [b for b in self.boxes if b.recipient == agent and b.state in PENDING and not b.live(self.now_ms)]
        for box in gone:
            box.state = "expired"
        self.audit["message.expire"] += len(gone)
        unread = {box.sender for box in gone if "received" not in box.levels} - {agent}
        told = []
        for sender in unread:
            session = self.sessions.get(sender)
            if session is not None and session.active and len(self.waiting(sender)) < session.limit:
                told += self._deliver("comity", [sender], None, {"priority": 1, "size": 0, "ttl": 86_400})
        return sorted(box.id for box in gone), told

    def waiting(self, agent: str, least: int = 0) -> list[Box]:
        found = [b for b in self.boxes if b.recipient == agent and b.priority >= least and b.live(self.now_ms)]
        return sorted(found, key=lambda box: (-box.priority, box.sequence))

    def fitting(self, boxes: list[Box], budget: int) -> tuple[list[str], list[str]]:
        """Budget pruning, when each row fits by itself and as many may be returned as there are."""
        rows: list[dict[str, Any]] = [
            {
                "id": box.id,
                "priority": box.priority,
                "sequence": box.sequence,
                "at_ms": box.at_ms,
                "ttl": box.ttl,
                "context": {"relevance_tags": [], "payload_byte_size": box.size},
            }
            for box in boxes
        ]
        taken, pruned = greedy(rows, budget, [], self.now_ms)
        return [row["id"] for row in taken], [row["id"] for row in pruned]

    def surface(self, ids: list[str], pruned: int) -> None:
        for box in self.boxes:
            if box.id in ids and box.state == "queued":
                box.state = "surfaced"
                box.levels.add("received")
        self.audit["message.prune"] += pruned

    def ack(self, agent: str, session_id: str, delivery_id: str) -> None:
        if not self.active(agent, session_id):
            raise Refused("MACP_ERR_SESSION_UNKNOWN")
        for box in self.boxes:
            if box.id == delivery_id and box.recipient == agent:
                if box.state in {"expired", "dropped"}:
                    raise Refused("MACP_ERR_DELIVERY_NOT_ACKABLE")
                self.audit["message.ack"] += box.state != "acknowledged"
                box.state = "acknowledged"
                box.levels.add("processed")
                return
        raise Refused("MACP_ERR_DELIVERY_NOT_FOUND")

    def _leave_all(self, agent: str) -> None:
        for members in self.members.values():
            members.pop(agent, None)

    def _deliver(self, sender: str, recipients: list[str], channel: str | None, fields: dict[str, Any]) -> list[Box]:
        made = []
        for recipient in recipients:
            pending = self.waiting(recipient)
            if len(pending) >= self.sessions[recipient].limit:
                queued = [box for box in pending if box.state == "queued"]
                weakest = min(queued, key=lambda box: (box.priority, box.sequence), default=None)
                if weakest is None or weakest.priority > fields["priority"]:
                    self.audit["message.reject"] += 1
                    continue
                weakest.state = "dropped"
                self.audit["message.drop"] += 1
            box = Box(sender, recipient, channel, at_ms=self.now_ms, **fields)
            self.next[recipient] += 1
            box.sequence = self.next[recipient]
            self.audit["message.send"] += 1
            self.boxes.append(box)
            made.append(box)
        if recipients and not made:
            raise Refused("MACP_ERR_QUEUE_FULL_REJECT_INCOMING")
        return made
