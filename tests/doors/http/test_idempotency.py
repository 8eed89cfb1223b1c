"""A write under a key is carried out once: whoever is killed, however many servers there are, whatever comes again."""

import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2

from tests.doors.http.running import Server, comity, repository, serving

ANN = {"x-comity-agent": "ann"}
KILLS = 3
WRITERS = 4


def dispatch(server: Server, key: str, title: str = "Write the lexer") -> httpx2.Response:
    return server.post("/api/v1/task.dispatch", {"title": title}, headers={**ANN, "idempotency-key": key})


def titles(server: Server) -> Counter[str]:
    return Counter(task["title"] for task in server.get("/api/v1/task.list?limit=10000").json()["tasks"])


def test_the_same_request_is_answered_alike_also_by_the_next_server(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    with serving(folder) as server:
        first = dispatch(server, "k")
        assert "idempotency-replayed" not in first.headers
        assert dispatch(server, "k").content == first.content
        refused = server.post("/api/v1/task.claim", {"taskId": "task-007"}, headers={**ANN, "idempotency-key": "r"})
        assert refused.status_code == 404
        for number in range(9):
            dispatch(server, f"more {number}", f"More {number}")
        claimed = server.post("/api/v1/claim.acquire", {"files": ["a.py"]}, headers={**ANN, "idempotency-key": "c"})
        assert server.stop() == 0
    with serving(folder) as server:
        again = dispatch(server, "k")
        assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
        assert titles(server)["Write the lexer"] == 1
        told = server.post("/api/v1/task.claim", {"taskId": "task-007"}, headers={**ANN, "idempotency-key": "r"})
        assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")
        assert told.json() == refused.json()
        held = server.post("/api/v1/claim.acquire", {"files": ["a.py"]}, headers={**ANN, "idempotency-key": "c"})
        assert held.content == claimed.content
        bob = {"x-comity-agent": "bob", "idempotency-key": "k"}
        own = server.post("/api/v1/task.dispatch", {"title": "Bob's"}, headers=bob)
        assert own.status_code == 200, "another agent's key is another key"


def test_a_key_means_one_request(server: Server) -> None:
    dispatch(server, "once")
    other = dispatch(server, "once", "Another title")
    assert (other.status_code, other.json()["reason"]) == (422, "idempotency.reused")
    elsewhere = server.post("/api/v1/goal.create", {"title": "Write"}, headers={**ANN, "idempotency-key": "once"})
    assert elsewhere.status_code in (400, 422)
    for key in ("clé", "k" * 201):
        told = server.post("/api/v1/task.dispatch", {"title": "x"}, headers={**ANN, "idempotency-key": key.encode()})
        assert (told.status_code, told.json()["reason"]) == (400, "idempotency.key")


def test_what_was_wrong_with_a_request_may_be_mended_under_its_key(server: Server) -> None:
    headers = {**ANN, "idempotency-key": "mended"}
    assert server.post("/api/v1/task.dispatch", {"titel": "x"}, headers=headers).status_code == 400
    assert server.post("/api/v1/task.dispatch", {"title": ""}, headers=headers).status_code == 400
    assert server.post("/api/v1/task.dispatch", {"title": "x"}, headers=headers).status_code == 200


def test_a_secret_is_not_kept(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    made = comity(folder, "token", "create", "--role", "admin", "--agent", "ann", "--json").stdout
    token = next(part for part in made.replace('"', " ").split() if part.startswith("comity_"))
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "t"}
    with serving(folder) as server:
        created = server.post("/api/v1/token.create", {"role": "reader"}, headers=headers)
        assert created.status_code == 200, created.text
        again = server.post("/api/v1/token.create", {"role": "reader"}, headers=headers)
        assert (again.status_code, again.json()["reason"]) == (409, "idempotency.secret")
        database = Path(server.database)
        server.stop(signal.SIGKILL)
    secret = next(value for value in created.json().values() if isinstance(value, str) and len(value) > 64)
    for part in (database, database.with_name(database.name + "-wal")):
        assert secret.rpartition("_")[2].encode() not in (part.read_bytes() if part.exists() else b"")


class Writer(threading.Thread):
    """Sends one request after another, each under its own key, until the server is gone."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._who = name
        self.sent: list[str] = []
        self.some = threading.Event()

    def run(self) -> None:
        with httpx2.Client(base_url=self._server.url, timeout=30) as client:
            while True:
                title = f"{self._who}-{len(self.sent)}"
                self.sent.append(title)
                try:
                    client.post("/api/v1/task.dispatch", json={"title": title}, headers=keyed(title))
                except httpx2.HTTPError:
                    return
                if len(self.sent) > 10:
                    self.some.set()


def keyed(title: str) -> dict[str, str]:
    return {**ANN, "idempotency-key": title}


def test_a_server_that_is_killed_did_and_kept_or_neither(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    sent: list[str] = []
    for life in range(KILLS):
        with serving(folder) as server:
            writers = [Writer(server, f"{life}-{number}") for number in range(WRITERS)]
            for writer in writers:
                writer.start()
            for writer in writers:
                assert writer.some.wait(60)
            server.process.kill()
            for writer in writers:
                writer.join(60)
            sent += [title for writer in writers for title in writer.sent]
    with serving(folder) as server:
        for title in sent:
            told = server.post("/api/v1/task.dispatch", {"title": title}, headers=keyed(title))
            assert told.status_code == 200, told.text
        assert titles(server) == Counter(sent), "each of them once"


def test_two_servers_at_once_carry_out_one(tmp_path: Path) -> None:
    with serving(repository(tmp_path / "one")) as one:
        database = one.database
        with serving(repository(tmp_path / "two"), "--db", database) as two:
            answers: list[Any] = []

            def ask(server: Server, key: str) -> None:
                with httpx2.Client(base_url=server.url, timeout=30) as client:
                    headers = {**ANN, "idempotency-key": key}
                    answers.append((key, client.post("/api/v1/task.dispatch", json={"title": key}, headers=headers)))

            keys = [f"key-{number}" for number in range(10)]
            asking = [threading.Thread(target=ask, args=(server, key)) for key in keys for server in (one, two) * 2]
            for thread in asking:
                thread.start()
            for thread in asking:
                thread.join()
            assert {told.status_code for _, told in answers} == {200}
            assert len({(key, told.content) for key, told in answers}) == len(keys)
            assert titles(one) == Counter(keys)
