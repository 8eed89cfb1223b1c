"""Records and argument types of kept copies."""

from __future__ import annotations

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.hints import Annotated
from comity.kernel.named_tuple import NamedTuple

MAX_SHOWN_BYTES = 1_000_000

KeptPath = Annotated[str, Text("A file, absolute or relative to the agent's checkout.", min=1, max=4096)]
SomePaths = Annotated[list[KeptPath], Items("Only versions of these files, all of each.", max=100)]
VersionId = Annotated[
    int,
    Number("A version, as `rescue.list` numbers them; else the newest that was lost.", ge=1, le=9_007_199_254_740_991),
]
Overwrite = Annotated[bool, Note("Also over newer work, of which a copy is kept first.")]
LostOnly = Annotated[bool, Note("Only what was lost.")]
KeptLimit = Annotated[int, Number("How many versions at most.", ge=1, le=10_000)]
ShownBytes = Annotated[int, Number("How many bytes of it at most.", ge=1, le=100_000_000)]


class KeptVersion(NamedTuple):
    """A copy of a file with work in it. ``versions``: how many of the file there are; ``lost_at``: when it was found to
    be gone from its file, by whom and by which command.
    """

    version_id: int
    file_path: str
    agent_id: str
    agent_name: str
    kept_at: str
    size_bytes: int
    content: str
    worktree: str = ""
    versions: int = 1
    lost_at: str | None = None
    lost_by: str | None = None
    lost_how: str = ""


class KeptVersions(NamedTuple):
    """Copies: the newest of each file, what was lost first; or all of some files."""

    versions: list[KeptVersion]
    more: bool = False


class Shown(NamedTuple):
    """What is in a copy. ``text`` where it is UTF-8, else ``base64``; ``cut``: it goes on."""

    version: KeptVersion
    text: str | None
    base64: str | None
    cut: bool


class Difference(NamedTuple):
    """What would change in the file if a copy were put back, as a unified diff; empty when nothing would."""

    version: KeptVersion
    diff: str


class Restored(NamedTuple):
    """A file that has again what was kept. ``overwrote``: the version that was there, if it was work."""

    version: KeptVersion
    path: str
    overwrote: int | None = None
    changed: bool = True


class Purged(NamedTuple):
    """How many copies were removed from the disk."""

    removed: int
