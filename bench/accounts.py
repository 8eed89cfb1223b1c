"""What the kernel tells of a process that is measured."""

from __future__ import annotations

import os
import subprocess
from typing import Any


class Accounted:
    """Something that runs as ``process``."""

    process: subprocess.Popen[Any]

    def status(self, field: str) -> int:
        """A number of ``/proc/PID/status``, such as VmRSS in KiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))

    def processor_s(self) -> float:
        """Processor time so far, in seconds."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
