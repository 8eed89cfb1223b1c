"""One program that a line runs, with its words expanded, and what its rules are offered by whoever follows. Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.shell.bypass import BYPASS, BYPASS_REASON, bypass
from comity.shell.changes import Change, How
from comity.shell.pathspecs import as_pattern, escaped
from comity.shell.state import ANY, CONTENT, FILE, HOLES, Lines, State, Word, joined

_TITLE = 80
_MOST_PATTERNS = 50
_IN_ORDER = ("index", "commit")  # changes that count again when they come again
_MOST_CHANGES = 2000


class Call(NamedTuple):
    """``words`` with the program's name in front. ``given``: the lines of its standard input, None when it is nobody's
    output. ``assigned``: variables for this program alone.
    """

    words: tuple[Word, ...]
    folder: str
    assigned: tuple[tuple[str, str], ...] = ()
    given: Lines | None = None

    @property
    def name(self) -> str:
        """The program's own name, without its folder; empty when it is not known."""
        name = self.words[0].text.rpartition("/")[2] if self.words else ""
        return "" if HOLES.search(name) else name

    @property
    def title(self) -> str:
        """The words, for people."""
        return HOLES.sub("…", " ".join(word.text for word in self.words))[:_TITLE]


class Shell:
    """What follows a line. Rules of programs note changes here, and hand on what runs in their place."""

    def __init__(
        self,
        cwd: str,
        aliases: Callable[[], Mapping[str, str]] | None,
        expand: Callable[[str, str], Sequence[str]] | None,
        read: Callable[[str], str | None] | None,
    ) -> None:
        self.cwd, self.aliases, self.read_file, self._expand = cwd, aliases, read, expand
        self._expanded: dict[tuple[str, str], Sequence[str]] = {}
        self.changes: list[Change] = []
        self._noted: set[Change] = set()
        self.unknown = False
        self.tree_of: str | None = None  # the index that a tree was written from: empty for the checkout's own
        self.traps: list[tuple[str, State]] = []  # lines for the end, each with what its shell knows then

    def expand(self, pattern: str, folder: str) -> Sequence[str] | None:
        """The paths that a pattern stands for; None where nobody looks, and when it has been asked for too many."""
        if self._expand is None or len(self._expanded) >= _MOST_PATTERNS:
            return None
        if (pattern, folder) not in self._expanded:
            self._expanded[pattern, folder] = self._expand(pattern, folder)
        return self._expanded[pattern, folder]

    def script(self, text: str, state: State, given: Lines | None = None) -> Lines:
        """Run the text of a script; what it prints."""
        raise NotImplementedError

    def perform(self, call: Call, state: State) -> Lines:
        """Run one program; what it prints."""
        raise NotImplementedError

    def text(self, path: str, state: State) -> str | None:
        """The text of a file, as far as it is known: as the line has written it, or as it lies there."""
        if path in state.written:
            lines = state.written[path]
            return None if lines is None or any(HOLES.search(line) for line in lines) else "\n".join(lines) + "\n"
        if HOLES.search(path) is not None:
            return None
        if not self.unknown and not os.path.lexists(path):
            return ""
        return self.read_file(path) if self.read_file is not None else None

    def lines(self, given: Lines | None, state: State) -> Lines:
        """The lines of a standard input, with the texts of files looked up; unknown where it is nobody's output."""
        if given is not None and CONTENT not in "".join(given):
            return given
        found: list[str] = []
        for line in (ANY,) if given is None else given:
            known = state.written.get(line[1:]) if line.startswith(CONTENT) else None
            if known is not None:
                found += known
            elif line.startswith(CONTENT):
                text = self.text(line[1:], state)
                found += [ANY] if text is None else text.removesuffix("\n").split("\n")
            else:
                found.append(line)
        return tuple(found)

    def place(self, folder: str) -> str:
        """The folder itself, where it is known or lies elsewhere for sure; otherwise the one that the line began in."""
        hole = HOLES.search(folder)
        if hole is None:
            return folder
        known, top = folder[: hole.start()], top_of(self.cwd) or self.cwd
        elsewhere = known.startswith("/") and not known.startswith(f"{top}/") and not top.startswith(known)
        return folder if elsewhere else self.cwd

    def note(self, call: Call, change: Change, state: State) -> None:
        """Remember a change; its place is the folder of the call where the change says none."""
        place = change.place or self.place(call.folder)
        paths = dict.fromkeys(path for named in change.paths for path in _resolved(named, change.how))
        noted = change._replace(
            place=os.path.realpath(place),
            paths=tuple(paths),
            patterns=change.patterns if change.verb.startswith("git ") else tuple(map(_pattern, change.patterns)),
            title=change.title or call.title,
            bypass=_let_through(call, state),
        )
        again = noted in self._noted
        if not again or (change.how in _IN_ORDER and self.changes[-1] != noted and len(self.changes) < _MOST_CHANGES):
            self._noted.add(noted)
            self.changes.append(noted)


