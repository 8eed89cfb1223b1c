"""What git calls some files of a checkout: changed, untracked, ignored, or as the last commit has them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from comity.kernel.hints import Literal
from comity.system import git, git_index
from comity.system.git_look import GitLook
from comity.system.repository import Repository

Kind = Literal["tracked", "untracked", "ignored", ""]
_MOST_NAMED = 500  # of more, git lists everything
_STATUS = ("status", "--porcelain=v1", "-z", "--no-renames", "--ignore-submodules=all", "--untracked-files=all")


def unlike_staged(there: Repository, paths: Sequence[str]) -> set[str] | None:
    """Those of these staged paths, from the top of the checkout, that have other content in the work tree than in the
    index; None for no answer.
    """
    with GitLook(there, compares=True) as look:
        text = look.ask(*_STATUS, "--", *(paths if len(paths) <= _MOST_NAMED else ()))
    if text is None:
        return None
    return {field[3:] for field in text.split("\0") if len(field) > 3 and field[0] not in " ?" and field[1] != " "}


def kinds(there: Repository, paths: Sequence[str]) -> dict[str, Kind] | None:
    """Each of these paths, from the top of the checkout: ``tracked`` and changed, ``untracked``, ``ignored``.

    Empty for a file that is as the last commit has it, and for nothing there. None when git does not say.
    """
    named = paths if len(paths) <= _MOST_NAMED else ()
    with GitLook(there, compares=True) as look:
        text = look.ask(*_STATUS, "--", *named)
    if text is None:
        return None
    said = {field[3:]: "untracked" if field[:2] == "??" else "tracked" for field in text.split("\0") if len(field) > 3}
    quiet = [path for path in paths if path not in said and os.path.lexists(os.path.join(there.checkout, path))]
    known = git_index.listed(there.private, quiet) if quiet else set()
    if known is None:
        known = git.indexed(there.checkout, quiet)
    if known is None:
        return None
    found: dict[str, Kind] = {}
    for path in paths:
        kind = said.get(path, "ignored" if path in quiet and path not in known else "")
        found[path] = "tracked" if kind == "tracked" else "untracked" if kind == "untracked" else kind  # type: ignore[assignment]
    return found
