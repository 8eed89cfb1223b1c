"""Records and argument types of guarded edits."""

from __future__ import annotations

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.hints import Annotated, Literal
from comity.kernel.named_tuple import NamedTuple

EditedPath = Annotated[str, Text("A file, absolute or relative to the agent's checkout.", min=1, max=4096)]
EditedFiles = Annotated[list[EditedPath], Items("Files that are about to be changed.", min=1, max=1000)]
NamedFiles = Annotated[list[EditedPath], Items("Files that somebody asks about.", min=1, max=10_000)]
AutoLease = Annotated[int, Number("Seconds for which an unclaimed file is claimed.", ge=10, le=86_400)]
CommandLine = Annotated[str, Text("A shell command line.", max=64_000_000)]
ToolName = Annotated[str, Text("The tool that runs, when it is no shell: it may change anything.", max=200)]
KeepWarning = Annotated[bool, Note("Also send the caller a warning as a message: it is not shown one before a tool.")]
Folder = Annotated[str, Text("The folder that the command runs in; the checkout when empty.", max=4096)]
BypassReason = Annotated[str, Text("Why a person lets it through all the same; empty: nobody does.", max=1000)]
Processes = Annotated[
    list[Annotated[str, Text("A process id and its start, with a colon between.", min=1, max=100)]],
    Items("Processes that the caller runs under; an agent whose host is one of them is the caller.", max=100),
]
Recorded = Annotated[
    list[Annotated[int, Number("Seconds since 1970.", ge=0, le=253_402_300_799)]],
    Items("When each of the files was recorded; later claims on it do not count.", max=10_000),
]
TurnOver = Annotated[bool, Note("The agent's turn is over.")]
Operation = Annotated[str, Text("What git is about to do.", min=1, max=100)]

LEASE_S = 600
EDIT_TAKES_MS = 120_000  # between an edit's check and the edit itself somebody may be asked for permission


class Verdict(NamedTuple):
    """Whether it may be done. ``refusal`` says why not and what to do, ``warning`` what else is known.

    ``stale``: the caller may go on once it has read the files again. ``recorded``: a refusal is an event, except where
    nothing can be written.
    """

    allowed: bool
    refusal: str = ""
    warning: str = ""
    holders: tuple[str, ...] = ()
    stale: bool = False
    recorded: bool = True


class Pending(NamedTuple):
    """How many edits were asked for and are not noted as made, whether other agents are about, whether anybody's
    uncommitted work is known, and whether anybody stands in line for files.
    """

    asked: int
    others: bool
    works: bool = False
    line: bool = False


class UncommittedFile(NamedTuple):
    """A file with uncommitted work in it. ``kept``: there is a copy of it."""

    file_path: str
    agent_id: str
    agent_name: str
    state: Literal["in progress", "left behind", "asked for"]
    changed_at: str
    worktree: str = ""
    kept: bool = False


class InProgress(NamedTuple):
    """Files with uncommitted work in them."""

    files: list[UncommittedFile]


class Turns(NamedTuple):
    """How many places in line are left."""

    waiting: int


class Settled(NamedTuple):
    """How many files have no uncommitted work in them any more."""

    over: int


class Landed(NamedTuple):
    """Files whose edits were made, and those whose edits are not coming."""

    made: list[str]
    not_made: list[str]


class Breach(NamedTuple):
    """A file of a living peer that changed while a shell command ran."""

    file_path: str
    holder: str


class Compared(NamedTuple):
    """What changed though peers hold it; both sides were told."""

    breaches: list[Breach]