def top_of(folder: str) -> str | None:
    """The top of the work tree that a folder lies in; None when it lies in none."""
    place = folder
    while True:
        if os.path.lexists(os.path.join(place, ".git")):
            return place
        above = os.path.dirname(place)
        if above == place:
            return None
        place = above


def _resolved(path: str, how: str) -> tuple[str, ...]:
    """The path with the links on its way followed; what is written through a link is the file behind it, too."""
    folder, name = os.path.split(path)
    itself = os.path.join(os.path.realpath(folder), name) if name else os.path.realpath(path)
    return (itself, os.path.realpath(path)) if how == "write" else (itself,)


def _pattern(pattern: str) -> str:
    """The pattern with the links followed that stand before its first wildcard."""
    place = next((at for at, char in enumerate(pattern) if char in "*?[\\"), len(pattern))
    folder, slash, _ = pattern[:place].rpartition("/")
    return os.path.realpath(folder).rstrip("/") + pattern[len(folder) :] if slash else pattern


def _let_through(call: Call, state: State) -> str | None:
    """The reason for which a person lets the call through, said before it or earlier in the line."""
    named = dict(call.assigned)
    for name in (BYPASS, BYPASS_REASON):
        if name not in named and name in state.variables:
            named[name] = "".join(state.variables[name][0])
    return bypass(named)


class Targets(NamedTuple):
    """What operands name: absolute paths, absolute patterns, and whether any may be anything."""

    paths: tuple[str, ...]
    patterns: tuple[str, ...]
    whole: bool

    def __bool__(self) -> bool:
        return bool(self.paths or self.patterns or self.whole)


def targets(words: Iterable[Word], folder: str, *, destructive: bool = False) -> Targets:
    """What the words of a program in ``folder`` name. What is not known at all counts for a ``destructive`` verb, and
    where it is some file that is there.
    """
    paths: dict[str, None] = {}
    patterns: dict[str, None] = {}
    whole = False
    for word in words:
        if not word.text or "\0" in word.text or re.match(r"/dev/(?!shm/)", word.text):
            continue
        if word.blank:
            whole = whole or destructive or FILE in word.text
        elif word.sure and not word.wild and HOLES.search(folder) is None:
            paths[joined(folder, word.text)] = None
        else:
            text = word.text if word.wild else escaped(word.text)
            patterns[as_pattern(joined(escaped(folder), text))] = None
    return Targets(tuple(paths), tuple(patterns), whole)


def change(verb: str, how: How, found: Targets, *, keeps: bool = False) -> Change:
    """A change of what operands name."""
    return Change(verb, how, "", found.paths, found.patterns, found.whole, keeps=keeps)


def written(words: Sequence[Word], call: Call, *, keeps: bool = False, destructive: bool = False) -> Iterator[Change]:
    """Files that are written; folders of that name are not meant."""
    found = targets(words, call.folder, destructive=destructive)
    if found:
        yield change(call.name, "write", found, keeps=keeps)._replace(below=False)


def gone(words: Sequence[Word], call: Call, how: How = "remove", *, below: bool = True) -> Iterator[Change]:
    """What is removed or moved away."""
    found = targets(words, call.folder, destructive=True)
    if found:
        yield change(call.name, how, found)._replace(below=below)
