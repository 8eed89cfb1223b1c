"""Git in a line: aliases, the verbs behind them, and what git prints that goes on to other programs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from comity.shell import git_refs, git_trees
from comity.shell.call import Call, Shell
from comity.shell.changes import Change
from comity.shell.git_call import GitCall, git_call
from comity.shell.options import options
from comity.shell.outputs import files_below, text
from comity.shell.pathspecs import pathspec
from comity.shell.state import ANY, COMMIT, FILE, Lines, State, Word, bounded, joined

_DEEPEST = 5
_RULES = {**git_trees.RULES, **git_refs.RULES}
# Verbs that change no file; an alias of such a name does not count.
_READING = frozenset(
    (
        *(
            "status",
            "log",
            "diff",
            "show",
            "rev-parse",
            "ls-files",
            "ls-tree",
            "ls-remote",
            "blame",
            "annotate",
            "grep",
        ),
        *("describe", "cat-file", "rev-list", "merge-base", "shortlog", "reflog", "remote", "fetch", "config", "help"),
        *(
            "diff-index",
            "diff-tree",
            "diff-files",
            "for-each-ref",
            "show-ref",
            "name-rev",
            "var",
            "version",
            "whatchanged",
        ),
        *("check-ignore", "check-attr", "count-objects", "fsck", "verify-commit", "hash-object", "notes"),
        *(
            "commit-tree",
            "cherry",
            "range-diff",
            "request-pull",
            "archive",
            "bundle",
            "format-patch",
            "stripspace",
            "init",
        ),
        *("clone", "pack-refs", "repack", "maintenance", "rerere", "show-branch", "merge-tree", "credential", "gui"),
    )
)
_NO_PATCH = (
    "--stat",
    "--numstat",
    "--shortstat",
    "--name",
    "--raw",
    "--summary",
    "-s",
    "--no-patch",
    "--quiet",
    "--check",
)
_MAKING = frozenset(("clone", "worktree", "init", "submodule", "checkout", "switch", "mv", "pull", "merge", "stash"))
_MOVING = ("update-ref", "reset", "merge", "checkout", "switch", "branch", "push", "rebase", "pull")
_COMMITS = frozenset(
    (
        *(
            "rev-list",
            "merge-base",
            "describe",
            "branch",
            "for-each-ref",
            "symbolic-ref",
            "tag",
            "write-tree",
            "show-ref",
        ),
        *("commit-tree", "name-rev", "hash-object", "log", "stash", "remote", "config", "ls-remote"),
    )
)


def git(call: Call, state: State, shell: Shell, depth: int = 0) -> Lines:
    """Note what a call of git changes; what it prints."""
    read = git_call(call, state, shell)
    if read is None:
        return (ANY,)
    rule = _RULES.get(read.verb)
    if read.verb in _MAKING:
        state.made = True
        state.tops |= _made(read)
    if rule is None and read.verb not in _READING:
        return _aliased(read, depth)
    if rule is not None:
        for change in (*_planted(read), *rule(read)):
            shell.note(call, change, state)
        state.started |= {read.verb}
    return _printed(read)


def _planted(read: GitCall) -> Iterator[Change]:
    """A commit of a tree that the line has written from an index, when a branch is moved to it."""
    index = read.shell.tree_of
    if index is not None and read.verb in _MOVING and not all(word.sure for word in read.words):
        yield read.whole("commit", whole=False, staging="records", of_index=index)


def _made(read: GitCall) -> frozenset[str]:
    """The top of a work tree that a call of git makes."""
    given = options(
        read.words, "bBcou", ("--reason", "--branch", "--origin", "--depth", "--config", "--reference", "--template")
    )
    named = given.operands[1:] if read.verb == "worktree" else given.operands
    if read.verb == "worktree" and [word.text for word in given.operands[:1]] == ["add"] and named:
        return frozenset((joined(read.folder, named[0].text),))
    if read.verb == "clone" and named:
        name = named[1].text if len(named) > 1 else named[0].text.rstrip("/").rpartition("/")[2].removesuffix(".git")
        return frozenset((joined(read.folder, name),))
    if read.verb == "init":
        return frozenset((joined(read.call.folder, named[0].text) if named else read.call.folder,))
    return frozenset()


def _aliased(read: GitCall, depth: int) -> Lines:
    """What an alias of git's stands for: a line for a shell, or a verb with its words."""
    shell, state = read.shell, read.state
    named = f"alias.{read.verb}".lower()
    written = read.settings.get(named) or state.aliases.get(read.verb)
    if written is None and shell.aliases is not None:
        known: Mapping[str, str] = shell.aliases()
        written = known.get(read.verb) or known.get(read.verb.lower())
    if not written or depth >= _DEEPEST:
        shell.unknown = True
        return (ANY,)
    if written.startswith("!"):
        child = state.copy()
        child.go(read.top)
        child.arguments = bounded(tuple(word.text for word in read.words))
        return shell.script(f'{written[1:]} "$@"', child, read.call.given)
    words = [Word(one, quoted=True) for one in _split(written)]
    front = read.call.words[: len(read.call.words) - len(read.words) - 1]
    return git(read.call._replace(words=(*front, *words, *read.words)), state, shell, depth + 1)


def _split(written: str) -> list[str]:
    """As git parts an alias: at blanks, quotes taken off."""
    found = re.findall(r"((?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\.|[^\s\"'\\])+)", written)
    return [re.sub(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|\\(.)", _plain, one) for one in found]


def _plain(found: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2] if found[2] is not None else found[3]


def _printed(read: GitCall) -> Lines:
    texts = [word.text for word in read.words]
    if read.verb == "rev-parse":
        return _place(read, texts)
    if read.verb == "ls-files":
        given = options(read.words, "xX", ("--exclude", "--exclude-from"))
        if given.has("-d", "--deleted"):
            return ()
        return files_below([_holed(word) for word in given.operands])
    if "--name-only" in texts or (read.verb == "grep" and {"-l", "--files-with-matches", "-L"} & set(texts)):
        return _named(read, texts)
    if read.verb == "diff" and not any(text.startswith(_NO_PATCH) for text in texts):
        return tuple(f"+++ b/{path}" for path in _named(read, texts))
    if read.verb in _COMMITS and not {"show", "-p", "--patch"} & set(texts):
        return (COMMIT,)
    return (ANY,)


def _named(read: GitCall, texts: list[str]) -> Lines:
    """The files that a verb names which is limited to what stands behind ``--``; they count from the top."""
    limits = read.words[texts.index("--") + 1 :] if "--" in texts and read.folder == read.top else ()
    return files_below([_holed(word) for word in limits])


def _holed(word: Word) -> str:
    """A pathspec as a text, with holes for its wildcards."""
    spec = pathspec(text(word))
    return FILE if spec.magic else re.sub(r"[*?]+|\[[^\]]*\]", FILE, spec.pattern)


def _place(read: GitCall, texts: list[str]) -> Lines:
    """``rev-parse``."""
    inside = read.folder.removeprefix(read.top).strip("/")
    known = {
        "--show-toplevel": read.top,
        "--show-prefix": f"{inside}/" if inside else "",
        "--show-cdup": "../" * len(inside.split("/")) if inside else "",
        "--git-dir": joined(read.top, ".git"),
        "--absolute-git-dir": joined(read.top, ".git"),
        "--git-common-dir": joined(read.top, ".git"),
    }
    return tuple(known[flag] for flag in texts if flag in known) or (COMMIT,)
