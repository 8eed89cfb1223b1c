"""``comity hook HOST EVENT``: one event of an agent host, from its JSON on standard input to its answer.

Hosts run this for every tool call and wait for it, so only what the event needs is loaded, and nothing waits long: it
answers in time, whatever hangs (``hook.punctual``). Whatever goes wrong lets the agent go on, with one line in the log
that ``comity doctor`` reads; only with ``enforcement = "strict"`` a guard that cannot look refuses.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from importlib import import_module

from comity.doors.hook import projects
from comity.doors.hook.on_time import Punctual
from comity.doors.hook.payload import read_payload
from comity.doors.hook.turn import Turn
from comity.hosts import hook_log
from comity.hosts.contract import NOTHING, Adapter, HookOutput, HookReply, HostEvent, adapter_of
from comity.kernel.hints import Any
from comity.kernel.problem import Problem
from comity.opening import Memory, require_own_way
from comity.settings import Settings
from comity.system import files

_ENFORCEMENT = "COMITY_ENFORCEMENT"  # a file of the tree that cannot be read does not make a strict user lax


def main(arguments: list[str]) -> int:
    """Run one hook; the exit code that the host understands. Never raises."""
    began = time.perf_counter() - time.process_time()  # what starting cost counts, too
    host, event = (*arguments, "", "")[:2]
    return 0 if _by_hand() else Hook(host, event, began).run()


class Hook:
    """One run of the command."""

    def __init__(self, host: str, event: str, began: float) -> None:
        self._event, self._began = event, began
        self._note = hook_log.Note(host, event)
        self._host, self._adapter = host, adapter_of(host)
        self._heard: HostEvent | None = None
        self._strict = False
        self._wrong: Exception | None = None  # of another project that was asked
        self._clock = Punctual(self._late, _put, self._write_note)

    def run(self) -> int:
        """Hear, ask, answer; the exit code."""
        answer, after = HookOutput(), None
        try:
            listens = _hold_descriptors()
            try:
                answer, after = self._answer()
            except Exception:
                self._clock.answer(self._aside())
                raise
            if not self._clock.answer(answer) or not listens:
                raise BrokenPipeError("the host does not listen")
            if after is not None:
                after()
        except Exception as error:  # noqa: BLE001 (an agent is never stopped by what is wrong here)
            self._note.failed(error)
        self._write_note()
        self._clock.end()
        return answer.code

    def _write_note(self) -> None:
        self._note.write((time.perf_counter() - self._began) * 1000)

    def _aside(self) -> HookOutput:
        """No objection, in the words of a host that needs some."""
        return self._adapter.neutral(self._event) if self._adapter is not None else HookOutput()

    def _answer(self) -> tuple[HookOutput, Any]:
        wrong, data = None, b""
        try:
            data = read_payload()
            if self._adapter is None:
                raise LookupError("no host of that name is known")
            self._heard = _heard(self._adapter, self._event, data)
        except Exception as error:  # noqa: BLE001
            wrong = error
        if self._heard is None or self._heard.moment != "idle":
            self._clock.begin()
        try:
            resolved = self._settings()
        except Exception as error:  # noqa: BLE001 (what cannot be read has no log to tell of it; comity doctor finds it)
            self._strict = self._strict or os.environ.get(_ENFORCEMENT, "").strip().lower() == "strict"
            return self._without_a_look(error) if self._strict else self._aside(), None
        if resolved is None:
            return self._answer_elsewhere() if wrong is None else self._aside(), None
        self._capture(resolved, data)
        if self._adapter is None or (self._heard is None and wrong is None):
            self._note.aside(wrong)
            return self._aside(), None
        if wrong is not None:
            return self._blind(wrong), None
        return self._turn(self._adapter, resolved)

    def _settings(self) -> Settings | None:
        """What holds here; None where Comity has nothing to do. Raises Problem for what is not read or opened."""
        heard = self._heard
        cwd = heard.cwd if heard is not None and os.path.isdir(heard.cwd) else os.getcwd()
        resolved = projects.own(os.environ, cwd)
        if resolved.enforcement == "off":
            return None
        self._strict = resolved.enforcement == "strict"
        if self._strict:
            self._clock.strict()
        require_own_way(resolved)
        if not os.path.isdir(os.path.dirname(resolved.db)) and not Memory(resolved).changed:
            return None
        self._note.at(resolved.db)
        return resolved

    def _capture(self, resolved: Settings, data: bytes) -> None:
        folder = hook_log.captures_of(resolved.db)
        if files.kind_of(folder) == "folder":
            with contextlib.suppress(Exception):
                import_module("comity.doors.hook.capture").keep(folder, self._host, self._event, data)

    def _turn(self, adapter: Adapter, resolved: Settings) -> tuple[HookOutput, Any]:
        heard = self._heard
        assert heard is not None
        try:
            own, others = self._reached(heard, resolved)
            turn = Turn(resolved, adapter, own)
            reply = self._with_others(turn.reply(), others)
        except Exception as error:  # noqa: BLE001
            self._note.failed(error)
            blind = self._strict and heard.moment == "before" and _risks(heard, resolved)
            return adapter.write(self._event, heard, HookReply(refuse=_cannot_look(error)) if blind else NOTHING), None
        self._note.did(reply, turn.wrong or self._wrong, waited=heard.moment == "idle")
        return adapter.write(self._event, heard, reply), turn.written

    def _reached(self, heard: HostEvent, resolved: Settings | None) -> tuple[HostEvent, list[projects.Reached]]:
        """What of an edit or a command is of the session's own project, and which others it reaches."""
        if heard.moment not in ("before", "after") or not (heard.files or heard.command):
            return heard, []
        cwd = heard.cwd or os.getcwd()
        own, others = projects.reached(heard, cwd, resolved)
        return own, others

    def _with_others(self, reply: HookReply, others: list[projects.Reached]) -> HookReply:
        """The answer with those of other projects: each may refuse, and none keeps the rest from being asked."""
        heard = self._heard
        assert heard is not None
        assert self._adapter is not None
        for other in others:
            try:
                told = Turn(other.settings, self._adapter, heard._replace(files=other.files)).reply_elsewhere()
            except Exception as error:  # noqa: BLE001
                self._wrong = error
                strict = other.settings.enforcement == "strict" and heard.moment == "before"
                told = HookReply(refuse=_cannot_look(error)) if strict else NOTHING
            inject = "\n".join(part for part in (reply.inject, told.inject) if part)
            reply = reply._replace(refuse=reply.refuse or told.refuse, inject=inject)
        return reply

    def _answer_elsewhere(self) -> HookOutput:
        """In no project of its own, the session may reach into others."""
        if self._adapter is None or self._heard is None:
            return self._aside()
        try:
            _, others = self._reached(self._heard, None)
            reply = self._with_others(NOTHING, others)
        except Exception as error:  # noqa: BLE001
            self._note.failed(error)
            return self._aside()
        return self._adapter.write(self._event, self._heard, reply) if reply != NOTHING else self._aside()

    def _blind(self, wrong: Exception) -> HookOutput:
        """What was heard is not understood: a strict project lets no edit go on."""
        self._note.failed(wrong)
        if self._strict and self._adapter is not None and self._event in self._adapter.guards:
            return self._adapter.write(self._event, HostEvent("before", ""), HookReply(refuse=_cannot_look(wrong)))
        return self._aside()

    def _late(self) -> HookOutput:
        """The time is over."""
        return self._without_a_look(TimeoutError("there was no answer in time"))

    def _without_a_look(self, error: Exception) -> HookOutput:
        """What is answered when nothing can be looked at: only a strict project refuses, and only what may write."""
        if self._adapter is None or self._heard is None:
            return self._blind(error)
        self._note.failed(error)
        risky = bool(self._heard.files or self._heard.command)
        refuses = self._strict and self._heard.moment == "before" and risky
        return self._adapter.write(
            self._event, self._heard, HookReply(refuse=_cannot_look(error)) if refuses else NOTHING
        )


def _by_hand() -> bool:
    """Whether a person typed it: they are told, and nothing waits for a payload."""
    try:
        typed = os.isatty(0)
    except OSError:
        return False
    if typed:
        _put(HookOutput(err="Agent hosts run this command; `comity doctor` says what came of it.\n"))
    return typed


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


def _put(answer: HookOutput) -> bool:
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


def _heard(adapter: Adapter, event: str, data: bytes) -> HostEvent | None:
    payload = json.loads(data.decode(json.detect_encoding(data), "replace"))
    if not isinstance(payload, dict):
        raise TypeError("the host's payload is no JSON object")
    return adapter.read(event, payload)


def _risks(heard: HostEvent, resolved: Settings) -> bool:
    """Whether what is about to run would change files, as far as that can be told without the database."""
    if heard.files or not heard.command:
        return bool(heard.files)
    risks: bool = import_module("comity.doors.hook.strict").risks(heard, resolved)
    return risks


def _cannot_look(error: Exception) -> str:
    why = error.message if isinstance(error, Problem) else type(error).__name__
    return f"Comity cannot tell who holds these files ({why}), and this project is strict: see comity doctor."
