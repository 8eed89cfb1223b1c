"""One event of one agent: what is asked of the operations, and what comes of it."""

from __future__ import annotations

import os
from importlib import import_module

from comity.hosts.contract import NOTHING, Adapter, HookReply, HostEvent
from comity.kernel.call import Pipeline
from comity.kernel.clock import SystemClock
from comity.kernel.hints import Any
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.problem import Conflict
from comity.kernel.scope import Actor, HostSession, Store
from comity.opening import CHECKS, Memory, open_store
from comity.process import ThisProcess, absent, host_process
from comity.rooms import REGISTRY
from comity.settings import Settings

LEASE_S = 900  # of a session that only hooks know: as long as an agent may think
BUSY_S, STRICT_BUSY_S = 0.18, 0.7  # how long a hook waits for a lock: less than it has to answer
IDLE_BUSY_S = 5.0  # the same when nobody waits for the hook
_PAUSED = "workspace.paused"
_UNRECORDED = OSError("the refusal is not in the database, where nothing could be written")
_OPEN: list[Store] = []  # until the process ends: whoever closes it last writes the log back, and the agent waits


class Turn:
    """One event of one agent: what is asked of the operations, and what comes of it."""

    def __init__(self, resolved: Settings, adapter: Adapter, heard: HostEvent) -> None:
        self.adapter, host, self._able = adapter, adapter.host, adapter.abilities
        pid, started = host_process()
        place = resolved.worktree or resolved.root
        session_id = heard.session_id or f"{pid or 0}-{started or 'process'}"
        own = ThisProcess(absent(host, session_id, place, LEASE_S))
        strict = resolved.enforcement == "strict"
        busy_s = IDLE_BUSY_S if heard.moment == "idle" else STRICT_BUSY_S if strict else BUSY_S
        self._memory = Memory(resolved)
        self._news = self._memory.told  # that the database is another one: said once, by a hook that can
        self.store = open_store(resolved, self._memory, busy_s, accept=not strict)
        _OPEN.append(self.store)
        self._pipeline = Pipeline(self.store, SystemClock(), TimeOrderedIds(), None, None, own, None, CHECKS)
        named = resolved.agent_id if resolved.named else ""
        told = HostSession(host, session_id, heard.subagent_id, pid, started, named=named)
        agent_id = named or session_id
        name = resolved.agent_name if named else f"{host.partition('-')[0]}-{session_id[-4:]}"
        self._actor: Actor = resolved.actor._replace(
            agent_id=agent_id, session_id=f"{host}:{agent_id}", name=name, host=told
        )
        self.heard, self.wakes = heard, resolved.wake
        self._dialect, self._tools = resolved.surface, resolved.tools
        self._injection_id = ""
        self.wrong: Exception | None = None  # what did not keep the answer from being made

    def reply(self) -> HookReply:
        """What to answer, in the words of the tools that the agent has."""
        reply = HookReply(*map(self.say, self._reply()))
        if not self._news:
            self._memory.note()
        elif self._may_inject():
            self._memory.note()
            return reply._replace(inject="\n".join(part for part in (self._news, reply.inject) if part))
        return reply

    def reply_elsewhere(self) -> HookReply:
        """What this project says of an edit or a command of a session whose own project is another."""
        if self.heard.moment == "before":
            return HookReply(*map(self.say, self._guard()))
        self._note_work()
        return NOTHING

    def say(self, text: str) -> str:
        """A text of the rooms in the words of the agent's dialect, which is loaded for texts that name an operation."""
        if "`" not in text:
            return text
        told: str = import_module(f"comity.dialects.{self._dialect}.tools").words(self._tools).say(text)
        return told

    def _may_inject(self) -> bool:
        moment = self.heard.moment
        return moment in ("start", "prompt") or (self._able.mid_turn if moment == "after" else self._able.warn)

    def _reply(self) -> HookReply:
        heard = self.heard
        self._note_work()
        if heard.moment == "start":
            return self._inject("turn.start", source=heard.source)
        if heard.moment == "prompt" or (heard.moment == "after" and self._able.mid_turn):
            return self._inject("turn.next", moved=heard.moved)
        if heard.moment == "before":
            return self._guard()
        if heard.moment == "stop":
            ask = self._able.stop and not heard.again
            digest = self.run("turn.stop", moved=heard.moved, ask=ask, rests=heard.rests and self.wakes != "off")
            self._injection_id = digest.injection_id
            if digest.text or not heard.subagent_id:
                return HookReply(go_on=digest.text)
        if heard.moment == "idle":
            woken: HookReply = import_module("comity.doors.hook.waking").wait(self)
            return woken
        if heard.moment == "end" or (heard.moment == "stop" and heard.subagent_id):
            self.run("session.leave", reason=heard.source if heard.moment == "end" else "stopped")
        return NOTHING

    def written(self) -> None:
        """The answer was written out."""
        if self._injection_id:
            self.run("turn.written", injection_id=self._injection_id)

    def _inject(self, name: str, **arguments: object) -> HookReply:
        digest = self.run(name, **arguments)
        self._injection_id = digest.injection_id
        return HookReply(inject=digest.text)

    def _note_work(self) -> None:
        """What an edit or a command did, and that nothing more is coming. Whatever is wrong with that, the turn goes
        on.
        """
        heard = self.heard
        try:
            if heard.moment == "start":
                pending = self.run("edit.pending")
                if pending.others or pending.works:
                    self.run("work.settle")
            elif heard.moment in ("prompt", "stop"):
                if self.run("edit.pending").asked:
                    self.run("edit.landed", over=True)
            elif heard.moment == "after":
                self.note_changes(list(heard.files), heard.command)
        except Exception as error:  # noqa: BLE001
            self.wrong = error

    def note_changes(self, files: list[str], command: str) -> None:
        """What an editing tool or a shell command changed in this project."""
        cwd = self.heard.cwd or os.getcwd()
        if files:
            pending = self.run("edit.pending")
            if pending.asked and pending.others:
                self.run("edit.landed", files=[os.path.join(cwd, name) for name in files])
        if command:
            self.run("edit.compare", command=command, cwd=cwd)

    def _guard(self) -> HookReply:
        """Before an editing tool or a shell: what peers hold, and a pause of the workspace, keep it from running."""
        try:
            refusal, warning = self._checked()
        except Conflict as conflict:
            if conflict.reason != _PAUSED:
                raise
            refusal, warning = f"{conflict.message} {conflict.hint}", ""
        if refusal and self.heard.last:
            return self._inject("turn.next", moved=False)._replace(refuse=refusal)
        return HookReply(inject=warning if self._able.warn else "", refuse=refusal)

    def _checked(self) -> tuple[str, str]:
        """Refusal and warning. Of an editing tool: its files; of a shell: the files and git commands in its line."""
        heard = self.heard
        cwd = heard.cwd or os.getcwd()
        told = {"keep_warning": True} if not self._able.warn else {}
        if heard.files:
            verdict = self.run("edit.check", files=[os.path.join(cwd, name) for name in heard.files], **told)
        elif heard.command:
            why = os.environ.get("COMITY_BYPASS_REASON", "") if os.environ.get("COMITY_BYPASS") == "1" else ""
            verdict = self.run("command.check", command=heard.command, cwd=cwd, reason=why, **told)
        else:
            return "", ""
        if not verdict.recorded:
            self.wrong = _UNRECORDED
        return verdict.refusal, verdict.warning

    def run(self, name: str, **arguments: object) -> Any:
        """An operation, as the agent of this event."""
        return self._pipeline.run(REGISTRY.get(name), self._actor, arguments)
