"""Programs of a line or two handed to an interpreter: the files that they plainly write, and the lines that they run.
Pure.

Only calls whose first argument is a text are seen; a program can always write more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from comity.shell import archives
from comity.shell.call import Call, Shell, gone, written
from comity.shell.changes import Change
from comity.shell.options import options
from comity.shell.programs import text_given
from comity.shell.state import State, Word, joined

_TEXT = r"""[rbuf]?(?P<quote>['"`])(?P<text>(?:(?!(?P=quote))[^\\\n$]|\$\{[^{}\n]*\}|\\.)*)(?P=quote)"""
_TEXT_2, _TEXT_3 = (_TEXT.replace("quote", f"quote_{place}").replace("text", f"text_{place}") for place in (2, 3))
_OPENED = rf"\bopen\w*\(\s*{_TEXT}\s*,\s*(?:mode\s*=\s*)?['\"][^'\"]*[wax+][^'\"]*['\"]"
_WRITTEN = (
    r"\b(?:writeFile(?:Sync)?|appendFile(?:Sync)?|createWriteStream|truncate(?:Sync)?|file_put_contents"
    rf"|(?:File|IO|Bun)\.(?:bin)?write|os\.truncate|writeTextFile(?:Sync)?|file\.create)\(\s*{_TEXT}"
)
_PATHS = rf"\bPath\(\s*{_TEXT}\s*\)\s*\.\s*(?P<verb>write_text|write_bytes|unlink|rename|replace|rmdir|open)\b"
_GONE = (
    r"\b(?:os\.(?:remove|unlink|rename|renames|replace|removedirs)|shutil\.(?:rmtree|move)|unlink(?:Sync)?|rm(?:dir)?Sync"
    r"|fs\.rm|rename(?:Sync)?|File\.(?:delete|unlink|rename)|FileUtils\.(?:rm\w*|mv)|rimraf|rmtree|remove_tree"
    rf"|Deno\.remove(?:Sync)?|file\.remove|(?<!\.)move)\s*\(?\s*\[?\s*{_TEXT}"
)
# The same whatever the module is called; only of what is there, since lists have such methods, too.
_GONE_OF_ANY = rf"\.(?:remove|unlink|rename|truncate|rmtree|rm|rmdir|removeSync)\(\s*{_TEXT}"
_FLAGGED = rf"\bopen(?:Sync)?\(\s*{_TEXT}\s*,[^)\n]*\bO_(?:WRONLY|RDWR|TRUNC|APPEND)"
_MOVED_TO = rf"\bchdir\b\s*\(?\s*{_TEXT}"
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
# The same where no parenthesis is needed: a text that is a line, what stands for its output, and words one by one.
_BARE = rf"\b(?:system|exec)\s+{_TEXT}\s*(?=$|[;)}}\n]|or\b|\|\||if\b|unless\b)"
_OUTPUT = r"`([^`\n$]+)`|\bqx\s*[{(/]([^})/\n$]+)"
_BARE_LISTS = r"\b(?:system|exec)\s+((?:['\"][^'\"]*['\"]\s*,?\s*){2,})"
_SPEAKING = frozenset(("perl", "ruby", "php"))
_STARTED = r"\b(?:exec|spawn)[lv]p?e?\((?:[^\[\n]*\[|[^,\n]*,)\s*((?:['\"][^'\"]*['\"]\s*,?\s*)+)"
_UNPACKED = rf"\b(?:extractall|unpack_archive)\(\s*(?:(?:path|[^,()]*)\s*[=,]\s*)?(?:{_TEXT})?\s*\)"


# Calls that write or remove what a variable names.
_LOOSE = (
    r"\bopen\w*\(\s*[A-Za-z_][\w.\[\]]*\s*,\s*(?:mode\s*=\s*)?['\"][^'\"]*[wax+]|\.(?:write_text|write_bytes|unlink|rmdir)\("
    r"|\b(?:os\.(?:remove|unlink|rename|replace|truncate)|shutil\.(?:rmtree|move|copy\w*)|unlink(?:Sync)?|rm(?:dir)?Sync"
    r"|writeFile(?:Sync)?|renameSync|truncateSync)\(\s*[A-Za-z_]"
    r"|\b(?:unlink|rename|truncate|rmtree|remove_tree|move|copy)\b\s*\(?\s*(?:(?:glob|map|grep)\b|[$@<])"
    r"|\bopen\b[^;'\"]*['\"]\+?>{1,2}['\"]\s*,\s*[$@]"
    r"|\b(?:writeFile|appendFile|rm|unlink|rename|copyFile|truncate|cp)(?:Sync)?\s*(?:\bas\b|:\s*[A-Za-z_])"
    r"|\b(?:remove|unlink|rename|replace|rmtree|move|copyfile)\s+as\b|\binplace\s*=\s*(?:True|1)"
    r"|\b(?:File|FileUtils|Dir)\.(?:delete|unlink|rm\w*|write|rename|mv|cp)[ (]\s*[a-z_]"
)
_ANGLES = r"<([\w./-]*\*[\w./*-]*)>"  # Perl's wildcards


# Calls that only read what they name.
_READ = (
    rf"\bopen\(\s*{_TEXT}\s*(?:,\s*['\"]rb?['\"]\s*)?\)"
    r"|\.(?:replace|startswith|endswith|index|find|count|split|join|append|get)\([^()]*\)"
    rf"|\bPath\(\s*{_TEXT_2}\s*\)\s*\.\s*(?:read|exists|is_)|\breadFile(?:Sync)?\(\s*{_TEXT_3}"
)
_PRINTING = frozenset(("node", "nodejs", "bun"))  # ``-p`` is a text, too
_MOST_LETTERS, _LAST_LETTERS = 40_000, 20_000  # of a text; whoever runs one may write anything besides
_LISTED = r"\b(?:r?glob|iglob|iterdir|listdir|scandir|walk|readdir(?:Sync)?)\("


def snippet(call: Call, state: State, shell: Shell) -> None:
    """Note what the text writes that an interpreter is given, by an option or as its standard input."""
    if "awk" in call.name:
        _awk(call, state, shell)
        return
    valued = "ceEWXrmMI" + ("p" if call.name in _PRINTING else "")
    given = options(call.words[1:], valued, ("--eval", "--print", "--require"), stops=True)
    texts = [word.text for word in given.values("-c", "-e", "-E", "-r", "-p", "--eval", "--print")]
    if call.name in ("deno", "bun") and len(call.words) > 2:
        texts.append(call.words[2].text)
    if not texts and call.given is not None and (not given.operands or given.operands[0].text == "-"):
        texts.append(text_given(call, state, shell) or "")
    for whole in texts:
        text = whole if len(whole) <= _MOST_LETTERS else f"{whole[:_MOST_LETTERS]}\n{whole[-_LAST_LETTERS:]}"
        places = [call.folder, *(joined(call.folder, _plain(found["text"])) for found in re.finditer(_MOVED_TO, text))]
        for place in dict.fromkeys(places):
            here = call._replace(folder=place)
            _note(_changes(text, here), here, state, shell)
            if re.search(_LOOSE, text):
                _note(_loosely(text, given.operands, here), here, state, shell)
            _run(text, here, state, shell)


def _run(text: str, call: Call, state: State, shell: Shell) -> None:
    """Follow the lines that the text hands to a shell, and the programs that it starts."""
    speaks = call.name.rstrip("0123456789.") in _SPEAKING
    lines = [
        _plain(found["text"]) for one in (_LINES, *((_BARE,) if speaks else ())) for found in re.finditer(one, text)
    ]
    lines += [found[1] or found[2] for found in re.finditer(_OUTPUT, text)] if speaks else []
    for line in lines:
        shell.script(line, state.copy())
    for one in (_LISTS, _STARTED, *((_BARE_LISTS,) if speaks else ())):
        for found in re.finditer(one, text):
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
    for found in re.finditer(_ANGLES, text):
        yield from gone([Word(found[1], wild=True)], call, "write", below=False)
    for found in re.finditer(_TEXT, re.sub(_READ, "", text)):
        name = _word(found).text
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
            named = [value._replace(text=value.text.partition("=")[2]) for value in given.values("-v", "--assign")]
            _note(written([value for value in named if value.text], call), call, state, shell)
            _note(_loosely(word.text, (), call), call, state, shell)
        for one in (r'system\(\s*"((?:[^"\\]|\\.)*)"', r'print[^;}\n]*?\|\s*"((?:[^"\\]|\\.)*)"'):
            for line in re.findall(one, word.text):
                shell.script(line.replace('\\"', '"'), state.copy())
        shell.unknown = shell.unknown or re.search(r"print[^;}\n]*?(?:>>?|\|)", word.text) is not None
    if in_place:
        _note(written(files, call, keeps=True, destructive=True), call, state, shell)


def _changes(text: str, call: Call) -> Iterator[Change]:
    for expression in (_OPENED, _WRITTEN, _COPIED, _PERL_OPENED, _FLAGGED):
        for found in re.finditer(expression, text):
            yield from written([_word(found)], call)
    for found in re.finditer(_UNPACKED, text):
        yield from archives.unpacked(_word(found) if found["text"] is not None else None, (), call)
    for found in re.finditer(_PATHS, text):
        word = _word(found)
        yield from gone([word], call) if found["verb"] in ("unlink", "rename", "replace") else written([word], call)
    for found in re.finditer(_GONE_OF_ANY, text):
        if os.path.lexists(joined(call.folder, _word(found).text)):
            yield from gone([_word(found)], call)
    for found in re.finditer(_GONE, text):
        yield from gone([_word(found)], call)


def _word(found: re.Match[str]) -> Word:
    """A text of the program as a name; what it fills in may be anything."""
    name = _plain(found["text"])
    fills = "quote" in found.re.groupindex and (
        found["quote"] == "`" or found.string[max(0, found.start("quote") - 1)] in "fF"
    )
    whole = re.sub(r"\$?\{[^{}]*\}", "*", name) if fills else name
    return Word(whole, wild=whole != name, quoted=whole == name)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
