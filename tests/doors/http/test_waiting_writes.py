"""While another program holds the database's write lock, writes wait for it and nobody else does."""

import threading

import apsw
import httpx2

from tests.doors.http.running import Server

ANN = {"x-comity-agent": "ann"}
WRITERS = 3


def test_reads_go_on_while_writes_wait(server: Server) -> None:
    assert server.post("/api/v1/task.dispatch", {"title": "First"}, headers=ANN).status_code == 200
    other = apsw.Connection(server.database)
    other.set_busy_timeout(30_000)
    other.execute("BEGIN IMMEDIATE")
    answers: list[httpx2.Response] = []

    def dispatch(number: int) -> None:
        answers.append(httpx2.post(f"{server.url}/api/v1/task.dispatch", json={"title": f"{number}"}, headers=ANN))

    writers = [threading.Thread(target=dispatch, args=(number,)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for _ in range(20):
        assert len(server.get("/api/v1/task.list", headers=ANN).json()["tasks"]) == 1
    assert not answers
    other.execute("COMMIT")
    other.close()
    for writer in writers:
        writer.join(30)
    assert [told.status_code for told in answers] == [200] * WRITERS
    assert len(server.get("/api/v1/task.list", headers=ANN).json()["tasks"]) == 1 + WRITERS
