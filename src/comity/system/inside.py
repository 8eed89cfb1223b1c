"""Folders inside a project, named by callers that cannot look for themselves; nothing outside is looked at."""

from __future__ import annotations

import os
from collections.abc import Sequence


def folder_inside(path: str, base: str, projects: Sequence[str]) -> str:
    """The path that ``path`` says by its text, from ``base``, and leads to in fact, if both are in a project; else "".

    Whether something is there is not asked. ``~`` is a home, which is elsewhere.
    """
    if not base or path.startswith("~"):
        return ""
    named = os.path.normpath(os.path.join(base, path))
    if not any(within(named, one) or within(named, os.path.realpath(one)) for one in projects):
        return ""
    folder = os.path.realpath(named)
    return folder if any(within(folder, os.path.realpath(one)) for one in projects) else ""


def within(path: str, folder: str) -> bool:
    """Whether an absolute path is a folder's own, or of something below it."""
    return path == folder or path.startswith(os.path.join(folder, ""))
