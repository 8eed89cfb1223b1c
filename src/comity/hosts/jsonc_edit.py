"""Changes to a JSONC text that touch nothing else, each with what takes it back exactly.

``set_value`` and ``include`` answer the new text and an Undo; ``revert`` takes an Undo back, also after the user
has edited other parts. Comments, trailing commas, key order, indentation and line ends stay as they are.
"""

from __future__ import annotations

import json

from comity.hosts.jsonc import Child, MalformedJsonc, Node, blank_end, comment_end, find, parse
from comity.kernel.named_tuple import NamedTuple

Path = tuple[str, ...]


class Undo(NamedTuple):
    """What takes one change back. All fields are JSON, as the record of ``init`` keeps them."""

    kind: str  # "set" or "item"
    path: tuple[str, ...]
    value: object  # what was put there
    was: str | None = None  # the text of the value that was replaced
    depth: int = 0  # how many parts of ``path`` were there before
    hollow: str | None = None  # what stood between the brackets of the object or array that was empty before


def set_value(text: str, path: Path, value: object) -> tuple[str, Undo]:
    """Put ``value`` at ``path``, making the objects on the way. Raises MalformedJsonc, also for a wrong shape."""
    root = parse(text)
    if root is None:
        body = _written(value if not path else _nested(path, value), "", "  ", newline_of(text))
        lead = text if not text or text.endswith("\n") else text + newline_of(text)
        return lead + body + newline_of(text), Undo("set", path, value)
    node, depth = _deepest(text, root, path)
    if depth == len(path):
        was = text[node.start : node.end]
        new = _written(value, _line_indent(text, node.start), _unit(text, root), newline_of(text))
        if "\n" not in was and node.kind != "scalar":
            new = _inline(value)
        return text[: node.start] + new + text[node.end :], Undo("set", path, value, was, depth)
    key = _inline(path[depth]) + ": "
    new, hollow = _insert(text, root, node, _nested(path[depth + 1 :], value), key)
    return new, Undo("set", path, value, None, depth, hollow)


def include(text: str, path: Path, value: object, also: tuple[str, ...] = ()) -> tuple[str, Undo | None]:
    """Make the list at ``path`` hold ``value``; no Undo when it does already. Raises MalformedJsonc.

    A single string becomes a list of both; a missing list is made of ``value`` and ``also``.
    """
    root = parse(text)
    node = find(root, path)
    if root is None or node is None:
        return set_value(text, path, [value, *also])
    plain = node.plain()
    if plain == value or (isinstance(plain, list) and value in plain):
        return text, None
    if isinstance(plain, str):
        return set_value(text, path, [plain, value])
    if node.kind != "array":
        raise MalformedJsonc(f"{'.'.join(path)} is neither text nor a list", _line(text, node.start))
    new, hollow = _insert(text, root, node, value, "")
    return new, Undo("item", path, value, None, len(path), hollow)


def revert(text: str, undo: Undo) -> str:
    """``text`` without the change, with what it replaced put back. Unchanged when the change is no longer there."""
    root = parse(text)
    node = find(root, undo.path)
    if root is None or node is None:
        return text
    if undo.kind == "item":
        at = [i for i, child in enumerate(node.children) if child.value.plain() == undo.value]
        return _remove(text, node, at[-1], undo.hollow) if node.kind == "array" and at else text
    if undo.was is not None:
        return text[: node.start] + undo.was + text[node.end :]
    return remove(text, undo.path, undo.depth, undo.hollow)


def remove(text: str, path: Path, depth: int | None = None, hollow: str | None = None) -> str:
    """``text`` without the member at ``path``, and without the objects from ``depth`` on that held nothing else."""
    root = parse(text)
    depth = len(path) - 1 if depth is None else depth
    for length in range(depth, len(path)):
        holder, inner = find(root, path[:length]), find(root, path[: length + 1])
        if root is None or holder is None or inner is None:
            return text
        if length == len(path) - 1 or _only(inner, path[length + 1 :]):
            at = max(i for i, child in enumerate(holder.children) if child.key == path[length])
            return _remove(text, holder, at, hollow if length == depth else None)
    return text


def newline_of(text: str) -> str:
    """The line end that most lines of ``text`` have."""
    pairs = text.count("\r\n")
    return "\r\n" if pairs > text.count("\n") - pairs else "\n"


def is_empty(text: str) -> bool:
    """Whether nothing is left in the document that anybody could miss: neither a value nor a comment."""
    root = parse(text)
    if root is None:
        return not text.strip()
    bare = "".join(text.split()).replace(",", "")
    return _hollow(root) and bare == "".join(_inline(root.plain()).split()).replace(",", "")


def _hollow(node: Node) -> bool:
    return node.kind != "scalar" and all(_hollow(child.value) for child in node.children)


def _only(node: Node, rest: Path) -> bool:
    while rest:
        if node.kind != "object" or len(node.children) != 1 or node.children[0].key != rest[0]:
            return False
        node, rest = node.children[0].value, rest[1:]
    return True


def _deepest(text: str, root: Node, path: Path) -> tuple[Node, int]:
    node = root
    for depth, key in enumerate(path):
        if node.kind != "object":
            where = ".".join(path[:depth]) or "the document"
            raise MalformedJsonc(f"{where} is not an object", _line(text, node.start))
        same = [child for child in node.children if child.key == key]
        if len(same) > 1:
            raise MalformedJsonc(f'the key "{key}" is there twice', _line(text, same[1].start))
        if not same:
            return node, depth
        node = same[0].value
    return node, len(path)


