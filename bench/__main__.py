"""``python -m bench [names]``: run benchmarks, each in a process of its own, and say which bars are met."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import apsw

from bench.figures import Figure, Options, lines, markdown

# In this order; the module of the same name holds ``measure``.
NAMES = (
    *("send", "broadcast", "poll", "ack", "growth", "flat_out", "paced", "wake", "idle", "start", "memory", "herd"),
    "reachable",
    *(
        "claims",
        "tasks",
        "hook",
        "hook_launcher",
        "race",
        "search",
        "languages",
        "vault",
        "serve",
        "calls",
        "events",
        "chaos",
        "guard",
        "hosts",
    ),
    "listeners",
    *(
        "hostile",
        "flood",
        "replaced",
        "ended",
        "once",
        "jobs",
        "faults",
        "net",
        "radar",
        "worktree_kills",
        "before",
        "before_served",
        "beside",
    ),
    *("hooks_only", "line"),
)
# Ten minutes; ten; half an hour, and programs that `make hosts` installs; five minutes; five; ten, with strace; two;
# three quarters of an hour; three; seven; five; half a minute; two, with BEFORE; one, with ORIGINAL.
ONLY_WHEN_NAMED = (
    *("chaos", "guard", "hosts", "listeners", "hostile", "faults", "net", "radar", "worktree_kills"),
    *("flood", "replaced", "ended", "once", "jobs", "before", "before_served", "beside", "hooks_only", "line"),
)
PAGE = Path("docs/benchmarks.md")
MARKER = "<!-- written by"


def main() -> int:
    """The exit code: 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which ones: {', '.join(NAMES)} (all but {', '.join(ONLY_WHEN_NAMED)})",
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the time; the figures prove nothing")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    parser.add_argument("--markdown", action="store_true", help=f"write the table of {PAGE}")
    parser.add_argument("--folder", help="where the database files lie (a temporary folder)")
    parser.add_argument("--here", action="store_true", help="in this process: for profilers, one NAME only")
    given = parser.parse_args()
    unknown = set(given.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    names = [name for name in NAMES if name in given.names or not (given.names or name in ONLY_WHEN_NAMED)]
    load = os.getloadavg()[0]
    figures: list[Figure] = []
    for name in names:
        if given.here:
            measured: list[Figure] = import_module(f"bench.{name}").measure(Options(given.quick, given.folder))
        else:
            measured = _apart(name, given.quick, given.folder)
        figures += measured
        if not (given.here and given.json):  # whoever reads that says it
            print(
                "\n".join(lines(measured)), file=sys.stderr if given.json or given.markdown else sys.stdout, flush=True
            )
    if given.json:
        print(json.dumps([figure.as_dict() for figure in figures], indent=1))
    if given.markdown:
        _write_table(figures, " ".join(sys.argv[1:]), load)
    return 0 if all(figure.met for figure in figures) else 1


def _apart(name: str, quick: bool, folder: str | None) -> list[Figure]:
    """Measured in a process of its own, so that no benchmark warms or burdens another."""
    command = [sys.executable, "-m", "bench", name, "--here", "--json"]
    command += ["--quick"] * quick + (["--folder", folder] if folder else [])
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode} and no figures")
    return [Figure(**{key: value for key, value in one.items() if key != "met"}) for one in json.loads(done.stdout)]


def _write_table(figures: list[Figure], arguments: str, load: float) -> None:
    """Everything below the marker in the page is replaced."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    system = f"{platform.system()} {platform.release()}"
    machine = f"{len(models)} cores ({models[0] if models else platform.machine()}), {system}"
    versions = f"Python {platform.python_version()}, apsw {apsw.apsw_version()} (SQLite {apsw.sqlite_lib_version()})"
    table = [
        f"{datetime.now(UTC):%Y-%m-%d}; {machine}; {versions}.",
        f"Load of the machine before it began: {load:.1f}. Command: `python -m bench {arguments}`.",
        "",
        *markdown(figures),
    ]
    page = PAGE.read_text(encoding="utf-8")
    kept = page[: page.index("\n", page.index(MARKER)) + 1]
    PAGE.write_text(kept + "\n" + "\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
