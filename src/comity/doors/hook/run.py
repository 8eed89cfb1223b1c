"""``comity hook HOST EVENT``: one event of an agent host, from its JSON on standard input to its answer.

Hosts run this for every tool call and wait for it, so only what the event needs is loaded, and nothing waits long: it
answers in time, whatever hangs (``hook.on_time``). Whatever goes wrong lets the agent go on, with one line in the log
that ``comity doctor`` reads; only with ``enforcement = "strict"`` a guard that cannot look refuses.

The work is done in a process of its own, or on a thread of a server that is there already (``hook.answering``): who
asks, where, and with which environment is then told by the process that asks (``system.surroundings``).
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from importlib import import_module

from comity.doors.hook import projects
from comity.doors.hook.on_time import Punctual
from comity.doors.hook.open_stores import OpenStores
from comity.doors.hook.payload import read_payload
from comity.doors.hook.turn import Turn
from comity.hosts import hook_log
from comity.hosts.contract import NOTHING, Adapter, HookOutput, HookReply, HostEvent, adapter_of
from comity.kernel.hints import Any, Protocol
from comity.kernel.problem import Invalid, Problem
from comity.opening import Memory, require_own_way
from comity.setting_list import BY_NAME, told
from comity.settings import Settings
from comity.system import files
from comity.system.surroundings import HERE

_ENFORCEMENT = BY_NAME["enforcement"]


class Exchange(Protocol):
    """Who waits for the answer of one hook. ``alone``: the process is the hook's own."""

    alone: bool

    def put(self, answer: HookOutput) -> bool:
        """Write it out, all of it; whether the host took it."""

    def more_time(self) -> None:
        """The project is strict: the answer may take longer."""

    def leave(self, code: int) -> None:
        """The clock has answered: what hangs need not go on."""


def main(arguments: list[str], data: bytes = b"", *, ended: bool = False) -> int:
    """Run one hook; the exit code that the host understands. Never raises.

    ``data`` is what was read of standard input already, and ``ended`` says whether that was all.
    """
    began = time.perf_counter() - time.process_time()  # what starting cost counts, too
    host, event = (*arguments, "", "")[:2]
    if not data and _by_hand():
        return 0
    listens = _hold_descriptors()
    hook = Hook(host, event, began, OwnProcess(), OpenStores())
    hook.hear(lambda: read_payload(event, data, ended=ended))
    return hook.run(listens=listens)


