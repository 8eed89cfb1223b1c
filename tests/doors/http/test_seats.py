"""Which agent a request acts as, and in whose session."""

from typing import Any

import comity
from tests.doors.http.running import Server


def overview(server: Server, agent_id: str) -> dict[str, Any]:
    agents = server.get("/api/v1/agent.list").json()["agents"]
    return next(agent for agent in agents if agent["agentId"] == agent_id)


def test_whoever_says_no_name_may_look_and_not_touch(server: Server) -> None:
    assert server.get("/api/v1/task.list").status_code == 200
    refused = server.post("/api/v1/task.dispatch", {"title": "By whom?"})
    assert (refused.status_code, refused.json()["reason"]) == (401, "agent.unnamed")
    assert server.get("/api/v1/task.list").json()["tasks"] == []


def test_an_agent_with_a_process_of_its_own_goes_on_in_that_session(server: Server) -> None:
    me = {"x-comity-agent": "doubled"}
    with comity.open(server.folder, agent_id="doubled") as workspace:
        workspace.session.start()
        before = overview(server, "doubled")
        claimed = server.post("/api/v1/claim.acquire", {"files": ["src/a.py"]}, headers=me)
        assert claimed.status_code == 200
        assert len(workspace.claim.list().claims) == 1
        after = overview(server, "doubled")
        assert after["sessionId"] == before["sessionId"]
        assert after["presence"] == {**before["presence"], "lastSeen": after["presence"]["lastSeen"]}
        workspace.session.end()
    # Its session is over; the agent comes back in one of its own.
    again = server.post("/api/v1/claim.acquire", {"files": ["src/b.py"]}, headers=me)
    assert again.status_code == 200
    assert overview(server, "doubled")["sessionId"] != before["sessionId"]


def test_agents_on_both_sides_see_each_other_at_once(server: Server) -> None:
    near = {"x-comity-agent": "near"}
    with comity.open(server.folder, agent_id="far") as far:
        far.session.start()
        assert server.post("/api/v1/session.start", {}, headers=near).status_code == 200
        sent = {"destinationAgentId": "far", "content": "Hello over there.", "priority": "steering"}
        told = server.post("/api/v1/message.send", sent, headers=near)
        assert told.status_code == 200, told.text
        assert [one.content for one in far.message.poll().deliveries] == ["Hello over there."]
        far.message.send(destination_agent_id="near", content="And back.")
        polled = server.post("/api/v1/message.poll", {"waitMs": 5000}, headers=near).json()
        assert [one["content"] for one in polled["deliveries"]] == ["And back."]


def test_a_hostile_name_is_refused(server: Server) -> None:
    for name in ("x" * 201, "a\tb", "\x7f"):
        told = server.post("/api/v1/session.start", {}, headers={"x-comity-agent": name})
        assert told.status_code == 400, name
