"""Events as they happen, over HTTP: in order, nothing lost and nothing twice, whoever is killed, slow or gone."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import comity
from comity import settings
from tests.doors.http.listening import Streams, listening, log, write_events
from tests.doors.http.running import Server, environment, repository, serving
from tests.doors.http.running import comity as command

WRITER = """
import sys, comity
with comity.open(sys.argv[1], agent_id=sys.argv[2], agent_name="writer", session_id=sys.argv[2]) as writer:
    writer.session.start()
    print("writes", flush=True)
    for number in range(100_000):
        writer.message.send(destination_agent_id=sys.argv[2], content=f"number {number}", ttl_seconds=3600)
"""


def _writer(server: Server, agent_id: str) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-c", WRITER, server.database, agent_id]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdout is not None
    assert process.stdout.readline() == "writes\n"
    return process


def _agent(server: Server, agent_id: str, channel: str = "main") -> comity.Workspace:
    agent = comity.open(server.database, agent_id=agent_id, agent_name=agent_id, session_id=agent_id, channel=channel)
    agent.session.start()
    return agent


def _default_channel(server: Server) -> str:
    return settings.resolve({}, environment(), str(server.folder)).channel


def test_events_of_other_processes_come_in_order(server: Server) -> None:
    with listening(server) as stream, _agent(server, "ada") as ada:
        first = int(stream.ready())
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store"
        assert stream.response.headers["x-accel-buffering"] == "no"
        for number in range(20):
            ada.message.send(destination_agent_id="ada", content=f"number {number}")
        written = log(server, after=first)
        blocks = stream.until(written[-1]["id"])
        assert [block.data["id"] for block in blocks] == [event["id"] for event in written]
        assert [(block.id, block.event) for block in blocks] == [(str(e["id"]), e["eventType"]) for e in written]
        assert "excerpt" not in blocks[-1].data


def test_nothing_is_lost_or_doubled_when_listener_and_writer_die(server: Server) -> None:
    seen: list[int] = []
    with listening(server) as stream:
        last = start = stream.ready()
    for round_number in range(3):
        writer = _writer(server, f"victim-{round_number}")
        try:
            for count in (3, 40, 7):
                with listening(server, last=last) as stream:
                    seen += [int(block.id) for block in stream.take(count)]
                    last = stream.last
        finally:
            writer.kill()
            writer.communicate()
    written = [event["id"] for event in log(server, after=start)]
    with listening(server, last=last) as stream:
        if seen[-1] < written[-1]:
            seen += [int(block.id) for block in stream.until(written[-1])]
    assert seen == written


def test_a_stream_goes_on_after_the_server_was_killed_and_is_told_of_its_end(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    with serving(folder) as server, _agent(server, "ada") as ada, listening(server) as stream:
        stream.ready()
        ada.message.send(destination_agent_id="ada", content="before")
        last = stream.take(1)[-1].id
        server.stop(signal.SIGKILL)
        ada.message.send(destination_agent_id="ada", content="between")
        ada.memory.set(scope="workspace", key="colour", value="blue")
        with serving(folder) as again, listening(again, last=last) as resumed:
            ada.message.send(destination_agent_id="ada", content="after")
            written = [event["id"] for event in log(again, after=last)]
            assert [int(block.id) for block in resumed.until(written[-1])] == written
            assert len(written) >= 2
            again.process.send_signal(signal.SIGTERM)
            block = resumed.next()
            while block.event != "shutdown":
                block = resumed.next()
            with pytest.raises(StopIteration):
                resumed.next()
            assert again.process.wait(20) == 0
            again.stop()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("types=message.send", {"eventTypes": "message.send"}),
        ("types=session.*&types=channel.join", {"eventTypes": ["session.*", "channel.join"]}),
        ("agent=fil", {"agentId": "fil"}),
        ("channel=side", {"channelId": "side"}),
        ("minPriority=2", {"minPriority": 2}),
        ("types=message.*&agent=fil&minPriority=3", {"eventTypes": "message.*", "agentId": "fil", "minPriority": 3}),
    ],
)
def test_a_filter_is_that_of_the_log_live_and_again(server: Server, query: str, wanted: dict[str, object]) -> None:
    with listening(server, query) as live, listening(server) as all_events:
        start = live.ready()
        all_events.ready()
        with _agent(server, "fil") as fil, _agent(server, "gil", "side") as gil:
            fil.message.send(destination_agent_id="gil", content=f"urgent {query}", priority="interrupt")
            gil.message.send(destination_agent_id="fil", content=f"very urgent {query}", priority="interrupt")
            gil.message.send(destination_agent_id="fil", content=f"by the way {query}", priority="info")
            gil.message.broadcast(content=f"to nobody else {query}")
            gil.channel.leave()
            fil.session.end()
        expected = log(server, after=start, **wanted)
        assert expected, "the scene has something for every filter"
        assert [int(block.id) for block in live.take(len(expected))] == [event["id"] for event in expected]
    with listening(server, query, last=start) as again:
        assert [block.data for block in again.take(len(expected))] == expected
    with listening(server, f"{query}&newest=1") as newest:
        (last,) = newest.take(1)
        assert last.data["id"] >= expected[-1]["id"], "others may have added something since"
        assert last.data in log(server, after=start, **wanted)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("after=yesterday", "cursor.unknown"),
        ("after=-1", "cursor.unknown"),
        ("after=" + "9" * 30, "cursor.unknown"),
        ("types=a%0Ab", "argument.invalid"),
        ("newest=1001", "argument.invalid"),
        ("minPriority=high", "argument.invalid"),
        ("agent=a&agent=b", "argument.invalid"),
        ("colour=blue", "argument.invalid"),
        ("types=" + ",".join(f"t{n}" for n in range(51)), "argument.invalid"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_stream(server: Server, query: str, reason: str) -> None:
    told = server.get(f"/api/v1/events?{query}")
    assert (told.status_code, told.json()["reason"]) == (400, reason)
    assert told.headers["content-type"] == "application/problem+json"


def test_a_message_shows_how_it_begins_to_those_whom_it_is_for_and_to_admins(server: Server) -> None:
    made = command(server.folder, "token", "create", "--role", "admin", "--json")
    admin = {"authorization": f"Bearer {json.loads(made.stdout)['secret']}"}
    with (
        _agent(server, "ann", _default_channel(server)) as ann,
        _agent(server, "ben", _default_channel(server)) as ben,
        listening(server, x_comity_agent="ann") as own,
        listening(server, x_comity_agent="ben") as other,
        listening(server, x_comity_agent="cleo") as stranger,
        listening(server) as nobody,
        listening(server, **admin) as overseer,
    ):
        streams = (own, other, overseer, stranger, nobody)
        for stream in streams:
            stream.ready()
        ann.message.send(destination_agent_id="ben", content="between us")
        ann.message.broadcast(content="for all to see")
        for member in (ann, ben):
            member.channel.join(channel_id="closed")
        ann.message.broadcast(content="for members", channel_id="closed")
        found = [
            {
                block.data.get("excerpt", "")
                for block in stream.until(log(server)[-1]["id"])
                if block.event == "message.send"
            }
            for stream in streams
        ]
    both = {"between us", "for all to see", "for members"}
    assert found == [both, both, both, {"", "for all to see"}, {"", "for all to see"}]


def test_whoever_is_slow_is_told_of_a_gap_and_holds_nobody_up(tmp_path: Path) -> None:
    with serving(repository(tmp_path / "shop")) as server:
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", server.port))
        slow.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        slow.settimeout(30)
        said = bytearray()
        while b"event: ready" not in said:
            said += slow.recv(4096)
        with listening(server) as quick:
            last = int(quick.ready())
            before = last
            while last < before + 1600:
                last = write_events(server.database, 80, size=8000)
                assert len(quick.until(last)) == 80, "the quick one gets all of it, at once"
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        while b'"reason": "slow"}' not in said[-300_000:]:
            chunk = slow.recv(1 << 18)
            assert chunk, "the stream goes on"
            said += chunk
        gap = json.loads(said.partition(b"event: gap\ndata: ")[2].partition(b"\n")[0])
        heard = [int(line[4:]) for line in said.partition(b"event: gap")[0].split(b"\n") if line.startswith(b"id: ")]
        slow.close()
        assert gap["reason"] == "slow"
        assert heard[-1] == int(gap["cursor"]), "the gap's own id is where it goes on"
        assert heard[-2] == int(gap["after"])
        missed = [event["id"] for event in log(server, after=gap["after"]) if event["id"] <= int(gap["cursor"])]
        assert missed == list(range(int(gap["after"]) + 1, int(gap["cursor"]) + 1))


def test_a_cursor_that_the_log_no_longer_reaches_is_a_gap(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    with serving(folder) as server:
        kept = write_events(server.database, 10)
        ada = _agent(server, "ada")
        ada.message.send(destination_agent_id="ada", content="new")
        ada.workspace.prune(older_than_days=1)
        with listening(server, last="3") as stream:
            gap, following = stream.take(2)
            assert (gap.event, gap.data) == ("gap", {"after": "3", "cursor": str(kept), "reason": "pruned"})
            assert following.event == "session.register"
        with listening(server, last="999999") as stream:
            (gap,) = stream.take(1)
            assert (gap.event, gap.data["reason"]) == ("gap", "unknown")
            ada.message.send(destination_agent_id="ada", content="newer")
            assert stream.take(1)[0].event == "message.send"


def test_five_hundred_streams_on_one_connection(server: Server) -> None:
    streams = Streams(server)
    numbers = streams.open(500, "types=message.*")
    streams.hear_until(b"event: ready", numbers)
    assert streams.most() >= 500
    assert {streams.status[number] for number in numbers} == {"200"}
    with _agent(server, "ada") as ada:
        sent = [ada.message.send(destination_agent_id="ada", content=f"{n}").message_id for n in range(3)]
    streams.hear_until(sent[-1].encode(), numbers)
    assert not streams.over
    first, *others = [streams.bodies[number].partition(b"event: message.send")[2] for number in numbers]
    assert [first.count(message_id.encode()) for message_id in sent] == [1, 1, 1]
    assert others == [first] * 499
    more = streams.open(120)
    streams.hear_until(b"\n\n", more)
    refused = [number for number in more if streams.status[number] == "429"]
    assert len(refused) >= 20, "one client has a bound"
    assert b"stream.too_many" in streams.bodies[refused[0]]
    assert server.get("/health").status_code == 200
    streams.close()


def test_a_stream_ends_with_its_token(server: Server) -> None:
    made = command(server.folder, "token", "create", "--role", "worker", "--agent", "ann", "--json")
    secret = json.loads(made.stdout)["secret"]
    with listening(server, authorization=f"Bearer {secret}") as stream, listening(server) as other:
        stream.ready()
        other.ready()
        assert command(server.folder, "token", "revoke", secret.split("_")[1]).returncode == 0
        told = next(block for block in iter(stream.next, None) if block.event == "end")
        assert told.data == {"reason": "token"}
        with pytest.raises(StopIteration):
            stream.next()
        with _agent(server, "ada") as ada:
            ada.message.send(destination_agent_id="ada", content="still there")
            assert other.take(1)
