"""A database that is removed, replaced, cut or checked out over under load: no success that is not in the file.

In each round a fresh repository has one ``comity mcp``, one ``comity serve`` and two programs that run hooks and
commands, each a process of its own; all write all the time. At a seeded moment something befalls the database
(``bench.blows``); a little later everything is ended, and the file that the path names now is opened as the next
process would open it. Then:

- an answer of success to what was sent after the blow was over has to be in that file. What was sent before it and
  answered after it is only counted: its answer may have been on its way;
- that file has to be whole, unless the blow cut it and Comity says that it is damaged;
- a server whose files others do not see has to say ``store.replaced`` or the like; where only a piece was cut off, it
  has to be said by somebody if something that was answered is missing.

Faults go to standard error, a line each. A process may die of SIGBUS where its shared memory was cut; it is counted.

    python -m bench replaced                  # 208 moments, seven minutes; 20 with --quick
    python -m bench.replaced --moments 17 18  # one again
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import apsw

from bench.blows import BLOWS, BRANCH, FOLDER, GIT, NAME, OTHER, Blow, database
from bench.figures import Figure, Options
from bench.forge import DONE, VALUE
from bench.served import free_port
from bench.server import compile_bytecode
from comity.kernel.problem import Unavailable
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore
from comity.workspace import Workspace

MOMENTS, QUICK = 13 * len(BLOWS), 20
WORKERS = 2
_BEFORE_S, _AFTER_S = (0.15, 0.6), 0.7
_PATIENCE_S = 30.0
_PAUSE_S, _SULK_S = 0.01, 0.1  # between two requests, and after a problem
_FOUND = "SELECT memory_key FROM macp_ext_memories UNION ALL SELECT file_path FROM macp_ext_file_claims"
_TROUBLE = ("Traceback", "Fatal Python error", "Exception ignored")


class Told(NamedTuple):
    """One answer. ``outcome`` is DONE, or why not."""

    door: str
    key: str
    sent: float
    answered: float
    outcome: str


class Verdict(NamedTuple):
    """What became of one moment."""

    faults: list[tuple[str, str]]  # kind, what
    after: int  # answers of success to what was sent after the blow
    astride: int  # and to what was sent before it, answered after it
    astride_lost: int
    refused: int  # problems that were answered after it
    killed: int  # by SIGBUS


class Client:
    """One door that lives as long as the round; ``ask`` writes a key and answers the outcome."""

    def __init__(self, door: str, root: Path, command: list[str], ask: Callable[[Client, str], str]) -> None:
        self.door, self.answers = door, list[Told]()
        self.said = root.parent / f"{door}.err"
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "comity", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if door == "stdio" else subprocess.DEVNULL,
                stderr=said,
                cwd=root,
                env=environment(root.parent),
            )
        self._ask, self._number = ask, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def begin(self) -> None:
        """Write from now on."""
        self._thread.start()

    def rest(self) -> None:
        """Write no more."""
        self._over.set()
        self._thread.join(_PATIENCE_S)

    def end(self) -> int:
        """The exit code."""
        with suppress(BrokenPipeError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        if self.door == "serve":
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return 1
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()

    def once(self) -> None:
        """Write one key."""
        self._number += 1
        key, sent = f"{self.door}-{self._number}", time.monotonic()
        try:
            outcome = self._ask(self, key)
        except (OSError, ValueError, http.client.HTTPException) as error:
            outcome = f"no answer: {type(error).__name__}"
        self.answers.append(Told(self.door, key, sent, time.monotonic(), outcome))

    def _live(self) -> None:
        while not self._over.wait(_PAUSE_S if not self.answers or self.answers[-1].outcome == DONE else _SULK_S):
            self.once()


def environment(home: Path) -> dict[str, str]:
    """Of a person who uses nothing but this."""
    mine = ("MACP_", "COMITY_", "MASC_", "CLAUDE", "GEMINI", "OTEL_", "GIT_", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    return {**kept, "HOME": str(home), "COMITY_DEBUG": "1"}


def stdio(root: Path) -> Client:
    """``comity mcp``."""

    def ask(client: Client, key: str) -> str:
        arguments = {"key": key, "value": VALUE, "scope": "workspace"}
        result = _rpc(client, key, "tools/call", name="macp_ext_set_memory", arguments=arguments)
        if result.get("isError"):
            return str(json.loads(result["content"][0]["text"])["reasonCode"])
        return DONE

    client = Client("stdio", root, ["mcp", "--agent-id", "ann"], ask)
    info = {"name": "bench", "version": "1"}
    _rpc(client, "hello", "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=info)
    return client


def _rpc(client: Client, number: str, method: str, **params: Any) -> dict[str, Any]:
    assert client.process.stdin is not None
    assert client.process.stdout is not None
    line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
    client.process.stdin.write(line.encode() + b"\n")
    client.process.stdin.flush()
    while True:
        answer = json.loads(client.process.stdout.readline())
        if answer.get("id") == number:
            result: dict[str, Any] = answer["result"]
            return result


def serve(root: Path) -> tuple[Client, int]:
    """``comity serve``, and its port."""
    port = free_port()

    def ask(_: Client, key: str) -> str:
        head = {"X-Comity-Agent": "bob", "Content-Type": "application/json"}
        body = json.dumps({"key": key, "value": VALUE, "scope": "workspace"})
        status, answer = http_call(port, "POST", "/api/v1/memory.set", body, head)
        return DONE if status == 200 else str(json.loads(answer)["type"]).rpartition(":")[2]

    return Client("serve", root, ["serve", "--port", str(port)], ask), port


def http_call(port: int, method: str, path: str, body: str = "", head: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and body of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body or None, head or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


class Forge:
    """A program that runs hooks and commands, one round after another."""

    def __init__(self, home: Path, name: str) -> None:
        self.name, self.said = name, home / f"{name}.err"
        self._rounds = 0
        with self.said.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bench.forge"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=environment(home),
            )

    def begin(self, root: Path) -> None:
        """Work in that folder."""
        self._rounds += 1
        self._write([str(root), f"{self.name}-{self._rounds}"])
        self.answers: list[Told] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def rest(self) -> None:
        """Work no more."""
        self._write([])
        self._thread.join(_PATIENCE_S)

    def end(self) -> None:
        """End the program."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(_PATIENCE_S)
        self._process.stdout.close()

    def _write(self, line: list[str]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while (told := Told(*json.loads(self._process.stdout.readline()))).door:
            self.answers.append(told)


class Place:
    """Where rounds are played, one after another: a template to copy, and two forges."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        self.home, self._template = home, home / "template"
        self._prepare()
        self._forges = [Forge(home, f"forge-{number}") for number in (1, 2)]

    def close(self) -> None:
        """End the forges."""
        for forge in self._forges:
            forge.end()

    def play(self, moment: int) -> Verdict:
        """One moment, from a copy of the template to the verdict."""
        blow, chance = BLOWS[moment % len(BLOWS)], random.Random(moment)
        ground = self.home / "round"
        shutil.copytree(self._template, ground)
        root = ground / "box"
        server, port = serve(root)
        clients = [stdio(root), server]
        try:
            _wait_until_ready(port)
            workers: list[Client | Forge] = [*clients, *self._forges]
            for client in clients:
                client.begin()
            for forge in self._forges:
                forge.begin(root)
            threading.Event().wait(0.1)
            if blow.ready is not None:
                blow.ready(root)
            threading.Event().wait(chance.uniform(*_BEFORE_S))
            blow.act(root)
            over = time.monotonic()
            threading.Event().wait(_AFTER_S)
            for worker in workers:
                worker.rest()
            for client in clients:
                client.once()
            ready = _ready(port)
        finally:
            codes = {client.door: client.end() for client in clients}
        told = [one for worker in workers for one in worker.answers]
        said = [(one.door, one.said) for one in clients] + [(one.name, one.said) for one in self._forges]
        verdict = Judge(blow, root, over, told).verdict(codes, ready, said)
        shutil.rmtree(ground)
        return verdict

    def _prepare(self) -> None:
        """A repository with a workspace, a branch that tracks a database, and another database beside it."""
        root = self._template / "box"
        (root / FOLDER).mkdir(parents=True)
        (root / FOLDER / "config.json").write_text(json.dumps({"projectId": "box"}))
        (root / FOLDER / ".gitignore").write_text("*\n")
        (root / "a.txt").write_text("A file.\n")
        other = self._template / OTHER
        _fill(other, "theirs")
        for line in ("init -q", "add a.txt", "commit -q -m Begin", f"checkout -qb {BRANCH}"):
            subprocess.run([*GIT, *line.split()], cwd=root, check=True, capture_output=True)
        shutil.copy(other, database(root))
        for line in (f"add -f {FOLDER}/{NAME}", "commit -q -m Track", "checkout -q -"):
            subprocess.run([*GIT, *line.split()], cwd=root, check=True, capture_output=True)
        (root / FOLDER).mkdir(exist_ok=True)
        _fill(database(root), "ours")


def _fill(path: Path, word: str) -> None:
    workspace = Workspace(SqliteStore(path), Actor("eve", "eve-1", channel="box"))
    workspace.session.start()
    for number in range(50):
        workspace.memory.set(key=f"{word}-{number}", value=VALUE, scope="workspace")
    workspace.close()


def _wait_until_ready(port: int) -> None:
    end = time.monotonic() + _PATIENCE_S
    while _ready(port) != "200":
        if time.monotonic() > end:
            raise SystemExit("the server did not start")
        threading.Event().wait(0.02)


def _ready(port: int) -> str:
    try:
        return str(http_call(port, "GET", "/health/ready")[0])
    except OSError:
        return ""


class Judge:
    """Compares what was answered with what the path names now."""

    def __init__(self, blow: Blow, root: Path, over: float, told: list[Told]) -> None:
        self._blow, self._root, self._over, self._told = blow, root, over, told
        self._faults: list[tuple[str, str]] = []
        self._refusal = ""

    def verdict(self, codes: dict[str, int], ready: str, said: list[tuple[str, Path]]) -> Verdict:
        """What is at fault."""
        found = self._content()
        done = [one for one in self._told if one.outcome == DONE]
        late = [one for one in self._told if one.sent >= self._over]
        after = [one for one in done if one.sent >= self._over]
        astride = [one for one in done if one.sent < self._over <= one.answered]
        for one in after:
            if _trace(one) not in found:
                ago_ms = (one.sent - self._over) * 1000
                self._blame("lost", f"{one.door} {one.key}, sent {ago_ms:.1f} ms after")
        self._notices(done, found, codes, ready)
        for name, path in said:
            text = path.read_text(errors="replace")
            place = min((text.find(word) for word in _TROUBLE if word in text), default=-1)
            if place >= 0:
                self._blame("traceback", f"{name}: {text[place : place + 2000]}")
            os.truncate(path, 0)
        killed = list(codes.values()).count(-signal.SIGBUS)
        killed += sum(one.outcome == f"signal {int(signal.SIGBUS)}" for one in self._told)
        if killed and self._blow.name != "shared memory emptied":
            self._blame("killed", f"{killed} by SIGBUS: {codes}")
        return Verdict(
            self._faults,
            len(after),
            len(astride),
            sum(_trace(one) not in found for one in astride),
            sum(one.outcome != DONE for one in late),
            killed,
        )

    def _content(self) -> set[str]:
        """Keys and files in the database at the path; its integrity is looked at. Empty when there is none."""
        path = database(self._root)
        if not path.exists():
            return set()
        try:
            store = SqliteStore(path)
        except Unavailable as problem:
            self._refusal = problem.reason
            return set()
        connection = store.take()
        try:
            whole = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)").fetchall()]
            if whole != ["ok"]:
                self._blame("not whole", "; ".join(whole))
            return {str(row[0]) for row in connection.execute(_FOUND).fetchall()}
        except apsw.Error as error:
            self._blame("not whole", str(error))
            return set()
        finally:
            store.give(connection)
            store.close()

    def _notices(self, done: list[Told], found: set[str], codes: dict[str, int], ready: str) -> None:
        """Who has to say that the files are others', and does not."""
        noticed = {one.door for one in self._told if one.sent >= self._over and one.outcome.startswith("store.")}
        noticed |= {door for door, code in codes.items() if code == -signal.SIGBUS}
        missing = [one for one in done if one.answered < self._over and _trace(one) not in found]
        if self._blow.gone:
            for door in codes:
                last = [one for one in self._told if one.door == door][-1]
                if not last.outcome.startswith("store."):
                    self._blame("not noticed", f"{door} says {last.outcome}")
            if ready != "503":
                self._blame("not noticed", f"/health/ready answers {ready}")
        elif missing and not (self._refusal or noticed):
            self._blame("not noticed", f"{len(missing)} of {len(done)} answers are missing, and nobody says so")
        if self._refusal and self._blow.gone:
            self._blame("not whole", f"the file that is there is refused: {self._refusal}")

    def _blame(self, kind: str, what: str) -> None:
        self._faults.append((kind, what))


def _trace(one: Told) -> str:
    """What is in the database of it."""
    return f"src/{one.key}.py" if one.door == "hook" else one.key


def run(moments: range, folder: Path) -> dict[int, Verdict]:
    """The verdict of each moment; two are played at a time."""
    free: SimpleQueue[Place] = SimpleQueue()
    places = [Place(folder / f"place-{number}") for number in range(min(WORKERS, len(moments)))]
    for place in places:
        free.put(place)

    def one(moment: int) -> Verdict:
        place = free.get()
        try:
            verdict = place.play(moment)
        finally:
            free.put(place)
        name = BLOWS[moment % len(BLOWS)].name
        lines = "".join(f"moment {moment}, {name}: {kind}: {what}\n" for kind, what in verdict.faults)
        print(lines, end="", file=sys.stderr, flush=True)
        return verdict

    try:
        with ThreadPoolExecutor(len(places)) as pool:
            return dict(zip(moments, pool.map(one, moments), strict=True))
    finally:
        for place in places:
            place.close()


def measure(options: Options) -> list[Figure]:
    """Bars: nothing that was answered is lost, every file is whole, everybody notices, no stack trace."""
    compile_bytecode()
    moments = range(options.size(MOMENTS, QUICK))
    with tempfile.TemporaryDirectory(prefix="comity-replaced-", dir=options.folder) as folder:
        verdicts = run(moments, Path(os.path.realpath(folder)))
    faults = Counter(kind for verdict in verdicts.values() for kind, _ in verdict.faults)
    after: Counter[str] = Counter()
    for moment, verdict in verdicts.items():
        after[BLOWS[moment % len(BLOWS)].name] += verdict.after
    astride = sum(one.astride for one in verdicts.values())
    astride_lost = sum(one.astride_lost for one in verdicts.values())
    beside = {
        "answers of success after": f"{after.total():,}",
        "problems answered after": f"{sum(one.refused for one in verdicts.values()):,}",
        "sent before, answered after": f"{astride:,}, of which {astride_lost:,} are not in the file",
        "deaths by SIGBUS": f"{sum(one.killed for one in verdicts.values()):,}",
        "success after, by kind": ", ".join(f"{name} {number:,}" for name, number in after.items()),
    }
    bad = [str(moment) for moment, verdict in verdicts.items() if verdict.faults]
    which = {"moments": ", ".join(bad[:20])} if bad else {}
    what = f"{len(moments)} moments at which a database is removed, replaced or cut under load"
    return [
        Figure(f"{what}: answers of success that are not in the file", faults["lost"], "", "at most", 0, beside),
        Figure(f"{what}: databases that are not whole", faults["not whole"], "", "at most", 0, which),
        Figure(f"{what}: servers that did not notice", faults["not noticed"], "", "at most", 0),
        Figure(f"{what}: stack traces and deaths", faults["traceback"] + faults["killed"], "", "at most", 0),
    ]


def main() -> int:
    """Some moments; the exit code is 1 when something is at fault."""
    parser = argparse.ArgumentParser(prog="python -m bench.replaced", description="Moments at which a database goes.")
    parser.add_argument("--moments", nargs="+", type=int, default=[0, QUICK], metavar="FROM TO [STEP]")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="comity-replaced-") as folder:
        verdicts = run(range(*given.moments), Path(os.path.realpath(folder)))
    for moment, verdict in verdicts.items():
        print(moment, BLOWS[moment % len(BLOWS)].name, verdict[1:])
    return any(verdict.faults for verdict in verdicts.values())


if __name__ == "__main__":
    sys.exit(main())
