"""Records and argument types of the radar."""

from __future__ import annotations

from comity.kernel.argument import Note, Number
from comity.kernel.hints import Annotated, Literal
from comity.kernel.named_tuple import NamedTuple

MOST_CHECKOUTS = 60
TURN_MS = 15_000

Anew = Annotated[bool, Note("Look at every checkout again, also at those that seem to be as they were.")]
ConflictsOnly = Annotated[bool, Note("Only pairs that do not go together.")]
TurnMs = Annotated[int, Number("For how many milliseconds nobody else looks by itself.", ge=1000, le=600_000)]

PairState = Literal["clean", "conflict", "unknown"]


class LineRange(NamedTuple):
    """Lines of a file, counted from 1, the last one included."""

    first: int
    last: int


class MeetingLines(NamedTuple):
    """Where the two sides of a file meet: lines of the one's version, and of the other's."""

    one: LineRange
    other: LineRange


class PredictedConflict(NamedTuple):
    """One way in which two sides do not go together.

    ``kind`` is git's word, such as contents or modify/delete; ``told`` git's sentence about it. ``lines`` are there for
    text files that both changed.
    """

    kind: str
    paths: list[str]
    told: str
    lines: list[MeetingLines] = []


class RadarCheckout(NamedTuple):
    """One checkout as the radar saw it. ``changed``: how many files have uncommitted work, which counts; ``left_out``
    of them are too large or too many to be looked at.
    """

    name: str
    path: str
    branch: str
    head: str
    base: str
    changed: int
    left_out: int
    seen_at: str
    agents: list[str]
    task: str | None = None


class RadarPair(NamedTuple):
    """Two checkouts, or a base branch (``base:main``) and a checkout, and what their merge would come to.

    ``both``: files that both sides changed and that go together. ``committed``: nothing of it is uncommitted work.
    ``signs``: what git would not call a conflict, such as one number of a migration given twice.
    """

    one: str
    other: str
    state: PairState
    conflicts: list[PredictedConflict]
    both: list[str]
    signs: list[str]
    committed: bool
    since: str


class Radar(NamedTuple):
    """Who will conflict with whom. ``looked``: how many checkouts were looked at now, ``merged``: how many pairs."""

    checkouts: list[RadarCheckout]
    pairs: list[RadarPair]
    notes: list[str]
    looked: int = 0
    merged: int = 0


class Changes(NamedTuple):
    """When an agent was last known to have changed a file of the project: milliseconds since 1970."""

    changed_ms: int


class Turn(NamedTuple):
    """Whether it is this process that looks by itself."""

    yours: bool
