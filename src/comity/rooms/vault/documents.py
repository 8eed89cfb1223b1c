"""Searching, listing and reading documents (MACP v1.0, reference section 4.9)."""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.javascript import distinct, trim
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import NotFound
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact, read_strings
from comity.rooms.memory import index
from comity.rooms.memory.model import MOST
from comity.rooms.memory.ranking import ranked_ids, spoken
from comity.rooms.memory.scores import Source, best
from comity.rooms.memory.search import excerpt
from comity.rooms.vault.model import Doc, Docs, FullDoc


class Wanted(NamedTuple):
    """What the caller looks for."""

    query: str
    tags: Sequence[str] | None
    limit: int


def search(scope: Scope, wanted: Wanted) -> Docs:
    """Documents that hold words of the query, those with the highest score first, then the most recent."""
    source = documents(scope, wanted.tags)
    return Docs([doc_of(hit.row) for hit in best(scope, source, wanted.query, min(wanted.limit, MOST))])


def ranked(scope: Scope, wanted: Wanted) -> Docs:
    """Documents with the query's words, best first, with snippets."""
    said, limit = spoken(wanted.query), min(wanted.limit, MOST)
    hits = ranked_ids(scope, "vault_doc", [AUDIENCE], said, limit * (4 if wanted.tags else 1))
    rows = these(scope, [row_id for row_id, _ in hits], wanted.tags)
    docs = [
        doc_of(rows[row_id])._replace(rank=rank, snippet=excerpt(rows[row_id][6], said))
        for row_id, rank in hits
        if row_id in rows
    ]
    return Docs(docs[:limit])


def listed(scope: Scope, tags: Sequence[str] | None, limit: int) -> Docs:
    """Documents by path."""
    rows = scope.tx.all("vault.list", tags=compact(distinct(tags or ())), limit=min(limit, MOST))
    return Docs([doc_of(row) for row in rows])


def get(scope: Scope, path: str) -> FullDoc:
    """One document with its text. NotFound ``vault.unknown_doc``."""
    wanted = trim(path)
    row = scope.tx.one("vault.get", doc_path=wanted)
    if row is None:
        raise NotFound(
            "vault.unknown_doc",
            f"There is no document {wanted!r}.",
            "List or search the vault for its path.",
            path=wanted,
        )
    return FullDoc(*doc_of(row)[:6], str(row[6]))


AUDIENCE = index.audience("vault_doc")


def documents(scope: Scope, tags: Sequence[str] | None = None) -> Source[Row]:
    """All documents, for scoring."""
    return Source(
        "vault_doc", [AUDIENCE], lambda ids: these(scope, ids, tags), lambda row: f"{row[1]}\n{row[2]}\n{row[6]}"
    )


def these(scope: Scope, ids: Sequence[str], tags: Sequence[str] | None) -> dict[str, Row]:
    """Documents by their ids; those without the tags are left out."""
    rows = scope.tx.all("vault.these", ids=compact(list(ids)), tags=compact(distinct(tags or ())))
    return {row[0]: row for row in rows}


def doc_of(row: Row) -> Doc:
    """A row without its text."""
    return Doc(row[0], row[1], row[2], read_strings(row[3]) or [], row[4], row[5])
