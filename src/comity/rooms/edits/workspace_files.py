"""What the workspace itself lives on: the database with its log, the project's config, the server's tokens and lock.

No command of one agent may take them away while others are at work: their messages, claims and tasks are in there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import quoted
from comity.kernel.scope import Actor, Scope
from comity.rooms.edits import git_guard
from comity.rooms.edits.model import Verdict
from comity.rooms.turns.speaker import settle
from comity.shell.git_commands import BYPASS, BYPASS_REASON, Sweep, bypass, sweeps
from comity.shell.reader import Command, joined
from comity.shell.wrappers import commands, git_words
from comity.shell.writes import Write, writes
from comity.system import git

_OURS = (".macp", ".masc")
_BESIDE = ("", "-wal", "-shm", ".bell")
_OF_FOLDERS = (".macp/config.json", ".masc/auth", ".masc/server.lock")
_MOVING = frozenset(("checkout", "switch", "merge", "rebase", "reset", "cherry-pick", "restore"))
_MOST_NAMED = 4
_CLEARING = ("rm", "rmdir", "unlink", "shred", "truncate", "mv")  # what find may run on what it finds


class Danger(NamedTuple):
    """What a command would take away, and what it is called. ``bypass`` is the reason for which a person allows it.

    ``commit``: what has a file of that name, and would put it in the place of the one that is there.
    """

    title: str
    path: str
    git: bool = False
    bypass: str | None = None
    commit: str = ""


def endangered(actor: Actor, line: str, cwd: str) -> Danger | None:
    """The first thing that the workspace lives on and that ``line``, run in ``cwd``, would take away, if any.

    It looks at the disk.
    """
    vital = vitals(actor)
    for sweep in sweeps(line):
        for path in vital:
            if _sweeps(sweep, path, cwd, actor.root):
                return Danger(sweep.title, path, git=True, bypass=sweep.bypass)
    for command in commands(line):
        danger = _replaced_by_git(command, [*vital, *_absent(actor)], cwd)
        if danger is not None:
            return danger
    for write in (*writes(line), *_found(line)):
        for path in vital:
            if _takes(write, path, cwd):
                return Danger(line.strip()[:80], path)
    return None


def vitals(actor: Actor) -> list[str]:
    """The files and folders that are there, absolute, links resolved."""
    wanted = [os.path.join(actor.root, name) for name in _OF_FOLDERS] if actor.root else []
    wanted += [actor.database + ending for ending in _BESIDE] if actor.database else []
    return [os.path.realpath(path) for path in wanted if os.path.lexists(path)]


def _absent(actor: Actor) -> list[str]:
    """Where a log would be taken for the database's, if a branch brought one."""
    endings = ("-wal", "-shm", "-journal")
    paths = [os.path.realpath(actor.database) + ending for ending in endings] if actor.database else []
    return [path for path in paths if not os.path.lexists(path)]


def check(scope: Scope, danger: Danger, reason: str) -> Verdict | None:
    """A refusal, recorded; None when a person lets it through, which is an event."""
    scope = settle(scope)
    why = danger.bypass or reason
    if why:
        git_guard.bypassed(scope, danger.title, why, (), (os.path.basename(danger.path),))
        return None
    verdict = refusal(danger)
    detail: dict[str, object] = {"command": danger.title, "files": [os.path.basename(danger.path)]}
    kind = "git.refused" if danger.git else "edit.refused"
    scope.emit(Event(kind, agent_id=scope.actor.agent_id, reason_code="workspace.vital", metadata=detail))
    return verdict


def refusal(danger: Danger) -> Verdict:
    """Why it may not run, and what may."""
    what = f"{quoted(danger.title)} would take away {quoted(os.path.basename(danger.path))}"
    told = f"{what}, on which the messages, claims and tasks of everybody here stand. Nothing was done."
    if danger.bypass is not None:
        hint = f"{BYPASS} needs a reason in {BYPASS_REASON}."
    elif danger.commit:
        hint = (
            f"{quoted(danger.commit)} tracks a file of that name: have it taken out of git there (git rm --cached). "
            f"The user can let it through with {BYPASS}=1 and {BYPASS_REASON}."
        )
    elif danger.git:
        hint = (
            "Leave it out: git clean with -e .macp -e .masc, git stash without --all. "
            f"The user can let it through with {BYPASS}=1 and {BYPASS_REASON}."
        )
    else:
        hint = f"Leave .macp and .masc alone. The user can let it through with {BYPASS}=1 and {BYPASS_REASON}."
    return Verdict(allowed=False, refusal=f"{told} {hint}")


