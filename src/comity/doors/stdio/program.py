"""The MCP server over standard input and output: a reader thread, a thread for each running call, and one
line at a time out.

The main thread only waits for the end: it starts no call and writes nothing, so a signal is heard at once
even while the client does not read its answers or the database is locked. Writes go to the bare file
descriptor under one lock; daemon threads that are still busy when the process ends can therefore not
corrupt or block a buffered stream.

What can go wrong, and what happens: the client closes its end (the input ends, or a write fails): the
server ends. The client dies and leaves a pipe open in some other process: noticed within two `WATCH_S`. A
tool prints: it lands on standard error, since the descriptors 0 and 1 are diverted for the life of the
process. A call never ends: it keeps its thread and its place among `max_calls`; the end of the process does
not wait for it longer than the grace.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable, Collection
from queue import SimpleQueue
from time import monotonic
from typing import Any, Protocol

from comity.dialects.dialect import Ask, Dialect
from comity.doors.stdio.events import Events
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Internal, Problem, Unavailable
from comity.kernel.registry import AnyOp
from comity.kernel.steps import Report
from comity.mcp import wire
from comity.mcp.protocol import MAX_CALLS, McpConnection
from comity.mcp.request import Action, Begin, Call, Greet, Send
from comity.mcp.surface import Cancellation, UnknownResource, UnknownTool

READ_BYTES = 65536
WATCH_S = 5.0  # between two looks at whether the client still lives
GREET_S = 1.0  # that a client which connects waits at most until the agent is registered
GRACE_S = 1.0  # for running calls, once the input has ended; hosts send SIGTERM two seconds after that
SIGNAL_GRACE_S = 0.2  # for running calls, once a signal came; hosts kill soon after
SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}

END_OF_INPUT = "end of input"
CLIENT_GONE = "client gone"
_IDLE = "idle"
_AGAIN_S = 0.5


class ConnectionEnded(NamedTuple):
    """Why the server ended (the name of a signal, END_OF_INPUT, CLIENT_GONE) and the exit code for it."""

    reason: str
    exit_code: int


class Runner(Protocol):
    """What runs calls, each on a thread of its own, several at a time (``agent_session``)."""

    def ready(self) -> None:
        """Block until calls may run; called before each. Raises the Problem that made the start fail."""

    def run(self, op: AnyOp, ask: Ask, call: Call, report: Report, /) -> Any:
        """What the operation that is asked for answers. Raises Problem."""

    def news(self, cursor: str, cancel: Cancellation, /) -> tuple[str, Collection[str]]:
        """The next cursor of the log, and the types of events since this one; it waits for some. Raises Problem."""


def serve(
    dialect: Dialect,
    runner: Runner,
    stdin: int | None = None,
    stdout: int | None = None,
    *,
    max_calls: int = MAX_CALLS,
    grace_s: float = GRACE_S,
    begun: threading.Event | None = None,
) -> ConnectionEnded:
    """Serve ``dialect`` until the client is gone or a signal comes, then say why; the caller cleans up.

    ``begun`` is set once the agent is registered, or could not be: who connects is answered then, so that a message
    sent to the agent from that moment on reaches it. The answer is not held up for longer than ``GREET_S``.

    ``stdin`` and ``stdout`` are file descriptors; by default the process's own, which are diverted for
    good: reading standard input then gives nothing, and printing goes to standard error. Called on the main
    thread it takes the signals SIGINT, SIGTERM and SIGHUP, and keeps them, so that a second one does not
    interrupt the cleaning up.
    """
    return _StdioServer(
        dialect,
        runner,
        _divert(0, os.O_RDONLY) if stdin is None else stdin,
        _divert(1, os.O_WRONLY) if stdout is None else stdout,
        max_calls,
        begun,
    ).run(grace_s)


class _StdioServer:
    """One connection over two file descriptors."""

    def __init__(
        self,
        dialect: Dialect,
        runner: Runner,
        stdin: int,
        stdout: int,
        max_calls: int,
        begun: threading.Event | None,
    ) -> None:
        self._dialect = dialect
        self._runner = runner
        self._begun = begun
        self._session = McpConnection(dialect, max_calls)
        self._lock = threading.Lock()  # around the session
        self._stdin = stdin
        self._events = Events()
        self._output = _Output(stdout, self._events)
        self._workers = _Workers(self._call)
        self._busy = 0  # calls begun and not answered on the wire; guarded by the lock
        self._closing = False
        self._following = False  # guarded by the lock
        self._over = Cancellation()

    def run(self, grace_s: float) -> ConnectionEnded:
        if threading.current_thread() is threading.main_thread():
            self._events.take_signals(SIGNALS)
        threading.Thread(target=self._read, name="mcp-reader", daemon=True).start()
        reason = self._wait()
        self._close(grace_s if reason == END_OF_INPUT else SIGNAL_GRACE_S)
        self._output.close()
        return ConnectionEnded(reason, SIGNALS.get(reason, 0))

    def _wait(self) -> str:
        """Until there is a reason to end. A vanished client is believed when seen twice."""
        parent, suspected = 0, False
        while True:
            reason = self._events.get(WATCH_S)
            if reason is not None:
                return reason
            parent = parent or os.getppid()  # not sooner: a launcher may exit right after the start
            gone = os.getppid() != parent or self._output.unread()
            if gone and suspected:
                return CLIENT_GONE
            suspected = gone

    def _close(self, grace_s: float) -> None:
        """Ask waiting calls to stop, let running ones finish; a second signal cuts the grace short."""
        deadline = monotonic() + grace_s
        with self._lock:
            actions = self._session.close()
            self._closing = True
            busy = self._busy
        self._over.set()
        # Not on this thread: a client that does not read would hold it in the write.
        closer = threading.Thread(target=self._perform, args=(actions,), daemon=True)
        closer.start()
        while busy and (left := deadline - monotonic()) > 0:
            if self._events.get(left) in (*SIGNALS, _IDLE, None):
                break
        closer.join(max(0.0, deadline - monotonic()))

    # -- in

    def _read(self) -> None:
        lines = wire.Lines()
        while chunk := self._chunk():
            for line in lines.feed(chunk):
                self._receive(line)
        self._receive(lines.flush())
        self._events.put(END_OF_INPUT)

    def _chunk(self) -> bytes:
        while True:
            try:
                return os.read(self._stdin, READ_BYTES)
            except BlockingIOError:  # the client gave us a non-blocking pipe
                select.select([self._stdin], [], [])
            except OSError:
                return b""

    def _receive(self, line: bytes | None) -> None:
        if self._closing or (line is not None and not line.strip()):
            return
        try:
            with self._lock:
                actions = self._session.oversized() if line is None else self._session.receive(line)
                begins = self._session.watching and not self._following
                self._following = self._following or begins
            if begins:
                threading.Thread(target=self._follow, args=(actions,), daemon=True).start()
            else:
                self._perform(actions)
        except Exception:  # noqa: BLE001 - the edge: a fault of ours must not end the connection
            _report()
            self._output.write(wire.error(None, wire.INTERNAL_ERROR, "Internal error"))

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                self._output.write(action.line)
            elif isinstance(action, Greet):
                self._greet(action.line)
            elif isinstance(action, Begin):
                self._begin(action.call)
            else:
                action.call.cancelled.set()

    def _greet(self, line: bytes) -> None:
        """Answer who connects, on another thread where that takes a moment: what else is asked has not to wait."""
        if self._begun is None or self._begun.is_set():
            self._output.write(line)
            return
        with self._lock:
            self._busy += 1
        threading.Thread(target=self._greet_late, args=(self._begun, line), daemon=True).start()

    def _greet_late(self, begun: threading.Event, line: bytes) -> None:
        begun.wait(GREET_S)
        self._output.write(line)
        self._rest()

    def _follow(self, actions: list[Action]) -> None:
        """Tell of what changes while the client wants to hear. A subscription is answered once nothing is missed."""
        cursor = self._news("")[0]
        self._perform(actions)
        while True:
            with self._lock:
                if self._closing or not self._session.watching:
                    self._following = False
                    return
            cursor, happened = self._news(cursor)
            with self._lock:
                lines = self._session.updated(self._dialect.changed(happened)) if happened else ()
            for line in lines:
                self._output.write(line)

    def _news(self, cursor: str) -> tuple[str, Collection[str]]:
        try:
            return self._runner.news(cursor, self._over)
        except Problem:  # the database is locked or away: at the next look
            threading.Event().wait(_AGAIN_S)
            return cursor, ()

    # -- calls

    def _begin(self, call: Call) -> None:
        with self._lock:
            self._busy += 1
        try:
            self._workers.start(call)
        except RuntimeError:  # no more threads
            problem = Unavailable("call.no_thread", "No thread could be started for the call.", "Try again later.")
            self._settle(call, self._session.refused(call, None, problem))

    def _call(self, call: Call) -> None:
        answer = wire.error(call.request_id, wire.INTERNAL_ERROR, "Internal error")
        try:
            answer = self._answer(call)
        except Exception:  # noqa: BLE001 - the edge: a fault in rendering is answered as well
            _report()
        finally:
            self._workers.free()  # before the client can see the answer and send its next call
            self._settle(call, answer)

    def _answer(self, call: Call) -> bytes:
        ask: Ask | None = None
        try:
            self._runner.ready()
            ask, result = self._session.ask(call), None
            if ask.op is not None:
                result = self._runner.run(ask.op, ask, call, self._report_of(call))
            return self._session.said(call, ask, result)
        except (UnknownTool, UnknownResource, Problem) as why:
            return self._session.refused(call, ask, why)
        except Exception:  # noqa: BLE001 - the edge
            _report()
            told = "The call failed because of a fault in Comity."
            problem = Internal("call.failed", told, "The server's standard error says more.")
            return self._session.refused(call, ask, problem)

    def _report_of(self, call: Call) -> Report:
        """Tells the client how far a call is. A total that is not known is left out."""

        def report(done: int, total: int, what: str) -> None:
            with self._lock:
                line = self._session.progress(call, done, total or None, what)
            if line is not None:
                self._output.write(line)

        return report

    def _settle(self, call: Call, answer: bytes) -> None:
        with self._lock:
            line = self._session.settle(call, answer)
        if line is not None:
            self._output.write(line)
        self._rest()

    def _rest(self) -> None:
        """Something that kept the server busy is over."""
        with self._lock:
            self._busy -= 1
            idle = self._closing and not self._busy
        if idle:
            self._events.put(_IDLE)


class _Workers:
    """A thread for each running call; kept for later calls, since starting one costs more than most calls."""

    def __init__(self, run: Callable[[Call], None]) -> None:
        self._run = run
        self._calls: SimpleQueue[Call] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0

    def start(self, call: Call) -> None:
        """Run the call on a thread of its own. Raises RuntimeError when the system gives no more threads."""
        with self._lock:
            fresh = self._idle == 0
            if not fresh:
                self._idle -= 1
        if fresh:
            threading.Thread(target=self._work, name="mcp-call", daemon=True).start()
        self._calls.put(call)

    def free(self) -> None:
        """The calling thread's call is over but for writing its answer."""
        with self._lock:
            self._idle += 1

    def _work(self) -> None:
        while True:
            self._run(self._calls.get())


