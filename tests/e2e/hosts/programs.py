"""The agent hosts that the tests drive, at their pinned versions, in a folder outside the checkout.

``python -m tests.e2e.hosts.programs`` installs with npm what is missing (about 2.2 GB in all) and prints the folder.
Where there is no npm, or a node older than the hosts can use, it first installs node and npm beside them, with pip.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests import npm

OLDEST_NODE = 20
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
    # Versions that take other files, events and answers than those above.
    "claude-code newer": Program("@anthropic-ai/claude-code", "2.1.332", "claude"),
    "claude-code older": Program("@anthropic-ai/claude-code", "2.1.92", "claude"),
    "codex older": Program("@openai/codex", "0.124.0", "codex"),
}


def folder() -> Path:
    """Where the programs are installed."""
    return Path(os.environ.get(FOLDER) or npm.cache("hosts"))


def modules(host: str) -> Path:
    return folder() / PROGRAMS[host].folder / "node_modules"


def executable(host: str) -> Path:
    return modules(host) / ".bin" / PROGRAMS[host].command


def path_to(names: Iterable[str]) -> str:
    """A PATH on which each of these hosts is found, in front of what else is needed."""
    return os.pathsep.join([*(str(executable(name).parent) for name in names), path()])


def path() -> str:
    """The PATH with a node that the hosts can use."""
    return npm.path(folder())


def install() -> None:
    """Whatever is missing, each into a folder of its own."""
    npm.npm(folder(), OLDEST_NODE)
    for host, program in PROGRAMS.items():
        if executable(host).exists():
            continue
        print(f"installing {program.package} {program.version}", file=sys.stderr, flush=True)
        wanted = [f"{package}@{program.version}" for package in (program.package, *program.beside)]
        npm.install(folder(), folder() / program.folder, OLDEST_NODE, *wanted)


if __name__ == "__main__":
    install()
    print(folder())
