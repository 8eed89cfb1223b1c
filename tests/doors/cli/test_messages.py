"""People and scripts as agents: send, poll, read, acknowledge, leave, and who one is."""

import json

import pytest

from comity.app import open as open_workspace
from comity.kernel.problem import Problem
from tests.doors.cli.program import Program


def test_messages_wait_until_polled_and_acknowledged(comity: Program) -> None:
    assert comity("poll", "--as", "bob").out == "Nothing is pending.\n"
    sent = comity("send", "I edit the parser", "--as", "ann", "--priority", "steering", "--tag", "parser", "--json")
    assert (sent.code, sent.json["recipientAgentIds"]) == (0, ["bob"])
    polled = comity("poll", "--as", "bob", "--json").json
    delivery = polled["deliveries"][0]
    assert delivery["content"] == "I edit the parser"
    assert (delivery["priority"], delivery["context"]["relevanceTags"]) == (2, ["parser"])
    assert delivery["from"] == {"agentId": "ann", "sessionId": "cli-ann", "name": "ann"}
    assert comity("read", delivery["deliveryId"], "--as", "bob").out == "I edit the parser\n"
    done = comity("ack", delivery["deliveryId"], "--as", "bob", "--json")
    assert done.json == {"deliveryId": delivery["deliveryId"], "state": "acknowledged"}
    assert comity("poll", "--as", "bob", "--json").json["deliveries"] == []


def test_a_sender_reads_who_does_not_see_it_now(comity: Program) -> None:
    comity("poll", "--as", "bob")
    comity("call", "agent.sleep", "--as", "bob")
    sent = comity("send", "look", "--to", "bob", "--priority", "steering", "--as", "ann")
    text = " ".join(sent.out.split())
    assert text.startswith("Sent to bob. Not now: bob is idle since ")
    assert "and sees it at its next poll, or is woken by its user. It waits until " in text


def test_poll_acknowledges_what_it_printed(comity: Program) -> None:
    comity("join", "garden", "--as", "bob")
    comity("send", "one", "--as", "ann")
    first = comity("poll", "--as", "bob", "--ack")
    assert "ann" in first.out
    assert "one" in first.out
    assert comity("poll", "--as", "bob").out == "Nothing is pending.\n"


def test_least_priority_is_a_word_or_a_number(comity: Program) -> None:
    comity("poll", "--as", "bob")
    comity("send", "soon", "--as", "ann")
    for word in ("steering", "2"):
        assert comity("poll", "--as", "bob", "--min-priority", word, "--json").json["deliveries"] == []
    assert len(comity("poll", "--as", "bob", "--min-priority", "advisory", "--json").json["deliveries"]) == 1


def test_content_comes_from_standard_input(comity: Program) -> None:
    comity("poll", "--as", "bob")
    long = "wörter " * 40_000
    assert comity("send", "-", "--as", "ann", stdin=long.encode() + b"\n").code == 0
    excerpt = comity("poll", "--as", "bob", "--json").json["deliveries"][0]
    assert excerpt["truncated"]
    whole = comity("read", excerpt["deliveryId"], "--as", "bob", "--json").json
    assert (whole["content"], whole["nextOffset"]) == (long, None)
    piece = comity("read", excerpt["deliveryId"], "--as", "bob", "--offset", "1", "--length", "5", "--json").json
    assert (piece["content"], piece["nextOffset"]) == ("örter", 6)


def test_text_that_begins_with_a_hyphen_follows_two(comity: Program) -> None:
    comity("poll", "--as", "bob")
    assert comity("send", "--as", "ann", "--", "--help").code == 0
    assert comity("poll", "--as", "bob", "--json").json["deliveries"][0]["content"] == "--help"


