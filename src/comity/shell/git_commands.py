"""Git commands that throw away or sweep up what lies in a work tree, recognised in a shell command line. Pure.

Harmless forms (``stash list``, ``clean -n``, ``reset --soft``) are none of these, nor is what stands in quotes.
"""

from __future__ import annotations

from collections.abc import Callable

from comity.kernel.hints import Literal
from comity.kernel.named_tuple import NamedTuple
from comity.shell.reader import Word, joined
from comity.shell.wrappers import commands, git_words, options

# What is lost: changes of tracked files, untracked files, both; stash entries; commits of a remote branch.
Loss = Literal["tracked", "untracked", "both", "stash", "commits"]
BYPASS, BYPASS_REASON = "COMITY_BYPASS", "COMITY_BYPASS_REASON"


class Sweep(NamedTuple):
    """One such command. ``paths`` limits it, empty means all; both count from ``folder``, which is None when unknown.

    ``saves``: a stash is made. ``argument`` is the stash entry, what is pushed, or ``x`` for ignored files, too;
    ``spares`` are names that ``clean`` leaves alone.
    """

    title: str
    loss: Loss
    folder: str | None
    paths: tuple[str, ...] = ()
    saves: bool = False
    argument: tuple[str, ...] = ()
    bypass: str | None = None
    spares: tuple[str, ...] = ()


def sweeps(line: str) -> list[Sweep]:
    """Those in ``line``, in order."""
    if "git" not in line:
        return []
    found = []
    for command in commands(line):
        read = git_words(command)
        rule = _RULES.get(read[0]) if read is not None else None
        if read is None or rule is None:
            continue
        sweep = rule(read[1])
        if sweep is not None:
            folder = joined(command.folder, read[2]) if read[2] else command.folder
            found.append(sweep._replace(folder=folder, bypass=bypass(dict(command.assigned))))
    return found


def bypass(environment: dict[str, str]) -> str | None:
    """The reason for which a person lets it through; empty when none is given, None when nobody does."""
    wanted = environment.get(BYPASS, "").strip().lower() not in ("", "0", "false", "no")
    return environment.get(BYPASS_REASON, "").strip() if wanted else None


def _sweep(verb: str, words: list[Word], loss: Loss, paths: list[Word] | None = None) -> Sweep:
    title = " ".join(["git", verb, *(word.text for word in words if word.text)])[:80]
    limits = paths or []
    whole = any(not word.sure or word.text in (".", "./", ":/", "*") for word in limits)
    return Sweep(title, loss, "", () if whole else tuple(word.text for word in limits))


def _operands_after(words: list[Word], sign: str = "--") -> list[Word] | None:
    texts = [word.text for word in words]
    return words[texts.index(sign) + 1 :] if sign in texts else None


def _stash(words: list[Word]) -> Sweep | None:
    action = words[0].text if words and not words[0].text.startswith("-") else "push"
    rest = words[1:] if words and words[0].text == action else words
    if action in ("drop", "clear", "pop"):
        named = tuple(word.text for word in rest if not word.text.startswith("-"))
        return _sweep("stash", words, "stash")._replace(argument=named if action != "clear" else ("*",))
    if action not in ("push", "save"):
        return None
    if action == "save":
        paths: list[Word] = []
        given = options([word for word in rest if word.text.startswith("-")])
    else:
        given = options(rest, "m", ("--message", "--pathspec-from-file"))
        paths = list(given.operands)
    if given.has("-S", "--staged", "--pathspec-from-file", "-h", "--help"):
        return None
    everything = given.has("-a", "--all")
    untracked = everything or given.has("-u", "--include-untracked")
    sweep = _sweep("stash", words, "both" if untracked else "tracked", paths)
    return sweep._replace(saves=True, argument=("x",) if everything else ())


def _reset(words: list[Word]) -> Sweep | None:
    given = options(words)
    return _sweep("reset", words, "tracked") if given.has("--hard", "--merge") else None


def _clean(words: list[Word]) -> Sweep | None:
    given = options(words, "e", ("--exclude",))
    if not given.has("-f", "--force") or given.has("-n", "--dry-run"):
        return None
    spares = tuple(value.text for name, value in given.given if name in ("-e", "--exclude") and value is not None)
    sweep = _sweep("clean", words, "untracked", list(given.operands))._replace(spares=spares)
    return sweep._replace(argument=("x",)) if given.has("-x", "-X") else sweep


def _checkout(words: list[Word]) -> Sweep | None:
    after = _operands_after(words)
    before = words[: len(words) - len(after) - 1] if after is not None else words
    given = options(before, "bB", ("--orphan", "--conflict"))
    everything = [word for word in (after if after is not None else given.operands) if word.text in _ALL]
    if everything:
        return _sweep("checkout", words, "tracked")
    if given.has("-f", "--force") and after is None:
        return _sweep("checkout", words, "tracked")
    return None


def _switch(words: list[Word]) -> Sweep | None:
    given = options(words, "cC", ("--create", "--force-create", "--orphan", "--conflict"))
    return _sweep("switch", words, "tracked") if given.has("-f", "--force", "--discard-changes") else None


def _restore(words: list[Word]) -> Sweep | None:
    given = options(words, "s", ("--source",))
    if given.has("--staged", "-S") and not given.has("--worktree", "-W"):
        return None
    return _sweep("restore", words, "tracked") if any(word.text in _ALL for word in given.operands) else None


def _rebase(words: list[Word]) -> Sweep | None:
    given = options(words, "sXxCO", ("--onto", "--strategy", "--strategy-option", "--exec"))
    if given.has("--quit", "--edit-todo", "--show-current-patch", "--continue", "-h", "--help"):
        return None
    return _sweep("rebase", words, "tracked")


def _pull(words: list[Word]) -> Sweep | None:
    given = options(words, "sXj", ("--strategy",))
    rebases = any(name in ("--rebase", "-r") and (not value or value.text != "false") for name, value in given.given)
    return _sweep("pull", words, "tracked") if rebases else None


def _push(words: list[Word]) -> Sweep | None:
    given = options(words, "o", ("--push-option", "--receive-pack", "--exec", "--repo"))
    targets = given.operands[1:]
    forced = given.has("-f", "--force", "--mirror") or any(word.text.startswith("+") for word in targets)
    if not forced or given.has("-n", "--dry-run"):
        return None
    named = tuple(word.text.lstrip("+") for word in given.operands if word.sure)
    return _sweep("push", words, "commits")._replace(argument=named)


_ALL = (".", "./", ":/", "*")
_RULES: dict[str, Callable[[list[Word]], Sweep | None]] = {
    "stash": _stash,
    "reset": _reset,
    "clean": _clean,
    "checkout": _checkout,
    "switch": _switch,
    "restore": _restore,
    "rebase": _rebase,
    "pull": _pull,
    "push": _push,
}
