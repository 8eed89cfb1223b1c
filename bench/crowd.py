"""Many member processes on one file, and what the file says afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from types import TracebackType
from typing import Any, NamedTuple, Self

import apsw

from bench.ground import Ground


class Account(NamedTuple):
    """What went wrong, counted from the members' own ledgers and from the file; all of it must be 0."""

    errors: int
    lost: int
    twice: int
    dropped: int

    def as_text(self) -> str:
        """One line."""
        return (
            f"{self.errors} errors, {self.lost} lost, {self.twice} acknowledged twice,"
            f" {self.dropped} handed out and dropped"
        )


class Crowd:
    """So many members, each a process of its own."""

    def __init__(self, ground: Ground, count: int) -> None:
        self.ground = ground
        self.names = [f"member-{number:02}" for number in range(count)]
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.member", ground.path, name, ground.durability],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in self.names
        ]
        for process in self.processes:
            assert _answer(process) == "ready"

    def work(self, seconds: float, pace: float = 0) -> list[dict[str, Any]]:
        """All at once; every member sends to each of the others in turn (to itself when it is alone)."""
        count = len(self.names)
        for place, process in enumerate(self.processes):
            others = [self.names[(place + step) % count] for step in range(1, count)] or self.names
            _tell(process, json.dumps({"seconds": seconds, "pace": pace, "peers": others}))
        return [_answer(process) for process in self.processes]

    def settle(self) -> Account:
        """Let all take in what is pending, end them, and compare what they say with what the file holds."""
        ledgers = []
        for process in self.processes:  # one after the other: nobody sends any more
            _tell(process, "")
            ledgers.append(_answer(process))
        with apsw.Connection(self.ground.path) as connection:
            states = {str(key): state for key, state in connection.execute("SELECT delivery_id, state FROM messages")}
            audited = connection.execute(
                "SELECT count(*) FROM (SELECT 1 FROM audit_log WHERE event_type = 'message.ack'"
                " GROUP BY delivery_id HAVING count(*) > 1)"
            ).fetchall()
        polled = {delivery for ledger in ledgers for delivery in ledger["polled"]}
        acked = Counter(delivery for ledger in ledgers for delivery in ledger["acked"])
        errors = [error for ledger in ledgers for error in ledger["errors"]]
        print(*errors[:5], sep="\n", file=sys.stderr)
        return Account(
            len(errors),
            sum(states.get(delivery) != "acknowledged" for ledger in ledgers for delivery in ledger["sent"]),
            int(str(audited[0][0])) + sum(times > 1 for times in acked.values()),
            sum(states.get(delivery) == "dropped" for delivery in polled),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            if error is not None:
                process.kill()
            process.wait()


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _answer(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"a member ended with {process.wait()}"
    return json.loads(line)