def test_an_agent_is_named_by_id_name_or_beginning(comity: Program) -> None:
    for name in ("planner", "plumber", "reviewer"):
        comity("poll", "--as", name)
    assert comity("send", "hi", "--to", "rev", "--json").json["recipientAgentIds"] == ["reviewer"]
    assert comity("send", "hi", "--to", "planner", "--json").json["recipientAgentIds"] == ["planner"]
    several = comity("send", "hi", "--to", "pl", "--json")
    assert (several.code, several.error["reason"]) == (2, "agent.ambiguous")
    assert several.error["data"]["candidates"] == ["planner", "plumber"]
    nobody = comity("send", "hi", "--to", "zoe")
    assert nobody.code == 5
    assert nobody.err.splitlines()[0] == "error: No agent 'zoe' is active here."
    assert nobody.err.splitlines()[1].startswith("hint: ")


def test_sending_to_a_channel_joins_it(comity: Program) -> None:
    comity("join", "backend", "--as", "bob")
    assert comity("send", "hi", "--as", "ann", "--channel", "backend", "--json").json["recipientAgentIds"] == ["bob"]
    assert comity("send", "hi", "--as", "ann", "--channel", "attic").out.startswith("Sent to nobody")
    assert comity("send", "hi", "--as", "ann", "--channel", "attic", "--to", "bob").code == 2


def test_a_person_is_the_same_agent_every_time(comity: Program) -> None:
    comity("send", "hi")
    comity("poll")
    listed = comity("agents", "--json").json["agents"]
    assert [(agent["agentId"], agent["sessionId"]) for agent in listed] == [("cli-tester", "cli-cli-tester")]
    comity("poll", MACP_AGENT_ID="scout")
    assert [agent["agentId"] for agent in comity("agents", "--json").json["agents"]] == ["cli-tester", "scout"]


def test_leaving_ends_the_session_and_keeps_the_queue(comity: Program) -> None:
    comity("poll", "--as", "bob")
    comity("send", "for later", "--as", "ann")
    left = comity("leave", "--as", "bob", "--json")
    assert left.json == {"agentId": "bob", "sessionId": "cli-bob"}
    assert [agent["agentId"] for agent in comity("agents", "--json").json["agents"]] == ["ann"]
    assert comity("leave", "--as", "bob").code == 0
    assert comity("poll", "--as", "bob", "--json").json["deliveries"][0]["content"] == "for later"
    assert comity("leave", "garden", "--as", "bob", "--json").json == {"channelId": "garden", "left": True}


def test_an_agent_of_another_process_is_not_impersonated(comity: Program) -> None:
    comity("poll")
    with open_workspace(str(comity.db), agent_id="planner", session_id="host-1") as workspace:
        workspace.session.start()
        for arguments in (["poll"], ["send", "hi"], ["leave"], ["ack", "x"], ["read", "x"], ["join", "c"]):
            refused = comity(*arguments, "--as", "planner", "--json")
            assert (refused.code, refused.error["reason"]) == (6, "agent.elsewhere"), arguments
            assert "--take-over" in refused.error["hint"]
        assert comity("poll", "--as", "planner", "--take-over").code == 0
        with pytest.raises(Problem, match="MACP_ERR_SESSION_UNKNOWN"):
            workspace.message.poll()


def test_any_operation_by_name(comity: Program) -> None:
    comity("poll", "--as", "agent-2")
    arguments = {"destination_agent_id": "agent-2", "content": "by name"}
    sent = comity("call", "message.send", "--arguments", json.dumps(arguments))
    assert (sent.code, sent.json["recipientAgentIds"]) == (0, ["agent-2"])
    assert comity("call", "workspace.status").json["pending"]["total"] == 1
    piped = comity("call", "message.poll", "--arguments", "-", "--as", "agent-2", stdin=b'{"max_messages": 1}')
    assert piped.json["deliveries"][0]["content"] == "by name"
    unknown = comity("call", "message.eat", "--json")
    assert (unknown.code, unknown.error["reason"]) == (5, "operation.unknown")
    for text in ("[]", "{", "nonsense", "[" * 100_000):
        assert comity("call", "message.poll", "--arguments", text, "--json").code == 2
    extra = comity("call", "message.poll", "--arguments", '{"colour": 1}', "--json")
    assert (extra.code, extra.error["reason"]) == (2, "argument.unknown")
