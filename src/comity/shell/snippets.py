"""Programs of a line or two handed to an interpreter: the files that they plainly write, and the lines that they run.
Pure.

Only calls whose first argument is a text are seen; a program can always write more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from comity.shell.call import Call, Shell
from comity.shell.changes import Change
from comity.shell.options import options
from comity.shell.programs import gone, text_given, written
from comity.shell.state import State, Word, joined

_TEXT = r"""[rbuf]?(?P<quote>['"`])(?P<text>(?:(?!(?P=quote))[^\\\n$]|\\.)*)(?P=quote)"""
_TEXT_2, _TEXT_3 = (_TEXT.replace("quote", f"quote_{place}").replace("text", f"text_{place}") for place in (2, 3))
_OPENED = rf"\bopen\w*\(\s*{_TEXT}\s*,\s*(?:mode\s*=\s*)?['\"][^'\"]*[wax+][^'\"]*['\"]"
_WRITTEN = (
    r"\b(?:writeFile(?:Sync)?|appendFile(?:Sync)?|createWriteStream|truncate(?:Sync)?|file_put_contents"
    rf"|(?:File|IO)\.(?:bin)?write|os\.truncate|writeTextFile(?:Sync)?)\(\s*{_TEXT}"
)
_PATHS = rf"\bPath\(\s*{_TEXT}\s*\)\s*\.\s*(?P<verb>write_text|write_bytes|unlink|rename|replace|rmdir|open)\b"
_GONE = (
    r"\b(?:os\.(?:remove|unlink|rename|renames|replace|removedirs)|shutil\.(?:rmtree|move)|unlink(?:Sync)?|rm(?:dir)?Sync"
    rf"|fs\.rm|rename(?:Sync)?|File\.(?:delete|unlink|rename)|FileUtils\.(?:rm\w*|mv)|rimraf)\s*\(?\s*\[?\s*{_TEXT}"
)
_COPIED = (
    r"\b(?:copy|move|shutil\.copy\w*|copyFile(?:Sync)?|cpSync|FileUtils\.cp\w*|os\.re(?:name|place)|renameSync|shutil\.move)"
    rf"\(\s*(?:[^,()]*)\s*,\s*{_TEXT}"
)
_PERL_OPENED = r"\bopen\b[^;'\"]*['\"]\s*\+?>{1,2}\s*(?:['\"]\s*,\s*['\"])?(?P<text>[^'\"]+)['\"]"
_LINES = rf"\b(?:system|popen|getoutput|execSync|exec|check_output|run|call|check_call|Popen)\(\s*{_TEXT}"
_LISTS = (
    r"\b(?:run|call|check_call|check_output|Popen|execFileSync|spawnSync|system)"
    r"\(\s*\[?\s*((?:['\"][^'\"]*['\"]\s*,?\s*\[?\s*){2,})"
)


# Calls that write or remove what a variable names.
_LOOSE = (
    r"\bopen\w*\(\s*[A-Za-z_][\w.\[\]]*\s*,\s*(?:mode\s*=\s*)?['\"][^'\"]*[wax+]|\.(?:write_text|write_bytes|unlink|rmdir)\("
    r"|\b(?:os\.(?:remove|unlink|rename|replace|truncate)|shutil\.(?:rmtree|move|copy\w*)|unlink(?:Sync)?|rm(?:dir)?Sync"
    r"|writeFile(?:Sync)?|renameSync|truncateSync)\(\s*[A-Za-z_]"
)


# Calls that only read what they name.
_READ = (
    rf"\bopen\(\s*{_TEXT}\s*(?:,\s*['\"]rb?['\"]\s*)?\)"
    r"|\.(?:replace|startswith|endswith|index|find|count|split|join|append|get)\([^()]*\)"
    rf"|\bPath\(\s*{_TEXT_2}\s*\)\s*\.\s*(?:read|exists|is_)|\breadFile(?:Sync)?\(\s*{_TEXT_3}"
)
_LISTED = r"\b(?:r?glob|iglob|iterdir|listdir|scandir|walk|readdir(?:Sync)?)\("


def snippet(call: Call, state: State, shell: Shell) -> None:
    """Note what the text writes that an interpreter is given, by an option or as its standard input."""
    if "awk" in call.name:
        _awk(call, state, shell)
        return
    given = options(call.words[1:], "ceEWXrmMI", ("--eval", "--print", "--require"), stops=True)
    texts = [word.text for word in given.values("-c", "-e", "-E", "-r", "--eval", "--print")]
    if call.name in ("deno", "bun") and len(call.words) > 2:
        texts.append(call.words[2].text)
    if not texts and call.given is not None and (not given.operands or given.operands[0].text == "-"):
        texts.append(text_given(call, state, shell) or "")
    for text in texts:
        _note(_changes(text, call), call, state, shell)
        if re.search(_LOOSE, text):
            _note(_loosely(text, given.operands, call), call, state, shell)
        for found in re.finditer(_LINES, text):
            shell.script(_plain(found["text"]), state.copy())
        for found in re.finditer(_LISTS, text):
            words = re.findall(r"['\"]([^'\"]*)['\"]", found[1])
            shell.perform(Call(tuple(Word(word, quoted=True) for word in words), call.folder), state.copy())


def _note(changes: Iterator[Change], call: Call, state: State, shell: Shell) -> None:
    for change in changes:
        shell.note(call, change, state)


def _loosely(text: str, operands: tuple[Word, ...], call: Call) -> Iterator[Change]:
    """Of a text that writes what a variable names: every file that it names, that is there, and that it does not merely
    read; its arguments, where it looks at them; and what is in a folder that it lists.
    """
    if "argv" in text.lower():
        yield from written([word for word in operands if word.text != "-"], call)
    lists = re.search(_LISTED, text) is not None
    for found in re.finditer(_TEXT, re.sub(_READ, "", text)):
        name = _plain(found["text"])
        path = joined(call.folder, name)
        if not name or "\n" in name:
            continue
        if {"*", "?"} & set(name):
            yield from gone([Word(name, wild=True)], call, "write", below=False)
        elif os.path.isfile(path) or (lists and os.path.isdir(path)):
            yield from gone([Word(name, quoted=True)], call, "write")


def _awk(call: Call, state: State, shell: Shell) -> None:
    """What changes in place by gawk's ``-i inplace``, and what a program prints into files or hands to a shell."""
    given = options(call.words[1:], "fivFEoblde", ("--file", "--include", "--assign", "--field-separator"))
    script = given.has("-f", "--file")
    files = given.operands if script else given.operands[1:]
    in_place = any(word.text == "inplace" for word in given.values("-i", "--include"))
    for word in given.operands[:1] if not script else ():
        in_place = in_place or re.search(r">\s*FILENAME\b", word.text) is not None
        for sign, name in re.findall(r'printf?\b[^;}\n]*?(>>?)\s*"([^"]+)"', word.text):
            _note(written([Word(name, quoted=True)], call, keeps=sign == ">>"), call, state, shell)
        if re.search(r"printf?\b[^;}\n]*?>>?\s*[a-z_]", word.text):
            _note(_loosely(word.text, (), call), call, state, shell)
        for line in re.findall(r'system\(\s*"((?:[^"\\]|\\.)*)"', word.text):
            shell.script(line.replace('\\"', '"'), state.copy())
    if in_place:
        _note(written(files, call, keeps=True, destructive=True), call, state, shell)


def _changes(text: str, call: Call) -> Iterator[Change]:
    for expression in (_OPENED, _WRITTEN, _COPIED, _PERL_OPENED):
        for found in re.finditer(expression, text):
            yield from written([Word(_plain(found["text"]), quoted=True)], call)
    for found in re.finditer(_PATHS, text):
        word = Word(_plain(found["text"]), quoted=True)
        yield from gone([word], call) if found["verb"] in ("unlink", "rename", "replace") else written([word], call)
    for found in re.finditer(_GONE, text):
        yield from gone([Word(_plain(found["text"]), quoted=True)], call)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
