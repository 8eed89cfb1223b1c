"""Which files the commits have changed that brought HEAD from one place to another. At most two processes of git."""

from __future__ import annotations

import os
from collections.abc import Collection
from importlib import import_module

from comity.system.repository import Repository

_MOST_COMMITS = "500"
_NAMES = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")


def recorded(there: Repository, before: str, now: str, paths: Collection[str], *, rewritten: bool) -> set[str] | None:
    """Those of the absolute ``paths`` that commits reached from ``now``, and not from ``before``, have changed.

    ``rewritten``: other commits may have gone for them; then only what differs between the two counts. None for no
    answer.
    """
    wanted = {os.path.relpath(path, there.checkout).replace(os.sep, "/"): path for path in paths}
    with import_module("comity.system.git_look").GitLook(there) as look:
        others = (f"^{before}",) if before else ()
        text = look.ask("log", "--no-show-signature", "--format=", *_NAMES, "-n", _MOST_COMMITS, now, *others, "--")
        found = None if text is None else {wanted[name] for name in text.split("\0") if name in wanted}
        if found and rewritten and before:
            text = look.ask("diff-tree", "-r", *_NAMES, before, now, "--")
            found = None if text is None else found & {wanted[name] for name in text.split("\0") if name in wanted}
    return found
