"""Shell command lines, read by their letters: which simple commands are in one, where, and what they redirect to. Pure.

Nothing is run and nothing is expanded. Quotes, escapes, comments, here-documents, substitutions, subshells and the
words of the shell's own grammar are understood as POSIX shells and bash have them; a word in which the shell would fill
something in is not ``sure``. What cannot be read as a shell would is left out rather than guessed.
"""

from __future__ import annotations

import re

from comity.kernel.named_tuple import NamedTuple

MAX_CHARACTERS = 400_000
_DEEPEST = 12
_META = frozenset(" \t\n;&|()<>")
_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=", re.ASCII)
_BRACES = re.compile(r"\{[^{}]*,[^{}]*\}")
_OPENING = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "coproc"})
_LISTS = frozenset({"for", "select", "case", "function"})
_CLOSING = frozenset({"fi", "done", "esac", "}"})
_FILE_SIGNS = frozenset({">", ">>", ">|", "&>", "&>>"})
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}


class Word(NamedTuple):
    """One word with its quotes taken off. ``sure``: the shell fills nothing in; ``wild``: it has wildcards."""

    text: str
    sure: bool = True
    wild: bool = False
    quoted: bool = False


class Command(NamedTuple):
    """One simple command: its words, what is assigned before it, the files that its output replaces (``outputs``) or is
    added to (``added``), and its standard input where that stands in the line. ``folder`` counts from where the line
    begins; None when that is not known.
    """

    words: tuple[Word, ...]
    assigned: tuple[tuple[str, str], ...] = ()
    outputs: tuple[Word, ...] = ()
    folder: str | None = ""
    stdin: str = ""
    added: tuple[Word, ...] = ()

    @property
    def name(self) -> str:
        """The program's own name, without its folder; empty when it is not known."""
        return self.words[0].text.rpartition("/")[2] if self.words and self.words[0].sure else ""


def read(line: str, folder: str | None = "") -> list[Command]:
    """The simple commands of ``line``, in order; those in substitutions come before the command they stand in."""
    if len(line) > MAX_CHARACTERS:
        return []
    reader = _Reader(line, folder, 0)
    reader.run("")
    return reader.found


class _Open(NamedTuple):
    """A here-document whose body has not come yet."""

    delimiter: str
    tabs: bool
    command: int


