"""Every host, every event, and whatever may come of its payload or the machine: the agent goes on.

What a host would take for a block is never said: Cursor gets JSON, Antigravity a decision, nobody an exit code.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any

import apsw
import pytest

from comity.doors.hook.payload import MAX_BYTES
from comity.hosts.catalog import ADAPTERS
from comity.hosts.contract import NOTHING, Adapter, adapter_of
from tests.doors.cli.program import Done
from tests.doors.hook.hooked import FIXTURES, Hooked, spoil
from tests.doors.hook.swarm import Case, swarm

WAITING = {"Idle", "session.idle"}  # these are there to wait
WORDED = {"cursor": "{}", "antigravity": "{}"}  # what a host must get that goes on


def known(host: str) -> Adapter:
    adapter = adapter_of(host)
    assert adapter is not None
    return adapter


def fixtures(host: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((FIXTURES / host).glob("*.json"))]


def payloads(hooked: Hooked, host: str) -> dict[str, dict[str, Any]]:
    """A payload for each event of a host."""
    found: dict[str, dict[str, Any]] = {}
    for fixture in fixtures(host):
        text = json.dumps(fixture["payload"]).replace('"/repo', f'"{hooked.folder}')
        found.setdefault(fixture["event"], json.loads(text))
    return found


def goes_on(host: str, event: str, done: Done) -> None:
    """The host goes on after this answer."""
    assert (done.code, done.err) == (0, ""), done
    if host == "kiro":
        assert not done.out or (event == "agentSpawn" and done.out.startswith("<comity-brief"))
        return
    told = json.loads(done.out) if done.out else {}
    assert isinstance(told, dict)
    inside = told.get("hookSpecificOutput", {})
    said = {told.get(name) for name in ("decision", "permission", "permissionDecision")}
    said |= {inside.get("permissionDecision"), inside.get("decision")}
    assert said <= {None, "allow"}
    assert told.get("continue", True) is not False
    assert told.get("refuse") is None
    if host in WORDED and event in {name for name, _ in known(host).events}:
        assert done.out.startswith("{")
    if (host, event) == ("antigravity", "PreToolUse"):
        assert told["decision"] == "allow"


def spoiled(payload: dict[str, Any], *, briefly: bool) -> Iterator[bytes]:
    """Every way in which bytes are no payload, or not that of the event; a few of them, and the most usual."""
    whole = json.dumps(payload).encode()
    if briefly:
        yield from (whole[: len(whole) * 2 // 3], codecs.BOM_UTF8 + whole, json.dumps(payload).encode("utf-16"))
        yield from (b"[" * 100_000, json.dumps(dict.fromkeys(payload, 3)).encode())
        return
    yield from (
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"\x00",
        b"\xff\xfe\xfd",
        whole[: len(whole) * 2 // 3],
        whole[:-1],
    )
    yield codecs.BOM_UTF8 + whole
    yield json.dumps(payload).encode("utf-16")
    yield json.dumps(payload).encode("utf-32-be")
    yield whole + b"\n" + whole
    yield b"[" * 100_000
    yield whole[:-1] + b', "more": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}"
    yield whole[:-1] + b', "more": 1e999, "much": NaN, "long": ' + b"9" * 10_000 + b"}"
    values: tuple[Any, ...] = (None, 3, [], {}, "x" * 50_000, "a\x00b", "\ud800")
    for value in values:
        yield json.dumps(dict.fromkeys(payload, value)).encode()
        inner = {name: dict.fromkeys(inside, value) for name, inside in payload.items() if isinstance(inside, dict)}
        yield json.dumps({**payload, **inner}).encode()


@pytest.mark.parametrize("host", ADAPTERS)
def test_whatever_the_payload_is_the_agent_goes_on(hooked: Hooked, host: str) -> None:
    hooked("SessionStart", "S0", source="startup")
    whole = payloads(hooked, host)
    assert {event for event, _ in known(host).events} - WAITING <= set(whole), "a fixture for each event"
    guard = known(host).guards[0]
    cases = [
        Case(host, event, data)
        for event in sorted({*whole, "Unheard-Of"} - WAITING)
        for data in spoiled(whole.get(event, {}), briefly=event != guard)
    ]
    for case, done in zip(cases, swarm(hooked, cases), strict=True):
        goes_on(host, case.event, done)
    assert len(hooked.journal()) > len(cases) // 2


def test_a_payload_that_is_too_large_is_read_to_its_end(hooked: Hooked) -> None:
    events = {host: known(host).guards[0] for host in ADAPTERS}
    cases = [Case(host, event, b'{"x": "', more=MAX_BYTES) for host, event in events.items()]
    for case, done in zip(cases, swarm(hooked, cases), strict=True):
        goes_on(case.host, case.event, done)
    assert [line["did"] for line in hooked.journal()] == ["error"] * len(cases)


VALUES: tuple[Any, ...] = (
    None,
    True,
    3,
    -1.5,
    "",
    "x",
    "{",
    "{}",
    [],
    [1],
    [None, {"path": 3}],
    {},
    {"a": [{}]},
    "\x00",
    "\ud800",
)


def mutants(payload: Any) -> Iterator[Any]:
    """The payload with each of its values left out, and of each other type."""
    if isinstance(payload, dict):
        for name, inside in payload.items():
            rest = {key: value for key, value in payload.items() if key != name}
            yield rest
            for value in VALUES:
                yield {**rest, name: value}
            for other in mutants(inside):
                yield {**rest, name: other}
    elif isinstance(payload, list):
        for place, inside in enumerate(payload):
            for other in (*VALUES, *mutants(inside)):
                yield [*payload[:place], other, *payload[place + 1 :]]


@pytest.mark.parametrize("host", ADAPTERS)
def test_wrong_types_and_missing_keys_of_every_fixture(host: str) -> None:
    adapter = known(host)
    for fixture in fixtures(host):
        event = fixture["event"]
        assert adapter.read(event, {}) is None or host == "kiro"
        for payload in mutants(fixture["payload"]):
            heard = adapter.read(event, payload)
            if heard is not None:
                assert all(isinstance(one, str) for one in (*heard.files, heard.session_id, heard.cwd, heard.command))
                assert isinstance(heard.moved, bool)
                answer = adapter.write(event, heard, NOTHING)
                goes_on(host, event, Done(answer.code, answer.out, answer.err))


def guarded(hooked: Hooked, host: str, path: str, **more: Any) -> bytes:
    """A payload of the host's guard for a file."""
    return json.dumps({**ADAPTERS[host].sample(known(host).guards[0], str(hooked.folder), path), **more}).encode()


