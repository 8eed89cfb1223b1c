"""Questions to git about a repository. Nothing that the repository brings is executed, whatever it configures.

Every question goes to a shadow of the git folder (``git_shadow``). None is no answer: there was no time, or something
there cannot be read; that is not the same as an empty one. Always asked before a transaction, never inside one.
"""

from __future__ import annotations

import os
import re

from comity.kernel.named_tuple import NamedTuple
from comity.system import files, git_refs, repository
from comity.system.git_look import GitLook
from comity.system.repository import Repository, Settings

MAX_FILES = 50_000
MAX_SUBMODULES = 100
MAX_DEPTH = 5
MOST_LOST_COMMITS = 20
_MAX_MODULES_BYTES = 1_000_000
_MAX_FILTERED = 1000
_MAX_NAMED_BYTES = 100_000  # in arguments; of more, git lists everything
_DIFF = ("--no-renames", "--no-ext-diff", "--no-textconv")
_LOG = ("log", "--no-show-signature", "--no-mailmap", *_DIFF, "--ignore-submodules=all")


class ChangedPaths(NamedTuple):
    """Paths of a work tree that differ from the last commit, absolute."""

    tracked: list[str]
    untracked: list[str]
    ignored: list[str]


class Stash(NamedTuple):
    """One stash entry."""

    name: str
    made_ms: int


class Commit(NamedTuple):
    """A commit: when it was written, and the files that it changes, absolute."""

    written_s: int
    files: list[str]


def top(folder: str) -> str | None:
    """The work tree around a folder, links resolved; no process is started."""
    found = repository.around(folder)
    return None if found is None or found.bare else found.checkout


def changed(folder: str, *, untracked: bool = True, ignored: bool = False) -> ChangedPaths | None:
    """What differs in the work tree of ``folder``, and in its submodules; all empty where there is no work tree.

    None for no answer, and for more than ``MAX_FILES``. A file under a filter counts as changed when it was written
    since git looked at it last: the filter is not run. Of more than ``MAX_SUBMODULES``, or deeper ones than
    ``MAX_DEPTH``, the rest counts as changed as a whole.
    """
    found = repository.around(folder)
    if found is None or found.bare:
        return ChangedPaths([], [], [])
    asked = ["--untracked-files=all" if untracked else "--untracked-files=no"]
    asked += ["--ignored=traditional"] if ignored else []
    walk = _Walk(tuple(asked))
    return walk.found if walk.into(found, 0) else None


class _Walk:
    """Looks at a checkout and the submodules inside."""

    def __init__(self, asked: tuple[str, ...]) -> None:
        self.found = ChangedPaths([], [], [])
        self._asked = ("status", "--porcelain=v1", "-z", "--no-renames", "--ignore-submodules=all", *asked)
        self._users: Settings | None = None
        self._left = MAX_SUBMODULES

    def into(self, there: Repository, depth: int) -> bool:
        """Add what differs there; whether git told all."""
        with GitLook(there, compares=True, users=self._users) as look:
            text = look.ask(*self._asked)
            inner = _submodules(look) if text is not None else None
            if text is None or inner is None:
                return False
            self._users = look.users
            self._add(look, text)
        if sum(map(len, self.found)) > MAX_FILES:
            return False
        for submodule, recorded in inner:
            head = git_refs.head(submodule)
            within = self._left > 0 and depth < MAX_DEPTH
            if not within or head is None or head.commit != recorded:
                self.found.tracked.append(submodule.checkout)
            self._left -= 1
            if within and not self.into(submodule, depth + 1):
                return False
        return True

    def _add(self, look: GitLook, text: str) -> None:
        fields = [field for field in text.split("\0") if len(field) > 3]
        same = _as_last_seen(look, [field[3:] for field in fields if field[:2] == " M"])
        for field in fields:
            path = os.path.join(look.there.checkout, field[3:])
            kind = {"??": self.found.untracked, "!!": self.found.ignored}.get(field[:2], self.found.tracked)
            if field[3:] not in same and not path.startswith(look.shadow):
                kind.append(path)


