"""Queries over everything that agents here know."""

from __future__ import annotations

from comity.kernel.op import long_op
from comity.kernel.steps import Steps
from comity.rooms.channels.model import ChannelId
from comity.rooms.context import context_query
from comity.rooms.context.model import HitLimit, Kinds, RankedResults, Results
from comity.rooms.memory import index
from comity.rooms.memory.model import Query


@long_op("context.query", effect="read", needs="session", example={"query": "how to build"})
def query_context(steps: Steps, *, query: Query, channel_id: ChannelId | None = None, limit: HitLimit = 10) -> Results:
    """Search memories, documents, done tasks and goals for the words of a query.

    The more and longer words something holds, the higher it stands. Memory of a channel is found by its members only.
    """
    return index.current(steps, context_query.query, context_query.ContextQuery(query, channel_id, limit))


@long_op("search.find", effect="read", needs="session", example={"query": "build", "kinds": ["memory", "vault_doc"]})
def find(
    steps: Steps,
    *,
    query: Query,
    kinds: Kinds | None = None,
    channel_id: ChannelId | None = None,
    limit: HitLimit = 10,
) -> RankedResults:
    """Search memories, documents, done tasks and goals by relevance, with snippets.

    BM25 over whole words: those with all words of the query come first.
    """
    return index.current(steps, context_query.find, context_query.ContextQuery(query, channel_id, limit, kinds))
