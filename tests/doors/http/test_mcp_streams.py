"""Streams of MCP over HTTP: answers that come late, connections that break, messages that are kept no longer."""

from __future__ import annotations

import json
import time

import httpx2

from comity.doors.mcp_http.kept_messages import KeptMessages, WaitingLines, parse
from comity.doors.mcp_http.session import STANDALONE
from tests.doors.http.byhand import ACCEPT, TIMEOUT_S, Speak, Speaker, events
from tests.doors.http.running import Server, comity


def waiting(speak: Speak, server: Server, agent: str) -> Speaker:
    speaker = speak(server, "/mcp?tools=core", headers={"x-comity-agent": agent})
    speaker.call("macp_register")
    return speaker


def test_a_late_answer_comes_as_a_stream_and_is_not_lost_with_it(server: Server, speak: Speak) -> None:
    speaker = waiting(speak, server, "late-lea")
    with speaker.calling("macp_poll", 41, waitMs=30_000) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        primed = next(events(answer))
        assert primed["data"] == ""
    assert comity(server.folder, "send", "--to", "late-lea", "the parser is free").returncode == 0
    with speaker.listening(primed["id"]) as resumed:
        (last,) = events(resumed)
    assert last.message["id"] == 41
    assert "the parser is free" in json.dumps(last.message["result"])
    with speaker.listening(last["id"]) as nothing:
        assert list(events(nothing)) == []


def test_a_cancelled_call_ends_its_stream_and_the_session_goes_on(server: Server, speak: Speak) -> None:
    speaker = waiting(speak, server, "stops-sam")
    with speaker.calling("macp_poll", "p-1", waitMs=60_000) as answer:
        stream = events(answer)
        next(stream)
        assert speaker.post("ping", number="p-1").status_code == 400
        assert speaker.notify("notifications/cancelled", requestId="p-1").status_code == 202
        (ended,) = stream
    assert ended.message["error"]["code"] == -32800
    assert speaker.post("ping", number="p-1").status_code == 200


def test_a_newer_listener_takes_the_stream_over(server: Server, speak: Speak) -> None:
    speaker = speak(server)
    with speaker.listening() as first:
        before = events(first)
        next(before)
        with speaker.listening() as second:
            after = events(second)
            next(after)
            assert list(before) == []
            speaker.post("resources/subscribe", {"uri": "masc://tasks"})
            assert comity(server.folder, "task", "dispatch", "Write the lexer").returncode == 0
            assert next(after).message["params"] == {"uri": "masc://tasks"}


def test_only_what_was_missed_is_sent_again_and_only_to_its_session(server: Server, speak: Speak) -> None:
    mine, theirs = speak(server), speak(server)
    for speaker in (mine, theirs):
        speaker.post("resources/subscribe", {"uri": "masc://tasks"})
    with mine.listening() as stream:
        primed = next(events(stream))
    assert comity(server.folder, "task", "dispatch", "Write the parser").returncode == 0
    with mine.listening(primed["id"]) as stream:
        missed = next(event for event in events(stream) if event["data"])
        assert missed.message["method"] == "notifications/resources/updated"
    with theirs.listening("r99-12345") as stream:
        gap = next(event for event in events(stream) if event["data"])
        assert gap.message["params"]["data"]["reason"] == "stream.gap"


def test_what_is_kept_no_longer_is_told_as_a_gap(server: Server, speak: Speak) -> None:
    speaker = speak(server)
    speaker.post("resources/subscribe", {"uri": "masc://tasks"})
    with speaker.listening("g-999999999") as stream:
        heard = events(stream)
        seen = [next(heard) for _ in range(3)]
    told = [event.message for event in seen if event["data"]]
    assert told[0]["params"]["data"]["reason"] == "stream.gap"
    assert told[1] == {
        "jsonrpc": "2.0",
        "method": "notifications/resources/updated",
        "params": {"uri": "masc://tasks"},
    }


def test_kept_messages_are_bounded_and_tell_what_was_lost() -> None:
    kept_messages = KeptMessages(most_events=4, most_bytes=100)
    kept_messages.open(STANDALONE)
    kept_messages.open("r1")
    for number in range(3):
        kept_messages.put("r1", b"a%d" % number)
        kept_messages.put(STANDALONE, b"g%d" % number)
    kept, lost = kept_messages.after("r1", 0)
    assert ([one.data for one in kept], lost) == ([b"a1", b"a2"], 1)
    assert kept_messages.after("r1", 1) == (kept, 0)
    assert kept_messages.after("r1", kept[-1].number) == ([], 0)
    kept_messages.put("r1", b"x" * 101)
    kept, lost = kept_messages.after(STANDALONE, 2)
    assert (kept, lost) == ([], 6)
    assert parse(kept_messages.after("r1", 0)[0][0].event_id) == ("r1", 7)
    for bad in ("", "-", "g", "g-", "g-x", "g--1", "g-1e3", "g-" + "9" * 40):
        assert parse(bad) is None or parse(bad) == ("g-", 1)
    for number in range(2000):
        kept_messages.open(f"s{number}")
        kept_messages.end(f"s{number}")
    assert not kept_messages.knows("s0")
    assert kept_messages.knows("s1999")


async def test_lines_that_a_client_does_not_take_are_bounded_and_it_is_told_what_to_read_again() -> None:
    lines = WaitingLines(lambda: [b"read all again"], most=4)
    for number in range(5):
        lines.put(b"%d" % number)
    lines.put(None)
    assert [await lines.get() for _ in range(3)] == [b"read all again", b"4", None]


def test_the_old_transport_works_and_says_that_it_is_old(server: Server, speak: Speak) -> None:
    speaker = speak(server)
    with speaker.http.stream("GET", "/sse", headers={"accept": "text/event-stream"}) as stream:
        for headers in (stream.headers,):
            assert headers["deprecation"] == "true"
            assert headers["warning"].startswith("299 ")
            assert headers["link"] == '</mcp>; rel="successor-version"'
        heard = events(stream)
        endpoint = next(heard)
        assert endpoint["event"] == "endpoint"
        place = endpoint["data"]
        assert place.startswith("/messages?session_id=")

        def post(body: object, where: str = place, **more: str) -> httpx2.Response:
            return speaker.http.post(where, json=body, headers={**ACCEPT, **more})

        asked = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
        answer = post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": asked})
        assert (answer.status_code, answer.headers["deprecation"]) == (202, "true")
        assert next(heard).message["result"]["protocolVersion"] == "2024-11-05"
        assert post({"jsonrpc": "2.0", "method": "notifications/initialized"}).status_code == 202
        called = {"name": "masc_status", "arguments": {}}
        assert post({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": called}).status_code == 202
        assert next(heard).message["result"]["isError"] is False
        assert post({}, "/messages").status_code == 400
        assert post({}, "/messages?session_id=nobody").status_code == 404
        assert post({}, place, **{"x-comity-agent": "somebody"}).status_code == 404
        assert post([]).status_code == 400
    deadline = time.monotonic() + TIMEOUT_S
    while post({}).status_code != 404:  # the server hears a moment later that the stream is gone
        assert time.monotonic() < deadline