_KNOWN = re.compile(
    r"([^\0]+)\0  ctime: \d+:\d+\n  mtime: (\d+):(\d+)\n  dev: [^\n]*\n  uid: [^\n]*\n  size: (\d+)\tflags: \w+\n"
)


def _as_last_seen(look: GitLook, paths: list[str]) -> set[str]:
    """Those under a filter that were not written since git looked at them: without the filter their content differs."""
    known = {**look.own, **(look.users or {})}
    if not any(key.startswith(("filter.", "include")) for key in known) or not 0 < len(paths) <= _MAX_FILTERED:
        return set()
    told = (look.ask("check-attr", "-z", "filter", "--", *paths) or "").split("\0")
    filters = zip(told[::3], told[2::3], strict=False)
    filtered = [path for path, name in filters if name not in ("unspecified", "unset", "set", "")]
    text = look.ask("ls-files", "-z", "--debug", "--", *filtered) if filtered else None
    same = set()
    for path, seconds, nanoseconds, size in _KNOWN.findall(text or ""):
        try:
            seen = os.lstat(os.path.join(look.there.checkout, path))
        except OSError:
            continue
        at_s, rest_ns = divmod(seen.st_mtime_ns, 1_000_000_000)
        when = at_s & 0xFFFFFFFF == int(seconds) and int(nanoseconds) in (0, rest_ns)
        if when and seen.st_size & 0xFFFFFFFF == int(size):
            same.add(path)
    return same


def _submodules(look: GitLook) -> list[tuple[Repository, str]] | None:
    """Submodules that are checked out, and the commit that the index has of each; None for no answer."""
    top = look.there.checkout
    try:
        listed = repository.parsed(os.fsdecode(files.read(top, ".gitmodules", _MAX_MODULES_BYTES)))
    except OSError:
        return []
    named = [value for key, value in listed.items() if key.startswith("submodule.") and key.endswith(".path")]
    paths = [path for path in named if path and not os.path.isabs(path) and ".." not in path.split("/")]
    few = paths if sum(map(len, paths)) < _MAX_NAMED_BYTES else []
    text = look.ask("ls-files", "-z", "--stage", "--", *few) if paths else ""
    found = []
    for line in (text or "").split("\0"):
        entry, _, path = line.partition("\t")
        mode, _, rest = entry.partition(" ")
        whole = os.path.join(top, path)
        there = repository.around(whole) if mode == "160000" and os.path.realpath(whole) == whole else None
        if there is not None and there.checkout == whole:
            found.append((there, rest.partition(" ")[0]))
    return None if text is None else found


def stashes(folder: str) -> list[Stash]:
    """The stash, newest first; no process is started."""
    found = repository.around(folder)
    entries = git_refs.reflog(found, "refs/stash") if found else []
    return [Stash(f"stash@{{{place}}}", entry.made_s * 1000) for place, entry in enumerate(entries)]


def stashed_files(folder: str, entry: str) -> list[str] | None:
    """What a stash entry (``stash@{0}``) changes, from the top of the work tree."""
    found = repository.around(folder)
    if found is None:
        return []
    entries = git_refs.reflog(found, "refs/stash")
    number = entry.removeprefix("stash@{").removesuffix("}")
    if not (number.isascii() and number.isdigit() and int(number) < len(entries)):
        return []
    commit = entries[int(number)].commit
    with GitLook(found) as look:
        text = look.ask("diff-tree", "-r", "-z", "--name-only", *_DIFF, f"{commit}^1", commit, "--")
    return None if text is None else [path for path in text.split("\0") if path]


