"""The server's log: one line for each request, on standard error and in ``.masc/logs``, written by a thread of its own.

A line tells who asked what and what became of it. It never holds a query, a header, a token, a body or an answer. A
reader that does not keep up, or a full disk, costs lines, never requests.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, Self

from comity.kernel.text import json_line
from comity.server.request_record import RequestRecord
from comity.system import files

KEEP_DAYS = 7
_LEVELS = {"debug": 0, "info": 1, "warning": 2, "error": 3, "off": 4}
_MOST_WAITING = 10_000  # lines
_PAUSE_S = 0.05  # for more lines to come, so that they are written at once
_CLOSE_S = 1.0
_FILE = re.compile(r"server-(\d{4}-\d{2}-\d{2})\.jsonl")
_REFUSED = (401, 403, 429)

Level = Literal["debug", "info", "warning", "error"]
Entry = dict[str, Any]


class Log:
    """Takes lines from any thread. Writes a line for each request. Ends with ``close``, or as a context."""

    def __init__(self, folder: str, form: str, level: str) -> None:
        self._folder = os.path.join(folder, "logs")
        self._json = form == "json"
        self._least = _LEVELS[level]
        self._waiting: deque[tuple[Entry, bool]] = deque()
        self._lost = 0
        self.also: Callable[[Entry], None] | None = None  # hears every line
        self._some = threading.Event()
        self._over = threading.Event()
        self._day: date | None = None
        self._file = -1
        self._thread = threading.Thread(target=self._write_all, name="comity-log", daemon=True)
        self._thread.start()

    def request_began(self, record: RequestRecord) -> None:
        """A request has come: nothing is known of it."""

    def request_ended(self, record: RequestRecord) -> None:
        """A request is over."""
        level = _level_of(record)
        if _LEVELS[level] < self._least:
            return
        who = record.principal
        line: Entry = {
            "ts": _now(),
            "level": level,
            "event": "request",
            "requestId": record.request_id,
            "method": record.method[:20],
            "route": record.route or None,
            "status": record.status,
            "ms": round(record.seconds * 1000, 2),
            "http": record.http,
            "client": record.client,
            "agentId": who.agent_id if who else None,
            "tokenId": who.token_id if who else None,
            "reason": record.problem.reason if record.problem else None,
            "traceId": record.trace_id or None,
            "trace": record.trace or None,
        }
        self._put({name: value for name, value in line.items() if value is not None})

    def note(self, level: Level, event: str, message: str, *, always: bool = False, **more: Any) -> None:
        """Something about the server itself. ``always``: on standard error whatever the level."""
        if always or _LEVELS[level] >= self._least:
            self._put(entry(level, event, message, **more), note=True)

    def close(self) -> None:
        """Write what waits, for a while."""
        self._over.set()
        self._some.set()
        self._thread.join(_CLOSE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, line: Entry, *, note: bool = False) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self._lost += 1
            return
        self._waiting.append((line, note))
        self._some.set()

    def _write_all(self) -> None:
        while not self._over.is_set():
            self._some.wait()
            self._over.wait(_PAUSE_S)
            self._some.clear()
            self._write_waiting()
        self._write_waiting()
        if self._file >= 0:
            os.close(self._file)

    def _write_waiting(self) -> None:
        taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if self._lost:
            lost, self._lost = self._lost, 0
            message = f"{lost} lines were lost: they came faster than they could be written"
            taken.append((entry("warning", "log.lost", message), True))
        if not taken:
            return
        if self.also is not None:
            for line, _ in taken:
                self.also(line)
        lines = [json_line(line) for line, _ in taken]
        shown = lines if self._json else [_text(line) for line, _ in taken]
        with suppress(OSError):
            self._append("".join(f"{line}\n" for line in lines).encode())
        with suppress(OSError, ValueError):  # the reader is gone
            sys.stderr.write("".join(f"{line}\n" for line in shown))
            sys.stderr.flush()

    def _append(self, content: bytes) -> None:
        today = datetime.now(UTC).date()
        if today != self._day:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
            folder, inner = os.path.split(self._folder)
            name = f"{inner}/server-{today}.jsonl"
            self._file = files.open_file(folder, name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            self._day = today
            self._remove_old(today)
        os.write(self._file, content)

    def _remove_old(self, today: date) -> None:
        for name in os.listdir(self._folder):
            match = _FILE.fullmatch(name)
            with suppress(OSError, ValueError):
                if match and date.fromisoformat(match[1]) <= today - timedelta(days=KEEP_DAYS):
                    os.remove(os.path.join(self._folder, name))


def entry(level: Level, event: str, message: str, **more: Any) -> Entry:
    """A line about the server itself."""
    return {"ts": _now(), "level": level, "event": event, "message": message, **more}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _level_of(record: RequestRecord) -> Level:
    if record.trace or record.status >= 500:
        return "error" if record.trace or record.status == 500 else "warning"
    return "warning" if record.status in _REFUSED else "info"


def _text(line: Entry) -> str:
    """A line for people."""
    clock = datetime.fromisoformat(line["ts"]).astimezone().strftime("%H:%M:%S")
    if "message" in line:
        return f"{clock} {line['message']}"
    parts = (line["method"], line.get("route", "-"), line["status"], f"{line['ms']} ms", line.get("agentId", ""))
    told = " ".join(_shown(part) for part in (*parts, line.get("reason", ""), line["requestId"]) if part != "")
    return f"{clock} {told}" + (f"\n{line['trace']}" if "trace" in line else "")


def _shown(part: object) -> str:
    """Names are others' text: nothing in them may look like another line."""
    return "".join(c if c.isprintable() else "?" for c in str(part))
