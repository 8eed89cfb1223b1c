"""The shell's own commands: what they change in what it knows, its folder and variables. Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from comity.shell import runners
from comity.shell.call import Call, Shell
from comity.shell.options import options
from comity.shell.state import ANY, FILE, HOLES, NAME, NUMBER, Lines, State, Word, bounded, joined

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[[^\]]*\])?(\+?)=(.*)", re.ASCII | re.DOTALL)


def builtin(call: Call, state: State, shell: Shell) -> Lines | None:
    """What it prints; None when the shell has no such command, or it is none that matters."""
    rule = _RULES.get(call.name)
    return None if rule is None or len(call.words[0].text) != len(call.name) else rule(call, state, shell)


def _cd(call: Call, state: State, shell: Shell) -> Lines:
    named = [word for word in call.words[1:] if not word.text.startswith("-") or word.text == "-"]
    if not named or not named[0].text:
        state.go((state.get("HOME") or ("/~",))[0] if not named else state.folder)
    elif named[0].text == "-":
        state.go((state.get("OLDPWD") or (ANY,))[0])
    else:
        _go(state, _folder(call, named[0]), shell)
    return ()


def _go(state: State, folder: str, shell: Shell) -> None:
    """Go there; where no such folder is and nothing has made one, the shell stays."""
    sure = state.made or shell.unknown or "XXX" in folder or HOLES.search(folder) is not None
    state.stays = not (sure or os.path.isdir(folder))
    state.go(folder)


def _folder(call: Call, word: Word) -> str:
    return ANY if word.wild or "\0" in word.text else joined(call.folder, word.text)


def _pushd(call: Call, state: State, shell: Shell) -> Lines:
    named = [word for word in call.words[1:] if not word.text.startswith("-")]
    here = state.folder
    if named and re.fullmatch(r"[+-]\d+", named[0].text):
        state.go(ANY)
    elif named:
        _go(state, _folder(call, named[0]), shell)
        state.folders = (here, *state.folders)
    elif state.folders:
        state.go(state.folders[0])
        state.folders = (here, *state.folders[1:])
    return ()


def _popd(_: Call, state: State, __: Shell) -> Lines:
    state.go(state.folders[0] if state.folders else ANY)
    state.folders = state.folders[1:]
    return ()


def _declare(call: Call, state: State, _: Shell) -> Lines:
    for word in call.words[1:]:
        found = _ASSIGNMENT.fullmatch(word.text)
        if found is not None:
            before = (state.get(found[1]) or ("",))[0] if found[2] else ""
            state.set(found[1], (before + found[3],))
    return ()


def _unset(call: Call, state: State, _: Shell) -> Lines:
    for word in call.words[1:]:
        if not word.text.startswith("-"):
            state.functions.pop(word.text, None)
            state.variables[word.text] = ((),)
    return ()


def _read(call: Call, state: State, shell: Shell) -> Lines:
    before, signs = state.variables.get("IFS"), dict(call.assigned).get("IFS")
    if signs is not None:
        state.set("IFS", (signs,))
    assign(call, next(iter(shell.lines(call.given, state)), ""), state)
    if signs is not None:
        state.variables["IFS"] = before or ((" \t\n",),)
    return ()


def assign(call: Call, line: str, state: State) -> None:
    """Give what stands in a line to the variables that ``read`` names."""
    given = options(call.words[1:], "adinNptu")
    array = given.value("-a")
    names = [word.text for word in given.operands if word.text.isidentifier()] or ["REPLY"]
    values = [line] if ANY in line or FILE in line else line.split()
    if array is not None:
        state.set(array.text, tuple(values))
        return
    signs = (state.get("IFS") or (" \t\n",))[0]
    if len(names) == 1:
        values = [line.strip(signs)]
    elif ANY in line or FILE in line:
        values = [line] * len(names)
    else:
        values = re.split(f"[{re.escape(signs)}]+", line.strip(), maxsplit=len(names) - 1) if signs else [line]
    for place, name in enumerate(names):
        state.set(name, (values[place] if place < len(values) else "",))


def _mapfile(call: Call, state: State, shell: Shell) -> Lines:
    given = options(call.words[1:], "dnOsuCc")
    name = given.operands[0].text if given.operands else "MAPFILE"
    state.set(name, tuple(one for line in shell.lines(call.given, state) for one in line.split("\0") if one))
    return ()


def _set(call: Call, state: State, _: Shell) -> Lines:
    texts = [word.text for word in call.words[1:]]
    if "--" in texts:
        state.arguments = bounded(tuple(texts[texts.index("--") + 1 :]))
    elif texts and not texts[0].startswith(("-", "+")):
        state.arguments = bounded(tuple(texts))
    return ()


def _shift(call: Call, state: State, _: Shell) -> Lines:
    count = call.words[1].text if len(call.words) > 1 else "1"
    state.arguments = state.arguments[int(count) if count.isdigit() else 1 :]
    return ()


def _eval(call: Call, state: State, shell: Shell) -> Lines:
    if any(word.blank for word in call.words[1:]):
        shell.unknown = True
    return shell.script(" ".join(word.text for word in call.words[1:]), state, call.given)


def _trap(call: Call, state: State, shell: Shell) -> Lines:
    """What is to be run at the end."""
    if len(call.words) > 2 and call.words[1].text not in ("-", "", "-l", "-p"):
        shell.traps.append((call.words[1].text, state))
    return ()


def _printf(call: Call, state: State, shell: Shell) -> Lines | None:
    """``printf -v name``; what it prints else is no matter of the shell's."""
    if len(call.words) < 4 or call.words[1].text != "-v":
        return None
    inner = call._replace(words=(call.words[0], *call.words[3:]))
    state.set(call.words[2].text, ("\n".join(shell.perform(inner, state)),))
    return ()


def _nothing(_: Call, __: State, ___: Shell) -> Lines:
    return ()


def _alias(call: Call, state: State, _: Shell) -> Lines:
    for word in call.words[1:]:
        name, equals, text = word.text.partition("=")
        if equals:
            state.replaced[name] = text
    return ()


def _let(call: Call, state: State, _: Shell) -> Lines:
    for word in call.words[1:]:
        name = re.match(r"\s*([A-Za-z_]\w*)\s*[-+*/%]?=", word.text)
        if name is not None:
            state.set(name[1], (NUMBER,))
    return ()


def _getopts(call: Call, state: State, _: Shell) -> Lines:
    if len(call.words) > 2:
        state.set(call.words[2].text, (NAME,))
        state.set("OPTARG", (ANY,))
    return ()


_RULES: dict[str, Callable[[Call, State, Shell], Lines | None]] = {
    **dict.fromkeys(("cd", "chdir"), _cd),
    **dict.fromkeys(("export", "declare", "typeset", "local", "readonly"), _declare),
    **dict.fromkeys(("mapfile", "readarray"), _mapfile),
    **dict.fromkeys(("source", "."), runners.sourced),
    **dict.fromkeys((":", "true", "false", "exit", "return", "break", "continue", "wait", "unalias"), _nothing),
    **dict.fromkeys(("shopt", "ulimit", "umask", "hash", "jobs", "fg", "bg", "disown", "enable", "times"), _nothing),
    "alias": _alias,
    "pushd": _pushd,
    "popd": _popd,
    "unset": _unset,
    "read": _read,
    "set": _set,
    "shift": _shift,
    "eval": _eval,
    "trap": _trap,
    "printf": _printf,
    "let": _let,
    "getopts": _getopts,
}
