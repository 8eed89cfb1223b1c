"""Paths as callers give them, made into the one form in which they are claimed; the only part that looks at the disk.

The form is relative to the agent's checkout with ``/`` between names, ``.`` for the checkout itself, in Unicode's
composed form. ``.``, ``..`` and symbolic links are followed as the file system does, up to the first ``*`` or ``?``:
what links lie below a wildcard is not known. Whatever leads out of the checkout is refused.

A folder means everything below it. What does not exist yet, or stands at the end of a glob, is taken for a folder when
it is written with a ``/`` at its end, or its name has neither a dot inside nor a wildcard. ``{a,b}`` in the name of
something that is there on the disk is a part of that name.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from functools import lru_cache

from comity.kernel.hints import Literal
from comity.kernel.javascript import distinct
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid, Limited
from comity.kernel.scope import Actor
from comity.rooms.claims.patterns import (
    MAX_ALTERNATIVES,
    ROOT,
    Pattern,
    compiled,
    exactly,
    expand,
    folded,
    names_folder,
    normal,
)
from comity.system.checkouts import here, name_of, translated

MAX_PATHS = 2000  # claimed by one call, {a,b} written out
MAX_LENGTH = 4096  # characters of one path
WINDOWS = os.name == "nt"
_SIGNS = str.maketrans("", "", ".@+ -_/")  # with ASCII letters and digits they make simple names

Known = dict[str, bool | None]  # folders by path below the checkout: real, absent, or None for reached by a link


class Base(NamedTuple):
    """Where an agent's paths count from. ``folder`` is the real path of its checkout; empty when it is not known.

    ``repository`` and ``worktree`` are the names of the project in the main checkout and in the linked worktree, the
    latter empty in the main one: the same for whatever path leads there (``comity.system.checkouts``). ``fold`` says
    that the file system there takes upper and lower case for the same.
    """

    repository: str
    worktree: str
    folder: str
    fold: bool

    @property
    def root(self) -> str:
        """The real path of the project in the main checkout."""
        return here(self.repository) if self.worktree and self.repository else self.folder

    def key(self, path: str) -> str:
        """What two spellings of the same path have in common."""
        return folded(path) if self.fold else path


class Target(NamedTuple):
    """A path in our form; ``tree``: everything below it, too; None: the one file of that name."""

    path: str
    tree: bool | None

    @property
    def literal(self) -> bool:
        """Whether the path is a name and no pattern."""
        return self.tree is None

    def pattern(self, base: Base) -> Pattern:
        """To be compared with others."""
        return exactly(self.path, base.fold) if self.literal else compiled(self.path, bool(self.tree), base.fold)


def base_of(actor: Actor) -> Base:
    """The actor's checkout. Its file system is asked once."""
    return _base(actor.root, actor.worktree)


@lru_cache(maxsize=64)
def _base(root: str, worktree: str) -> Base:
    checkout = worktree or root
    folder = os.path.realpath(checkout) if checkout else ""
    return Base(name_of(root), name_of(worktree), folder, bool(folder) and _folds(folder))


def _folds(folder: str) -> bool:
    """Whether a name in other case is the same file there."""
    for path in (os.path.join(folder, ".git"), os.path.join(folder, ".macp"), folder):
        head, name = os.path.split(path)
        other = os.path.join(head, name.swapcase())
        if other != path and os.path.exists(path):
            try:
                return os.path.samefile(path, other)
            except OSError:
                return False
    return sys.platform in ("darwin", "win32")


def resolve(base: Base, files: Iterable[str], windows: bool = WINDOWS) -> list[Target]:
    """What ``files`` name, each once, in order. Raises Invalid ``path.outside`` and Limited ``path.too_many``."""
    seen: dict[str, Target] = {}
    known: Known = {"": True}
    for text in distinct(files):
        spelled = text.replace("\\", "/") if windows else text
        options = _options(base, spelled) if "{" in spelled else [spelled]
        if options is None or len(seen) + len(options) > MAX_PATHS:
            raise Limited(
                "path.too_many",
                f"{text[:200]!r} makes more than {MAX_ALTERNATIVES} paths, or all together more than {MAX_PATHS:,}.",
                "Claim a folder or a glob such as src/** instead.",
            )
        for option in options:
            target = _resolved(base, option, text, known)
            seen.setdefault(base.key(target.path), target)
    return list(seen.values())


def _options(base: Base, text: str) -> list[str] | None:
    """Alternatives written out; but folders that are there on the disk under the very names stand for themselves."""
    start = 0
    end = text.find("/") if base.folder else -1
    while end >= 0 and os.path.lexists(os.path.join(base.folder, text[: end + 1])):
        start, end = end + 1, text.find("/", end + 1)
    if base.folder and os.path.lexists(os.path.join(base.folder, text)):
        return [text]
    found = expand(text[start:])
    return None if found is None else [text[:start] + rest for rest in found]


def sorted_out(base: Base, files: Iterable[str]) -> tuple[list[Target], list[str]]:
    """What ``files`` mean in our form, and those that lie outside, as they are."""
    inside: list[Target] = []
    outside: list[str] = []
    for text in files:
        try:
            inside += resolve(base, [text])
        except Invalid:
            outside.append(text)
    return list(dict.fromkeys(inside)), outside