class _Reader:
    """Reads one line from left to right."""

    def __init__(self, text: str, folder: str | None, depth: int) -> None:
        self.text, self.at, self.depth = text, 0, depth
        self.found: list[Command] = []
        self.folder = folder
        self._outer: list[str | None] = []  # the folders of open subshells
        self._waiting: list[_Open] = []
        self._begin()

    def _begin(self) -> None:
        self._words: list[Word] = []
        self._outputs: list[Word] = []
        self._added: list[Word] = []
        self._documents = 0

    def run(self, until: str) -> None:
        """Read up to the ``until`` that closes this part, or to the end."""
        text, end = self.text, len(self.text)
        while self.at < end:
            char = text[self.at]
            if char == ")" and until == ")" and not self._outer:
                self._end()
                self.at += 1
                return
            if char in " \t":
                self.at += 1
            elif text.startswith("\\\n", self.at):
                self.at += 2
            elif char == "#":
                self.at = _to(text, "\n", self.at)
            elif char == "\n":
                self._end()
                self.at += 1
                self._bodies()
            elif char in "<>" or text.startswith("&>", self.at):
                self._redirection("")
            elif char in ";&|":
                self._end()
                self.at += 1
            elif char in "()":
                self._parenthesis(char)
            else:
                self._word_of_command()
        self._end()

    def _parenthesis(self, char: str) -> None:
        if char == "(" and not self._words and self.text.startswith("((", self.at):
            self.at = _past(self.text, "))", self.at + 2)
            return
        self.at += 1
        self._end()
        if char == "(":
            self._outer.append(self.folder)
        elif self._outer:
            self.folder = self._outer.pop()

    def _word_of_command(self) -> None:
        word = self._word()
        text = self.text
        if word == Word("[[") and not _without_grammar(self._words)[0]:
            self._condition()
        elif word.text.isdigit() and not word.quoted and self.at < len(text) and text[self.at] in "<>":
            self._redirection(word.text)
        elif word.text.endswith("=") and text.startswith("(", self.at) and _ASSIGNMENT.fullmatch(word.text):
            self.at = _past(text, ")", self.at)
        else:
            self._words.append(word)

    def _condition(self) -> None:
        """``[[ a > b ]]`` redirects nothing."""
        while self.at < len(self.text):
            if self.text[self.at] in _META:
                self.at += 1
            elif self._word() == Word("]]"):
                return

    def _redirection(self, descriptor: str) -> None:
        text = self.text
        if text[self.at] in "<>" and text.startswith("(", self.at + 1):
            self._words.append(self._substitution(self.at + 2))
            return
        for sign in ("<<<", "<<-", "<<", "<&", "<>", "<", "&>>", "&>", ">>", ">|", ">&", ">"):
            if text.startswith(sign, self.at):
                break
        self.at += len(sign)
        while text.startswith((" ", "\t", "\\\n"), self.at):
            self.at += 2 if text[self.at] == "\\" else 1
        if self.at >= len(text) or text[self.at] in _META:
            return
        word = self._word()
        if sign in ("<<", "<<-"):
            self._waiting.append(_Open(word.text, sign == "<<-", len(self.found)))
            self._documents += 1
        elif sign in _FILE_SIGNS or (sign == ">&" and not descriptor and not word.text.isdigit() and word.text != "-"):
            (self._added if sign.endswith(">>") else self._outputs).append(word)

    def _bodies(self) -> None:
        """The here-documents whose lines begin here."""
        for waiting in self._waiting:
            lines = []
            while self.at < len(self.text):
                end = _to(self.text, "\n", self.at)
                line = self.text[self.at : end]
                self.at = end + 1
                if (line.lstrip("\t") if waiting.tabs else line) == waiting.delimiter:
                    break
                lines.append(line)
            if waiting.command < len(self.found):
                self.found[waiting.command] = self.found[waiting.command]._replace(stdin="\n".join(lines))
        self._waiting = []

    def _end(self) -> None:
        """The simple command is complete."""
        words, outputs, added, documents = self._words, self._outputs, self._added, self._documents
        self._begin()
        words, assigned = _without_grammar(words)
        if not (words or outputs or added or assigned or documents):
            return
        command = Command(tuple(words), tuple(assigned), tuple(outputs), self.folder, added=tuple(added))
        self.found.append(command)
        if documents:  # substitutions inside it came first
            last = len(self.found) - 1
            self._waiting[-documents:] = [one._replace(command=last) for one in self._waiting[-documents:]]
        if command.name in ("cd", "pushd", "popd"):
            self.folder = _moved(self.folder, command)

    def _word(self) -> Word:
        """One word from here on; at least one character is taken."""
        text, parts, begin = self.text, [], self.at
        sure, wild, quoted = True, False, False
        while self.at < len(text) and text[self.at] not in _META:
            char = text[self.at]
            if char == "\\":
                parts.append("" if text.startswith("\n", self.at + 1) else text[self.at + 1 : self.at + 2])
                self.at += 2
                quoted = True
            elif char == "'":
                end = _to(text, "'", self.at + 1)
                parts.append(text[self.at + 1 : end])
                self.at, quoted = end + 1, True
            elif char == '"':
                part, plain = self._double()
                parts.append(part)
                sure, quoted = sure and plain, True
            elif char in "$`":
                part, plain = self._dollar()
                parts.append(part)
                sure, quoted = sure and plain, quoted or plain
            else:
                wild = wild or char in "*?"
                sure = sure and not (char == "~" and self.at == begin)
                parts.append(char)
                self.at += 1
        self.at = max(self.at, begin + 1)
        written = "".join(parts)
        if not quoted and "{" in written:
            wild = wild or _BRACES.search(written) is not None
            sure = sure and not (".." in written and re.search(r"\{\w+\.\.\w+", written))
        return Word(written, sure, wild, quoted)

    def _double(self) -> tuple[str, bool]:
        """What stands between double quotes, and whether the shell fills nothing in."""
        text, parts, sure = self.text, [], True
        self.at += 1
        while self.at < len(text) and text[self.at] != '"':
            char = text[self.at]
            if char == "\\" and text[self.at + 1 : self.at + 2] in ('"', "\\", "$", "`", "\n"):
                parts.append(text[self.at + 1].replace("\n", ""))
                self.at += 2
            elif char in "$`":
                part, plain = self._dollar(quotes=False)
                parts.append(part)
                sure = sure and plain
            else:
                parts.append(char)
                self.at += 1
        self.at += 1
        return "".join(parts), sure

    def _dollar(self, *, quotes: bool = True) -> tuple[str, bool]:
        """An expansion; the text it stands for, and whether that is known."""
        text, at = self.text, self.at
        if text[at] == "`":
            end = at + 1
            while end < len(text) and text[end] != "`":
                end += 2 if text[end] == "\\" else 1
            self._inner(text[at + 1 : end].replace("\\`", "`").replace("\\\\", "\\"))
            self.at = end + 1
            return "", False
        following = text[at + 1 : at + 2]
        if following == "(":
            if text.startswith("((", at + 1):
                self.at = _past(text, "))", at + 3)
            else:
                self._substitution(at + 2)
            return "", False
        if following == "{":
            self.at = _past(text, "}", at + 2)
            return "", False
        if following == "'" and quotes:
            return self._ansi(), True
        if following == '"' and quotes:
            self.at += 1
            return self._double()
        name = _NAME.match(text, at + 1)
        if name or following in tuple("0123456789?$!#@*-"):
            self.at = name.end() if name else at + 2
            return "", False
        self.at += 1
        return "$", True

    def _ansi(self) -> str:
        """Text between ``$'`` and ``'``, with its escapes."""
        text, parts = self.text, []
        self.at += 2
        while self.at < len(text) and text[self.at] != "'":
            if text[self.at] == "\\":
                char = text[self.at + 1 : self.at + 2]
                parts.append(_ESCAPES.get(char, char))
                self.at += 2
            else:
                parts.append(text[self.at])
                self.at += 1
        self.at += 1
        return "".join(parts)

    def _substitution(self, start: int) -> Word:
        """The commands up to the parenthesis that closes them."""
        if self.depth >= _DEEPEST:
            self.at = len(self.text)
            return Word("", sure=False)
        inner = _Reader(self.text, self.folder, self.depth + 1)
        inner.at = start
        inner.run(")")
        self._shift(inner.found)
        self.at = inner.at
        return Word("", sure=False)

    def _inner(self, line: str) -> None:
        if self.depth < _DEEPEST:
            inner = _Reader(line, self.folder, self.depth + 1)
            inner.run("")
            self._shift(inner.found)

    def _shift(self, found: list[Command]) -> None:
        self.found += found


