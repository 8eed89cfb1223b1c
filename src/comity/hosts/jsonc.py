"""JSON with comments and trailing commas, read into nodes that know where they stand in the text.

Everything that edits a host's file works on these spans, so that whatever is not edited keeps its bytes.
"""

from __future__ import annotations

import json
import re

from comity.kernel.named_tuple import NamedTuple

MAX_DEPTH = 100

_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"-?[0-9][0-9.eE+-]*|true|false|null")
_BLANK = re.compile(r"[ \t\r\n]*")


class MalformedJsonc(Exception):
    """The text cannot be read. ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class Child(NamedTuple):
    """A member of an object, or an item of an array (no ``key``); ``comma`` is the place after its comma or 0."""

    key: str | None
    start: int
    value: Node
    comma: int

    @property
    def end(self) -> int:
        return self.value.end


class Node(NamedTuple):
    """A value: ``kind`` is ``object``, ``array`` or ``scalar``; ``text[start:end]`` is how it is written."""

    kind: str
    start: int
    end: int
    children: tuple[Child, ...] = ()
    scalar: object = None

    def plain(self) -> object:
        """The value as Python has it; of equal keys the last counts, as in every JSON reader."""
        if self.kind == "object":
            return {child.key: child.value.plain() for child in self.children}
        if self.kind == "array":
            return [child.value.plain() for child in self.children]
        return self.scalar

    def member(self, key: str) -> Child | None:
        return next((child for child in reversed(self.children) if child.key == key), None)


def parse(text: str) -> Node | None:
    """The document's value, or None when there is nothing but blanks and comments. Raises MalformedJsonc."""
    reader = _Reader(text)
    at = reader.skip(0)
    if at == len(text):
        return None
    root = reader.value(at, 0)
    rest = reader.skip(root.end)
    if rest != len(text):
        raise reader.malformed(rest, "nothing may follow the document's end")
    return root


def find(root: Node | None, path: tuple[str, ...]) -> Node | None:
    """The value at ``path``, or None when a part of the path is missing or no object."""
    node = root
    for key in path:
        child = node.member(key) if node is not None and node.kind == "object" else None
        node = child.value if child is not None else None
    return node


def blank_end(text: str, at: int) -> int:
    """The first place from ``at`` on that is no blank."""
    match = _BLANK.match(text, at)
    return match.end() if match else at


def comment_end(text: str, at: int) -> int:
    """Where the comment that begins at ``at`` ends, a line comment before its line break; else ``at``."""
    if text.startswith("//", at):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        return end - 1 if text[end - 1] == "\r" and end > at else end
    if text.startswith("/*", at):
        end = text.find("*/", at + 2)
        return at if end < 0 else end + 2
    return at


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def malformed(self, at: int, message: str) -> MalformedJsonc:
        return MalformedJsonc(message, self.text.count("\n", 0, at) + 1)

    def skip(self, at: int) -> int:
        while True:
            at = blank_end(self.text, at)
            end = comment_end(self.text, at)
            if end == at:
                if self.text.startswith("/*", at):
                    raise self.malformed(at, "this comment has no end")
                return at
            at = end

    def value(self, at: int, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.malformed(at, f"nested deeper than {MAX_DEPTH} levels")
        mark = self.text[at : at + 1]
        if mark == "{":
            return self.container(at, depth, "object", "}")
        if mark == "[":
            return self.container(at, depth, "array", "]")
        pattern = _STRING if mark == '"' else _SCALAR
        match = pattern.match(self.text, at)
        if match is None:
            raise self.malformed(at, "a value was expected" if mark else "the document ends too early")
        try:
            return Node("scalar", at, match.end(), scalar=json.loads(match[0]))
        except ValueError:
            raise self.malformed(at, f"{match[0][:40]} is no JSON value") from None

    def container(self, start: int, depth: int, kind: str, close: str) -> Node:
        children: list[Child] = []
        at = self.skip(start + 1)
        while not self.text.startswith(close, at):
            if children and not children[-1].comma:
                raise self.malformed(at, f"a comma or {close} was expected")
            key, first = None, at
            if kind == "object":
                key, at = self.key(at)
            value = self.value(at, depth + 1)
            at = self.skip(value.end)
            comma = at + 1 if self.text.startswith(",", at) else 0
            children.append(Child(key, first, value, comma))
            at = self.skip(comma) if comma else at
        return Node(kind, start, at + 1, tuple(children))

    def key(self, at: int) -> tuple[str, int]:
        match = _STRING.match(self.text, at)
        if match is None:
            early = at >= len(self.text)
            raise self.malformed(at, "the document ends too early" if early else 'a key in "quotes" was expected')
        colon = self.skip(match.end())
        if not self.text.startswith(":", colon):
            raise self.malformed(colon, "a colon was expected after the key")
        try:
            return str(json.loads(match[0])), self.skip(colon + 1)
        except ValueError:
            raise self.malformed(at, "this key has a broken escape") from None
