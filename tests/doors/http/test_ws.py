"""The WebSocket with a real client: who may connect, events and calls in one envelope, and what ends it."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import comity
from tests.doors.http.listening import log
from tests.doors.http.running import Server, free_port, repository, serving
from tests.doors.http.running import comity as command


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that wants tokens."""
    folder = repository(tmp_path_factory.mktemp("guarded"))
    config = folder / ".masc" / "auth"
    config.mkdir(parents=True)
    (config / "config.json").write_text('{"require_token": true}')
    with serving(folder, f"--ws-port={free_port()}") as running:
        yield running


def _own_port(server: Server) -> int:
    found: int = server.get("/ws").json()["ws_port"]
    return found


class Client:
    """One connection. Everything that comes is an envelope."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **envelope: Any) -> None:
        self.connection.send(json.dumps(envelope))

    def hear(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.connection.recv(30))
        return found

    def ask(self, **envelope: Any) -> dict[str, Any]:
        self.say(**envelope)
        return self.hear()

    def subscribe(self, number: int | str, **asked: Any) -> str:
        """The cursor from which on it is live, when nothing comes before that."""
        assert self.ask(id=number, type="subscribe", **asked) == {"type": "subscribed", "id": number}
        ready = self.hear()
        assert (ready["type"], ready["id"]) == ("ready", number)
        return str(ready["cursor"])

    def events(self, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while len(found) < count:
            envelope = self.hear()
            if envelope["type"] == "events":
                found += envelope["events"]
        return found

    def code(self) -> int:
        """With which code the server ends it, whatever it says before."""
        with suppress(ConnectionClosed):
            while True:
                self.connection.recv(30)
        assert self.connection.close_code is not None
        return self.connection.close_code


@contextmanager
def connected(server: Server, path: str = "/ws", port: int = 0, **options: Any) -> Iterator[Client]:
    with connect(f"ws://127.0.0.1:{port or server.port}{path}", **options) as connection:
        yield Client(connection)


def _token(server: Server, *options: str) -> str:
    made = command(server.folder, "token", "create", "--role", "worker", "--json", *options)
    secret: str = json.loads(made.stdout)["secret"]
    return secret


def _agent(server: Server, agent_id: str) -> comity.Workspace:
    agent = comity.open(server.database, agent_id=agent_id, agent_name=agent_id, session_id=agent_id)
    agent.session.start()
    return agent


def test_events_and_calls_share_a_connection(server: Server) -> None:
    with connected(server, additional_headers={"X-Comity-Agent": "wes"}) as wes, _agent(server, "xan") as xan:
        start = wes.subscribe("mail", filter={"types": ["message.*"], "agent": "wes"})
        wes.subscribe(2, filter={"types": ["session.register"]})
        xan.message.send(destination_agent_id="wes", content="hello")
        (event,) = wes.events(1)
        assert (event["eventType"], event["fromAgentId"], event["excerpt"]) == ("message.send", "xan", "hello")
        told = wes.ask(id=7, type="call", operation="message.poll", arguments={"maxMessages": 5})
        assert (told["type"], told["id"]) == ("result", 7)
        assert [delivery["content"] for delivery in told["result"]["deliveries"]] == ["hello"]
        assert wes.ask(id=8, type="unsubscribe", subscription="mail")["type"] == "unsubscribed"
        xan.message.send(destination_agent_id="wes", content="again")
        assert wes.ask(id=9, type="ping") == {"type": "pong", "id": 9}
        wes.say(id="mail", type="subscribe", filter={"agent": "wes", "types": ["message.send"]}, after=start)
        expected = log(server, after=start, agentId="wes", eventTypes="message.send")
        assert [one["id"] for one in wes.events(2)] == [one["id"] for one in expected]
        assert wes.ask(id=1, type="subscribe", after="yesterday")["type"] in {"problem", "ready"}


def test_calls_run_at_once_and_are_bounded(server: Server) -> None:
    with connected(server, additional_headers={"X-Comity-Agent": "yin"}) as yin, _agent(server, "zed") as zed:
        for number in range(16):
            yin.say(id=number, type="call", operation="message.poll", arguments={"waitMs": 60_000})
        refused = yin.ask(id="over", type="call", operation="agent.list", arguments={})
        assert (refused["id"], refused["problem"]["reason"]) == ("over", "call.too_many")
        zed.message.send(destination_agent_id="yin", content="wake up", priority="interrupt")
        answers = [yin.hear()]
        assert answers[0]["type"] == "result"
        assert answers[0]["result"]["deliveries"]
        yin.say(id="now", type="call", operation="task.claim", arguments={"taskId": "none"})
        while (told := yin.hear())["id"] != "now":
            assert told["type"] == "result", "every poll that woke up answers"
        assert told["problem"]["kind"] == "not_found"


def test_what_is_no_envelope_is_answered_until_there_is_too_much(server: Server) -> None:
    with connected(server) as client:
        wrong: list[tuple[str | bytes, str]] = [
            ("nonsense", "message.not_json"),
            ("[]", "message.not_object"),
            (b'{"type": "dance"}', "message.type"),
            ('{"id": true, "type": "ping"}', "message.id"),
            ("[" * 100_000, "message.not_json"),
        ]
        for text, reason in wrong:
            client.connection.send(text)
            assert client.hear()["problem"]["reason"] == reason
        for body, reason in (
            ({"type": "subscribe"}, "message.id"),
            ({"id": 1, "type": "subscribe", "filter": {"colour": "blue"}}, "argument.invalid"),
            ({"id": 1, "type": "subscribe", "after": "yesterday"}, "cursor.unknown"),
            ({"id": 1, "type": "unsubscribe", "subscription": 5}, "subscription.unknown"),
            ({"id": 1, "type": "call"}, "argument.invalid"),
            ({"id": 1, "type": "call", "operation": "no.such"}, "operation.unknown"),
            ({"id": 1, "type": "call", "operation": "task.list", "arguments": {"colour": 1}}, "argument.unknown"),
            ({"id": 1, "type": "authenticate", "token": "x"}, "token.malformed"),
            ({"id": 1, "type": "authenticate", "token": "\N{CYRILLIC SMALL LETTER A}"}, "token.malformed"),
            ({"id": 1, "type": "authenticate", "agent": "a\nb"}, "agent.name"),
        ):
            assert client.ask(**body)["problem"]["reason"] == reason
        for _ in range(20):
            client.connection.send("{")
        assert client.code() == 1007
    with connected(server) as client:
        client.connection.send("z" * (1024 * 1024 + 1))
        assert client.hear()["problem"]["reason"] == "message.too_large"


def test_a_page_from_elsewhere_cannot_connect(server: Server) -> None:
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{server.port + 1}"):
        with pytest.raises(InvalidStatus) as refused, connected(server, origin=origin):
            pass
        assert refused.value.response.status_code == 403
    with connected(server, origin=server.url) as client:
        assert client.ask(type="ping")["type"] == "pong"
    told = server.get("/ws").json()
    assert (told["enabled"], told["ws_url"]) == (True, f"ws://127.0.0.1:{server.port}/ws")


def test_who_connects_shows_a_token_in_the_header_or_first_of_all(guarded: Server) -> None:
    secret = _token(guarded, "--agent", "ann")
    with connected(guarded) as silent:
        with connected(guarded, additional_headers={"Authorization": f"Bearer {secret}"}) as client:
            assert client.ask(id=1, type="call", operation="task.list")["type"] == "result"
        with connected(guarded) as client:
            assert client.hear()["type"] == "hello"
            assert client.ask(id=1, type="authenticate", token=secret) == {
                "type": "authenticated",
                "id": 1,
                "agentId": "ann",
                "role": "worker",
            }
            told = client.ask(id=2, type="call", operation="token.list")
            assert told["problem"]["reason"] == "role.insufficient"
        for said in (
            {"type": "authenticate", "token": secret[:-1] + ("0" if secret[-1] != "0" else "1")},
            {"type": "authenticate"},
            {"type": "authenticate", "token": secret, "agent": "bob"},
            {"type": "call", "id": 1, "operation": "task.list"},
            {"type": "dance"},
        ):
            with connected(guarded) as client:
                client.hear()
                client.say(**said)
                assert client.code() == 4401
        with pytest.raises(InvalidStatus), connected(guarded, additional_headers={"Authorization": "Bearer x"}):
            pass
        assert silent.hear()["type"] == "hello"
        assert silent.code() == 4401


def test_it_has_a_port_of_its_own_with_the_same_guard(guarded: Server) -> None:
    port = _own_port(guarded)
    assert port != guarded.port
    secret = _token(guarded, "--agent", "cid")
    for path, options in (("/", {"origin": guarded.url}), ("/ws", {"origin": f"http://127.0.0.1:{port}"}), ("/", {})):
        with connected(guarded, path, port, **options) as client:
            assert client.hear()["type"] == "hello"
            assert client.ask(type="authenticate", token=secret)["agentId"] == "cid"
    for wrong in ({"path": "/", "origin": "http://evil.example"}, {"path": "/api/v1/events"}):
        with pytest.raises(InvalidStatus), connected(guarded, port=port, **wrong):
            pass


def test_a_connection_ends_with_its_token(guarded: Server) -> None:
    secret = _token(guarded, "--agent", "ben")
    with connected(guarded) as client:
        client.hear()
        assert client.ask(type="authenticate", token=secret)["type"] == "authenticated"
        client.subscribe(1)
        assert command(guarded.folder, "token", "revoke", secret.split("_")[1]).returncode == 0
        told = next(one for one in iter(client.hear, None) if one["type"] == "end")
        assert told == {"type": "end", "reason": "token"}
        assert client.code() == 4401


def test_the_end_of_the_server_is_told(tmp_path: Path) -> None:
    with serving(repository(tmp_path / "shop")) as server, connected(server) as client, connected(server) as idle:
        client.subscribe(1)
        assert idle.ask(type="ping")["type"] == "pong"
        server.process.send_signal(signal.SIGTERM)
        for one in (client, idle):
            assert one.hear() == {"type": "shutdown", "reason": "shutdown"}
            assert one.code() == 1001
        assert server.process.wait(20) == 0
        server.stop()
