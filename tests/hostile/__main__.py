"""Try hostile repositories by hand.

python -m tests.hostile --list
python -m tests.hostile NAME [NAME ...] [--door GROUP] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.hostile.repositories import PLAIN, REPOSITORIES
from tests.hostile.trial import Trial, learn
from tests.hostile.world import World


def main() -> int:
    """The exit code: 1 when there is a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="repositories, or how their names begin")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--door", default="", help="only groups that begin so: hooks, mcp, serve, looks, canary")
    parser.add_argument("--few", action="store_true", help="hooks of two hosts only, as the tests do")
    parser.add_argument("--keep", help="build the first one in this folder, and run nothing")
    parser.add_argument("--said", action="store_true", help="print what doctor, status and others told")
    given = parser.parse_args()
    known = [PLAIN, *REPOSITORIES]
    if given.list:
        print("\n".join(f"{one.name}: {one.doc}" for one in known))
        return 0
    names = {one.name for one in known}
    begun = tuple(name for name in given.names if name not in names)
    chosen = [one for one in known if one.name in given.names or (begun and one.name.startswith(begun))]
    if given.keep:
        world = World(Path(os.path.realpath(given.keep)))
        world.prepare()
        chosen[0].build(world.folder, world)
        print(f"cd {world.folder}; export HOME={world.me}")
        return 0
    faults = 0
    with tempfile.TemporaryDirectory(prefix="comity-hostile-") as folder:
        world = World(Path(os.path.realpath(folder)))
        world.prepare()
        learn(world)
        for one in chosen:
            found = Trial(world, one, known.index(one), whole=not given.few, only=given.door).verdict()
            faults += len(found.faults)
            print(f"{one.name}: {found.processes} processes, slowest {found.slowest} {found.slowest_ms:.0f} ms")
            print("".join(f"  {fault}\n" for fault in found.faults), end="")
            print(found.said if given.said else "", end="")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