def _sweeps(sweep: Sweep, path: str, cwd: str, root: str) -> bool:
    """Whether git would remove the ignored file at ``path``."""
    if "x" not in sweep.argument or sweep.folder is None:
        return False
    folder = os.path.realpath(os.path.join(cwd, sweep.folder))
    top = os.path.realpath(root) if sweep.saves and _within(folder, os.path.realpath(root)) else folder
    limits = [os.path.realpath(os.path.join(folder, limit)) for limit in sweep.paths] or [top]
    if not any(_within(path, limit) for limit in limits):
        return False
    names = path.split(os.sep)
    return not any(name.strip("/").removesuffix("/**").removesuffix("/*") in names for name in sweep.spares)


def _replaced_by_git(command: Command, vital: list[str], cwd: str) -> Danger | None:
    """What a commit would put in the place of an ignored file, without a word: git's rule for such files."""
    read = git_words(command)
    if read is None or read[0] not in _MOVING or command.folder is None:
        return None
    verb, words, inner = read
    named = [word.text for word in words if word.sure and not word.text.startswith("-")][:_MOST_NAMED]
    folder = os.path.realpath(os.path.join(cwd, joined(command.folder, inner) or ""))
    for commit in named:
        found = git.brought(folder, commit, vital) if os.path.isdir(folder) else []
        if found:
            reason = bypass(dict(command.assigned))
            return Danger(f"git {verb} {commit}"[:80], found[0], git=True, bypass=reason, commit=commit)
    return None


def _takes(write: Write, path: str, cwd: str) -> bool:
    """Whether what is written is ``path``, or a folder above it that goes as a whole."""
    target = os.path.normpath(os.path.join(cwd, write.path))
    if write.kind == "into" and os.path.isdir(target):
        target = os.path.join(target, write.name)
    wanted = _parts(target, wild=write.wild)
    there = path.split(os.sep)
    if len(wanted) > len(there) or (write.kind != "any" and len(wanted) != len(there)):
        return False
    return all(_same(pattern, name, wild=write.wild) for pattern, name in zip(wanted, there, strict=False))


def _parts(path: str, *, wild: bool) -> list[str]:
    """The path's names, links on the way followed as far as no wildcard stands in it."""
    names = path.split(os.sep)
    sure = next((at for at, name in enumerate(names) if wild and set("*?[{") & set(name)), len(names) - 1)
    return [*os.path.realpath(os.sep.join(names[:sure]) or os.sep).rstrip(os.sep).split(os.sep), *names[sure:]]


def _same(pattern: str, name: str, *, wild: bool) -> bool:
    if not wild:
        return pattern == name
    if name.startswith(".") and not pattern.startswith((".", "{")):
        return False  # a shell's wildcards leave hidden names out
    return any(fnmatchcase(name, one) for one in _alternatives(pattern))


def _alternatives(pattern: str) -> Iterable[str]:
    """``a{b,c}d`` as ``abd`` and ``acd``, one pair of braces."""
    head, brace, rest = pattern.partition("{")
    inner, closed, tail = rest.partition("}")
    return [head + one + tail for one in inner.split(",")] if brace and closed else [pattern]


def _found(line: str) -> Iterator[Write]:
    """What ``find`` would delete, or hand to a program that does."""
    for command in commands(line):
        texts = [word.text for word in command.words[1:]]
        if command.name != "find" or command.folder is None or not {"-delete", *_CLEARING} & set(texts):
            continue
        if {"-prune", "!", "-not"} & set(texts) and any(name in text for text in texts for name in _OURS):
            continue
        names = [texts[at + 1] for at, text in enumerate(texts[:-1]) if text in ("-name", "-iname")]
        for start in _starts(texts):
            folder = os.path.join(command.folder, start)
            if not names:
                yield Write(folder)
            for name in names:
                for way in ("", ".macp/", ".masc/", "*/.macp/"):
                    yield Write(f"{folder}/{way}{name}", wild=True)


def _starts(texts: list[str]) -> list[str]:
    """Where ``find`` begins: what stands before its first test."""
    end = next((at for at, text in enumerate(texts) if text[:1] in ("-", "!", "(")), len(texts))
    return texts[:end] or ["."]


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))
