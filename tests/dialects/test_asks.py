"""A dialect is pure: it reads a call into an operation with arguments, and words what came of it; it runs nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comity.dialects.both import Together
from comity.dialects.dialect import Ask, Dialect
from comity.dialects.macp.dialect import MacpDialect
from comity.dialects.masc.dialect import MascDialect
from comity.dialects.names import Names
from comity.dialects.operator import ABOUT, OperatorDialect
from comity.dialects.said_names import SaidNames
from comity.kernel.problem import Conflict, Forbidden, Invalid
from comity.kernel.scope import Actor
from comity.mcp.surface import UnknownResource, UnknownTool
from tests.worlds import fresh

MACP, MASC = MacpDialect(), MascDialect()


def asked(dialect: Dialect, tool: str, **arguments: Any) -> tuple[str, dict[str, Any]]:
    """The operation's name and arguments of a call."""
    ask = dialect.ask(tool, arguments)
    assert ask.op is not None
    return ask.op.name, dict(ask.arguments)


def test_a_call_is_an_operation_with_arguments_in_its_own_names() -> None:
    assert asked(MACP, "macp_send_direct", destinationAgentId="bob", content="x") == (
        "message.send",
        {"destination_agent_id": "bob", "content": "x"},
    )
    assert asked(MACP, "macp_ack", delivery_id="d") == ("message.ack", {"delivery_id": "d"})
    assert asked(MASC, "masc_broadcast", message="x", format="compact") == ("message.announce", {"content": "x"})
    assert asked(MASC, "masc_claim_task", task_id="t", expected_version=2) == (
        "task.transition",
        {"task_id": "t", "action": "claim", "expected_revision": 2},
    )
    assert asked(MASC, "masc_tasks", status="in_progress") == ("task.survey", {"status": "in-progress"})
    assert asked(MASC, "masc_messages") == ("message.catch_up", {"limit": 10, "newest": True})
    assert asked(MASC, "masc_messages", since_seq=3, limit=2) == ("message.catch_up", {"since_seq": 3, "limit": 2})
    assert asked(MASC, "masc_join", agent_name=" claude ", capabilities=["c"]) == (
        "session.join",
        {"name": "claude", "interest_tags": ["c"]},
    )
    assert asked(Together(), "macp_poll", waitMs=5) == ("message.poll", {"wait_ms": 5})
    assert asked(Together(), "masc_status") == ("workspace.overview", {})


def test_an_ask_says_who_may_look_and_as_whom_somebody_comes() -> None:
    assert MASC.ask("masc_status", {}).looks
    assert MASC.ask("masc_messages", {}).looks
    assert not MASC.ask("masc_broadcast", {"message": "x"}).looks
    assert not MACP.ask("macp_ext_list_agents", {}).looks
    named = MASC.ask("masc_status", {"agent_name": "ann"})
    assert (named.looks, named.called, named.enters) == (False, "ann", False)
    assert MASC.ask("masc_start", {"agent_name": "ann"}).enters
    assert MASC.ask("masc_tool_help", {"tool_name": "masc_join"}).op is None
    assert MASC.resource("masc://tasks.json").looks


def test_a_resource_is_an_operation_or_known_already() -> None:
    ask = MASC.resource("masc://messages?since_seq=3")
    assert ask.op is not None
    assert (ask.op.name, ask.arguments) == ("message.history", {"limit": 10, "since_seq": 3})
    help_on = MASC.resource("masc://tool-help/masc_join")
    assert help_on.op is None
    assert "capabilities" in MASC.say_resource(help_on, None)[1]
    assert json.loads(MASC.say_resource(MASC.resource("masc://schema.json"), None)[1])["initial"] == "todo"
    operator = OperatorDialect()
    assert operator.say_resource(operator.resource(ABOUT), None)[0] == "text/plain"
    for dialect in (MACP, MASC, operator):
        with pytest.raises(UnknownResource):
            dialect.resource("masc://nothing")


def test_what_a_dialect_does_not_have_is_refused_before_anything_runs() -> None:
    for dialect, tool in ((MACP, "masc_status"), (MASC, "macp_poll"), (OperatorDialect(), "macp_poll")):
        with pytest.raises(UnknownTool):
            dialect.ask(tool, {})
    for arguments, reason in (
        ({"force": True}, "argument.unknown"),
        ({"path": ".", "room": "/"}, "argument.twice"),
        ({"agent_name": 7}, "argument.invalid"),
    ):
        with pytest.raises(Invalid) as refused:
            MASC.ask("masc_start", arguments)
        assert refused.value.reason == reason


@pytest.mark.parametrize(("dialect", "tool"), [(MACP, "macp_ext_list_agents"), (MASC, "masc_who")])
def test_the_result_is_said_of_a_record_alone(dialect: Dialect, tool: str) -> None:
    ask = dialect.ask(tool, {})
    assert ask.op is not None
    with fresh() as world:
        result = world.agent("ann").perform(ask.op, ask.arguments)
    text, structured = dialect.say(ask, result)
    assert "ann" in str(text)
    assert [agent.get("agentId", agent.get("agent_id")) for agent in structured["agents"]] == ["ann"]


def test_complaints_are_in_the_names_that_the_caller_used() -> None:
    wrong = Invalid(
        "argument.invalid",
        'task.prioritize: level must be from 1 to 5, not "level".',
        "Correct the argument and call again.",
        operation="task.prioritize",
        argument="level",
    )
    told = json.loads(MASC.complain(MASC.ask("masc_update_priority", {"task_id": "t"}), wrong))
    assert told["message"] == 'masc_update_priority: priority must be from 1 to 5, not "level".'
    assert told["details"] == {"operation": "masc_update_priority", "argument": "priority"}
    send = MACP.ask("macp_send_direct", {})
    lacking = Invalid("argument.missing", "message.send needs destination_agent_id.", "Required: content.")
    assert json.loads(MACP.complain(send, lacking))["message"] == "macp_send_direct needs destinationAgentId."
    assert json.loads(Together().complain(send, lacking))["message"] == "macp_send_direct needs destinationAgentId."
    gone = Conflict("task.gone", "task.prioritize is what it is.", "`task.survey` lists them.")
    told = json.loads(MASC.complain(None, gone))
    assert (told["message"], told["hint"]) == ("task.prioritize is what it is.", "masc_tasks lists them.")


def test_of_two_names_for_an_argument_the_first_is_said() -> None:
    names = Names("tool", "task.get", {"id": "task_id", "number": "task_id"})
    told = names.complain(Invalid("argument.missing", "task.get needs task_id.", "x", argument="task_id"))
    assert (told.message, told.data["argument"]) == ("tool needs id.", "id")
    with pytest.raises(Invalid) as refused:
        names.known("task_id")
    assert refused.value.hint == "Its arguments are: id, number."


def test_a_name_that_a_call_says_is_only_compared() -> None:
    names, ann = SaidNames(), Actor("ann-calm-otter", "s", "ann-calm-otter")
    for own in ("", "ann", "ann-calm-otter"):
        names.require_own(Ask("masc_broadcast", called=own), ann)
    for other in ("bob", "bob-calm-otter"):
        with pytest.raises(Forbidden) as refused:
            names.require_own(Ask("masc_broadcast", called=other), ann)
        assert refused.value.reason == "agent.mismatch"
    names.require_own(Ask("masc_join", called="bob", enters=True), ann)  # a type, which is not somebody else
    names.require_own(Ask("masc_broadcast", called="bob"), ann)
    with pytest.raises(Forbidden):
        names.require_own(Ask("masc_join", called="bob-calm-otter", enters=True), ann)
