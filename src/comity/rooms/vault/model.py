"""Records and argument types of the vault (MACP v1.0, reference section 4.9)."""

from __future__ import annotations

from comity.kernel.argument import Items, Number, Text
from comity.kernel.hints import Annotated
from comity.kernel.named_tuple import NamedTuple
from comity.rooms.memory.model import MOST

MAX_FILE_BYTES = 1_000_000
MAX_FILES = 100_000  # of one folder
EXTENSIONS = (".md", ".mdx", ".rst", ".txt")

Folder = Annotated[str, Text("The folder, from the project's root.", min=1, max=4000)]
DocPath = Annotated[str, Text("A document's path, as lists show it.", min=1, max=4000)]
DocTags = Annotated[list[Annotated[str, Text(max=200)]], Items("Tags that it must have: words of its path.", max=64)]
DocLimit = Annotated[int, Number(f"How many to return; {MOST} at most.", ge=1, le=9_007_199_254_740_991)]


class Skipped(NamedTuple):
    """What was left out: symbolic links, files that are binary or larger than 1 MB or cannot be read, and folders."""

    links: int = 0
    binary: int = 0
    large: int = 0
    unreadable: int = 0


class Indexed(NamedTuple):
    """A folder whose documents are in the vault, and what changed since it was last read."""

    root_path: str
    indexed_docs: int
    supported_extensions: list[str]
    added: int
    updated: int
    removed: int
    unchanged: int
    skipped: Skipped


class Doc(NamedTuple):
    """One document. ``rank`` (higher is better) and ``snippet`` come with ranked searches."""

    doc_id: str
    path: str
    title: str
    tags: list[str]
    updated_at: str
    source_path: str
    rank: float = 0.0
    snippet: str = ""


class FullDoc(NamedTuple):
    """One document with its text."""

    doc_id: str
    path: str
    title: str
    tags: list[str]
    updated_at: str
    source_path: str
    content: str


class Docs(NamedTuple):
    """Documents."""

    docs: list[Doc]


class OneDoc(NamedTuple):
    """One document."""

    doc: FullDoc
