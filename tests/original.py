"""A foreign peer: the file written and read as the original implementation does it, by the protocol's facts alone.

It shares no code with Comity: its own connection, autocommitted statements where the original has them, IMMEDIATE
transactions only for sends, JavaScript's timestamps, SQLite's date functions for deadlines, random UUIDs, numbers bound
as reals. Its rules are those of MACP v1.0 (protocol reference, section 2), defects included.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import apsw

from comity.kernel.clock import Clock
from tests import wire_format
from tests.wire_format import CORE, CORE_INDEXES, EXTENSION, EXTENSION_INDEXES

LIVE = "datetime(timestamp, '+' || ttl_seconds || ' seconds') >= datetime(?)"
STALE = "datetime(timestamp, '+' || ttl_seconds || ' seconds') < datetime(?)"
PENDING = "state IN ('queued', 'surfaced')"
MEMBERS = (
    "SELECT m.agent_id FROM channel_members m JOIN sessions s ON s.session_id = m.session_id AND s.state = 'active'"
    " WHERE m.channel_id = ? AND m.agent_id <> ?"
)


class ProtocolError(Exception):
    """An error with a reason code of the protocol."""

    def __init__(self, reason: str, **metadata: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.metadata = metadata


def stringify(value: object) -> str:
    """As JSON.stringify writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Original:
    """One agent of the original implementation on a file."""

    def __init__(
        self, path: str | os.PathLike[str], agent_id: str, session_id: str, clock: Clock, *, extension: bool = True
    ) -> None:
        self.agent_id, self.session_id, self.clock = agent_id, session_id, clock
        self.name = f"{agent_id} of the original"
        self._connection = apsw.Connection(os.fspath(path))
        statements = wire_format.ddl(CORE, CORE_INDEXES)
        if extension:
            statements += wire_format.ddl(EXTENSION, EXTENSION_INDEXES)
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA busy_timeout = 5000",
            "PRAGMA foreign_keys = ON",
            *statements,
        ):
            self.sql(statement)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """One statement; numbers go in as reals."""
        bound = [float(value) if isinstance(value, int) else value for value in values]
        return self._connection.execute(statement, bound).fetchall()

    def close(self) -> None:
        """Close the connection; the session stays."""
        self._connection.close()

    def now(self) -> str:
        """The time as JavaScript's toISOString gives it."""
        return self.clock.now().iso

    def audit(
        self,
        event_type: str,
        ids: Sequence[str | None],
        reason: str = "MACP_OK",
        metadata: dict[str, object] | None = None,
    ) -> None:
        """One audit row; ``ids`` are message, delivery, agent and channel."""
        self.sql(
            "INSERT INTO audit_log (event_type, message_id, delivery_id, agent_id, channel_id, reason_code, timestamp,"
            " metadata_json) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            event_type,
            *ids,
            reason,
            self.now(),
            stringify(metadata or {}),
        )

    @contextmanager
    def immediate(self) -> Iterator[None]:
        """One IMMEDIATE transaction, rolled back by any error."""
        self.sql("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.sql("ROLLBACK")
            raise
        self.sql("COMMIT")

    def register(self, *, tags: Sequence[str] = (), max_pending: int = 200, max_bytes: int = 16384) -> None:
        """Section 2.2: four statements, each committed by itself."""
        now = self.now()
        self.sql(
            "INSERT INTO agents (agent_id, name, created_at, last_registered_at) VALUES (?, ?, ?, ?) ON CONFLICT"
            " (agent_id) DO UPDATE SET name = excluded.name, last_registered_at = excluded.last_registered_at",
            *(self.agent_id, self.name, now, now),
        )
        self.sql("DELETE FROM channel_members WHERE agent_id = ?", self.agent_id)
        capabilities = {
            "role": "participant",
            "injection_tiers": ["tier1_polling"],
            "ack_levels": ["received", "queued", "processed"],
            "max_context_bytes": max_bytes,
        }
        self.sql(
            "INSERT INTO sessions (session_id, agent_id, capabilities_json, interest_tags_json,"
            " queue_preferences_json, state, registered_at) VALUES (?, ?, ?, ?, ?, 'active', ?)"
            " ON CONFLICT (agent_id) DO UPDATE SET session_id = excluded.session_id,"
            " capabilities_json = excluded.capabilities_json, interest_tags_json = excluded.interest_tags_json,"
            " queue_preferences_json = excluded.queue_preferences_json, state = 'active',"
            " registered_at = excluded.registered_at",
            *(self.session_id, self.agent_id, stringify(capabilities), stringify(list(tags))),
            *(stringify({"max_pending_messages": max_pending}), now),
        )
        self.audit("session.register", (None, None, self.agent_id, None))

    def join(self, channel: str) -> list[str]:
        """Section 2.3; the peers."""
        active = self.sql(
            "SELECT 1 FROM sessions WHERE agent_id = ? AND session_id = ? AND state = 'active'",
            *(self.agent_id, self.session_id),
        )
        if not active:
            raise ProtocolError("MACP_ERR_SESSION_UNKNOWN", agentId=self.agent_id, sessionId=self.session_id)
        self.sql(
            "INSERT INTO channels (channel_id, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING", channel, self.now()
        )
        self.sql(
            "INSERT OR REPLACE INTO channel_members (channel_id, agent_id, session_id, joined_at) VALUES (?, ?, ?, ?)",
            *(channel, self.agent_id, self.session_id, self.now()),
        )
        peers = [row[0] for row in self.sql(MEMBERS, channel, self.agent_id)]
        self.audit("channel.join", (None, None, self.agent_id, channel))
        return peers

    def send_channel(self, channel: str, content: str, priority: int = 1, ttl: int = 3600) -> list[str]:
        """Section 2.5: all recipients or none; the delivery ids."""
        with self.immediate():
            self._require_active()
            if self.sql("SELECT 1 FROM channels WHERE channel_id = ? AND state = 'active'", channel) == []:
                raise ProtocolError("MACP_ERR_CHANNEL_NOT_FOUND", channelId=channel)
            member = self.sql(
                "SELECT 1 FROM channel_members m JOIN sessions s ON s.session_id = m.session_id AND s.state = 'active'"
                " WHERE m.channel_id = ? AND m.agent_id = ? AND m.session_id = ?",
                *(channel, self.agent_id, self.session_id),
            )
            if not member:
                raise ProtocolError("MACP_ERR_SENDER_NOT_MEMBER", channelId=channel)
            message_id = str(uuid.uuid4())
            peers = [row[0] for row in self.sql(MEMBERS, channel, self.agent_id)]
            return [self._deliver(peer, channel, message_id, content, priority, ttl) for peer in peers]

    def send_direct(self, destination: str, content: str, priority: int = 1, ttl: int = 3600) -> str:
        """Section 2.5; the delivery id."""
        with self.immediate():
            self._require_active()
            return self._deliver(destination, None, str(uuid.uuid4()), content, priority, ttl)

    def poll(
        self, *, max_messages: int = 10, min_priority: int = 0, budget: int | None = None, prune: bool = True
    ) -> tuple[list[dict[str, Any]], list[str], list[str]]:
        """Section 2.7: deliveries as rows, expired ids, pruned ids."""
        now = self.now()
        expired = self.sql(
            f"UPDATE messages SET state = 'expired' WHERE destination_agent_id = ? AND {PENDING} AND {STALE}"
            " RETURNING message_id, delivery_id, destination_agent_id, channel_id",
            *(self.agent_id, now),
        )
        for row in expired:
            self.audit("message.expire", row, "MACP_ERR_TTL_EXPIRED")
        found = self.sql(
            "SELECT delivery_id, message_id, channel_id, from_json, priority, content, sequence_number, context_json,"
            f" timestamp, ttl_seconds, state FROM messages WHERE destination_agent_id = ? AND {PENDING}"
            f" AND priority >= ? AND {LIVE} ORDER BY priority DESC, sequence_number LIMIT ?",
            *(self.agent_id, min_priority, now, max_messages),
        )
        keys = ("id", "message", "channel", "from", "priority", "content", "sequence", "context", "at", "ttl", "state")
        deliveries: list[dict[str, Any]] = [dict(zip(keys, row, strict=True)) for row in found]
        for delivery in deliveries:
            delivery["from"], delivery["context"] = json.loads(delivery["from"]), json.loads(delivery["context"])
        pruned: list[dict[str, Any]] = []
        if prune and deliveries:
            deliveries, pruned = self._prune(deliveries, budget)
        for delivery in deliveries:
            self.sql(
                "UPDATE messages SET state = 'surfaced' WHERE delivery_id = ? AND state = 'queued'", delivery["id"]
            )
            self._ack_level(delivery["id"], "received")
        return deliveries, [row[1] for row in expired], [delivery["id"] for delivery in pruned]

    def ack(self, delivery_id: str) -> None:
        """Section 2.9."""
        states = self.sql("SELECT state FROM messages WHERE delivery_id = ?", delivery_id)
        if not states:
            raise ProtocolError("MACP_ERR_DELIVERY_NOT_FOUND", deliveryId=delivery_id)
        if states[0][0] == "acknowledged":
            return
        if states[0][0] in {"expired", "dropped"}:
            raise ProtocolError("MACP_ERR_DELIVERY_NOT_ACKABLE", deliveryId=delivery_id, state=states[0][0])
        self._ack_level(delivery_id, "processed")
        row = self.sql(
            f"UPDATE messages SET state = 'acknowledged' WHERE delivery_id = ? AND {PENDING}"
            " RETURNING message_id, delivery_id, destination_agent_id, channel_id",
            delivery_id,
        )[0]
        self.audit("message.ack", row)

    def deregister(self) -> None:
        """Section 2.9."""
        self.sql("DELETE FROM channel_members WHERE agent_id = ?", self.agent_id)
        self.sql("UPDATE sessions SET state = 'deregistered' WHERE session_id = ?", self.session_id)
        self.audit("session.deregister", (None, None, self.agent_id, None))

    def claim(self, path: str) -> None:
        """A file claim for half an hour."""
        now = self.clock.now()
        self.sql(
            "INSERT INTO macp_ext_file_claims (claim_id, file_path, agent_id, session_id, claimed_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(str(uuid.uuid4()), path, self.agent_id, self.session_id, now.iso, now.at(now.ms + 1_800_000).iso),
        )

    def _require_active(self) -> None:
        if not self.sql(
            "SELECT 1 FROM sessions WHERE agent_id = ? AND session_id = ? AND state = 'active'",
            *(self.agent_id, self.session_id),
        ):
            raise ProtocolError("MACP_ERR_SENDER_NOT_ACTIVE", agentId=self.agent_id, sessionId=self.session_id)

    def _deliver(
        self, recipient: str, channel: str | None, message_id: str, content: str, priority: int, ttl: int
    ) -> str:
        """Section 2.6."""
        now = self.now()
        found = self.sql(
            "SELECT CAST(coalesce(json_extract(queue_preferences_json, '$.max_pending_messages'), 200) AS INTEGER)"
            " FROM sessions WHERE agent_id = ? AND state = 'active'",
            recipient,
        )
        if not found:
            raise ProtocolError("MACP_ERR_DESTINATION_UNKNOWN", destinationAgentId=recipient)
        pending = f"destination_agent_id = ? AND {LIVE}"
        count = self.sql(f"SELECT count(*) FROM messages WHERE {pending} AND {PENDING}", recipient, now)[0][0]
        if count >= found[0][0]:
            self._evict(recipient, pending, message_id, priority)
        sequence = self.sql(
            "INSERT INTO sequence_counters (destination_key, next_sequence) VALUES (?, 2) ON CONFLICT (destination_key)"
            " DO UPDATE SET next_sequence = next_sequence + 1 RETURNING next_sequence - 1",
            recipient,
        )[0][0]
        delivery_id = str(uuid.uuid4())
        sender = {"agent_id": self.agent_id, "session_id": self.session_id, "name": self.name}
        context = {
            "relevance_tags": [],
            "confidence": 1,
            "source_references": [],
            "payload_byte_size": len(content.encode()),
        }
        self.sql(
            'INSERT INTO messages (delivery_id, message_id, channel_id, from_json, destination_type, "to",'
            " content_type, priority, type, content, sequence_number, context_json, ack_json, timestamp, ttl_seconds,"
            " state, destination_agent_id) VALUES (?, ?, ?, ?, ?, ?, 'text/plain', ?, 'discovery', ?, ?, ?, ?, ?, ?,"
            " 'queued', ?)",
            *(delivery_id, message_id, channel, stringify(sender), "channel" if channel else "agent"),
            *(channel or recipient, priority, content, sequence, stringify(context)),
            *(stringify({"request_level": "received"}), now, ttl, recipient),
        )
        self._ack_level(delivery_id, "queued")
        self.audit("message.send", (message_id, delivery_id, recipient, channel))
        return delivery_id

    def _evict(self, recipient: str, pending: str, message_id: str, priority: int) -> None:
        found = self.sql(
            f"SELECT delivery_id, message_id, channel_id, priority FROM messages WHERE {pending} AND state = 'queued'"
            " ORDER BY priority, sequence_number LIMIT 1",
            *(recipient, self.now()),
        )
        if not found or found[0][3] > priority:
            raise ProtocolError("MACP_ERR_QUEUE_FULL_REJECT_INCOMING", destinationAgentId=recipient)
        delivery_id, evicted, channel, _ = found[0]
        self.sql("UPDATE messages SET state = 'dropped' WHERE delivery_id = ? AND state = 'queued'", delivery_id)
        self.audit(
            "message.drop",
            (evicted, delivery_id, recipient, channel),
            "MACP_ERR_QUEUE_FULL_DROP_OLDEST",
            {"replaced_by_message_id": message_id},
        )

    def _ack_level(self, delivery_id: str, level: str) -> None:
        self.sql(
            "INSERT OR IGNORE INTO ack_states (delivery_id, ack_level, timestamp) VALUES (?, ?, ?)",
            *(delivery_id, level, self.now()),
        )

    def _prune(
        self, deliveries: list[dict[str, Any]], budget: int | None
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Section 2.8 without tags: what fits in output order, and the rest, which is audited."""
        ((tags, capabilities),) = self.sql(
            "SELECT interest_tags_json, capabilities_json FROM sessions WHERE agent_id = ? AND state = 'active'",
            self.agent_id,
        )
        limit = budget or json.loads(capabilities)["max_context_bytes"]
        fitting, pruned = greedy(deliveries, limit, json.loads(tags), self.clock.now().ms)
        for delivery in pruned:
            size = delivery["context"]["payload_byte_size"]
            self.audit(
                "message.prune",
                (delivery["message"], delivery["id"], self.agent_id, delivery["channel"]),
                "MACP_ERR_BUDGET_PRUNED",
                {"budget_bytes": limit, "payload_byte_size": size},
            )
        return fitting, pruned


def greedy(
    deliveries: list[dict[str, Any]], budget: int, tags: Sequence[str], now_ms: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Budget pruning (section 2.8): what fits, in output order, and what does not.

    A delivery has ``priority``, ``sequence``, ``at_ms`` or ``at``, ``ttl`` and ``context`` with ``relevance_tags`` and
    ``payload_byte_size``.
    """

    def worth(delivery: dict[str, Any]) -> float:
        mine, its = set(tags), set(delivery["context"]["relevance_tags"])
        alike = len(mine & its) / len(mine | its) if mine | its else 1.0
        elapsed = max(0.0, (now_ms - delivery["at_ms"]) / 1000)
        fresh = max(0.0, 1 - elapsed / delivery["ttl"])
        return float(0.7 * (delivery["priority"] / 3.0) + 0.2 * alike + 0.1 * fresh)

    for delivery in deliveries:
        delivery.setdefault("at_ms", _epoch_ms(delivery.get("at", "")))
    fitting, pruned, left = [], [], budget
    for delivery in deliveries:
        if delivery["priority"] == 3:
            fitting.append(delivery)
            left -= delivery["context"]["payload_byte_size"]
    others = [delivery for delivery in deliveries if delivery["priority"] < 3]
    for delivery in sorted(others, key=lambda d: (-worth(d), -d["priority"], d["sequence"])):
        cost = delivery["context"]["payload_byte_size"]
        if cost <= left:
            fitting.append(delivery)
            left -= cost
        else:
            pruned.append(delivery)
    return fitting, pruned


def _epoch_ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000) if iso else 0
