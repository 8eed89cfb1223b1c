"""Operations on the vault."""

from __future__ import annotations

from comity.kernel.op import long_op, op
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.jobs.model import OneJob
from comity.rooms.memory import index
from comity.rooms.memory.model import Query, Ranked
from comity.rooms.vault import documents, indexing
from comity.rooms.vault.model import DocLimit, DocPath, Docs, DocTags, Folder, Indexed, OneDoc


@long_op("vault.register", effect="write", needs="session", example={"path": "."})
def register_vault(steps: Steps, *, path: Folder) -> Indexed:
    """Index a folder's documents, or what changed in it since.

    Markdown, reStructuredText and text files count; links, hidden folders, binary and huge files are left out. Other
    folders' documents stay.
    """
    return indexing.register(steps, path)


@long_op("vault.index", effect="write", needs="session", ends_with_write=True, example={"path": "."})
def index_vault(steps: Steps, *, path: Folder) -> OneJob:
    """Index a folder's documents as `vault.register` does, as a job: the answer comes at once.

    A server carries it out, or else any agent's session; `job.get` tells how far it is, and what came of it.
    """
    return indexing.ask(steps, path)


@long_op("vault.search", effect="read", needs="session", example={"query": "build test"})
def search_vault(
    steps: Steps, *, query: Query, tags: DocTags | None = None, limit: DocLimit = 20, rank: Ranked = False
) -> Docs:
    """Find documents that contain words of a query, those with the longest and most words first.

    With ``rank`` whole words count, and how rare they are.
    """
    wanted = documents.Wanted(query, tags, limit)
    return index.current(steps, documents.ranked if rank else documents.search, wanted)


@op("vault.get", effect="read", needs="session", example={"path": "README.md"})
def get_doc(scope: Scope, *, path: DocPath) -> OneDoc:
    """Read one document whole."""
    return OneDoc(documents.get(scope, path))


@op("vault.list", effect="read", needs="session", example={"limit": 10})
def list_docs(scope: Scope, *, tags: DocTags | None = None, limit: DocLimit = 100) -> Docs:
    """List documents by path."""
    return documents.listed(scope, tags, limit)
