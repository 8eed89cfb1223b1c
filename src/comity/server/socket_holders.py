"""Which process has a socket open: found among the descriptors below ``/proc`` (proc(5)), by the socket's inode.

Only processes that this one may look into are seen: those of the same user. Elsewhere than on Linux none is.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import suppress

from comity import process

Process = tuple[int, str]  # pid, and when it was started


def descriptors(inodes: Collection[int]) -> dict[int, int]:
    """By inode: our own descriptors of these sockets."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    return {wanted[link]: number for number, link in _links("/proc/self/fd") if link in wanted}


def holders(inodes: Collection[int], first: Collection[int] = ()) -> dict[int, Process]:
    """By inode: the process that has the socket open, as far as it can be seen. Those ``first`` are looked at first."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, Process] = {}
    own = os.getpid()
    with suppress(OSError):
        there = {int(name) for name in os.listdir("/proc") if name.isdigit()} - {own}
        for pid in [*(pid for pid in first if pid in there), *sorted(there - set(first)), own]:
            held = [wanted.pop(link) for _, link in _links(f"/proc/{pid}/fd") if link in wanted]
            if held:
                one = pid, process.look(pid).started
                found |= dict.fromkeys(held, one)
            if not wanted:
                break
    return found


def lives(found: Process) -> bool:
    """Whether it is still that process."""
    seen = process.look(found[0])
    return seen.state == "running" and seen.started == found[1]


def _links(folder: str) -> Iterator[tuple[int, str]]:
    names: list[str] = []
    with suppress(OSError):  # another user's, or it ended just now
        names = os.listdir(folder)
    for name in names:
        with suppress(OSError):
            yield int(name), os.readlink(f"{folder}/{name}")
