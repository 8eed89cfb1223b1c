"""Lines of ``info/exclude`` in the git folder of all worktrees: what git leaves alone, whatever a branch says."""

from __future__ import annotations

import os
from collections.abc import Sequence

from comity.system import files

NAME = "info/exclude"
_MAX_BYTES = 1_000_000


def missing(git_folder: str, lines: Sequence[str]) -> list[str]:
    """Those that are not there, nor denied there (``!``). Raises OSError."""
    try:
        text = files.read(git_folder, NAME, _MAX_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        text = ""
    there = {line.strip() for line in text.splitlines()}
    return [line for line in lines if line not in there and f"!{line}" not in there]


def add(git_folder: str, lines: Sequence[str]) -> None:
    """Append those that are not there. Raises OSError."""
    wanted = missing(git_folder, lines)
    if not wanted:
        return
    files.make_folder(git_folder, "info", 0o777)
    descriptor = files.open_file(git_folder, NAME, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        size = os.fstat(descriptor).st_size
        lead = "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""
        files.write_all(descriptor, (lead + "".join(f"{line}\n" for line in wanted)).encode())
    finally:
        os.close(descriptor)
