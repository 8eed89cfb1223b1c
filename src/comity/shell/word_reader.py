"""Words of a shell line, read letter by letter: quotes, escapes, and what the shell fills in. Pure; nothing is
expanded.
"""

from __future__ import annotations

import re

from comity.shell.syntax import Chain, Part, Raw

DEEPEST = 12  # substitutions in substitutions
META = frozenset(" \t\n;&|()<>")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_SPECIAL = frozenset("0123456789?$!#@*-")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
_CODES = r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})"
_EXTENDED = frozenset("!?*+@")
_LETTERS = re.compile(r"""[^\\'"$`<>\s;&|()!?*+@]+""")  # of a word, and between double quotes: plain ones, at one go
_QUOTED = re.compile(r'[^\\"$`]+')
_MOST_FILLED = 50_000  # letters in which substitutions are looked for


class WordReader:
    """Reads words from ``text`` at ``at``. What reads whole commands adds ``chain``."""

    def __init__(self, text: str, depth: int = 0) -> None:
        self.text, self.at, self.depth = text, 0, depth
        self.unread = False  # whether something that may run was left out, since there is too much of it

    def inner(self, start: int) -> Chain:
        """The commands of a substitution from ``start`` up to the parenthesis that closes them."""
        raise NotImplementedError

    def of_text(self, text: str) -> Chain:
        """The commands of another text, such as stands between back-quotes."""
        raise NotImplementedError

    def word(self) -> Raw:
        """One word from here on; at least one character is taken."""
        text, begin, plain = self.text, self.at, ""
        parts: list[Part] = []
        while self.at < len(text) and (text[self.at] not in META or self._process()):
            letters = _LETTERS.match(text, self.at)
            if letters is not None:
                plain += letters.group()
                self.at = letters.end()
                continue
            char = text[self.at]
            if char not in "\\'\"$`<>" and not (char in _EXTENDED and text.startswith("(", self.at + 1)):
                plain += char
                self.at += 1
                continue
            if plain:
                parts.append(Part("text", plain))
                plain = ""
            self._special(char, parts)
        if plain:
            parts.append(Part("text", plain))
        self.at = max(self.at, begin + 1)
        return tuple(parts)

    def _process(self) -> bool:
        return self.text[self.at] in "<>" and self.text.startswith("(", self.at + 1)

    def _special(self, char: str, parts: list[Part]) -> None:
        """Whatever is no plain letter."""
        text = self.text
        if char == "\\":
            if not text.startswith("\n", self.at + 1):
                parts.append(Part("text", text[self.at + 1 : self.at + 2] or "\\", quoted=True))
            self.at += 2
        elif char == "'":
            end = upto(text, "'", self.at + 1)
            parts.append(Part("text", text[self.at + 1 : end], quoted=True))
            self.at = end + 1
        elif char == '"':
            self.at += 1
            parts += self.double('"')
            self.at += 1
        elif char in "<>":
            parts.append(Part("process", char, inner=self.inner(self.at + 2)))
        elif char in _EXTENDED:
            end = past(text, ")", self.at + 2)
            parts.append(Part("text", text[self.at : end]))
            self.at = end
        else:
            parts.append(self._dollar(quoted=False))

    def double(self, until: str) -> list[Part]:
        """What stands between double quotes, up to ``until`` (which may be empty: to the end)."""
        text, plain = self.text, ""
        parts: list[Part] = []
        while self.at < len(text) and (not until or text[self.at] != until):
            letters = _QUOTED.match(text, self.at)
            if letters is not None:
                plain += letters.group()
                self.at = letters.end()
                continue
            char = text[self.at]
            if char == "\\" and text[self.at + 1 : self.at + 2] in ('"', "\\", "$", "`", "\n"):
                plain += text[self.at + 1].replace("\n", "")
                self.at += 2
            elif char in "$`":
                parts += [Part("text", plain, quoted=True)] if plain else []
                plain = ""
                parts.append(self._dollar(quoted=True))
            else:
                plain += char
                self.at += 1
        if plain or not parts:
            parts.append(Part("text", plain, quoted=True))
        return parts

    def _dollar(self, *, quoted: bool) -> Part:
        """An expansion."""
        text, at = self.text, self.at
        if text[at] == "`":
            end = at + 1
            while end < len(text) and text[end] != "`":
                end += 2 if text[end] == "\\" else 1
            self.at = end + 1
            written = re.sub(r"\\([\\`$])", r"\1", text[at + 1 : end])
            return Part("command", "", quoted, self.of_text(written))
        following = text[at + 1 : at + 2]
        if following == "(":
            return self._number(quoted=quoted) or Part("command", "", quoted, self.inner(at + 2))
        if following == "{":
            self.at = past(text, "}", at + 2, '"' if quoted else "'\"")
            return Part("variable", text[at + 2 : self.at - 1], quoted)
        if following == "[":
            self.at = upto(text, "]", at + 2) + 1
            return Part("number", text[at + 2 : self.at - 1], quoted)
        if following in ("'", '"') and following and not quoted:
            self.at += 1
            return Part("text", self._ansi(), quoted=True) if following == "'" else self._translated()
        name = _NAME.match(text, at + 1)
        if name or following in _SPECIAL:
            self.at = name.end() if name else at + 2
            return Part("variable", text[at + 1 : self.at], quoted)
        self.at += 1
        return Part("text", "$", quoted=True)

    def _translated(self) -> Part:
        """``$"text"``, as far as it is one text."""
        self.at += 1
        parts = self.double('"')
        self.at += 1
        plain = len(parts) == 1 and parts[0].kind == "text"
        return parts[0] if plain else Part("number", "", quoted=True, parts=tuple(parts))

    def _number(self, *, quoted: bool) -> Part | None:
        """``$((...))``; None where it is commands in two parentheses."""
        begin = self.at
        end = arithmetic_end(self.text, begin + 1) if self.text.startswith("((", begin + 1) else None
        if end is None:
            return None
        self.at = end
        return Part("number", "", quoted, parts=self.parts_of(self.text[begin + 3 : end - 2]))

    def parts_of(self, text: str) -> Raw:
        """The parts of a text in which a shell expands as between double quotes."""
        if ("$" not in text and "`" not in text) or self.depth >= DEEPEST:
            return (Part("text", text, quoted=True),)
        other = type(self)(text[:_MOST_FILLED], self.depth + 1)
        rest = text[_MOST_FILLED:]
        self.unread = self.unread or "$(" in rest or "`" in rest
        return (*other.double(""), Part("text", rest, quoted=True)) if rest else tuple(other.double(""))

    def _ansi(self) -> str:
        """Text between ``$'`` and ``'``, with its escapes."""
        text, parts = self.text, []
        self.at += 1
        while self.at < len(text) and text[self.at] != "'":
            code = re.compile(_CODES).match(text, self.at + 1) if text[self.at] == "\\" else None
            if code is not None:
                number = (
                    int(next(group for group in code.groups()[:3] if group), 16) if not code[4] else int(code[4], 8)
                )
                parts.append(chr(number) if 0 < number < 0xD800 or 0xE000 <= number < 0x110000 else "")
                self.at = code.end()
            elif text[self.at] == "\\":
                char = text[self.at + 1 : self.at + 2]
                parts.append(_ESCAPES.get(char, char if char in "\\'\"?" else f"\\{char}"))
                self.at += 2
            else:
                parts.append(text[self.at])
                self.at += 1
        self.at += 1
        return "".join(parts)


