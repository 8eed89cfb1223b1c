"""Ask a database of known vulnerabilities (OSV) about every version in the lock.

    python tools/audit.py [LOCK] [--database URL] [--within SECONDS]

Exit code 1 when something is known of one of them, with its names. When the database does not answer, it says so and
the code is 0: whoever works without a network is not held up, and nothing is taken for clean that was not looked at. It
is one request with names and versions; nothing is installed or changed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "dev.lock"
DATABASE = "https://api.osv.dev/v1/querybatch"
ABOUT = "https://osv.dev/vulnerability/"
WITHIN_S = 20.0
MOST_BYTES = 16 * 1024 * 1024
# What is known and does not touch us, by its id, with the reason.
ACCEPTED: dict[str, str] = {}

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


class Pin(NamedTuple):
    """One version in the lock."""

    name: str
    version: str


class Unreached(Exception):
    """The database did not answer, or not with what it should."""


def pins(lock: str) -> list[Pin]:
    """Every version that a lock names."""
    return [Pin(*found) for found in _PIN.findall(lock)]


def known(listed: Sequence[Pin], database: str, within_s: float) -> dict[Pin, list[str]]:
    """The ids of what is known, by version. Raises Unreached."""
    told: list[Any] = []

    def ask() -> None:
        try:
            told.append(_answer(listed, database, within_s))
        except (OSError, ValueError, RecursionError, HTTPException) as error:
            told.append(error)

    asking = threading.Thread(target=ask, daemon=True)  # looking up a name has no timeout of its own
    asking.start()
    asking.join(within_s)
    if not told:
        raise Unreached(f"no answer within {within_s:g} s")
    if isinstance(told[0], Exception):
        raise Unreached(str(told[0]) or type(told[0]).__name__)
    try:
        results = told[0]["results"]
        ids = [[one["id"] for one in result.get("vulns") or ()] for result in results]
    except (AttributeError, KeyError, TypeError):
        raise Unreached("the answer has another form") from None
    if len(ids) != len(listed):
        raise Unreached("the answer is about something else")
    return {pin: sorted(found) for pin, found in zip(listed, ids, strict=True) if found}


def _answer(listed: Sequence[Pin], database: str, within_s: float) -> Any:
    queries = [{"package": {"name": pin.name, "ecosystem": "PyPI"}, "version": pin.version} for pin in listed]
    body = json.dumps({"queries": queries}).encode()
    request = Request(database, body, {"content-type": "application/json", "user-agent": "comity-audit"})
    with urlopen(request, timeout=within_s) as response:
        return json.loads(response.read(MOST_BYTES))


def main(arguments: Sequence[str] | None = None) -> int:
    """As the module says."""
    parser = argparse.ArgumentParser(description="Ask whether a vulnerability is known of any version in the lock.")
    parser.add_argument("lock", nargs="?", type=Path, default=LOCK)
    parser.add_argument("--database", default=DATABASE)
    parser.add_argument("--within", type=float, default=WITHIN_S)
    asked = parser.parse_args(arguments)
    listed = pins(asked.lock.read_text(encoding="utf-8"))
    if not listed:
        print(f"audit: {asked.lock} names no versions")
        return 1
    try:
        found = known(listed, asked.database, asked.within)
    except Unreached as why:
        print(f"audit: skipped, the {len(listed)} versions in {asked.lock.name} were not looked up: {why}")
        return 0
    open_ = {pin: [one for one in ids if one not in ACCEPTED] for pin, ids in found.items()}
    for pin, ids in open_.items():
        for one in ids:
            print(f"audit: {pin.name} {pin.version}: {one} {ABOUT}{one}")
    failed = any(open_.values())
    print(
        f"audit: {'something is' if failed else 'nothing is'} known of the {len(listed)} versions in {asked.lock.name}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
