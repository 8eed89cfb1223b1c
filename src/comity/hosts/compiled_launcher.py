"""The launcher of hooks compiled for this installation, where there is a C compiler: a tenth of an interpreter's start.

It lies in the user's data folder, next to what it was made of; once that is not what would be made of it now, it is
stale and built anew. It is never needed: what it cannot do the Python launcher does, which it starts itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import suppress

from comity import launcher

SWITCH = "COMITY_LAUNCHER"  # "python": no compiled one
_COMPILERS = ("cc", "gcc", "clang")
_BUILD_S, _TRY_S = 60, 20
_FLAGS = ("-O2", "-x", "c", "-")


def found(launched: tuple[str, ...]) -> str:
    """Its path, where it is there and not stale; else empty. ``launched`` are the Python launcher's words, whole."""
    if os.environ.get(SWITCH, "").strip().lower() == "python":
        return ""
    path = _place(launched)
    try:
        with open(f"{path}.c", encoding="utf-8") as file:
            fresh = file.read() == _source(launched)
    except (OSError, ValueError):
        return ""
    return path if fresh and os.access(path, os.X_OK) else ""


def build(launched: tuple[str, ...]) -> str:
    """Its path, made now unless it is there; empty where that cannot be done, or does not run."""
    if os.environ.get(SWITCH, "").strip().lower() == "python" or not sys.platform.startswith("linux"):
        return ""
    there = found(launched)
    compiler = _compiler()
    if there or not compiler:
        return there
    path, source = _place(launched), _source(launched)
    new = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        _run([compiler, *_FLAGS, "-o", new], source, _BUILD_S)
        _run([new, "hook", "nobody", "Trial"], "", _TRY_S)
        with open(f"{new}.c", "w", encoding="utf-8") as file:
            file.write(source)
        os.replace(new, path)
        os.replace(f"{new}.c", f"{path}.c")
    except (OSError, subprocess.SubprocessError):
        return ""
    finally:
        for left in (new, f"{new}.c"):
            with suppress(OSError):
                os.unlink(left)
    return path


def _run(command: list[str], told: str, most_s: float) -> None:
    """Raises CalledProcessError and TimeoutExpired."""
    subprocess.run(
        command, input=told.encode(), capture_output=True, timeout=most_s, check=True, cwd=os.path.abspath(os.sep)
    )


def _place(launched: tuple[str, ...]) -> str:
    """One for each installation: the program is called as people call it."""
    data = os.environ.get("XDG_DATA_HOME", "").strip()
    data = data if os.path.isabs(data) else os.path.join(os.path.expanduser("~"), ".local", "share")
    mark = hashlib.sha256("\0".join(launched).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return os.path.join(data, "comity", f"launcher-{mark}", "comity")


def _source(launched: tuple[str, ...]) -> str:
    """What is compiled."""
    with open(os.path.join(os.path.dirname(launcher.__file__), "launcher.c"), encoding="utf-8") as file:
        text = file.read()
    python, *words, folder = launched
    told = {"PYTHON": python, "LAUNCH": words[-1], "FOLDER": folder, "ASKING": os.path.join(folder, "asking.py")}
    return "".join(f"#define {name} {_quoted(value)}\n" for name, value in told.items()) + text


def _quoted(text: str) -> str:
    """A text as C has it."""
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}" for byte in os.fsencode(text))
    return f'"{"".join(plain)}"'


def _compiler() -> str:
    """A compiler that did not come with the folder in which somebody stands; empty for none."""
    here = os.path.join(os.path.realpath(os.curdir), "")
    named = (place for place in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(place))
    path = os.pathsep.join(place for place in named if not os.path.join(os.path.realpath(place), "").startswith(here))
    return next(filter(None, (shutil.which(name, path=path) for name in _COMPILERS)), "")
