"""Records and argument types of queries over everything (MACP v1.0, reference section 4.10)."""

from __future__ import annotations

from comity.kernel.argument import Items, Note, Number
from comity.kernel.hints import Annotated, Any, Literal
from comity.kernel.named_tuple import NamedTuple
from comity.rooms.memory.model import MOST

Kind = Annotated[Literal["memory", "vault_doc", "task", "goal"], Note("What to look in.")]
Kinds = Annotated[list[Kind], Items("Only in these; everywhere when left out.", max=4)]
HitLimit = Annotated[int, Number(f"How many to return; {MOST} at most.", ge=1, le=9_007_199_254_740_991)]


class Result(NamedTuple):
    """Something that holds words of a query; ``metadata`` depends on the kind."""

    kind: str
    id: str
    title: str
    snippet: str
    score: int
    metadata: dict[str, Any]


class RankedResult(NamedTuple):
    """Something that holds words of a query; ``rank`` grows with relevance, ``metadata`` depends on the kind."""

    kind: str
    id: str
    title: str
    snippet: str
    rank: float
    metadata: dict[str, Any]


class Results(NamedTuple):
    """Highest score first."""

    results: list[Result]


class RankedResults(NamedTuple):
    """Best first."""

    results: list[RankedResult]