def spelled(base: Base, text: str, windows: bool = WINDOWS) -> tuple[Target | None, bool]:
    """What another implementation means by a path that it keeps as it was given, as far as its letters tell.

    The path in our form, None when it lies outside; and whether it lies in the repository's main checkout while this
    agent works in another worktree.
    """
    text = text.strip().replace("\\", "/") if windows else text.strip()
    elsewhere = False
    inner: str | None = text
    if text.startswith("/") or (windows and text[1:2] == ":"):
        text = translated(text)
        inner = _below(base.folder, text, base.fold) if base.folder else None
        if inner is None and base.worktree:
            inner, elsewhere = _below(base.root, text, base.fold), True
    names = None if inner is None else _collapsed(inner.split("/"))
    return (None, False) if names is None else (_target(names, text, None), elsewhere)


def _resolved(base: Base, text: str, given: str, known: Known) -> Target:
    """One path in our form."""
    folder: bool | None = None
    if not base.folder:
        names = None if text.startswith("/") else _collapsed(text.split("/"))
    else:
        if _simple(text):
            there = _there(base.folder, text, known)
            if there is not None:
                return Target(text, names_folder(text[text.rfind("/") + 1 :]) if there == "" else there == "folder")
        names, folder = _found(base, text, known)
    if names is None:
        raise _outside(base, given)
    target = _target(names, text, folder)
    if len(target.path) > MAX_LENGTH:
        raise Invalid("path.too_long", f"A path has at most {MAX_LENGTH:,} characters.", "Claim its folder instead.")
    return target


def _target(names: list[str], text: str, folder: bool | None) -> Target:
    """The path of ``names``. ``folder`` is what the disk says; None when that is nothing."""
    if not names:
        return Target(ROOT, tree=True)
    path = normal("/".join(names))
    if folder is not None:
        return Target(path, folder)
    return Target(path, text.endswith(("/", "/.", "/..")) or names_folder(names[-1]))


def _found(base: Base, text: str, known: Known) -> tuple[list[str] | None, bool | None]:
    """The names below the checkout, links followed, None when they lead out of it; and whether it is a folder."""
    inner: str | None = text
    if os.path.isabs(text):
        inner = _below(base.folder, text, base.fold)
    if inner is not None:
        names = [name for name in inner.split("/") if name not in ("", ".")]
        cut = _wild(names)
        there = None if ".." in names else _there(base.folder, "/".join(names[:cut]), known)
        if there is not None:
            return names, there == "folder" if there and cut == len(names) else None
    whole = text.split("/")
    cut = _wild(whole)
    found = os.path.realpath(os.path.join(base.folder, "/".join(whole[:cut]) or ("/" if text[0] == "/" else "")))
    inner = _below(base.folder, found.replace(os.sep, "/"), base.fold)
    if inner is None:
        return None, None
    exists = cut == len(whole) and os.path.exists(found)
    return _collapsed([*inner.split("/"), *whole[cut:]]), os.path.isdir(found) if exists else None


def _wild(names: list[str]) -> int:
    """Where the first wildcard is that no file's name is likely to have."""
    return next((place for place, name in enumerate(names) if "*" in name or "?" in name), len(names))


def _simple(text: str) -> bool:
    """Whether a path needs no change, unless links are in it."""
    bare = text.translate(_SIGNS)
    return bare.isascii() and bare.isalnum() and all(part and part[0] not in ".@+ " for part in text.split("/"))


def _there(folder: str, path: str, known: Known) -> Literal["folder", "file", ""] | None:
    """What is at ``path`` below ``folder``, empty for nothing; None when a link leads there."""
    if path in known:
        real = known[path]
        return None if real is None else "folder" if real else ""
    parent = path.rpartition("/")[0]
    above = _there(folder, parent, known)
    if above != "folder":
        known[path] = None if above is None else False
        return None if above is None else ""
    try:
        mode = os.lstat(f"{folder}/{path}").st_mode
    except (OSError, ValueError):
        known[path] = False
        return ""
    if stat.S_ISDIR(mode) and not (
        WINDOWS and os.path.realpath(f"{folder}/{path}") != f"{folder}/{path}"
    ):  # a junction
        known[path] = True
        return "folder"
    if stat.S_ISLNK(mode) or WINDOWS:
        known[path] = None
        return None
    return "file"


def _below(folder: str, path: str, fold: bool) -> str | None:
    """``path`` relative to ``folder``; None when it is not in it."""
    folder = folder.replace(os.sep, "/").rstrip("/")
    head, rest = path[: len(folder)], path[len(folder) :]
    same = head == folder or (fold and folded(normal(head)) == folded(normal(folder)))
    return rest.lstrip("/") if same and (not rest or rest[0] == "/") else None


def _collapsed(names: Iterable[str]) -> list[str] | None:
    """Without ``.``, empty names and ``..``, by their letters; None when they lead out."""
    result: list[str] = []
    for name in names:
        if name == "..":
            if not result:
                return None
            result.pop()
        elif name not in ("", "."):
            result.append(name)
    return result


def _outside(base: Base, text: str) -> Invalid:
    where = base.folder or "the repository"
    hint = "Name paths relative to the repository's root, such as src/parser.py."
    if base.worktree:
        hint = f"This agent works in the worktree {base.folder}: name paths relative to it."
    return Invalid("path.outside", f"{text[:200]!r} lies outside {where}.", hint, path=text[:1000], root=base.folder)