class _Output:
    """Whole lines to one file descriptor, from any thread."""

    def __init__(self, stdout: int, events: Events) -> None:
        self._stdout = stdout
        self._events = events
        self._lock = threading.Lock()
        self._open = True

    def write(self, line: bytes) -> None:
        """Write the line and its newline. Blocks while the client does not read, not when it is gone."""
        left = memoryview(line + b"\n")
        with self._lock:
            while left and self._open:
                try:
                    left = left[os.write(self._stdout, left) :]
                except BlockingIOError:
                    select.select([], [self._stdout], [])
                except OSError:
                    self._open = False
                    self._events.put(CLIENT_GONE)

    def unread(self) -> bool:
        """Whether the reader of our output is gone."""
        if not hasattr(select, "poll"):
            return False
        poll = select.poll()
        poll.register(self._stdout, 0)
        return any(happened & (select.POLLERR | select.POLLHUP) for _, happened in poll.poll(0))

    def close(self) -> None:
        """Write nothing more. Does not wait for a write that is under way."""
        self._open = False


def _divert(descriptor: int, mode: int) -> int:
    """A private duplicate of a standard descriptor, which afterwards is the null device or standard error."""
    try:
        private = os.dup(descriptor)
    except OSError:
        return descriptor
    try:
        if mode == os.O_WRONLY:
            os.dup2(2, descriptor)
        else:
            null = os.open(os.devnull, mode)
            os.dup2(null, descriptor)
            os.close(null)
    except OSError:  # no standard error: leave it as it is
        return private
    return private


def _report() -> None:
    """Put the present exception on standard error."""
    sys.excepthook(*sys.exc_info())
