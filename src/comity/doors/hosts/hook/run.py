"""``comity hook HOST EVENT``: one event of an agent host, from its JSON on standard input to its answer.

Hosts run this for every tool call and wait for it, so only what the event needs is loaded, and nothing waits long for a
lock. Whatever goes wrong lets the agent go on, with one line in the log that ``comity doctor`` reads; only with
``enforcement = "strict"`` a guard that cannot look refuses.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from importlib import import_module

from comity import settings
from comity.doors.hosts.hook import journal
from comity.doors.hosts.hook.contract import NOTHING, Adapter, Answer, Heard, Reply
from comity.kernel.call import Pipeline
from comity.kernel.clock import SystemClock
from comity.kernel.hints import Any
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.problem import Problem
from comity.kernel.scope import Actor, HostSession
from comity.process import ThisProcess, absent, host_process
from comity.rooms import REGISTRY
from comity.settings import Settings
from comity.store.sqlite import SqliteStore

MAX_BYTES = 64_000_000  # of a payload: a host sends whole files that are about to be written
LEASE_S = 900  # of a session that only hooks know: as long as an agent may think
BUSY_S = 0.3  # how long a hook waits for a lock
IDLE_BUSY_S = 5.0  # the same when nobody waits for the hook
_OPEN: list[SqliteStore] = []  # until the process ends: whoever closes it last writes the log back, and the agent waits
ADAPTERS = {
    "claude-code": "claude_code",
    "codex": "codex",
    "gemini-cli": "gemini_cli",
    "antigravity": "antigravity",
    "opencode": "opencode",
    "cursor": "cursor",
    "vscode": "vscode",
    "copilot-cli": "copilot_cli",
    "factory-droid": "factory_droid",
    "kiro": "kiro",
}
_CHUNK = 1_048_576


def main(arguments: list[str]) -> int:
    """Run one hook; the exit code that the host understands. Never raises."""
    began = time.perf_counter() - time.process_time()  # what starting cost counts, too
    host, event = (*arguments, "", "")[:2]
    note = journal.Note(host, event)
    answer, after = Answer(), None
    if _by_hand():
        return 0
    try:
        heard_by_host = _hold_descriptors()
        try:
            answer, after = _answer(host, event, note)
        except Exception:
            _put(_aside(host, event))
            raise
        if not _put(answer) or not heard_by_host:
            raise BrokenPipeError("the host does not listen")
        if after is not None:
            after()
    except Exception as error:  # noqa: BLE001 (an agent is never stopped by what is wrong here)
        note.failed(error)
    note.write((time.perf_counter() - began) * 1000)
    return answer.code


def _by_hand() -> bool:
    """Whether a person typed it: they are told, and nothing waits for a payload."""
    try:
        typed = os.isatty(0)
    except OSError:
        return False
    if typed:
        _put(Answer(err="Agent hosts run this command; `comity doctor` says what came of it.\n"))
    return typed


def _aside(host: str, event: str) -> Answer:
    """No objection, in the words of a host that needs some."""
    adapter = adapter_of(host)
    return adapter.neutral(event) if adapter is not None else Answer()


def adapter_of(host: str) -> Adapter | None:
    """The host's adapter; None for a host that is not known."""
    if host not in ADAPTERS:
        return None
    adapter: Adapter = import_module(f"comity.doors.hosts.hook.{ADAPTERS[host]}").ADAPTER
    return adapter


def _hold_descriptors() -> bool:
    """Take the places of closed standard streams, so that no file gets them. Whether the host listens."""
    listens = True
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
            listens = listens and descriptor != 1
    return listens


def _put(answer: Answer) -> bool:
    """Write it out, all of it, before anything counts as given. Not through Python's streams: they would complain
    once more at exit when the host has gone.
    """
    try:
        for descriptor, out in ((1, answer.out), (2, answer.err)):
            data = memoryview(out.encode("utf-8", "replace"))
            while data:
                data = data[os.write(descriptor, data) :]
    except OSError:
        return False
    return True


def _read() -> bytes:
    """The payload, and whatever more the host sends, which is let go: a host must not find its pipe closed."""
    kept, size = [], 0
    while piece := os.read(0, _CHUNK):
        if size < MAX_BYTES:
            kept.append(piece)
        size += len(piece)
    if size > MAX_BYTES:
        raise ValueError(f"the host's payload is larger than {MAX_BYTES} bytes")
    return b"".join(kept)


def _heard(adapter: Adapter, event: str, data: bytes) -> Heard | None:
    payload = json.loads(data.decode(json.detect_encoding(data), "replace"))
    if not isinstance(payload, dict):
        raise TypeError("the host's payload is no JSON object")
    return adapter.read(event, payload)


def _answer(host: str, event: str, note: journal.Note) -> tuple[Answer, Any]:
    adapter, data = adapter_of(host), b""
    heard, wrong = None, None
    try:
        data = _read()
        if adapter is None:
            raise LookupError("no host of that name is known")
        heard = _heard(adapter, event, data)
    except Exception as error:  # noqa: BLE001
        wrong = error
    aside = adapter.neutral(event) if adapter is not None else Answer()
    try:
        cwd = heard.cwd if heard is not None and os.path.isdir(heard.cwd) else os.getcwd()
        resolved = settings.resolve({}, os.environ, cwd)
        if resolved.enforcement == "off" or not os.path.isdir(os.path.dirname(resolved.db)):
            return aside, None
    except Exception:  # noqa: BLE001 (settings that cannot be read: there is no log to tell; comity doctor finds it)
        return aside, None
    note.at(resolved.db)
    if os.path.isdir(capture := journal.captures_of(resolved.db)):
        with contextlib.suppress(Exception):
            import_module("comity.doors.hosts.hook.capture").keep(capture, host, event, data)
    if adapter is None or (heard is None and wrong is None):
        note.aside(wrong)
        return aside, None
    if wrong is not None:
        note.failed(wrong)
        if resolved.enforcement == "strict" and event in adapter.guards:
            return adapter.write(event, Heard("before", ""), Reply(refuse=_cannot_look(wrong))), None
        return aside, None
    assert heard is not None
    return _turn(adapter, event, heard, resolved, note)


