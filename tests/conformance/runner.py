"""Runs the public MCP conformance runner against our core over HTTP: ``python -m tests.conformance.runner``.

The runner is a program of the npm registry, installed once into a cache outside the checkout; with ``--install``
nothing more happens. It fails on a check that fails and does not stand in ``expected.yml``, and on an entry there
whose check passes. Here fail, too: an entry that no run has met, and a check that it does not score, but for tasks.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import npm
from tests.conformance.serving import serving

PACKAGE, VERSION = "@modelcontextprotocol/conformance", "0.2.0-alpha.12"
OLDEST_NODE = 22
RUN_S = 120.0
EXPECTED = Path(__file__).with_name("expected.yml")
RUNS = (
    ("2025-06-18", ("--suite", "all", "--spec-version", "2025-06-18")),
    ("2025-11-25", ("--requirements", "2025-11-25")),
    ("2026-07-28", ("--requirements", "2026-07-28")),
)
_FAILED = ("FAILURE", "WARNING")
_EXTENSION = "tasks-"  # scenarios of an extension that Comity has not
_ENTRY = re.compile(r"^ *- +([a-z0-9-]+):(\S+) +# \S.*$")
_RESULTS = re.compile(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z")


def folder() -> Path:
    """Where the runner is installed, and its node."""
    return npm.cache("conformance")


def script() -> Path:
    """The runner itself."""
    return folder() / f"runner-{VERSION}" / "node_modules" / PACKAGE / "dist" / "index.js"


def install() -> None:
    """Install what is missing. Raises SystemExit where that cannot be done."""
    npm.npm(folder(), OLDEST_NODE)
    if not script().exists():
        print(f"installing {PACKAGE} {VERSION}", file=sys.stderr, flush=True)
        npm.install(folder(), folder() / f"runner-{VERSION}", OLDEST_NODE, "--ignore-scripts", f"{PACKAGE}@{VERSION}")


def entries() -> list[str]:
    """What may fail, as scenario:check. Raises SystemExit for a line without a reason."""
    found = []
    for line in EXPECTED.read_text().splitlines():
        if line.lstrip().startswith("-"):
            matched = _ENTRY.match(line)
            if matched is None:
                raise SystemExit(f"{EXPECTED.name}: write `- scenario:check  # why`, not {line.strip()!r}")
            found.append(f"{matched[1]}:{matched[2]}")
    return found


def run(url: str, asked: tuple[str, ...], results: Path) -> tuple[int, str]:
    """One run of the runner: its exit code, and what it said."""
    own = npm.own_node(folder())
    node = str(own) if own.exists() else "node"
    command = [node, str(script()), "server", "--url", url, *asked]
    done = subprocess.run(
        [*command, "--expected-failures", str(EXPECTED), "--output-dir", str(results)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    return done.returncode, done.stdout


def outcomes(results: Path) -> Iterator[tuple[str, str]]:
    """Each check as scenario:check, and how it went."""
    for file in sorted(results.glob("*/checks.json")):
        named = _RESULTS.fullmatch(file.parent.name)
        assert named is not None, f"a folder of results is called {file.parent.name}"
        for check in json.loads(file.read_text()):
            yield f"{named[1]}:{check['id']}", check["status"]


def main() -> int:
    """All runs; the exit code."""
    install()
    if sys.argv[1:] == ["--install"]:
        return 0
    expected, failed = entries(), False
    met: set[str] = set()
    with TemporaryDirectory() as temporary, serving(Path(temporary) / "project") as server:
        for version, asked in RUNS:
            results = Path(temporary) / version
            code, said = run(f"{server.url}/mcp", asked, results)
            seen = list(outcomes(results))
            passed = sum(status == "SUCCESS" for _, status in seen)
            counts = Counter(name for name, status in seen if status in _FAILED)
            met |= set(counts)
            known = sum(count for name, count in counts.items() if name in expected)
            apart = sum(count for name, count in counts.items() if name.startswith(_EXTENSION))
            print(f"MCP {version}: {passed} checks passed, {known} failed as expected, {apart} of tasks do not count")
            if code or not passed or known + apart < counts.total():
                failed = True
                others = [name for name in counts if name not in expected and not name.startswith(_EXTENSION)]
                print("\n".join(sorted(others)))
                print(said[max(said.find("=== SUMMARY ==="), 0) :])
    for name in sorted(set(expected) - met):
        failed = True
        print(f"{EXPECTED.name}: no check {name} has failed; take the line out")
    print("Not as expected." if failed else f"As expected: {len(expected)} checks may fail, each with its reason.")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