PLACES = {
    "gone": {"cwd": "/nowhere/at/all", "workspacePaths": ["/nowhere"], "workspace_roots": ["/nowhere"]},
    "outside": {"cwd": "/", "workspacePaths": ["/"], "workspace_roots": ["/"]},
    "no-text": {"cwd": "a\x00b", "workspacePaths": ["\ud800"], "workspace_roots": ["a\nb"]},
}


@pytest.mark.parametrize("place", PLACES)
def test_wherever_the_host_says_it_is(hooked: Hooked, place: str) -> None:
    data = {host: guarded(hooked, host, str(hooked.folder / f"{host}.py"), **PLACES[place]) for host in ADAPTERS}
    for here in ("", "/"):
        cases = [Case(host, known(host).guards[0], data[host], cwd=here) for host in ADAPTERS]
        for case, done in zip(cases, swarm(hooked, cases), strict=True):
            goes_on(case.host, case.event, done)


PATHS = [
    "../../etc/passwd",
    "/etc/passwd",
    "a\nb.py",
    "a\x00b.py",
    "\ud800.py",
    "x" * 5000,
    "",
    ".",
    "/",
    "~/x",
    "-rf",
    "*",
]


@pytest.mark.parametrize("host", ["claude-code", "codex", "opencode", "antigravity", "cursor", "kiro"])
def test_whatever_the_path_is(hooked: Hooked, host: str) -> None:
    """What is outside is nobody's, what is no path goes on; nothing is made."""
    cases = [Case(host, known(host).guards[0], guarded(hooked, host, path)) for path in PATHS]
    for case, done in zip(cases, swarm(hooked, cases), strict=True):
        goes_on(host, case.event, done)
    assert all(name.startswith(".macp/") for name in hooked.comity.files())


