"""Git's pre-commit and pre-push hooks of a repository: put in, in front of those that are there, and taken out again.

The hooks lie where git does not track them. Without ``core.hooksPath`` that is the repository's own hooks folder, which
all its worktrees share; a hook that is there already is set aside and run after Comity's. With ``core.hooksPath``,
whose folder may be tracked or another tool's, that setting is pointed to a folder of Comity's inside the git folder,
whose hooks run those of the folder that was set before.

The scripts run Comity by its absolute path, else by its name; when it is nowhere, git goes on with one line of notice.
"""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from comity.hosts.hook_install import executable
from comity.kernel.named_tuple import NamedTuple
from comity.system import repository
from comity.system.git_look import configured
from comity.system.repository import Repository

GUARDED = ("pre-commit", "pre-push")
FOLDER = "comity-hooks"
ASIDE = ".before-comity"
MARK = "# Put here by comity"
_MAX_HOOK_BYTES, _HEAD_BYTES = 1_000_000, 400
_KEY = "comity.hooksPath"
_NO_LOCAL = ":none:"  # core.hooksPath was not set in this repository itself, only above it
# Hooks that git runs by name on the side of a checkout (githooks(5)).
_NAMES = (
    *("applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg"),
    *("commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "post-rewrite"),
)
# Hooks that run so often that there is one only where the old folder has it.
_OFTEN = ("fsmonitor-watchman", "post-index-change", "pre-auto-gc", "reference-transaction", "sendemail-validate")

_GUARD = """\
comity={program}
if [ ! -x "$comity" ]; then comity=$(command -v comity) || comity=; fi
input=
{read}
if [ -n "$comity" ]; then
  printf '%s\\n' "$input" | "$comity" hook git {name} "$@"
  if [ $? -eq 6 ]; then exit 1; fi
else
  echo "comity: not found, so {name} goes on without its check" >&2
fi
"""
_CHAIN = """\
{find}
if [ -x "$next" ]; then
  {run}
fi
"""


class GitHooksReport(NamedTuple):
    """What was written or removed, as paths, and what was left as it is, as sentences."""

    changed: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def install(checkout: Path, remove: bool = False, program: str | None = None) -> GitHooksReport:
    """Put the hooks of the repository around ``checkout`` in place, or take them out."""
    there = repository.around(checkout)
    if there is None:
        return GitHooksReport(notes=("there is no git repository, so there are no git hooks",))
    if remove:
        return _remove(there)
    words = shlex.split(program or executable())
    path = words[0] if len(words) == 1 else ""  # else it is found by its name
    was = configured(there, "--get", "core.hooksPath")
    if was is None:
        return _in_common_folder(Path(there.common) / "hooks", path)
    return _instead(there, checkout, was, path)


def _in_common_folder(hooks: Path, program: str) -> GitHooksReport:
    """In the repository's own hooks folder, with what is there set aside."""
    hooks.mkdir(parents=True, exist_ok=True)
    changed, notes = [], []
    for name in GUARDED:
        hook, aside = hooks / name, hooks / (name + ASIDE)
        if os.path.lexists(hook) and not holds_mark(str(hook)):
            if os.path.lexists(aside):
                notes.append(f"{aside.name} is there already, so {name} stays as it is")
                continue
            hook.rename(aside)
        text = _script(name, program, f'next="$(dirname "$0")/{name}{ASIDE}"')
        if _put(hook, text):
            changed.append(hook)
    return GitHooksReport(tuple(changed), tuple(notes))


def _instead(there: Repository, checkout: Path, was: str, program: str) -> GitHooksReport:
    """In a folder of Comity's, to which ``core.hooksPath`` is pointed; the old folder's hooks are run from there."""
    folder = Path(there.common) / FOLDER
    if Path(was) != folder:
        local = configured(there, "--local", "--get", "core.hooksPath")
        configured(there, "--local", _KEY, _NO_LOCAL if local is None else local)
        configured(there, "--local", "core.hooksPath", str(folder))
    else:
        was = configured(there, "--local", "--get", _KEY) or was
    folder.mkdir(exist_ok=True)
    changed = []
    old = checkout / os.path.expanduser(was)
    for name in (*_NAMES, *(name for name in _OFTEN if (old / name).exists())):
        text = _script(name, program if name in GUARDED else "", _FIND_OLD.format(key=_KEY, none=_NO_LOCAL, name=name))
        if _put(folder / name, text):
            changed.append(folder / name)
    return GitHooksReport(tuple(changed), (f"core.hooksPath points to {folder}, whose hooks run those of {was}",))


_FIND_OLD = """\
next=$(git config --local --get {key})
if [ "$next" = "{none}" ]; then
  next=$(git config --global --get core.hooksPath || git config --system --get core.hooksPath)
fi
case "$next" in
  "") ;;
  "~/"*) next="$HOME/${{next#??}}/{name}" ;;
  *) next="$next/{name}" ;;
esac"""


def _script(name: str, program: str, find: str) -> str:
    lines = ["#!/bin/sh", f"{MARK}: comity init --remove takes it out again."]
    reads = name == "pre-push" and bool(program)
    if program:
        read = "input=$(cat)" if reads else ""
        lines.append(_GUARD.format(program=shlex.quote(program), name=name, read=read).replace("\n\n", "\n").rstrip())
    feed = 'printf "%s\\n" "$input" | "$next" "$@"; exit $?' if reads else 'exec "$next" "$@"'
    if reads:
        feed = 'if [ -n "$input" ]; then ' + feed + '; else exec "$next" "$@" </dev/null; fi'
    lines.append(_CHAIN.format(find=find, run=feed).rstrip())
    return "\n".join([*lines, "exit 0", ""])


def _remove(there: Repository) -> GitHooksReport:
    changed, notes = [], []
    hooks = Path(there.common) / "hooks"
    for name in GUARDED:
        hook, aside = hooks / name, hooks / (name + ASIDE)
        if holds_mark(str(hook)):
            hook.unlink()
            changed.append(hook)
        if os.path.lexists(aside):
            if os.path.lexists(hook):
                notes.append(f"{aside.name} stays: another {name} has taken its place")
            else:
                aside.rename(hook)
    kept = configured(there, "--local", "--get", _KEY)
    folder = Path(there.common) / FOLDER
    if kept is not None:
        if configured(there, "--local", "--get", "core.hooksPath") == str(folder):
            _unset(there, "core.hooksPath")
            if kept != _NO_LOCAL:
                configured(there, "--local", "core.hooksPath", kept)
        _unset(there, _KEY)
    if folder.is_dir():
        for name in (*_NAMES, *_OFTEN):
            if holds_mark(str(folder / name)):
                (folder / name).unlink()
                changed.append(folder / name)
        if not any(folder.iterdir()):
            folder.rmdir()
    return GitHooksReport(tuple(changed), tuple(notes))


def _unset(there: Repository, key: str) -> None:
    """Without the section that git leaves behind."""
    configured(there, "--local", "--unset-all", key)
    section = key.partition(".")[0]
    if section != "core" and not configured(there, "--local", "--get-regexp", rf"^{section}\."):
        configured(there, "--local", "--remove-section", section)


def holds_mark(hook: str) -> bool:
    """Whether a hook of git is Comity's. A pipe in its place is not waited for."""
    try:
        return MARK in repository.read(hook, _MAX_HOOK_BYTES)[:_HEAD_BYTES].decode("utf-8", "replace")
    except OSError:
        return False


def _put(hook: Path, text: str) -> bool:
    """Write an executable file; whether anything changed."""
    if hook.is_file() and hook.read_bytes() == text.encode() and os.access(hook, os.X_OK):
        return False
    temporary = hook.with_name(hook.name + ".new")
    temporary.write_bytes(text.encode())
    temporary.chmod(temporary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    temporary.replace(hook)
    return True
