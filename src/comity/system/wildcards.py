"""What a shell's wildcards stand for, looked up on the disk: as a shell does it, up to a bound."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

MOST = 2000
_DEEPEST = 20


def matching(pattern: str, folder: str) -> list[str]:
    """The paths that ``pattern`` means in ``folder``, as written, ``MOST`` of them; none when none is there."""
    rooted = os.path.isabs(pattern)
    names = [name for name in pattern.split("/") if name not in ("", ".")]
    found = ["/" if rooted else ""]
    for place, name in enumerate(names):
        last = place == len(names) - 1
        found = [path for one in found for path in _below(one, name, folder, last=last)]
        del found[MOST:]
    return sorted(found)


def _below(path: str, name: str, folder: str, *, last: bool) -> list[str]:
    where = os.path.join(folder, path)
    if name == "**":
        return [path, *_folders(path, where, 0)] if not last else _listed(path, where, "*")
    if not set("*?[") & set(name):
        whole = os.path.join(path, name)
        return [whole] if os.path.lexists(os.path.join(folder, whole)) else []
    return [one for one in _listed(path, where, name) if last or os.path.isdir(os.path.join(folder, one))]


def _listed(path: str, where: str, name: str) -> list[str]:
    try:
        entries = os.listdir(where or ".")
    except OSError:
        return []
    hidden, wanted = name.startswith("."), name.replace("[^", "[!")
    return [os.path.join(path, one) for one in entries if (hidden or one[0] != ".") and fnmatchcase(one, wanted)]


def _folders(path: str, where: str, depth: int) -> list[str]:
    found = []
    try:
        with os.scandir(where or ".") as entries:
            inner = [one.name for one in entries if one.is_dir(follow_symlinks=False) and one.name[0] != "."]
    except OSError:
        return []
    for name in inner if depth < _DEEPEST else ():
        whole = os.path.join(path, name)
        found += [whole, *_folders(whole, os.path.join(where, name), depth + 1)]
        if len(found) > MOST:
            break
    return found
