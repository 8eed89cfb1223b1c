"""The stdio server as a process on raw pipes: hostile input, blocked calls, signals, vanished clients."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Self

import pytest

from comity.doors.stdio import program
from tests.mcp.driven import (
    TIMEOUT_S,
    TOY,
    Driven,
    cancel,
    enveloped,
    environment,
    initialize,
    request,
)
from tests.mcp.toy_surface import Toy


@pytest.fixture
def server() -> Iterator[Driven]:
    with Driven() as driven:
        driven.ask(initialize(0))
        yield driven


def waiting_call(server: Driven, request_id: object, name: str = "wait") -> None:
    """Start a call and see that it runs."""
    server.send(request(request_id, "tools/call", name=name, _meta={"progressToken": f"p-{request_id}"}))
    assert server.receive()["params"]["progressToken"] == f"p-{request_id}"


def test_serves_a_one_shot_pipe_without_a_last_newline() -> None:
    lines = [initialize(1), request(2, "tools/call", name="echo", arguments={"a": 1})]
    done = subprocess.run(
        [sys.executable, str(TOY)],
        input="\n".join(map(json.dumps, lines)).encode(),
        capture_output=True,
        env=environment(),
        timeout=TIMEOUT_S,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [1, 2]
    assert done.stderr == b"ended: end of input\n"


@pytest.mark.parametrize("first", ["initialize", "server/discover"])
def test_either_opening_may_follow_the_other(first: str) -> None:
    openers = [initialize("i"), enveloped("d", "server/discover")]
    with Driven() as server:
        for opener in openers if first == "initialize" else reversed(openers):
            assert "result" in server.ask(opener)
        assert "result" in server.ask(request(1, "tools/call", name="echo"))
        assert server.ask(enveloped(2, "tools/call", name="echo"))["result"]["resultType"] == "complete"


def test_hostile_lines_are_told_and_survived(server: Driven) -> None:
    server.send(b"\n\r\n  \n", b"garbage\n", b"\xff\xfe\x00\n", b"[" * 200_000 + b"\n", b'"\\ud800"\n', b"\x00\n")
    codes = [server.receive()["error"]["code"] for _ in range(5)]
    assert codes == [-32700, -32700, -32700, -32600, -32700]
    text = "\ud800 \x00 \U0001f600"
    answer = server.ask(request("é", "tools/call", name="echo", arguments={text: text}))
    replaced = text.replace("\ud800", "\ufffd")
    assert answer["result"]["structuredContent"]["arguments"] == {replaced: replaced}


def test_a_huge_line_is_refused_and_the_next_one_read(server: Driven) -> None:
    server.send(b'{"x":"' + b"x" * (17 << 20) + b'"}\n')
    error = server.receive()["error"]
    assert (error["code"], "16777216" in error["message"]) == (-32700, True)
    assert server.ask(request(1, "ping"))["result"] == {}


def test_answers_larger_than_a_pipe_never_interleave(server: Driven) -> None:
    for number in range(1, 17):
        server.send(request(number, "tools/call", name="large", arguments={"size": 300_000}))
        server.send(request(f"p{number}", "ping"))
    answers = [server.receive() for _ in range(32)]
    assert {answer["id"] for answer in answers} == {*range(1, 17), *(f"p{n}" for n in range(1, 17))}


def test_ping_list_and_other_calls_are_answered_while_a_call_blocks(server: Driven) -> None:
    waiting_call(server, "b", "block")
    assert server.ask(request(1, "ping"))["result"] == {}
    assert server.ask(request(2, "tools/list"))["result"]["tools"]
    assert server.ask(request(3, "tools/call", name="echo"))["result"]


def test_a_cancelled_call_is_interrupted_at_once_and_not_answered(server: Driven) -> None:
    waiting_call(server, 7)
    server.send(cancel(7))
    server.said("wait was stopped")
    assert server.ask(request(8, "ping"))["result"] == {}
    assert server.ask(request(7, "ping"))["result"] == {}


def test_too_many_calls_get_a_problem() -> None:
    with Driven("2") as server:
        server.ask(initialize(0))
        waiting_call(server, 1)
        waiting_call(server, 2)
        refused = server.ask(request(3, "tools/call", name="echo"))["result"]
        assert refused["isError"]
        assert "call.too_many" in refused["content"][0]["text"]


def test_faults_are_answered_and_reported_on_standard_error(server: Driven) -> None:
    for number, name in enumerate(("crash", "odd")):
        result = server.ask(request(number, "tools/call", name=name))["result"]
        assert result["isError"]
        assert json.loads(result["content"][0]["text"])["reasonCode"] == "call.failed"
    server.said("RuntimeError: a fault of the tool")


def test_printing_and_reading_do_not_touch_the_protocol(server: Driven) -> None:
    answer = server.ask(request(1, "tools/call", name="shout"))
    assert answer["result"]["structuredContent"] == {"read": ""}
    server.said("noise on standard output")


def test_the_end_of_input_stops_waiting_calls_answers_them_and_exits_with_zero(server: Driven) -> None:
    waiting_call(server, 1)
    server.send(enveloped("s", "subscriptions/listen", notifications={}))
    assert server.receive()["method"] == "notifications/subscriptions/acknowledged"
    assert server.end() == 0
    answers = {answer["id"]: answer["result"] for answer in (server.receive(), server.receive())}
    assert answers[1]["structuredContent"] == {"stopped": True}
    assert answers["s"]["resultType"] == "complete"
    server.said("ended: end of input")


def test_the_end_of_input_waits_only_briefly_for_a_call_that_hears_nothing(server: Driven) -> None:
    waiting_call(server, 1, "block")
    assert server.end() == 0
    assert server.line() == b""


@pytest.mark.parametrize(("name", "code"), program.SIGNALS.items())
@pytest.mark.parametrize("call", [None, "wait", "block"])
def test_a_signal_ends_the_server_with_its_exit_code(server: Driven, name: str, code: int, call: str | None) -> None:
    if call is not None:
        waiting_call(server, 1, call)
    server.process.send_signal(getattr(signal, name))
    assert server.process.wait(TIMEOUT_S) == code
    server.said(f"ended: {name}")


def test_a_signal_is_heard_while_the_client_does_not_read(server: Driven) -> None:
    server.send(enveloped("s", "subscriptions/listen", notifications={}))
    for number in range(1, 9):
        server.send(request(number, "tools/call", name="large", arguments={"size": 1_000_000}))
    assert server.line()  # they are being written
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(TIMEOUT_S) == 143


def test_a_client_that_closes_its_reading_end_ends_the_server_quietly(server: Driven) -> None:
    server.stdout.close()
    server.send(request(1, "ping"))
    assert server.process.wait(TIMEOUT_S) == 0
    assert server.line(server.stderr.fileno()) == b"ended: client gone"


class Served:
    """The server on a thread of this process, on pipes of its own."""

    def __init__(self, ready: threading.Event | None = None, *, blocking: bool = True) -> None:
        (self.stdin, to_server), (from_server, self.stdout) = os.pipe(), os.pipe()
        os.set_blocking(self.stdin, blocking)
        os.set_blocking(self.stdout, blocking)
        self.out, self.answers = os.fdopen(to_server, "wb", 0), os.fdopen(from_server, "rb")
        self.ended: list[program.ConnectionEnded] = []
        self._thread = threading.Thread(target=self._serve, args=(Toy(ready),))
        self._thread.start()

    def _serve(self, toy: Toy) -> None:
        self.ended.append(program.serve(toy, toy, self.stdin, self.stdout))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.out.close()
        self.join()
        self.answers.close()
        os.close(self.stdin)
        os.close(self.stdout)

    def send(self, *messages: object) -> None:
        for message in messages:
            self.out.write(json.dumps(message).encode() + b"\n")

    def ids(self, count: int) -> list[object]:
        return [json.loads(self.answers.readline())["id"] for _ in range(count)]

    def join(self) -> None:
        self._thread.join(TIMEOUT_S)
        assert not self._thread.is_alive()


def test_a_reader_that_vanished_is_noticed_without_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "WATCH_S", 0.01)
    with Served() as served:
        served.answers.close()
        served.join()
        assert served.ended == [(program.CLIENT_GONE, 0)]


def test_a_parent_that_died_is_noticed_when_seen_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([100, 100, 100, 1, 100, 1, 1])
    monkeypatch.setattr(program, "WATCH_S", 0.01)
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    with Served() as served:
        served.join()
        assert served.ended == [(program.CLIENT_GONE, 0)]
    assert next(parents, None) is None


def test_initialize_and_the_list_are_answered_before_the_surface_is_ready() -> None:
    ready = threading.Event()
    with Served(ready) as served:
        served.send(initialize(1), request(2, "tools/call", name="echo"), request(3, "tools/list"))
        assert served.ids(2) == [1, 3]
        ready.set()
        assert served.ids(1) == [2]
    assert served.ended == [(program.END_OF_INPUT, 0)]


def test_non_blocking_pipes_are_served_as_well() -> None:
    with Served(blocking=False) as served:
        served.send(initialize(1), request(2, "tools/call", name="large", arguments={"size": 500_000}))
        assert served.ids(2) == [1, 2]


def test_every_call_made_before_the_end_of_input_is_answered() -> None:
    for _ in range(20):
        with Served() as served:
            served.send(initialize(0), *(request(n, "tools/call", name="echo") for n in range(1, 9)))
            served.out.close()
            assert sorted(map(str, served.ids(9))) == sorted(map(str, range(9)))


def test_no_thread_to_be_had_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with Served() as served:
        monkeypatch.setattr(program._Workers, "start", refuse)
        served.send(initialize(1), request(2, "tools/call", name="echo"))
        assert served.ids(1) == [1]
        refused = json.loads(served.answers.readline())["result"]
        assert "call.no_thread" in refused["content"][0]["text"]
