"""What a server tells of itself: log lines, figures, traces; and that no secret is in any of them."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.doors.http.running import Server, comity, repository, serving

SECRET = "s3cr3t-word"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@contextmanager
def collector() -> Iterator[tuple[str, dict[str, list[bytes]]]]:
    """A place that takes what OTLP sends, by path."""
    heard: dict[str, list[bytes]] = {"/v1/traces": [], "/v1/logs": []}

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard[self.path].append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    taking = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    thread = threading.Thread(target=taking.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{taking.server_address[1]}", heard
    finally:
        taking.shutdown()
        thread.join()
        taking.server_close()


def message(server: Server, content: str) -> None:
    """From ann to ben, within somebody's trace."""
    for name in ("ann", "ben"):
        server.post("/api/v1/session.start", headers={"X-Comity-Agent": name}).raise_for_status()
    sent = {"destinationAgentId": "ben", "content": content}
    headers = {"X-Comity-Agent": "ann", "traceparent": PARENT, "cookie": SECRET, "x-else": SECRET}
    server.post("/api/v1/message.send", sent, headers=headers).raise_for_status()


def received(server: Server) -> str:
    """The trace in which ben's message was sent, as ben sees it."""
    polled = server.post("/api/v1/message.poll", headers={"X-Comity-Agent": "ben"}).json()
    return str(polled["deliveries"][0]["context"]["traceparent"])


def test_lines_hold_no_query_header_or_content(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    made = comity(folder, "token", "create", "--role", "worker", "--agent", "ada", "--json")
    token = json.loads(made.stdout)["secret"]
    with serving(folder, "--log-format", "json", "--log-level", "debug") as server:
        message(server, SECRET)
        server.get(f"/api/v1/task.list?status={SECRET}", headers={"authorization": f"Bearer {token}"})
        server.get(f"/{SECRET}")
        server.post("/api/v1/task.claim", {"taskId": SECRET}, headers={"X-Comity-Agent": "ann"})
        wrong = "comity_0123456789ab_" + "0" * 64
        assert server.get("/metrics", headers={"authorization": f"Bearer {wrong}"}).status_code == 401
        assert received(server) == PARENT
        assert server.stop() == 0
    written = (folder / ".masc" / "logs").glob("*.jsonl")
    lines = [json.loads(line) for file in written for line in file.read_text().splitlines()]
    assert [json.loads(line) for line in server.said] == lines
    for text in (SECRET, token[-20:], wrong):
        assert text not in "".join(server.said)
    sent = next(one for one in lines if one.get("route") == "/api/v1/message.send")
    assert sent["status"] == 200
    assert (sent["agentId"], sent["traceId"], sent["level"]) == ("ann", TRACE, "info")
    refused = next(one for one in lines if one.get("reason") == "token.unknown")
    assert refused["level"] == "warning"
    assert lines[-1]["event"] == "server.ended"


def test_old_logs_go_and_others_stay(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    logs = folder / ".masc" / "logs"
    logs.mkdir(parents=True)
    for name in ("server-2020-01-01.jsonl", "server-9999-01-01.jsonl", "mine.jsonl"):
        (logs / name).write_text("{}\n")
    with serving(folder, "--log-level", "off") as server:
        server.get("/health")
        assert server.stop() == 0
    assert not (logs / "server-2020-01-01.jsonl").exists()
    assert (logs / "server-9999-01-01.jsonl").exists()
    assert (logs / "mine.jsonl").exists()
    assert [line for line in server.said if "/health" in line] == []


def test_figures_have_few_labels_and_the_service_levels_as_bounds(server: Server) -> None:
    for word in range(20):
        server.get(f"/nowhere/{word}")
        server.post("/api/v1/task.claim", {"taskId": f"none-{word}"}, headers={"X-Comity-Agent": "ann"})
    text = server.get("/metrics").text
    assert "none-" not in text
    assert "nowhere" not in text
    assert 'comity_request_duration_seconds_count{method="none",route="none",status="404"} 20.0' in text
    assert 'comity_operation_duration_seconds_count{operation="task.claim",outcome="not_found"} 20.0' in text
    for bound in ("0.001", "0.0025", "0.005", "0.01", "0.08", "0.15", "0.25", "0.3", "0.5", "0.8", "1.0"):
        assert f'status="404",le="{bound}"' in text or f'le="{bound}",method="none"' in text
    for name in ("comity_agents", "comity_tasks", "comity_deliveries_pending", "comity_store_bytes"):
        assert f"\n{name}" in text
    assert "process_resident_memory_bytes" in text


def test_a_trace_goes_from_the_request_into_the_message(tmp_path: Path) -> None:
    with collector() as (url, heard):
        folder = repository(tmp_path / "shop")
        with serving(folder, OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_SERVICE_NAME="shop") as server:
            message(server, SECRET)
            carried = received(server)
            assert server.stop() == 0
    spans = [
        (span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
        for body in heard["/v1/traces"]
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    request = next(span for span in spans if span[0] == "POST /api/v1/message.send")
    operation = next(span for span in spans if span[0] == "message.send")
    assert request[1] == operation[1] == TRACE
    assert request[3] == "b7ad6b7169203331"
    assert operation[3] == request[2]
    assert carried == f"00-{TRACE}-{operation[2]}-01"
    records = [
        record.body.string_value
        for body in heard["/v1/logs"]
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]
    assert "POST /api/v1/message.send" in records
    assert all(SECRET.encode() not in body for bodies in heard.values() for body in bodies)


def test_a_log_that_cannot_be_written_costs_no_request(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    (folder / ".masc" / "logs").mkdir(parents=True)
    subprocess.run(["sh", "-c", 'ln -s /nowhere "server-$(date -u +%F).jsonl"'], cwd=folder / ".masc/logs", check=True)
    with serving(folder) as server:
        assert server.get("/health").status_code == 200
        assert server.stop() == 0