class Hook:
    """One run of the command: ``hear`` once, then ``run``."""

    def __init__(self, host: str, event: str, began: float, exchange: Exchange, stores: OpenStores) -> None:
        self._event, self._began, self._exchange, self._stores = event, began, exchange, stores
        self._note = hook_log.Note(host, event)
        self._host, self._adapter = host, adapter_of(host)
        self._data = b""
        self._unheard: Exception | None = None
        self._heard: HostEvent | None = None
        self._strict = False
        self._wrong: Exception | None = None  # of another project that was asked
        self._clock = Punctual(self._late, exchange.put, self._write_note, exchange.leave, alone=exchange.alone)

    def hear(self, read: Callable[[], bytes]) -> None:
        """Read the payload; what is wrong with it is told by ``run``."""
        try:
            self._data = read()
            if self._adapter is None:
                raise LookupError("no host of that name is known")
            self._heard = _heard(self._adapter, self._event, self._data)
        except Exception as error:  # noqa: BLE001
            self._unheard = error

    @property
    def waits(self) -> bool:
        """Whether it is to wait beside an idle session, for as long as that takes."""
        return self._heard is not None and self._heard.moment == "idle"

    def run(self, *, listens: bool = True) -> int:
        """Ask and answer; the exit code. ``listens``: the host has an ear for it."""
        answer, after = HookOutput(), None
        try:
            try:
                answer, after = self._answer()
            except Exception:
                self._clock.answer(self._aside())
                raise
            if not (self._clock.answer(answer) and listens):
                raise BrokenPipeError("the host does not listen")
            if after is not None:
                after()
        except Exception as error:  # noqa: BLE001 (an agent is never stopped by what is wrong here)
            if not self._clock.spoke:
                self._note.failed(error)
        if not self._clock.spoke:
            self._write_note()
        self._clock.end()
        return answer.code

    def _write_note(self) -> None:
        self._note.write((time.perf_counter() - self._began) * 1000)

    def _aside(self) -> HookOutput:
        """No objection, in the words of a host that needs some."""
        return self._adapter.neutral(self._event) if self._adapter is not None else HookOutput()

    def _answer(self) -> tuple[HookOutput, Any]:
        wrong = self._unheard
        if not self.waits:
            self._clock.begin()
        try:
            resolved = self._settings()
        except Exception as error:  # noqa: BLE001 (what cannot be read has no log to tell of it; comity doctor finds it)
            self._strict = self._strict or _wants_strict()
            return self._without_a_look(error) if self._strict else self._aside(), None
        if resolved is None:
            return self._answer_elsewhere() if wrong is None else self._aside(), None
        self._capture(resolved)
        if self._adapter is None or (self._heard is None and wrong is None):
            self._note.aside(wrong)
            return self._aside(), None
        if wrong is not None:
            return self._blind(wrong), None
        return self._turn(self._adapter, resolved)

    def _settings(self) -> Settings | None:
        """What holds here; None where Comity has nothing to do. Raises Problem for what is not read or opened."""
        heard = self._heard
        cwd = heard.cwd if heard is not None and os.path.isdir(heard.cwd) else HERE.folder()
        try:
            resolved = projects.own(HERE.environment, cwd)
        except Invalid as error:  # a typing error switches no guard off
            if _wants_strict():
                raise
            self._wrong = error
            resolved = import_module("comity.spoiled_settings").around({}, HERE.environment, cwd, error)
        if resolved.enforcement == "off":
            return None
        self._strict = resolved.enforcement == "strict"
        if self._strict:
            self._exchange.more_time()
            self._clock.strict()
        require_own_way(resolved)
        if not os.path.isdir(os.path.dirname(resolved.db)) and not Memory(resolved).changed:
            return None
        self._note.at(resolved.db)
        return resolved

    def _capture(self, resolved: Settings) -> None:
        folder = hook_log.captures_of(resolved.db)
        if files.kind_of(folder) == "folder":
            with contextlib.suppress(Exception):
                import_module("comity.doors.hook.capture").keep(folder, self._host, self._event, self._data)

    def _turn(self, adapter: Adapter, resolved: Settings) -> tuple[HookOutput, Any]:
        heard = self._heard
        assert heard is not None
        try:
            own, others = self._reached(heard, resolved)
            turn = Turn(resolved, adapter, own, self._stores)
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
        cwd = heard.cwd or HERE.folder()
        own, others = projects.reached(heard, cwd, resolved)
        return own, others

    def _with_others(self, reply: HookReply, others: list[projects.Reached]) -> HookReply:
        """The answer with those of other projects: each may refuse, and none keeps the rest from being asked."""
        heard = self._heard
        assert heard is not None
        assert self._adapter is not None
        for other in others:
            try:
                told = Turn(
                    other.settings, self._adapter, heard._replace(files=other.files), self._stores
                ).reply_elsewhere()
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


class OwnProcess:
    """The host waits for this process's end, and reads what it writes."""

    alone = True

    def put(self, answer: HookOutput) -> bool:
        """Write it out, all of it, before anything counts as given; whether that went well."""
        return _put(answer)

    def more_time(self) -> None:
        """Nobody but the clock counts here."""

    def leave(self, code: int) -> None:
        """End."""
        os._exit(code)


def _wants_strict() -> bool:
    """Whether the environment asks for a strict guard: a file of the tree that cannot be read does not make it lax."""
    try:
        return told((_ENFORCEMENT,), {}, HERE.environment, {}).get("enforcement") == "strict"
    except Problem:
        return False


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
    """Not through Python's streams: they would complain once more at exit when the host has gone."""
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
