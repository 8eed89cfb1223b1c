"""The real agent hosts, two of each at once in one repository: edits that were overwritten, messages that came late.

Each run is a seed: eight programs write the same three files whole, and tell each other of it. Needs what ``make
hosts`` installs. The same is run without the guard for comparison.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure, Options, median
from tests.e2e.hosts.crowd import Crowd, Outcome
from tests.e2e.hosts.driving import HOSTS, Stage

RUNS, UNGUARDED = 20, 3


def measure(options: Options) -> list[Figure]:
    """Two figures with a bar."""
    guarded = [_run(options, seed) for seed in range(options.size(RUNS, 2))]
    bare = [_run(options, seed, guarded=False) for seed in range(options.size(UNGUARDED, 1))]
    lost = [what for one in guarded for what in one.overwritten]
    late = [what for one in guarded for what in one.late]
    errors = [why for one in guarded for why in one.errors]
    strangers = sum(one.agents - 2 * len(HOSTS) for one in guarded)
    told = f"{sum(len(one.overwritten) for one in bare)} of {sum(one.edits for one in bare)} in {len(bare)} runs"
    return [
        Figure(
            f"edits overwritten, two of each of {len(HOSTS)} real hosts at once, {len(guarded)} runs",
            len(lost),
            "",
            "at most",
            0,
            {
                "which": ", ".join(lost) or "none",
                "edits": str(sum(one.edits for one in guarded)),
                "refused": str(sum(one.refused for one in guarded)),
                "given up after refusals": str(sum(one.given_up for one in guarded)),
                "without the guard": told,
                "median run": f"{median(one.took_s for one in guarded):.0f} s",
            },
        ),
        Figure(
            "steering and interrupt messages that were not in the recipient's next model request",
            len(late),
            "",
            "at most",
            0,
            {
                "which": ", ".join(late) or "none",
                "due": str(sum(one.due for one in guarded)),
                "in the one after, as the sender's tool had not answered yet": str(sum(one.crossed for one in guarded)),
                "sent when the recipient's model was asked no more": str(sum(one.unheard for one in guarded)),
                "hooks that failed": ", ".join(sorted(set(errors))) or "none",
                "agents beyond one for each session": str(strangers),
            },
        ),
    ]


def _run(options: Options, seed: int, *, guarded: bool = True) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="comity-hosts-", dir=options.folder) as folder:
        repo = Path(folder) / "repo"
        repo.mkdir()
        subprocess.run(["git", "init", "-q", str(repo)], check=True)
        outcome = Crowd(Stage(repo, Path(folder)), [*HOSTS, *HOSTS], seed, guarded=guarded).run()
    print(f"seed {seed}{'' if guarded else ' without the guard'}: {outcome}", file=sys.stderr, flush=True)
    return outcome
