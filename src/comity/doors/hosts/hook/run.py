"""``comity hook HOST EVENT``: one event of an agent host, from its JSON on standard input to its answer.

Hosts run this for every tool call and wait for it, so only what the event needs is loaded. Whatever goes wrong lets
the agent go on, with one line in the log that ``comity doctor`` reads; only with ``enforcement = "strict"`` a guard
that cannot look refuses.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from typing import Any

from comity import settings
from comity.doors.hosts.hook import journal
from comity.doors.hosts.hook.contract import NOTHING, Adapter, Answer, Heard, Reply
from comity.kernel.call import Pipeline
from comity.kernel.clock import SystemClock
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.problem import Problem
from comity.kernel.scope import Actor, HostSession
from comity.process import ThisProcess, absent, host_process
from comity.rooms import REGISTRY
from comity.settings import Settings
from comity.store.sqlite import SqliteStore

MAX_BYTES = 20_000_000
LEASE_S = 900  # of a session that only hooks know: as long as an agent may think
ADAPTERS = {"claude-code": "claude_code"}


def main(arguments: list[str]) -> int:
    """Run one hook; the exit code that the host understands. Never raises."""
    began = time.perf_counter()
    host, event = (*arguments, "", "")[:2]
    note = journal.Note(host, event)
    answer = Answer()
    after = None
    try:
        answer, after = _answer(host, event, sys.stdin.buffer.read(MAX_BYTES), note)
    except Exception as error:  # noqa: BLE001 (an agent is never stopped by what is wrong here)
        note.failed(error)
    try:
        _put(answer)
        if after is not None:
            after()
    except Exception as error:  # noqa: BLE001
        note.failed(error)
    note.write((time.perf_counter() - began) * 1000)
    return answer.code


def _put(answer: Answer) -> None:
    """Write it out, all of it, before anything counts as given."""
    for stream, out in ((sys.stdout, answer.out), (sys.stderr, answer.err)):
        if out:
            stream.buffer.write(out.encode("utf-8", "replace"))
            stream.flush()


def _answer(host: str, event: str, data: bytes, note: journal.Note) -> tuple[Answer, Any]:
    adapter: Adapter = import_module(f"comity.doors.hosts.hook.{ADAPTERS[host]}").ADAPTER
    payload = json.loads(data.decode("utf-8-sig", "replace"))
    if not isinstance(payload, dict):
        raise ValueError("the host's payload is no JSON object")
    heard = adapter.read(event, payload)
    if heard is None:
        return Answer(), None
    resolved = settings.resolve({}, os.environ, heard.cwd if os.path.isdir(heard.cwd) else os.getcwd())
    note.at(resolved.db)
    if resolved.enforcement == "off" or not os.path.isdir(os.path.dirname(resolved.db)):
        return adapter.write(event, heard, NOTHING), None
    try:
        turn = Turn(resolved, host, heard)
        reply = turn.reply()
    except Exception as error:  # noqa: BLE001
        note.failed(error)
        if resolved.enforcement != "strict" or heard.moment != "before" or not heard.files:
            return adapter.write(event, heard, NOTHING), None
        return adapter.write(event, heard, Reply(refuse=_cannot_look(error))), None
    note.did(reply)
    return adapter.write(event, heard, reply), turn.written


def _cannot_look(error: Exception) -> str:
    why = error.message if isinstance(error, Problem) else type(error).__name__
    return f"Comity cannot tell who holds this file ({why}), and this project is strict: see comity doctor."


class Turn:
    """One event of one agent: what is asked of the operations, and what comes of it."""

    def __init__(self, resolved: Settings, host: str, heard: Heard) -> None:
        pid, started = host_process()
        place = resolved.worktree or resolved.root
        own = ThisProcess(absent(host, heard.session_id, place, LEASE_S))
        store = SqliteStore(resolved.db, resolved.durability)
        self._pipeline = Pipeline(store, SystemClock(), TimeOrderedIds(), None, None, own)
        told = HostSession(host, heard.session_id, heard.subagent_id, pid, started)
        agent_id = heard.session_id
        name = f"{host.partition('-')[0]}-{agent_id[-4:]}"
        self._actor: Actor = resolved.actor._replace(
            agent_id=agent_id, session_id=f"{host}:{agent_id}", name=name, host=told
        )
        self._heard = heard
        self._injection_id = ""

    def reply(self) -> Reply:
        """What to answer."""
        heard = self._heard
        if heard.moment == "start":
            return self._inject("turn.start", source=heard.source)
        if heard.moment in ("prompt", "after"):
            return self._inject("turn.next", moved=heard.moved)
        if heard.moment == "before":
            return self._guard()
        if heard.moment == "stop" and not heard.again:
            digest = self._run("turn.stop", moved=heard.moved)
            self._injection_id = digest.injection_id
            return Reply(go_on=digest.text)
        return NOTHING

    def written(self) -> None:
        """The answer was written out."""
        if self._injection_id:
            self._run("turn.written", injection_id=self._injection_id)

    def _inject(self, name: str, **arguments: object) -> Reply:
        digest = self._run(name, **arguments)
        self._injection_id = digest.injection_id
        return Reply(inject=digest.text)

    def _guard(self) -> Reply:
        if not self._heard.files:
            return NOTHING
        verdict = self._run("edit.check", files=list(self._heard.files))
        return Reply(inject=verdict.warning, refuse=verdict.refusal)

    def _run(self, name: str, **arguments: object) -> Any:
        return self._pipeline.run(REGISTRY.get(name), self._actor, arguments)