def _turn(adapter: Adapter, event: str, heard: Heard, resolved: Settings, note: journal.Note) -> tuple[Answer, Any]:
    try:
        turn = Turn(resolved, adapter, heard)
        reply = turn.reply()
    except Exception as error:  # noqa: BLE001
        note.failed(error)
        blind = resolved.enforcement == "strict" and heard.moment == "before" and _risks(heard, resolved)
        return adapter.write(event, heard, Reply(refuse=_cannot_look(error)) if blind else NOTHING), None
    note.did(reply, turn.wrong, waited=heard.moment == "idle")
    return adapter.write(event, heard, reply), turn.written


def _risks(heard: Heard, resolved: Settings) -> bool:
    """Whether what is about to run would change files, as far as that can be told without the database."""
    if heard.files or not heard.command:
        return bool(heard.files)
    risks: bool = import_module("comity.doors.hosts.hook.blind").risks(heard, resolved)
    return risks


def _cannot_look(error: Exception) -> str:
    why = error.message if isinstance(error, Problem) else type(error).__name__
    return f"Comity cannot tell who holds these files ({why}), and this project is strict: see comity doctor."


class Turn:
    """One event of one agent: what is asked of the operations, and what comes of it."""

    def __init__(self, resolved: Settings, adapter: Adapter, heard: Heard) -> None:
        self.adapter, host, self._able = adapter, adapter.host, adapter.abilities
        pid, started = host_process()
        place = resolved.worktree or resolved.root
        session_id = heard.session_id or f"{pid or 0}-{started or 'process'}"
        own = ThisProcess(absent(host, session_id, place, LEASE_S))
        busy_s = IDLE_BUSY_S if heard.moment == "idle" else BUSY_S
        self.store = SqliteStore(resolved.db, resolved.durability, busy_s)
        _OPEN.append(self.store)
        self._pipeline = Pipeline(self.store, SystemClock(), TimeOrderedIds(), None, None, own)
        named = resolved.agent_id if resolved.named else ""
        told = HostSession(host, session_id, heard.subagent_id, pid, started, named=named)
        agent_id = named or session_id
        name = resolved.agent_name if named else f"{host.partition('-')[0]}-{session_id[-4:]}"
        self._actor: Actor = resolved.actor._replace(
            agent_id=agent_id, session_id=f"{host}:{agent_id}", name=name, host=told
        )
        self.heard, self.wakes = heard, resolved.wake
        self._injection_id = ""
        self.wrong: Exception | None = None  # what did not keep the answer from being made

    def reply(self) -> Reply:
        """What to answer."""
        heard = self.heard
        if heard.moment == "start":
            return self._inject("turn.start", source=heard.source)
        if heard.moment == "after" and heard.command:
            self._compare(heard.command)
        if heard.moment == "prompt" or (heard.moment == "after" and self._able.mid_turn):
            return self._inject("turn.next", moved=heard.moved)
        if heard.moment == "before":
            return self._guard()
        if heard.moment == "stop":
            ask = self._able.stop and not heard.again
            digest = self.run("turn.stop", moved=heard.moved, ask=ask, rests=heard.rests and self.wakes != "off")
            self._injection_id = digest.injection_id
            if digest.text or not heard.subagent_id:
                return Reply(go_on=digest.text)
        if heard.moment == "idle":
            woken: Reply = import_module("comity.doors.hosts.hook.waking").wait(self)
            return woken
        if heard.moment == "end" or (heard.moment == "stop" and heard.subagent_id):
            self.run("session.leave", reason=heard.source if heard.moment == "end" else "stopped")
        return NOTHING

    def written(self) -> None:
        """The answer was written out."""
        if self._injection_id:
            self.run("turn.written", injection_id=self._injection_id)

    def _inject(self, name: str, **arguments: object) -> Reply:
        digest = self.run(name, **arguments)
        self._injection_id = digest.injection_id
        return Reply(inject=digest.text)

    def _compare(self, command: str) -> None:
        """What the command did. Whatever is wrong with that, the turn goes on."""
        try:
            self.run("edit.compare", command=command)
        except Exception as error:  # noqa: BLE001
            self.wrong = error

    def _guard(self) -> Reply:
        """Before an editing tool: its files. Before a shell: the files and the git commands in its line."""
        heard = self.heard
        cwd = heard.cwd or os.getcwd()
        told = {"keep_warning": True} if not self._able.warn else {}
        if heard.files:
            verdict = self.run("edit.check", files=[os.path.join(cwd, name) for name in heard.files], **told)
        elif heard.command:
            why = os.environ.get("COMITY_BYPASS_REASON", "") if os.environ.get("COMITY_BYPASS") == "1" else ""
            verdict = self.run("command.check", command=heard.command, cwd=cwd, reason=why, **told)
        else:
            return NOTHING
        if verdict.refusal and heard.last:
            return self._inject("turn.next", moved=False)._replace(refuse=verdict.refusal)
        return Reply(inject=verdict.warning if self._able.warn else "", refuse=verdict.refusal)

    def run(self, name: str, **arguments: object) -> Any:
        """An operation, as the agent of this event."""
        return self._pipeline.run(REGISTRY.get(name), self._actor, arguments)
