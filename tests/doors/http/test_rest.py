"""REST on a real server: arguments as callers write them, answers that tell whether they changed, what is malformed."""

import json
from typing import Any

import pytest

from comity.doors.http.routes import table
from comity.doors.rest.openapi import document
from tests.doors.http.running import Server

ANN = {"x-comity-agent": "ann"}
JSON = {"content-type": "application/json", **ANN}


@pytest.fixture(scope="module")
def shop(server: Server) -> Server:
    """The server with some tasks."""
    for number in range(5):
        told = server.post("/api/v1/task.dispatch", {"title": f"Task {number}", "priority": "P1"}, headers=ANN)
        assert told.status_code == 200, told.text
    return server


def test_the_document_tells_of_every_route_and_of_no_other(shop: Server) -> None:
    told = shop.get("/api/v1/openapi.json")
    listed = {(method.upper(), path) for path, item in told.json()["paths"].items() for method in item}
    routes = table().routes
    assert {(m, p) for m, p in listed if not m.startswith("X-")} == {
        (route.method, route.path) for route in routes if not route.socket and route.method != "WEBSOCKET"
    }
    assert {p for m, p in listed if m.startswith("X-")} == {
        route.path for route in routes if route.socket or route.method == "WEBSOCKET"
    }
    again = shop.get("/api/v1/openapi.json", headers={"if-none-match": told.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_documents_references_lead_somewhere() -> None:
    whole = document(table().routes, required=True)

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*(references(part) for part in value.values()))
        return set().union(*(references(part) for part in value)) if isinstance(value, list) else set()

    for reference in references(whole):
        found: Any = whole
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    ids = [item["operationId"] for path in whole["paths"].values() for item in path.values() if "operationId" in item]
    assert len(ids) == len(set(ids))


def test_a_query_is_converted_by_type(shop: Server) -> None:
    told = shop.get("/api/v1/task.list?limit=2&status=pending&priority=P1")
    assert len(told.json()["tasks"]) == 2
    listed = shop.get(
        "/api/v1/event.list?eventTypes=session.register&eventTypes=task.dispatched&newest=3&limit=3"
    ).json()
    assert [event["eventType"] for event in listed["events"]] == ["task.dispatched"] * 3
    one = shop.get("/api/v1/task.get?taskId=task-001&includeSubtasks=false").json()
    assert one["task"]["number"] == "task-001"


def test_a_read_tells_whether_it_changed(shop: Server) -> None:
    first = shop.get("/api/v1/task.list", headers=ANN)
    tag = first.headers["etag"]
    for value in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = shop.get("/api/v1/task.list", headers={**ANN, "if-none-match": value})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    shop.post("/api/v1/task.dispatch", {"title": "One more"}, headers=ANN)
    changed = shop.get("/api/v1/task.list", headers={**ANN, "if-none-match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    head = shop.client.head("/api/v1/task.list", headers=ANN)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", changed.headers["etag"])


def test_a_full_page_says_where_it_goes_on(shop: Server) -> None:
    path, seen = "/api/v1/event.list?limit=2&eventTypes=task.dispatched", []
    while path:
        told = shop.get(path, headers=ANN)
        seen += [event["id"] for event in told.json()["events"]]
        link = told.headers.get("link", "")
        path = link[1 : link.index(">")] if link else ""
        assert not link or link.endswith('; rel="next"')
    whole = shop.get("/api/v1/event.list?limit=1000&eventTypes=task.dispatched").json()["events"]
    assert seen == [event["id"] for event in whole]


DEEP = "[" * 100_000 + "]" * 100_000
MALFORMED = [
    ("GET", "/api/v1/task.list?limit=x", None, 400, "argument.invalid"),
    ("GET", "/api/v1/task.list?limit=0", None, 400, "argument.invalid"),
    ("GET", "/api/v1/task.list?limit=1&limit=2", None, 400, "argument.twice"),
    ("GET", "/api/v1/task.list?limit=" + "9" * 400, None, 400, "argument.invalid"),
    ("GET", "/api/v1/task.list?nothing=1", None, 400, "argument.unknown"),
    ("GET", "/api/v1/task.list?goal_id=x", None, 400, "argument.unknown"),
    ("GET", "/api/v1/task.get", None, 400, "argument.missing"),
    ("GET", "/api/v1/task.get?taskId=%00", None, 400, "argument.invalid"),
    ("GET", "/api/v1/task.get?taskId=%ff%fe", None, 400, "argument.invalid"),
    ("GET", "/api/v1/task.get?taskId=x&includeSubtasks=maybe", None, 400, "argument.invalid"),
    ("GET", "/api/v1/event.list?after=" + "1" * 30, None, 400, "cursor.unknown"),
    ("GET", "/api/v1/messages?since_seq=1e3", None, 400, "argument.invalid"),
    ("GET", "/api/v1/agent-timeline", None, 400, "argument.missing"),
    ("GET", "/api/v1/tasks?status=lost", None, 400, "argument.invalid"),
    ("POST", "/api/v1/task.dispatch", "{", 400, "body.not_json"),
    ("POST", "/api/v1/task.dispatch", '{"title": NaN}', 400, "body.not_json"),
    ("POST", "/api/v1/task.dispatch", b"\xff\xfe{}", 400, "body.not_json"),
    ("POST", "/api/v1/task.dispatch", DEEP, 400, "body.not_json"),
    ("POST", "/api/v1/task.dispatch", "[]", 400, "body.not_object"),
    ("POST", "/api/v1/task.dispatch", "{}", 400, "argument.missing"),
    ("POST", "/api/v1/task.dispatch", "", 400, "argument.missing"),
    ("POST", "/api/v1/task.dispatch", '{"title": "a\\u0000b"}', 400, "argument.invalid"),
    ("POST", "/api/v1/task.dispatch", '{"title": "\\ud800"}', 400, "argument.invalid"),
    ("POST", "/api/v1/task.dispatch", '{"\\ud800": 1}', 400, "argument.unknown"),
    ("POST", "/api/v1/task.dispatch", '{"title": {"a": 1}}', 400, "argument.invalid"),
    ("POST", "/api/v1/task.dispatch", '{"title": "x", "parent_task_id": "task-001"}', 400, "argument.unknown"),
    ("POST", "/api/v1/task.claim", '{"taskId": "task-001", "leaseS": 1e400}', 400, "argument.invalid"),
    ("POST", "/api/v1/task.claim", '{"taskId": "task-001", "leaseS": ' + "9" * 5000 + "}", 400, "body.not_json"),
    ("POST", "/api/v1/task.claim", '{"taskId": "task-001", "leaseS": ' + "9" * 50 + "}", 400, "argument.invalid"),
    ("POST", "/api/v1/task.claim", '{"taskId": "task-999"}', 404, "task.unknown"),
    ("POST", "/api/v1/broadcast", '{"text": "hello"}', 400, "argument.invalid"),
    ("POST", "/api/v1/broadcast", '{"message": ""}', 400, "argument.invalid"),
    ("POST", "/api/v1/task.list", "{}", 405, "method.unknown"),
    ("DELETE", "/api/v1/task.dispatch", "{}", 405, "method.unknown"),
    ("GET", "/api/v1/task.nothing", None, 404, "route.unknown"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "reason"), MALFORMED)
def test_what_is_malformed_is_refused_and_says_why(
    shop: Server, method: str, path: str, body: str | bytes | None, status: int, reason: str
) -> None:
    told = shop.client.request(method, path, content=body, headers=ANN if body is None else JSON)
    assert (told.status_code, told.json()["reason"]) == (status, reason), told.text
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json()["hint"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", ""]
)
def test_only_json_is_taken(shop: Server, content_type: str) -> None:
    body = b'{"title": "Planted by a form"}'
    headers = {**ANN, "content-type": content_type} if content_type else ANN
    told = shop.client.post("/api/v1/task.dispatch", content=body, headers=headers)
    assert (told.status_code, told.json()["reason"]) == (415, "body.type")
    for media_type in ("application/json; charset=UTF-8", "application/vnd.comity+json"):
        headers = {**ANN, "content-type": media_type}
        assert shop.client.post("/api/v1/session.renew", content=b"{}", headers=headers).status_code == 200


def test_complaints_use_the_callers_words(shop: Server) -> None:
    told = shop.post("/api/v1/task.claim", {"taskId": 5}, headers=ANN).json()
    assert told["data"] == {"operation": "task.claim", "argument": "taskId"}
    assert "taskId must be" in told["title"]
    assert "task_id" not in json.dumps(told)


def test_mascs_clients_find_what_they_look_for(shop: Server) -> None:
    assert shop.post("/broadcast", {"message": "The lexer is done."}, headers=ANN).json() == {"ok": True}
    said = shop.get("/api/v1/messages?limit=99999").json()
    assert said["limit"] == 200
    assert (said["messages"][-1]["from"], said["messages"][-1]["content"]) == ("ann", "The lexer is done.")
    seq = said["messages"][-1]["seq"]
    shop.post("/api/v1/broadcast", {"message": "So is the parser."}, headers=ANN)
    later = shop.get(f"/api/v1/messages?since_seq={seq}&agent=ann").json()["messages"]
    assert [message["content"] for message in later] == ["So is the parser."]
    tasks = shop.get("/api/v1/tasks?limit=0&offset=1").json()
    assert (len(tasks["tasks"]), tasks["limit"], tasks["offset"]) == (1, 1, 1)
    assert tasks["total"] >= 5
    assert {"id", "title", "status", "priority", "assignee", "created_at"} <= tasks["tasks"][0].keys()
    assert [agent["name"] for agent in shop.get("/api/v1/agents?limit=5").json()["agents"]] == ["ann"]
    assert shop.get("/api/v1/status").json()["project"]
    page = shop.get("/api/v1/activity/events?kinds=task.dispatched,session.register&limit=2").json()
    assert page["count"] == 2
    following = shop.get(f"/api/v1/activity/events?after_seq={page['next_after_seq']}&limit=1000").json()
    assert following["events"][0]["seq"] > page["events"][-1]["seq"]
    assert following["latest_seq"] == following["events"][-1]["seq"]
    lately = shop.get("/api/v1/agent-timeline?agent_name=ann&limit=500").json()
    assert lately["summary"]["events"] == len(lately["events"]) > 0


def test_the_address_itself_says_what_is_where(shop: Server) -> None:
    page = shop.get("/")
    assert shop.url in page.text
    card = shop.get("/.well-known/agent-card.json").json()
    assert card == shop.get("/.well-known/agent.json").json()
    assert card["url"] == f"{shop.url}/mcp"


def test_a_complaint_names_the_argument_as_it_was_sent(server: Server) -> None:
    told = server.post("/api/v1/goal.update", {"goalId": "g", "parentGoalId": 5}, headers={"x-comity-agent": "ann"})
    assert told.json()["data"]["argument"] == "parentGoalId"
    assert "goal.update: parentGoalId must be text" in told.json()["title"]
