"""Records and argument types of file claims (protocol reference section 4.3)."""

from __future__ import annotations

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.hints import Annotated, Literal
from comity.kernel.named_tuple import NamedTuple

RESOURCES = "res:"  # what names of resources begin with; and the repository of their claims
WAITING = "waiting"  # the mode of a place in line, where it is told beside claims
MAX_TTL_S = 315_360_000  # ten years; a claim far beyond that would never count as active (reference E-17)

FilePath = Annotated[
    str, Text("A path or glob, relative to the repository's root; or a resource such as res:port-5432.", max=4096)
]
Files = Annotated[list[FilePath], Items("Files, folders or globs such as src/**.", min=1, max=1000)]
SomeFiles = Annotated[list[FilePath], Items("Only claims that touch these.", max=1000)]
HeldFiles = Annotated[list[FilePath], Items("Held paths, or globs of them.", min=1, max=1000)]
TtlSeconds = Annotated[int, Number("Seconds to hold it; at most ten years count.", ge=1, le=9_007_199_254_740_991)]
ClaimReason = Annotated[str, Text("What you do there, for peers.", min=1, max=2000)]
ReleaseReason = Annotated[str, Text("Why it ends.", min=1, max=2000)]
Mode = Annotated[Literal["exclusive", "shared"], Note("shared lets others share it.")]
Partial = Annotated[bool, Note("Claim what is free even if some is held.")]
Waits = Annotated[bool, Note("If some is held, stand in line: you get all of it when it is your turn.")]
ClaimWaitMs = Annotated[int, Number("With wait: answer when it is your turn, after so long at most.", ge=0, le=60_000)]
Waiter = Annotated[str, Text("The process that waits, as its id and start; your place ends with it.", max=100)]
HolderId = Annotated[str, Text("Only claims of this agent.", min=1, max=200)]
ClaimLimit = Annotated[int, Number("How many claims to return at most.", ge=1, le=10_000)]


class Claim(NamedTuple):
    """One claimed path. ``mode`` is advisory, and there is no fence, where another implementation made the claim."""

    claim_id: str
    agent_id: str
    session_id: str
    file_path: str
    claimed_at: str
    expires_at: str
    reason: str | None = None
    mode: str = "advisory"
    fence: int = 0
    agent_name: str = ""
    repository: str = ""
    worktree: str = ""


class PeerClaim(NamedTuple):
    """A peer's claim that meets ``files`` of this call; one ``elsewhere``, in another worktree or repository, warns."""

    files: list[str]
    file_path: str
    agent_id: str
    agent_name: str
    session_id: str
    claim_id: str
    claimed_at: str
    expires_at: str
    age_seconds: int
    mode: str
    reason: str | None = None
    fence: int = 0
    elsewhere: bool = False
    repository: str = ""
    worktree: str = ""


class WaitingPlace(NamedTuple):
    """A place in line: who waits for what. ``place`` is 1 for whoever has it next; ``behind`` are agents that have it
    now or get it before.
    """

    place: int
    files: list[str]
    agent_id: str
    agent_name: str
    mode: str
    since: str
    behind: tuple[str, ...] = ()
    reason: str | None = None
    worktree: str = ""


class Claimed(NamedTuple):
    """What is held now. ``refused`` are paths that were not claimed since peers hold them.

    ``waiting`` is the caller's place in line; then nothing was claimed yet, and ``claim_id`` is empty.
    """

    claim_id: str
    claims: list[Claim]
    conflicts: tuple[PeerClaim, ...] = ()
    refused: tuple[str, ...] = ()
    waiting: WaitingPlace | None = None


class Released(NamedTuple):
    """What is free now; ``still_held`` are own claims that meet the named paths and go on. ``given_up`` are files of
    places in line that the caller has no more.
    """

    released_files: list[str]
    still_held: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()


class Renewed(NamedTuple):
    """What is held for longer now; ``not_held`` are named paths that this agent does not hold."""

    claims: list[Claim]
    not_held: tuple[str, ...] = ()


class Claims(NamedTuple):
    """Active claims, by path and age; ``waiting`` are places in line for such files, first come first."""

    claims: list[Claim]
    more: bool = False
    waiting: tuple[WaitingPlace, ...] = ()
