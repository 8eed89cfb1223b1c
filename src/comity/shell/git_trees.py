"""Verbs of git that change the files of a work tree, each with the files that it reaches. Pure.

Harmless forms (``stash list``, ``clean -n``, ``reset --soft``) change no file here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain

from comity.kernel.hints import Any
from comity.shell.changes import Change
from comity.shell.git_call import GitCall
from comity.shell.options import Options, options
from comity.shell.patches import of_diff
from comity.shell.programs import text_given
from comity.shell.state import Word, joined

_HELP = ("-h", "--help")
_FROM_FILE = "--pathspec-from-file"


def _listed(git: GitCall, given: Options) -> list[Word]:
    """What ``--pathspec-from-file`` names."""
    return git.from_file(given.value(_FROM_FILE), nul=given.has("--pathspec-file-nul"))


def moved(git: GitCall, names: Iterator[str] | tuple[str, ...] = ()) -> Change:
    """HEAD moves; git refuses where uncommitted changes are in the way, but not what the line has committed before."""
    if "commit" in git.state.started:
        return git.whole("replace", names=tuple(names), discards=False)
    return git.whole("branch", names=tuple(names))


def goes_on(git: GitCall, *begun: str) -> Iterator[Change]:
    """An operation that has stopped goes on: what is in the index is recorded, and HEAD moves."""
    if git.begun(*begun):
        yield git.whole("commit", whole=False, staging="records")
        yield moved(git)


def _names(words: tuple[Word, ...]) -> tuple[str, ...]:
    return tuple(word.text for word in words if word.sure)[:4]


def _checkout(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "bB", ("--orphan", "--conflict", _FROM_FILE))
    listed = _listed(git, given)
    words, after = given.operands, given.operands[given.dashes :] if given.dashes is not None else ()
    if given.has(*_HELP):
        return
    if after or given.has(_FROM_FILE):
        yield from git.some("replace", [*after, *listed])
        return
    if given.has("-b", "-B", "--orphan"):
        yield git.whole("replace") if given.has("-f", "--force") else moved(git, _names(words))
        return
    if len(words) > 1 and given.dashes is None:
        first = [] if words[0].blank or not git.is_path(words[0]) else [words[0]]
        yield from git.some("replace", [*first, *words[1:]])
        return
    if words and given.dashes is None and git.is_path(words[0]):
        yield from git.some("replace", words)
    elif given.has("-f", "--force") or given.has("-p", "--patch"):
        yield git.whole("replace", names=_names(words))
    elif words:
        if given.has("-m", "--merge", "--conflict"):
            yield git.whole("write", keeps=True, discards=False)
        yield moved(git, _names(words))
        if given.dashes is None and words[0].sure and words[0].text != "-":
            yield from git.some("replace", words)  # a file that somebody has removed
    elif given.has("-d", "--detach"):
        yield moved(git)


def _switch(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "cC", ("--create", "--force-create", "--orphan", "--conflict"))
    if given.has(*_HELP):
        return
    if given.has("-f", "--force", "--discard-changes"):
        yield git.whole("replace", names=_names(given.operands))
        return
    if given.has("-m", "--merge", "--conflict"):
        yield git.whole("write", keeps=True, discards=False)
    yield moved(git, _names(given.operands))


def _restore(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "sU", ("--source", "--unified", _FROM_FILE))
    if given.has(*_HELP):
        return
    words = [*given.operands, *_listed(git, given)]
    if given.has("--staged", "-S") and not given.has("--worktree", "-W"):
        if words or not given.has("-p", "--patch"):
            yield from git.some("index", words, staging="drops")
        else:
            yield git.whole("index", staging="drops")
    elif not words and given.has("-p", "--patch"):
        yield git.whole("replace")
    else:
        yield from git.some("replace", words)


def _reset(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "U", (_FROM_FILE,))
    if given.has(*_HELP):
        return
    if given.has("--hard", "--merge"):
        yield git.whole("replace", names=_names(given.operands))
    elif given.has("--keep"):
        yield git.whole("index", staging="drops")
        yield moved(git, _names(given.operands))
    elif given.has("--soft"):
        yield moved(git, _names(given.operands))._replace(ignored=False)
    elif len(given.operands) == 1 and given.dashes != 0 and not git.is_path(given.operands[0]):
        yield git.whole("index", staging="drops")
        yield moved(git, _names(given.operands))._replace(ignored=False)
    else:
        words = [*given.operands[given.dashes or 0 :], *_listed(git, given)]
        yield git.named("index", words, staging="drops") or git.whole("index", staging="drops")


def _clean(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "e", ("--exclude",))
    forced = given.has("-f", "--force", "-i", "--interactive") or git.setting("clean.requireForce").lower() == "false"
    if not forced or given.has("-n", "--dry-run", *_HELP):
        return
    only = given.has("-X")
    flags: dict[str, Any] = {
        "tracked": "rm" in git.state.started,  # what it has taken out of the index is not tracked any more
        "untracked": not only,
        "ignored": only or given.has("-x"),
        "spares": tuple(word.text for word in given.values("-e", "--exclude")),
    }
    words = list(given.operands) or [Word(".", quoted=True)]
    yield from git.some("remove", words, **flags)


def _stash(git: GitCall) -> Iterator[Change]:
    words = git.words
    action = words[0].text if words and not words[0].text.startswith("-") else "push"
    rest = words[1:] if words and words[0].text == action else words
    if any(word.text in _HELP for word in rest):
        return
    entries = tuple(word.text for word in rest if not word.text.startswith("-"))
    if action in ("drop", "clear", "pop"):
        yield git.whole("stash", names=("*",) if action == "clear" else entries, whole=False, discards=True)
    if action in ("pop", "apply", "branch"):
        yield moved(git)._replace(ignored=False)
    if action in ("push", "save"):
        yield from _stashed(git, rest, saved=action == "save")


def _stashed(git: GitCall, rest: tuple[Word, ...], *, saved: bool) -> Iterator[Change]:
    given = options(
        [word for word in rest if word.text.startswith("-")] if saved else rest, "m", ("--message", _FROM_FILE)
    )
    everything = given.has("-a", "--all")
    flags: dict[str, Any] = {
        "untracked": everything or given.has("-u", "--include-untracked"),
        "ignored": everything,
        "discards": False,
    }
    words = [] if saved else [*given.operands, *_listed(git, given)]
    if given.has("-S", "--staged") and not {"add", "rm", "mv", "update-index", "apply"} & git.state.started:
        yield git.whole("index", staging="drops")
    elif given.has("-S", "--staged"):
        yield git.whole("replace", **{**flags, "untracked": True})
    elif words:
        yield from git.some("replace", words, **flags)
    else:
        yield git.whole("replace", **flags)


def _rebase(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "sXxCO", ("--onto", "--strategy", "--strategy-option", "--exec"))
    for line in given.values("-x", "--exec"):
        git.shell.script(line.text, git.state.copy())
    if given.has("--abort", "--skip"):
        if git.begun("rebase-merge", "rebase-apply"):
            yield git.whole("replace")
    elif given.has("--continue"):
        yield from goes_on(git, "rebase-merge", "rebase-apply")
    elif not given.has("--quit", "--edit-todo", "--show-current-patch", "--continue", *_HELP):
        yield git.whole("replace", discards=False, names=_names(given.operands))


def _pull(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "sXj", ("--strategy",))
    rebases = any(name in ("--rebase", "-r") and (not value or value.text != "false") for name, value in given.given)
    set_so = git.setting("pull.rebase") not in ("", "false") and not given.has("--no-rebase")
    if given.has(*_HELP):
        return
    if rebases or set_so or given.has("--autostash"):
        yield git.whole("replace", discards=False)
    else:
        yield moved(git)


def _abortable(*begun: str, valued: str = "") -> Callable[[GitCall], Iterator[Change]]:
    """merge, am, cherry-pick and revert: to give one up puts back what was there before."""

    def rule(git: GitCall) -> Iterator[Change]:
        given = options(git.words, valued, ("--strategy", "--strategy-option", "--message", "--file", "--mainline"))
        if given.has("--abort", "--skip"):
            if git.begun(*begun):
                yield git.whole("replace")
        elif given.has("--continue", "--resolved", "-r"):
            yield from goes_on(git, *begun)
        elif given.has("--autostash") or git.setting("merge.autoStash") not in ("", "false"):
            yield git.whole("replace", discards=False, names=_names(given.operands))
        elif not given.has("--quit", "--show-current-patch", *_HELP):
            yield moved(git, _names(given.operands))

    return rule


def _apply(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "pC", ("--directory", "--exclude", "--include", "--whitespace", "--build-fake-ancestor"))
    if given.has("--check", "--stat", "--numstat", "--summary", *_HELP) and not given.has("--apply"):
        return
    if given.has("--cached"):
        yield git.whole("index")
        return
    texts = [
        text_given(git.call, git.state, git.shell)
        if word.text == "-"
        else git.shell.text(joined(git.folder, word.text), git.state)
        for word in given.operands or (Word("-"),)
    ]
    strip, inside = given.value("-p"), given.value("--directory")
    level = int(strip.text) if strip is not None and strip.text.isdigit() else 1
    named = list(chain.from_iterable(of_diff(text, level) for text in texts if text is not None))
    words = [Word(f"{inside.text}/{name}" if inside else name, quoted=True) for name in named]
    flags = {"untracked": True, "keeps": True, "spares": tuple(word.text for word in given.values("--exclude"))}
    if any(text is None for text in texts):
        yield git.whole("write", **flags)
    literal = [word._replace(text=f":(literal){word.text}") if word.sure else word for word in words]
    yield from git.some("write", literal, **flags)
    if git.folder != git.top:
        yield from git.some("write", [word._replace(text=f":(top,literal){word.text}") for word in words], **flags)


def _read_tree(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "", ("--prefix", "--index-output", "--exclude-per-directory"))
    if given.has("-n", "--dry-run", *_HELP):
        return
    if given.has("--reset") and given.has("-u"):
        yield git.whole("replace", untracked=True)
    elif given.has("-u"):
        yield moved(git, _names(given.operands))
    else:
        yield git.whole("index", staging="drops")


def _checkout_index(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "", ("--prefix", "--stage"))
    prefix = given.value("--prefix")
    if not given.has("-f", "--force"):
        return
    if prefix is not None:
        yield git.whole("write", whole=False, paths=(joined(git.top, prefix.text),), untracked=True, ignored=True)
    elif given.has("-a", "--all"):
        yield git.whole("replace")
    else:
        listed = git.from_file(Word("-"), nul=given.has("-z")) if given.has("--stdin") else []
        yield from git.some("replace", [*given.operands, *listed])


def _rm(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "", (_FROM_FILE,))
    if given.has("-n", "--dry-run", *_HELP):
        return
    words = [*given.operands, *_listed(git, given)]
    if given.has("--cached"):  # what is staged of it goes, and that it is gone is staged
        yield from git.some("index", words, staging="drops")
        yield from git.some("index", words, staging="adds")
    else:
        yield from git.some("remove", words, discards=given.has("-f", "--force"))


def _mv(git: GitCall) -> Iterator[Change]:
    given = options(git.words)
    if given.has("-n", "--dry-run", *_HELP) or len(given.operands) < 2:
        return
    *sources, target = given.operands
    flags: dict[str, Any] = {"untracked": True, "ignored": True}
    yield from git.some(
        "move", [word._replace(text=f":(literal){word.text}") for word in sources if word.sure], **flags
    )
    if any(not word.sure for word in sources):
        yield git.whole("move", **flags)
    name = target.text.rstrip("/")
    for place in [target, *(target._replace(text=f"{name}/{word.text.rpartition('/')[2]}") for word in sources)]:
        if place.sure and (given.has("-f", "--force") or not os.path.lexists(joined(git.folder, place.text))):
            yield from git.some("write", [place], verb="mv", untracked=True, below=False)  # a new name, as any program


def _filtered(git: GitCall) -> Iterator[Change]:
    yield git.whole("replace", discards=git.verb != "filter-branch")


def _sparse(git: GitCall) -> Iterator[Change]:
    if [word.text for word in git.words[:1]] != ["list"]:
        yield moved(git)


def _merged_file(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "L")
    if not given.has("-p", "--stdout"):
        yield from git.some("write", given.operands[:1], keeps=True, untracked=True, ignored=True)


RULES: dict[str, Callable[[GitCall], Iterator[Change]]] = {
    "checkout": _checkout,
    "switch": _switch,
    "restore": _restore,
    "reset": _reset,
    "clean": _clean,
    "stash": _stash,
    "rebase": _rebase,
    "pull": _pull,
    "merge": _abortable("MERGE_HEAD", valued="msXF"),
    "am": _abortable("rebase-apply", valued="pC"),
    "cherry-pick": _abortable("CHERRY_PICK_HEAD", "sequencer", valued="mX"),
    "revert": _abortable("REVERT_HEAD", "sequencer", valued="mX"),
    "apply": _apply,
    "read-tree": _read_tree,
    "checkout-index": _checkout_index,
    "rm": _rm,
    "mv": _mv,
    "filter-branch": _filtered,
    "filter-repo": _filtered,
    "sparse-checkout": _sparse,
    "merge-file": _merged_file,
}
