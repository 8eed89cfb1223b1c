"""Simple commands of a shell line: words, assignments, redirections and the here-documents that come later. Pure."""

from __future__ import annotations

import re

from comity.shell.syntax import Assign, Document, Node, Part, Raw, Redirect, Simple, literal
from comity.shell.word_reader import META, WordReader, upto

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\[[^\]]*\])?(\+?)=", re.ASCII)
_INDEX = r"\[[^\]]*\]="
_DESCRIPTOR = re.compile(r"(\d+|\{[A-Za-z_]\w*\})(?=[<>])", re.ASCII)
_SIGNS = ("<<<", "<<-", "<<", "<&", "<>", "<", "&>>", "&>", ">>", ">|", ">&", ">")
_DECLARING = frozenset(("declare", "typeset", "local", "export", "readonly"))


class CommandReader(WordReader):
    """Reads simple commands; what reads lists and compound commands adds the rest."""

    def __init__(self, text: str, depth: int = 0) -> None:
        super().__init__(text, depth)
        self.waiting: list[Document] = []

    def blanks(self) -> None:
        """Take blanks, comments and line ends, with the here-documents that begin there."""
        text = self.text
        while self.at < len(text):
            char = text[self.at]
            if char in " \t\r":
                self.at += 1
            elif char == "\n":
                self.at += 1
                self._bodies()
            elif text.startswith("\\\n", self.at):
                self.at += 2
            elif char == "#":
                self.at = upto(text, "\n", self.at)
            else:
                break

    def spaces(self) -> None:
        text = self.text
        while text.startswith((" ", "\t", "\\\n"), self.at):
            self.at += 2 if text[self.at] == "\\" else 1

    def redirects(self) -> tuple[Redirect, ...]:
        found: list[Redirect] = []
        while True:
            self.spaces()
            descriptor = _DESCRIPTOR.match(self.text, self.at)
            if descriptor is not None:
                self.at = descriptor.end()
            if not self._redirection(descriptor[1] if descriptor else "", found):
                return tuple(found)

    def _redirection(self, descriptor: str, found: list[Redirect]) -> bool:
        text = self.text
        sign = next((sign for sign in _SIGNS if text.startswith(sign, self.at)), "")
        if not sign or text.startswith(("<(", ">("), self.at):
            return False
        self.at += len(sign)
        self.spaces()
        if self.at >= len(text) or (text[self.at] in META and not self._process()):
            return True
        target = self.word()
        document = None
        if sign in ("<<", "<<-"):
            plain = all(not part.quoted for part in target)
            document = Document("".join(part.text for part in target), expands=plain, tabs=sign == "<<-")
            self.waiting.append(document)
        found.append(Redirect(sign, descriptor, target, document))
        return True

    def _bodies(self) -> None:
        """The here-documents whose lines begin here."""
        waiting, self.waiting = self.waiting, []
        for document in waiting:
            tabs = r"\t*" if document.tabs else ""
            last = re.compile(rf"^{tabs}{re.escape(document.delimiter)}$", re.MULTILINE).search(self.text, self.at)
            body = self.text[self.at : last.start() if last is not None else len(self.text)].removesuffix("\n")
            self.at = min(last.end() + 1, len(self.text)) if last is not None else len(self.text)
            if document.tabs:
                body = re.sub(r"(?m)^\t+", "", body)
            document.body = self.parts_of(body) if document.expands else (Part("text", body, quoted=True),)

    def simple(self) -> Node | None:
        assigned: list[Assign] = []
        words: list[Raw] = []
        redirects: list[Redirect] = []
        text = self.text
        while self.at < len(text):
            self.spaces()
            if self.at >= len(text):
                break
            descriptor = _DESCRIPTOR.match(text, self.at)
            char = text[self.at]
            if descriptor is not None:
                self.at = descriptor.end()
                self._redirection(descriptor[1], redirects)
            elif (char in "<>" and not self._process()) or text.startswith("&>", self.at):
                self._redirection("", redirects)
            elif (char in META or (char == "#" and self._at_blank())) and not self._process():
                break
            elif not self._assignment(assigned, words):
                words.append(self.word())
        return Simple(tuple(assigned), tuple(words), tuple(redirects)) if assigned or words or redirects else None

    def _at_blank(self) -> bool:
        return self.at == 0 or self.text[self.at - 1] in META

    def _assignment(self, assigned: list[Assign], words: list[Raw]) -> bool:
        """Take an assignment, if one may stand here."""
        found = _ASSIGNMENT.match(self.text, self.at)
        array = found is not None and self.text.startswith("(", found.end())
        if found is None or (words and not (array and literal(words[0]) in _DECLARING)):
            return False
        self.at = found.end()
        if array:
            self.at += 1
            assigned.append(Assign(found[1], self._array(), adds=bool(found[3]), array=True))
            return True
        blank = self.at >= len(self.text) or self.text[self.at] in META
        value = () if blank and not (self.at < len(self.text) and self._process()) else self.word()
        assigned.append(Assign(found[1], (value,), adds=bool(found[3] or found[2]), array=bool(found[2])))
        return True

    def _array(self) -> tuple[Raw, ...]:
        words: list[Raw] = []
        while True:
            self.blanks()
            if self.at >= len(self.text) or self.text[self.at] == ")":
                self.at += 1
                return tuple(words)
            if self.text[self.at] in META and not self._process():
                self.at += 1
                continue
            index = re.compile(_INDEX).match(self.text, self.at)
            self.at = index.end() if index else self.at
            words.append(self.word())
