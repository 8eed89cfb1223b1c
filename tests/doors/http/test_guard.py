"""What is refused before anything runs: foreign hosts and origins, unknown routes, bodies without bounds, wrong tokens.

Raw sockets where a well-behaved client would not send such a thing.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from comity import __version__
from tests.doors.http.running import Server, comity, repository, serving


def test_health_says_nothing_about_the_machine(server: Server) -> None:
    body = server.get("/health").json()
    assert body.keys() == {"status", "server", "version", "uptimeS"}
    assert body["version"] == __version__


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost.evil.example:{port}",
        "evil.example:{port}",
        "127.0.0.1:{port}.",
    ],
)
def test_another_host_is_refused(server: Server, host: str) -> None:
    told = server.get("/api/v1/agent.list", headers={"host": host.format(port=server.port)})
    assert told.status_code == 421
    assert told.json()["reason"] == "host.unknown"


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://evil.example",
        "http://localhost",
        "http://localhost.evil.example:{port}",
        "http://127.0.0.1:{port}.evil.example",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}@evil.example",
    ],
)
def test_a_page_from_elsewhere_reaches_nothing(server: Server, origin: str) -> None:
    origin = origin.format(port=server.port)
    told = server.post("/api/v1/task.dispatch", {"title": "Planted"}, headers={"origin": origin})
    assert (told.status_code, told.json()["reason"]) == (403, "origin.foreign")
    assert "access-control-allow-origin" not in told.headers
    assert all(task["title"] != "Planted" for task in server.get("/api/v1/task.list").json()["tasks"])


def test_the_own_page_may_write(server: Server) -> None:
    headers = {"origin": server.url, "x-comity-agent": "page"}
    assert server.post("/api/v1/task.dispatch", {"title": "From the page"}, headers=headers).status_code == 200


def test_a_cross_site_request_without_origin_is_refused(server: Server) -> None:
    told = server.get("/api/v1/agent.list", headers={"sec-fetch-site": "cross-site"})
    assert told.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/v1/",
        "/api/v1/task.nothing",
        "/api/v1/../../etc/passwd",
        "/api/v1/%2e%2e/%2e%2e/x",
        "/health//live",
        "/health/",
    ],
)
def test_what_is_not_in_the_table_is_denied(server: Server, path: str) -> None:
    told = server.get(path)
    assert (told.status_code, told.json()["reason"]) == (404, "route.unknown")


def test_another_method_is_told_which_there_are(server: Server) -> None:
    told = server.client.request("DELETE", "/api/v1/task.list")
    assert told.status_code == 405
    assert "GET" in told.headers["allow"]


def test_every_answer_has_a_request_id_of_its_own(server: Server) -> None:
    ids = {server.get("/health").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


@contextmanager
def raw(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        yield connection


def answer(connection: socket.socket) -> bytes:
    """Everything until the server closes or the answer's head and body are there."""
    read = b""
    while part := connection.recv(65536):
        read += part
        if b"\r\n\r\n" in read and read.rstrip().endswith(b"}"):
            break
    return read


def request(server: Server, head: str) -> bytes:
    lines = [head.partition("\n")[0], f"Host: 127.0.0.1:{server.port}", *head.split("\n")[1:]]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def test_a_body_is_bounded_by_what_it_says(server: Server) -> None:
    with raw(server) as connection:
        connection.sendall(request(server, "POST /api/v1/task.dispatch HTTP/1.1\nContent-Length: 99999999999999999999"))
        assert answer(connection).split(b" ", 2)[1] in (b"413", b"400")
    with raw(server) as connection:
        connection.sendall(request(server, f"POST /api/v1/task.dispatch HTTP/1.1\nContent-Length: {21 * 1024 * 1024}"))
        assert b"body.too_large" in answer(connection)


def test_a_body_is_bounded_by_what_it_is(server: Server) -> None:
    head = "POST /api/v1/task.dispatch HTTP/1.1\nContent-Type: application/json\nTransfer-Encoding: chunked"
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with raw(server) as connection:
        connection.sendall(request(server, head))
        try:
            for _ in range(30):
                connection.sendall(chunk)
            told = answer(connection)
        except (BrokenPipeError, ConnectionResetError):
            told = b"413 body.too_large"  # it hung up in the middle, which is as good
        assert b"body.too_large" in told
    assert server.get("/health").status_code == 200


