"""Shell command lines, read by their letters into commands. Pure: nothing is run and nothing is expanded.

Quotes, escapes, comments, here-documents, substitutions, subshells, loops, functions and the rest of the grammar are
understood as POSIX shells and bash have them. What cannot be read as a shell would is left out rather than guessed.
"""

from __future__ import annotations

import re

from comity.shell.command_reader import CommandReader
from comity.shell.syntax import Chain, Compound, Item, Node, Part, Pipe, Raw, Simple, literal
from comity.shell.word_reader import DEEPEST, META, arithmetic_end, past

MAX_CHARACTERS = 64_000_000  # what a host hands a hook
MOST_COMMANDS = 3000  # the rest of a line is not read: it may do anything
_MOST_OPEN = 60  # compound commands in each other
_RESERVED = re.compile(r"(?:[a-z]+|[{}!]|\[\[)(?=[\s;&|()<>]|$)")
_FUNCTION = re.compile(r"([^\s;&|()<>'\"$`\\=]+)[ \t]*\([ \t]*\)")
_COPROCESS = r"[A-Za-z_]\w*[ \t]+(?=[{(])"
_CLOSERS = frozenset(("fi", "done", "then", "else", "elif", "do", "esac", "}"))
_COMPOUNDS = frozenset(("{", "if", "while", "until", "for", "select", "case", "function", "[[", "coproc"))
_NOTHING = Chain(())
_UNREAD = Simple((), ((Part("text", "?", quoted=True),),), ())


def read(line: str) -> Chain:
    """The commands of ``line``. For what is not read, since there is too much of it, stands a command that nobody
    knows.
    """
    reader = _Reader(line[:MAX_CHARACTERS])
    found = reader.chain()
    all_read = len(line) <= MAX_CHARACTERS and not reader.unread
    return found if all_read else Chain((*found.items, Item(";", _UNREAD)))


def is_read_whole(line: str) -> bool:
    """Whether ``read`` leaves nothing of it out."""
    items = read(line).items
    return not items or items[-1].node is not _UNREAD


def read_word(text: str) -> Raw:
    """The parts of ``text`` as one word, blanks and all."""
    return _Reader(text).loose()


