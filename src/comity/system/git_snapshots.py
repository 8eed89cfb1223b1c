"""A commit of a checkout as it is now, uncommitted work included. Nothing in the repository changes.

The commit lies in a folder of objects of its own, which has those of the repository behind it. Its name depends on
nothing but what is in it, so the same state is the same commit. What can go wrong: files under a filter are taken as
they lie on the disk; large files, and more than there is room for, are left out.
"""

from __future__ import annotations

import os
import shutil

from comity.kernel.named_tuple import NamedTuple
from comity.system import git, repository
from comity.system.git_look import GitLook
from comity.system.repository import Repository

MOST_FILES = 2000
MOST_FILE_BYTES = 5_000_000
_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "comity"), ("EMAIL", "comity@localhost"), ("DATE", "1000000000 +0000"))
}


class Snapshot(NamedTuple):
    """A checkout as it is: the commit that stands for it, the one that is checked out, and the files that differ.

    ``left_out``: files that are too large, or too many.
    """

    commit: str
    head: str
    changed: tuple[str, ...]
    left_out: int = 0


def take(there: Repository, head: str, objects: str) -> Snapshot | None:
    """The state of a checkout with the commit ``head`` checked out; None when git does not tell, as in a merge."""
    found = git.changed(there.checkout)
    if found is None:
        return None
    names = sorted({*_names(there, found.tracked), *_names(there, found.untracked)})
    wanted = [name for name in names if _is_small(os.path.join(there.checkout, name))][:MOST_FILES]
    left_out = len(names) - len(wanted)
    if not wanted:
        return Snapshot(head, head, (), left_out)
    with GitLook(there, compares=True, objects=objects) as look:
        commit = _commit(look, _to_be_added(there, wanted), head)
    return None if commit is None else Snapshot(commit, head, tuple(wanted), left_out)


def _commit(look: GitLook, names: list[str], head: str) -> str | None:
    if not look.shadow:
        return None
    index, listing = os.path.join(look.shadow, "index"), os.path.join(look.shadow, "names")
    try:
        if repository.kind_at(own := os.path.join(look.there.private, "index")) == "file":
            shutil.copy2(own, index)  # with its time, by which git knows what was written just then
        with open(listing, "wb") as file:
            file.write(b"\0".join(map(os.fsencode, names)))
    except OSError:
        return None
    look.stand_on(index)
    added = (
        ""
        if not names
        else look.ask("add", "--all", "--force", f"--pathspec-from-file={listing}", "--pathspec-file-nul")
    )
    tree = look.ask("write-tree") if added is not None else None
    if not tree:
        return None
    if tree.strip() == (look.ask("rev-parse", f"{head}^{{tree}}") or "").strip():
        return head
    look.environment.update(_AUTHOR)
    made = look.ask("commit-tree", tree.strip(), "-p", head, "-m", "as it is")
    return made.strip() if made else None


def _to_be_added(there: Repository, names: list[str]) -> list[str]:
    """Without those that the index knows to be gone: git takes their names for mistakes."""
    gone = [name for name in names if not os.path.lexists(os.path.join(there.checkout, name))]
    known = git.indexed(there.checkout, gone) if gone else set()
    return [name for name in names if name not in gone or known is None or name in known]


def _names(there: Repository, paths: list[str]) -> list[str]:
    top = os.path.join(there.checkout, "")
    names = [path.removeprefix(top) for path in paths if path.startswith(top)]
    return [name for name in names if not name.startswith((".macp/", ".masc/", ".worktrees/"))]


def _is_small(path: str) -> bool:
    """Whether it is small enough; what is gone is a deletion, and no file of a submodule or of another checkout."""
    try:
        return os.lstat(path).st_size <= MOST_FILE_BYTES and not os.path.isdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