def test_smuggled_and_broken_requests_run_nothing(server: Server) -> None:
    broken = (
        b"GARBAGE\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64,
        request(server, "POST /api/v1/task.dispatch HTTP/1.1\nContent-Length: 5\nTransfer-Encoding: chunked")
        + b"0\r\n\r\nPOST /api/v1/task.dispatch HTTP/1.1\r\n\r\n",
    )
    before = len(server.get("/api/v1/task.list").json()["tasks"])
    for bytes_ in broken:
        with raw(server) as connection:
            connection.sendall(bytes_)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                continue
    assert len(server.get("/api/v1/task.list").json()["tasks"]) == before


def test_a_wrong_token_is_never_nobody(server: Server) -> None:
    for shown in (
        "Bearer nonsense",
        "Bearer " + "comity_" + "0" * 12 + "_" + "0" * 64,
        "Basic YTpi",
        "Bearer",
        "x" * 5000,
    ):
        told = server.get("/api/v1/agent.list", headers={"authorization": shown})
        assert told.status_code == 401, shown[:20]
        assert told.headers["www-authenticate"] == "Bearer"


def token(folder: Path, role: str, agent: str = "") -> str:
    """A new token of a project."""
    named = ["--agent", agent] if agent else []
    made = comity(folder, "token", "create", "--role", role, *named, "--json")
    assert made.returncode == 0, made.stderr
    return str(json.loads(made.stdout)["secret"])


def test_roles_hold_on_every_door_of_a_server_that_wants_tokens(tmp_path: Path) -> None:
    folder = repository(tmp_path / "guarded")
    (folder / ".masc" / "auth").mkdir(parents=True)
    (folder / ".masc" / "auth" / "config.json").write_text('{"require_token": true}')
    reader, worker, admin = token(folder, "reader", "r"), token(folder, "worker", "w"), token(folder, "admin", "a")
    with serving(folder) as server:

        def ask(secret: str | None, operation: str, body: dict[str, object] | None = None) -> int:
            headers = {"authorization": f"Bearer {secret}"} if secret else {}
            if body is None:
                return server.get(f"/api/v1/{operation}", headers=headers).status_code
            return server.post(f"/api/v1/{operation}", body, headers=headers).status_code

        assert ask(None, "agent.list") == 401
        assert ask(None, "task.dispatch", {"title": "Nobody's"}) == 401
        assert server.get("/health/live").status_code == 200
        assert ask(reader, "agent.list") == 200
        assert ask(reader, "task.dispatch", {"title": "A reader's"}) == 403
        assert ask(worker, "task.dispatch", {"title": "A worker's"}) == 200
        assert ask(worker, "token.list") == 403
        assert ask(admin, "token.list") == 200
        # An agent is whom the token is of, whatever the request says.
        headers = {"authorization": f"Bearer {worker}", "x-comity-agent": "a"}
        assert server.post("/api/v1/task.dispatch", {"title": "Another's"}, headers=headers).status_code == 403
        assert comity(folder, "token", "revoke", worker.split("_")[1]).returncode == 0
        assert ask(worker, "task.dispatch", {"title": "Too late"}) == 401
        assert server.stop() == 0
    assert not any(secret in "".join(server.said) for secret in (reader, worker, admin))


def test_another_machine_is_not_served_without_tokens(tmp_path: Path) -> None:
    folder = repository(tmp_path / "bare")
    refused = comity(folder, "serve", "--host", "0.0.0.0", "--port", "1")
    assert refused.returncode == 2
    assert "comity token create" in refused.stderr


def test_rules_that_cannot_be_read_stop_the_start(tmp_path: Path) -> None:
    folder = repository(tmp_path / "spoilt")
    (folder / ".masc" / "auth").mkdir(parents=True)
    (folder / ".masc" / "auth" / "config.json").write_text('{"require_token": tru')
    refused = comity(folder, "serve")
    assert (refused.returncode, "config.json" in refused.stderr) == (2, True)


def test_wrong_tokens_are_counted_and_right_ones_go_on(tmp_path: Path) -> None:
    folder = repository(tmp_path / "knocked")
    right = {"authorization": f"Bearer {token(folder, 'reader', 'r')}"}
    with serving(folder) as server:
        wrong = {"authorization": "Bearer comity_" + "0" * 12 + "_" + "0" * 64}
        answers = {server.get("/api/v1/agent.list", headers=wrong).status_code for _ in range(25)}
        assert answers == {401, 429}
        assert server.get("/api/v1/agent.list", headers=right).status_code == 200
