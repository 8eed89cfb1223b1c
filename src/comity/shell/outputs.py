"""What programs print, as far as it is known without running them: paths that go on to other programs. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from comity.shell.call import Call, Shell
from comity.shell.options import options
from comity.shell.state import ANY, CONTENT, FILE, HOLES, NAME, NUMBER, Lines, State, Word, joined

_WILD = r"\*+|\?|\[[^\]]*\]"
_FORMAT = r"%(?:[-+ 0#]*\d*(?:\.\d+)?)([a-zA-Z%])"
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\0": "\0", "\\\\": "\\", "\\x00": "\0", "\\r": "\r"}


def printed(call: Call, state: State, shell: Shell) -> Lines:
    """The lines, with holes where something is not known."""
    rule = _RULES.get(call.name)
    return rule(call, state, shell) if rule is not None else (ANY,)


def read(call: Call) -> Lines:
    """The lines of the standard input as they are."""
    return (ANY,) if call.given is None else call.given


def text(word: Word) -> str:
    """A word's text; a pattern that could not be expanded has holes."""
    return re.sub(_WILD, NAME, word.text) if word.wild else word.text


def _echo(call: Call, _: State, __: Shell) -> Lines:
    words = list(call.words[1:])
    escapes = False
    while words and re.fullmatch(r"-[neE]+", words[0].text):
        escapes = escapes or "e" in words.pop(0).text
    line = " ".join(map(text, words))
    return tuple((_unescaped(line) if escapes else line).split("\n"))


def _unescaped(line: str) -> str:
    return re.sub(r"\\(?:x00|[nt0\\r])", lambda found: _ESCAPES[found[0]], line)


def _printf(call: Call, _: State, __: Shell) -> Lines:
    if len(call.words) < 2:
        return ()
    shape, values = _unescaped(call.words[1].text), [text(word) for word in call.words[2:]]
    wanted = sum(1 for found in re.finditer(_FORMAT, shape) if found[1] != "%")
    whole = ""
    while True:
        whole += re.sub(_FORMAT, lambda found: _put(found[1], values), shape)
        if not wanted or not values:
            break
    return tuple(whole.removesuffix("\n").split("\n"))


def _put(kind: str, values: list[str]) -> str:
    if kind == "%":
        return "%"
    value = values.pop(0) if values else ""
    return value if kind in "sqdi" else _unescaped(value) if kind == "b" else NAME


def _pwd(_: Call, state: State, __: Shell) -> Lines:
    return (state.folder,)


def _cat(call: Call, _: State, __: Shell) -> Lines:
    named = [word for word in call.words[1:] if word.text == "-" or not word.text.startswith("-")]
    if not named:
        return read(call)
    found: list[str] = []
    for word in named:
        found += (read(call)) if word.text == "-" else (CONTENT + joined(call.folder, text(word)),)
    return tuple(found)


def _passed(first: int = 0) -> Callable[[Call, State, Shell], Lines]:
    """Some of the lines that are read; ``first``: how many operands are no files."""

    def rule(call: Call, _: State, __: Shell) -> Lines:
        given = options(call.words[1:], "nckteopiSTABCmef" if not first else "ABCmefd", ("--lines", "--max-count"))
        files = given.operands[first if not given.has("-e", "-f", "--regexp", "--file") else 0 :]
        if files:
            return tuple(CONTENT + joined(call.folder, text(word)) for word in files)
        return read(call)

    return rule


def _grep(call: Call, state: State, shell: Shell) -> Lines:
    given = options(
        call.words[1:], "ABCmefdDg", ("--include", "--exclude", "--max-count", "--glob", "--type", "--regexp")
    )
    if not given.has("-l", "-L", "--files-with-matches", "--files-without-match", "--files", "--name-only"):
        return _passed(1)(call, state, shell) if call.given is not None else (ANY,)
    files = given.operands if given.has("-e", "-f", "--regexp", "--files") else given.operands[1:]
    return files_below([text(word) for word in files])


def files_below(named: list[str]) -> Lines:
    """Files that are named, or that lie in folders that are named; without a name all of them."""
    found: list[str] = []
    for name in named:
        found += [FILE] if name in (".", "./") else [name, f"{name.rstrip('/')}/{FILE}"]
    return tuple(found) or (FILE,)


