"""A process that asks for a job, or carries one out, and is killed on the way or held up.

    python -m tests.loops.job_life DATABASE FOLDER ask KIND
    python -m tests.loops.job_life DATABASE FOLDER run AT HOW

``ask`` tells the job's id and kills itself. ``run`` carries out what waits and tells how many statements that took. At
its AT-th statement it kills itself (HOW is ``kill``); or, with ``hold``, before the next transaction that writes from
there on it tells ``here`` and waits for a line.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

import apsw

from comity import Workspace
from comity.kernel.scope import Actor
from comity.loops.job_desk import Effect, Run
from comity.loops.job_effects import EFFECTS
from comity.loops.job_runner import JobRunner
from comity.process import ThisProcess, present
from comity.store.sqlite import SqliteStore
from comity.system import processes
from tests.rooms.jobs.asked import ONCE, REPEATABLE, ask

STEPS = 6
_PROGRAM = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1]]).wait()"
_CHILD = "import signal, sys; pipe = open(sys.argv[1], 'w'); pipe.write('here'); pipe.flush(); signal.pause()"


def messages(run: Run) -> dict[str, Any]:
    """An effect that must not be repeated: every message of it is one more."""
    for number in range(STEPS):
        run.workspace.message.send(destination_agent_id="sink", content=f"step {number}")
        run.report(number + 1, STEPS, "sending")
    return {"sent": STEPS}


def program(run: Run) -> dict[str, Any]:
    """An effect that runs a program with a child. Both never end by themselves; the child says so on a pipe."""
    ended = processes.run(
        (sys.executable, "-c", _PROGRAM, str(run.arguments["text"]), _CHILD),
        folder=run.workspace.actor.root,
        environment={},
        most_bytes=1000,
        most_s=600,
        stop=run.stop,
    )
    return {"how": ended.how}


ALL = {**EFFECTS, ONCE.name: Effect(messages), REPEATABLE.name: Effect(program)}


class Point:
    """Counts statements, and strikes at one."""

    def __init__(self, at: int, how: str) -> None:
        self.at = at
        self.how = how
        self.seen = 0
        self.armed = False
        self._lock = threading.Lock()

    def trace(self, cursor: apsw.Cursor | apsw.Connection, sql: str, bindings: object) -> bool:
        if not self.armed:
            return True
        with self._lock:
            self.seen += 1
            reached = self.seen >= self.at
        if reached and self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if reached and self.how == "hold" and sql == "BEGIN IMMEDIATE":
            self.how = ""
            os.write(1, b"here\n")
            os.read(0, 1)
        return True


def opened(path: str, folder: str, agent_id: str) -> Workspace:
    actor = Actor(agent_id, f"{agent_id}-{os.getpid()}", channel="main", root=folder)
    workspace = Workspace(SqliteStore(path), actor, observer=ThisProcess(present("test")))
    workspace.session.start()
    return workspace


def main(path: str, folder: str, role: str, *rest: str) -> None:
    """As the module says."""
    if role == "ask":
        workspace = opened(path, folder, "ann")
        job_id = ask(workspace, ONCE) if rest[0] == ONCE.name else workspace.vault.index(path=".").job.job_id
        os.write(1, f"{job_id}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
    point = Point(int(rest[0]), rest[1])
    apsw.connection_hooks.append(lambda connection: setattr(connection, "exec_trace", point.trace))
    workspace = opened(path, folder, "runner")
    point.armed = True
    JobRunner(workspace, 60, ALL, 0).look()
    point.armed = False
    workspace.close()
    os.write(1, f"over {point.seen}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
