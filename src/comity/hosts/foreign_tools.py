"""Tools that a host does not bring itself, such as those of other MCP servers: what a call of one may change.

Nobody says of such a tool whether it writes, so its name is read for verbs and its arguments for paths and command
lines. What that leaves out is found afterwards, by comparing what changed. Loaded only for such a call.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from comity.hosts import patch
from comity.hosts.contract import Reach, parsed
from comity.kernel.hints import Any
from comity.system import repository
from comity.system.wildcards import matching

_MOST_STRINGS, _DEEPEST = 5000, 12
_MOST_LETTERS = 4096  # of a path
_READING = frozenset(
    (
        *("read", "get", "list", "ls", "search", "find", "view", "show", "grep", "glob", "query", "fetch", "lookup"),
        *("describe", "inspect", "check", "stat", "status", "info", "tree", "count", "diff", "log", "summarize"),
        *("explain", "analyze", "browse", "navigate", "hover", "diagnostics", "definition", "references", "symbols"),
        *("overview", "outline", "resolve", "open", "close", "lint", "test", "tests", "validate", "review", "attach"),
        *("send", "post", "upload", "debug", "head", "tail", "cat", "compare", "preview", "blame", "history", "load"),
    )
)
_WRITING = frozenset(
    (
        *("write", "edit", "edits", "replace", "insert", "create", "update", "patch", "apply", "append", "prepend"),
        *("put", "set", "save", "modify", "change", "overwrite", "truncate", "format", "reformat", "refactor", "fix"),
        *("add", "copy", "undo", "redo", "revert", "restore", "transform", "substitute", "sed", "generate", "convert"),
        *("reset", "checkout", "export", "download", "touch", "rewrite", "merge", "inline", "extract", "organize"),
    )
)
_MOVING = frozenset(("move", "mv", "rename", "delete", "remove", "rm", "unlink", "rmdir", "trash", "clean", "erase"))
_RUNNING = frozenset(
    ("shell", "bash", "sh", "zsh", "exec", "execute", "command", "commands", "terminal", "process", "run", "cmd")
)
_LINES = frozenset(("command", "commands", "cmd", "cmdline", "commandline", "script", "bash", "shell"))
_FOLDERS = frozenset(("root", "cwd", "workdir", "workspace", "repo", "repository", "project", "base", "working"))
_NAMES = frozenset(
    (
        *("path", "paths", "file", "files", "filename", "filenames", "filepath", "filepaths", "uri", "uris"),
        *("notebook", "pathname", "pathnames", "relpath", "abspath", "filepattern", "textdocument"),
    )
)
_MAYBE = frozenset(("source", "src", "destination", "dest", "dst", "target", "from", "to", "output", "out", "document"))
_TEXTS = frozenset(
    (
        *("content", "contents", "text", "body", "code", "data", "message", "prompt", "description", "query"),
        *("pattern", "regex", "search", "string", "str", "replacement", "value", "title", "comment", "instructions"),
        *("instruction", "thought", "explanation", "reason", "summary", "old", "new", "snippet", "lines", "line"),
        *("needle",),
    )
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_SPOT = re.compile(r"(?::\d+){1,2}$|#L?\d+.*$")


def reach(tool: str, asked: Mapping[str, Any], cwd: str) -> Reach:
    """What a call of ``tool`` with these arguments may change, seen from ``cwd``; ``unknown`` is the tool."""
    words = _words(tool.rpartition("__")[2] or tool)
    line = _command(words, asked)
    verbs = set() if line else _words(" ".join(_strings_of(asked, _LINES)))
    words = verbs if _reads(verbs) else words | verbs  # "command": "view"
    found = () if _reads(words) else tuple(dict.fromkeys(_files(words, asked, _bases(asked, cwd))))
    return Reach(found, line, tool)


def _reads(words: set[str]) -> bool:
    return not words & (_WRITING | _MOVING) and bool(words & _READING)


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(name)}


def _strings_of(asked: Mapping[str, Any], names: frozenset[str]) -> Iterator[str]:
    """The texts of the arguments that are called by one of these words."""
    for key, value in asked.items():
        if isinstance(value, str) and _words(key) & names:
            yield value


def _command(words: set[str], asked: Mapping[str, Any]) -> str:
    """The command line that the tool is given, with the folder in which it is to run; empty for none."""
    for key, value in asked.items():
        if not (_words(key) & _LINES):
            continue
        line = value if isinstance(value, str) else _joined(value) if isinstance(value, list) else ""
        runs = bool(words & _RUNNING) or re.search(r"\S\s+\S", line) is not None
        if not line.strip() or not runs:
            continue
        more = asked.get("args", asked.get("arguments"))
        line = f"{line} {_joined(more)}" if isinstance(more, list) and isinstance(value, str) else line
        folder = next((one for one in _folders(asked) if os.path.isabs(one)), "")
        return f"cd {shlex.quote(folder)} && {line}" if folder else line
    return ""


def _joined(words: Sequence[object]) -> str:
    return shlex.join(word for word in words if isinstance(word, str))


def _folders(asked: Mapping[str, Any]) -> Iterator[str]:
    """Folders that the arguments name as the place from which paths go."""
    for key, value in asked.items():
        if isinstance(value, str) and _words(key) & _FOLDERS:
            path = _local(value)
            if path and os.path.isdir(path):
                yield path


def _bases(asked: Mapping[str, Any], cwd: str) -> list[str]:
    """The folders from which a relative path may go, the likeliest first."""
    there = repository.around(cwd) if os.path.isabs(cwd) else None
    tops = [there.checkout] if there is not None else []
    named = [os.path.join(cwd, one) for one in _folders(asked)]
    return list(dict.fromkeys([*named, cwd, *tops]))


def _files(words: set[str], asked: Mapping[str, Any], bases: list[str]) -> Iterator[str]:
    """Absolute paths of files that the arguments name, and of folders where those are moved or removed."""
    diffs = bool(words & {"patch", "diff", "apply", "edits"})
    for key, text in _strings(asked, "", 0, [_MOST_STRINGS]):
        named = _words(key)
        if "\n" in text:
            if diffs or named & {"patch", "diff"}:
                yield from _in_patch(text, bases)
            continue
        if not text or len(text) > _MOST_LETTERS or (named & _FOLDERS and os.path.isdir(_local(text))):
            continue
        last = (_WORD.findall(key) or [""])[-1].lower()
        strong = last in _NAMES or (bool(named & _NAMES) and not named & _TEXTS)
        if not strong and named & _TEXTS:
            continue
        for path in _resolved(text, bases, strong=strong, maybe=bool(named & _MAYBE)):
            if _counts(path, words, strong=strong or bool(named & _MAYBE)):
                yield path


def _counts(path: str, words: set[str], *, strong: bool) -> bool:
    """Whether the tool may change what is there: any file, a folder only to move it, and new files if it writes."""
    if os.path.isdir(path):
        return bool(words & _MOVING)
    return os.path.lexists(path) or (strong and bool(words & (_WRITING | _MOVING)))


def _strings(value: object, key: str, depth: int, left: list[int]) -> Iterator[tuple[str, str]]:
    """Every text in the arguments, at whatever depth, with the nearest key; keys that are paths themselves, too."""
    left[0] -= 1
    if depth > _DEEPEST or left[0] < 0:
        return
    if isinstance(value, str):
        inside = parsed(value) if value[:1] in ("{", "[") and not _words(key) & _TEXTS else None
        if isinstance(inside, dict | list):
            yield from _strings(inside, key, depth + 1, left)
        else:
            yield key, value
    elif isinstance(value, dict):
        for name, one in value.items():
            if "/" in name or name.startswith("file:"):
                yield "path", name
            yield from _strings(one, name if _WORD.search(name) and "/" not in name else key, depth + 1, left)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one, key, depth + 1, left)


def _in_patch(text: str, bases: list[str]) -> Iterator[str]:
    for name in patch.files(text, bases[0]):
        yield from _resolved(name, bases, strong=True, maybe=True)


def _resolved(text: str, bases: list[str], *, strong: bool, maybe: bool) -> list[str]:
    """The absolute paths that a text may be: those that are there, else one that is to be made. None for no path."""
    local = _local(text)
    if not local or "\0" in local:
        return []
    looks = strong or "/" in local or "." in local or maybe
    if not looks:
        return []
    names = dict.fromkeys((local, _SPOT.sub("", local), local.lstrip("/") if os.path.isabs(local) else local))
    places = [os.path.normpath(os.path.join(base, name)) for name in names if name for base in bases]
    there = [path for path in dict.fromkeys(places) if os.path.lexists(path)]
    if not there and strong and {"*", "?", "["} & set(local):
        there = [os.path.join(base, one) for base in bases for one in matching(local, base)]
    return there or ([places[0]] if strong or "/" in local else [])


def _local(text: str) -> str:
    """A path as the file system has it; empty for the address of something else."""
    if text.startswith("file:"):
        text = text[5:]
        if text.startswith("//"):
            host, slash, rest = text[2:].partition("/")
            text = slash + rest.lstrip("/") if host in ("", "localhost") else ""
        return _ENCODED.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace"), text)
    if re.match(r"[A-Za-z][\w+.-]+://", text):
        return ""
    return os.path.expanduser(text) if text.startswith("~") else text.strip()
