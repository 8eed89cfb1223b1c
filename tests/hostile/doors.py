"""The doors of Comity as real processes, each on a repository as it lies there; what each of them left."""

from __future__ import annotations

import base64
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from tests.hostile.payloads import ASKED, COMMAND, FIRST, HOSTS, Said, session, shells
from tests.hostile.programs import BIN, HANG_S, Ran, bounded, busy, end, environment, kill_s, run, start
from tests.hostile.registry import Door, Repository
from tests.hostile.world import UNSAID, World

COMITY = str(BIN / "comity")
SERVE_S = 5.0  # for a server to answer or to end
_KILL_S = 1.0
_TALK = (
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "macp_register", "arguments": {}}},
)


class Step(NamedTuple):
    """One process: ``limit_s`` is what it may take, ``faults`` what is wrong with it."""

    door: str
    ran: Ran
    faults: list[str]
    limit_s: float = HANG_S


class Group(NamedTuple):
    """Doors that follow each other on the same state of the repository."""

    name: str
    steps: Iterator[Step]


def groups(world: World, repository: Repository, hosts: tuple[str, ...], forked: tuple[str, ...]) -> Iterator[Group]:
    """All doors: hooks of ``hosts`` as programs, those of ``forked`` out of one that has loaded them."""
    doors = repository.doors
    if "hooks" in doors:
        for host in hosts:
            yield Group(f"hooks of {host}", _hooks(world, repository, host))
        if forked:
            yield Group("hooks of loaded programs", _forked(world, repository, forked))
    if "mcp" in doors:
        yield Group("mcp", _mcp(world))
    if "serve" in doors:
        yield Group("serve", _serve(world))
    looks: list[Door] = [name for name in ("status", "doctor") if name in doors]
    if looks or "init" in doors:
        yield Group("looks", _looks(world, looks, init="init" in doors))
    if "canary" in doors:
        for host in repository.canaries:
            yield Group(f"canary {host}", _canary(world, host))