def upto(text: str, sign: str, start: int) -> int:
    """Where ``sign`` stands next; the end, when nowhere."""
    found = text.find(sign, start)
    return found if found >= 0 else len(text)


def _quote_end(text: str, start: int) -> int:
    """Where the quote at ``start`` closes."""
    quote, at = text[start], start + 1
    if quote == "'" and text[start - 1 : start] != "$":
        return upto(text, quote, at)
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" else 1
    return at


def arithmetic_end(text: str, start: int) -> int | None:
    """After the ``))`` that closes the ``((`` at ``start``; None where the parentheses do not close as a pair."""
    depth, at = 0, start
    while at < len(text):
        char = text[at]
        if char in "'\"":
            at = _quote_end(text, at)
        elif char == "\\":
            at += 1
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 1:
                return at + 2 if text.startswith("))", at) else None
        at += 1
    return None


def past(text: str, sign: str, start: int, quotes: str = "'\"") -> int:
    """After the ``sign`` that closes what was opened, parentheses or braces in between counted, ``quotes`` skipped."""
    opening, depth, at = {")": "(", "}": "{"}[sign], 0, start
    while at < len(text):
        char = text[at]
        if char in quotes:
            at = _quote_end(text, at)
        elif char == "\\":
            at += 1
        elif char == opening:
            depth += 1
        elif char == sign:
            if depth == 0:
                return at + 1
            depth -= 1
        at += 1
    return len(text)
