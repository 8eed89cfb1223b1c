"""A process that runs a Python program which can be stopped: ``python -m tests.system.running FOLDER PROGRAM ...``."""

from __future__ import annotations

import sys

from comity.mcp.surface import Cancellation
from comity.system import processes

if __name__ == "__main__":
    folder, *program = sys.argv[1:]
    processes.run(
        (sys.executable, "-c", *program),
        folder=folder,
        environment={},
        most_bytes=1000,
        most_s=600,
        stop=Cancellation(),
    )
