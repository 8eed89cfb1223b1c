"""What a shell command line would do to files, seen from the folder it runs in: the part that looks at the disk."""

from __future__ import annotations

import os

from comity.kernel.named_tuple import NamedTuple
from comity.shell.wrappers import commands, git_words
from comity.shell.writes import Write, of_command, writes

MAX_FILES = 500
_READERS = {
    *(
        "ls",
        "cat",
        "head",
        "tail",
        "grep",
        "rg",
        "egrep",
        "fgrep",
        "wc",
        "echo",
        "printf",
        "pwd",
        "cd",
        "which",
        "type",
    ),
    *("file", "stat", "du", "df", "date", "whoami", "true", "false", "test", "[", "[[", "uniq", "cut", "tr", "diff"),
    *("cmp", "tree", "ps", "sleep", "basename", "dirname", "realpath", "readlink", "printenv", "uname", "id", "jq"),
}
_GIT_READERS = frozenset(
    ("status", "log", "diff", "show", "rev-parse", "ls-files", "ls-tree", "blame", "grep", "describe", "cat-file")
)


class Named(NamedTuple):
    """Files and folders that a line names, absolute; ``whole`` are those whose content it replaces."""

    paths: list[str]
    whole: frozenset[str]


def named(line: str, cwd: str) -> Named:
    """What ``line`` would write when it runs in ``cwd``."""
    found: dict[str, bool] = {}
    for write in writes(line)[:MAX_FILES]:
        path = os.path.join(cwd, write.path)
        if write.kind == "into" and (write.path.endswith("/") or os.path.isdir(path)):
            path = os.path.join(path, write.name)
        elif write.kind == "file" and os.path.isdir(path):
            continue
        found[path] = found.get(path, False) or _replaces(write)
    return Named(list(found), frozenset(path for path, whole in found.items() if whole))


def _replaces(write: Write) -> bool:
    return write.whole and not write.wild


def reads_only(line: str) -> bool:
    """Whether nothing in the line can change a file, as far as its letters tell."""
    for command in commands(line):
        if command.words and command.name not in _READERS:
            git = git_words(command)
            if git is None or git[0] not in _GIT_READERS:
                return False
        if any(not word.text.startswith("/dev/") for word in (*command.outputs, *command.added)):
            return False
        if any(True for _ in of_command(command._replace(outputs=(), added=()))):
            return False
    return True
