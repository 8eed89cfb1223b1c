"""Moving the base to what was checked, and taking back a move that was broken off.

Git changes the files of a checkout first, then its index, then the branch. Whoever is killed in between leaves a
checkout in which some files are those of the new commit already. Only such files are put back; whatever else somebody
changed there stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import os

from comity.kernel.named_tuple import NamedTuple
from comity.system import git_locks, git_refs, git_worktrees, repository
from comity.system.git_change import GitChange
from comity.system.git_look import GitLook
from comity.system.repository import Repository

_MOST_BYTES = 200_000_000
_AT_ONCE = 200
_NOTHING, _LINK, _SUBMODULE = "000000", "120000", "160000"


class _Entry(NamedTuple):
    """A file in which two commits differ: its mode before (``000000``: none), and its mode and object afterwards."""

    name: str
    before: str
    after: str
    content: str


def land(there: Repository, base: str, before: str, after: str, keeps: tuple[int, ...] = ()) -> str:
    """Move a branch forward, if it is where it was; why not, or an empty text. Where it is checked out, the checkout
    moves with it.
    """
    own = _checkout(there, base)
    if own is None:
        done = GitChange(there, keeps=keeps).run("update-ref", f"refs/heads/{base}", after, before)
        return "" if done.done else done.told
    if git_refs.find(there, f"refs/heads/{base}") != before:
        return "it moved"
    done = GitChange(own, keeps=keeps).run("merge", "--ff-only", "-q", after)
    return "" if done.done else done.told


def has_landed(there: Repository, base: str, after: str) -> bool:
    """Whether the base has a commit."""
    now = git_refs.find(there, f"refs/heads/{base}")
    if now is None or now == after:
        return now == after
    with GitLook(there) as look:
        return look.ask("merge-base", "--is-ancestor", after, now) is not None


def clear_locks(there: Repository, base: str) -> None:
    """Take away the locks that a killed git left at the base."""
    own = _checkout(there, base)
    private = git_locks.of_checkout(own.private) if own is not None else []
    git_locks.clear([*git_locks.of_branch(there, base), *private])


def take_back(there: Repository, base: str, before: str, after: str) -> None:
    """Put the checkout of the base back, as far as a broken off move had changed it."""
    own = _checkout(there, base)
    if own is None or git_refs.find(there, f"refs/heads/{base}") != before:
        return
    change = GitChange(own)
    with GitLook(own, compares=True) as look:
        moved = [one for one in _entries(look, before, after) if _is_after(change, look, own, one)]
    for at in range(0, len(moved), _AT_ONCE):
        part = moved[at : at + _AT_ONCE]
        old = [one.name for one in part if one.before != _NOTHING]
        new = [one.name for one in part if one.before == _NOTHING]
        if old:
            change.run("checkout", "-q", before, "--", *old)
        for name in new:
            _unlink(own.checkout, name)
        if new:
            change.run("update-index", "--force-remove", "--", *new)
    change.run("update-index", "-q", "--refresh")


def _checkout(there: Repository, base: str) -> Repository | None:
    place = next((one for one in git_worktrees.listed(there) if one.branch == base and one.there), None)
    return None if place is None else Repository(place.path, place.private, there.common)


def _entries(look: GitLook, before: str, after: str) -> list[_Entry]:
    fields = (look.ask("diff-tree", "-r", "-z", "--raw", "--no-renames", before, after) or "").split("\0")
    found = []
    for told, name in zip(fields[::2], fields[1::2], strict=False):
        words = told.lstrip(":").split()
        if len(words) == 5 and _SUBMODULE not in words[:2]:
            found.append(_Entry(name, words[0], words[1], words[3]))
    return found


def _is_after(change: GitChange, look: GitLook, own: Repository, one: _Entry) -> bool:
    """Whether a file is as it is afterwards, whole or in part, or not there: so there is nobody's work in it."""
    path = os.path.join(own.checkout, one.name)
    if not os.path.lexists(path):
        return True
    if one.after == _NOTHING:
        return False
    if os.path.islink(path):
        data = os.fsencode(os.readlink(path))
        made = hashlib.sha1 if len(one.content) == 40 else hashlib.sha256
        return one.after == _LINK and made(b"blob %d\0" % len(data) + data).hexdigest() == one.content
    if not os.path.isfile(path):
        return False
    if change.run("hash-object", "--", one.name).told == one.content:
        return True
    try:
        data = repository.read(path, _MOST_BYTES)
    except OSError:
        return False
    whole = look.ask("cat-file", "blob", one.content)
    return whole is not None and whole.encode("utf-8", "surrogateescape").startswith(data)


def _unlink(checkout: str, name: str) -> None:
    """Take a file away, and the folders that are empty then."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(checkout, name))
    folder = os.path.dirname(name)
    with contextlib.suppress(OSError):
        while folder:
            os.rmdir(os.path.join(checkout, folder))
            folder = os.path.dirname(folder)
