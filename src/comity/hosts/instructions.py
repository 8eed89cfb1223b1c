"""Which files of instructions get the managed block: those that are there, and none that takes another's place.

Hosts choose among such files. Claude Code reads AGENTS.md only where no CLAUDE.md stands, in this folder and in those
below it, and an import of the folder above not at all; OpenCode reads the files of one name only, wherever they stand;
others read a file only where there is no AGENTS.md. So no CLAUDE.md is ever made, and an AGENTS.md only where nothing
else would be lost by it. What a host does not read there, its server and its hooks tell it.
"""

from __future__ import annotations

import os
from pathlib import Path

from comity.hosts import files, markdown, target
from comity.hosts.catalog import HOSTS
from comity.hosts.host import Host
from comity.hosts.init_record import Section
from comity.hosts.jsonc import MalformedJsonc
from comity.hosts.target import Target
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem

MOST_SEEN = 50_000  # files and folders that are looked through for instructions of folders below
_DEEPEST = 5  # imports of imports, as Claude Code follows them
_PASSED_OVER = ("node_modules", "__pycache__", "vendor", "target", "dist", "build", "venv")


class Instructions(NamedTuple):
    """Files that get the block, those that take it in from AGENTS.md, those of ours that are to go, and notes."""

    wanted: tuple[str, ...]
    importing: tuple[str, ...]
    retired: tuple[str, ...]
    notes: tuple[str, ...] = ()


def names(picked: tuple[Host, ...]) -> tuple[str, ...]:
    """Every file that may hold the block for these hosts."""
    return tuple(dict.fromkeys((markdown.FILE, *(name for host in picked for name in host.instructions))))


def decide(checkout: Path, picked: tuple[Host, ...], section: Section) -> Instructions:
    """What is to become of the files of instructions of a checkout. ``section`` is what the record holds of it."""
    known = names(picked)
    alone = [name for name in known if _only_ours(checkout, name, section)]
    others = [name for name in known[1:] if os.path.lexists(checkout / name) and name not in alone]
    importing = [name for name in others if takes_in(checkout, name)]
    notes: tuple[str, ...] = ()
    wanted = [markdown.FILE]
    if not importing and (markdown.FILE in alone or not os.path.lexists(checkout / markdown.FILE)):
        losing = _displaced(checkout)
        if losing:
            wanted = []
            notes = () if others else (f"{markdown.FILE} is not made: {losing}",)
    if not importing:
        wanted += others[:1]
    retired = tuple(name for name in alone if name not in wanted)
    return Instructions(tuple(wanted), tuple(importing), retired, notes)


def takes_in(checkout: Path, name: str) -> bool:
    """Whether who reads ``name`` reads AGENTS.md as well, which it or a file that it takes in imports."""
    goal = os.path.realpath(checkout / markdown.FILE)
    if not os.path.isfile(goal) or os.path.realpath(checkout / name) == goal:
        return False
    seen, todo = set[str](), [os.path.join(str(checkout), name)]
    for _ in range(_DEEPEST):
        found = [path for one in todo if one not in seen for path in _imported(checkout, one)]
        if any(os.path.realpath(path) == goal for path in found):
            return True
        seen.update(todo)
        todo = found
    return False


def _imported(checkout: Path, path: str) -> list[str]:
    """The absolute paths of what a file of the checkout imports; none of one that cannot be read."""
    try:
        data = files.look(checkout, os.path.relpath(path, checkout)).data
        text = files.decode(path, data)[1] if data else ""
    except Problem:
        return []
    folder = os.path.dirname(path)
    return [os.path.normpath(os.path.join(folder, os.path.expanduser(word))) for word in markdown.imports(text)]


def _only_ours(checkout: Path, name: str, section: Section) -> bool:
    """Whether an earlier run made the file and nobody wrote anything into it since."""
    known = section.files.get(name)
    if known is None or known.before is not None:
        return False
    try:
        data = files.look(checkout, name).data
        item = Target("block", checkout, name)
        return data is not None and target.is_empty(item, target.strip(item, files.decode(name, data)[1], known.undos))
    except (Problem, MalformedJsonc):
        return False


def _displaced(checkout: Path) -> str:
    """Which host would no longer read which file if there were an AGENTS.md; empty: none."""
    deep: dict[str, Host] = {}
    for host in HOSTS:
        yielding = (*host.yields, *(host.yields_also(str(checkout)) if host.yields_also is not None else ()))
        for name in yielding:
            if os.path.lexists(checkout / name):
                return f"{host.title} would no longer read {name}"
        if host.yields_below:
            deep |= dict.fromkeys(host.yields, host)
    found = _below(checkout, set(deep)) if deep else ""
    if found is None:
        return f"there are more than {MOST_SEEN} files, and instructions may be among them"
    return f"{deep[os.path.basename(found)].title} would no longer read {found}" if found else ""


def _below(checkout: Path, wanted: set[str]) -> str | None:
    """A file of one of these names in a folder below, relative to the checkout; None when there is too much to see."""
    seen = 0
    for folder, inside, there in os.walk(checkout):
        inside[:] = [name for name in inside if name[:1] != "." and name not in _PASSED_OVER]
        seen += len(inside) + len(there)
        if seen > MOST_SEEN:
            return None
        found = wanted.intersection(there)
        if found:
            return os.path.relpath(os.path.join(folder, min(found)), checkout)
    return ""