def hosts_for(repository: Repository, number: int, *, whole: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whose hooks run as programs, and whose are forked; in a hurry those of two hosts, all forked."""
    others = tuple(host for host in HOSTS if host != FIRST)
    if whole:
        return (FIRST,), () if repository.few else others
    return (), (FIRST,) if repository.few else (FIRST, others[number % len(others)])


def _cases(world: World, repository: Repository, host: str) -> list[tuple[Said, Path]]:
    """What the host says, and the folder that its hook is started in."""
    found = [(said, world.folder) for said in session(host, world.folder)]
    if repository.asks and host == FIRST:
        found += [(said, world.folder) for said in shells(host, world.folder, ASKED)]
    for inner in repository.within:
        folder = world.folder / inner
        commands = (COMMAND, *ASKED) if repository.asks and host == FIRST else (COMMAND,)
        found += [(said, folder) for said in shells(host, folder, commands)]
    return found


def _hooks(world: World, repository: Repository, host: str) -> Iterator[Step]:
    for said, folder in _cases(world, repository, host):
        words = [sys.executable, "-m", "comity", "hook", host, said.event]
        ran = run(words, world.me, folder if folder.is_dir() else world.folder, stdin=said.data)
        yield Step(said.name, ran, _of_hook(said, ran))
    if host == FIRST:
        ran = run([COMITY, "hook", "git", "pre-commit"], world.me, world.folder)
        yield Step("hook git pre-commit", ran, ["refuses"] if ran.code not in (0, 6) else [])


def _forked(world: World, repository: Repository, hosts: tuple[str, ...]) -> Iterator[Step]:
    cases = [case for host in hosts for case in _cases(world, repository, host)]
    told = [
        {"words": [said.host, said.event], "data": base64.b64encode(said.data).decode(), "folder": str(folder)}
        for said, folder in cases
    ]
    data = json.dumps([kill_s(), told]).encode()
    words = [sys.executable, "-m", "tests.hostile.forked"]
    here = Path(__file__).parents[2]
    process = subprocess.Popen(
        bounded(words),
        cwd=here,
        env={**environment(world.me), "PYTHONPATH": os.pathsep.join([environment(world.me)["PYTHONPATH"], str(here)])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    out, err = process.communicate(data, 120)
    assert process.returncode == 0, err.decode()
    for (said, _), line in zip(cases, out.decode().splitlines(), strict=False):
        ran = Ran(**json.loads(line))
        yield Step(said.name, ran, _of_hook(said, ran))


def _of_hook(said: Said, ran: Ran) -> list[str]:
    if not ran.late and ran.code not in said.codes:
        return [f"exit code {ran.code}"]
    return []


def _mcp(world: World) -> Iterator[Step]:
    talk = "".join(json.dumps(line) + "\n" for line in _TALK).encode()
    ran = run([COMITY, "mcp"], world.me, world.folder, stdin=talk)
    faults = _wordless(ran)
    if ran.code == 0 and not faults and '"id":3' not in ran.out.replace(" ", ""):
        faults = ["does not answer"]
    yield Step("mcp", ran, faults)


def _looks(world: World, names: list[Door], *, init: bool) -> Iterator[Step]:
    for name in names:
        ran = run([COMITY, name], world.me, world.folder)
        yield Step(name, ran, _wordless(ran))
    if init:
        for words in (["init", "--dry-run"], ["init"]):
            ran = run([COMITY, *words], world.me, world.folder)
            yield Step(" ".join(words), ran, _wordless(ran))


def _canary(world: World, host: str) -> Iterator[Step]:
    ran = run([COMITY, "doctor", "--canary", host], world.me, world.folder)
    yield Step(f"doctor --canary {host}", ran, _wordless(ran))


def _wordless(ran: Ran) -> list[str]:
    """A command that fails says what is wrong, and is not surprised."""
    if ran.late or ran.code == 0 or "Traceback" in ran.text:
        return []
    if ran.code < 0:
        return [f"died of {signal.Signals(-ran.code).name}"]
    if ran.code == 70 or "internal.unexpected" in ran.text:
        return [f"is surprised: {_short(ran.err)}"]
    said = "error:" in ran.err or any(word in ran.out for word in ("fail ", "skipped", "problem:"))
    return [] if said else [f"ends with {ran.code} and no word: {_short(ran.text)}"]


def _short(text: str) -> str:
    return " ".join(text.split())[-200:]


def _serve(world: World) -> Iterator[Step]:
    """Start it, wait until it answers or ends, and stop it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    began = monotonic()
    process = start([COMITY, "serve", "--port", str(port)], world.me, world.folder)
    said, faults = bytearray(), list[str]()
    try:
        up = _until(process, said, f":{port}", began + SERVE_S * busy())
        started_s = monotonic() - began
        if up:
            faults += _answers(port)
            process.send_signal(signal.SIGTERM)
        elif process.poll() is None and not _ended(process):
            faults.append("neither answers nor ends")
            end(process)
        stopping = monotonic()
        _until(process, said, "\0", stopping + SERVE_S * busy())
        late = not _ended(process)
        took_s = monotonic() - stopping if up else started_s  # a start may take longer than other doors
    finally:
        end(process)
        out, err = process.communicate()
    text = (bytes(said) + err).decode("utf-8", "backslashreplace")
    ran = Ran(process.returncode, out.decode("utf-8", "backslashreplace"), text, took_s, late)
    yield Step("serve", ran, faults + (_wordless(ran) if not faults else []), SERVE_S)


def _until(process: subprocess.Popen[bytes], said: bytearray, word: str, end_at: float) -> bool:
    """Read what it says until the word comes; False when it ends before, or does not say it in time."""
    assert process.stderr is not None
    stream = process.stderr.fileno()
    while word.encode() not in said:
        ready, _, _ = select.select([stream], [], [], max(0.0, end_at - monotonic()))
        piece = os.read(stream, 65536) if ready else b""
        if not piece:
            return False
        said += piece
    return True


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_KILL_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _answers(port: int) -> list[str]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=kill_s())
    try:
        client.request("GET", "/health")
        client.getresponse().read()
        client.request("GET", "/api/v1/workspace.status")
        client.getresponse().read()
    except OSError as error:
        return [f"does not answer: {error}"]
    finally:
        client.close()
    return []


def betrayed(ran: Ran) -> list[str]:
    """What no output may hold: a stack trace, control characters, what stands in the user's other files."""
    found = ["a stack trace: " + _short(ran.text)] if "Traceback" in ran.text else []
    if any(ord(letter) < 32 and letter not in "\n\t\r" for letter in ran.text):
        found.append("control characters")
    return [*found, *(f"tells {word}" for word in UNSAID if word in ran.text)]