class _Reader(CommandReader):
    """Reads one text from left to right."""

    _open = 0  # compound commands whose end has not come
    _read = 0  # commands

    def inner(self, start: int) -> Chain:
        self.at = start
        if self.depth >= DEEPEST:
            self.at = len(self.text)
            return _NOTHING
        outer, self.waiting = self.waiting, []
        self.depth += 1
        found = self.chain(parenthesis=True)
        self.depth -= 1
        self.waiting = outer + self.waiting
        return found

    def of_text(self, text: str) -> Chain:
        inside = _Reader(text, self.depth + 1)
        found = inside.chain() if self.depth < DEEPEST else _NOTHING
        self.unread = self.unread or inside.unread
        return found

    def loose(self) -> Raw:
        """The whole text as one word."""
        parts: list[Part] = []
        while self.at < len(self.text):
            if self.text[self.at] in META and not self._process():
                parts.append(Part("text", self.text[self.at]))
                self.at += 1
            else:
                parts += self.word()
        return tuple(parts)

    def chain(self, *, parenthesis: bool = False, case: bool = False) -> Chain:
        """Commands up to what closes them: a parenthesis (which is taken), a word of the grammar or ``;;`` (which are
        not), or the end.
        """
        items: list[Item] = []
        joint, text = ";", self.text
        while True:
            self.blanks()
            if self.at >= len(text):
                break
            char = text[self.at]
            if char == ")":
                self.at += 1
                if parenthesis:
                    break
                continue
            if case and text.startswith((";;", ";&"), self.at):
                break
            if char in ";&|" and not text.startswith("&>", self.at):
                joint = self._operator(items)
                continue
            begin = self.at
            if self._reserved() in _CLOSERS and (parenthesis or case or self.depth or self._open):
                break
            node = self._pipeline()
            self._read += 1
            if self._read > MOST_COMMANDS:
                self.unread, self.at = True, len(text)
                break
            if node is not None:
                items.append(Item(joint, node))
            joint = ";"
            self.at = max(self.at, begin + 1) if node is None else self.at
        return Chain(tuple(items))

    def _operator(self, items: list[Item]) -> str:
        for sign in ("&&", "||"):
            if self.text.startswith(sign, self.at):
                self.at += 2
                return sign
        if self.text[self.at] == "&" and items:
            items[-1] = items[-1]._replace(background=True)
        self.at += 1
        return ";"

    def _reserved(self) -> str:
        """The word of the grammar that may stand here; empty when it is none."""
        found = _RESERVED.match(self.text, self.at)
        return found.group() if found else ""

    def _take(self, word: str) -> bool:
        self.blanks()
        while self.text.startswith(";", self.at) and not self.text.startswith(";;", self.at):
            self.at += 1
            self.blanks()
        if self._reserved() != word:
            return False
        self.at += len(word)
        return True

    def _pipeline(self) -> Node | None:
        while self._reserved() in ("!", "time"):
            self.at += len(self._reserved())
            self.spaces()
            if self.text.startswith("-p ", self.at):
                self.at += 3
                self.spaces()
        parts: list[Node] = []
        while True:
            node = self._command()
            if node is not None:
                parts.append(node)
            self.spaces()
            if not self.text.startswith("|", self.at) or self.text.startswith("||", self.at):
                break
            self.at += 2 if self.text.startswith("|&", self.at) else 1
            self.blanks()
        return Pipe(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None

    def _command(self) -> Node | None:
        text, word = self.text, self._reserved()
        if text.startswith("(", self.at):
            return self._parenthesis()
        if word in _COMPOUNDS and self._open < _MOST_OPEN:
            self.at += len(word)
            self._open += 1
            found = self._compound(word)
            self._open -= 1
            return found
        function = _FUNCTION.match(text, self.at)
        if function is not None:
            self.at = function.end()
            return self._function(function[1])
        return self.simple()

    def _compound(self, word: str) -> Node | None:
        rules = {"{": self._group, "if": self._if, "for": self._for, "select": self._for, "case": self._case}
        rules |= {"while": self._while, "until": self._while, "[[": self._condition}
        if word in rules:
            return rules[word]()
        return self._function_word() if word == "function" else self._coproc()

    def _parenthesis(self) -> Node:
        if self.text.startswith("((", self.at):
            end = arithmetic_end(self.text, self.at)
            if end is not None:
                parts = self.parts_of(self.text[self.at + 2 : end - 2])
                self.at = end
                return Compound("condition", "", (parts,), (), self.redirects())
        return Compound("subshell", "", None, (self.inner(self.at + 1),), self.redirects())

    def _group(self) -> Node:
        body = self.chain()
        self._take("}")
        return Compound("group", "", None, (body,), self.redirects())

    def _if(self) -> Node:
        bodies = [self.chain()]
        while self._take("then"):
            bodies.append(self.chain())
            if self._take("elif") or self._take("else"):
                bodies.append(self.chain())
        self._take("fi")
        return Compound("if", "", None, tuple(bodies), self.redirects())

    def _while(self) -> Node:
        condition = self.chain()
        return Compound("while", "", None, (condition, self._done()), self.redirects())

    def _done(self) -> Chain:
        """The body of a loop."""
        if self._take("{"):
            body = self.chain()
            self._take("}")
            return body
        body = self.chain() if self._take("do") else _NOTHING
        self._take("done")
        return body

    def _for(self) -> Node:
        self.spaces()
        if self.text.startswith("((", self.at):
            end = arithmetic_end(self.text, self.at) or len(self.text)
            parts = self.parts_of(self.text[self.at + 2 : end - 2])
            self.at = end
            return Compound("counted", "", (parts,), (self._done(),), self.redirects())
        name = literal(self.word()) or ""
        words = self._list() if self._take("in") else None
        return Compound("for", name, words, (self._done(),), self.redirects())

    def _list(self) -> tuple[Raw, ...]:
        """Words up to the end of the line or a semicolon."""
        words = []
        self.spaces()
        while self.at < len(self.text) and (self.text[self.at] not in "\n;&|)(" or self._process()):
            words.append(self.word())
            self.spaces()
        return tuple(words)

    def _case(self) -> Node:
        self.blanks()
        subject = self.word()
        self._take("in")
        bodies = []
        while True:
            self.blanks()
            if self.at >= len(self.text) or self._take("esac"):
                break
            self._patterns()
            bodies.append(self.chain(case=True))
            while self.text.startswith((";", "&"), self.at):
                self.at += 1
        return Compound("case", "", (subject,), tuple(bodies), self.redirects())

    def _patterns(self) -> None:
        """What stands before a branch, with its parenthesis."""
        begin = self.at
        while self.at < len(self.text) and (self.text[self.at] != ")"):
            if self.text[self.at] in META:
                self.at += 1
            else:
                self.word()
        self.at = max(self.at, begin) + 1

    def _function_word(self) -> Node | None:
        self.spaces()
        name = literal(self.word()) or ""
        self.spaces()
        if self.text.startswith("(", self.at):
            self.at = past(self.text, ")", self.at + 1)
        return self._function(name)

    def _function(self, name: str) -> Node | None:
        self.blanks()
        body = self._command()
        return Compound("function", name, None, (Chain((Item(";", body),)),)) if body is not None else None

    def _condition(self) -> Node:
        """``[[ a > b ]]`` redirects nothing."""
        words = []
        while self.at < len(self.text):
            if self.text[self.at] in META and not self._process():
                self.at += 1
                continue
            word = self.word()
            if word == (Part("text", "]]"),):
                break
            words.append(word)
        return Compound("condition", "", tuple(words), (), self.redirects())

    def _coproc(self) -> Node | None:
        self.spaces()
        name = re.compile(_COPROCESS).match(self.text, self.at)
        self.at = name.end() if name else self.at
        node = self._command()
        return Compound("coproc", "", None, (Chain((Item(";", node),)),)) if node is not None else None
