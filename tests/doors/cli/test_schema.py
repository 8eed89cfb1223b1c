"""Who reads the file without a server finds all that it takes: tables, SQL that works, operations, a prompt."""

import json
from typing import Any

import apsw

from comity.app import open as open_workspace
from comity.kernel.clock import SystemClock
from comity.rooms import REGISTRY
from tests.doors.cli.program import Program

NOW = SystemClock().now().iso


def test_tables_operations_and_prompt(comity: Program) -> None:
    described = comity("schema").json
    assert described == comity("schema", "--json").json
    names = [table["name"] for table in described["tables"]]
    assert {"agents", "sessions", "messages", "audit_log", "macp_ext_tasks"} <= set(names)
    messages = next(table for table in described["tables"] if table["name"] == "messages")
    assert messages["columns"][0] == {
        "name": "delivery_id",
        "type": "TEXT",
        "notNull": False,
        "default": None,
        "primaryKey": 1,
    }
    assert [operation["name"] for operation in described["operations"]] == list(REGISTRY.names())
    memories = next(table for table in described["tables"] if table["name"] == "macp_ext_memories")
    assert "comity_memories_updated" in {trigger["name"] for trigger in memories["triggers"]}
    assert next(table["type"] for table in described["tables"] if table["name"] == "comity_tasks") == "view"
    assert all(operation["arguments"]["type"] == "object" for operation in described["operations"])
    template = described["prompt"]["template"]
    assert all("{" + name + "}" in template for name in described["prompt"]["placeholders"])
    assert comity.files() == {}


def test_the_prompt_is_filled_in_one_pass(comity: Program) -> None:
    filled = comity("schema", "--prompt", "--agent-id", "{ROLE}", "--role", "{TAGS}", "--interest-tags", "a,b").out
    assert "- your agent id: {ROLE}\n" in filled
    assert "- your role: {TAGS}\n" in filled
    assert '- your interest tags: ["a", "b"]\n' in filled
    assert f"- database: {comity.db}\n" in filled
    assert "{AGENT_NAME}" not in filled
    assert comity("schema", "--prompt", "--agent-id", "x", "--json").json["prompt"].startswith("=== MACP")


def test_the_tables_as_sql_make_a_database(comity: Program) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(comity("schema", "--sql").out).fetchall()
    assert connection.execute("SELECT count(*) FROM messages").fetchall() == [(0,)]


class Direct:
    """An agent that runs the printed procedures on the file."""

    def __init__(self, path: str, procedures: list[dict[str, Any]], agent_id: str) -> None:
        self.steps = {step["name"]: step for procedure in procedures for step in procedure["steps"]}
        self.connection = apsw.Connection(path)
        self.known: dict[str, Any] = {"agent_id": agent_id, "session_id": f"s-{agent_id}", "name": agent_id, "now": NOW}
        self.run("open.pragmas")

    def run(self, name: str, **values: Any) -> list[Any]:
        step = self.steps[name]
        given = {**self.known, **values}
        return self.connection.execute(step["sql"], {key: given[key] for key in step["parameters"]}).fetchall()

    def register(self, channel: str) -> None:
        self.run("register.agent")
        self.run("register.old_memberships")
        prefs = json.dumps({"max_pending_messages": 200})
        self.run("register.session", capabilities_json="{}", interest_tags_json="[]", queue_preferences_json=prefs)
        self.run("register.audit")
        assert self.run("join.session") == [(1,)]
        for step in ("join.channel", "join.member", "join.audit"):
            self.run(step, channel_id=channel)

    def send(self, channel: str, content: str) -> None:
        assert self.run("send.sender")
        assert self.run("send.membership", channel_id=channel)
        sender = json.dumps({"agent_id": self.known["agent_id"], "session_id": self.known["session_id"], "name": "d"})
        context = {"relevance_tags": [], "confidence": 1, "source_references": [], "payload_byte_size": len(content)}
        for number, (recipient,) in enumerate(self.run("send.recipients", channel_id=channel)):
            to = {"destination_agent_id": recipient, "delivery_id": f"d{number}", "message_id": "m1"}
            assert self.run("send.limit", **to)[0][0] > self.run("send.pending", **to)[0][0]
            assert self.run("send.eviction_candidate", **to) == []
            self.run(
                "send.delivery",
                **to,
                sequence_number=self.run("send.sequence", **to)[0][0],
                channel_id=channel,
                from_json=sender,
                destination_type="channel",
                to=channel,
                content_type="text/plain",
                priority=2,
                type="discovery",
                content=content,
                context_json=json.dumps(context),
                ack_json='{"request_level":"received"}',
                ttl_seconds=315_360_000,
            )
            self.run("send.queued", **to)
            self.run("send.audit", **to, channel_id=channel)


def test_an_agent_without_a_server_takes_part(comity: Program) -> None:
    procedures = comity("schema").json["procedures"]
    with open_workspace(str(comity.folder), agent_id="host") as host:
        host.session.start()
        direct = Direct(str(comity.db), procedures, "direct")
        direct.register("garden")
        assert {agent.agent_id for agent in host.agent.list().agents} == {"direct", "host"}
        direct.send("garden", "by hand")
        heard = host.message.poll().deliveries[0]
        assert (heard.content, heard.priority, heard.from_.agent_id) == ("by hand", 2, "direct")
        host.message.broadcast(content="by Comity")
        assert direct.run("poll.expire") == []
        row = direct.run("poll.pending", min_priority=0, max_messages=10)[0]
        taken = {"delivery_id": row[0], "message_id": row[1], "channel_id": row[2]}
        direct.run("poll.surface", **taken)
        direct.run("poll.received", **taken)
        assert direct.run("ack.state", **taken)[0][0] == "surfaced"
        for step in ("ack.processed", "ack.acknowledge", "ack.audit"):
            direct.run(step, **taken)
        assert direct.run("poll.pending", min_priority=0, max_messages=10) == []
        for step in ("leave.member", "leave.audit"):
            direct.run(step, channel_id="garden")
        for step in ("deregister.session", "deregister.memberships", "deregister.audit"):
            direct.run(step)
        assert [agent.agent_id for agent in host.agent.list().agents] == ["host"]
        evicted = {"evicted_delivery_id": "x", "evicted_message_id": "y", "evicted_channel_id": None}
        direct.run("send.evict", **evicted)
        direct.run("send.evict_audit", **evicted, destination_agent_id="host", message_id="m2")
        direct.run("poll.expire_audit", **taken)
        direct.connection.close()
