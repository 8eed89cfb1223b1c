"""One event of one agent: what is asked of the operations, and what comes of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from importlib import import_module

from comity.doors.hook.open_stores import OpenStores
from comity.hosts.contract import NOTHING, Adapter, HookReply, HostEvent
from comity.kernel.call import Pipeline
from comity.kernel.clock import SystemClock
from comity.kernel.hints import Any
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.problem import Conflict
from comity.kernel.scope import Actor, HostSession
from comity.opening import CHECKS, Memory
from comity.process import ThisProcess, absent, host_process, lasts
from comity.rooms import REGISTRY
from comity.settings import Settings
from comity.system.surroundings import HERE

LEASE_S = 900  # of a session that only hooks know: as long as an agent may think
BUSY_S, STRICT_BUSY_S = 0.18, 0.7  # how long a hook waits for a lock: less than it has to answer
IDLE_BUSY_S = 5.0  # the same when nobody waits for the hook
_MOST_FILES, _MOST_LETTERS, _MOST_TOOL = 1000, 4096, 200  # of one question, of a path, of a tool's name
_LONG = 5000  # letters of a line that may be too long to be read
_HALVES = "[\ud800-\udfff]"
_PAUSED = "workspace.paused"
_UNRECORDED = OSError("the refusal is not in the database, where nothing could be written")


class Turn:
    """One event of one agent: what is asked of the operations, and what comes of it."""

    def __init__(self, resolved: Settings, adapter: Adapter, heard: HostEvent, stores: OpenStores) -> None:
        self.adapter, host, self._able = adapter, adapter.host, adapter.abilities
        pid, started = host_process()
        place = resolved.worktree or resolved.root
        session_id = heard.session_id or f"{pid or 0}-{started or 'process'}"
        own = ThisProcess(absent(host, session_id, place, LEASE_S))
        strict = self._strict = resolved.enforcement == "strict"
        busy_s = IDLE_BUSY_S if heard.moment == "idle" else STRICT_BUSY_S if strict else BUSY_S
        self._memory = Memory(resolved)
        self._news = self._memory.told  # that the database is another one: said once, by a hook that can
        self.store = stores.of(resolved, self._memory, busy_s, accept=not strict)
        self._pipeline = Pipeline(self.store, SystemClock(), TimeOrderedIds(), None, None, own, None, CHECKS)
        named = resolved.agent_id if resolved.named else ""
        told = HostSession(host, session_id, heard.subagent_id, pid, started, named=named)
        begins = heard.source if heard.moment == "start" else "end" if heard.moment == "end" else ""
        told = told._replace(began_ms=SystemClock().now().ms, lasting=lasts(started), begins=begins)
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
            return self._inject("turn.next", moved=heard.moved, prompted=heard.moment == "prompt")
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
            elif heard.moment in ("prompt", "stop", "end"):
                pending = self.run("edit.pending")
                if pending.asked:
                    self.run("edit.landed", over=True)
                if pending.line:
                    self.run("claim.settle")
            elif heard.moment == "after":
                self.note_changes(list(heard.files), heard.command, heard.unknown)
        except Exception as error:  # noqa: BLE001
            self.wrong = error

    def note_changes(self, files: list[str], command: str, tool: str = "") -> None:
        """What an editing tool, a shell command or another tool changed in this project."""
        cwd = self.heard.cwd or HERE.folder()
        if files:
            pending = self.run("edit.pending")
            if pending.asked and pending.others:
                for some in _named(files, cwd):
                    self.run("edit.landed", files=some)
        if command or tool:
            self.run("edit.compare", command=command, cwd=cwd, tool=tool[:_MOST_TOOL])
            if self.run("edit.pending").line:
                self.run("claim.settle")

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
        """Refusal and warning. Of an editing tool: its files; of a shell: the files and git commands in its line; of a
        tool that nobody knows: whatever its arguments tell, and files are looked at before it runs.
        """
        heard = self.heard
        cwd = heard.cwd or HERE.folder()
        told = {"keep_warning": True} if not self._able.warn else {}
        warnings: list[str] = []
        if self._strict and len(self.heard.command) > _LONG:
            long: str = import_module("comity.doors.hook.strict").too_long(self.heard.command)
            if long:
                return long, ""
        for name, arguments in self._questions(cwd):
            verdict = self.run(name, **arguments, **told)
            if not verdict.recorded:
                self.wrong = _UNRECORDED
            if verdict.refusal:
                return verdict.refusal, ""
            warnings += [verdict.warning] if verdict.warning else []
        return "", "\n".join(warnings)

    def _questions(self, cwd: str) -> Iterator[tuple[str, dict[str, object]]]:
        """The operations that are asked before a tool runs, with their arguments."""
        heard = self.heard
        for some in _named(heard.files, cwd):
            yield "edit.check", {"files": some}
        if heard.command or heard.unknown:
            env = HERE.environment
            why = env.get("COMITY_BYPASS_REASON", "") if env.get("COMITY_BYPASS") == "1" else ""
            line: dict[str, object] = {"command": heard.command, "cwd": cwd, "reason": why}
            yield "command.check", {**line, "tool": heard.unknown[:_MOST_TOOL]} if heard.unknown else line

    def run(self, name: str, **arguments: object) -> Any:
        """An operation, as the agent of this event."""
        return self._pipeline.run(REGISTRY.get(name), self._actor, arguments)


def _named(files: Sequence[str], cwd: str) -> Iterator[list[str]]:
    """The files as absolute paths that can be, ``_MOST_FILES`` at a time.

    One bad name does not keep the others from being asked about: half a character is what a host writes for it, and
    what no file system takes is left out.
    """
    found = dict.fromkeys(re.sub(_HALVES, "\ufffd", os.path.join(cwd, name)) for name in files)
    paths = [path for path in found if "\0" not in path and len(path) <= _MOST_LETTERS]
    for start in range(0, len(paths), _MOST_FILES):
        yield paths[start : start + _MOST_FILES]