def every(hooked: Hooked, **more: Any) -> list[Case]:
    """Each host's start and guard."""
    found = []
    for host in ADAPTERS:
        for event in (known(host).events[0][0], known(host).guards[0]):
            data = json.dumps(
                ADAPTERS[host].sample(event, str(hooked.folder), str(hooked.folder / f"{host}.py"))
            ).encode()
            found.append(Case(host, event, data, **more))
    return found


def survive(hooked: Hooked, **more: Any) -> list[str]:
    """All hosts go on; what the log says went wrong."""
    before = len(hooked.journal())
    cases = every(hooked, **more)
    for case, done in zip(cases, swarm(hooked, cases), strict=True):
        goes_on(case.host, case.event, done)
    return [line.get("why", "").partition(":")[0] for line in hooked.journal()[before:]]


@pytest.mark.parametrize("how", ["text", "damaged", "folder", "foreign"])
def test_a_database_that_is_none(hooked: Hooked, how: str) -> None:
    hooked("SessionStart", "S0", source="startup")
    spoil(hooked, how)
    assert all(survive(hooked)), "each says why"


def test_a_database_that_another_process_keeps_locked(hooked: Hooked) -> None:
    hooked("SessionStart", "S0", source="startup")
    holder = apsw.Connection(str(hooked.comity.db))
    holder.execute("BEGIN EXCLUSIVE").fetchall()
    assert set(survive(hooked)) == {"Unavailable"}
    holder.close()
    assert set(survive(hooked)) == {""}


@pytest.mark.parametrize("size", [0, 40_000])
def test_a_disk_that_is_full(hooked: Hooked, size: int) -> None:
    hooked("SessionStart", "S0", source="startup")
    survive(hooked, file_bytes=size)
    assert hooked.rows("PRAGMA integrity_check") == [("ok",)]
    assert set(survive(hooked)) == {""}


@pytest.mark.parametrize("closed", [(0,), (2,), (0, 2)])
def test_closed_streams_of_every_host(hooked: Hooked, closed: tuple[int, ...]) -> None:
    hooked("SessionStart", "S0", source="startup")
    wrong = survive(hooked, closed=closed)
    assert set(wrong) == ({"JSONDecodeError"} if 0 in closed else {""})


STRICT = (("COMITY_ENFORCEMENT", "strict"),)
COMMANDS = {
    "make test": False,
    "ls -la > /dev/null": False,
    "git status && git diff": False,
    "cat a.py | grep x 2>&1": False,
    "python -c 'open(1)'": False,
    "echo 'rm -rf a.py'": False,
    "cp /etc/hosts /tmp/elsewhere": False,
    "git stash list": False,
    "git push --force": False,
    "git commit -m 'git reset --hard'": False,
    "echo x > a.py": True,
    "sed -i s/a/b/ src/a.py": True,
    "rm -rf src": True,
    "git reset --hard": True,
    "git stash": True,
    "cd src && mv a.py b.py": True,
    "COMITY_BYPASS=1 COMITY_BYPASS_REASON=asked git reset --hard": False,
}


def test_a_strict_project_that_cannot_look_refuses_only_what_visibly_writes(hooked: Hooked) -> None:
    """Whatever else a shell command does may be done; without strictness all may."""
    hooked("SessionStart", "S0", source="startup")
    spoil(hooked, "text")
    payload = {"session_id": "S1", "cwd": str(hooked.folder), "tool_name": "Bash"}
    for environment in (STRICT, ()):
        data = [json.dumps({**payload, "tool_input": {"command": command}}).encode() for command in COMMANDS]
        found = swarm(hooked, [Case("claude-code", "PreToolUse", one, environment=environment) for one in data])
        refused = {command for command, done in zip(COMMANDS, found, strict=True) if "deny" in done.out}
        assert refused == {command for command, writes in COMMANDS.items() if writes and environment}
        assert all(done.code == 0 for done in found)
        assert all("this project is strict" in done.out for done in found if done.out)