def _insert(text: str, root: Node, holder: Node, value: object, lead: str) -> tuple[str, str | None]:
    """Add a child after the last one. Answers the text, and what stood between the brackets of an empty holder."""
    outer, unit, newline = _line_indent(text, holder.start), _unit(text, root), newline_of(text)
    close = holder.end - 1
    if not holder.children:
        inside = text[holder.start + 1 : close]
        body = lead + _written(value, outer + unit, unit, newline)
        at = _after_remarks(text, holder.start + 1)
        rest = text[at:close] if text[at:close].strip() else ""
        tail = rest if "\n" in rest else rest + newline + outer
        kept = text[: holder.start + 1] + inside[: at - holder.start - 1].rstrip(" \t\r\n")
        return kept + newline + outer + unit + body + tail + text[close:], inside
    first, last = holder.children[0], holder.children[-1]
    at = _after_remarks(text, last.comma or last.end)
    broken = "\n" in text[holder.start : first.start] or "\n" in text[last.end : at + 1]
    broken = broken or text[last.comma or last.end : at].lstrip().startswith("//")
    if broken:
        inner = _line_indent(text, first.start) if "\n" in text[holder.start : first.start] else outer + unit
        body = newline + inner + lead + _written(value, inner, unit, newline)
    else:
        body = " " + lead + _inline(value)
    comma = "" if last.comma else ","
    after = "," if last.comma else ""
    return text[: last.end] + comma + text[last.end : at] + body + after + text[at:], None


def _remove(text: str, holder: Node, index: int, hollow: str | None) -> str:
    """Take a child out; the inverse of ``_insert`` wherever the text still is what ``_insert`` made of it."""
    children = holder.children
    child = children[index]
    end = child.comma or child.end
    if len(children) == 1:
        return _emptied(text, holder, child, hollow)
    if index == len(children) - 1:
        before = children[index - 1]
        kept = text[: before.comma] if child.comma else text[: before.comma - 1]
        return kept + _cut(text, before.comma, child.start, end) + text[end:]
    lead = children[index - 1].comma if index else holder.start + 1
    return text[:lead] + _cut(text, lead, child.start, end) + text[end:]


def _emptied(text: str, holder: Node, child: Child, hollow: str | None) -> str:
    head, tail = text[: holder.start + 1], text[holder.end - 1 :]
    if hollow is not None:
        candidate = head + hollow + tail
        again = parse(candidate)
        spot = _at(again, holder.start)
        lead = text[child.start : child.value.start]
        if again is not None and spot is not None:
            made, _ = _insert(candidate, again, spot, child.value.plain(), lead)
            if made == text:
                return candidate
    end = child.comma or child.end
    left = _cut(text, holder.start + 1, child.start, end) + text[end : holder.end - 1]
    if not left.strip():
        left = hollow if hollow is not None and not hollow.strip() else ""
    return head + left + tail


def _cut(text: str, at: int, until: int, end: int) -> str:
    """What stays of ``text[at:until]`` when the child that begins there is taken out up to ``end``: the remarks.

    A line comment keeps a line break when the rest of the line is none.
    """
    start = _clear_start(text, at, until)
    kept = text[at:start]
    last = kept.rpartition("\n")[2]
    rest = text[end:].lstrip(" \t")
    if "//" in last and not rest.startswith(("\n", "\r\n")):
        return kept + newline_of(text)
    return kept


def _at(node: Node | None, start: int) -> Node | None:
    if node is None or node.start == start:
        return node
    inner = next((c.value for c in node.children if c.value.start <= start < c.value.end), None)
    return _at(inner, start)


def _after_remarks(text: str, at: int) -> int:
    """The place after the comments that stand on the same line from ``at`` on."""
    while True:
        blank = at
        while text[blank : blank + 1] in {" ", "\t"}:
            blank += 1
        end = comment_end(text, blank)
        if end == blank or ("\n" in text[blank:end] and not text.startswith("//", blank)):
            return at
        at = end


def _clear_start(text: str, at: int, until: int) -> int:
    """Where the blanks before ``until`` begin: after the remarks that follow ``at``, or after later comments."""
    start = _after_remarks(text, at)
    while True:
        blank = blank_end(text, start)
        end = comment_end(text, blank)
        if blank >= until or end == blank:
            return start
        start = end


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _line_indent(text: str, at: int) -> str:
    start = text.rfind("\n", 0, at) + 1
    end = start
    while text[end : end + 1] in {" ", "\t"}:
        end += 1
    return text[start:end]


def _unit(text: str, root: Node) -> str:
    """One step of indentation, as the document's first broken object has it."""
    if root.children and "\n" in text[root.start : root.children[0].start]:
        step = _line_indent(text, root.children[0].start).removeprefix(_line_indent(text, root.start))
        return step or "  "
    return "  "


def _nested(path: Path, value: object) -> object:
    for key in reversed(path):
        value = {key: value}
    return value


def _inline(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    halves = any("\ud800" <= letter <= "\udfff" for letter in text)  # half a character: cannot be written as it is
    return json.dumps(value) if halves else text


def _written(value: object, indent: str, unit: str, newline: str) -> str:
    """``value`` as text: an object one member a line, a list of objects one a line, everything else on one line."""
    inner = indent + unit
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        items = [inner + _written(item, inner, unit, newline) for item in value]
        return "[" + newline + ("," + newline).join(items) + newline + indent + "]"
    if not isinstance(value, dict) or not value:
        return _inline(value)
    rows = [inner + _inline(key) + ": " + _written(item, inner, unit, newline) for key, item in value.items()]
    return "{" + newline + ("," + newline).join(rows) + newline + indent + "}"
