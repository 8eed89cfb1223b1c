"""What a shell knows at a moment of a line: its variables and folder, functions, arguments, and what the line wrote.
Pure.

A text may have holes where something is filled in that cannot be known. A variable may have alternatives, one for each
way in which the line may have got here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from comity.kernel.named_tuple import NamedTuple
from comity.shell.syntax import Chain

# What stands for unknown text: anything; a name without a slash; a commit or branch; an existing file; before its path,
# the text of a file, which is read where somebody needs it; and what begins with a digit, such as a number or a date.
ANY, NAME, COMMIT, FILE, CONTENT, NUMBER = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004", "\ue005"
HOLES = re.compile("[\ue000-\ue005]")
_ALL_HOLES = re.compile("[\ue000-\ue005]+")
_OWN_FOLDER = "/proc/self/cwd/"
_MOST_ALTERNATIVES = 6
MOST_LETTERS = 100_000  # of a variable, and of what a command prints
MOST_WORDS = 2000  # of an array, and of a command

Values = tuple[str, ...]  # the elements of an array; a plain variable has one
Lines = tuple[str, ...]  # what a command prints or reads


class Word(NamedTuple):
    """One word as a program gets it. ``wild``: its text is a pattern that the shell could not expand here."""

    text: str
    wild: bool = False
    quoted: bool = False

    @property
    def sure(self) -> bool:
        """Whether nothing in it is unknown."""
        return HOLES.search(self.text) is None

    @property
    def blank(self) -> bool:
        """Whether nothing at all is known of it."""
        return _ALL_HOLES.fullmatch(self.text) is not None and (ANY in self.text or FILE in self.text)


class State:
    """Changed by the commands of a line, copied for a subshell or a branch."""

    __slots__ = (
        "aliases",
        "arguments",
        "environment",
        "folders",
        "functions",
        "made",
        "replaced",
        "started",
        "stays",
        "tops",
        "variables",
        "written",
    )

    def __init__(self, folder: str, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.variables: dict[str, tuple[Values, ...]] = {"PWD": ((folder,),)}
        self.functions: dict[str, Chain] = {}
        self.arguments: Values = ()
        self.folders: tuple[str, ...] = ()  # what pushd remembers
        self.aliases: dict[str, str] = {}  # git's own, set in the line
        self.replaced: dict[str, str] = {}  # aliases of the shell's own
        self.written: dict[str, Lines | None] = {}  # by path: what the line put there, None when unknown
        self.started: frozenset[str] = frozenset()  # verbs of git that the line has run
        self.tops: frozenset[str] = frozenset()  # work trees that the line has made
        self.made = False  # whether folders may have been made or renamed meanwhile
        self.stays = False  # whether the last ``cd`` went to a folder that is not there

    def copy(self) -> State:
        """A state of its own, the same in everything."""
        other = State.__new__(State)
        for name in State.__slots__:
            value = getattr(self, name)
            setattr(other, name, value.copy() if isinstance(value, dict) and name != "environment" else value)
        return other

    @property
    def folder(self) -> str:
        """The working folder; with holes when it is not known."""
        return self.variables["PWD"][0][0]

    def get(self, name: str) -> Values | None:
        """The elements of a variable in the first way in which the line may have got here; None when it is not set."""
        found = self.variables.get(name)
        if found is not None:
            return found[0]
        value = self.environment.get(name)
        return None if value is None else (value,)

    def set(self, name: str, values: Values) -> None:
        """The variable has these elements from here on; what is too long for a file's name is unknown."""
        self.variables[name] = (bounded(values),)

    def go(self, folder: str) -> None:
        """``cd``."""
        self.variables["OLDPWD"] = ((self.folder,),)
        self.variables["PWD"] = ((folder,),)

    def back(self) -> State:
        """A state in which the last ``cd`` has failed."""
        other = self.copy()
        other.variables["PWD"] = other.variables["OLDPWD"]
        return other

    def merge(self, others: Iterable[State]) -> None:
        """Become what may be true when one of ``others`` is."""
        others = list(others)
        for name in {name for other in others for name in other.variables}:
            found: dict[Values, None] = {}
            for other in others:
                found |= dict.fromkeys(other.variables.get(name) or (other.get(name) or ("",),))
            ways = tuple(found)
            self.variables[name] = ways if len(ways) <= _MOST_ALTERNATIVES else ((ANY,),)
        for other in others:
            self.functions |= other.functions
            self.aliases |= other.aliases
            self.started |= other.started
            self.tops |= other.tops
            self.made = self.made or other.made
            self.written |= {path: None for path, lines in other.written.items() if self.written.get(path) != lines}

    def forks(self, names: Iterable[str]) -> list[State]:
        """A state for each combination of what these variables may be; this one when each is known."""
        found = [self]
        for name in names:
            ways = self.variables.get(name, ())
            if len(ways) < 2:
                continue
            if len(found) * len(ways) > 2 * _MOST_ALTERNATIVES:
                ways = ((ANY,),)
            found = [_with(state, name, way) for state in found for way in ways]
        return found


def bounded(values: Values) -> Values:
    """The values, unless they are more than any shell would get to see: then they are unknown."""
    return values if len(values) <= MOST_WORDS and sum(map(len, values)) <= MOST_LETTERS else (ANY,)


def _with(state: State, name: str, way: Values) -> State:
    other = state.copy()
    other.variables[name] = (way,)
    return other


def joined(folder: str, path: str) -> str:
    """``path`` as seen from ``folder``, without ``.`` and ``..`` where nothing unknown is skipped."""
    if path.startswith(_OWN_FOLDER):
        path = folder + path[len(_OWN_FOLDER) - 1 :]
    whole = path if path.startswith("/") else f"{folder}/{path}" if path else folder
    if HOLES.search(whole) is None:
        return os.path.normpath(whole)
    if path[:1] in (ANY, FILE):
        return path
    return re.sub(r"/(?:\.(?=/|$)|(?=/))", "", whole) or "/"
