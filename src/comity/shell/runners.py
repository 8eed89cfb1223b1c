"""Programs that run another one in their place: ``sudo``, ``env``, ``xargs``, ``sh -c``, ``uv run``. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from comity.shell import scripts
from comity.shell.call import Call, Shell, change, targets
from comity.shell.options import options
from comity.shell.state import ANY, FILE, HOLES, Lines, State, Word, bounded, joined

MOST_ITEMS = 500
SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh", "ash", "mksh", "rbash", "fish"))

# Letters of their options that take a value, and how many operands come before the program.
_PREFIXES: dict[str, tuple[str, int]] = {
    "sudo": ("ugpCDhRrtTU", 0),
    "doas": ("uC", 0),
    "env": ("uCS", 0),
    "nice": ("n", 0),
    "ionice": ("cnpPu", 0),
    "chrt": ("TPD", 1),
    "taskset": ("", 1),
    "exec": ("a", 0),
    "time": ("fo", 0),
    "timeout": ("ks", 1),
    "stdbuf": ("ioe", 0),
    "strace": ("oepsaPESuIX", 0),
    "ltrace": ("oepsaunx", 0),
    "xvfb-run": ("nefpsw", 0),
    "unbuffer": ("", 0),
    "flock": ("wEc", 1),
    "watch": ("nq", 0),
    "script": ("cEIOBTmo", 0),
    "su": ("cgGsw", 1),
    "runuser": ("ucgGsw", 0),
    "faketime": ("", 1),
    "numactl": ("CNmpi", 0),
    "direnv": ("", 2),
    "choom": ("np", 0),
    **dict.fromkeys(("nohup", "command", "builtin", "setsid", "busybox", "chronic", "noglob", "nocorrect"), ("", 0)),
    **dict.fromkeys(("caffeinate", "eatmydata", "fakeroot", "toybox", "setarch", "linux64", "coreutils"), ("", 0)),
    **dict.fromkeys(
        ("proxychains", "torsocks", "dbus-run-session", "rlwrap", "valgrind", "prlimit", "unshare"), ("", 0)
    ),
}
_LONG_VALUES = (
    "--user",
    "--group",
    "--chdir",
    "--unset",
    "--signal",
    "--kill-after",
    "--adjustment",
    "--output",
    "--format",
)
# Programs that run a tool of their package: the word that says so, and flags that may stand after it.
_PACKAGES = {
    **dict.fromkeys(("uv", "poetry", "pipenv", "pdm", "hatch", "rye", "pixi"), "run"),
    **dict.fromkeys(("npm", "pnpm", "yarn", "bundle", "mise", "asdf"), "exec"),
    **dict.fromkeys(("npx", "bunx", "uvx", "pipx"), ""),
    **dict.fromkeys(("python", "python3"), "-m"),
}
_FLAGS = frozenset(("-y", "--yes", "-q", "--quiet", "--no-install", "--no-sync", "--frozen", "--offline", "--"))


def unwrapped(call: Call) -> Call | None:
    """The program that runs in the end, when this one only prepares it."""
    package = _of_package(call)
    if package is not None:
        return package
    prefix = _PREFIXES.get(call.name)
    if prefix is None:
        return None
    if call.name == "command" and any(word.text in ("-v", "-V") for word in call.words[1:2]):
        return None
    valued, skipped = prefix
    words, folder, assigned = list(call.words[1:]), call.folder, list(call.assigned)
    while words and words[0].text.startswith("-") and len(words[0].text) > 1:
        flag = words.pop(0).text
        if flag == "--":
            break
        name, equals, value = flag.partition("=")
        given = Word(value) if equals else None
        takes = flag in _LONG_VALUES or (not flag.startswith("--") and flag[-1] in valued and flag[1:2] != "")
        if takes and not equals and words:
            given = words.pop(0)
        if call.name == "env" and name in ("-C", "--chdir") and given is not None:
            folder = joined(folder, given.text)
        if call.name == "env" and name in ("-S", "--split-string") and given is not None:
            words = [*(Word(one) for one in given.text.split()), *words]
    del words[: 0 if call.name in ("chrt", "taskset") and words and not words[0].text.isalnum() else skipped]
    while call.name in ("env", "sudo", "doas") and words and re.match(r"[A-Za-z_]\w*=", words[0].text):
        name, _, value = words.pop(0).text.partition("=")
        assigned.append((name, value))
    if not words and call.name == "exec":
        return None
    return call._replace(words=tuple(words), folder=folder, assigned=tuple(assigned))


def _of_package(call: Call) -> Call | None:
    """``uv run black x`` runs black. With options that are not known here nothing is said."""
    verb = _PACKAGES.get(call.name)
    if verb is None or (verb and [word.text for word in call.words[1:2]] != [verb]):
        return None
    rest = call.words[2 if verb else 1 :]
    while rest and rest[0].text in _FLAGS:
        rest = rest[1:]
    return call._replace(words=rest) if rest and not rest[0].text.startswith("-") else None


def handed(call: Call, state: State, shell: Shell) -> Lines | None:
    """Run what a program is told to run by a text or a list; None when it is none of these programs."""
    rule = _shell if call.name in SHELLS else _RULES.get(call.name)
    return rule(call, state, shell) if rule is not None else None


def _child(call: Call, state: State) -> State:
    """What a shell started by the program knows."""
    child = state.copy()
    child.variables["PWD"] = ((call.folder,),)
    for name, value in call.assigned:
        child.set(name, (value,))
    return child


def _shell(call: Call, state: State, shell: Shell) -> Lines:
    given = options(call.words[1:], "oO", ("--rcfile", "--init-file"), stops=True)
    child = _child(call, state)
    operands = given.operands
    if given.has("-c"):
        if not operands or operands[0].blank:
            shell.unknown = True
            return (ANY,)
        child.arguments = bounded(tuple(word.text for word in operands[2:]))
        if len(operands) > 1:
            child.set("0", (operands[1].text,))
        return shell.script(operands[0].text, child, call.given)
    if operands and not given.has("-s"):
        text = _script_of(joined(call.folder, operands[0].text), state, shell, call)
        child.arguments = bounded(tuple(word.text for word in operands[1:]))
    else:
        child.arguments = bounded(tuple(word.text for word in operands))
        text = _joined_lines(call, state, shell) if call.given is not None else ""
    if text is None:
        shell.unknown = True
        return (ANY,)
    return shell.script(text, child)


def _script_of(path: str, state: State, shell: Shell, call: Call) -> str | None:
    """What a script file says, where the line has written it, and of others what they run for certain."""
    if path == "/dev/stdin":
        return _joined_lines(call, state, shell)
    if path in state.written:
        return shell.text(path, state)
    return lying(path, state, shell)


def lying(path: str, state: State, shell: Shell) -> str | None:
    """What a script that lies there runs for certain; besides it may do anything."""
    shell.unknown = True
    return scripts.straight(shell.text(path, state))


def _joined_lines(call: Call, state: State, shell: Shell) -> str | None:
    lines = shell.lines(call.given, state)
    unknown = bool(lines) and all(HOLES.fullmatch(line) for line in lines)
    return None if unknown else "\n".join(lines).replace("\0", "") + "\n"


def sourced(call: Call, state: State, shell: Shell) -> Lines:
    """``source file``: in the shell itself."""
    text = _script_of(joined(call.folder, call.words[1].text), state, shell, call) if len(call.words) > 1 else ""
    if text is None:
        shell.unknown = True
        return (ANY,)
    return shell.script(text, state)


def items(call: Call, state: State, shell: Shell, *, lines: bool, nul: bool = False) -> list[str]:
    """What is read from the standard input, one by one."""
    found: list[str] = []
    for line in shell.lines(call.given, state):
        if lines or nul:
            found += [one for one in line.split("\0") if one]
        else:
            found += re.sub(r"[\"'\\]", "", line.replace("\0", " ")).split()
    if len(found) <= MOST_ITEMS:
        return found
    shell.unknown = True
    return [*found[:MOST_ITEMS], ANY]


def _xargs(call: Call, state: State, shell: Shell) -> Lines:
    given = options(call.words[1:], "aEILnPsd", ("--arg-file", "--delimiter", "--max-args", "--max-procs"), stops=True)
    file = given.value("-a", "--arg-file")
    if file is not None:
        call = call._replace(given=("\ue004" + joined(call.folder, file.text),))
    replaced = given.value("-I", "--replace") or (Word("{}") if given.has("-i", "--replace") else None)
    whole = given.has("-0", "--null", "-d", "--delimiter")
    found = items(call, state, shell, lines=replaced is not None or given.has("-d", "--delimiter"), nul=whole)
    words = given.operands or (Word("echo"),)
    inner = call._replace(words=words, given=None)
    printed: list[str] = []
    if replaced is None:
        most = given.value("-n", "-L", "--max-args")
        step = int(most.text) if most is not None and most.text.isdigit() and most.text != "0" else max(1, len(found))
        for start in range(0, max(1, len(found)), step):
            more = (Word(one, quoted=True) for one in found[start : start + step])
            printed += shell.perform(inner._replace(words=(*words, *more)), state)
        return tuple(printed)
    for one in found:
        filled = tuple(word._replace(text=word.text.replace(replaced.text, one)) for word in words)
        printed += shell.perform(inner._replace(words=filled), state)
    return tuple(printed)


def _parallel(call: Call, state: State, shell: Shell) -> Lines:
    texts = [word.text for word in call.words]
    end = next((place for place, text in enumerate(texts) if text in (":::", ":::+", "::::")), len(texts))
    given = options(call.words[1:end], "jaNnILPS", ("--jobs", "--arg-file", "--colsep", "--delay"), stops=True)
    if end < len(texts) and texts[end] == "::::":
        call = call._replace(given=tuple("\ue004" + joined(call.folder, text) for text in texts[end + 1 :]))
        found = items(call, state, shell, lines=True)
    elif end < len(texts):
        found = [text for text in texts[end + 1 :] if text not in (":::", ":::+")]
    else:
        found = items(call, state, shell, lines=True)
    line = " ".join(word.text for word in given.operands)
    printed: list[str] = []
    for one in found if line else ():
        filled = re.sub(r"\{(?:\d*|/|//|\.|/\.)\}", lambda _, one=one: one, line)  # type: ignore[misc]
        filled = filled if filled != line else f"{line} {one}"
        printed += shell.script(filled, _child(call, state))
    if not line:
        for one in found:
            printed += shell.script(one, _child(call, state))
    return tuple(printed)


def _line_of_option(*names: str, valued: str) -> Callable[[Call, State, Shell], Lines | None]:
    """Programs that are given a line by an option."""

    def rule(call: Call, state: State, shell: Shell) -> Lines | None:
        given = options(call.words[1:], valued, ("--command", "--call", "--run"))
        line = given.value(*names)
        return None if line is None else shell.script(line.text, _child(call, state), call.given)

    return rule


def _watch(call: Call, state: State, shell: Shell) -> Lines:
    """All its words are one line."""
    given = options(call.words[1:], "nq", ("--interval",), stops=True)
    return shell.script(" ".join(word.text for word in given.operands), _child(call, state))


def _terminal(call: Call, state: State, shell: Shell) -> Lines:
    """The line of a window that tmux or screen opens."""
    opening = ("new", "new-session", "new-window", "neww", "split-window", "splitw", "respawn-pane", "run-shell", "run")
    words = call.words[1:]
    if call.name == "tmux":
        if not words or words[0].text not in opening:
            return ()
        words = words[1:]
    given = options(words, "scntFetxyhpSL" if call.name == "tmux" else "ScetTpLs", stops=True)
    place = given.value("-c") if call.name == "tmux" else None
    child = _child(call if place is None else call._replace(folder=joined(call.folder, place.text)), state)
    if len(given.operands) == 1:
        return shell.script(given.operands[0].text, child)
    return shell.perform(call._replace(words=given.operands, given=None), child)


def _script(call: Call, state: State, shell: Shell) -> Lines | None:
    """``script``: what is typed goes into its file, too."""
    given = options(call.words[1:], "cEIOBTmo", ("--command", "--log-out"))
    if given.operands:
        noted = change("script", "write", targets(given.operands[:1], call.folder))
        shell.note(call, noted._replace(below=False), state)
    return _line_of_option("-c", "--command", valued="cEIOBTmo")(call, state, shell)


def _hyperfine(call: Call, state: State, shell: Shell) -> Lines:
    """Each word is a line."""
    given = options(call.words[1:], "wmMrpcPDLsSniuN", ("--warmup", "--runs", "--prepare", "--cleanup"))
    for line in (*given.operands, *given.values("-p", "-c", "--prepare", "--cleanup")):
        shell.script(line.text, _child(call, state))
    return (ANY,)


def _make(call: Call, state: State, shell: Shell) -> Lines | None:
    """The recipes of a makefile that stands in the line; what others do is not known."""
    given = options(call.words[1:], "fCIjoW", ("--file", "--makefile", "--directory"))
    place, file = given.value("-C", "--directory"), given.value("-f", "--file", "--makefile")
    if given.has("-n", "--dry-run", "--just-print", "-q", "-v", "--version"):
        return (ANY,)
    shell.unknown = True
    child = _child(call if place is None else call._replace(folder=joined(call.folder, place.text)), state)
    path = joined(child.folder, file.text) if file is not None else joined(child.folder, "Makefile")
    text = _joined_lines(call, state, shell) if file is not None and file.text == "-" else None
    if text is None and path not in state.written:
        goals = [word.text for word in given.operands if "=" not in word.text]
        shell.script(scripts.recipe(shell.text(path, state) or "", goals), child)
        return (ANY,)
    text = text if text is not None else shell.text(path, state)
    for line in (text or "").replace("\\\n", " ").split("\n"):
        if line.startswith("\t"):
            shell.script(line.strip().lstrip("@-+").replace("$$", "$"), child.copy())
    return (ANY,)


def _package(call: Call, state: State, shell: Shell) -> Lines | None:
    """``npm run NAME``: the line that package.json has for it."""
    texts = [word.text for word in call.words[1:] if not word.text.startswith("-")]
    verb = texts[0] if texts else ""
    name = "test" if verb in ("t", "tst", "test") else texts[1] if verb in ("run", "run-script") and texts[1:] else ""
    line = scripts.package_script(shell.text(joined(call.folder, "package.json"), state), name) if name else None
    if line is None:
        return _line_of_option("-c", "--call", valued="cwE")(call, state, shell) if call.name == "npm" else None
    shell.unknown = True
    shell.script(scripts.straight(line) or "", _child(call, state))
    return (ANY,)


def _found_by_fd(call: Call, state: State, shell: Shell) -> Lines | None:
    """``fd -x``, ``fd -X``: a program for what it finds."""
    flags = ("-x", "-X", "--exec", "--exec-batch")
    at = next((place for place, word in enumerate(call.words) if word.text in flags), None)
    if at is None:
        return None
    words = [word for word in call.words[at + 1 :] if word.text != ";"]
    filled = [word._replace(text=word.text.replace("{}", FILE)) for word in words]
    return shell.perform(call._replace(words=(*filled, *(() if filled != words else (Word(FILE),)))), state)


_LINES: dict[str, tuple[str, ...]] = {
    "su": ("-c", "--command"),
    "runuser": ("-c", "--command"),
    "flock": ("-c", "--command"),
    "npx": ("-c", "--call"),
    "nix-shell": ("--run", "--command"),
}


def _rules() -> Iterator[tuple[str, Callable[[Call, State, Shell], Lines | None]]]:
    for name, flags in _LINES.items():
        yield name, _line_of_option(*flags, valued="cugGsw" if name in ("su", "runuser") else "cwE")
    yield from (("xargs", _xargs), ("gxargs", _xargs), ("parallel", _parallel), ("watch", _watch))
    yield from (("hyperfine", _hyperfine), ("make", _make), ("gmake", _make))
    yield from (("npm", _package), ("pnpm", _package), ("yarn", _package), ("bun", _package))
    yield from (("fd", _found_by_fd), ("fdfind", _found_by_fd))
    yield "script", _script
    yield from (("tmux", _terminal), ("screen", _terminal))


_RULES: dict[str, Callable[[Call, State, Shell], Lines | None]] = dict(_rules())
