"""The agent hosts that the tests drive, at their pinned versions, in a folder outside the checkout.

``python -m tests.hosts.programs`` installs with npm what is missing (about 1.3 GB in all) and prints the folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

FOLDER = "COMITY_HOST_PROGRAMS"  # the environment variable that names the folder, and has the tests run


class Program(NamedTuple):
    """One host's package of the npm registry."""

    package: str
    version: str
    command: str
    beside: tuple[str, ...] = ()  # packages of the same version, which the host would fetch at its first start

    @property
    def folder(self) -> str:
        return f"{self.command}-{self.version}"


PROGRAMS = {
    "claude-code": Program("@anthropic-ai/claude-code", "2.1.197", "claude"),
    "codex": Program("@openai/codex", "0.169.0", "codex"),
    "gemini-cli": Program("@google/gemini-cli", "0.61.0", "gemini"),
    "opencode": Program("opencode-ai", "1.18.33", "opencode", ("@opencode-ai/plugin",)),
}


def folder() -> Path:
    """Where the programs are installed."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(os.environ.get(FOLDER) or Path(cache) / "comity" / "hosts")


def modules(host: str) -> Path:
    return folder() / PROGRAMS[host].folder / "node_modules"


def executable(host: str) -> Path:
    return modules(host) / ".bin" / PROGRAMS[host].command


def install() -> None:
    """Whatever is missing, each into a folder of its own, which is there only when it is whole."""
    for host, program in PROGRAMS.items():
        if executable(host).exists():
            continue
        print(f"installing {program.package} {program.version}", file=sys.stderr, flush=True)
        target = folder() / program.folder
        half = target.with_name(f"{target.name}.part-{os.getpid()}")
        half.mkdir(parents=True)
        wanted = [f"{package}@{program.version}" for package in (program.package, *program.beside)]
        npm = ["npm", "install", "--prefix", str(half), "--no-audit", "--no-fund", "--no-save", *wanted]
        done = subprocess.run(npm, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            shutil.rmtree(half)
            raise SystemExit(f"npm could not install {' '.join(wanted)}:\n{done.stdout}")
        shutil.rmtree(target, ignore_errors=True)
        half.rename(target)


if __name__ == "__main__":
    if shutil.which("npm") is None:
        raise SystemExit("npm is not installed; the hosts are packages of the npm registry (Node 20 or newer).")
    install()
    print(folder())
