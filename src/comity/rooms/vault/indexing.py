"""Bringing a folder's documents into the vault: read what changed, write it in short transactions, drop what is gone.

A file that was seen before with the same size and time is not read again. Documents are known by their files, so
their ids stay. A document's path counts from its folder; where two folders have the same one, the later gets its
folder's name before it. Two runs over one folder at once write the same rows; a document is only dropped when nobody
else has seen its file meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.kernel.text import compact
from comity.rooms.jobs import requests
from comity.rooms.jobs.model import Kind, OneJob
from comity.rooms.vault import files
from comity.rooms.vault.model import EXTENSIONS, Indexed, Skipped

INDEX = Kind("vault.index", repeatable=True)
_BATCH_FILES, _BATCH_CHARACTERS = 200, 1_000_000  # of one transaction


class Known(NamedTuple):
    """What was seen of a file before, and its document now (None: it has none)."""

    size_bytes: int
    mtime_ns: int
    content_hash: str
    doc_path: str | None
    doc_hash: str | None


class Counts(NamedTuple):
    """What a run changed."""

    added: int = 0
    updated: int = 0
    removed: int = 0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(*(mine + its for mine, its in zip(self, other, strict=True)))


def register(steps: Steps, path: str) -> Indexed:
    """Index a folder, or what changed in it."""
    steps.read(lambda _: None)  # whoever has no session is refused before the disk is looked at
    root = files.resolve(steps.actor, path)
    known = steps.read(_known, root)
    listing = files.listing(root)
    changed = [seen for seen in listing.files if not _unchanged(seen, known.get(seen.source_path))]
    skipped = dict(listing.skipped._asdict())
    counts, gone = Counts(), known.keys() - {seen.source_path for seen in listing.files}
    done = 0
    steps.report(0, len(changed), "reading")
    for batch, refused in _batches(changed):
        for seen, why in refused:
            skipped[why] += 1
            if seen.source_path in known:
                gone.add(seen.source_path)
        counts = counts.plus(steps.write(_store, root, batch))
        done += len(batch) + len(refused)
        steps.report(done, len(changed), "reading")
    leaving = sorted((source_path, known[source_path]) for source_path in gone)
    for start in range(0, len(leaving), _BATCH_FILES):
        counts = counts.plus(steps.write(_remove, root, leaving[start : start + _BATCH_FILES]))
    total = steps.write(_finish, root, counts)
    refusals = sum(skipped.values()) - sum(listing.skipped)
    unchanged = len(listing.files) - refusals - counts.added - counts.updated
    return Indexed(root, total, list(EXTENSIONS), *counts, unchanged, Skipped(**skipped))


def ask(steps: Steps, path: str) -> OneJob:
    """Have a folder indexed by a job; where the folder is, and whether it may be, is settled now."""
    steps.read(lambda _: None)  # whoever has no session is refused before the disk is looked at
    root = files.resolve(steps.actor, path)
    return steps.write(requests.ask, INDEX, {"path": root})


def _known(scope: Scope, root: str) -> dict[str, Known]:
    return {row[0]: Known(*row[1:]) for row in scope.tx.all("vault.files", root_path=root)}


def _unchanged(seen: files.Seen, known: Known | None) -> bool:
    return (
        known is not None
        and (known.size_bytes, known.mtime_ns) == (seen.size_bytes, seen.mtime_ns)
        and known.doc_hash == known.content_hash
        and known.doc_path is not None
        and (known.doc_path == seen.path or known.doc_path.endswith(f"/{seen.path}"))
    )


def _batches(changed: Sequence[files.Seen]) -> Iterator[tuple[list[files.Read], list[tuple[files.Seen, str]]]]:
    """What the files hold, in pieces for one transaction each, with those that are no documents after all."""
    batch: list[files.Read] = []
    refused: list[tuple[files.Seen, str]] = []
    characters = 0
    for seen in changed:
        found = files.read(seen, time.time_ns())
        if isinstance(found, str):
            refused.append((seen, found))
        else:
            batch.append(found)
            characters += len(found.content)
        if len(batch) + len(refused) >= _BATCH_FILES or characters >= _BATCH_CHARACTERS:
            yield batch, refused
            batch, refused, characters = [], [], 0
    if batch or refused:
        yield batch, refused


def _store(scope: Scope, root: str, batch: Sequence[files.Read]) -> Counts:
    """Write documents. One whose text is as it was keeps its row untouched, unless its path is another now."""
    added = updated = 0
    for found in batch:
        present = scope.tx.one("vault.doc_at_source", source_path=found.source_path)
        if present is None:
            path = _free_path(scope, root, found)
            _write_doc(scope, "vault.insert_doc", scope.new_id(), path, found)
            added += 1
        else:
            doc_id, doc_path, content_hash = present
            path = doc_path
            owner = scope.tx.one("vault.root_of_file", source_path=found.source_path)
            if owner is None or owner[0] != root:
                path = _free_path(scope, root, found)
            if (path, found.content_hash) != (doc_path, content_hash):
                _write_doc(scope, "vault.update_doc", doc_id, path, found)
                updated += 1
        scope.tx.run(
            "vault.put_file",
            source_path=found.source_path,
            root_path=root,
            size_bytes=found.size_bytes,
            mtime_ns=found.mtime_ns,
            content_hash=found.content_hash,
        )
    return Counts(added, updated)


def _write_doc(scope: Scope, statement: str, doc_id: str, path: str, found: files.Read) -> None:
    row = {
        "doc_id": doc_id,
        "doc_path": path,
        "title": found.title,
        "content": found.content,
        "tags": compact(found.tags),
        "modified_at": found.modified_at,
        "content_hash": found.content_hash,
    }
    if statement == "vault.insert_doc":
        row["source_path"] = found.source_path
    scope.tx.run(statement, **row)


def _free_path(scope: Scope, root: str, found: files.Read) -> str:
    """The path from the root, or with the root's name before it when a document of another folder has that."""
    name = root.replace("\\", "/").rstrip("/").rpartition("/")[2]
    number = 0
    while True:
        before = "" if number == 0 else f"{name}/" if number == 1 else f"{name}-{number}/"
        path = before + found.path
        holder = scope.tx.one("vault.source_at_path", doc_path=path)
        if holder is None or holder[0] == found.source_path:
            return path
        number += 1


def _remove(scope: Scope, root: str, leaving: Sequence[tuple[str, Known]]) -> Counts:
    """Drop documents whose files are gone."""
    removed = 0
    for source_path, known in leaving:
        if scope.tx.run(
            "vault.remove_file",
            source_path=source_path,
            root_path=root,
            mtime_ns=known.mtime_ns,
            content_hash=known.content_hash,
        ):
            removed += scope.tx.run("vault.remove_doc", source_path=source_path)
    return Counts(removed=removed)


def _finish(scope: Scope, root: str, counts: Counts) -> int:
    """Record the root; how many documents it has."""
    for table in ("root", "registry"):
        scope.tx.run(f"vault.put_{table}", root_path=root, now=scope.now.iso, agent_id=scope.actor.agent_id)
    row = scope.tx.one("vault.count", root_path=root)
    total: int = row[0] if row else 0
    facts: dict[str, object] = {"root": root, "docs": total, **counts._asdict()}
    scope.emit(Event("vault.registered", agent_id=scope.actor.agent_id, metadata=facts))
    return total
