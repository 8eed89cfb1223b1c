"""What a shell line consists of once it is read: words with their parts, and the commands that they make up. Pure."""

from __future__ import annotations

from comity.kernel.hints import Literal
from comity.kernel.named_tuple import NamedTuple

PartKind = Literal["text", "variable", "command", "process", "number"]
CompoundKind = Literal["group", "subshell", "if", "while", "for", "counted", "case", "function", "condition", "coproc"]


class Part(NamedTuple):
    """A piece of a word. ``text``: its letters; of a ``variable`` what stands between the braces; of a ``process`` its
    sign. ``inner``: the commands of a substitution. ``parts``: what stands in an arithmetic ``number``.
    """

    kind: PartKind
    text: str
    quoted: bool = False
    inner: Chain | None = None
    parts: tuple[Part, ...] = ()


Raw = tuple[Part, ...]


class Document:
    """The body of a here-document, which comes after the line that names it."""

    __slots__ = ("body", "delimiter", "expands", "tabs")

    def __init__(self, delimiter: str, *, expands: bool, tabs: bool) -> None:
        self.delimiter, self.expands, self.tabs = delimiter, expands, tabs
        self.body: Raw = ()


class Redirect(NamedTuple):
    """``sign`` with the number before it and the word behind it; ``document`` for ``<<``."""

    sign: str
    descriptor: str
    target: Raw
    document: Document | None = None


class Assign(NamedTuple):
    """``name=value``, ``name+=value``, ``name[index]=value`` or ``name=(values)``."""

    name: str
    values: tuple[Raw, ...]
    adds: bool = False
    array: bool = False


class Simple(NamedTuple):
    """One simple command."""

    assigned: tuple[Assign, ...]
    words: tuple[Raw, ...]
    redirects: tuple[Redirect, ...]


class Compound(NamedTuple):
    """Commands under one head. ``bodies``: of ``if`` and ``while`` conditions and what follows them, in turn (an
    ``else`` is last and alone); of ``case`` one a branch. ``words``: of ``for`` its list (None: the arguments), of
    ``case`` its subject, of ``condition`` what is compared. ``name``: of a loop's variable or a function.
    """

    kind: CompoundKind
    name: str
    words: tuple[Raw, ...] | None
    bodies: tuple[Chain, ...]
    redirects: tuple[Redirect, ...] = ()


class Pipe(NamedTuple):
    """Commands that read each other's output."""

    parts: tuple[Node, ...]


class Item(NamedTuple):
    """One part of a list: what joins it to the part before (``;``, ``&&``, ``||``), and whether it runs beside the
    rest.
    """

    joint: str
    node: Node
    background: bool = False


class Chain(NamedTuple):
    """Commands one after another."""

    items: tuple[Item, ...]


Node = Simple | Compound | Pipe


def literal(raw: Raw) -> str | None:
    """The word's text, where the shell fills nothing in; wildcards are letters here."""
    return "".join(part.text for part in raw) if all(part.kind == "text" for part in raw) else None
