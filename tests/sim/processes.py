"""Starting the programs of this folder as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def spawn(module: str, *arguments: object) -> subprocess.Popen[bytes]:
    """``python -m module arguments``; its output is a pipe, its input too."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    )


def lines(output: bytes) -> list[Any]:
    """What a writer told; a line that its death cut off is not a promise."""
    return [json.loads(line) for line in output.split(b"\n")[:-1]]
