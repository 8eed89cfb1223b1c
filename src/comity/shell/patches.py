"""Which files a patch names: a diff of any kind, and the patches of Codex. Pure.

A patch is read at least as leniently as the programs that apply it: blanks around a header, either end of line, letters
of either case, a missing blank after a colon.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_HEADS = ("+++ ", "--- ", "rename from ", "rename to ", "copy to ", "Index: ")
_BARE = ("rename from ", "rename to ", "copy to ")
_OF_GIT = r'diff --git "?a/(.*?)"? "?b/(.*?)"?'
_INDENTED = re.compile(r"^([ \t]+)(?=diff --git |Index: |--- \S)", re.MULTILINE)
_OCTAL = r"\\([0-7]{3}|[abfnrtv\\\"])"
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_BLANKS = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u2028\u2029\u3000\ufeff"
_STARRED = re.compile(rf"^[{_BLANKS.replace(chr(10), '')}]*\*\*\*[^\n]*", re.MULTILINE)
_FILE = re.compile(r"\*\*\*[ \t]*(update|add|delete|create|modify|remove)[ \t]+file[ \t]*:(.*)", re.IGNORECASE)
_MOVE = re.compile(r"\*\*\*[ \t]*(?:move|rename)(?:d)?[ \t]+to[ \t]*:(.*)", re.IGNORECASE)
_END = re.compile(r"\*\*\*[ \t]*end[ \t]+of[ \t]+file", re.IGNORECASE)
_UPDATES = ("update", "modify")


def of_diff(diff: str, strip: int | None) -> list[str]:
    """The paths without their first ``strip`` names; for None both whole and as bare names, as ``patch`` looks for
    them.
    """
    found: dict[str, None] = {}
    lines = [line.rstrip("\r") for line in _undented(diff).split("\n")]
    for number, line in enumerate(lines):
        named = re.fullmatch(_OF_GIT, line)
        if named is not None:
            sides = (_unquoted(path) for path in named.groups())
            found |= dict.fromkeys("/".join(path.split("/")[max(0, (strip or 0) - 1) :]) for path in sides)
            continue
        head = _head_of(line, lines[number + 1 : number + 2])
        path = _unquoted(line[len(head) :].partition("\t")[0].strip().strip('"')) if head else ""
        if path in ("", "/dev/null"):
            continue
        names = path.split("/")
        if strip is None:
            found |= {path: None, names[-1]: None}
        else:
            found["/".join(names[max(0, strip - 1) if head in _BARE else strip :])] = None
    return [path for path in found if path]


def _undented(diff: str) -> str:
    """The diff without the blanks that stand before each of its lines."""
    indented = _INDENTED.search(diff)
    return re.sub(rf"(?m)^{re.escape(indented[1])}", "", diff) if indented is not None else diff


def _head_of(line: str, following: Sequence[str]) -> str:
    """The beginning of a line that names a file; empty for other lines."""
    if line.startswith("*** ") and following and following[0].startswith("--- "):
        return "*** "  # a context diff
    return next((head for head in _HEADS if line.startswith(head)), "")


def _unquoted(path: str) -> str:
    """A name of which git wrote bytes in octal."""
    if "\\" not in path:
        return path

    def byte(found: re.Match[str]) -> bytes:
        code = found[1]
        return bytes([int(code, 8) & 255]) if code.isdigit() else _LETTERS.get(code, code).encode()

    pieces: list[bytes] = []
    end = 0
    for found in re.finditer(_OCTAL, path):
        pieces += [path[end : found.start()].encode("utf-8", "surrogatepass"), byte(found)]
        end = found.end()
    return b"".join([*pieces, path[end:].encode("utf-8", "surrogatepass")]).decode("utf-8", "surrogateescape")


def of_codex(text: str, read: Callable[[str], str | None] | None = None) -> list[str]:
    """The files that a patch in Codex's form names, each once.

    Within the lines of a file a header may stand behind blanks: some versions apply it, for others it is a line of the
    file's context. It is context where the file, whose text is what ``read`` gives for its name, has that line.
    """
    found: dict[str, None] = {}
    updated, within, end = "", False, 0
    for head in _STARRED.finditer(text):
        raw = head.group()
        line = raw.strip(_BLANKS)
        within = within or (bool(updated) and bool(text[end : head.start()].strip(_BLANKS)))
        end = head.end()
        moved = _MOVE.fullmatch(line) if updated else None
        named = _FILE.fullmatch(line) if moved is None else None
        if within and raw[0] == " " and (named or moved):
            there = read(updated) if read is not None else None
            if there is not None and any(one.strip(_BLANKS) == line for one in there.split("\n")):
                continue
        if moved is not None:
            found[moved[1].strip(_BLANKS)] = None
        elif named is not None:
            path = named[2].strip(_BLANKS)
            updated, within = (path if named[1].lower() in _UPDATES else ""), False
            found[path] = None
        else:
            within = bool(updated) and _END.fullmatch(line) is None
    return [path for path in found if path]


def named(text: str, read: Callable[[str], str | None] | None = None) -> list[str]:
    """The files that a patch of any form names: of Codex's, else a diff's, both as written and without ``a/``."""
    found = of_codex(text, read)
    if found:
        return found
    whole = of_diff(text, 0)
    return list(dict.fromkeys([*(of_diff(text, 1) if whole else ()), *whole]))
