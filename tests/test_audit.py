"""``make audit``: what is found fails, what cannot be looked up is told and passes. The database is a server here."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
KNOWN = {("vase", "1.5"): ["GHSA-broken", "CVE-of-old"]}
LOCK = """# made by hand
vase==1.5 \\
    --hash=sha256:00
    # via a shop
Cup-Board[extra]==2.0.1 ; python_version < "4" \\
    --hash=sha256:11
"""


def truthful(asked: dict[str, Any]) -> bytes:
    pairs = [(one["package"]["name"], one["version"]) for one in asked["queries"]]
    assert {one["package"]["ecosystem"] for one in asked["queries"]} == {"PyPI"}
    found = [{"vulns": [{"id": one} for one in KNOWN[pair]]} if pair in KNOWN else {} for pair in pairs]
    return json.dumps({"results": found}).encode()


@contextmanager
def database(answer: Any, status: int = 200) -> Iterator[str]:
    """A server that answers every POST with what ``answer`` makes of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/querybatch"
        finally:
            server.shutdown()
            thread.join()


def audit(lock: Path, url: str, within: str = "20") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "audit.py"), str(lock), "--database", url, "--within", within]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "some.lock"
    path.write_text(LOCK, encoding="utf-8")
    return path


def test_what_is_found_fails_with_its_names(lock: Path) -> None:
    with database(truthful) as url:
        told = audit(lock, url)
    assert told.returncode == 1, told.stderr
    assert [line.split()[:4] for line in told.stdout.splitlines()] == [
        ["audit:", "vase", "1.5:", "CVE-of-old"],
        ["audit:", "vase", "1.5:", "GHSA-broken"],
        ["audit:", "something", "is", "known"],
    ]


def test_nothing_known_passes(lock: Path) -> None:
    lock.write_text(LOCK.replace("1.5", "1.6"), encoding="utf-8")
    with database(truthful) as url:
        told = audit(lock, url)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == "audit: nothing is known of the 2 versions in some.lock\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"<html>Log in to this network</html>", 200),
        (b"[]", 200),
        (b'{"results": [{}]}', 200),
        (b'{"results": [null, {}]}', 200),
        (b'{"results": [{"vulns": [{}]}, {}]}', 200),
        (b"[" * 100_000, 200),
        (b'{"results": [{}, {}]}', 503),
        (b'{"results": [{}, {}]}', 403),
    ],
)
def test_what_is_no_answer_is_told_and_passes(lock: Path, body: bytes, status: int) -> None:
    with database(lambda _: body, status) as url:
        told = audit(lock, url)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("audit: skipped, the 2 versions in some.lock were not looked up: ")


def test_nobody_there_and_nobody_who_answers_are_told_and_pass(lock: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = audit(lock, f"http://127.0.0.1:{silent.getsockname()[1]}/", within="0.2")
        assert (told.returncode, told.stdout.startswith("audit: skipped")) == (0, True), told.stderr
        closed = silent.getsockname()[1]
    told = audit(lock, f"http://127.0.0.1:{closed}/")
    assert (told.returncode, told.stdout.startswith("audit: skipped")) == (0, True), told.stderr


def test_a_lock_without_versions_is_a_mistake(lock: Path) -> None:
    lock.write_text("# nothing\n", encoding="utf-8")
    told = audit(lock, "http://127.0.0.1:1/")
    assert (told.returncode, "names no versions" in told.stdout) == (1, True)


def test_every_version_of_the_projects_lock_is_asked_about() -> None:
    asked: list[str] = []

    def answer(question: dict[str, Any]) -> bytes:
        asked.extend(one["package"]["name"] for one in question["queries"])
        return truthful(question)

    own = ROOT / "requirements" / "dev.lock"
    with database(answer) as url:
        assert audit(own, url).returncode == 0
    pinned = [line for line in own.read_text(encoding="utf-8").splitlines() if line[:1].isalnum()]
    assert len(asked) == len(pinned) > 50
