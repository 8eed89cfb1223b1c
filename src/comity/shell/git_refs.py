"""Verbs of git that change branches, commits, the index, submodules, other work trees, or a remote. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from comity.kernel.hints import Any
from comity.shell.call import targets
from comity.shell.changes import Change
from comity.shell.git_call import GitCall
from comity.shell.options import options
from comity.shell.state import Word, joined

_HELP = ("-h", "--help")
_FROM_FILE = "--pathspec-from-file"
_CHOSEN = ("-p", "--patch", "-i", "--interactive", "-e", "--edit")  # of git add
_COMMIT_VALUED = (
    *("--message", "--file", "--author", "--date", "--fixup", "--squash", "--cleanup", "--template", "--trailer"),
    *("--reuse-message", "--reedit-message", _FROM_FILE),
)


def _texts(words: tuple[Word, ...]) -> tuple[str, ...]:
    return tuple(word.text for word in words if word.sure)


def _refs(git: GitCall, names: tuple[str, ...], *, discards: bool) -> Change:
    return git.whole("refs", whole=False, names=names, discards=discards)


def _branch(git: GitCall) -> Iterator[Change]:
    given = options(
        git.words, "u", ("--set-upstream-to", "--contains", "--merged", "--no-merged", "--points-at", "--sort")
    )
    forced = given.has("-D", "-M", "-C", "-f", "--force")
    if given.has("-m", "--move", "-M"):  # whoever is on it goes along; a branch in whose place it comes is lost
        yield _refs(git, _texts(given.operands[-1:]) if forced else (), discards=forced)
    elif forced or given.has("-d", "--delete"):
        yield _refs(git, _texts(given.operands), discards=forced)


def _tag(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "mFu", ("--message", "--file", "--local-user"))
    if given.has("-d", "--delete", "-f", "--force"):
        yield _refs(git, _texts(given.operands), discards=False)


def _update_ref(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "m")
    names = _texts(given.operands[:1])
    if names in (("HEAD",), ("@",)):
        yield git.whole("branch", whole=False, names=names, ignored=False)
    else:
        yield _refs(git, names or ("*",), discards=True)


def _symbolic_ref(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "m")
    if len(given.operands) > 1 or given.has("-d", "--delete"):
        yield git.whole("branch", whole=False, names=_texts(given.operands[1:]), ignored=False)


def _collected(git: GitCall) -> Iterator[Change]:
    """gc, prune and reflog: commits that nothing names any more go."""
    texts = [word.text for word in git.words]
    kept = {"-n", "--dry-run", *_HELP} & set(texts)
    at_once = git.verb == "prune" or any(text.startswith(("--prune", "--expire", "--all")) for text in texts)
    if git.verb == "reflog":
        at_once = texts[:1] in (["expire"], ["delete"], ["drop"])
    if at_once and not kept and "--no-prune" not in texts:
        yield _refs(git, ("*",), discards=True)


def _push(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "o", ("--push-option", "--receive-pack", "--exec", "--repo"))
    targets = given.operands[1:]
    forced = given.has("-f", "--force", "--mirror") or any(word.text.startswith("+") for word in targets)
    if forced and not given.has("-n", "--dry-run"):
        named = tuple(word.text.lstrip("+") for word in given.operands if word.sure)
        yield git.whole("push", whole=False, names=named, discards=True)


def _worktree(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "bB", ("--reason", "--expire"))
    action = given.operands[0].text if given.operands else ""
    operands = given.operands[1:]
    if action == "remove":
        found = targets(operands, git.folder, destructive=True)
        flags = {"paths": found.paths, "patterns": found.patterns, "untracked": True, "ignored": True}
        forced = given.has("-f", "--force")
        if found.whole:  # any but the main one, which git does not remove
            spares = (git.top.strip("/"),)
            yield git.whole("worktree", place="/", spares=spares, discards=forced, untracked=True, ignored=True)
        elif found:
            yield git.whole("worktree", whole=False, discards=forced, **flags)
    elif action == "move" and len(operands) > 1:
        yield git.whole(
            "move", whole=False, paths=(joined(git.folder, operands[0].text),), untracked=True, ignored=True
        )
    elif action == "add" and given.has("-B"):
        yield _refs(git, _texts(tuple(given.values("-B"))), discards=True)


def _submodule(git: GitCall) -> Iterator[Change]:
    """Only what lies in submodules is reached; ``.gitmodules`` says where they are."""
    given = options(git.words, "", ("--reference", "--depth", "--jobs", "--branch", "--name"))
    action = given.operands[0].text if given.operands else ""
    operands = given.operands[1:]
    places = _submodules(git)
    if action == "foreach":
        line = " ".join(word.text for word in operands)
        for place in places or ():
            child = git.state.copy()
            child.go(joined(git.top, place))
            git.shell.script(line, child)
        git.shell.unknown = git.shell.unknown or places is None
        return
    flags: dict[str, Any] = {"untracked": action == "deinit", "ignored": action == "deinit"}
    if action == "deinit" and given.has("-f", "--force"):
        named = operands or [Word(place, quoted=True) for place in places or ()]
        yield from git.some("remove", named, **flags)
    elif action in ("update", "checkout") and given.has("-f", "--force", "--checkout"):
        named = operands or [Word(place, quoted=True) for place in places or ()]
        yield from git.some("replace", named, discards=given.has("-f", "--force"))
    elif action == "update":
        yield git.whole("branch", whole=False, paths=tuple(joined(git.top, place) for place in places or ()))


def _submodules(git: GitCall) -> tuple[str, ...] | None:
    """Where submodules lie below the top; none when there is no such file, None when it cannot be read."""
    text = git.shell.text(joined(git.top, ".gitmodules"), git.state)
    if text is None:
        return None
    pairs = (line.partition("=") for line in text.split("\n"))
    return tuple(value.strip() for name, _, value in pairs if name.strip() == "path")


def _add(git: GitCall) -> Iterator[Change]:
    given = options(git.words, "", ("--chmod", _FROM_FILE))
    if given.has("-n", "--dry-run", "--refresh", *_HELP):
        return
    words = [*given.operands, *git.from_file(given.value(_FROM_FILE), nul=given.has("--pathspec-file-nul"))]
    flags: dict[str, Any] = {"untracked": not given.has("-u", "--update"), "staging": "adds"}
    if words:
        yield from git.some("index", words, **flags)
    elif given.has("-A", "--all", "--no-ignore-removal", "-u", "--update", *_CHOSEN):
        yield git.whole("index", **flags)


def _update_index(git: GitCall) -> Iterator[Change]:
    """Only what is named, or told on the standard input, is reached."""
    given = options(git.words, "", ("--chmod", "--index-version", "--unresolve"))
    listed = git.from_file(Word("-"), nul=given.has("-z")) if given.has("--stdin") else []
    words = [word._replace(text=f":(literal){word.text}") if word.sure else word for word in (*given.operands, *listed)]
    if given.has("--force-remove"):
        yield from git.some("index", words, staging="drops", untracked=True)
    if not given.has("--cacheinfo", "--assume-unchanged", "--skip-worktree"):
        yield from git.some("index", words, staging="adds", untracked=True)


def _commit(git: GitCall) -> Iterator[Change]:
    """Without paths, all that is in the index; with paths those alone, unless the rest is asked for, too."""
    words = [word for word in git.words if not re.match(r"-(?:S.|u(?:no|normal|all)$)", word.text)]
    given = options(words, "mFCct", _COMMIT_VALUED)
    if given.has("--dry-run", "--short", "--porcelain", "--long", *_HELP):
        return
    named = [*given.operands, *git.from_file(given.value(_FROM_FILE), nul=given.has("--pathspec-file-nul"))]
    if not named:
        message = given.has("--amend") and given.has("-o", "--only")  # of the last commit, and nothing else of it
        yield git.whole("commit", whole=given.has("-a", "--all"), staging="" if message else "records")
    else:
        more = given.has("-i", "--include", "-p", "--patch", "--interactive")
        yield from git.some("commit", named, staging="records" if more else "")


def _tree_written(git: GitCall) -> Iterator[Change]:
    """A tree of all that is in the index: a commit of it moves no branch by itself."""
    git.shell.tree_of = git.own_index
    return iter(())


def _bisect(git: GitCall) -> Iterator[Change]:
    texts = [word.text for word in git.words]
    if texts[:1] == ["run"]:
        git.shell.perform(git.call._replace(words=git.words[1:], folder=git.top), git.state.copy())
    if texts[:1] not in (["log"], ["visualize"], ["view"], ["terms"], ["help"], []):
        yield git.whole("branch")


def _merge_like(git: GitCall) -> Iterator[Change]:
    """subtree, svn and the like: git refuses where changes are in the way."""
    yield git.whole("branch")


def _config(git: GitCall) -> Iterator[Change]:
    """An alias counts from here on."""
    words = [word for word in git.words if not word.text.startswith("-") and word.text != "set"]
    if len(words) > 1 and words[0].text.lower().startswith("alias."):
        git.state.aliases[words[0].text[len("alias.") :]] = words[1].text
    return iter(())


def _output(*names: str, valued: str, operand: bool = False) -> Callable[[GitCall], Iterator[Change]]:
    """A file that a verb writes what it shows into."""

    def rule(git: GitCall) -> Iterator[Change]:
        given = options(git.words, valued, names)
        words = [*given.values(*names), *(given.operands[1:2] if operand else ())]
        for word in words:
            if word.sure and word.text != "-":
                path = joined(git.folder, word.text)
                yield Change(f"git {git.verb}", "write", git.top, (path,), below=False)

    return rule


RULES: dict[str, Callable[[GitCall], Iterator[Change]]] = {
    "branch": _branch,
    "tag": _tag,
    "update-ref": _update_ref,
    "symbolic-ref": _symbolic_ref,
    **dict.fromkeys(("gc", "prune", "reflog"), _collected),
    "push": _push,
    "worktree": _worktree,
    "submodule": _submodule,
    **dict.fromkeys(("add", "stage"), _add),
    "update-index": _update_index,
    "write-tree": _tree_written,
    "commit": _commit,
    "bisect": _bisect,
    **dict.fromkeys(("subtree", "svn", "lfs"), _merge_like),
    "config": _config,
    "archive": _output("-o", "--output", valued="o"),
    **dict.fromkeys(("diff", "log", "show", "format-patch"), _output("--output", valued="oSGnU")),
    "bundle": _output(valued="", operand=True),
}
