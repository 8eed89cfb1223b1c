"""``python -m comity.demo``: the demo without the command line around it."""

from __future__ import annotations

import argparse
import os
import sys

from comity.demo.run import run
from comity.kernel.problem import Problem


def main() -> int:
    """Run the demo with the options of ``comity demo``."""
    parser = argparse.ArgumentParser(
        prog="python -m comity.demo", description="Four agents share out tasks through one file."
    )
    parser.add_argument("--tasks", type=int, default=12, help="how many tasks they share out (default: 12)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--seed", type=int, default=7, help="decides the order of the tasks")
    parser.add_argument("--keep", action="store_true", help="leave the temporary repository")
    chosen = parser.parse_args()
    try:
        return run(tasks=chosen.tasks, json_output=chosen.json, seed=chosen.seed, keep=chosen.keep)
    except Problem as problem:
        sys.stderr.write(f"error: {problem.message}\nhint: {problem.hint}\n")
        return problem.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that nothing fails at exit
        return 141


if __name__ == "__main__":
    sys.exit(main())