def _ls(call: Call, _: State, __: Shell) -> Lines:
    given = options(call.words[1:], "IwT", ("--ignore",))
    if given.has("-l"):
        return (ANY,)
    named = [text(word) for word in given.operands]
    return tuple(named) if named and all(_is_file(name) or given.has("-d") for name in named) else (FILE, *named)


def _is_file(name: str) -> bool:
    return HOLES.search(name) is not None or "." in name.rpartition("/")[2].strip(".")


def _fd(_: Call, __: State, ___: Shell) -> Lines:
    return (FILE,)


def _base(call: Call, _: State, __: Shell) -> Lines:
    given = options(call.words[1:], "s", ("--suffix",))
    suffix = given.value("-s", "--suffix")
    named = given.operands if given.has("-a", "-s", "--multiple", "--suffix") else given.operands[:1]
    ending = suffix.text if suffix is not None else given.operands[1].text if len(given.operands) == 2 else ""
    names = [text(word).rstrip("/").rpartition("/")[2] for word in named]
    return tuple(name.replace(ANY, NAME).replace(FILE, NAME).removesuffix(ending) for name in names)


def _folder(call: Call, _: State, __: Shell) -> Lines:
    parts = [text(word).rstrip("/").rpartition("/") for word in call.words[1:] if not word.text.startswith("-")]
    return tuple((head or slash or ".") if not HOLES.search(last) or slash else ANY for head, slash, last in parts)


def _real(call: Call, _: State, __: Shell) -> Lines:
    given = options(call.words[1:], "", ("--relative-to", "--relative-base"))
    if any(name.startswith("--relative") for name, _value in given.given):
        return (ANY,)
    return tuple(joined(call.folder, text(word)) for word in given.operands)


def _temporary(call: Call, state: State, __: Shell) -> Lines:
    """A name that no file has yet, as the template has it."""
    given = options(call.words[1:], "p", ("--suffix",))
    base = given.value("-p", "--tmpdir")
    folder = base.text if base is not None else (state.get("TMPDIR") or ("/tmp",))[0] or "/tmp"  # noqa: S108
    state.made = True
    if given.operands and base is None and not given.has("-t", "--tmpdir"):
        return (given.operands[0].text,)
    return (f"{folder}/tmp.XXXXXXXXXX",)  # noqa: S108


def _number(_: Call, __: State, ___: Shell) -> Lines:
    return (NUMBER,)


def _name(_: Call, __: State, ___: Shell) -> Lines:
    return (NAME,)


def _variable(call: Call, state: State, _: Shell) -> Lines:
    names = [word.text for word in call.words[1:] if not word.text.startswith("-")]
    return (state.get(names[0]) or ("",)) if len(names) == 1 else (ANY,)


def _program(call: Call, _: State, __: Shell) -> Lines:
    """Where a program lies: its own name stays."""
    names = [word.text.rpartition("/")[2] for word in call.words[1:] if not word.text.startswith("-")]
    return tuple(f"/bin/{name}" for name in names)


def _nothing(_: Call, __: State, ___: Shell) -> Lines:
    return ()


_RULES: dict[str, Callable[[Call, State, Shell], Lines]] = {
    "echo": _echo,
    "printf": _printf,
    "pwd": _pwd,
    "cat": _cat,
    **dict.fromkeys(("head", "tail", "sort", "uniq", "tac", "shuf", "nl", "column"), _passed()),
    **dict.fromkeys(("grep", "egrep", "fgrep", "rg", "ag", "ack", "zgrep"), _grep),
    **dict.fromkeys(("fd", "fdfind", "locate"), _fd),
    **dict.fromkeys(("date", "id", "nproc", "wc", "expr", "bc", "seq", "du", "stat", "pgrep", "cksum"), _number),
    **dict.fromkeys(("uname", "whoami", "hostname", "md5sum"), _name),
    **dict.fromkeys(("sha1sum", "sha256sum", "uuidgen", "tput", "ps", "pgrep", "lsof", "stat", "du"), _name),
    **dict.fromkeys(("test", "[", "mkdir", "cmp", "sleep", "kill", "chmod", "chown"), _nothing),
    "ls": _ls,
    "basename": _base,
    "dirname": _folder,
    **dict.fromkeys(("realpath", "readlink", "greadlink", "grealpath"), _real),
    "mktemp": _temporary,
    **dict.fromkeys(("which", "command", "type"), _program),
    "printenv": _variable,
}