def _without_grammar(words: list[Word]) -> tuple[list[Word], list[tuple[str, str]]]:
    """Without the shell's own words and the assignments in front."""
    place = 0
    while place < len(words) and not words[place].quoted and words[place].text in _OPENING:
        place += 1
        if words[place - 1].text == "time" and place < len(words) and words[place].text == "-p":
            place += 1
    rest = words[place:]
    if rest and not rest[0].quoted and rest[0].text in _LISTS | _CLOSING:
        return [], []
    assigned = []
    while rest and _ASSIGNMENT.match(rest[0].text):
        name, _, value = rest[0].text.partition("=")
        assigned.append((name, value if rest[0].sure else ""))
        rest = rest[1:]
    return rest, assigned


def _moved(folder: str | None, command: Command) -> str | None:
    """The working folder after a ``cd``."""
    named = [word for word in command.words[1:] if not word.text.startswith("-") or word.text == "-"]
    if command.name == "popd" or len(named) != 1 or not named[0].sure or named[0].wild or named[0].text in ("-", ""):
        return None
    return joined(folder, named[0].text)


def joined(folder: str | None, path: str) -> str | None:
    """``path`` as seen from where the line begins; None when that is not known."""
    if path.startswith("/"):
        return path
    return None if folder is None else f"{folder}/{path}" if folder else path


def _to(text: str, sign: str, start: int) -> int:
    """Where ``sign`` stands next; the end, when nowhere."""
    found = text.find(sign, start)
    return found if found >= 0 else len(text)


def _past(text: str, sign: str, start: int) -> int:
    """After the ``sign`` that closes what was opened, parentheses or braces in between counted."""
    opening, depth, at = {")": "(", "}": "{"}[sign[0]], 0, start
    if sign == ")":
        at += 1
    while at < len(text):
        char = text[at]
        if char in "'\"":
            at = _to(text, char, at + 1)
        elif char == "\\":
            at += 1
        elif char == opening:
            depth += 1
        elif char == sign[0]:
            if depth == 0 and text.startswith(sign, at):
                return at + len(sign)
            depth = max(0, depth - 1)
        at += 1
    return len(text)