def overwritten_commits(folder: str, named: tuple[str, ...]) -> list[str] | None:
    """Commits of the remote branch, as far as it is known here, that a forced push would take away from it.

    ``named`` is what stands after ``git push``: the remote, and what is pushed.
    """
    found = repository.around(folder)
    if found is None:
        return []
    remote = named[0] if named else "origin"
    source, _, target = (named[1] if len(named) > 1 else "HEAD").partition(":")
    branch = target or source
    if branch in ("HEAD", "@", ""):
        head = git_refs.head(found)
        branch = head.branch if head else ""
    branch = branch.removeprefix("refs/heads/")
    known = git_refs.find(found, f"refs/remotes/{remote}/{branch}") if branch else None
    pushed = git_refs.resolve(found, source or "HEAD")
    if known is None or pushed is None:
        return []
    with GitLook(found) as look:
        most = ("-n", str(MOST_LOST_COMMITS))
        text = look.ask(*_LOG, "--format=%h %s (%an)", *most, known, "--not", pushed, "--")
    return None if text is None else [line for line in text.splitlines() if line]


def brought(folder: str, commit: str, paths: list[str]) -> list[str]:
    """Those of ``paths``, absolute, that a commit has, or the branch of a remote that would be made one's own.

    ``commit`` is what somebody typed: a branch, a tag, an id. What is not found has none of them.
    """
    there = repository.around(folder)
    inside = (
        [os.path.relpath(path, there.checkout) for path in paths if _lies_in(path, there.checkout)] if there else []
    )
    if there is None or there.bare or not inside:
        return []
    found = git_refs.resolve(there, commit)
    if found is None:
        remotes = git_refs.below(there, "refs/remotes/")
        found = next((at for name, at in remotes.items() if name.split("/", 3)[-1] == commit), None)
    if found is None:
        return []
    with GitLook(there) as look:
        text = look.ask("ls-tree", "-r", "-z", "--name-only", "--full-tree", found, "--", *inside)
    return [os.path.join(there.checkout, name) for name in (text or "").split("\0") if name]


def indexed(checkout: str, names: list[str]) -> set[str] | None:
    """Those of ``names``, with ``/`` from the top of the checkout, that its index has; for what is not read by hand."""
    there = repository.around(checkout)
    if there is None or there.bare:
        return set()
    with GitLook(there) as look:
        text = look.ask("ls-files", "-z", "--full-name", "--", *names)
    return None if text is None else {name for name in text.split("\0") if name}


def staged(there: Repository, index: str | None = None) -> list[str] | None:
    """What a commit of the index would change, absolute; of ``index``, which lies in the git folder, when given."""
    if index is not None and not _lies_in(index, there.private):
        return None
    with GitLook(there, index=index) as look:
        # Submodules are compared by the commit that is recorded; with --cached git does not look into them.
        text = look.ask("diff", "--cached", "--name-only", "-z", *_DIFF, "--ignore-submodules=dirty")
    return None if text is None else [os.path.join(there.checkout, path) for path in text.split("\0") if path]


def unpushed(there: Repository, commit: str, remote_commit: str | None, most: int) -> list[Commit] | None:
    """Commits up to ``commit`` that a remote lacks: that has ``remote_commit``, or else what is known of any remote."""
    if not git_refs.is_id(commit) or (remote_commit and not git_refs.is_id(remote_commit)):
        return None
    with GitLook(there, names=git_refs.below(there, "refs/remotes/")) as look:
        known = bool(remote_commit) and look.ask("cat-file", "-e", str(remote_commit)) is not None
        without = [f"^{remote_commit}"] if known else ["--not", "--remotes"]
        form = ("-z", "--name-only", "--format=%x01%at%x02", "-n", str(most))
        text = look.ask(*_LOG, *form, commit, *without, "--")
    return None if text is None else [_commit(there, part) for part in text.split("\x01")[1:]]


def _commit(there: Repository, part: str) -> Commit:
    written, _, names = part.partition("\x02")
    files = [os.path.join(there.checkout, name) for name in names.replace("\n", "\0").split("\0") if name]
    return Commit(int(written) if written.isdigit() else 0, files)


def _lies_in(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(os.path.join(os.path.realpath(folder), ""))
